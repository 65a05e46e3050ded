"""Words shared by exclusive or: and, subtraction from a public word, the leading one.

[GMW87] O. Goldreich, S. Micali, A. Wigderson, "How to Play any Mental Game", STOC 1987, with the triples of
[Bea91] D. Beaver, CRYPTO 1991, over GF(2), 64 to a word; the carry network is
[KS73] P. Kogge, H. Stone, "A Parallel Algorithm for the Efficient Solution of a General Class of Recurrence
Equations", IEEE Trans. Computers 22(8), 1973.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, cast

import numpy as np

from protocols.card import card
from protocols.opening import open_masked
from protocols.party import Part, Party, Secret
from protocols.ring import RingArray, Shape
from protocols.shares import BitShare

_SHIFTS = (1, 2, 4, 8, 16, 32)


class BitTriple(NamedTuple):
    """[a], [b] and [a ∧ b], bit by bit."""

    a: BitShare
    b: BitShare
    c: BitShare


@dataclass(frozen=True)
class WordTriple:
    """64 bit triples for each element of `shape`."""

    shape: Shape

    def drawn(self) -> Sequence[Secret]:
        return Secret(self.shape, BitShare), Secret(self.shape, BitShare)

    def derived(self) -> Sequence[Secret]:
        return (Secret(self.shape, BitShare),)

    def compute(self, *drawn: RingArray) -> Sequence[RingArray]:
        a, b = drawn
        return (a & b,)

    def assemble(self, *parts: Part) -> BitTriple:
        return BitTriple(*cast("tuple[BitShare, BitShare, BitShare]", parts))


@card("GMW87", adversary="semi-honest, all but one", rounds=1, elements=2)
def conjunction(party: Party, x: BitShare, y: BitShare) -> BitShare:
    """[x ∧ y] from [x] and [y], bit by bit.

    x, y, result: one shape. Takes 64 bit triples a word. Raises ValueError if the shapes differ.
    """
    if x.shape != y.shape:
        raise ValueError(f"shapes differ: {x.shape} and {y.shape}")
    a, b, c = party.take(WordTriple(x.shape))
    e, d = open_masked(party, x ^ a, y ^ b)
    return c ^ (b & e) ^ (a & d) ^ (e & d)


@card("KS73", adversary="semi-honest, all but one", rounds=6, elements=22)
def subtract_from_public(party: Party, c: RingArray, r: BitShare) -> BitShare:
    """[c - r mod 2^64] from a public c and [r].

    c - r = c + ¬r + 1. With p = c ⊕ ¬r and g = c ∧ ¬r (local), the carries are a prefix of the pairs (g, p)
    under (g, p) ∘ (g', p') = (g ⊕ p g', p p'); the incoming 1 is absorbed at bit 0.
    """
    r = ~r
    propagate, generate = r ^ c, r & c
    carry = generate ^ (propagate & 1)
    p = propagate & ~np.full(c.shape, 1, np.uint64)
    for shift in _SHIFTS:
        if shift == _SHIFTS[-1]:
            carry = carry ^ conjunction(party, p, carry << shift)
            break
        both = conjunction(party, _stack(p, p), _stack(carry << shift, p << shift))
        carry, p = carry ^ both[0], both[1]
    return propagate ^ (carry << 1) ^ 1


@card("KS73", adversary="semi-honest, all but one", rounds=6, elements=12)
def leading_one(party: Party, x: BitShare) -> BitShare:
    """[y] with y the highest bit that is set in x, alone; 0 for x = 0."""
    for shift in _SHIFTS:
        shifted = x >> shift
        x = x ^ shifted ^ conjunction(party, x, shifted)
    return x ^ (x >> 1)


def _stack(*shares: BitShare) -> BitShare:
    return BitShare(shares[0].rank, np.stack([share.values for share in shares]))
