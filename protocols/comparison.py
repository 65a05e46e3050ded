"""Comparison of a public word with a shared one, by a tree.

[GSV07] J. Garay, B. Schoenmakers, J. Villegas, "Practical and Secure Solutions for Integer Comparison", PKC 2007,
section 3 (the logarithmic circuit). For two neighbouring digits or runs of digits, the higher one first,

    (lt, eq) ∘ (lt', eq') = (lt ⊕ eq ∧ lt', eq ∧ eq')

At the 64 leaves, the bits, lt = ¬cᵢ ∧ rᵢ and eq = ¬(cᵢ ⊕ rᵢ) need no message, as c is public. Bits are reordered so
that the higher ones of all pairs lie in the upper half of a word and the lower ones in the lower half, level by level.
The operands of a level, ever fewer, are packed 64 to a word: 126 bit triples a value.
"""

from __future__ import annotations

import numpy as np

from protocols.binary import conjunction
from protocols.bits import scatter
from protocols.card import card
from protocols.party import Party
from protocols.ring import BITS, RingArray
from protocols.shares import BitShare


@card("GSV07", adversary="semi-honest, all but one", rounds=6, elements=126, per="32 elements")
def less_than(party: Party, c: RingArray, r: BitShare) -> BitShare:
    """[1] where c < r and [0] elsewhere, a word each, for a public c and [r], words of 64 bits without sign.

    c, r, result: one shape. Takes 63 words of bit triples for 32 elements. Opens masked values only.
    """
    shape = r.shape
    c, r = scatter(c.reshape(-1)), BitShare(r.rank, scatter(r.values.reshape(-1)))
    below, equal, width = r & ~c, ~(r ^ c), BITS
    while width > 1:
        half, low = width // 2, (1 << width // 2) - 1
        upper = equal >> half
        left, right = upper ^ (upper << half), (below & low) ^ ((equal & low) << half)
        both = _unpack(conjunction(party, _pack(left, width), _pack(right, width)), width, c.size)
        below, equal, width = (below >> half) ^ (both & low), both >> half, half
    return BitShare(below.rank, below.values.reshape(shape))


def _pack(x: BitShare, width: int) -> BitShare:
    """Words of which the lowest `width` bits are used, several to a word."""
    several = BITS // width
    rows = np.zeros(-(-x.values.size // several) * several, np.uint64)
    rows[: x.values.size] = x.values
    return BitShare(x.rank, np.bitwise_or.reduce(rows.reshape(-1, several) << _places(width), axis=1))


def _unpack(x: BitShare, width: int, count: int) -> BitShare:
    used = np.uint64((1 << width) - 1)
    return BitShare(x.rank, ((x.values[:, None] >> _places(width)) & used).reshape(-1)[:count])


def _places(width: int) -> RingArray:
    return np.arange(0, BITS, width, dtype=np.uint64)
