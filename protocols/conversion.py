"""Arithmetic shares to bits, and bits to arithmetic shares.

[EGKRS20] D. Escudero, S. Ghosh, M. Keller, R. Rachuri, P. Scholl, "Improved Primitives for MPC over Mixed
Arithmetic-Binary Circuits", CRYPTO 2020: a random word shared both ways (edaBit) for the one direction;
[RW19] D. Rotaru, T. Wood, "MArBled Circuits", INDOCRYPT 2019: random bits shared both ways (daBits) for the other.

to_bits:   open C = x + r under an edaBit (⟨r⟩, [r]); [x] = [C - r] by a carry network.
negative:  the same opening, of which only the top bit of C - r is computed, by `comparison`.
from_bits: open o = b ⊕ s under daBits ([s], ⟨s⟩); ⟨b⟩ = o + (1 - 2o)⟨s⟩, local.

All opened values are uniform, since r and s are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, cast

import numpy as np

from protocols.binary import subtract_from_public
from protocols.card import card
from protocols.comparison import less_than
from protocols.opening import open_masked
from protocols.party import Part, Party, Secret
from protocols.ring import BITS, RingArray, Shape
from protocols.shares import BitShare, Share

_TOP = BITS - 1
_LOW = (1 << _TOP) - 1


class EdaBit(NamedTuple):
    """⟨r⟩ and [r]."""

    arithmetic: Share
    bits: BitShare


@dataclass(frozen=True)
class EdaBits:
    """Random words shared both ways, one for each element of `shape`."""

    shape: Shape

    def drawn(self) -> Sequence[Secret]:
        return (Secret(self.shape),)

    def derived(self) -> Sequence[Secret]:
        return (Secret(self.shape, BitShare),)

    def compute(self, *drawn: RingArray) -> Sequence[RingArray]:
        return (drawn[0],)

    def assemble(self, *parts: Part) -> EdaBit:
        return EdaBit(*cast("tuple[Share, BitShare]", parts))


class DaBit(NamedTuple):
    """[s], and ⟨sᵢ⟩ of its bits i along a last axis."""

    bits: BitShare
    arithmetic: Share


@dataclass(frozen=True)
class DaBits:
    """Random words, and their lowest `bits` bits as arithmetic shares, one word for each element of `shape`."""

    shape: Shape
    bits: int

    def drawn(self) -> Sequence[Secret]:
        return (Secret(self.shape, BitShare),)

    def derived(self) -> Sequence[Secret]:
        return (Secret((*self.shape, self.bits)),)

    def compute(self, *drawn: RingArray) -> Sequence[RingArray]:
        return (_bits_of(drawn[0], self.bits),)

    def assemble(self, *parts: Part) -> DaBit:
        return DaBit(*cast("tuple[BitShare, Share]", parts))


@card("EGKRS20", adversary="semi-honest, all but one", rounds=7, elements=23)
def to_bits(party: Party, x: Share) -> BitShare:
    """[x] from ⟨x⟩: the 64 bits of every element, one word each. Takes edaBits of x's shape."""
    mask = party.take(EdaBits(x.shape))
    (c,) = open_masked(party, x + mask.arithmetic)
    return subtract_from_public(party, c, mask.bits)


@card("RW19", adversary="semi-honest, all but one", rounds=1, elements=1)
def from_bits(party: Party, x: BitShare, bits: int = BITS) -> Share:
    """⟨xᵢ⟩ of the lowest `bits` bits of [x], along a new last axis.

    The higher bits of x must be zero or of no interest; they stay hidden. Takes daBits of x's shape.
    """
    mask = party.take(DaBits(x.shape, bits))
    (opened,) = open_masked(party, x ^ mask.bits)
    o = _bits_of(opened, bits)
    return mask.arithmetic * (np.uint64(1) - (o + o)) + o


@card("EGKRS20", adversary="semi-honest, all but one", rounds=8, elements=190, per="32 elements")
def negative(party: Party, x: Share) -> Share:
    """⟨1⟩ where x < 0 and ⟨0⟩ elsewhere, x read as a signed 64-bit integer. Exact; x's shape.

    With C = x + r opened, x = C - r has the top bit C₆₃ ⊕ r₆₃ ⊕ [C mod 2^63 < r mod 2^63]. Takes edaBits and daBits of
    x's shape, and what `less_than` takes.
    """
    mask = party.take(EdaBits(x.shape))
    (c,) = open_masked(party, x + mask.arithmetic)
    borrow = less_than(party, c & np.uint64(_LOW), mask.bits & _LOW)
    sign = from_bits(party, borrow ^ (mask.bits >> _TOP) ^ (c >> np.uint64(_TOP)), bits=1)
    return Share(sign.rank, sign.values[..., 0])


def _bits_of(words: RingArray, bits: int) -> RingArray:
    return (words[..., None] >> np.arange(bits, dtype=np.uint64)) & np.uint64(1)
