"""The exponential function by pieces, as a mantissa and an exponent where its values are large.

[AS19] A. Aly, N. Smart, "Benchmarking Privacy Preserving Scientific Operations", ACNS 2019, splits x log₂e into an
integer and a fraction by its bits. Here x is found next to a segment (`segments`) of a public range. While values have
31 bits, or a few more in a short range, a polynomial of eˣ is looked up (`piecewise`). Else eˣ = 2^i (2^-i eˣ) with an
i that depends on the segment alone: the polynomial is that of 2^-i eˣ, which is at most 1, and i is looked up with it.
"""

from __future__ import annotations

import math
from decimal import Decimal, localcontext

from protocols.card import card
from protocols.party import Party
from protocols.piecewise import EXACT, Pieces, evaluate, finest, piecewise
from protocols.segments import MOST, grid, locate, reach
from protocols.shares import Share
from protocols.thresholds import clip, shifted

LOG2_E = Decimal("1.442695040888963407359924681001892137427")
_MOST = 61  # bits of a result
_FLAT = 31  # bits of mantissas
_TRIED = 36  # of a result that pieces alone may find
_SPAN = 31  # a range that is not wider is taken as it is: 64 segments
_FINE = 37  # bits to which polynomials of mantissas are right, so that segments are narrow and products precise
_NARROW = 33  # in a range that is narrow itself
_SHORT = 2  # a range that is not wider is one for degree 3
_BELOW = 2  # what is below a quarter of a unit may as well be that


@card("own composition", adversary="semi-honest, all but one", rounds=7, elements=17)
def exp(party: Party, x: Share, bits: int, low: int, high: int) -> Share:
    """⟨eˣ⟩ for low <= x <= high in ring units; x and the result have `bits` fraction bits.

    Error: at most 1.6 units, and 2^-28 of results of more than 31 bits. 7 rounds (5 if high - low <= 2), 9 if results
    can have more than 31 or so, which is e^7.6 for f = 20; and 7 more if the range is wider than 31 and goes below
    2^-(f+2), to clip there. Raises ValueError if a result can have more than 61 bits.
    """
    return scaled_exp(party, x, bits, low, high, bits)


def scaled_exp(party: Party, x: Share, x_bits: int, low: int, high: int, bits: int) -> Share:
    """`exp` of x with fraction bits of its own."""
    least = low if high - low <= _SPAN << x_bits else _least(bits, x_bits)
    size = _exponent(high, x_bits)
    if low > high or size + bits > _MOST:
        raise ValueError(f"exp of {low} to {high} with {bits} fraction bits: {size + bits} bits, at most {_MOST}")
    flat = clip(party, x.reshape(-1), low, high, least, max(high, least + 1))
    low, high = max(low, least), max(high, least + 1)
    if size + bits <= _TRIED and (pieces := finest(_pieces(low, high, x_bits, size + bits), bits)) is not None:
        return piecewise(party, flat, pieces, bits).reshape(*x.shape)
    pieces = _pieces(low, high, x_bits, _NARROW if high - low <= _SHORT << x_bits else _FINE)
    return _large(party, flat, pieces, bits).reshape(*x.shape)


def _large(party: Party, x: Share, pieces: Pieces, bits: int) -> Share:
    """eˣ 2^-i, at most 1, with 31 bits; then times 2^i."""
    edges, _ = grid(pieces.low, pieces.high, pieces.segments)
    width = reach(pieces.low, pieces.high, pieces.segments)
    powers = [_exponent(edge + width, pieces.bits) for edge in edges]
    pieces = pieces._replace(exponents=tuple(powers))
    located = locate(party, x, pieces.low, pieces.high, pieces.segments)
    mantissa = evaluate(party, located, pieces, _FLAT)
    return shifted(party, mantissa, located, [i + bits - _FLAT for i in powers])


def _exponent(x: int, bits: int) -> int:
    """log₂ of exp x, rounded up."""
    with localcontext(EXACT):
        return int((x * LOG2_E / (1 << bits)).to_integral_value("ROUND_CEILING"))


def _least(bits: int, x_bits: int) -> int:
    """The x with exp x = 2^-(bits+2)."""
    with localcontext(EXACT):
        return int(-(bits + _BELOW) / LOG2_E * (1 << x_bits))


def _pieces(low: int, high: int, x_bits: int, size: int) -> Pieces:
    """Of degree d - 1 and width w so that 2^(1-d) w^d / d! is a quarter of the last of `size` bits, or less."""
    for degree in (3, 7) if high - low <= _SHORT << x_bits else (7,):
        d = degree + 1
        most = math.factorial(d) << d * x_bits
        for segments in range(2, MOST + 1):
            if reach(low, high, segments) ** d << max(0, size + 3 - d) <= most:
                return Pieces(_exp, low, high, x_bits, segments, degree)
    return Pieces(_exp, low, high, x_bits, MOST, 7)


def _exp(x: Decimal) -> Decimal:
    return x.exp()
