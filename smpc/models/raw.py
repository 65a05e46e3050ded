"""Coefficients of a whitened design, with standard errors, as those of the raw features.

β̂ of X̂ (see `whitened`) are κ Z β̂ of the equilibrated features 2^s (u - m), and 2^s times that of u. With V their
covariance, up to N, variances are the diagonal of κ² Z V Zᵀ. With p = 2^s (m - origin) and q = κ Zᵀp the fitted value
where the raw features are zero is β̂₀ - qᵀβ̂, its variance (1, -q) V (1, -q)ᵀ; qᵀβ̂ is computed from p and slopes, which
are more precise.

Roots of large variances end in zeros, as many as they have bits beyond 31 (`protocols.roots`): so many are cut off, and
the random bits of `scale_up` are the lowest that are left.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from protocols.beaver import multiply_each
from protocols.functions import scale_up
from protocols.party import Party
from protocols.rescaling import matmul_rescaled, matmul_rescaled_each
from protocols.roots import sqrt
from protocols.shares import Share, concatenate, public
from protocols.truncation import truncate, truncate_each
from smpc.models.moments import SPREAD
from smpc.models.whitened import UNIT_BITS, Z_BITS, Whitened

COEFFICIENT_BITS = 30
INTERCEPT_BITS = BETA_BITS = 24
INVERSE_BITS = 20
ERROR_BITS = 14

_FAR = 10  # |q| < 2^10: how far off the raw origin may be
_P, _Q, _LEVEL, _COARSE = 18, 14, 12, 16  # bits of p, q, Vq and others that are multiplied
_VARIANCE = 60  # of variances, in a word
_WEIGHT = 14  # a variance is 2^-14 ‖κVz‖² at least, V the inverse, if there is a penalty: else V H V has too few digits
_SHORT = 8  # bits of κVz


@dataclass(frozen=True)
class Raw:
    """Secret results, in units of u. Of `sound` and `converged` some are negative unless the others can be trusted."""

    coefficients: Share  # d, COEFFICIENT_BITS
    errors: Share  # d, ERROR_BITS, times √N
    intercept: Share  # INTERCEPT_BITS; the linear predictor where the raw features are zero
    intercept_error: Share  # ERROR_BITS, times √N
    sound: list[Share]
    converged: list[Share]


def between(x: Share, bits: int) -> tuple[Share, Share]:
    """Two values, of which one is negative unless |x| <= 2^bits, for each of x."""
    flat, most = x.reshape(-1), 1 << bits
    return most - flat, flat + most


def raw_coefficients(
    party: Party, design: Whitened, beta: Share, inverse: Share, covariance: Share, step: Share, most: int
) -> Raw:
    """Of β̂, the inverse of the penalized information, the covariance, and a `step` to the optimum. About 35 rounds.

    Converged, if there is a penalty: the square of each slope's step is at most 2^most of the variance. (Without, S of
    `glm` says more.) Opens masked values only.
    """
    d, scale = design.z.shape[0], design.scale_bits
    coarse, p, v, z = truncate_each(
        party, (design.p, UNIT_BITS - _COARSE), (design.p, UNIT_BITS - _P), (covariance, INVERSE_BITS - _COARSE),
        (design.z, Z_BITS - _COARSE),
    )  # fmt: skip
    lost = Z_BITS + BETA_BITS + scale - COEFFICIENT_BITS
    both = concatenate([beta[1:].reshape(-1, 1), step[1:].reshape(-1, 1)], axis=1)
    q, slopes = matmul_rescaled_each(
        party, (design.z.T, coarse.reshape(-1, 1), Z_BITS + _COARSE + scale - _Q), (design.z, both, lost)
    )
    slopes, steps = slopes[:, 0], slopes[:, 1]
    contrast = concatenate([public(q.rank, np.full((1, 1), 1 << _Q, np.uint64)), -q])
    inner, level, spread = matmul_rescaled_each(
        party, (z, v[1:, 1:], _COARSE + scale), (v, contrast, _COARSE + _Q - _LEVEL),
        (design.z, inverse[1:, 1:], Z_BITS + INVERSE_BITS + scale - _SHORT),
    )  # fmt: skip
    squares, square, lengths, moved = multiply_each(
        party, (inner, z), (level, contrast), (spread, spread), (steps, steps)
    )
    # Of the slopes κ is in once; what the intercept's has less is an even number of bits, half of it in the root
    bits = 2 * _COARSE + scale
    less = bits - _LEVEL - _Q
    variances = concatenate([squares.sum(axis=1), square.sum(axis=0) * (1 << less % 2)])
    roots = sqrt(party, variances, bits, 0, 1 << _VARIANCE)
    errors, its_error, short = truncate_each(
        party, (roots[:d], bits - ERROR_BITS), (roots[d:], bits - less // 2 - ERROR_BITS),
        (slopes, COEFFICIENT_BITS - INTERCEPT_BITS),
    )  # fmt: skip
    shift = matmul_rescaled(party, p.reshape(1, -1), short.reshape(-1, 1), _P).reshape(1)
    scaled = scale_up(party, concatenate([slopes, errors]), concatenate([design.up, design.up]), SPREAD)
    limit = (1 << _VARIANCE) - variances
    sound = [*between(design.p, UNIT_BITS + _FAR + 3), *between(q, _Q + _FAR), limit, variances,
             *between(level, _VARIANCE - _Q - _FAR - (d + 1).bit_length())]  # fmt: skip
    converged: list[Share] = []
    if design.penalty is not None:
        sound.append(variances[:d] - lengths.sum(axis=1) * (1 << bits - 2 * _SHORT - _WEIGHT))
        own = _within(party, variances[:d], moved, 2 * COEFFICIENT_BITS - bits + most)
        converged = [*between(steps, COEFFICIENT_BITS - 1), own]
    return Raw(scaled[:d], scaled[d:], beta[:1] - shift, its_error, sound, converged)


def _within(party: Party, variances: Share, moved: Share, bits: int) -> Share:
    """⟨2^bits variances - moved⟩, or that over 2^bits."""
    if not bits:
        return variances - moved
    return truncate(party, variances, -bits) - moved if bits < 0 else variances - truncate(party, moved, bits)
