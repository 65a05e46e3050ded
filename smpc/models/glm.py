"""Generalized linear models by Fisher scoring, on a secret design and with secret coefficients throughout.

[MN89] P. McCullagh, J. Nelder, "Generalized Linear Models", 2nd ed. 1989, section 2.5; the inverse of the information by
[Sch33] G. Schulz, "Iterative Berechnung der reziproken Matrix", ZAMM 13, 1933. In the coordinates of `whitened`, with
the r and w of `families`, P of a penalty and averages over N, a power of two,

    g = X̂ᵀr / N - Pβ̂      H = X̂ᵀ diag(w) X̂ / N + P      V ← 2V - VHV, some times      β̂ ← β̂ + Vg

V is kept from one iteration to the next. Newton and Schulz's step is right while the eigenvalues of VH are within
(0, 2): a w of 1/4, a logistic model's first and largest, begins below all that come, and for counts V is made smaller
first by as much as w may have grown.

What makes the result sure is looked at in the end, whatever the iterations did. At the β̂ that is released, with its own
g and H: every η is in its range, so that r and w are what they should be; the words of V, Vg and β̂ are so small that no
product wraps; |I - VH| < 2^-12 in every entry, so that V is the inverse; and S = gᵀVg N, the square of Newton's step
measured by the covariance of the estimate, is so small that no coefficient is further from the maximum than 2^-8.5 of
its own standard error. And if no row is on the wrong side of a logistic model, that is said: then there is no maximum.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from protocols import fixedpoint, ring
from protocols.beaver import multiply, multiply_each, open_once
from protocols.conversion import negative
from protocols.functions import scale_up, square_root
from protocols.party import Party
from protocols.rescaling import matmul_rescaled, matmul_rescaled_each
from protocols.shares import Share, concatenate, public
from protocols.truncation import truncate, truncate_each
from smpc.models import linear
from smpc.models.families import Family, Sums
from smpc.models.moments import MEAN_BITS, SPREAD, Reals
from smpc.models.whitened import Z_BITS, Whitened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from protocols.ring import RingArray

REASONS = (
    "the features are ill-conditioned: one is nearly a combination of others, or its declared range is far too wide",
    "the features separate the classes perfectly, so that no coefficients fit best: leave features out, or add a penalty",
    "the iterations did not converge: the classes may be all but separated, or more iterations are needed",
)

COEFFICIENT_BITS = 30
INTERCEPT_BITS = 24
ERROR_BITS = 24
SQUARED_STEP_BITS = 54

_BETA, _GRADIENT, _HESSIAN, _INVERSE = 24, 30, 28, 20
_PRODUCT = 24  # bits of VH
_LARGEST_BETA, _LARGEST_INVERSE, _LARGEST_STEP, _DEVIATION = 5, 12, -6, -12  # log₂
_FAR = 10  # ‖κZᵀp‖ < 2^10: how far off the raw origin may be
_SQUARED_STEP = -17  # log₂ of the largest S
_Q, _LEVEL, _COARSE = 14, 12, 16  # bits of q, Vq and others that are multiplied
_LAST = 2  # steps for the inverse at the end


@dataclass(frozen=True)
class Fitted:
    """Secret results. Coefficients and errors in units of u; see `linear.Fit` for those at the raw origin."""

    coefficients: Share  # d, COEFFICIENT_BITS
    intercept: Share  # _BETA bits
    errors: Share  # d, ERROR_BITS, times √(N · scale)
    intercept_error: Share  # ERROR_BITS, times √(N · scale)
    sums: Sums
    wrong: Share  # ⟨1⟩ for the first of REASONS that applies
    squared_step: Share  # S / N, bits SQUARED_STEP_BITS


@dataclass
class Scoring:
    """The iterations."""

    party: Party
    design: Whitened
    family: Family
    shared: Share  # the columns of y, a row for each

    def __post_init__(self) -> None:
        open_once(self.party, self.design.x)
        self.size = self.design.x.shape[1]
        self.v = self._first_inverse()
        self.penalty = self._penalty()

    def run(self, iterations: int) -> Share:
        """β̂ after so many iterations, the first of which starts from zero."""
        terms = self.family.start(self.party, self.shared, self.design.bits)
        beta = self.step(self.gradient(terms.residual, None), terms.weight, self.family.first)
        for _ in range(iterations - 1):
            eta = self.predictor(beta)
            terms = self.family.terms(self.party, eta, self.shared, self.design.bits)
            beta = beta + self.step(self.gradient(terms.residual, beta), terms.weight, self.family.steps)
        return beta

    def predictor(self, beta: Share) -> Share:
        """⟨X̂β̂⟩."""
        x, bits = self.design.x, self.design.bits + _BETA - self.family.eta_bits
        return matmul_rescaled(self.party, x, beta.reshape(-1, 1), bits).reshape(-1)

    def gradient(self, residual: Share, beta: Share | None) -> Share:
        """⟨g⟩, a column."""
        lost = self.design.bits + self.family.bits + self.design.rows_bits - _GRADIENT
        products = [(self.design.x.T, residual.reshape(-1, 1), lost)]
        if self.penalty is not None and beta is not None:
            products.append((self.penalty, beta.reshape(-1, 1), _HESSIAN + _BETA - _GRADIENT))
        score, *shrinking = matmul_rescaled_each(self.party, *products)
        return score - shrinking[0] if shrinking else score

    def step(self, gradient: Share, weight: Share | None, steps: int) -> Share:
        """⟨Vg⟩ with V brought up to date."""
        if weight is not None:
            self.improve(self.information(weight), steps, self.family.guard)
        return matmul_rescaled(self.party, self.v, gradient, _INVERSE + _GRADIENT - _BETA).reshape(-1)

    def information(self, weight: Share | None) -> Share:
        """⟨H⟩."""
        x, bits = self.design.x, self.design.bits
        weighted, ones = x, bits
        if weight is not None:
            weighted = multiply(self.party, weight.reshape(-1, 1).broadcast_to(x.shape), x)
            ones = 2 * bits
        h = matmul_rescaled(self.party, x.T, weighted, bits + ones + self.design.rows_bits - _HESSIAN)
        return h if self.penalty is None else h + self.penalty

    def improve(self, h: Share, steps: int, guard: int = 0) -> None:
        """V ← 2V - VHV."""
        open_once(self.party, h)
        if guard:
            self.v = truncate(self.party, self.v, guard)
        for _ in range(steps):
            t = ring.from_int(np.eye(self.size, dtype=np.int64) << _PRODUCT + 1) - self.product(h)
            self.v = matmul_rescaled(self.party, t, self.v, _PRODUCT)

    def product(self, h: Share) -> Share:
        """⟨VH⟩."""
        return matmul_rescaled(self.party, self.v, h, _INVERSE + _HESSIAN - _PRODUCT)

    @property
    def _weight(self) -> float:
        """H without penalty is so many times I for all w = `curvature`."""
        return float(self.family.curvature * self.design.rows / 2.0**self.design.rows_bits)

    def _penalty(self) -> Share | None:
        """⟨P⟩, of which the intercept has no part."""
        if self.design.penalty is None:
            return None
        factor = round(self._weight * self.design.spread * (1 << _PRODUCT))
        inner = truncate(self.party, self.design.penalty * factor, _PRODUCT)
        whole = np.zeros((self.size, self.size), np.uint64)
        whole[1:, 1:] = inner.values
        return Share(inner.rank, whole)

    def _first_inverse(self) -> Share:
        weight = self._weight
        diagonal = np.full(self.size, 1 / (weight * self.design.spread))
        diagonal[0] = 1 / weight
        return public(self.party.rank, fixedpoint.encode(np.diag(diagonal), _INVERSE))


def strength(family: Family, penalty: float, rows: int) -> float:
    """λₛ of `whitened`, of a penalty on half the sum of squares of standardized coefficients."""
    return penalty / (family.curvature * rows)


def fit(party: Party, design: Whitened, family: Family, shared: Share, origin: Reals, iterations: int) -> Fitted:
    """Fit y, of which `shared` has the columns of `family`, to the design; `origin`: zero of the raw features in u.

    About 27 rounds for each iteration of a logistic model, 31 for counts, 11 for amounts, and 70 in the end. Opens
    masked values only; what is released is the caller's.
    """
    scoring = Scoring(party, design, family, shared)
    beta = scoring.run(iterations)
    eta = scoring.predictor(beta)
    terms = family.terms(party, eta, shared, design.bits)
    gradient, h = scoring.gradient(terms.residual, beta), scoring.information(terms.weight)
    if terms.weight is not None:
        scoring.improve(h, _LAST)
    else:
        open_once(party, h)
    step = scoring.step(gradient, None, 0)
    deviation = scoring.product(h) - ring.from_int(np.eye(scoring.size, dtype=np.int64) << _PRODUCT)
    squared = multiply(party, gradient.reshape(-1), step).sum()
    raw = _Raw(party, design, beta, scoring.v, origin)
    sound = concatenate([design.margins, *_between(raw.p, 1 << _BETA + _FAR + 3), *_between(raw.q, 1 << _FAR + _Q)])
    ends = family.limits
    converged = concatenate([
        eta - ends[0], ends[1] - eta, (1 << _GRADIENT + _BETA + _SQUARED_STEP - design.rows_bits) - squared,
        *_between(beta, 1 << _BETA + _LARGEST_BETA), *_between(step, 1 << _BETA + _LARGEST_STEP),
        *_between(gradient, 1 << _GRADIENT + _LARGEST_STEP), *_between(scoring.v, 1 << _INVERSE + _LARGEST_INVERSE),
        *_between(deviation, 1 << _PRODUCT + _DEVIATION),
    ])  # fmt: skip
    wrong = _wrong(party, sound, None if design.strength else family.separated(party, eta, shared), converged)
    coefficients, errors, intercept_error = raw.scaled_back()
    return Fitted(coefficients, raw.intercept(), errors, intercept_error, family.sums(party, eta, terms.residual, shared),
                  wrong, squared)  # fmt: skip


def _between(x: Share, most: int) -> tuple[Share, Share]:
    """Two values, of which one is negative unless |x| <= most, for each of x."""
    flat = x.reshape(-1)
    return most - flat, flat + most


def _wrong(party: Party, sound: Share, separated: Share | None, converged: Share) -> Share:
    """⟨1⟩ for the first of REASONS that applies, one value each."""
    failed = negative(party, concatenate([sound, converged]))
    n = sound.shape[0]
    counts = [failed[:n].sum(), failed[n:].sum()]
    some = negative(party, -concatenate(counts))
    none = public(party.rank, np.zeros(1, np.uint64))
    later = concatenate([none if separated is None else separated, some[1:]])
    later = multiply(party, later, (1 - some[:1]).broadcast_to((2,)))
    last = multiply(party, later[1:], 1 - later[:1])
    return concatenate([some[:1], later[:1], last])


class _Raw:
    """The way from the coordinates of the design back to u, and to the raw origin for the intercept.

    With p = 2^s (m - origin) and q = κ Zᵀp the fitted value at the origin is β̂₀ - qᵀβ̂, its variance (1, -q) V (1, -q)ᵀ.
    """

    def __init__(self, party: Party, design: Whitened, beta: Share, v: Share, origin: Reals) -> None:
        self.party, self.design, self.beta, self.v = party, design, beta, v
        d = len(origin)
        offset = truncate(party, design.moments.mean[:d] - fixedpoint.encode(origin, MEAN_BITS), MEAN_BITS - _BETA)
        self.p = multiply(party, design.moments.up[:d], offset)  # _BETA bits
        short = truncate(party, self.p, _BETA - _COARSE)
        lost = Z_BITS + _COARSE + design.scale_bits - _Q
        self.q = matmul_rescaled(party, design.z.T, short.reshape(-1, 1), lost).reshape(-1)
        slopes = matmul_rescaled(party, design.z, beta[1:].reshape(-1, 1), Z_BITS + _BETA + design.scale_bits - COEFFICIENT_BITS)
        self.slopes = slopes.reshape(-1)  # of 2^s (u - m), COEFFICIENT_BITS

    def intercept(self) -> Share:
        """⟨β̂₀ - qᵀβ̂⟩, from p and slopes, which are more precise."""
        p, slopes = truncate_each(self.party, (self.p, _BETA - 18), (self.slopes, COEFFICIENT_BITS - _BETA))
        (product,) = matmul_rescaled_each(self.party, (p.reshape(1, -1), slopes.reshape(-1, 1), 18))
        return self.beta[:1] - product.reshape(1)

    def scaled_back(self) -> tuple[Share, Share, Share]:
        """⟨slopes⟩ of u, and their ⟨errors⟩ and that of the intercept, as in `Fitted`."""
        party, d = self.party, self.slopes.shape[0]
        v, z = truncate_each(party, (self.v, _INVERSE - _COARSE), (self.design.z, Z_BITS - _COARSE))
        contrast = concatenate([public(self.q.rank, np.full(1, 1 << _Q, np.uint64)), -self.q]).reshape(-1, 1)
        inner, level = matmul_rescaled_each(
            party, (z, v[1:, 1:], _COARSE + self.design.scale_bits), (v, contrast, _COARSE + _Q - _LEVEL)
        )
        squares, square = multiply_each(party, (inner, z), (level, contrast))
        roots = square_root(party, concatenate([squares.sum(axis=1), square.sum(axis=0)]))
        errors, at_origin = truncate_each(party, (roots[:d], 29 + _COARSE - ERROR_BITS),
                                          (roots[d:], 29 + (_LEVEL + _Q) // 2 - ERROR_BITS))  # fmt: skip
        up = self.design.moments.up[:d]
        scaled = scale_up(party, concatenate([self.slopes, errors]), concatenate([up, up]), SPREAD)
        return scaled[:d], scaled[d:], at_origin
