"""Messages in lockstep with each peer: what `wire` makes of them, in order, over `transport`.

Parties are ranks here: the owners in the manifest's order, then the dealer. Each link counts its frames in
each direction, from 0 after the hellos; there is no gap that is not noticed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from protocols.ring import RingArray, Shape
from smpc import wire
from smpc.sealed import opened
from smpc.transport import Links


class Channel:
    """`names`: all parties by rank. `session`: 32 bytes that only this run has.

    `patience`: how many seconds a peer that is connected may be silent while we wait for it.
    """

    def __init__(self, links: Links, names: Sequence[str], rank: int, session: bytes, patience: float) -> None:
        self._links, self._names, self._rank, self._session = links, names, rank, session
        self.patience = patience
        self._sent, self._received = [0] * len(names), [0] * len(names)

    def send(self, to: int, kind: str, step: str, arrays: Sequence[RingArray], state: bytes) -> None:
        """Send ring arrays. `state` must be equal at the receiver. Raises LinkError if it is gone."""
        label = self._outgoing(to, kind, step, state, [array.shape for array in arrays])
        self._links.doing, name = f"step {step!r}", self._names[to]
        for frame in wire.encode(label, arrays):
            self._links.send(name, frame, kind)
            self._sent[to] += 1

    def send_message(self, to: int, kind: str, body: bytes, state: bytes) -> None:
        """Send a structured message (`wire.pack`)."""
        label = self._outgoing(to, kind, kind, state, ())
        self._links.send(self._names[to], label.tag() + body, kind)
        self._sent[to] += 1

    def receive(
        self, kind: str, step: str, shapes: Mapping[int, Sequence[Shape]], states: Mapping[int, bytes]
    ) -> Iterator[tuple[int, list[RingArray]]]:
        """One message from each rank in `shapes`, as they come.

        Raises MessageError if a peer sent another one, LinkError if a peer left, stopped or stays silent.
        """
        self._links.doing = f"step {step!r}"
        expected: dict[str, wire.Assembly] = {}
        for rank, from_rank in shapes.items():
            expected[self._names[rank]] = wire.Assembly(self._incoming(rank, kind, step, states[rank], from_rank))
        while expected:
            peer, frame = self._links.receive(expected, self.patience)
            message = expected[peer]
            message.add(frame)
            self._received[message.sender] += 1
            if message.complete:
                del expected[peer]
                yield message.sender, message.arrays()

    def receive_message(self, sender: int, kind: str, state: bytes, otherwise: str) -> memoryview | None:
        """The body of a structured message; None if the empty message `otherwise` comes in its place.

        Raises as `receive` does, but waits as long as the sender is there: it may have much to compute.
        """
        self._links.doing = f"the next {kind}"
        _, arrived = self._links.receive([self._names[sender]], math.inf)
        frame = opened(arrived)
        instead = self._incoming(sender, otherwise, otherwise, state, ())
        label = instead._replace(kind=kind, step=kind)
        self._received[sender] += 1
        if frame.startswith(instead.tag()):
            return None
        return wire.open_frame(label, frame, label.tag())

    def _outgoing(self, to: int, kind: str, step: str, state: bytes, shapes: Sequence[Shape]) -> wire.Label:
        return wire.Label(self._session, self._rank, to, self._sent[to], kind, step, state, shapes)

    def _incoming(self, sender: int, kind: str, step: str, state: bytes, shapes: Sequence[Shape]) -> wire.Label:
        number, peer = self._received[sender], self._names[sender]
        return wire.Label(self._session, sender, self._rank, number, kind, step, state, shapes, peer)
