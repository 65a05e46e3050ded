"""Oblivious transfers between every two parties, in rounds: set up once, then as many as are asked for.

Between each two parties there are two extensions (`ot_roy22`), one a direction, from their own base transfers
(`ot_co15`) by trees (`ot_ggm86`): three rounds. After that jobs run in *flights*. A flight takes two rounds, choices
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

from protocols import ot_co15, ot_ggm86, ring
from protocols import products_gilboa99 as gilboa
from protocols.bits import pack
from protocols.crhash_gkwy20 import Hash
from protocols.errors import MessageError
from protocols.ot_roy22 import NIBBLES, Receiver, Sender
from protocols.party import Peers, Received, Stream
from protocols.prg import KEY_BYTES, Prg, derive
from protocols.ring import BITS, RingArray, Shape

_FLIGHT_WORDS = 1 << 12  # words of choices (64 transfers each) from one party to another in one flight
_FLIGHT_PADS = 1 << 20  # ring elements of pads in a flight, for long messages
SETUP_ROUNDS = 3


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
        return y if self.bits == BITS else pack(y)

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


class Step(NamedTuple):
    """A round: how many words go from one party to another."""

    name: str
    words: Mapping[tuple[int, int], int]


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


def setup_of(count: int) -> Iterator[Step]:
    """What `connect` sends, round by round."""
    ordered = [(one, two) for one in range(count) for two in range(count) if one != two]
    for words in (_POINT, _BASE * _POINT, _BASE * 2 * _SEED):
        yield Step("setup", dict.fromkeys(ordered, words))


# Extensions between two parties


@dataclass
class Chosen:
    """The receiver's side of a flight: `message` goes to the sender."""

    message: RingArray
    blocks: RingArray
    hash: Hash
    first: int

    def pads(self, start: int, stop: int, length: int) -> RingArray:
        """h of the words from start to stop: 64 × words × length."""
        return _pads(self.hash, self.blocks[:, start:stop], self.first + BITS * start, length)


@dataclass
class Offered:
    """The sender's side of a flight."""

    blocks: RingArray
    delta: RingArray
    hash: Hash
    first: int

    def pads(self, start: int, stop: int, length: int) -> tuple[RingArray, RingArray]:
        """p and q of the words from start to stop: 64 × words × length."""
        blocks, first = self.blocks[:, start:stop], self.first + BITS * start
        return _pads(self.hash, blocks, first, length), _pads(self.hash, blocks ^ self.delta, first, length)


@dataclass
class Pair:
    """This party's two extensions with one peer."""

    receiver: Receiver
    sender: Sender
    hashes: tuple[Hash, Hash]  # as receiver, as sender
    counts: list[int] = field(default_factory=lambda: [0, 0])  # transfers so far, as receiver and as sender

    def choose(self, choices: RingArray) -> Chosen:
        return Chosen(*self.receiver.choose(choices), self.hashes[0], self._next(0, choices.size))

    def offer(self, corrections: RingArray) -> Offered:
        first = self._next(1, corrections.shape[1])
        return Offered(self.sender.accept(corrections), self.sender.delta, self.hashes[1], first)

    def _next(self, side: int, words: int) -> int:
        first = self.counts[side]
        self.counts[side] += BITS * words
        return first


def connect(peers: Peers, context: bytes, own: Stream) -> dict[int, Pair]:
    """Base transfers and trees with every peer. `context`: bytes of this run, the same at all and in no other run.

    `own`: a stream that nobody else holds. Raises MessageError for a point that is none.
    """
    others = [peer for peer in range(peers.count) if peer != peers.rank]
    offers = {peer: ot_co15.Offer(_bound(context, peers.rank, peer), own) for peer in others}
    points = _round(peers, {peer: [_words(offers[peer].point)] for peer in others}, [(_POINT,)])
    missing = {peer: [int(v) & 15 for v in own.ring((NIBBLES,))] for peer in others}
    chosen = {peer: _respond(context, peers, peer, points[peer][0], missing[peer], own) for peer in others}
    responses = _round(peers, {peer: [chosen[peer][0]] for peer in others}, [(_BASE, _POINT)])
    planted = {peer: _plant(peer, offers[peer], responses[peer][0], own) for peer in others}
    sums = _round(peers, {peer: [planted[peer][1]] for peer in others}, [(_BASE, 2, _SEED)])
    return {
        peer: Pair(
            Receiver(planted[peer][0]),
            Sender(missing[peer], _harvest(missing[peer], chosen[peer][1], sums[peer][0])),
            (_hash(context, peers.rank, peer), _hash(context, peer, peers.rank)),
        )
        for peer in others
    }


_POINT = ot_co15.POINT_BYTES // ring.BYTES
_SEED = 32 // ring.BYTES
_BASE = NIBBLES * ot_ggm86.DEPTH


def _round(
    peers: Peers, send: Mapping[int, Sequence[RingArray]], shapes: Sequence[Shape]
) -> Mapping[int, list[RingArray]]:
    return peers.post("ot setup", send, dict.fromkeys(send, shapes))()


def _bound(context: bytes, planter: int, picker: int) -> bytes:
    return context + planter.to_bytes(4, "big") + picker.to_bytes(4, "big")


def _hash(context: bytes, receiver: int, sender: int) -> Hash:
    return Hash(derive(bytes(32), "ot hash", _bound(context, receiver, sender))[:KEY_BYTES])


def _respond(
    context: bytes, peers: Peers, peer: int, point: RingArray, missing: Sequence[int], own: Stream
) -> tuple[RingArray, list[bytes]]:
    choices = [side for nibble in missing for side in ot_ggm86.sides(nibble)]
    try:
        responses, keys = ot_co15.choose(_bound(context, peer, peers.rank), ring.to_bytes(point), choices, own)
    except ValueError as error:
        raise MessageError(f"party {peer} sent a base transfer that is {error}", frozenset({peer})) from None
    return _words(b"".join(responses)).reshape(_BASE, _POINT), keys


def _plant(peer: int, offer: ot_co15.Offer, responses: RingArray, own: Stream) -> tuple[list[list[Prg]], RingArray]:
    """Streams of 32 fresh trees, and their sums under the keys of the base transfers."""
    try:
        keys = offer.keys([ring.to_bytes(response) for response in responses])
    except ValueError as error:
        raise MessageError(f"party {peer} sent a base transfer that is {error}", frozenset({peer})) from None
    leaves, sums = [], []
    for _ in range(NIBBLES):
        seeds, totals = ot_ggm86.grow(ring.to_bytes(own.ring((_SEED,))))
        leaves.append([Prg(seed) for seed in seeds])
        sums += totals
    plain = np.stack([np.stack([_words(side) for side in both]) for both in sums])
    return leaves, plain ^ np.stack([np.stack([_words(key) for key in both]) for both in keys])


def _harvest(missing: Sequence[int], keys: Sequence[bytes], sealed: RingArray) -> list[list[Prg | None]]:
    sides = [side for nibble in missing for side in ot_ggm86.sides(nibble)]
    opened = [ring.to_bytes(both[side] ^ _words(key)) for both, side, key in zip(sealed, sides, keys, strict=True)]
    depth = ot_ggm86.DEPTH
    trees = [ot_ggm86.pick(nibble, opened[depth * i : depth * (i + 1)]) for i, nibble in enumerate(missing)]
    return [[None if seed is None else Prg(seed) for seed in tree] for tree in trees]


def _words(data: bytes) -> RingArray:
    return ring.from_bytes(data, (len(data) // ring.BYTES,))


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
    ways: dict[tuple[int, int], list[_Flight]] = {}
    for number, job in enumerate(jobs):
        if job.elements and job.length:
            _board(ways.setdefault((job.sender, job.receiver), []), number, job)
    return [[part for flight in side for part in flight] for side in zip_longest(*ways.values(), fillvalue=[])]


def _board(flights: list[_Flight], number: int, job: Job) -> None:
    start = 0
    while start < job.elements:
        room = _room(flights[-1], job) if flights else 0
        if not room:
            flights.append([])
            room = max(_room([], job), job.step)
        stop = min(start + room, job.elements)
        flights[-1].append((number, job.part(start, stop)))
        start = stop


def _room(flight: _Flight, job: Job) -> int:
    """How many elements of `job` a flight can still take."""
    words = _FLIGHT_WORDS - sum(part.words for _, part in flight)
    pads = _FLIGHT_PADS - sum(BITS * part.words * part.length for _, part in flight)
    return max(0, min(words, pads // (BITS * job.length))) * job.step


def _between(flight: _Flight, sender: int, receiver: int) -> _Flight:
    return [(number, job) for number, job in flight if (job.sender, job.receiver) == (sender, receiver)]


def _pads(hash_: Hash, blocks: RingArray, first: int, length: int) -> RingArray:
    """64 × words × length. Transfers are numbered along words first, as blocks are."""
    rows, words, _ = blocks.shape
    return hash_.pads(blocks.reshape(-1, 2), first, length).reshape(rows, words, length)


def _known(values: RingArray | None) -> RingArray:
    if values is None:
        raise ValueError("a sender has x, a receiver has y")
    return values
