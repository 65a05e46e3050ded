"""Square roots and their reciprocals: of a mantissa in [1/4, 1) by pieces, then times a power of two.

[ABZS13] M. Aliasgari, M. Blanton, Y. Zhang, A. Steele, "Secure Computation on Floating Point Numbers", NDSS 2013,
takes the root of a normalized number by iteration; here it is looked up by pieces (`piecewise`). Cells (`thresholds`)
have two octaves each, with exponents that make k whole in √x = √m 2^k.
"""

from __future__ import annotations

from decimal import Decimal

from protocols.card import card
from protocols.party import Party
from protocols.piecewise import Pieces, Real, piecewise
from protocols.segments import MOST
from protocols.shares import Share
from protocols.thresholds import FINE_BITS, MANTISSA_BITS, Cells, filled, find_cell, mantissas, shifted

_FINE = 24  # numbers with more fraction bits take twice as many pieces
_MOST = 60


@card("ABZS13", adversary="semi-honest, all but one", rounds=8, elements=21)
def sqrt(party: Party, x: Share, bits: int, low: int, high: int) -> Share:
    """⟨√x⟩ for low <= x <= high in ring units; x and the result have `bits` fraction bits.

    Error: at most two units, and 2^-28 of the result. 0 for x = 0. 8 rounds if high <= 16 low, 6 if two octaves with
    an even number of bits hold it; 14 or 15 else, with a comparison for each two octaves of the range, all side by
    side. Raises ValueError if x may be negative.
    """
    found = _cell(party, x, bits, low, high)
    root = _of_mantissa(party, x, found, _sqrt, bits, MANTISSA_BITS)
    exponents = [(one.exponent + bits) // 2 - MANTISSA_BITS if one.sign else None for one in found.cells]
    return shifted(party, root, found, exponents).reshape(*x.shape)


@card("ABZS13", adversary="semi-honest, all but one", rounds=8, elements=21)
def rsqrt(party: Party, x: Share, bits: int, low: int, high: int) -> Share:
    """⟨1/√x⟩ for low <= x <= high in ring units; x and the result have `bits` fraction bits.

    Error: at most two units, and 2^-26 of the result (2^-28 for f > 24). 0 for x = 0. Cost as for `sqrt`. Raises
    ValueError if x may be negative.
    """
    found = _cell(party, x, bits, low, high)
    fraction = MANTISSA_BITS - (found.mantissas.octaves + 1) // 2
    root = _of_mantissa(party, x, found, _rsqrt, bits, fraction)
    exponents = [(3 * bits - one.exponent) // 2 - fraction if one.sign else None for one in found.cells]
    return shifted(party, root, found, exponents).reshape(*x.shape)


def _cell(party: Party, x: Share, bits: int, low: int, high: int) -> Cells:
    if not 0 <= low <= high or not high:
        raise ValueError(f"square roots of {low} to {high}: not of negative numbers")
    return find_cell(party, x.reshape(-1), low, high, 2, bits, FINE_BITS)


def _of_mantissa(party: Party, x: Share, found: Cells, function: Real, bits: int, result_bits: int) -> Share:
    """⟨f(m)⟩, of 31 bits."""
    mantissa = mantissas(party, found, x.reshape(1, -1), [found.mantissas.bits])[0]
    low, high, fraction, segments, degree = found.mantissas
    pieces = Pieces(function, low, high, fraction, min(MOST, segments + (bits > _FINE)), degree)
    return piecewise(party, filled(found, mantissa), pieces, result_bits)


def _sqrt(x: Decimal) -> Decimal:
    return x.sqrt()


def _rsqrt(x: Decimal) -> Decimal:
    return 1 / x.sqrt()
