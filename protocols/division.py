"""Reciprocals and quotients: a mantissa's reciprocal by pieces, scaled back, and put right by what remains.

[CS10] O. Catrina, A. Saxena, "Secure Computation with Fixed-Point Numbers", FC 2010, protocols Div and Norm; with the
reciprocal of the normalized divisor looked up by pieces (`piecewise`) instead of Goldschmidt's iteration.

For b = ± m 2^e with m in [1/2, 1) and M ≈ 1/m, a/b = (± a 2^(J-e)) M 2^-J. J is such that the first factor has 31 bits
as M has: then, with |a/b| < 2^Q units, the error is within |a/b| (2^-27 + 2^-29) + 2^(Q-30) + 1 units: of M's pieces,
of its last bit and m's, of the factor's last bit, and of the result's. If that is more than 1.8 there is a second pass:
the remainder a - bq is exact in the ring, since it is small however large a and bq are; divided by b in the same way,
with the M, signs and exponents that are there, it puts q right. What is left is a unit, and the error of a quotient as
large as the first one's error: 2^-52 of the largest a/b.
"""

from __future__ import annotations

from decimal import Decimal

from protocols.beaver import multiply
from protocols.card import card
from protocols.party import Party
from protocols.piecewise import piecewise
from protocols.rescaling import multiply_rescaled
from protocols.shares import Share, concatenate
from protocols.thresholds import FINE_BITS, MANTISSA_BITS, Cells, filled, find_cell, mantissas
from protocols.truncation import truncate

_PRODUCT = 61  # bits of a product with M
_STRAIGHT = 31  # bits of a quotient that finer pieces alone find
_GOOD = 26  # quotients of so many bits are right to 1.8 units
_FOUND = 25  # of a larger quotient's bits, those that the first pass finds
_MOST = 59


@card("CS10", adversary="semi-honest, all but one", rounds=7, elements=17)
def reciprocal(party: Party, x: Share, bits: int, low: int, high: int) -> Share:
    """⟨1/x⟩ for low <= x <= high in ring units; x and the result have `bits` fraction bits.

    Error: at most 1.8 units, and 2^-52 of the largest result. 0 for x = 0. Signs and zero may be within the range. 7
    rounds if 0 < high <= 16 low, 5 within an octave; 14 else, with a comparison for each octave of the range, all side
    by side. 3 to 6 more if 1/x may be 2^26 units or more, of positive x in one cell 2^31. Raises ValueError if 1/x can
    have more than 59 bits or, together with x, more than 86.
    """
    return reciprocal_to(party, x, bits, low, high, _GOOD)


def reciprocal_to(party: Party, x: Share, bits: int, low: int, high: int, good: int) -> Share:
    """`reciprocal` without a second pass for results of up to `good` bits, with what that makes of its error."""
    size = _size(1 << bits, bits, low, high)
    found = find_cell(party, x.reshape(-1), low, high, most=FINE_BITS)
    operands = x.reshape(1, -1)
    mantissa = filled(found, mantissas(party, found, operands, [found.mantissas.bits])[0])
    finer = 0 if size <= good else 2
    if size <= max(good, _STRAIGHT) and (pieces := found.straight(_reciprocal, bits, finer=finer)) is not None:
        return piecewise(party, mantissa, pieces, bits).reshape(*x.shape)
    inverse = _inverse(party, found, mantissa)
    raised = _raised(found, size) + 2 * bits
    table = [one.sign * _power(raised - one.exponent) for one in found.cells]
    weights = found.look_up(table)
    if weights is None:
        q = truncate(party, inverse * table[0], _PRODUCT - size)
    else:
        q = multiply_rescaled(party, weights[0], inverse, _PRODUCT - size)
    if size > good:
        q = q + _rest(party, found, inverse, (1 << 2 * bits) - multiply(party, operands[0], q), size)
    return q.reshape(*x.shape)


@card("CS10", adversary="semi-honest, all but one", rounds=9, elements=20)
def divide(party: Party, a: Share, b: Share, bits: int, low: int, high: int, largest: int) -> Share:
    """⟨a/b⟩ for |a| <= `largest` and low <= b <= high in ring units; one shape, `bits` fraction bits each.

    Error: at most 1.8 units, and 2^-52 of the largest quotient. 0 for b = 0. 9 rounds if 0 < high <= 16 low, 7 within
    an octave; 14 or 15 else, and 3 to 6 more, as for `reciprocal`: what counts is the largest quotient that the ranges
    allow. Raises ValueError if it can have more than 59 bits or, together with b, more than 86; or shapes differ.
    """
    if a.shape != b.shape:
        raise ValueError(f"shapes differ: {a.shape} and {b.shape}")
    size = _size(largest, bits, low, high)
    found = find_cell(party, b.reshape(-1), low, high)
    operands = concatenate([b.reshape(1, -1), a.reshape(1, -1)])
    scaled = mantissas(party, found, operands, [found.mantissas.bits, _raised(found, size) + bits])
    inverse = _inverse(party, found, filled(found, scaled[0]))
    q = multiply_rescaled(party, scaled[1], inverse, _PRODUCT - size)
    if size > _GOOD:
        remainder = operands[1] * (1 << bits) - multiply(party, operands[0], q)
        q = q + _rest(party, found, inverse, remainder, size)
    return q.reshape(*b.shape)


def _inverse(party: Party, found: Cells, mantissa: Share) -> Share:
    """⟨M⟩, below 2^31, with an error of 2^-27 of it or of 2^-30 of its largest value."""
    return piecewise(party, mantissa, found.pieces(_reciprocal), MANTISSA_BITS - found.mantissas.octaves)


def _raised(found: Cells, size: int) -> int:
    """J for a quotient below 2^size whose dividend has no fraction bits."""
    return MANTISSA_BITS - size + found.mantissas.octaves - 1


def _rest(party: Party, found: Cells, inverse: Share, remainder: Share, size: int) -> Share:
    """⟨r/b⟩ in units, for the remainder r = a - bq of a quotient of less than 2^size units."""
    left = size - _FOUND
    scaled = mantissas(party, found, remainder.reshape(1, -1), [_raised(found, left)])
    return multiply_rescaled(party, scaled[0], inverse, _PRODUCT - left)


def _size(largest: int, bits: int, low: int, high: int) -> int:
    """How many bits a quotient has. Raises ValueError if there is no room for it, or for what the second pass takes."""
    least = low if low > 0 else -high if high < 0 else 1
    size = max(1, ((largest << bits) // least - 1).bit_length())
    if size > _MOST or size + max(abs(low), abs(high)).bit_length() > _FOUND + 61:
        raise ValueError(f"{largest} / {least} with {bits} fraction bits is too large a quotient: {size} bits")
    return size


def _power(exponent: int) -> int:
    """2^exponent, rounded."""
    return 1 << exponent if exponent >= 0 else 0


def _reciprocal(x: Decimal) -> Decimal:
    return 1 / x
