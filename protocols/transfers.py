"""Oblivious transfers between every two parties, in rounds: jobs, and the flights in which they are done.

A job is a product of one party's value with another's. Jobs run in *flights*. A flight takes two rounds, choices
from receivers to senders and payloads back; the choices of the next flight are computed while payloads travel.
Flights are bounded, so that memory is, however much is asked for.

What is in a flight follows from the jobs' public sizes alone: `rounds_of` tells it without any data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import NamedTuple, TypeAlias

import numpy as np

from protocols import products_gilboa99 as gilboa
from protocols.bits import pack
from protocols.ot_pairs import Chosen, Pair, Step
from protocols.ot_roy22 import NIBBLES
from protocols.party import Peers, Received
from protocols.ring import BITS, RingArray, Shape

_FLIGHT_WORDS = 1 << 12  # words of choices (64 transfers each) from one party to another in one flight
_FLIGHT_PADS = 1 << 20  # ring elements of pads in a flight, for long messages


@dataclass(frozen=True, eq=False)
class Product:
    """xy of the sender's x (elements × length) and the receiver's y (elements), of which `bits` (1 or 64) bits count.

    Whoever is not sender or receiver has no data.
    """

    sender: int
    receiver: int
    elements: int
    length: int = 1
    bits: int = BITS
    x: RingArray | None = field(default=None, repr=False)
    y: RingArray | None = field(default=None, repr=False)

    @property
    def shape(self) -> Shape:
        return self.elements, self.length

    @property
    def words(self) -> int:
        """Of choices."""
        return self.elements if self.bits == BITS else -(-self.elements // BITS)

    @property
    def payload(self) -> int:
        return gilboa.payload_words(self.bits, self.elements * self.length)

    @property
    def step(self) -> int:
        """Elements that may not be divided between flights."""
        return 1 if self.bits == BITS else BITS

    def part(self, start: int, stop: int) -> Product:
        x, y = (None if values is None else values[start:stop] for values in (self.x, self.y))
        return Product(self.sender, self.receiver, stop - start, self.length, self.bits, x, y)

    def choices(self) -> RingArray:
        y = _known(self.y)
        return y if self.bits == BITS else pack(y & np.uint64(1))

    def offer(self, p: RingArray, q: RingArray) -> tuple[RingArray, RingArray]:
        return gilboa.offer(_known(self.x), self._cut(p), self._cut(q))

    def accept(self, h: RingArray, payload: RingArray) -> RingArray:
        return gilboa.accept(_known(self.y), self._cut(h), payload)

    def _cut(self, pads: RingArray) -> RingArray:
        """64 × words × length to bits × elements × length: the rest of the last words is unused."""
        rows = pads.reshape(-1, self.length)[: self.bits * self.elements]
        return rows.reshape(self.bits, self.elements, self.length)


@dataclass(frozen=True, eq=False)
class Conjunction:
    """x ∧ y, shared by exclusive or, of the sender's and the receiver's `elements` words."""

    sender: int
    receiver: int
    elements: int
    x: RingArray | None = field(default=None, repr=False)
    y: RingArray | None = field(default=None, repr=False)
    length: int = 1
    step: int = 1

    @property
    def shape(self) -> Shape:
        return (self.elements,)

    @property
    def words(self) -> int:
        return self.elements

    @property
    def payload(self) -> int:
        return self.elements

    def part(self, start: int, stop: int) -> Conjunction:
        x, y = (None if values is None else values[start:stop] for values in (self.x, self.y))
        return Conjunction(self.sender, self.receiver, stop - start, x, y)

    def choices(self) -> RingArray:
        return _known(self.y)

    def offer(self, p: RingArray, q: RingArray) -> tuple[RingArray, RingArray]:
        return gilboa.offer_bits(_known(self.x), p[..., 0], q[..., 0])

    def accept(self, h: RingArray, payload: RingArray) -> RingArray:
        return gilboa.accept_bits(_known(self.y), h[..., 0], payload)


Job = Product | Conjunction


def rounds_of(jobs: Sequence[Job]) -> Iterator[Step]:
    """What running `jobs` sends, round by round."""
    for flight in _flights(jobs):
        choices: dict[tuple[int, int], int] = {}
        payloads: dict[tuple[int, int], int] = {}
        for _, job in flight:
            back, forth = (job.receiver, job.sender), (job.sender, job.receiver)
            choices[back] = choices.get(back, 0) + NIBBLES * job.words
            payloads[forth] = payloads.get(forth, 0) + job.payload
        yield Step("choices", choices)
        yield Step("payloads", payloads)


# Flights


_Flight: TypeAlias = list[tuple[int, Job]]  # parts of jobs, each with the number of its job


class _Started(NamedTuple):
    """A flight of which choices are on the way."""

    chosen: dict[int, Chosen]
    corrections: Callable[[], Received]


class Transfers:
    """Runs jobs with all peers."""

    def __init__(self, peers: Peers, pairs: Mapping[int, Pair]) -> None:
        self._peers, self._pairs = peers, pairs

    @property
    def rank(self) -> int:
        return self._peers.rank

    @property
    def count(self) -> int:
        return self._peers.count

    def run(self, jobs: Sequence[Job]) -> list[RingArray | None]:
        """This party's share of each job's result, None where it has no part in it. All parties pass the same jobs."""
        parts: list[list[RingArray]] = [[] for _ in jobs]
        flights = _flights(jobs)
        ahead = [self._start(flight) for flight in flights[:1]]
        for number, flight in enumerate(flights):
            started = ahead.pop()
            payloads = self._offer(flight, started, parts)
            ahead += [self._start(following) for following in flights[number + 1 : number + 2]]
            self._accept(flight, started, payloads(), parts)
        return [np.concatenate(part) if part else None for part in parts]

    def _start(self, flight: _Flight) -> _Started:
        """Send my choices to those who send in this flight."""
        chosen = {}
        for peer in self._pairs:
            if mine := _between(flight, peer, self.rank):
                chosen[peer] = self._pairs[peer].choose(np.concatenate([job.choices() for _, job in mine]))
        receive = {}
        for peer in self._pairs:
            if words := sum(job.words for _, job in _between(flight, self.rank, peer)):
                receive[peer] = [(NIBBLES, words)]
        corrections = self._peers.post("ot choices", {p: [one.message] for p, one in chosen.items()}, receive)
        return _Started(chosen, corrections)

    def _offer(self, flight: _Flight, started: _Started, parts: list[list[RingArray]]) -> Callable[[], Received]:
        send = {}
        for peer, (corrections,) in started.corrections().items():
            offered, at, payloads = self._pairs[peer].offer(corrections), 0, []
            for number, job in _between(flight, self.rank, peer):
                payload, share = job.offer(*offered.pads(at, at + job.words, job.length))
                payloads.append(payload)
                parts[number].append(share)
                at += job.words
            send[peer] = [np.concatenate(payloads)]
        receive = {
            peer: [(sum(job.payload for _, job in _between(flight, peer, self.rank)),)] for peer in started.chosen
        }
        return self._peers.post("ot payloads", send, receive)

    def _accept(
        self, flight: _Flight, started: _Started, received: Mapping[int, list[RingArray]], parts: list[list[RingArray]]
    ) -> None:
        for peer, chosen in started.chosen.items():
            at = start = 0
            for number, job in _between(flight, peer, self.rank):
                payload = received[peer][0][start : start + job.payload]
                parts[number].append(job.accept(chosen.pads(at, at + job.words, job.length), payload))
                at, start = at + job.words, start + job.payload


def _flights(jobs: Sequence[Job]) -> list[_Flight]:
    """Between each two parties and each way, jobs in their order, in bounded flights; all ways fly side by side."""
    ways: dict[tuple[int, int], _Way] = {}
    for number, job in enumerate(jobs):
        if job.elements and job.length:
            ways.setdefault((job.sender, job.receiver), _Way()).board(number, job)
    sides = [way.flights for way in ways.values()]
    return [[part for flight in side for part in flight] for side in zip_longest(*sides, fillvalue=[])]


@dataclass
class _Way:
    """The flights from one party to another; `words` and `pads`: the room that is left in the last one."""

    flights: list[_Flight] = field(default_factory=list)
    words: int = 0
    pads: int = 0

    def board(self, number: int, job: Job) -> None:
        start = 0
        while start < job.elements:
            room = min(self.words, self.pads // (BITS * job.length)) * job.step
            if room <= 0:
                self.flights.append([])
                self.words, self.pads = _FLIGHT_WORDS, _FLIGHT_PADS
                room = max(job.step, min(self.words, self.pads // (BITS * job.length)) * job.step)
            part = job.part(start, min(start + room, job.elements))
            self.flights[-1].append((number, part))
            self.words -= part.words
            self.pads -= BITS * part.words * part.length
            start += part.elements


def _between(flight: _Flight, sender: int, receiver: int) -> _Flight:
    return [(number, job) for number, job in flight if (job.sender, job.receiver) == (sender, receiver)]


def _known(values: RingArray | None) -> RingArray:
    if values is None:
        raise ValueError("a sender has x, a receiver has y")
    return values
