"""Powers: with an integer exponent by squaring, with a real one by logarithm and exponential function.

[Knu97] D. Knuth, "The Art of Computer Programming", vol. 2, 3rd ed. 1997, section 4.6.3, binary powers from the right:
x², x⁴, ... and the product of those that count, side by side. [AS19] A. Aly, N. Smart, "Benchmarking Privacy Preserving
Scientific Operations", ACNS 2019, for xᵖ = exp(p log x).
"""

from __future__ import annotations

import math
from decimal import Decimal, localcontext

import numpy as np

from protocols import ring
from protocols.card import card
from protocols.division import reciprocal
from protocols.exponential import scaled_exp
from protocols.logarithm import scaled_log
from protocols.party import Party
from protocols.piecewise import EXACT
from protocols.rescaling import multiply_rescaled
from protocols.shares import Share, concatenate, public
from protocols.truncation import truncate

_FINE = 30
_WORD = 61  # bits of a product of two powers
_LOG_BITS = 28  # fraction bits of p log x


@card("Knu97", adversary="semi-honest, all but one", rounds=5, elements=6)
def power(party: Party, x: Share, exponent: int, bits: int, low: int, high: int) -> Share:
    """⟨xⁿ⟩ for an integer n and low <= x <= high in ring units; x and the result have `bits` fraction bits.

    With B the largest |x|ⁿ or 1, there are f' = (61 - log₂B) / 2 fraction bits inside, at most 30. Error: one unit, and
    (n - 1) max(1, |x|)^(n-2) units of 2^-f'. 2 rounds for each bit of n but the last, 2 more if n is no power of two,
    one if f' > f. For n < 0 a power of 1/x, with what `reciprocal` takes, and 2 |n| |x|^(n+1) units more. Raises
    ValueError if f' would be less than f: if B is 2^(62-2f) or more.
    """
    if exponent < 0:
        inverse = reciprocal(party, x, bits, low, high)
        ends = _inverted(bits, low, high)
        return power(party, inverse, -exponent, bits, *ends)
    if exponent < 2:
        return x if exponent else public(party.rank, np.full(x.shape, ring.element(1 << bits)))
    size = _size(max(abs(low), abs(high)), bits, exponent)
    fine = min(_FINE, (_WORD - size) // 2)
    if fine < bits:
        raise ValueError(f"a power of {size + bits} bits: at most {_WORD - bits} with {bits} fraction bits")
    result = _raised(party, x * (1 << fine - bits), exponent, fine)
    return truncate(party, result, fine - bits) if fine > bits else result


@card("AS19", adversary="semi-honest, all but one", rounds=12, elements=26)
def real_power(party: Party, x: Share, exponent: float, bits: int, low: int, high: int) -> Share:
    """⟨xᵖ⟩ for a public real p and low <= x <= high in ring units; x and the result have `bits` fraction bits.

    Error: at most 1.6 units, and 2^-26 + |p| 2^-30 of the result. For x = 0 the result is that of half a unit. Rounds
    of `log` and `exp` together. Raises ValueError if x may be negative, or if a result can have more than 61 bits.
    """
    if not np.isfinite(exponent):
        raise ValueError(f"the power {exponent}")
    with localcontext(EXACT):
        factor = Decimal(exponent)
        ends = [factor * ((Decimal(max(2 * one, 1)) / 2) / (1 << bits)).ln() for one in (low, high)]
        least, most = (int(end * (1 << _LOG_BITS)) for end in sorted(ends))
    y = scaled_log(party, x, bits, low, high, factor, _LOG_BITS)
    margin = 16 + math.ceil(abs(exponent))
    return scaled_exp(party, y, _LOG_BITS, least - margin, most + margin, bits)


def _raised(party: Party, x: Share, exponent: int, bits: int) -> Share:
    """xⁿ, all with the same fraction bits: `square` is x^(2^i), `product` what counts of those before."""
    square, product = x, None
    while exponent > 1:
        factors = [square] if product is None or not exponent & 1 else [square, product]
        stacked = concatenate([one.reshape(1, *one.shape) for one in factors])
        step = multiply_rescaled(party, stacked, stacked[:1].broadcast_to(stacked.shape), bits)
        if exponent & 1:
            product = square if product is None else step[1]
        square, exponent = step[0], exponent >> 1
    return square if product is None else multiply_rescaled(party, square, product, bits)


def _size(largest: int, bits: int, exponent: int) -> int:
    """log₂ of the largest power, rounded up, 0 if it is below 1."""
    most: int = largest**exponent
    return max(0, (most - 1).bit_length() - bits * exponent)


def _inverted(bits: int, low: int, high: int) -> tuple[int, int]:
    """The range of 1/x as `reciprocal` gives it, with what may be wrong."""
    one, margin = 1 << 2 * bits, 2
    if low > 0 or high < 0:
        return one // high - margin, one // low + margin + 1
    return -one if low < 0 else 0, one if high > 0 else 0
