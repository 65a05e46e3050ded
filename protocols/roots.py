"""Square roots and their reciprocals: of a mantissa in [1/4, 1) by pieces, then times a power of two.

[ABZS13] M. Aliasgari, M. Blanton, Y. Zhang, A. Steele, "Secure Computation on Floating Point Numbers", NDSS 2013,
takes the root of a normalized number by iteration; here it is looked up by pieces (`piecewise`). Cells (`thresholds`)
have two octaves each, with exponents that make k whole in √x = √m 2^k.
"""

from __future__ import annotations

from decimal import Decimal

from protocols.card import card
from protocols.party import Party
from protocols.piecewise import piecewise
from protocols.shares import Share
from protocols.thresholds import FINE_BITS, MANTISSA_BITS, Cells, filled, find_cell, mantissas, shifted

_FINE = 24  # numbers with more fraction bits take twice as many pieces


@card("ABZS13", adversary="semi-honest, all but one", rounds=7, elements=17)
def sqrt(party: Party, x: Share, bits: int, low: int, high: int) -> Share:
    """⟨√x⟩ for low <= x <= high in ring units; x and the result have `bits` fraction bits.

    Error: at most 1.4 units, and 2^-28 of the result (2^-27 if one may be beyond 2^36 units). 0 for x = 0. 7 rounds if
    high <= 16 low, 5 if two octaves with an even number of bits hold it, one more if x has more bits than a mantissa or
    for such results; 14 or 15 else, with a comparison for each two octaves of the range, all side by side. Raises
    ValueError if x may be negative.
    """
    found, mantissa = _mantissa(party, x, bits, low, high)
    pieces = found.straight(_sqrt, bits, finer=bits > _FINE)
    if pieces is not None:
        return piecewise(party, mantissa, pieces, bits).reshape(*x.shape)
    root = piecewise(party, mantissa, found.pieces(_sqrt, finer=bits > _FINE), MANTISSA_BITS)
    exponents = [(one.exponent + bits) // 2 - MANTISSA_BITS if one.sign else None for one in found.cells]
    return shifted(party, root, found, exponents).reshape(*x.shape)


@card("ABZS13", adversary="semi-honest, all but one", rounds=7, elements=17)
def rsqrt(party: Party, x: Share, bits: int, low: int, high: int) -> Share:
    """⟨1/√x⟩ for low <= x <= high in ring units; x and the result have `bits` fraction bits.

    Error: at most 1.4 units, and 2^-26 of the result (2^-27 for f > 24). 0 for x = 0. Cost as for `sqrt`. Raises
    ValueError if x may be negative.
    """
    found, mantissa = _mantissa(party, x, bits, low, high)
    pieces = found.straight(_rsqrt, bits, finer=bits > _FINE)
    if pieces is not None:
        return piecewise(party, mantissa, pieces, bits).reshape(*x.shape)
    fraction = MANTISSA_BITS - (found.mantissas.octaves + 1) // 2
    root = piecewise(party, mantissa, found.pieces(_rsqrt, finer=bits > _FINE), fraction)
    exponents = [(3 * bits - one.exponent) // 2 - fraction if one.sign else None for one in found.cells]
    return shifted(party, root, found, exponents).reshape(*x.shape)


def _mantissa(party: Party, x: Share, bits: int, low: int, high: int) -> tuple[Cells, Share]:
    if not 0 <= low <= high or not high:
        raise ValueError(f"square roots of {low} to {high}: not of negative numbers")
    found = find_cell(party, x.reshape(-1), low, high, 2, bits, FINE_BITS)
    return found, filled(found, mantissas(party, found, x.reshape(1, -1), [found.mantissas.bits])[0])


def _sqrt(x: Decimal) -> Decimal:
    return x.sqrt()


def _rsqrt(x: Decimal) -> Decimal:
    return 1 / x.sqrt()
