"""All parties in one process, a thread each: for tests, notebooks and examples.

The dealer is ideal (it runs inside the same process) but deals by the very seeds and corrections of
`dealer`. With a seed the whole run is deterministic, message by message.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from queue import Empty, Queue
from typing import Any, NamedTuple, TypeVar

from protocols import dealer
from protocols.errors import MessageError, PeerGone
from protocols.party import Correlation, Stream
from protocols.prg import Prg, derive, fresh_seed
from protocols.ring import RingArray, Shape

C = TypeVar("C")
R = TypeVar("R")


class Message(NamedTuple):
    """One party's arrays to another in one round."""

    sender: int
    receiver: int
    step: str
    arrays: tuple[RingArray, ...]


@dataclass
class LocalDealer:
    """Deals to all parties of the process; the k-th request must be the same at each."""

    streams: Sequence[Stream]  # the dealer's copies of the parties' streams
    lock: threading.Lock = field(default_factory=threading.Lock)
    dealt: list[tuple[Correlation[Any], list[RingArray]]] = field(default_factory=list)

    def correction(self, rank: int, k: int, correlation: Correlation[Any]) -> list[RingArray]:
        with self.lock:
            if k == len(self.dealt):
                self.dealt.append((correlation, dealer.correct(correlation, self.streams)))
            asked, correction = self.dealt[k]
        if asked != correlation:
            raise MessageError(f"request {k} is {correlation} here and {asked} elsewhere", frozenset({rank}))
        return correction if rank == dealer.RECEIVER else []


@dataclass
class LocalParty:
    """A `Party` whose peers are threads; counts what it sends."""

    rank: int
    count: int
    ideal_dealer: LocalDealer = field(repr=False)
    stream: Stream = field(repr=False)
    streams: Mapping[int, Stream] = field(repr=False)
    mailboxes: Mapping[tuple[int, int], Queue[Message | None]] = field(repr=False)
    timeout: float = 30.0
    rounds: int = 0
    elements: int = 0
    taken: list[Correlation[Any]] = field(default_factory=list, repr=False)
    sent: list[Message] = field(default_factory=list, repr=False)

    def exchange(
        self, step: str, send: Mapping[int, Sequence[RingArray]], receive: Mapping[int, Sequence[Shape]]
    ) -> dict[int, list[RingArray]]:
        self.rounds += 1
        for peer, arrays in send.items():
            message = Message(self.rank, peer, step, tuple(array.copy() for array in arrays))
            self.sent.append(message)
            self.elements += sum(array.size for array in arrays)
            self.mailboxes[self.rank, peer].put(message)
        return {peer: self._receive(peer, step, shapes) for peer, shapes in receive.items()}

    def take(self, correlation: Correlation[C]) -> C:
        correction = self.ideal_dealer.correction(self.rank, len(self.taken), correlation)
        self.taken.append(correlation)
        return dealer.part(correlation, self.rank, self.stream, correction)

    def common(self, peer: int) -> Stream:
        return self.streams[peer]

    def leave(self) -> None:
        for peer in range(self.count):
            self.mailboxes[self.rank, peer].put(None)

    def _receive(self, peer: int, step: str, shapes: Sequence[Shape]) -> list[RingArray]:
        try:
            message = self.mailboxes[peer, self.rank].get(timeout=self.timeout)
        except Empty:
            raise PeerGone(f"party {peer} was silent for {self.timeout} s", peer) from None
        if message is None:
            raise PeerGone(f"party {peer} left", peer)
        if message.step != step or [a.shape for a in message.arrays] != [tuple(s) for s in shapes]:
            raise MessageError(f"party {peer} is at {message.step!r}, not {step!r}", frozenset({peer}))
        return list(message.arrays)


def parties(count: int, seed: bytes | None = None) -> list[LocalParty]:
    """`count` parties that are connected to each other and to an ideal dealer.

    `seed` (32 bytes) fixes all randomness: for tests only.
    """
    seed = seed or fresh_seed()

    def stream(purpose: str, *ranks: int) -> Prg:
        return Prg(derive(seed, purpose, bytes(ranks)))

    ideal = LocalDealer([stream("dealer", rank) for rank in range(count)])
    mailboxes: dict[tuple[int, int], Queue[Message | None]] = {
        (a, b): Queue() for a in range(count) for b in range(count)
    }
    return [
        LocalParty(
            rank,
            count,
            ideal,
            stream("dealer", rank),
            {peer: stream("pair", min(rank, peer), max(rank, peer)) for peer in range(count) if peer != rank},
            mailboxes,
        )
        for rank in range(count)
    ]


def run_all(everyone: Sequence[LocalParty], program: Callable[[LocalParty], R]) -> list[R]:
    """Run `program` as every one of the parties; return their results in rank order.

    Raises an ExceptionGroup of what the parties raised; a party that fails leaves at once, so that no
    other waits for it.
    """

    def live(party: LocalParty) -> R:
        try:
            return program(party)
        finally:
            party.leave()

    with ThreadPoolExecutor(len(everyone)) as pool:
        futures = [pool.submit(live, party) for party in everyone]
    if errors := [error for future in futures if (error := future.exception()) is not None]:
        raise BaseExceptionGroup("parties failed", errors)
    return [future.result() for future in futures]


def run(count: int, program: Callable[[LocalParty], R], seed: bytes | None = None) -> list[R]:
    """`run_all` with `count` new parties."""
    return run_all(parties(count, seed), program)
