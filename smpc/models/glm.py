"""Generalized linear models by Fisher scoring, on a secret design and with secret coefficients throughout.

[MN89] P. McCullagh, J. Nelder, "Generalized Linear Models", 2nd ed. 1989, section 2.5; the inverse of the information
by [Sch33] G. Schulz, "Iterative Berechnung der reziproken Matrix", ZAMM 13, 1933. In the coordinates of `whitened`,
with the r and w of `families`, P of a penalty and averages over N, a power of two,

    g = X̂ᵀr / N - Pβ̂      H = X̂ᵀ diag(w) X̂ / N + P      V ← 2V - VHV, some times      β̂ ← β̂ + Vg

V is kept from one iteration to the next. Newton and Schulz's step is right while the eigenvalues of VH are within
(0, 2): a w of 1/4, a logistic model's first and largest, begins below all that come, and for counts V is made smaller
first by as much as w may have grown.

What makes the result sure is looked at in the end, whatever the iterations did. At the β̂ that is released, with its own
g and H: every η is in its range, so that r and w are what they should be; the words of V, Vg and β̂ are so small that no
product wraps; |I - VH| < 2^-12 in every entry, so that V is the inverse; and S = gᵀVg N, the square of Newton's step
measured by the covariance of the estimate, is so small that no coefficient is further from the maximum than 2^-8.5 of
its own standard error. With a penalty, whose estimate varies by V (H - P) V and so by less, that is looked at for each
slope; with a dispersion, for what the residuals have. And if no row is on the wrong side of a logistic model, that is
said: then there is no maximum.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from protocols import fixedpoint, ring
from protocols.beaver import multiply, open_once
from protocols.conversion import negative
from protocols.party import Party
from protocols.rescaling import matmul_rescaled, matmul_rescaled_each, multiply_rescaled
from protocols.shares import Share, concatenate, public
from protocols.truncation import truncate
from smpc.models.families import WEIGHT_BITS, Family, Rows, Sums, Terms
from smpc.models.raw import BETA_BITS, INVERSE_BITS, Raw, between, raw_coefficients
from smpc.models.whitened import Whitened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from protocols.ring import RingArray

REASONS = (
    "the features are ill-conditioned (one is nearly a combination of others, or has no weight), or ranges too wide",
    "the features separate the classes perfectly, so that no coefficients fit best: leave some out, or add a penalty",
    "the weights add up to too little, or the features explain the target almost exactly: there are no standard errors",
    "the iterations did not converge: more may help, or the classes are all but separated, or a range is far too wide",
)

SQUARED_STEP_BITS = 54

_BETA, _GRADIENT, _HESSIAN, _INVERSE = BETA_BITS, 30, 28, INVERSE_BITS
_PRODUCT = 24  # bits of VH
_OF_STEP, _OF_PRODUCT = _INVERSE + _GRADIENT - _BETA, _INVERSE + _HESSIAN - _PRODUCT  # what products lose
_LARGEST_BETA, _LARGEST_INVERSE, _LARGEST_STEP, _DEVIATION = 5, 12, -1, -12  # log₂
_LAST = 2  # steps for the inverse at the end


@dataclass(frozen=True)
class Fitted:
    """Secret results; `wrong`: ⟨1⟩ for the first of REASONS that applies; `squared_step`: S / N."""

    raw: Raw
    sums: Sums
    wrong: Share
    squared_step: Share  # SQUARED_STEP_BITS


@dataclass
class Scoring:
    """The iterations."""

    party: Party
    design: Whitened
    family: Family
    rows: Rows

    def __post_init__(self) -> None:
        open_once(self.party, self.design.x)
        self.size = self.design.x.shape[1]
        self.v = self._first_inverse()
        self.penalty = self._penalty()

    def run(self, iterations: int) -> Share:
        """β̂ after so many iterations, the first of which starts from zero."""
        terms = self.weighted(self.family.start(self.party, self.rows, self.design.bits))
        beta = self.step(self.gradient(terms.residual, None), terms.weight, self.family.first)
        for _ in range(iterations - 1):
            terms = self.weighted(self.family.terms(self.party, self.predictor(beta), self.rows, self.design.bits))
            beta = beta + self.step(self.gradient(terms.residual, beta), terms.weight, self.family.steps)
        return beta

    def weighted(self, terms: Terms) -> Terms:
        """r and w times the weights of rows. No weight of a first step stands for its largest: that V begins with."""
        weights = self.rows.weight
        if weights is None:
            return terms
        if terms.weight is None:
            own = truncate(self.party, weights, WEIGHT_BITS - self.design.bits)
            return Terms(multiply_rescaled(self.party, terms.residual, weights, WEIGHT_BITS), own)
        both = concatenate([terms.residual, terms.weight])
        products = multiply_rescaled(self.party, both, concatenate([weights, weights]), WEIGHT_BITS)
        n = weights.shape[0]
        return Terms(products[:n], products[n:])

    def predictor(self, beta: Share) -> Share:
        """⟨η⟩ = ⟨X̂β̂⟩ and the offsets."""
        x, bits = self.design.x, self.design.bits + _BETA - self.family.eta_bits
        eta = matmul_rescaled(self.party, x, beta.reshape(-1, 1), bits).reshape(-1)
        return eta if self.rows.offset is None else eta + self.rows.offset

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
        return matmul_rescaled(self.party, self.v, gradient, _OF_STEP).reshape(-1)

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
            product = matmul_rescaled(self.party, self.v, h, _OF_PRODUCT)
            self.v = matmul_rescaled(self.party, self.identity(_PRODUCT + 1) - product, self.v, _PRODUCT)

    def check(self, gradient: Share, h: Share) -> tuple[Share, Share]:
        """⟨Vg⟩ and ⟨VH⟩."""
        step, product = matmul_rescaled_each(self.party, (self.v, gradient, _OF_STEP), (self.v, h, _OF_PRODUCT))
        return step.reshape(-1), product

    def covariance(self, h: Share) -> Share:
        """⟨V⟩, or ⟨V(H - P)V⟩ if there is a penalty: the variance of the estimate, not of a posterior."""
        if self.penalty is None:
            return self.v
        half = matmul_rescaled(self.party, self.v, h - self.penalty, _OF_PRODUCT)
        return matmul_rescaled(self.party, half, self.v, _PRODUCT)

    def identity(self, bits: int) -> RingArray:
        return ring.from_int(np.eye(self.size, dtype=np.int64) << bits)

    @property
    def _weight(self) -> float:
        """H without penalty is so many times I for all w = `curvature`."""
        return float(self.family.curvature * self.design.x.shape[0] / 2.0**self.design.rows_bits)

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


def fit(party: Party, design: Whitened, family: Family, rows: Rows, iterations: int, most: int) -> Fitted:
    """Fit y to the design.

    `most`: log₂ of the S up to which the iterations converged. Rounds, whatever the rows and columns: 26 for each
    iteration of a logistic model, 35 for counts, 13 for amounts, and some 75 in the end. Opens masked values only; what
    is released is the caller's.
    """
    scoring = Scoring(party, design, family, rows)
    beta = scoring.run(iterations)
    eta = scoring.predictor(beta)
    terms = family.terms(party, eta, rows, design.bits)
    weighted = scoring.weighted(terms)
    gradient, h = scoring.gradient(weighted.residual, beta), scoring.information(weighted.weight)
    scoring.improve(h, _LAST if weighted.weight is not None else 0)
    step, product = scoring.check(gradient, h)
    squared = multiply(party, gradient.reshape(-1), step).sum()
    sums = family.sums(party, eta, terms.residual, weighted.residual, rows)
    unit = design.rows_bits + family.information_unit + rows.heaviest
    found = raw_coefficients(party, design, beta, scoring.v, scoring.covariance(h), step, most - unit)
    argument, (low, high) = family.argument(eta, rows), family.ends
    limit = family.limit(party, sums, most, design.rows_bits)
    if limit is None:
        limit = public(party.rank, np.full(1, 1 << SQUARED_STEP_BITS + most - unit, np.uint64))
    converged = [
        argument - low, high - argument, limit - squared, *found.converged,
        *between(beta, _BETA + _LARGEST_BETA), *between(step, _BETA + _LARGEST_STEP),
        *between(gradient, _GRADIENT + _LARGEST_STEP), *between(scoring.v, _INVERSE + _LARGEST_INVERSE),
        *between(product - scoring.identity(_PRODUCT), _PRODUCT + _DEVIATION),
    ]  # fmt: skip
    groups = [[design.margins, *found.sound], family.spread(sums, rows, scoring.size), converged]
    separated = family.separated(party, eta, rows) if design.penalty is None else None
    return Fitted(found, sums, _wrong(party, groups, separated), squared)


def _wrong(party: Party, groups: Sequence[Sequence[Share]], separated: Share | None) -> Share:
    """⟨1⟩ for the first of REASONS that applies, one value each; of each group one is negative if its reason does.

    Where an earlier reason applies, later tests work on numbers that mean nothing; they stay hidden.
    """
    flat = [concatenate([one.reshape(-1) for one in group]) for group in groups]
    failed, counts = negative(party, concatenate(flat)), []
    for group in flat:
        counts.append(failed[: group.shape[0]].sum())
        failed = failed[group.shape[0] :]
    some = negative(party, -concatenate(counts))
    none = public(party.rank, np.zeros(1, np.uint64))
    every = concatenate([some[:1], none if separated is None else separated, some[1:]])
    for later in range(1, len(REASONS)):
        hidden = multiply(party, every[later:], (1 - every[later - 1]).broadcast_to((len(REASONS) - later,)))
        every = concatenate([every[:later], hidden])
    return every
