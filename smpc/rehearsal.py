"""A run on shapes alone: what it takes, what it sends, in how many rounds, without data and without peers.

The flow of a computation depends on public values only. So the real code, run by a party that sends nothing, takes
zeros for correlated randomness and gets zeros for messages, asks for the same correlations in the same order and has
the same rounds and messages as a run in earnest. Nothing is computed with anybody's data.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count as count_up
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from protocols.dealerless import Dealerless
from protocols.local import LocalPeers, Message, mailboxes
from protocols.ot_pairs import Step, setup_of
from protocols.party import made, secrets_of
from protocols.ring import size
from protocols.transfers import Job, rounds_of
from smpc import requests, wire
from smpc.noise import SEAL_BYTES
from smpc.release import Gate

if TYPE_CHECKING:
    from collections.abc import Iterable
    from queue import Queue

    from protocols.party import Correlation, Order, Received
    from protocols.ring import RingArray, Shape
    from protocols.shares import Share

C = TypeVar("C")


@dataclass
class Tally:
    """What one party does: rounds, and bytes of frames to each rank; the dealer comes after all owners."""

    rounds: int = 0
    bytes_to: Counter[int] = field(default_factory=Counter)

    @property
    def sent(self) -> int:
        return self.bytes_to.total()

    def send(self, peer: int, elements: int) -> None:
        self.bytes_to[peer] += wire.message_bytes(elements)

    def step(self, rank: int, step: Step) -> None:
        """A round of oblivious transfer."""
        self.rounds += 1
        for (sender, receiver), words in step.words.items():
            if sender == rank:
                self.send(receiver, words)


class Zeros:
    """A stream of zeros."""

    def __init__(self) -> None:
        self.position = 0

    def ring(self, shape: Shape) -> RingArray:
        self.position += size(shape)
        return np.zeros(shape, np.uint64)


@dataclass
class Rehearsal:
    """A `protocols.party.Party` that is alone; `taken`: what it asked for, in order.

    `everybody`: the mailboxes of all parties, each in a thread of its own, where what they send each other matters
    (the shapes of a program's arrays); without, every message that comes is zeros.
    """

    rank: int
    count: int
    everybody: Mapping[tuple[int, int], Queue[Message | None]] | None = None
    online: Tally = field(default_factory=Tally)
    taken: list[Correlation[Any]] = field(default_factory=list)
    batches: list[Sequence[Correlation[Any]]] = field(default_factory=list)  # what is made at once
    asked: list[tuple[Sequence[Correlation[Any]], list[int]]] = field(default_factory=list)  # with what is forgotten

    def __post_init__(self) -> None:
        self._numbers, self._forgotten = count_up(), list[int]()
        self._prepared: Counter[Correlation[Any]] = Counter()
        self._streams = {peer: Zeros() for peer in range(self.count) if peer != self.rank}
        self.peers = LocalPeers(self.rank, self.count, self.everybody or {})

    def exchange(
        self, step: str, send: Mapping[int, Sequence[RingArray]], receive: Mapping[int, Sequence[Shape]]
    ) -> Received:
        self.online.rounds += 1
        for peer, arrays in send.items():
            self.online.send(peer, sum(array.size for array in arrays))
        if self.everybody is not None:
            return self.peers.post(step, send, receive)()
        return {peer: [np.zeros(shape, np.uint64) for shape in shapes] for peer, shapes in receive.items()}

    def take(self, correlation: Correlation[C]) -> C:
        return self.order(correlation).complete()

    def prepare(self, correlations: Sequence[Correlation[Any]]) -> None:
        self._prepared.update(correlations)
        self._ask(correlations)

    def order(self, correlation: Correlation[C]) -> Order[C]:
        self.taken.append(correlation)
        if self._prepared[correlation]:
            self._prepared[correlation] -= 1
        else:
            self._ask([correlation])
        return made(correlation, self.rank, [np.zeros(one.shape, np.uint64) for one in secrets_of(correlation)])

    def number(self) -> int:
        return next(self._numbers)

    def forget(self, number: int) -> None:
        self._forgotten.append(number)

    def _ask(self, batch: Sequence[Correlation[Any]]) -> None:
        self.batches.append(batch)
        for portion in requests.portions(batch):
            self.asked.append((portion, self._forgotten))
            self._forgotten = []

    def common(self, peer: int) -> Zeros:
        return self._streams[peer]

    def leave(self) -> None:
        if self.everybody is not None:
            self.peers.leave()


@dataclass(frozen=True)
class RehearsalGate(Gate):
    """A gate that opens zeros, and what checks say when all is well: `outcomes` by name."""

    outcomes: Mapping[str, int] = field(default_factory=dict)

    def announce(self, **results: Share) -> dict[str, RingArray]:
        opened = super().announce(**results)
        return {name: np.full_like(values, self.outcomes.get(name, 0)) for name, values in opened.items()}


# Where the randomness comes from


@dataclass
class _Counted:
    """Runs jobs of oblivious transfer by counting what they send."""

    rank: int
    count: int
    tally: Tally
    transfers: int = 0

    def run(self, jobs: Sequence[Job]) -> list[RingArray | None]:
        for step in rounds_of(jobs):
            self.tally.step(self.rank, step)
        for job in jobs:
            if self.rank in (job.sender, job.receiver):
                self.transfers += 64 * job.elements
        return [
            np.zeros((job.elements, job.columns), np.uint64) if self.rank in (job.sender, job.receiver) else None
            for job in jobs
        ]


def without_dealer(rank: int, count: int, batches: Iterable[Sequence[Correlation[Any]]]) -> tuple[Tally, int]:
    """What making correlations by oblivious transfer takes at one party, set-up included; and how many transfers."""
    tally = Tally()
    counted = _Counted(rank, count, tally)
    maker = Dealerless(counted, Zeros(), {peer: Zeros() for peer in range(count) if peer != rank})
    for number, batch in enumerate(batches):
        if not number:
            for step in setup_of(count):
                tally.step(rank, step)
        maker.make(batch)
    return tally, counted.transfers


def from_dealer(rank: int, count: int, asked: Iterable[tuple[Sequence[Correlation[Any]], list[int]]]) -> Tally:
    """What asking a dealer takes at one party; at the dealer for rank = `count`. `asked`: see `Rehearsal`."""
    tally = Tally()
    for batch, forgotten in asked:
        if rank == 0:
            tally.bytes_to[count] += wire.TAG_BYTES + SEAL_BYTES + len(requests.encode(batch, forgotten))
        if rank == count:
            tally.send(0, requests.answer_elements(batch))
    return tally


def everyone(count: int) -> list[Rehearsal]:
    """Parties of a program, each to be run in a thread."""
    boxes = mailboxes(count)
    return [Rehearsal(rank, count, boxes) for rank in range(count)]
