"""The logistic function as a sum of sines: one round, no comparison, no truncation.

[BCG+18] C. Boura, I. Chillotti, N. Gama, D. Jetchev, S. Peceny, A. Petric, "High-Precision Privacy-Preserving
Real-Valued Function Evaluation", FC 2018, approximates functions by Fourier series for MPC; that the angle is opened
under a mask whose sines are shared is known as well, the form here, with the ring as the period, is our composition.

    σ(z) ≈ 1/2 + Σ cₖ sin kωz,  k = 1..K,  ω = 2π / P        a period P = 2^p is the whole ring

    correlation  r uniform in [0, 2^64), the angle ρ = 2πr / 2^64;  ⟨cos kρ⟩, ⟨sin kρ⟩ with 14 fraction bits
    open         C = 2^j z + r,  j = 64 - p - f for z with f fraction bits;  γ its angle
    result       ⟨Σ cₖ (sin kγ · cos kρ - cos kγ · sin kρ)⟩ + 1/2, linear in the shares

C is uniform since r is, whatever z is, and r is used for nothing else: the view of any parties but all is the same for
all z. Multiples of P vanish in the ring: for z beyond ± P/2 the series is that of z mod P, which is wrong, yet bounded.

Error: that of the series (`Series`) for |z| <= L; it stays within 1/2 ± 0.502 everywhere. C and r are taken to 16 bits,
which moves z by P 2^-16 at most; all rounding together is below 2^-11. Without a dealer r is known to its top 8 bits
(`dealerless`): z is moved by up to P/512, uniformly and independently of z, and the result for |z| <= L by 1/64 at
most for P = 32, twice that for P = 64, on average by less than 2^-11; beyond, where the wide series is steeper, by 1/28
and 2^-10. For a gradient that is far less than what drawing its rows does.
In either case it is that of z rounded to a grid, whose offset all know from the lower bits of C: who later learns the
result learns nothing of z that is finer than the grid.

Public numbers that multiply shares are the same at all parties, to the last bit: sines come from decimal numbers and
integers (see `piecewise`), coefficients are constants.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from functools import lru_cache
from typing import NamedTuple, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from protocols.card import card
from protocols.opening import open_masked
from protocols.party import Correlation, Part, Party, Secret
from protocols.piecewise import EXACT
from protocols.ring import BITS, RingArray, Shape
from protocols.shares import Share

RESULT_BITS = 32  # fraction bits of the result
WAVE_BITS = 14  # of ⟨cos kρ⟩ and ⟨sin kρ⟩
FACTOR_BITS = RESULT_BITS - WAVE_BITS  # of cₖ sin kγ and of cₖ
MOST_TERMS = 32
FARTHEST = 0.502  # of the result from 1/2

_PLACES = 16  # bits of γ that count
_TABLE_BITS = 30
_LOW = _PLACES // 2
_PI = Decimal("3.14159265358979323846264338327950288420")
_Integers: TypeAlias = npt.NDArray[np.int64]


class Series(NamedTuple):
    """Coefficients with FACTOR_BITS fraction bits; P = 2^period_bits; L."""

    period_bits: int
    reach: int
    coefficients: tuple[int, ...]

    def doublings(self, bits: int) -> int:
        """j, for `bits` fraction bits. Raises ValueError for more than there is room for."""
        if not 0 <= bits <= BITS - self.period_bits:
            raise ValueError(f"{bits} fraction bits in a period of 2^{self.period_bits}: at most {BITS} together")
        return BITS - self.period_bits - bits


# Least squares on [0, P/2], where what is beyond L has little weight (the test says how): errors 0.0026 and 0.0032
NARROW = Series(5, 12, (157331, -543, 33036, 1032, 7766, 1856, 1127, 1149))
WIDE = Series(
    6, 26,
    (158674, 10747, 33359, 18229, 2995, 20591, -7816, 18120, -9234, 12852, -6509, 7298, -3138, 3192, -863, 993),
)  # fmt: skip


class Waves(NamedTuple):
    """⟨r⟩; ⟨cos kρ⟩ for k = 1..K and then ⟨sin kρ⟩, along a first axis."""

    r: Share
    waves: Share


@dataclass(frozen=True)
class SineMasks(Correlation[Waves]):
    """Random words, one for each element of `shape`, with cosines and sines of their first `terms` multiples."""

    shape: Shape
    terms: int

    def drawn(self) -> Sequence[Secret]:
        return (Secret(self.shape),)

    def derived(self) -> Sequence[Secret]:
        return (Secret((2 * self.terms, *self.shape)),)

    def compute(self, *drawn: RingArray) -> Sequence[RingArray]:
        return (waves(drawn[0], self.terms),)

    def assemble(self, *parts: Part) -> Waves:
        return Waves(*cast("tuple[Share, Share]", parts))


def waves(r: RingArray, terms: int) -> RingArray:
    """cos kρ and then sin kρ, rounded to WAVE_BITS, along a first axis."""
    return _scaled(r, _terms((1 << WAVE_BITS,) * terms, 1, r.ndim))


def waves_of_middles(bits: int, terms: int) -> RingArray:
    """`waves` of the middles of 2^bits equal segments of the ring."""
    return waves((2 * np.arange(1 << bits, dtype=np.uint64) + np.uint64(1)) << np.uint64(BITS - bits - 1), terms)


class Logistic(NamedTuple):
    """σ of numbers with `bits` fraction bits; what of it is local, for who opens C beside other things."""

    series: Series
    bits: int

    def masks(self, shape: Shape) -> SineMasks:
        """What it takes."""
        return SineMasks(shape, len(self.series.coefficients))

    def angles(self, z: RingArray) -> RingArray:
        """2^j z: to be opened under a mask."""
        return z << np.uint64(self.series.doublings(self.bits))

    def values(self, opened: RingArray, waves: RingArray, rank: int) -> RingArray:
        """A share of σ(z), with RESULT_BITS, of C and a share of cosines and sines."""
        factors = _scaled(opened, _terms(self.series.coefficients, -1, opened.ndim))
        factors *= waves
        found = factors.sum(axis=0, dtype=np.uint64)
        if rank == 0:
            found += np.uint64(1 << RESULT_BITS - 1)
        return np.asarray(found)


@card("BCG+18", adversary="semi-honest, all but one", rounds=1, elements=1)
def logistic(party: Party, z: Share, bits: int, series: Series = NARROW) -> Share:
    """⟨1 / (1 + e⁻ᶻ)⟩ for |z| <= L, by a sine series: an error of 0.003, of 0.0035 if WIDE.

    z has `bits` fraction bits, the result RESULT_BITS; one shape. Takes sine masks of it: a dealer sends 2K elements
    for each of z. Beyond L the result is some number within 1/2 ± 0.502. Raises ValueError for more `bits` than fit.
    """
    sigma = Logistic(series, bits)
    angles = sigma.angles(z.values)
    order = party.order(sigma.masks(z.shape))
    (opened,) = open_masked(party, Share(z.rank, angles + order.draws[0]))
    return Share(z.rank, sigma.values(opened, order.parts()[1], z.rank))


class _Terms(NamedTuple):
    """Factors of sines, of k times an angle and a shift, along a first axis."""

    k: _Integers
    shift: _Integers
    factors: _Integers


@lru_cache(maxsize=16)
def _terms(factors: tuple[int, ...], sign: int, axes: int) -> _Terms:
    """For angles with so many axes, if sign > 0: factors times cos kθ and then sin kθ; else sin kθ and then -cos kθ."""
    quarters = (1, 0) if sign > 0 else (0, 3)
    k = np.tile(np.arange(1, len(factors) + 1), 2)
    shift = np.repeat(np.array(quarters) << _PLACES - 2, len(factors))
    return _Terms(*(one.reshape(-1, *[1] * axes) for one in (k, shift, np.tile(np.array(factors, np.int64), 2))))


def _scaled(angles: RingArray, terms: _Terms) -> RingArray:
    """The terms, rounded to as many fraction bits as their factors have."""
    places = (angles + np.uint64(1 << BITS - _PLACES - 1) >> np.uint64(BITS - _PLACES)).view(np.int64)
    wanted = terms.k * places
    wanted += terms.shift
    wanted &= (1 << _PLACES) - 1
    found = sines().take(wanted)
    found *= terms.factors
    found += 1 << _TABLE_BITS - 1
    found >>= _TABLE_BITS
    return found.view(np.uint64)


@lru_cache(maxsize=1)
def sines() -> _Integers:
    """sin 2πi / 2^16 with 30 fraction bits, the same on all machines.

    Sines and cosines of 256 coarse and of 256 fine angles are decimal numbers, rounded; their sums follow in integers.
    """
    (high_sine, high_cosine), (low_sine, low_cosine) = _turns(_PLACES - _LOW), _turns(_PLACES)
    both = high_sine[:, None] * low_cosine + high_cosine[:, None] * low_sine
    both += 1 << _TABLE_BITS - 1
    both >>= _TABLE_BITS
    table: _Integers = both.reshape(-1)
    table.flags.writeable = False
    return table


def _turns(bits: int) -> tuple[_Integers, _Integers]:
    """Sines and cosines of 0, 1, ... 255 times 2π / 2^bits."""
    with localcontext(EXACT):
        step = 2 * _PI / (1 << bits)
        sine, cosine = _taylor(step, step), _taylor(Decimal(1), step)
        points = [(Decimal(0), Decimal(1))]
        for _ in range((1 << _LOW) - 1):
            s, c = points[-1]
            points.append((s * cosine + c * sine, c * cosine - s * sine))
        sines, cosines = (
            np.array([int((x * (1 << _TABLE_BITS)).to_integral_value()) for x in column], np.int64)
            for column in zip(*points, strict=True)
        )
    return sines, cosines


def _taylor(first: Decimal, x: Decimal) -> Decimal:
    """sin x from its first term x, cos x from 1; for x below 1/10, to 40 digits."""
    term, total, n = first, first, 0 if first == 1 else 1
    for _ in range(16):
        term *= -x * x / ((n + 1) * (n + 2))
        total += term
        n += 2
    return total
