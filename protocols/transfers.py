"""Oblivious transfers between every two parties, in rounds: jobs, and the flights in which they are done.

A job is a product of one party's values with another's words, whose bits are the choices: 64 transfers a word, with
pads of one length; shares of the result are elements × columns. Jobs run in *flights*. A flight takes two rounds,
choices from receivers to senders and payloads back; the choices of the next flight are computed while payloads travel.
Flights are bounded, so that memory is, however much is asked for.

What is in a flight follows from the jobs' public sizes alone: `rounds_of` tells it without any data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from protocols import onehot
from protocols import products_gilboa99 as gilboa
from protocols.digits import TABLE_WORDS
from protocols.ot_pairs import Chosen, Pair, Step
from protocols.ot_roy22 import NIBBLES
from protocols.party import Peers, Received
from protocols.ring import BITS, RingArray

_FLIGHT_WORDS = 1 << 12  # words of choices (64 transfers each) from one party to another in one flight
_FLIGHT_PADS = 1 << 20  # ring elements of pads in a flight, for long messages


@dataclass(frozen=True, eq=False)
class Product:
    """xy of the sender's x (elements × length) and the receiver's y (elements). Others have no data."""

    sender: int
    receiver: int
    elements: int
    length: int = 1
    x: RingArray | None = field(default=None, repr=False)
    y: RingArray | None = field(default=None, repr=False)

    @property
    def columns(self) -> int:
        return self.length

    @property
    def payload(self) -> int:
        return gilboa.payload_words(self.elements * self.length)

    def offer(self, p: RingArray, q: RingArray) -> tuple[RingArray, RingArray]:
        return gilboa.offer(_known(self.x), p, q)

    def accept(self, h: RingArray, payload: RingArray) -> RingArray:
        return gilboa.accept(_known(self.y), h, payload)


@dataclass(frozen=True, eq=False)
class BitProducts:
    """xᵢyᵢ for the 64 bits yᵢ of the receiver's words (elements × 64), or their sum Σ 2^i xᵢyᵢ (elements × 1).

    x: elements × 64. With `digits` the sender also has one-hot digits (elements × 4 words), which the digits of y move;
    shares of these (elements × 4) stand behind the others.
    """

    sender: int
    receiver: int
    elements: int
    summed: bool = False
    digits: bool = False
    x: RingArray | None = field(default=None, repr=False)
    table: RingArray | None = field(default=None, repr=False)
    y: RingArray | None = field(default=None, repr=False)

    @property
    def length(self) -> int:
        return 2 if self.digits else 1

    @property
    def columns(self) -> int:
        return (1 if self.summed else BITS) + (TABLE_WORDS if self.digits else 0)

    @property
    def _numbers(self) -> int:
        """Words of the payload that are about numbers."""
        return gilboa.payload_words(self.elements) if self.summed else BITS * self.elements

    @property
    def payload(self) -> int:
        return self._numbers + (onehot.PAYLOAD_WORDS * self.elements if self.digits else 0)

    def offer(self, p: RingArray, q: RingArray) -> tuple[RingArray, RingArray]:
        x = _known(self.x).T
        if self.summed:
            payload, share = gilboa.offer(x[..., None], p[..., :1], q[..., :1])
        else:
            payload, each = gilboa.offer_each(x, p[..., 0], q[..., 0])
            share = each.T
        if not self.digits:
            return payload, share
        moves, table = onehot.offer(_known(self.table), p[..., 1], q[..., 1])
        return np.concatenate([payload, moves]), np.concatenate([share, table], axis=1)

    def accept(self, h: RingArray, payload: RingArray) -> RingArray:
        y, numbers = _known(self.y), payload[: self._numbers]
        share = gilboa.accept(y, h[..., :1], numbers) if self.summed else gilboa.accept_each(y, h[..., 0], numbers).T
        if not self.digits:
            return share
        table = onehot.accept(y, h[..., 1], payload[self._numbers :])
        return np.concatenate([share, table], axis=1)


@dataclass(frozen=True, eq=False)
class Conjunction(Product):
    """x ∧ y, the product of bits, shared by exclusive or, of the sender's words x and the receiver's y."""

    @property
    def payload(self) -> int:
        return self.elements * self.length

    def offer(self, p: RingArray, q: RingArray) -> tuple[RingArray, RingArray]:
        return gilboa.offer_bits(_known(self.x), p, q)

    def accept(self, h: RingArray, payload: RingArray) -> RingArray:
        return gilboa.accept_bits(_known(self.y), h, payload)


Job = Product | BitProducts


def rounds_of(jobs: Sequence[Job]) -> Iterator[Step]:
    """What running `jobs` sends, round by round."""
    for flight in _flights(jobs):
        choices: dict[tuple[int, int], int] = {}
        payloads: dict[tuple[int, int], int] = {}
        for _, job in flight:
            back, forth = (job.receiver, job.sender), (job.sender, job.receiver)
            choices[back] = choices.get(back, 0) + NIBBLES * job.elements
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
                chosen[peer] = self._pairs[peer].choose(np.concatenate([_known(job.y) for _, job in mine]))
        receive = {}
        for peer in self._pairs:
            if words := sum(job.elements for _, job in _between(flight, self.rank, peer)):
                receive[peer] = [(NIBBLES, words)]
        corrections = self._peers.post("ot choices", {p: [one.message] for p, one in chosen.items()}, receive)
        return _Started(chosen, corrections)

    def _offer(self, flight: _Flight, started: _Started, parts: list[list[RingArray]]) -> Callable[[], Received]:
        send = {}
        for peer, (corrections,) in started.corrections().items():
            offered, at, payloads = self._pairs[peer].offer(corrections), 0, []
            for number, job in _between(flight, self.rank, peer):
                payload, share = job.offer(*offered.pads(at, at + job.elements, job.length))
                payloads.append(payload)
                parts[number].append(share)
                at += job.elements
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
                parts[number].append(job.accept(chosen.pads(at, at + job.elements, job.length), payload))
                at, start = at + job.elements, start + job.payload


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
            room = min(self.words, self.pads // (BITS * job.length))
            if room <= 0:
                self.flights.append([])
                self.words, self.pads = _FLIGHT_WORDS, _FLIGHT_PADS
                room = max(1, min(self.words, self.pads // (BITS * job.length)))
            part = _part(job, start, min(start + room, job.elements))
            self.flights[-1].append((number, part))
            self.words -= part.elements
            self.pads -= BITS * part.elements * part.length
            start += part.elements


def _between(flight: _Flight, sender: int, receiver: int) -> _Flight:
    return [(number, job) for number, job in flight if (job.sender, job.receiver) == (sender, receiver)]


def _part(job: Job, start: int, stop: int) -> Job:
    """The same of some elements: arrays have them along their first axis."""
    changed: dict[str, Any] = {
        name: values[start:stop] for name, values in vars(job).items() if isinstance(values, np.ndarray)
    }
    return replace(job, elements=stop - start, **changed)


def _known(values: RingArray | None) -> RingArray:
    if values is None:
        raise ValueError("a sender has x, a receiver has y")
    return values
