"""Powers: with an integer exponent by squaring or by pieces, with a real one by logarithm and exponential function.

[Knu97] D. Knuth, "The Art of Computer Programming", vol. 2, 3rd ed. 1997, section 4.6.3, binary powers from the right:
x², x⁴, ... and the product of those that count, side by side. [AS19] A. Aly, N. Smart, "Benchmarking Privacy Preserving
Scientific Operations", ACNS 2019, for xᵖ = exp(p log x).

Products have no more bits than the ring: where they have few to spare, and for negative exponents, pieces (`piecewise`)
are tried, too, which are exact polynomials for 0 < n < 8. Public bounds decide.
"""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from protocols import ring
from protocols.card import card
from protocols.division import reciprocal
from protocols.exponential import scaled_exp
from protocols.logarithm import scaled_log
from protocols.party import Party
from protocols.piecewise import EXACT, Pieces, finest, piecewise, table
from protocols.rescaling import multiply_rescaled
from protocols.segments import MOST, reach
from protocols.shares import Share, concatenate, public
from protocols.truncation import truncate

_FINE = 30
_WORD = 61  # bits of a product of two powers
_LOG_BITS = 28  # fraction bits of p log x
_SPARE = 2  # with so many fraction bits more than the result products are taken, as the cheapest way
_POOR = 16  # a bound above which pieces are not taken
_INVERSE = 2  # units of an inverse


@dataclass(frozen=True)
class Power:
    """xⁿ."""

    exponent: int

    def __call__(self, x: Decimal) -> Decimal:
        """In decimal numbers."""
        return x**self.exponent


class Way(NamedTuple):
    """How a power is found, and the bound on its error in units: by `pieces`, or by products with `fine` bits."""

    error: Fraction
    fine: int = 0
    pieces: Pieces | None = None


@card("Knu97", adversary="semi-honest, all but one", rounds=5, elements=6)
def power(party: Party, x: Share, exponent: int, bits: int, low: int, high: int) -> Share:
    """⟨xⁿ⟩ for an integer n and low <= x <= high in ring units; x and the result have `bits` fraction bits.

    Error: what `way` says. With B the largest |x|ⁿ or 1, products have f' = (61 - log₂B) / 2 fraction bits inside, at
    most 30, and the error of one unit, and (n - 1) max(1, |x|)^(n-2) units of 2^-f'; 2 rounds for each bit of n but the
    last, 2 more if n is no power of two, one if f' > f. Pieces are within 1.6 units if there can be enough of them: 5
    rounds, 7 if n > 3 or the range of a negative power is wide, up to 16 times. If it is wider, or has both signs, it
    is that of 1/x, whose error counts |n| |x|^(n+1) times, with what `reciprocal` takes. Raises ValueError if f' would
    be less than f and there are no pieces.
    """
    if exponent == -1:
        return reciprocal(party, x, bits, low, high)
    if 0 <= exponent < 2:
        return x if exponent else public(party.rank, np.full(x.shape, ring.element(1 << bits)))
    found = way(exponent, bits, low, high)
    if found.pieces is not None:
        return piecewise(party, x.reshape(-1), found.pieces, bits).reshape(*x.shape)
    base = x if exponent > 0 else reciprocal(party, x, bits, low, high)
    result = _raised(party, base * (1 << found.fine - bits), abs(exponent), found.fine)
    return truncate(party, result, found.fine - bits) if found.fine > bits else result


@lru_cache
def way(exponent: int, bits: int, low: int, high: int) -> Way:
    """The way with the least bound, for n > 1 or n < -1. Raises ValueError if there is none."""
    products = _by_products(exponent, bits, low, high)
    if products is not None and exponent > 0 and products.fine >= bits + _SPARE:
        return products
    size = bits + _size(_largest(exponent, bits, low, high), bits, abs(exponent))
    pieces = _by_pieces(exponent, bits, low, high) if size <= _WORD else None
    found = [one for one in (pieces, products) if one is not None and (one is products or one.error <= _POOR)]
    if not found:
        raise ValueError(f"a power of {size} bits, too large a range for it with {bits} fraction bits")
    return min(found, key=lambda one: one.error)


def _by_products(exponent: int, bits: int, low: int, high: int) -> Way | None:
    n, largest = abs(exponent), _largest(exponent, bits, low, high)
    fine = min(_FINE, (_WORD - _size(largest, bits, n)) // 2)
    if fine < bits:
        return None
    base = Fraction(largest, 1 << bits)
    wrong = n * _INVERSE * base ** (n - 1) if exponent < 0 else 0
    rounded = (n - 1) * max(Fraction(1), base) ** (n - 2) / (1 << fine - bits)
    return Way(wrong + rounded + (fine > bits), fine)


def _by_pieces(exponent: int, bits: int, low: int, high: int) -> Way | None:
    """As few as it takes for polynomials within a quarter of a unit."""
    if exponent < 0 and low <= 0 <= high:
        return None
    degrees = (3,) if 0 < exponent < 4 else (3, 7) if exponent < 0 else (7,)
    for degree in degrees:
        for segments in range(2, MOST + 1):
            pieces = Pieces(Power(exponent), low, high, bits, segments, degree)
            if (wrong := _remainder(pieces, exponent)) <= Fraction(1, 4):
                with suppress(ValueError):
                    pieces = finest(pieces, bits, MOST) or pieces._replace(segments=MOST)
                    return Way(1 + wrong + Fraction(table(pieces, bits).error), pieces=pieces)
                break
    return None


def _remainder(pieces: Pieces, n: int) -> Fraction:
    """2^(1-d) w^d of the d-th derivative of xⁿ over d!, in units, for d - 1 the degree and w the width of a segment."""
    d = pieces.degree + 1
    if 0 < n < d:
        return Fraction(0)
    ends = sorted((abs(pieces.low), abs(pieces.high)))
    factor, x = (math.comb(n, d), ends[1]) if n > 0 else (math.comb(d - n - 1, d), ends[0])
    width = reach(pieces.low, pieces.high, pieces.segments)
    return 2 * factor * Fraction(width, 2) ** d * Fraction(x) ** (n - d) / Fraction(2) ** (pieces.bits * (n - 1))


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


def _largest(exponent: int, bits: int, low: int, high: int) -> int:
    """The largest |x|, or |1/x|, in units."""
    ends = (low, high) if exponent > 0 else _inverted(bits, low, high)
    return max(map(abs, ends))


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
