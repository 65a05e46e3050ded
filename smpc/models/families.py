"""Distributions of the target of a generalized linear model: what an iteration needs of each.

[MN89] P. McCullagh, J. Nelder, "Generalized Linear Models", 2nd ed. 1989, section 2.5 (Fisher scoring) and table 2.1.
With η the linear predictor and μ the mean,

    family     link    y           residual r     weight w    deviance
    logistic   logit   0 or 1      y - μ          μ (1 - μ)   2 Σ log(1 + exp(-(2y - 1) η))
    poisson    log     0, 1, 2 …   y - μ          μ           2 Σ y log(y/μ)
    gamma      log     above 0     y/μ - 1        1           2 Σ log(μ/y)

the score is X̂ᵀr and the expected information X̂ᵀ diag(w) X̂. (What the textbook's deviances have beside is zero at a
maximum of the likelihood, if there is an intercept.) Counts and amounts are taken in units of the largest that the
manifest declares, rounded up to a power of two, so that y and μ are about 1 at most: that moves the intercept.

Rows may have a weight, which multiplies r, w and what is summed, and an offset, a known part of η.

What depends on y alone its owner computes, and shares as columns. η has a public range, wide enough for any model that
is not about to separate the data; nobody clips it, since that would take as many rounds as the function. Outside of the
range a function has another value: `glm` checks in the end that no η was there.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from decimal import Decimal
from math import ceil
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np
from scipy import special

from protocols.beaver import square
from protocols.conversion import negative
from protocols.exponential import scaled_exp
from protocols.party import Party
from protocols.piecewise import Pieces, Real, piecewise
from protocols.rescaling import multiply_rescaled
from protocols.shares import Share, public
from protocols.truncation import truncate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Reals = NDArray[np.float64]


class Value(NamedTuple):
    """One secret number with its fraction bits."""

    share: Share
    bits: int

    def times(self, power: int) -> Value:
        """Times 2^power: another number of bits."""
        return Value(self.share, self.bits - power)

    def less(self, other: Value) -> Value:
        """The difference, with the bits of the one that has more."""
        bits = max(self.bits, other.bits)
        return Value(self.share * (1 << bits - self.bits) - other.share * (1 << bits - other.bits), bits)


Sums = dict[str, Value]
_LOG_2 = float(np.log(2.0))
_FINE, _FEW = 16, 5  # bits of figures, and of sums of what depends on y alone
_LEAST = 10  # -log₂ of the smallest dispersion
_SQUARED = 12  # bits of what is squared
WEIGHT_BITS = 20


class Rows(NamedTuple):
    """What is shared of each row beside its features: columns of y, as its family has them; offset, in the bits of η.

    weight: in [0, 1] with WEIGHT_BITS.
    """

    y: Share
    offset: Share | None = None
    weight: Share | None = None
    heaviest: int = 0  # log₂ of the unit of weights

    def total(self, party: Party, x: Share) -> Share:
        """⟨Σ x⟩, weighted; |x| below 2^(62 - WEIGHT_BITS)."""
        return x.sum() if self.weight is None else multiply_rescaled(party, x, self.weight, WEIGHT_BITS).sum()


class Terms(NamedTuple):
    """⟨r⟩ with the family's bits, and ⟨w⟩ with those that were asked for; None if all w are 1."""

    residual: Share
    weight: Share | None


@dataclass(frozen=True)
class Family(ABC):
    """A distribution with its link; columns that are shared of y have `bits` fraction bits, η has `eta_bits`.

    `unit`: log₂ of that of y.
    """

    unit: int = 0

    bits: ClassVar[int] = 20
    eta_bits: ClassVar[int] = 20
    curvature: ClassVar[float] = 1.0  # the w at which the inverse of the information starts
    guard: ClassVar[int] = 0  # log₂ of the factor by which w may grow from one iteration to the next
    steps: ClassVar[int] = 2  # of Newton and Schulz in each iteration
    first: ClassVar[int] = 12  # and in the first one
    converged: ClassVar[int] = -17  # log₂ of the largest S of a fit that can be trusted; see `glm`
    limits: ClassVar[tuple[float, float]] = (-27.5, 1.5)  # of `argument`: μ of 4 or less

    @property
    def level(self) -> float:
        """What an intercept in units of y has too little."""
        return self.unit * _LOG_2

    @property
    def ends(self) -> tuple[int, int]:
        """`limits` in units of η."""
        return int(self.limits[0] * (1 << self.eta_bits)), int(self.limits[1] * (1 << self.eta_bits))

    @property
    def information_unit(self) -> int:
        """log₂ of that of w."""
        return 0

    def argument(self, eta: Share, rows: Rows) -> Share:  # noqa: ARG002
        """What the family's function is taken of."""
        return eta

    @abstractmethod
    def columns(self, y: Reals) -> Reals:
        """What the owner of y shares, a row for each column."""

    @abstractmethod
    def constants(self, y: Reals, weight: Reals) -> Reals:
        """Sums over rows of weights, of wy, and of what else describes y alone."""

    @abstractmethod
    def start(self, party: Party, rows: Rows, bits: int) -> Terms:
        """r and w, which has so many bits, of the first step; it is made from zero."""

    @abstractmethod
    def terms(self, party: Party, eta: Share, rows: Rows, bits: int) -> Terms:
        """r and w at η."""

    @abstractmethod
    def sums(self, party: Party, eta: Share, residual: Share, weighted: Share, rows: Rows) -> Sums:
        """What else describes the fit: sums over all rows, one number each, with their bits; `weighted`: residuals."""

    @abstractmethod
    def told(self, constants: Sequence[Value], sums: Mapping[str, Value]) -> list[tuple[Value, int]]:
        """What of both is released, sums in the unit of weights, and with how many bits: no more than figures need.

        What depends on y alone has few; but of counts in a narrow range even these sums tell how often each occurs.
        """

    @abstractmethod
    def described(self, told: Sequence[float], size: int) -> dict[str, float]:
        """The fit with so many coefficients in figures: deviance, null_deviance, aic, and dispersion if it has one."""

    def spread(self, sums: Sums, rows: Rows, size: int) -> list[Share]:  # noqa: ARG002
        """Values of which one is negative where standard errors cannot be given."""
        if rows.weight is None:
            return [public(rows.y.rank, np.ones(1, np.uint64))]
        return [rows.weight.sum() - ceil((size + 1) * 2.0 ** (WEIGHT_BITS - rows.heaviest))]

    def limit(self, party: Party, sums: Sums, most: int, rows_bits: int) -> Share | None:  # noqa: ARG002
        """The largest S / N for 2^most dispersions, as `glm` has it; None for a dispersion of 1."""
        return None

    def separated(self, party: Party, eta: Share, rows: Rows) -> Share | None:  # noqa: ARG002
        """⟨1⟩ if the likelihood has no maximum, ⟨0⟩ else; None if it always has one."""
        return None


class Logistic(Family):
    """Shares y."""

    bits = eta_bits = 18
    curvature = 0.25
    first = 0
    limits = (-64.0, 64.0)

    def columns(self, y: Reals) -> Reals:
        return y[None, :]

    def constants(self, y: Reals, weight: Reals) -> Reals:
        return np.array([weight.sum(), (weight * y).sum()])

    def start(self, party: Party, rows: Rows, bits: int) -> Terms:  # noqa: ARG002
        if rows.offset is None:
            return Terms(rows.y[0] - (1 << self.bits - 1), None)
        return Terms(rows.y[0] - self._mean(party, rows.offset), None)

    def terms(self, party: Party, eta: Share, rows: Rows, bits: int) -> Terms:
        mean = self._mean(party, eta)
        return Terms(rows.y[0] - mean, multiply_rescaled(party, mean, (1 << self.bits) - mean, 2 * self.bits - bits))

    def sums(self, party: Party, eta: Share, residual: Share, weighted: Share, rows: Rows) -> Sums:  # noqa: ARG002
        loss = piecewise(party, -self._towards(party, eta, rows), self._pieces(_softplus), self.bits)
        return {"loss": Value(rows.total(party, loss), self.bits)}

    def told(self, constants: Sequence[Value], sums: Mapping[str, Value]) -> list[tuple[Value, int]]:
        return [(one, one.bits) for one in (*constants, sums["loss"])]

    def described(self, told: Sequence[float], size: int) -> dict[str, float]:
        weight, ones, loss = told
        split = [ones / weight, 1 - ones / weight]
        null = -2 * weight * special.xlogy(split, split).sum()
        return {"deviance": 2 * loss, "null_deviance": null, "aic": 2 * (loss + size)}

    def separated(self, party: Party, eta: Share, rows: Rows) -> Share | None:
        """Nobody is on the wrong side, so that multiples of the coefficients fit better (but for an offset)."""
        if rows.offset is not None:
            return None
        return negative(party, negative(party, self._towards(party, eta, rows)).sum() - 1)

    def _mean(self, party: Party, eta: Share) -> Share:
        return piecewise(party, eta, self._pieces(_logistic), self.bits)

    def _towards(self, party: Party, eta: Share, rows: Rows) -> Share:
        """⟨(2y - 1) η⟩: how far each row is on its own side."""
        return multiply_rescaled(party, rows.y[0] * 2 - (1 << self.bits), eta, self.bits)

    def _pieces(self, function: Real) -> Pieces:
        return Pieces(function, *self.ends, self.eta_bits, 7, 7)


class Poisson(Family):
    """Shares y, (y + 1/2) log(y + 1/2) and y + 1/2, the first step's."""

    bits = 24
    guard, steps = 2, 4

    @property
    def information_unit(self) -> int:
        return self.unit

    def columns(self, y: Reals) -> Reals:
        half = np.ldexp(y + 0.5, -self.unit)
        return np.stack([np.ldexp(y, -self.unit), half * np.log(half), half])

    def constants(self, y: Reals, weight: Reals) -> Reals:
        each = [np.ones_like(y), y, special.xlogy(y, np.ldexp(y, -self.unit)), special.gammaln(y + 1)]
        return np.array([(weight * one).sum() for one in each])

    def start(self, party: Party, rows: Rows, bits: int) -> Terms:
        response = rows.y[1]
        if rows.offset is not None:
            response = response - multiply_rescaled(party, rows.y[2], rows.offset, self.eta_bits)
        return Terms(response, truncate(party, rows.y[2], self.bits - bits))

    def terms(self, party: Party, eta: Share, rows: Rows, bits: int) -> Terms:
        mean = scaled_exp(party, eta, self.eta_bits, *self.ends, self.bits)
        return Terms(rows.y[0] - mean, truncate(party, mean, self.bits - bits))

    def sums(self, party: Party, eta: Share, residual: Share, weighted: Share, rows: Rows) -> Sums:  # noqa: ARG002
        fitted = multiply_rescaled(party, rows.y[0], eta, self.eta_bits)
        return {"fitted": Value(rows.total(party, fitted) + weighted.sum(), self.bits)}

    def told(self, constants: Sequence[Value], sums: Mapping[str, Value]) -> list[tuple[Value, int]]:
        """Half the deviance, Σ y log(y/μ) - (y - μ); Σ y log y and Σ log y! of y in its unit with few bits."""
        weight, total, itself, factorials = constants
        half = itself.less(sums["fitted"].times(self.unit))
        few = itself.less(factorials)
        return [(weight, weight.bits), (total, total.bits), (half, _FINE), (few, _FEW), (itself, _FEW)]

    def described(self, told: Sequence[float], size: int) -> dict[str, float]:
        weight, total, half, few, itself = told
        null = 2 * (itself + self.level * total - special.xlogy(total, total / weight))
        likelihood = few - half + (self.level - 1) * total
        return {"deviance": 2 * half, "null_deviance": float(null), "aic": 2 * (size - likelihood)}


class Gamma(Family):
    """Shares log y."""

    limits = (-26.0, 5.0)

    def argument(self, eta: Share, rows: Rows) -> Share:
        """log y/μ."""
        return rows.y[0] - eta

    def columns(self, y: Reals) -> Reals:
        return np.log(np.ldexp(y, -self.unit))[None, :]

    def constants(self, y: Reals, weight: Reals) -> Reals:
        return np.array([(weight * one).sum() for one in (np.ones_like(y), y, np.log(y) - self.level)])

    def start(self, party: Party, rows: Rows, bits: int) -> Terms:  # noqa: ARG002
        return Terms(rows.y[0] if rows.offset is None else rows.y[0] - rows.offset, None)

    def terms(self, party: Party, eta: Share, rows: Rows, bits: int) -> Terms:  # noqa: ARG002
        ratio = scaled_exp(party, self.argument(eta, rows), self.eta_bits, *self.ends, self.bits)
        return Terms(ratio - (1 << self.bits), None)

    def sums(self, party: Party, eta: Share, residual: Share, weighted: Share, rows: Rows) -> Sums:
        pearson = rows.total(party, square(party, truncate(party, residual, self.bits - _SQUARED)))
        fitted = rows.total(party, eta) + weighted.sum()
        return {"fitted": Value(fitted, self.bits), "pearson": Value(pearson, 2 * _SQUARED)}

    def told(self, constants: Sequence[Value], sums: Mapping[str, Value]) -> list[tuple[Value, int]]:
        """Half the deviance, Σ log(μ/y) + (y - μ)/μ; Pearson's statistic; Σ log y of y in its unit with few bits."""
        weight, total, logs = constants
        half = sums["fitted"].less(logs)
        every = (weight, weight.bits), (total, total.bits), (half, _FINE), (sums["pearson"], _FINE), (logs, _FEW)
        return list(every)

    def described(self, told: Sequence[float], size: int) -> dict[str, float]:
        weight, total, half, pearson, logs = told
        logs = logs + self.level * weight
        dispersion = pearson / (weight - size)
        k = 1 / dispersion  # the shape of the distribution
        likelihood = weight * (k * np.log(k) - special.gammaln(k) - k) - k * half - logs
        null = 2 * (weight * np.log(total / weight) - logs)
        return {"deviance": 2 * half, "null_deviance": null, "aic": 2 * (size - likelihood), "dispersion": dispersion}

    def spread(self, sums: Sums, rows: Rows, size: int) -> list[Share]:
        """A dispersion below 2^-10 would have too few digits."""
        ones = np.full(1, rows.y.shape[1] << WEIGHT_BITS, np.uint64)
        weight = public(rows.y.rank, ones) if rows.weight is None else rows.weight.sum()
        more = 2 * _SQUARED - WEIGHT_BITS - _LEAST
        return [*super().spread(sums, rows, size), sums["pearson"].share * (1 << -more) - weight]

    def limit(self, party: Party, sums: Sums, most: int, rows_bits: int) -> Share | None:
        """Σr² / N is a dispersion or more."""
        bits = min(30 - 2 * rows_bits + most, 10)
        pearson = sums["pearson"].share
        return pearson * (1 << bits) if bits >= 0 else truncate(party, pearson, -bits)


def _logistic(x: Decimal) -> Decimal:
    return 1 / (1 + (-x).exp())


def _softplus(x: Decimal) -> Decimal:
    return (1 + x.exp()).ln()
