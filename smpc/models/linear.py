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
from protocols.linalg import Factor, inverse_root, margins, solve
from protocols.party import Party
from protocols.rescaling import matmul_rescaled, multiply_rescaled
from protocols.shares import Share, concatenate, public
from protocols.truncation import truncate, truncate_each
from smpc.models.moments import MEAN_BITS, SPREAD, Moments, Reals

LARGEST_INVERSE_BITS = 20  # (C'⁻¹)ⱼⱼ < 2^20: a variance inflation factor between 2^18 and 2^20 at most
MOST_FEATURES = 128  # Z < 2^(11.5 + k/2) leaves no room in a word beyond
SMALLEST_RESIDUAL_BITS = 18  # SSE' >= 2^-18 + κ‖β'‖²: below, too few digits are left; see `_residual_margin`
LARGEST_DISTANCE_BITS = 16  # ‖Zᵀp‖ < 2^(16+w), w as in Design: how far off the raw origin may be
FARTHEST_ORIGIN_BITS = 8  # w <= 8

COEFFICIENT_BITS = 30 + SPREAD  # the solution has 30
ERROR_BITS = 28 + SPREAD
SIGMA_BITS = 26 + SPREAD
UNEXPLAINED_BITS = 28
SHAPE_BITS = 28

_T = 13  # bits of Zᵀp and of the high word of p, less w
_LOW = 20  # bits that the low word of p has more
_LEVEL = 35  # bits of the fitted value at the origin, less w
_PRECISE = 13  # a penalized variance must exceed 2^-13 ‖row of Z‖², or rounding of I - J would show in it
_SQUARED = 16  # bits of Z where it is squared


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
    def intercept_bits(self) -> int:
        return _LEVEL - self.origin_bits + SPREAD

    @property
    def intercept_error_bits(self) -> int:
        return _T + 10 - self.origin_bits + SPREAD


@dataclass(frozen=True)
class Fit:
    """Secret results in units of u; `wrong`: ⟨1⟩ for the first of REASONS that applies."""

    coefficients: Share  # d values, COEFFICIENT_BITS
    intercept: Share  # Design.intercept_bits; the fitted value at the raw origin, in units of u of the target
    errors: Share  # d values, ERROR_BITS, times √(ρ / 2^k / degrees of freedom)
    intercept_error: Share  # Design.intercept_error_bits, times √(ρ / 2^k / degrees of freedom)
    sigma: Share  # SIGMA_BITS, times 2√(rows / degrees of freedom)
    unexplained: Share  # UNEXPLAINED_BITS: √(1 - R²)
    shrinkage: Share  # SHAPE_BITS: tr J, zero without a penalty
    wrong: Share
    halvings: int  # k


REASONS = (
    "the features are ill-conditioned: one is nearly a combination of others",
    "the features explain the target almost exactly: no standard errors can be given",
    "the origin of the features is too many standard deviations away for an intercept",
    "the penalty is too small for features of which one is nearly a combination of others",
)


def fit(party: Party, moments: Moments, design: Design) -> Fit:
    """Fit the last column of `moments` to the others.

    About 170 rounds (190 with a penalty), whatever rows and columns. Opens masked values only; what is released is
    the caller's.
    """
    d = moments.c.shape[0] - 1
    c = shrink(party, moments.c, design.strength)
    factor = inverse_root(party, c[:d, :d])
    beta = solve(party, factor, c[:d, d:])
    sse = _residual_sum(party, moments.c, beta, design.strength)
    shape = unpenalized(party, moments.c, factor, design.strength)
    p = _from_origin(party, moments, design)
    distance = _distance(party, factor.z, p)
    variances, norms, imprecise = _variances(party, factor.z, shape)
    spread, vague = _spread(party, distance, shape, factor, design)
    margin = _residual_margin(party, sse, beta, design)
    wrong = _wrong(party, factor, norms, margin, distance, [*imprecise, *vague])
    sigma, errors = _standard_errors(party, concatenate([sse, variances, spread]))
    at_origin = _at_origin(party, moments, beta, p, design)
    parts = _scale_back(party, moments, [beta.reshape(d), errors[:d], at_origin, errors[d:], sigma])
    unexplained = _unexplained(party, sigma, moments.c[d, d:])
    return Fit(*parts, unexplained, _trace(party, shape, d), wrong, factor.halvings)


def shrink(party: Party, c: Share, strength: float) -> Share:
    """⟨C'⟩ with off-diagonal entries times ρ = 1 - τ."""
    if strength == 0:
        return c
    tau, bits = _factor(strength / (1 + strength))
    coarse = truncate(party, c, MANTISSA_BITS - 31)
    product = coarse * tau  # 31 + bits
    if bits == 30:
        product = product * 2
    elif bits > 31:
        product = truncate(party, product, bits - 31)
    off_diagonal = ring.from_int(1 - np.eye(c.shape[0], dtype=np.int64))
    return c - product * off_diagonal


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
    root = round(sqrt(strength) * (1 << 30))
    weighted, diagonal = truncate_each(party, (beta.reshape(d) * root, 32), (_diagonal(c, d), 32))
    squared = multiply_rescaled(party, weighted, weighted, 26)
    return multiply(party, squared, diagonal).sum() * 4


def unpenalized(party: Party, c: Share, factor: Factor, strength: float) -> Share | None:
    """⟨I - J⟩ with 28 bits, or None where it is the identity. ‖τDZ‖ <= 2√τ 2^(k/2), since τD <= C'."""
    if strength == 0:
        return None
    d, k = factor.z.shape[0], factor.halvings
    tau, bits = _factor(strength / (1 + strength))
    diagonal = truncate(party, _diagonal(c, d), MANTISSA_BITS - 30)
    weight = truncate(party, diagonal * tau, 36)  # bits - 6, of which 24 are used
    weighted = multiply_rescaled(party, weight.reshape(d, 1), factor.z, bits + 18 - (38 - k))
    j = matmul_rescaled(party, factor.z.T, weighted, 24 + 38 - SHAPE_BITS)
    return ring.from_int(np.eye(d, dtype=np.int64) << SHAPE_BITS) - j


def _from_origin(party: Party, moments: Moments, design: Design) -> Share:
    """⟨p⟩ = 2^s(mean - origin) in two words, d×2: 13 - w bits, and 33 - w bits below that."""
    d, w = len(design.origin), design.origin_bits
    offset = moments.mean[:d] - fixedpoint.encode(design.origin, MEAN_BITS)
    if w:
        offset = truncate(party, offset, w)
    p = multiply(party, moments.up[:d], offset)  # MEAN_BITS - w
    high, fine = truncate_each(party, (p, MEAN_BITS - _T), (p, MEAN_BITS - _T - _LOW))
    words = [high, fine - high * (1 << _LOW)]
    return concatenate([word.reshape(d, 1) for word in words], axis=1)


def _distance(party: Party, z: Share, p: Share) -> Share:
    """⟨Zᵀp⟩, d values, 13 - w bits."""
    words = matmul(party, z.T, p)
    high, low = truncate_each(party, (words[:, 0], 24), (words[:, 1], 24 + _LOW))
    return high + low


def _residual_margin(party: Party, sse: Share, beta: Share, design: Design) -> Share:
    """⟨SSE' - 2^-18 - κ‖β'‖²⟩, 62 bits: negative where rounding of the data could show in the result.

    Coefficients that cancel each other magnify rounding: C' is right to 2^-40 of its entries at worst, which is an
    error of SSE' up to 2^-40 ‖β'‖², and one of a coefficient up to 2^-31 ‖β'‖ √(rows / SSE') standard errors.
    κ, a power of two, keeps the first below 2^-9 SSE' and the second below 2^-10.
    """
    exponent = min(31, 42 - (design.rows - 1).bit_length())
    squared = square(party, truncate(party, beta.reshape(-1), 10)).sum()  # 40 bits
    # One step for any number of rows, so that what is computed does not depend on it.
    margin = truncate(party, squared, 9) * (1 << 31 - exponent)
    return sse - margin - (1 << MANTISSA_BITS - SMALLEST_RESIDUAL_BITS)


def _wrong(party: Party, factor: Factor, norms: Share, margin: Share, distance: Share, imprecise: list[Share]) -> Share:
    """⟨1⟩ for the reasons in REASONS: four values, at most one of them 1.

    Where an earlier reason applies, later tests work on numbers that mean nothing; they stay hidden.
    """
    length = square(party, truncate(party, distance, 8)).sum()
    far = (1 << 2 * (_T + LARGEST_DISTANCE_BITS - 8)) - length
    room = (1 << 2 * _SQUARED + factor.halvings + LARGEST_INVERSE_BITS) - norms
    failed = negative(party, concatenate([margin, far, margins(factor), room, *imprecise]))
    d = norms.shape[0]
    reasons = [failed[2 : 4 + d].sum(), failed[0], failed[1]]
    if imprecise:
        reasons.append(failed[4 + d :].sum())
    else:
        reasons.append(public(party.rank, np.zeros(1, np.uint64)))
    some = negative(party, -concatenate(reasons))
    for later in range(1, len(REASONS)):
        earlier = some[later - 1]
        hidden = multiply(party, some[later:], (1 - earlier).broadcast_to((len(REASONS) - later,)))
        some = concatenate([some[:later], hidden])
    return some


def _variances(party: Party, z: Share, shape: Share | None) -> tuple[Share, Share, list[Share]]:
    """⟨(Z(I - J)Zᵀ)ⱼⱼ⟩ and ⟨(ZZᵀ)ⱼⱼ⟩, 32 bits; and what is negative where the first is too small to be precise."""
    z = truncate(party, z, 24 - _SQUARED)
    if shape is None:
        norms = square(party, z).sum(axis=1)
        return norms, norms, []
    return _weighed(party, z, shape)


def _spread(
    party: Party, distance: Share, shape: Share | None, factor: Factor, design: Design
) -> tuple[Share, list[Share]]:
    """⟨4·2^k(1 + λ) + (Zᵀp)ᵀ(I - J)Zᵀp⟩, 2(13 - w) bits, the 4 being that of C' = C/4; and as for variances."""
    one = round((1 + design.strength) * 2.0 ** (factor.halvings + 2 * (1 + _T - design.origin_bits)))
    if shape is None:
        return square(party, distance).sum() + one, []
    spread, _, (margin,) = _weighed(party, distance.reshape(1, -1), shape)
    return spread + one, [margin + one]


def _weighed(party: Party, rows: Share, shape: Share) -> tuple[Share, Share, list[Share]]:
    """⟨v(I - J)vᵀ⟩ and ⟨‖v‖²⟩ for each row v, and ⟨the first less 2^-13 times the second⟩."""
    weighed = matmul_rescaled(party, rows, shape, SHAPE_BITS)
    both = multiply(party, concatenate([rows, rows]), concatenate([weighed, rows])).sum(axis=1)
    n = rows.shape[0]
    return both[:n], both[n:], [both[:n] - truncate(party, both[n:], _PRECISE)]


def _standard_errors(party: Party, squares: Share) -> tuple[Share, Share]:
    """⟨√SSE'⟩ with 26 bits and its products with the other roots: 28 bits (the last: 23 - w)."""
    rooted = square_root(party, squares)
    sigma, slopes, level = truncate_each(party, (rooted[:1], 34), (rooted[1:-1], 25), (rooted[-1:], 27))
    others = concatenate([slopes, level])
    return sigma, multiply_rescaled(party, others, sigma.broadcast_to(others.shape), 18)


def _at_origin(party: Party, moments: Moments, beta: Share, p: Share, design: Design) -> Share:
    """⟨2^s_y m_y - β'ᵀp⟩ with 35 - w bits: the fitted value where all raw features are zero.

    It is at most ‖Zᵀp‖ / 2^(k/2), so below 2^(16 + w) if the checks hold.
    """
    d, w = beta.shape[0], design.origin_bits
    level = multiply(party, moments.up[d:], moments.mean[d:])
    short = truncate(party, beta, 4)
    high, low = matmul_each(party, (beta.reshape(1, d), p[:, :1]), (short.reshape(1, d), p[:, 1:]))
    high, low, level = truncate_each(
        party,
        (high.reshape(1), 30 + _T - _LEVEL),
        (low.reshape(1), 26 + _T + _LOW - _LEVEL),
        (level, MEAN_BITS - _LEVEL + w),
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
    return multiply_rescaled(party, sigma, inverse, 26 + 30 - UNEXPLAINED_BITS)


def _trace(party: Party, shape: Share | None, d: int) -> Share:
    if shape is None:
        return public(party.rank, np.zeros(1, np.uint64))
    return (d << SHAPE_BITS) - _diagonal(shape, d).sum()


def _diagonal(c: Share, d: int) -> Share:
    return c[np.arange(d), np.arange(d)]


def _factor(value: float) -> tuple[int, int]:
    """A public factor in (0, 1] as an integer of 30 bits, and its fraction bits."""
    bits = 30 - int(np.frexp(value)[1])
    return round(np.ldexp(value, bits)), bits
