"""Softmax, eˣ / Σ eˣ along an axis, and the largest value by a tournament.

[KVH+21] B. Knott, S. Venkataraman, A. Hannun, S. Sengupta, M. Ibrahim, L. van der Maaten, "CrypTen: Secure Multi-Party
Computation Meets Machine Learning", NeurIPS 2021, subtracts the largest value first. Here that is done only where the
public range is wide: the result is the same whatever is subtracted, and up to 6 between the ends e^(x - high) has
digits enough.
"""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction

from protocols.beaver import multiply
from protocols.card import card
from protocols.conversion import negative
from protocols.division import reciprocal_to
from protocols.exponential import scaled_exp
from protocols.party import Party
from protocols.piecewise import EXACT
from protocols.rescaling import multiply_rescaled
from protocols.shares import Share, concatenate

_SHORT = 22  # fraction bits of a result up to which one pass of the reciprocal is enough
_WIDE = 6  # between the ends of a range, beyond which the largest value is subtracted; 1 for more fraction bits
_INSIDE = 30  # fraction bits
_ERROR = 4  # units of an exponential
_MOST = 64


@card("KVH+21", adversary="semi-honest, all but one", rounds=14, elements=62, per="row of 4")
def softmax(party: Party, x: Share, bits: int, low: int, high: int) -> Share:
    """⟨exp xᵢ / Σⱼ exp xⱼ⟩ along the last axis for low <= x <= high; x and the result have `bits` fraction bits.

    Error: see `error`. 14 rounds if high - low <= 2, 23 up to 6. Beyond 6 (f > 22: beyond 1) the largest of k values is
    found first, in 7 ⌈log₂ k⌉ rounds, and 16 more. Raises ValueError for more than 30 fraction bits, or no values.
    """
    count = x.shape[-1]
    if not 0 < bits <= _INSIDE or low > high or not 0 < count < 1 << bits:
        raise ValueError(f"softmax of {count} values from {low} to {high} with {bits} fraction bits")
    wide = high - low > (_WIDE if bits <= _SHORT else 1) << bits
    below = x - largest(party, x).reshape(*x.shape[:-1], 1).broadcast_to(x.shape) if wide else x - high
    each = scaled_exp(party, below, bits, low - high, 0, _INSIDE)
    least = (1 << _INSIDE) if wide else count * _least(high - low, bits)
    ends = least - count * _ERROR, count * ((1 << _INSIDE) + _ERROR)
    inverse = reciprocal_to(party, each.sum(axis=-1), _INSIDE, *ends, _MOST if bits <= _SHORT else 0)
    spread = inverse.reshape(*x.shape[:-1], 1).broadcast_to(x.shape)
    return multiply_rescaled(party, each, spread, 2 * _INSIDE - bits)


def error(count: int, bits: int) -> Fraction:
    """The bound on the error of `softmax` of k values, in units: one, and what those are off that it is made of.

    pᵢ = eᵢ / S, with S >= e^-s k for eᵢ between e^-s and 1, or S >= 1 if the largest is 1. eᵢ is within 1.6 units of
    2^-30, so pᵢ is within 1.6 (1 + k pᵢ) / S of them: at most 1.6 e^s, which is 650 for s = 6 and 5 for s = 1, or
    1.6 (1 + k). The inverse adds 12 units of them where one pass is enough, else 1.8.
    """
    return 1 + (Fraction(8, 5) * count + (700 if bits <= _SHORT else 10)) * Fraction(2) ** (bits - _INSIDE)


@card("KVH+21", adversary="semi-honest, all but one", rounds=14, elements=711, per="64 rows of 4")
def largest(party: Party, x: Share) -> Share:
    """⟨max xᵢ⟩ along the last axis, if no two differ by 2^63 or more. 7 rounds for each halving."""
    while x.shape[-1] > 1:
        half = x.shape[-1] // 2
        left, right = x[..., :half], x[..., half : 2 * half]
        difference = right - left
        larger = left + multiply(party, 1 - negative(party, difference), difference)
        x = concatenate([larger, x[..., 2 * half :]], axis=-1)
    return x


def _least(span: int, bits: int) -> int:
    """exp(-span), rounded down."""
    with localcontext(EXACT):
        return int((Decimal(-span) / (1 << bits)).exp() * (1 << _INSIDE))
