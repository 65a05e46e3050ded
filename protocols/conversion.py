"""Arithmetic shares to bits, bits to arithmetic shares, and the sign.

[EGKRS20] D. Escudero, S. Ghosh, M. Keller, R. Rachuri, P. Scholl, "Improved Primitives for MPC over Mixed
Arithmetic-Binary Circuits", CRYPTO 2020, with the mask's digits as tables (`digits`) instead of its bits;
[RW19] D. Rotaru, T. Wood, "MArBled Circuits", INDOCRYPT 2019: random bits shared both ways (daBits).

to_bits, negative: open C = x + r; x = C - r, of which digit i is (Cᵢ - rᵢ - βᵢ) mod 16 with the borrow βᵢ from below:
           what it is for βᵢ = 0 and for βᵢ = 1 is looked up. The sign takes one borrow, all bits take sixteen.
           All this holds mod 2^b for the lowest b bits: for |x| < 2^(b-1) the sign is bit b - 1, and digits above
           are not needed.
from_bits: open o = b ⊕ s under daBits ([s], ⟨s⟩); ⟨b⟩ = o + (1 - 2o)⟨s⟩, local.

All opened values are uniform, since r and s are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, cast

import numpy as np

from protocols.bits import Octets, from_octets, from_planes, planes, unpack
from protocols.card import card
from protocols.comparison import borrow, borrows, conjoin
from protocols.digits import DIGIT_BITS, RADIX, Chosen, DigitMasks, chosen, digits_of, look_up, look_up_one, words_of
from protocols.opening import open_masked
from protocols.party import Correlation, Part, Party, Secret
from protocols.ring import BITS, RingArray, Shape, size
from protocols.shares import BitShare, Share

BELOW = chosen(lambda c, j: c < j)
EQUAL = chosen(lambda c, j: c == j)
# The top bit of c - j, and whether a borrow turns it
_TOP = chosen(lambda c, j: (c - j) % RADIX >= RADIX // 2)
_TURNED = chosen(lambda c, j: (c - j) % (RADIX // 2) == 0)
# Each bit of c - j, and whether a borrow turns it
_PLAIN = [chosen(lambda c, j, bit=bit: bool(c - j >> bit & 1)) for bit in range(DIGIT_BITS)]  # type: ignore[misc]
_FLIPS = [chosen(lambda c, j, bit=bit: bool((c - j ^ c - j - 1) >> bit & 1)) for bit in range(DIGIT_BITS)]  # type: ignore[misc]


class DaBit(NamedTuple):
    """[s], and ⟨sᵢ⟩ of its bits i along a last axis."""

    bits: BitShare
    arithmetic: Share


@dataclass(frozen=True)
class DaBits(Correlation[DaBit]):
    """Random words, and their lowest `bits` bits as arithmetic shares, one word for each element of `shape`."""

    shape: Shape
    bits: int

    def drawn(self) -> Sequence[Secret]:
        return (Secret(self.shape, BitShare),)

    def derived(self) -> Sequence[Secret]:
        return (Secret((*self.shape, self.bits)),)

    def compute(self, *drawn: RingArray) -> Sequence[RingArray]:
        return (unpack(drawn[0], self.bits),)

    def assemble(self, *parts: Part) -> DaBit:
        return DaBit(*cast("tuple[BitShare, Share]", parts))


@card("EGKRS20", adversary="semi-honest, all but one", rounds=6, elements=216, per="64 elements")
def to_bits(party: Party, x: Share) -> BitShare:
    """[x] from ⟨x⟩: the 64 bits of every element, one word each. Takes digit masks of x's shape and bit triples."""
    c, table = open_digits(party, x, digits_of(BITS))

    def rows(*entries: Chosen) -> Octets:
        return np.stack([planes(np.ascontiguousarray(look_up(table, c, one).T)) for one in entries])

    below, equal = rows(BELOW, EQUAL)
    carried = borrows(party, below[:-1], equal[:-1])
    turned = conjoin(party, carried, rows(*_FLIPS)[:, 1:])
    bits = rows(*_PLAIN)  # bit of a digit, digit, elements
    bits[:, 1:] ^= turned
    each = from_planes(bits.transpose(1, 0, 2).reshape(BITS, -1), c.size)
    words = from_octets(planes(np.ascontiguousarray(each.T)))
    return BitShare(party.rank, words.reshape(x.shape))


@card("RW19", adversary="semi-honest, all but one", rounds=1, elements=1)
def from_bits(party: Party, x: BitShare, bits: int = BITS) -> Share:
    """⟨xᵢ⟩ of the lowest `bits` bits of [x], along a new last axis.

    The higher bits of x must be zero or of no interest; they stay hidden. Takes daBits of x's shape.
    """
    order = party.order(DaBits(x.shape, bits))
    (opened,) = open_masked(party, x ^ cast("BitShare", order.drawn[0]))
    o = unpack(opened, bits)
    return order.complete().arithmetic * (np.uint64(1) - (o + o)) + o


@card("EGKRS20", adversary="semi-honest, all but one", rounds=6, elements=109, per="64 elements")
def negative(party: Party, x: Share, bits: int = BITS) -> Share:
    """⟨1⟩ where x < 0 and ⟨0⟩ elsewhere, x read as a signed integer. Exact; x's shape.

    Of the top digit of C - r only the top bit counts, which is looked up as if it were a comparison: what it is without
    a borrow in place of lt, and whether a borrow turns it in place of eq. Takes digit masks of x's shape, bit triples,
    and a word of daBits for 64 elements.

    `bits`: |x| < 2^(bits-1); else the result is a bit that says nothing. Of 16 bits for 64, of every value a dealer
    sends 8 bytes of digits for 32 and 5 bit triples for 29, and 4 rounds are enough for 6; of 32 bits, 16 bytes, 13 and
    5. Raises ValueError for no `bits` and for more than 64.
    """
    digits = digits_of(bits)
    c, table = open_digits(party, x, digits)
    return numbers(party, signs(party, c, table, digits), x.shape)


def open_digits(party: Party, x: Share, digits: int) -> tuple[RingArray, BitShare]:
    """C = x + r in the clear, of one axis, and the table of r's lowest digits, elements × words."""
    order = party.order(DigitMasks(x.shape, words_of(digits)))
    (opened,) = open_masked(party, x + cast("Share", order.drawn[0]))
    table = order.complete().table
    return opened.reshape(-1), BitShare(table.rank, table.values.reshape(-1, table.shape[-1]))


def signs(party: Party, c: RingArray, table: BitShare, digits: int) -> Octets:
    """[C - r < 0], one row, of the lowest `digits` digits of C - r and of any C that is public; see `look_up`."""
    below, equal = (in_rows(look_up(table, c, entries), digits) for entries in (BELOW, EQUAL))
    for row, entries in ((below, _TOP), (equal, _TURNED)):
        row[-1] = look_up_one(table, c, entries, digits - 1).reshape(-1)
    return borrow(party, planes(below), planes(equal))


def in_rows(found: Octets, digits: int) -> Octets:
    """The lowest digits of what was looked up, a row each."""
    return found.reshape(-1, found.shape[-1]).T[:digits].copy()


def numbers(party: Party, row: Octets, shape: Shape) -> Share:
    """⟨bᵢ⟩ of `shape` from the bits [bᵢ] of one row."""
    each = from_bits(party, BitShare(party.rank, from_octets(row)))
    return Share(party.rank, each.values.reshape(-1)[: size(shape)].reshape(shape))
