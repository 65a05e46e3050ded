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
from protocols.piecewise import EXACT, piecewise
from protocols.shares import Share
from protocols.thresholds import FINE_BITS, filled, find_cell, mantissas

LOG_2 = Decimal("0.693147180559945309417232121458176568076")
_FINE = 24  # results with more fraction bits take twice as many pieces


@dataclass(frozen=True)
class Log:
    """factor · log x."""

    factor: Decimal = Decimal(1)

    def __call__(self, x: Decimal) -> Decimal:
        """In decimal numbers."""
        return self.factor * x.ln()


@card("AS19", adversary="semi-honest, all but one", rounds=7, elements=20)
def log(party: Party, x: Share, bits: int, low: int, high: int) -> Share:
    """⟨log x⟩, the natural logarithm, for low <= x <= high in ring units; x and the result have `bits` fraction bits.

    Error: at most two units, three for f > 28. For x = 0 the result is that of half a unit, log(2^-(f+1)). 7 rounds if
    high <= 16 low, 5 within an octave, 8 and 6 if x has more than 34 bits; 12 or 13 else, with a comparison for each
    octave of the range, all side by side. Raises ValueError if x may be negative.
    """
    return scaled_log(party, x, bits, low, high, Decimal(1), bits)


@card("AS19", adversary="semi-honest, all but one", rounds=7, elements=20)
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
    part = piecewise(party, filled(found, mantissa), found.pieces(Log(factor), finer=result_bits > _FINE), result_bits)
    whole = [_whole(one.exponent - bits, factor, result_bits) for one in found.cells]
    looked_up = found.look_up(whole)
    return (part + (whole[0] if looked_up is None else looked_up[0])).reshape(*x.shape)


def _whole(exponent: int, factor: Decimal, bits: int) -> int:
    """factor · log 2^exponent, rounded."""
    with localcontext(EXACT):
        return int((factor * exponent * LOG_2 * (1 << bits)).to_integral_value())
