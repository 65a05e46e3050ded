"""Linear regression, ordinary and ridge, on secret moments.

With C' the equilibrated covariance of the features, r' its column for the target and Z ≈ (C'/2^k)^(-1/2) from
`protocols.linalg`,

    β' = C'⁻¹r'                                      SSE' = c'_yy - r'ᵀβ'
    Var β'ⱼ ∝ SSE'·‖row j of Z‖²                     Var β'₀ ∝ SSE'·(4·2^k + ‖Zᵀp‖²)

where p is the mean of the features seen from the origin of the raw data. Everything that leaves is scaled back by
secret powers of two (`up` and `down` of the moments) and then has the same units for every column.

Ridge penalizes standardized features: the diagonal of C is multiplied by 1 + λ, λ = penalty / rows, the intercept
is free. Equivalently all off-diagonal entries, the target's included, are multiplied by ρ = 1 / (1 + λ), which
keeps the matrix equilibrated. Standard errors are those of the ridge estimator (its variance, not its bias), with
d - tr J effective degrees of freedom; J = τ ZᵀDZ / 2^k, D = diag C', τ = 1 - ρ. For the formulas see [HTF09]
T. Hastie, R. Tibshirani, J. Friedman, "The Elements of Statistical Learning", 2nd ed. 2009, sections 3.2 and 3.4.

Bounds: see the comments at the constants of `protocols.linalg`; ‖β'‖∞ < 2^10, ‖Z‖ < 2^13. A run whose numbers
would leave them fails one of the four checks, which are opened before any result.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, log2, sqrt

import numpy as np

from protocols import fixedpoint, ring
from protocols.beaver import matmul, matmul_each, multiply, square
from protocols.conversion import negative
from protocols.functions import MANTISSA_BITS, roots, scale_up, square_root
from protocols.linalg import DEVIATION_BITS, Factor, inverse_root, solve
from protocols.party import Party
from protocols.shares import Share, concatenate, public
from protocols.truncation import truncate, truncate_each
from smpc.models.moments import MEAN_BITS, SPREAD, Moments, Reals

SMALLEST_RESIDUAL_BITS = 18  # SSE' >= 2^-18: below, too few digits are left for a standard error
LARGEST_DISTANCE_BITS = 16  # ‖Zᵀp‖ < 2^(16+w), w as in Design: how far off the raw origin may be
FARTHEST_ORIGIN_BITS = 8  # w <= 8

COEFFICIENT_BITS = 30 + SPREAD  # the solution has 30
INTERCEPT_BITS = 28 + SPREAD
ERROR_BITS = 28 + SPREAD
SIGMA_BITS = 26 + SPREAD
UNEXPLAINED_BITS = 28
SHAPE_BITS = 28

_T = 13  # bits of Zᵀp and of the high word of p, less w
_LOW = 16  # bits that the low word of p has more
_SQUARED = 18  # bits of Z where it is squared
_FRACTION = 30  # bits of public factors in [0, 1]


@dataclass(frozen=True)
class Design:
    """What is public of a fit: `origin` is zero of the raw features in units of u, one value a feature."""

    rows: int
    origin: Reals
    penalty: float = 0.0

    @property
    def strength(self) -> float:
        """λ of the module."""
        return self.penalty / self.rows

    @property
    def origin_bits(self) -> int:
        """w with |mean - origin| <= 2^w."""
        return ceil(log2(1.0 + float(np.abs(self.origin).max(initial=0.0))))

    @property
    def intercept_error_bits(self) -> int:
        return _T + 10 - self.origin_bits + SPREAD


@dataclass(frozen=True)
class Fit:
    """Secret results in units of u; `wrong`: ⟨1⟩ where one of the four checks fails (see CHECKS)."""

    coefficients: Share  # d values, COEFFICIENT_BITS
    intercept: Share  # INTERCEPT_BITS; the fitted value at the raw origin, in units of u of the target
    errors: Share  # d values, ERROR_BITS, times √(ρ / 2^k / degrees of freedom)
    intercept_error: Share  # Design.intercept_error_bits, times √(ρ / 2^k / degrees of freedom)
    sigma: Share  # SIGMA_BITS, times 2√(rows / degrees of freedom)
    unexplained: Share  # UNEXPLAINED_BITS: √(1 - R²)
    shrinkage: Share  # SHAPE_BITS: tr J, zero without a penalty
    wrong: Share
    halvings: int  # k


CHECKS = (
    "the features are ill-conditioned: one is nearly a combination of others",
    "the features are ill-conditioned: one is nearly a combination of others",
    "the features explain the target almost exactly: no standard errors can be given",
    "the origin of the features is too many standard deviations away for an intercept",
)


def fit(party: Party, moments: Moments, design: Design) -> Fit:
    """Fit the last column of `moments` to the others.

    About 190 rounds, whatever rows and columns. Opens masked values only; what is released is the caller's.
    """
    d = moments.c.shape[0] - 1
    c = _shrink(party, moments.c, design.strength)
    factor = inverse_root(party, c[:d, :d])
    beta = solve(party, factor, c[:d, d:])
    sse = _residual_sum(party, moments.c, beta, design.strength)
    shape = _shape(party, moments.c, factor, design.strength)
    p = _from_origin(party, moments, design)
    distance = _distance(party, factor.z, p)
    wrong = _checks(party, factor, sse, distance)
    squares = [sse, _variances(party, factor.z, shape), _spread(party, distance, shape, factor, design)]
    sigma, errors = _standard_errors(party, concatenate(squares))
    at_origin = _at_origin(party, moments, beta, p, design)
    parts = _scale_back(party, moments, [beta.reshape(d), errors[:d], at_origin, errors[d:], sigma])
    unexplained = _unexplained(party, sigma, moments.c[d, d:])
    return Fit(*parts, unexplained, _trace(party, shape, d), wrong, factor.halvings)


def _shrink(party: Party, c: Share, strength: float) -> Share:
    """⟨C'⟩ with off-diagonal entries times ρ = 1 - τ."""
    if strength == 0:
        return c
    coarse = truncate(party, c, MANTISSA_BITS - _FRACTION - 1)
    off_diagonal = ring.from_int(1 - np.eye(c.shape[0], dtype=np.int64))
    return c - coarse * _fraction(strength / (1 + strength)) * (off_diagonal * np.uint64(2))


def _residual_sum(party: Party, c: Share, beta: Share, strength: float) -> Share:
    """⟨SSE'⟩ = c_yy - rᵀβ - λ Σ cⱼⱼβⱼ², 62 bits, r in two words."""
    d = beta.shape[0]
    r = c[d:, :d]
    high, fine, coarse = truncate_each(party, (r, 30), (r, 4), (beta, 10))
    first, second = matmul_each(party, (high, beta), (fine - high * (1 << 26), coarse))
    sse = c[d, d:] - first.reshape(1) - truncate(party, second, 16).reshape(1)
    return sse if strength == 0 else sse - _penalty(party, c, beta, strength)


def _penalty(party: Party, c: Share, beta: Share, strength: float) -> Share:
    d = beta.shape[0]
    weighted, diagonal = truncate_each(party, (beta.reshape(d) * _fraction(sqrt(strength)), 32), (_diagonal(c, d), 32))
    squared = truncate(party, square(party, weighted), 26)
    return multiply(party, squared, diagonal).sum() * 4


def _shape(party: Party, c: Share, factor: Factor, strength: float) -> Share | None:
    """⟨I - J⟩ with 28 bits, or None where it is the identity."""
    if strength == 0:
        return None
    d = factor.z.shape[0]
    diagonal = truncate(party, _diagonal(c, d), MANTISSA_BITS - _FRACTION)
    weight = truncate(party, diagonal * _fraction(strength / (1 + strength)), _FRACTION)
    rows = multiply(party, weight.reshape(d, 1).broadcast_to((d, d)), factor.z)
    weighted = truncate(party, rows, 24)
    j = truncate(party, matmul(party, factor.z.T, weighted), 54 + factor.halvings - SHAPE_BITS)
    return ring.from_int(np.eye(d, dtype=np.int64) << SHAPE_BITS) - j


def _times(party: Party, rows: Share, shape: Share | None) -> Share:
    return rows if shape is None else truncate(party, matmul(party, rows, shape), SHAPE_BITS)


def _from_origin(party: Party, moments: Moments, design: Design) -> Share:
    """⟨p⟩ = 2^s(mean - origin) in two words, d×2: 13 - w bits, and 29 - w bits below that."""
    d, w = len(design.origin), design.origin_bits
    offset = moments.mean[:d] - fixedpoint.encode(design.origin, MEAN_BITS)
    p = multiply(party, moments.up[:d], offset)
    high, fine = truncate_each(party, (p, MEAN_BITS - _T + w), (p, MEAN_BITS - _T - _LOW + w))
    words = [high, fine - high * (1 << _LOW)]
    return concatenate([word.reshape(d, 1) for word in words], axis=1)


def _distance(party: Party, z: Share, p: Share) -> Share:
    """⟨Zᵀp⟩, d values, 13 - w bits."""
    words = matmul(party, z.T, p)
    high, low = truncate_each(party, (words[:, 0], 24), (words[:, 1], 24 + _LOW))
    return high + low


def _checks(party: Party, factor: Factor, sse: Share, distance: Share) -> Share:
    """⟨1⟩ where a check of CHECKS fails."""
    bound = 1 << 30 - DEVIATION_BITS
    length = square(party, truncate(party, distance, 8)).sum()
    tests = [
        factor.deviation + bound,
        bound - factor.deviation,
        sse - (1 << MANTISSA_BITS - SMALLEST_RESIDUAL_BITS),
        (1 << 2 * (_T + LARGEST_DISTANCE_BITS - 8)) - length,
    ]
    return negative(party, concatenate(tests))


def _variances(party: Party, z: Share, shape: Share | None) -> Share:
    """⟨(Z(I - J)Zᵀ)ⱼⱼ⟩, d values, 36 bits."""
    z = truncate(party, z, 24 - _SQUARED)
    return multiply(party, z, _times(party, z, shape)).sum(axis=1)


def _spread(party: Party, distance: Share, shape: Share | None, factor: Factor, design: Design) -> Share:
    """⟨4·2^k(1 + λ) + (Zᵀp)ᵀ(I - J)Zᵀp⟩, 2(13 - w) bits; the 4 is that of C' = C/4."""
    d = distance.shape[0]
    other = _times(party, distance.reshape(1, d), shape).reshape(d)
    one = round((1 + design.strength) * 2.0 ** (factor.halvings + 2 * (1 + _T - design.origin_bits)))
    return multiply(party, distance, other).sum() + one


def _standard_errors(party: Party, squares: Share) -> tuple[Share, Share]:
    """⟨√SSE'⟩ with 26 bits and its products with the other roots: 28 bits (the last: 23 - w)."""
    rooted = square_root(party, squares)
    sigma, others = truncate_each(party, (rooted[:1], 34), (rooted[1:], 27))
    return sigma, truncate(party, multiply(party, others, sigma.broadcast_to(others.shape)), 18)


def _at_origin(party: Party, moments: Moments, beta: Share, p: Share, design: Design) -> Share:
    """⟨2^s_y m_y - β'ᵀp⟩ with 28 bits: the fitted value where all raw features are zero."""
    d, w = beta.shape[0], design.origin_bits
    words = matmul(party, beta.reshape(1, d), p)
    level = multiply(party, moments.up[d:], moments.mean[d:])
    high, low, level = truncate_each(
        party, (words[0, :1], 2 + _T - w), (words[0, 1:], 2 + _T + _LOW - w), (level, MEAN_BITS - 28)
    )
    return level - high - low


def _scale_back(party: Party, moments: Moments, values: list[Share]) -> tuple[Share, Share, Share, Share, Share]:
    """Coefficients, intercept, their errors and sigma, back in units of u; `values` in the order of `fit`."""
    d = values[0].shape[0]
    down = moments.down[d:]
    ratio = multiply(party, moments.up[:d], down.broadcast_to((d,)))
    factors = concatenate([ratio, ratio, down, down, down])
    out = scale_up(party, concatenate(values), factors, 2 * SPREAD)
    return out[:d], out[2 * d], out[d : 2 * d], out[2 * d + 1], out[2 * d + 2]


def _unexplained(party: Party, sigma: Share, variance: Share) -> Share:
    inverse = roots(party, variance).inverse
    return truncate(party, multiply(party, sigma, inverse), 26 + 30 - UNEXPLAINED_BITS)


def _trace(party: Party, shape: Share | None, d: int) -> Share:
    if shape is None:
        return public(party.rank, np.zeros(1, np.uint64))
    return (d << SHAPE_BITS) - _diagonal(shape, d).sum()


def _diagonal(c: Share, d: int) -> Share:
    return c[np.arange(d), np.arange(d)]


def _fraction(value: float) -> int:
    return round(value * (1 << _FRACTION))
