"""Words shared by exclusive or: and, the leading one.

[GMW87] O. Goldreich, S. Micali, A. Wigderson, "How to Play any Mental Game", STOC 1987, with the triples of
[Bea91] D. Beaver, CRYPTO 1991, over GF(2), 64 to a word. A factor
of several products is masked and opened once. The prefix network is
[KS73] P. Kogge, H. Stone, "A Parallel Algorithm for the Efficient Solution of a General Class of Recurrence
Equations", IEEE Trans. Computers 22(8), 1973.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, cast

from protocols.card import card
from protocols.opening import open_masked
from protocols.party import Correlation, Part, Party, Secret
from protocols.ring import RingArray, Shape
from protocols.shares import BitShare

_SHIFTS = (1, 2, 4, 8, 16, 32)


class BitTriple(NamedTuple):
    """[a], [b] and [a ∧ b], bit by bit."""

    a: BitShare
    b: BitShare
    c: BitShare


@dataclass(frozen=True)
class WordTriple(Correlation[BitTriple]):
    """64 bit triples for each element of `shape`, with the same a for `factors` b along a first axis."""

    shape: Shape
    factors: int = 1

    def drawn(self) -> Sequence[Secret]:
        return Secret(self.shape, BitShare), Secret((self.factors, *self.shape), BitShare)

    def derived(self) -> Sequence[Secret]:
        return (Secret((self.factors, *self.shape), BitShare),)

    def compute(self, *drawn: RingArray) -> Sequence[RingArray]:
        a, b = drawn
        return (a & b,)

    def assemble(self, *parts: Part) -> BitTriple:
        return BitTriple(*cast("tuple[BitShare, BitShare, BitShare]", parts))


@card("GMW87", adversary="semi-honest, all but one", rounds=1, elements=2)
def conjunction(party: Party, x: BitShare, y: BitShare) -> BitShare:
    """[x ∧ y] from [x] and [y], bit by bit.

    y, result: x's shape, or several of it along a first axis: then x is opened once for all. Takes 64 bit triples for
    each word of y. Raises ValueError if the shapes differ.
    """
    if y.shape[-len(x.shape) :] != x.shape or len(y.shape) > len(x.shape) + 1:
        raise ValueError(f"shapes differ: {x.shape} and {y.shape}")
    factors = y.shape[0] if len(y.shape) > len(x.shape) else 1
    several = BitShare(y.rank, y.values.reshape(factors, *x.shape))
    order = party.order(WordTriple(x.shape, factors))
    a, b = cast("list[BitShare]", order.drawn)
    e, d = open_masked(party, x ^ a, several ^ b)
    _, _, c = order.complete()
    product = c ^ (b & e) ^ BitShare(a.rank, a.values & d) ^ (e & d)
    return BitShare(y.rank, product.values.reshape(y.shape))


@card("KS73", adversary="semi-honest, all but one", rounds=6, elements=12)
def leading_one(party: Party, x: BitShare) -> BitShare:
    """[y] with y the highest bit that is set in x, alone; 0 for x = 0."""
    for shift in _SHIFTS:
        shifted = x >> shift
        x = x ^ shifted ^ conjunction(party, x, shifted)
    return x ^ (x >> 1)
