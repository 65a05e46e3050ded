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

What depends on y alone its owner computes, and shares as columns. η has a public range, wide enough for any model that
is not about to separate the data; nobody clips it, since that would take as many rounds as the function. Outside of the
range a function has another value: `glm` checks in the end that no η was there.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
from scipy import special

from protocols.beaver import square
from protocols.conversion import negative
from protocols.exponential import scaled_exp
from protocols.party import Party
from protocols.piecewise import Pieces, Real, piecewise
from protocols.rescaling import multiply_rescaled
from protocols.shares import Share
from protocols.truncation import truncate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Reals = NDArray[np.float64]

Sums = dict[str, tuple[Share, int]]

_TOP = 1.5  # log of the largest μ that is told from larger ones, in units of the largest y
_DEPTH = 29.0  # and that of the largest over the smallest
_SQUARED = 12  # bits of what is squared


class Terms(NamedTuple):
    """⟨r⟩ with the family's bits, and ⟨w⟩ with those that were asked for; None if all w are 1."""

    residual: Share
    weight: Share | None


class Family(Protocol):
    """A distribution with its link; columns that are shared of y have `bits` fraction bits, η has `eta_bits`.

    `curvature`: the w at which the inverse of the information starts. `guard`: log₂ of the factor by which w may grow
    from one iteration to the next. `steps` of Newton and Schulz are made in each iteration, `first` in the first one.
    """

    bits: int
    eta_bits: int
    curvature: float
    guard: int
    steps: int
    first: int

    @property
    def limits(self) -> tuple[int, int]:
        """Of η, in its units."""

    def columns(self, y: Reals) -> Reals:
        """What the owner of y shares, a row for each column."""

    def constants(self, y: Reals) -> Reals:
        """What a fit is described by beside `sums`: sums over rows of what depends on y alone; the first is Σy."""

    def start(self, party: Party, shared: Share, bits: int) -> Terms:
        """r and w, which has so many bits, of the first step; it is made from zero."""

    def terms(self, party: Party, eta: Share, shared: Share, bits: int) -> Terms:
        """r and w at η."""

    def sums(self, party: Party, eta: Share, residual: Share, shared: Share) -> Sums:
        """What describes the fit: sums over all rows, one number each, with their bits."""

    def separated(self, party: Party, eta: Share, shared: Share) -> Share | None:
        """⟨1⟩ if the likelihood has no maximum, ⟨0⟩ else; None if it always has one."""


@dataclass(frozen=True)
class Logistic:
    """Shares y."""

    bits: int = 18
    eta_bits: int = 18
    curvature: float = 0.25
    guard: int = 0
    steps: int = 2
    first: int = 0

    @property
    def limits(self) -> tuple[int, int]:
        return -64 << self.eta_bits, 64 << self.eta_bits

    def columns(self, y: Reals) -> Reals:
        return y[None, :]

    def constants(self, y: Reals) -> Reals:
        return np.array([y.sum()])

    def start(self, party: Party, shared: Share, bits: int) -> Terms:  # noqa: ARG002
        return Terms(shared[0] - (1 << self.bits - 1), None)

    def terms(self, party: Party, eta: Share, shared: Share, bits: int) -> Terms:
        mean = piecewise(party, eta, self._pieces(_logistic), self.bits)
        return Terms(shared[0] - mean, multiply_rescaled(party, mean, (1 << self.bits) - mean, 2 * self.bits - bits))

    def sums(self, party: Party, eta: Share, residual: Share, shared: Share) -> Sums:  # noqa: ARG002
        loss = piecewise(party, -self._towards(party, eta, shared), self._pieces(_softplus), self.bits)
        return {"loss": (loss.sum(), self.bits)}

    def separated(self, party: Party, eta: Share, shared: Share) -> Share:
        """Nobody is on the wrong side, so that multiples of the coefficients fit better."""
        return negative(party, negative(party, self._towards(party, eta, shared)).sum() - 1)

    def _towards(self, party: Party, eta: Share, shared: Share) -> Share:
        """⟨(2y - 1) η⟩: how far each row is on its own side."""
        return multiply_rescaled(party, shared[0] * 2 - (1 << self.bits), eta, self.bits)

    def _pieces(self, function: Real) -> Pieces:
        return Pieces(function, *self.limits, self.eta_bits, 7, 7)


@dataclass(frozen=True)
class Poisson:
    """Shares y, (y + 1/2) log(y + 1/2) and y + 1/2, the first step's; y in units of 2^unit."""

    unit: int
    bits: int = 24
    eta_bits: int = 20
    curvature: float = 1.0
    guard: int = 2
    steps: int = 4
    first: int = 12

    @property
    def limits(self) -> tuple[int, int]:
        return int((_TOP - _DEPTH) * (1 << self.eta_bits)), int(_TOP * (1 << self.eta_bits))

    def columns(self, y: Reals) -> Reals:
        half = np.ldexp(y + 0.5, -self.unit)
        return np.stack([np.ldexp(y, -self.unit), half * np.log(half), half])

    def constants(self, y: Reals) -> Reals:
        return np.array([y.sum(), special.xlogy(y, y).sum(), special.gammaln(y + 1).sum()])

    def start(self, party: Party, shared: Share, bits: int) -> Terms:
        return Terms(shared[1], truncate(party, shared[2], self.bits - bits))

    def terms(self, party: Party, eta: Share, shared: Share, bits: int) -> Terms:
        mean = scaled_exp(party, eta, self.eta_bits, *self.limits, self.bits)
        return Terms(shared[0] - mean, truncate(party, mean, self.bits - bits))

    def sums(self, party: Party, eta: Share, residual: Share, shared: Share) -> Sums:  # noqa: ARG002
        return {"fitted": (multiply_rescaled(party, shared[0], eta, self.eta_bits).sum(), self.bits)}

    def separated(self, party: Party, eta: Share, shared: Share) -> None:  # noqa: ARG002
        return None


@dataclass(frozen=True)
class Gamma:
    """Shares log y; y in units of 2^unit."""

    unit: int
    bits: int = 20
    eta_bits: int = 20
    curvature: float = 1.0
    guard: int = 0
    steps: int = 0
    first: int = 0

    @property
    def limits(self) -> tuple[int, int]:
        return int((_TOP - _DEPTH) * (1 << self.eta_bits)), int(_TOP * (1 << self.eta_bits))

    def columns(self, y: Reals) -> Reals:
        return np.log(np.ldexp(y, -self.unit))[None, :]

    def constants(self, y: Reals) -> Reals:
        return np.array([y.sum(), np.log(y).sum()])

    def start(self, party: Party, shared: Share, bits: int) -> Terms:  # noqa: ARG002
        return Terms(shared[0], None)

    def terms(self, party: Party, eta: Share, shared: Share, bits: int) -> Terms:  # noqa: ARG002
        low, high = -10 << self.eta_bits, 7 << self.eta_bits
        ratio = scaled_exp(party, shared[0] - eta, self.eta_bits, low, high, self.bits)
        return Terms(ratio - (1 << self.bits), None)

    def sums(self, party: Party, eta: Share, residual: Share, shared: Share) -> Sums:  # noqa: ARG002
        short = truncate(party, residual, self.bits - _SQUARED)
        return {"eta": (eta.sum(), self.eta_bits), "pearson": (square(party, short).sum(), 2 * _SQUARED)}

    def separated(self, party: Party, eta: Share, shared: Share) -> None:  # noqa: ARG002
        return None


def _logistic(x: Decimal) -> Decimal:
    return 1 / (1 + (-x).exp())


def _softplus(x: Decimal) -> Decimal:
    return (1 + x.exp()).ln()
