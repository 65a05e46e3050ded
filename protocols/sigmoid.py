"""Functions that level off: the logistic function, the hyperbolic tangent, the error function; by pieces.

[MZ17] P. Mohassel, Y. Zhang, "SecureML", IEEE S&P 2017, section 5.3, takes three pieces for the logistic function; here
there are as many as it needs to be right to a unit (`piecewise`). Where all pieces are in one table no symmetry is
needed. Beyond ± L the functions are what they are at ± L to within a quarter of a unit: x is clipped if it may be
there.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, localcontext
from typing import NamedTuple

from protocols.card import card
from protocols.party import Party
from protocols.piecewise import EXACT, Pieces, Real, finest, piecewise
from protocols.segments import MOST
from protocols.shares import Share
from protocols.thresholds import clip

_LOG_2 = Decimal("0.693147180559945309417232121458176568076")
_PI = Decimal("3.14159265358979323846264338327950288420")
_FEW = 6  # one-hot bits up to which degree 3 is taken
_UNCLIPPED = 6  # and up to which x is not clipped, as that takes rounds


class Curve(NamedTuple):
    """A function, L for its fraction bits, and how wide segments may be for 16 of them with degree 3 and 7.

    The error of degree d - 1 is as the d-th power of the width: 2^-(f+2) or less if width is as 2^(-f/d).
    """

    function: Real
    end: Callable[[int], Decimal]
    widths: tuple[Decimal, Decimal]

    def pieces(self, low: int, high: int, bits: int) -> Pieces | None:
        """For low <= x <= high; None if they are too many."""
        for degree, width in zip((3, 7), self.widths, strict=True):
            with localcontext(EXACT):
                wanted = (high - low) / (width * Decimal(2) ** (bits + Decimal(16 - bits) / (degree + 1)))
            segments = max(2, (int(wanted) + 1).bit_length())
            if segments <= (_FEW if degree == 3 else MOST):
                return Pieces(self.function, low, high, bits, segments, degree)
        return None


@card("own composition", adversary="semi-honest, all but one", rounds=7, elements=17)
def sigmoid(party: Party, x: Share, bits: int, low: int, high: int) -> Share:
    """⟨1 / (1 + e⁻ˣ)⟩ for low <= x <= high in ring units; x and the result have `bits` fraction bits, at most 30.

    Error: at most 1.8 units. 7 rounds, 5 if the range is short (8 for f = 20). If it is too wide for 64 segments (58
    for f = 20) x is clipped to ± (f+2) log 2 first, with a comparison at each end that is beyond, in 7 rounds more.
    """
    return _levelled(party, x, bits, low, high, _SIGMOID)


@card("own composition", adversary="semi-honest, all but one", rounds=7, elements=17)
def tanh(party: Party, x: Share, bits: int, low: int, high: int) -> Share:
    """⟨tanh x⟩ for low <= x <= high in ring units; x and the result have `bits` fraction bits, at most 30.

    Error: at most 1.8 units. As for `sigmoid`, with half the range.
    """
    return _levelled(party, x, bits, low, high, _TANH)


@card("own composition", adversary="semi-honest, all but one", rounds=7, elements=17)
def erf(party: Party, x: Share, bits: int, low: int, high: int) -> Share:
    """⟨erf x⟩ for low <= x <= high in ring units; x and the result have `bits` fraction bits, at most 30.

    Error: at most 1.8 units. As for `sigmoid`; the ends are at ± √((f+1) log 2), 3.8 for f = 20.
    """
    return _levelled(party, x, bits, low, high, _ERF)


def _levelled(party: Party, x: Share, bits: int, low: int, high: int, curve: Curve) -> Share:
    if low > high or bits > 30:
        raise ValueError(f"from {low} to {high} with {bits} fraction bits")
    with localcontext(EXACT):
        end = int(curve.end(bits) * (1 << bits))
    least, most = (max(-end, min(end, one)) for one in (low, high))
    whole = curve.pieces(low, high, bits)
    if whole is not None and whole.segments <= _UNCLIPPED:
        return piecewise(party, x.reshape(-1), finest(whole, bits) or whole, bits).reshape(*x.shape)
    pieces = curve.pieces(least, most, bits)
    if pieces is None:
        raise ValueError(f"{bits} fraction bits from {low} to {high}: more than {1 << MOST} segments")
    clipped = clip(party, x.reshape(-1), low, high, least, most)
    return piecewise(party, clipped, finest(pieces, bits) or pieces, bits).reshape(*x.shape)


def _logistic(x: Decimal) -> Decimal:
    return 1 / (1 + (-x).exp())


def _tanh(x: Decimal) -> Decimal:
    return 1 - 2 / (1 + (2 * x).exp())


def _erf(x: Decimal) -> Decimal:
    """Its Taylor series, whose terms are below 10^21, of 40 digits; 1 - erf 7 is below 10^-21."""
    if abs(x) > 7:
        return x / abs(x)
    term = total = x
    n = 0
    while abs(term) > Decimal("1e-25"):
        n += 1
        term *= -x * x / n
        total += term / (2 * n + 1)
    return 2 * total / _PI.sqrt()


_SIGMOID = Curve(_logistic, lambda bits: (bits + 2) * _LOG_2, (Decimal("0.27"), Decimal("1.3")))
_TANH = Curve(_tanh, lambda bits: (bits + 3) * _LOG_2 / 2, (Decimal("0.113"), Decimal("0.605")))
_ERF = Curve(_erf, lambda bits: ((bits + 1) * _LOG_2).sqrt(), (Decimal("0.11"), Decimal("0.66")))
