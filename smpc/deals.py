"""What passes between the owners and a dealer: requests, and what the dealer sends for them.

One owner asks, the others know what it asks; all note it. A request is answered in one message. The asking owner goes
on with what was drawn, from its stream, and waits for the rest where it is needed: so the dealer works while the
parties talk, and runs ahead of them if they ask ahead.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from protocols import dealer
from protocols.errors import MessageError
from protocols.party import Correlation, Order, secrets_of
from protocols.prg import Prg, derive
from protocols.ring import RingArray
from smpc import requests, wire
from smpc.channel import Channel
from smpc.meeting import Meeting

_MOST_TOLD = 4096  # masks that are used no more, in one request
_MOST_AWAITED = 2**26  # ring elements that the dealer may be ahead
_MOST_KEPT = 2**30  # ring elements of all masks that a dealer keeps: 8 GiB


@dataclass(frozen=True)
class _Delivery:
    """What the dealer sends for one request, in that state, and the parts that wait for it."""

    state: bytes
    correlations: Sequence[Correlation[Any]]
    parts: list[list[RingArray]] = field(repr=False)
    elements: int


class Deals:
    """One party's side. `program`: its history; `masks`: those that the dealer keeps, whole, by number."""

    def __init__(self, channel: Channel, meeting: Meeting, program: wire.History, masks: dict[int, RingArray]) -> None:
        self._channel, self._meeting, self._program, self._masks = channel, meeting, program, masks
        self._awaited: deque[_Delivery] = deque()
        self.taken = wire.History()
        self.forgotten: list[int] = []  # masks of which the dealer is to be told that they are used no more

    # An owner

    def order(self, correlations: Sequence[Correlation[Any]]) -> list[Order[Any]]:
        """Ask for correlations, in as few requests as may be."""
        return [order for portion in requests.portions(correlations) for order in self._request(portion)]

    def _request(self, correlations: Sequence[Correlation[Any]]) -> list[Order[Any]]:
        rank, at = self._meeting.rank, self._meeting.owners
        if rank == dealer.RECEIVER:
            told, self.forgotten = self.forgotten[:_MOST_TOLD], self.forgotten[_MOST_TOLD:]
            self._channel.send_message(at, "request", requests.encode(correlations, told), self.taken.digest)
        self._note(correlations)
        parts = dealer.parts(correlations, rank, self._stream(at))
        if rank == dealer.RECEIVER:
            self._awaited.append(
                _Delivery(self.taken.digest, correlations, parts, requests.answer_elements(correlations))
            )
            while sum(delivery.elements for delivery in self._awaited) > _MOST_AWAITED:
                self._receive()
        return [
            Order(one, rank, partial(self._delivered, part, len(secrets_of(one))), part[: len(one.drawn())])
            for one, part in zip(correlations, parts, strict=True)
        ]

    def _delivered(self, part: list[RingArray], secrets: int) -> list[RingArray]:
        """A part, once all of it is there."""
        while len(part) < secrets:
            self._receive()
        return part

    def _receive(self) -> None:
        """Take in what the dealer sends next, and give it to the parts for which it is."""
        delivery, at = self._awaited.popleft(), self._meeting.owners
        shapes = [secret.shape for one in delivery.correlations for secret in one.derived()]
        corrections = iter(dict(self._channel.receive("deal", "deal", {at: shapes}, {at: delivery.state}))[at])
        for one, part in zip(delivery.correlations, delivery.parts, strict=True):
            part += [next(corrections) for _ in one.derived()]

    def receive_all(self) -> None:
        """Also what nobody waited for."""
        while self._awaited:
            self._receive()

    # The dealer

    def next_request(self) -> list[Correlation[Any]] | None:
        """What the receiving owner asks for next; None if it says bye. Raises MessageError for nonsense."""
        asking = dealer.RECEIVER
        body = self._channel.receive_message(asking, "request", self.taken.digest, "bye")
        if body is None:
            return None
        try:
            correlations, forgotten = requests.decode(body)
        except ValueError as error:
            raise self._wrong(f"something else: {error}") from None
        for number in forgotten:
            self._masks.pop(number, None)
        if sum(mask.size for mask in self._masks.values()) + requests.kept_elements(correlations) > _MOST_KEPT:
            raise self._wrong(f"masks of more than {_MOST_KEPT >> 27} GiB")
        self._note(correlations)
        return correlations

    def answer(self, correlations: Sequence[Correlation[Any]]) -> None:
        """Make them and send the receiving owner what it lacks. Raises MessageError if one is about no mask."""
        streams = [self._stream(rank) for rank in range(self._meeting.owners)]
        try:
            corrections = [array for one in correlations for array in dealer.correct(one, streams, self._masks)]
        except (KeyError, ValueError):
            raise self._wrong("a product of masks that are not there") from None
        self._channel.send(dealer.RECEIVER, "deal", "deal", corrections, self.taken.digest)

    def _wrong(self, what: str) -> MessageError:
        asking = dealer.RECEIVER
        return MessageError(f"{self._meeting.names[asking]} asked the dealer for {what}", frozenset({asking}))

    # Both

    def _note(self, correlations: Sequence[Correlation[Any]]) -> None:
        named = repr(list(correlations))
        for history in (self._program, self.taken):
            history.note("take", named)

    def _stream(self, peer: int) -> Prg:
        """The stream, in common with `peer`, for the correlations that were noted last, in one request.

        It depends on all that was taken: who asks the dealer for something else gets what fits nobody's part.
        """
        return Prg(derive(self._meeting.seeds[peer], "take", self.taken.digest))
