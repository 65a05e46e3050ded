"""Logarithms: of the mantissa by pieces, of the power of two by looking it up.

[AS19] A. Aly, N. Smart, "Benchmarking Privacy Preserving Scientific Operations", ACNS 2019: x = m 2^e with m in
[1/2, 1), log x = log m + e log 2; with m from `thresholds` and its logarithm from `piecewise`. A public factor, as in
the logarithm to another base or in a power, is in the tables and costs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, localcontext

from protocols.card import card
from protocols.party import Party
from protocols.piecewise import EXACT, evaluate, table
from protocols.segments import locate
from protocols.shares import Share
from protocols.thresholds import FINE_BITS, filled, find_cell, mantissas

LOG_2 = Decimal("0.693147180559945309417232121458176568076")
_FINE = 24  # results with more fraction bits take twice as many pieces


@dataclass(frozen=True)
class Log:
    """factor · log (2^exponent x)."""

    factor: Decimal = Decimal(1)
    exponent: int = 0

    def __call__(self, x: Decimal) -> Decimal:
        """In decimal numbers."""
        return self.factor * (x.ln() + self.exponent * LOG_2)


@card("AS19", adversary="semi-honest, all but one", rounds=7, elements=17)
def log(party: Party, x: Share, bits: int, low: int, high: int) -> Share:
    """⟨log x⟩, the natural logarithm, for low <= x <= high in ring units; x and the result have `bits` fraction bits.

    Error: at most 1.6 units; one of them the last rounding's, 2^(f-31) the mantissa's in a range within 16 times, in
    others 2^(f-33), the rest of products and polynomials. For x = 0 it is the logarithm of half a unit. 7 rounds if
    high <= 16 low, 5 within an octave, one more if x has more bits than a mantissa; 12 or 13 else, with a comparison
    for each octave of the range, all side by side. Raises ValueError if x may be negative.
    """
    return scaled_log(party, x, bits, low, high, Decimal(1), bits)


@card("AS19", adversary="semi-honest, all but one", rounds=7, elements=17)
def log1p(party: Party, x: Share, bits: int, low: int, high: int) -> Share:
    """⟨log(1 + x)⟩ for low <= x <= high in ring units, as `log` of 1 + x, which is exact."""
    one = 1 << bits
    return log(party, x + one, bits, low + one, high + one)


def scaled_log(party: Party, x: Share, bits: int, low: int, high: int, factor: Decimal, result_bits: int) -> Share:
    """⟨factor · log x⟩ with its own number of fraction bits; errors grow with the factor."""
    if not 0 <= low <= high or not high:
        raise ValueError(f"logarithms of {low} to {high}: not of negative numbers")
    found = find_cell(party, x.reshape(-1), low, high, most=FINE_BITS)
    mantissa = mantissas(party, found, x.reshape(1, -1), [found.mantissas.bits])[0]
    exponents = [one.exponent - bits for one in found.cells]
    function = Log(factor, exponents[0]) if found.one_hot is None else Log(factor)
    pieces = found.pieces(function, finer=result_bits > _FINE)
    located = locate(party, filled(found, mantissa), pieces.low, pieces.high, pieces.segments)
    more = table(pieces, result_bits).sum_bits - result_bits
    wholes, rests = zip(*(_whole(one, factor, result_bits, more) for one in exponents), strict=True)
    if (looked_up := found.look_up(wholes, rests)) is None:
        return evaluate(party, located, pieces, result_bits).reshape(*x.shape)
    whole, rest = looked_up[0], looked_up[1]
    return (whole + evaluate(party, located, pieces, result_bits, rest)).reshape(*x.shape)


def _whole(exponent: int, factor: Decimal, bits: int, more: int) -> tuple[int, int]:
    """factor · log 2^exponent, rounded; and what was rounded off, with `more` bits."""
    with localcontext(EXACT):
        exact = factor * exponent * LOG_2 * (1 << bits)
        whole = exact.to_integral_value()
        return int(whole), int(((exact - whole) * (1 << more)).to_integral_value())
