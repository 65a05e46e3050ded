"""Rescaling: ⟨x / 2^f⟩ from ⟨x⟩, with an error of at most one unit in the last place.

[EGKRS20] D. Escudero, S. Ghosh, M. Keller, R. Rachuri, P. Scholl, "Improved Primitives for MPC over Mixed
Arithmetic-Binary Circuits", CRYPTO 2020, section 5.1 (probabilistic truncation with an opened mask).

Correlation: r uniform in [0, 2^64); ⟨r⟩, ⟨t⟩ with t the top bit of r, ⟨q⟩ with q = (r mod 2^63) >> f.

    open  x + r                          uniform, since r is;  C = x + r + 2^62
    ⟨b⟩ = C₆₃ + ⟨t⟩ - 2 C₆₃ ⟨t⟩         C₆₃ the top bit of C: b tells whether x + 2^62 + (r mod 2^63) reached 2^63
    ⟨y⟩ = ((C mod 2^63) >> f) - ⟨q⟩ + 2^(63-f) ⟨b⟩ - 2^(62-f) = (C >> f) - ⟨q⟩ + 2^(63-f) (1 - 2 C₆₃) ⟨t⟩ - 2^(62-f)

Functionality realised: for |x| < 2^62, a uniform γ in [0, 2^f) is shown to all parties, and they hold a fresh
sharing of y = ⌊x / 2^f⌋ + e with e = 1 if γ < x mod 2^f and else 0. So e = 1 with probability (x mod 2^f) / 2^f:
rounding that is right on average and never off by more. γ is C mod 2^f; it says nothing of x, but who learns y and
γ knows on which side of γ the dropped bits of x are: about as much as y rounded down would tell. (That the coin is
seen is what distinguishes this from rounding by a secret coin, which the protocol does not realise.) For
|x| >= 2^62 the result is meaningless: the bound is the caller's to keep.

The well-known local truncation of two parties' shares is not used: it is wrong by 2^(64-f) with probability
|x| / 2^63, and for three parties in a quarter of all cases.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple, cast

import numpy as np

from protocols import ring
from protocols.card import card
from protocols.opening import open_masked
from protocols.party import Correlation, Part, Party, Secret
from protocols.ring import RingArray, Shape
from protocols.shares import Share

_OFFSET = np.uint64(1 << 62)
_LOW = np.uint64((1 << 63) - 1)
_TOP = np.uint64(63)


class Mask(NamedTuple):
    """⟨r⟩, its top bit ⟨t⟩, and ⟨q⟩ = ⟨(r mod 2^63) >> f⟩."""

    r: Share
    top: Share
    quotient: Share


@dataclass(frozen=True)
class TruncationMask(Correlation[Mask]):
    """One mask for the truncation of an array of `shape` by `bits`."""

    shape: Shape
    bits: int

    def drawn(self) -> Sequence[Secret]:
        return (Secret(self.shape),)

    def derived(self) -> Sequence[Secret]:
        return Secret(self.shape), Secret(self.shape)

    def compute(self, *drawn: RingArray) -> Sequence[RingArray]:
        (r,) = drawn
        return r >> _TOP, (r & _LOW) >> np.uint64(self.bits)

    def assemble(self, *parts: Part) -> Mask:
        return Mask(*cast("tuple[Share, Share, Share]", parts))


@card("EGKRS20", adversary="semi-honest, all but one", rounds=1, elements=1)
def truncate(party: Party, x: Share, bits: int) -> Share:
    """⟨y⟩ with y = x / 2^bits rounded down or up, for |x| < 2^62 and 0 < bits < 62.

    x and y: one shape. Takes one truncation mask. Raises ValueError for other `bits`.
    """
    return truncate_each(party, (x, bits))[0]


def truncate_each(party: Party, *operands: tuple[Share, int]) -> list[Share]:
    """`truncate` of several arrays, each by its own number of bits, in one round."""
    check_bits([bits for _, bits in operands])
    orders = [party.order(TruncationMask(x.shape, bits)) for x, bits in operands]
    opened = open_masked(
        party, *(Share(x.rank, x.values + one.draws[0]) for (x, _), one in zip(operands, orders, strict=True))
    )
    return [
        finish(c, one.parts()[1:], bits, one.rank) for c, one, (_, bits) in zip(opened, orders, operands, strict=True)
    ]


def finish(opened: RingArray, derived: Sequence[RingArray], bits: int, rank: int) -> Share:
    """⟨y⟩ of x + r, which was opened: C = x + r + 2^62, (C >> f) - ⟨q⟩ + 2^(63-f) (1 - 2 C₆₃) ⟨t⟩ - 2^(62-f)."""
    top, quotient = derived
    result = np.empty(opened.shape, np.uint64)
    for piece in ring.pieces(opened.shape):
        c, y = opened[piece] + _OFFSET, result[piece]
        np.right_shift(c.view(np.int64), 63, out=y.view(np.int64))  # -C₆₃
        y |= np.uint64(1)
        y <<= np.uint64(63 - bits)
        y *= top[piece]
        y -= quotient[piece]
        if rank == 0:
            c >>= np.uint64(bits)
            y += c
            y -= np.uint64(1 << 62 - bits)
    return Share(rank, result)


def check_bits(all_bits: Collection[int]) -> None:
    """Raises ValueError unless each may be truncated."""
    if not all(0 < bits < 62 for bits in all_bits):
        raise ValueError(f"truncation by {list(all_bits)} bits: 1 to 61 is possible")
