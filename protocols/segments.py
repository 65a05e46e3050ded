"""In which of 2^s equal segments of a public range a secret lies, give or take one: a round, and no comparison.

Own composition, not peer-reviewed. That a public x + r and a one-hot r are a one-hot x is the table of [IKMOP13]
Y. Ishai, E. Kushilevitz, S. Meldgaard, C. Orlandi, A. Paskin-Cherniavsky, "On the Power of Correlated Randomness in
Secure Computation", TCC 2013; that nobody needs the borrow from the digits below if pieces may overlap is ours.

    correlation  r uniform in [0, 2^64);  ⟨[ρ = j]⟩ for its top s bits ρ and all j
    open         C = k (x - low) + r       uniform, since r is; k public, so that the range nearly fills the ring
    segment      i = γ - ρ mod 2^s         with the top s bits γ of C: ⟨[i = j]⟩ is ⟨[ρ = γ - j]⟩, local

The top s bits of k (x - low) are i or, if those below and r's carry, i - 1. So x lies within a segment's width of the
lower edge of segment i, to its right or to its left: whoever approximates a function near x by a polynomial about that
edge makes it good for both, and any table of public numbers, one for each segment, is looked up by a sum.

Which of both it is depends on x and r. C alone is seen, a one-time pad, and i is not; but who later learns a result
that differs between both, by its rounding, learns which it was, and so on which side of C's lower bits those of x are:
as with the coin of `truncation`, about as much as one more digit of the result would tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, cast

import numpy as np
import numpy.typing as npt

from protocols import ring
from protocols.bits import Octets, from_octets, octets, planes
from protocols.card import card
from protocols.opening import open_masked
from protocols.party import Correlation, Part, Party, Secret
from protocols.ring import BITS, RingArray, Shape
from protocols.shares import Share

MOST = 8  # top bits that are one-hot
_PIECE = 1 << 15  # elements that stay in a core's cache
_DIGIT_BITS = 4


class SegmentMask(NamedTuple):
    """⟨r⟩, and ⟨[ρ = j]⟩ along a first axis."""

    r: Share
    segments: Share


@dataclass(frozen=True)
class SegmentMasks(Correlation[SegmentMask]):
    """Random words with their top `bits` bits one-hot, one for each element of `shape`."""

    shape: Shape
    bits: int

    def drawn(self) -> Sequence[Secret]:
        return (Secret(self.shape),)

    def derived(self) -> Sequence[Secret]:
        return (Secret((1 << self.bits, *self.shape)),)

    def compute(self, *drawn: RingArray) -> Sequence[RingArray]:
        places = np.arange(1 << self.bits, dtype=np.uint64).reshape(-1, *[1] * len(self.shape))
        return ((drawn[0] >> np.uint64(BITS - self.bits) == places).astype(np.uint64),)

    def assemble(self, *parts: Part) -> SegmentMask:
        return SegmentMask(*cast("tuple[Share, Share]", parts))


class Located(NamedTuple):
    """⟨[i = j]⟩ along a first axis, and ⟨x - eᵢ⟩ of the lower edges e; |x - eᵢ| <= `reach`."""

    segments: Share
    offset: Share
    edges: tuple[int, ...]
    reach: int

    def look_up(self, *tables: Sequence[int]) -> Share:
        """⟨tᵢ⟩ of each table of numbers, one for each segment, along a first axis; local."""
        return at_places(self.segments, tables)


def at_places(one_hot: Share, tables: Sequence[Sequence[int]]) -> Share:
    """⟨tᵢ⟩ of each table of integers along a first axis, for i as in ⟨[i = j]⟩, which is along one too; local."""
    looked_up: Share = elements(tables) @ one_hot
    return looked_up


def elements(tables: Sequence[Sequence[int]]) -> RingArray:
    """Integers of any size and sign as ring elements, a row for each table."""
    return np.array([[one % ring.MODULUS for one in table] for table in tables], np.uint64)


@card("own composition", adversary="semi-honest, all but one", rounds=1, elements=1)
def locate(party: Party, x: Share, low: int, high: int, bits: int) -> Located:
    """⟨[i = j]⟩ for 2^bits segments j that cover low <= x <= high, and ⟨x - eᵢ⟩, where x is next to edge eᵢ.

    x: one axis. Takes segment masks of its shape: a dealer sends 2^bits elements for each of x. Outside of its range x
    is taken for another value. Raises ValueError for other `bits` than 1 to 8, or a range that is empty or as wide as
    the ring.
    """
    if not 0 < bits <= MOST or not low <= high < low + ((1 << bits) - 1 << BITS - bits):
        raise ValueError(f"{1 << bits} segments from {low} to {high}")
    edges, factor = grid(low, high, bits)
    order = party.order(SegmentMasks(x.shape, bits))
    (opened,) = open_masked(party, (x - low) * factor + cast("Share", order.drawn[0]))
    segments = Share(x.rank, _turned(order.complete().segments.values, opened >> np.uint64(BITS - bits)))
    return Located(segments, x - at_places(segments, [edges])[0], edges, reach(low, high, bits))


def _turned(rows: RingArray, by: RingArray) -> RingArray:
    """Row γ - j in place of row j, with a public γ for each column. In pieces that stay in cache."""
    result = np.empty_like(rows)
    places = np.arange(len(rows))[:, None]
    step = max(1, _PIECE // len(rows))
    for at in range(0, rows.shape[1], step):
        piece = np.ascontiguousarray(rows[:, at : at + step])
        wanted = by[at : at + step].view(np.int64) - places & len(rows) - 1
        wanted *= piece.shape[1]
        wanted += np.arange(piece.shape[1])
        result[:, at : at + step] = piece.reshape(-1)[wanted]
    return result


def grid(low: int, high: int, bits: int) -> tuple[tuple[int, ...], int]:
    """The lower edges, rounded down, and the factor k.

    k (high - low) is below (2^bits - 1) 2^(64-bits), so that with a carry too the last segment is the highest.
    """
    unit = 1 << BITS - bits
    factor = ((1 << bits) - 1) * unit // (high - low + 1)
    return tuple(low + j * unit // factor for j in range(1 << bits)), factor


def reach(low: int, high: int, bits: int) -> int:
    """The width of a segment, and a unit since edges are rounded."""
    _, factor = grid(low, high, bits)
    return -(-(1 << BITS - bits) // factor) + 1


def factors(table: RingArray, bits: int) -> list[RingArray]:
    """Of tables of digits (elements × words): words whose conjunction has the bits [j = ρ], elements along rows j.

    The top digit alone for up to four bits, or its rows and those of the digit below, each as often as is needed.
    """
    lanes = octets(table.reshape(-1)).view("<u2").reshape(-1, BITS // _DIGIT_BITS)
    further = bits - _DIGIT_BITS
    if further <= 0:
        return [_packed(_rows(lanes[:, -1], bits))]
    upper, lower = _rows(lanes[:, -1], _DIGIT_BITS), _rows(lanes[:, -2], further)
    return [_packed(np.repeat(upper, 1 << further, axis=0)), _packed(np.tile(lower, (1 << _DIGIT_BITS, 1)))]


def _rows(lane: npt.NDArray[np.uint16], bits: int) -> Octets:
    """[j = the top `bits` bits of a digit], from its 16 bits."""
    each = lane >> np.arange(1 << _DIGIT_BITS, dtype=np.uint16)[:, None] & np.uint16(1)
    joined: Octets = np.bitwise_xor.reduce(each.reshape(1 << bits, -1, lane.size), axis=1).astype(np.uint8)
    return joined


def _packed(rows: Octets) -> RingArray:
    return from_octets(planes(rows.reshape(-1)))
