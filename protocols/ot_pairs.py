"""The extensions of oblivious transfer between this party and every peer, and how they are set up.

Between each two parties there are two extensions (`ot_roy22`), one a direction, from their own base transfers
(`ot_co15`) by trees (`ot_ggm86`): three rounds. Every hash is bound to the run, the pair, the direction (by the key)
and the transfer's number (by the tweak).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from protocols import ot_co15, ot_ggm86, ring
from protocols.crhash_gkwy20 import Hash
from protocols.errors import MessageError
from protocols.ot_roy22 import NIBBLES, Receiver, Sender
from protocols.party import Peers, Stream
from protocols.prg import KEY_BYTES, Prg, derive
from protocols.ring import BITS, RingArray, Shape


class Step(NamedTuple):
    """A round: how many words go from one party to another."""

    name: str
    words: Mapping[tuple[int, int], int]


@dataclass
class Chosen:
    """The receiver's side of a flight: `message` goes to the sender."""

    message: RingArray = field(repr=False)
    blocks: RingArray = field(repr=False)
    hash: Hash
    first: int

    def pads(self, start: int, stop: int, length: int) -> RingArray:
        """h of the words from start to stop: 64 × words × length."""
        return _pads(self.hash, self.blocks[:, start:stop], self.first + BITS * start, length)


@dataclass
class Offered:
    """The sender's side of a flight."""

    blocks: RingArray = field(repr=False)
    delta: RingArray = field(repr=False)
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


def setup_of(count: int) -> Iterator[Step]:
    """What `connect` sends, round by round."""
    ordered = [(one, two) for one in range(count) for two in range(count) if one != two]
    for words in (_POINT, _BASE * _POINT, _BASE * 2 * _SEED):
        yield Step("setup", dict.fromkeys(ordered, words))


def _pads(hash_: Hash, blocks: RingArray, first: int, length: int) -> RingArray:
    """64 × words × length. Transfers are numbered along words first, as blocks are."""
    rows, words, _ = blocks.shape
    return hash_.pads(blocks.reshape(-1, 2), first, length).reshape(rows, words, length)
