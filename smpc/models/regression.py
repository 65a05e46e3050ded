"""Regressions on secret arrays, with scikit-learn's habits: linear, ridge, logistic, Poisson and Gamma.

    model = LogisticRegression().fit(x, y)      # x rows × features, y rows; secret
    model.coef_, model.intercept_               # secret arrays, to compute on
    model.predict(x)                            # secret
    print(model.reveal())                       # a table with standard errors, for the study's receivers

The computation is that of a study with such a model (see `linear` and `glm`). Features are mapped to [-1, 1] by
`ranges`, or by the bounds of the array if none are said, and each must fill its range: its standard deviation must be a
thousandth of it at least. `fit` opens one bit to all parties, whether the fit can be trusted, and raises ModelError if
not. Predictions are for rows within the same ranges.

Revealed coefficients are within 0.01 of their own standard errors of those in float64, standard errors within 1 %.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from protocols.conversion import negative
from protocols.shares import Share, concatenate
from protocols.truncation import truncate
from smpc import elementary
from smpc.array import SecretArray
from smpc.checks import SOUND_FIT
from smpc.models import families, glm, linear, metrics, moments
from smpc.models.families import Family, Rows, Value
from smpc.models.mapped import Mapping, in_units, mapping
from smpc.models.raw import COEFFICIENT_BITS, INTERCEPT_BITS
from smpc.models.released import OUTPUTS, GlmRelease, LinearRelease, Model, figures
from smpc.models.whitened import UNIT_BITS, whiten
from smpc.ranges import Range

if TYPE_CHECKING:
    from collections.abc import Sequence

    from smpc.models.mapped import Ranges
    from smpc.models.moments import Moments
    from smpc.result import LinearResult
    from smpc.result_glm import GlmResult


_SECRET = ("coef_", "intercept_", "_slopes", "_level")


class _Regression(ABC):
    """What all have in common: `_slopes` of mapped features, in units of the target, and `_level` where they are 0."""

    largest = 8  # log₂ of the largest slope

    def __init__(self) -> None:
        self.coef_: SecretArray
        self.intercept_: SecretArray
        self._mapping: Mapping
        self._slopes: SecretArray
        self._level: SecretArray
        self._found: Any

    def get_params(self) -> dict[str, Any]:
        """What the estimator was made with."""
        return {name: value for name, value in vars(self).items() if name in ("penalty", "iterations")}

    def state(self) -> tuple[dict[str, Any], dict[str, SecretArray]]:
        """What is public of a fitted model, in lists and numbers, and what is secret."""
        public = {
            "params": self.get_params(),
            "centre": self._mapping.centre.tolist(),
            "half": self._mapping.half.tolist(),
        }
        return public, {name: getattr(self, name) for name in _SECRET}

    def restore(self, public: dict[str, Any], secret: dict[str, SecretArray]) -> None:
        """Be the model that had this `state`."""
        vars(self).update(public["params"])
        self._mapping = Mapping(np.array(public["centre"]), np.array(public["half"]))
        vars(self).update(secret)

    def _predictor(self, x: SecretArray) -> SecretArray:
        """⟨The linear predictor⟩ of each row."""
        found: SecretArray = self._mapping(x) @ self._slopes + self._level
        return found

    @abstractmethod
    def predict(self, x: SecretArray) -> SecretArray:
        """⟨The target⟩ that is expected of each row."""

    def score(self, x: SecretArray, y: SecretArray) -> SecretArray:
        """⟨R²⟩ of predictions, as `metrics.r_squared` has it."""
        return metrics.r_squared(y, self.predict(x))

    def _reveal(self, names: Sequence[str] | None, to: Sequence[str] | None) -> Any:
        model = self._found.model
        features = tuple(names) if names else model.features
        if len(features) != len(model.features):
            raise ValueError(f"{len(model.features)} features, not {len(features)} names")
        opened = self.coef_.party.gate.release(self._found.outputs(OUTPUTS), to)  # type: ignore[attr-defined]
        if opened is None:
            return None
        named = Model(**vars(model) | {"features": features})
        return type(self._found)(**vars(self._found) | {"model": named}).result(opened)

    def _keep(self, x: SecretArray, wrong: Share, slopes: tuple[Share, int], level: tuple[Share, int]) -> None:
        """Coefficients as secret arrays, once it is sure that they are right and within their bounds."""
        party, bits, d = x.party.protocol, x.party.fraction_bits, x.shape[1]
        coefficients, most = slopes[0], 1 << self.largest + slopes[1]
        limits = negative(party, concatenate([most - coefficients, coefficients + most]))
        x.party.require(SOUND_FIT, (wrong.sum() + limits.sum()).reshape(1))
        short, at = (
            truncate(party, one, b - bits) if b > bits else one * (1 << bits - b) for one, b in (slopes, level)
        )
        self._slopes = _array(x, short, (d,), self.largest)
        at_origin = _array(x, at, (), self.largest + 2 + self._mapping.far(d))
        self._level = at_origin - (self._slopes * self._mapping.origin).sum()
        self.intercept_ = at_origin


def _array(x: SecretArray, share: Share, shape: tuple[int, ...], most: int) -> SecretArray:
    limit = 1 << most + x.party.fraction_bits
    return SecretArray(x.party, share, shape, x.party.fraction_bits, Range(-limit, limit))


def _checked(x: SecretArray, y: SecretArray, penalty: float) -> None:
    """Raises ValueError for shapes that do not fit, too few rows, or a penalty that is none."""
    if not 0 <= penalty < np.inf:
        raise ValueError(f"a penalty of {penalty}: it is a number from 0 on")
    if x.ndim != 2 or y.shape != x.shape[:1]:
        raise ValueError(f"not rows and their targets: {x.shape} and {y.shape}")
    if x.shape[0] < x.shape[1] + 2:
        raise ValueError(f"{x.shape[0]} rows are too few for {x.shape[1]} features and an intercept")


def _flat(found: Moments) -> Share:
    """⟨How many columns do not fill their range⟩."""
    return (1 - found.varies).sum()


class LinearRegression(_Regression):
    """y ≈ intercept + x coef; with a `penalty` on standardized features, ridge regression."""

    largest = 5

    def __init__(self, penalty: float = 0.0) -> None:
        self.penalty = penalty

    def fit(self, x: SecretArray, y: SecretArray, ranges: Ranges | None = None) -> Self:
        """Fit to x (n×d) and y (n), which fills its bounds as features do their `ranges`. About 230 rounds.

        Raises ModelError if there is no fit to trust, ValueError for arguments that are none.
        """
        _checked(x, y, self.penalty)
        self._mapping, target = mapping(x, ranges), mapping(y.reshape(-1, 1), None)
        party, rows = x.party.protocol, x.shape[0]
        u = concatenate([in_units(self._mapping(x)), in_units(target(y.reshape(-1, 1)))], axis=1)
        found = moments.of_shares(party, u, UNIT_BITS)
        design = linear.Design(rows, self._mapping.origin, self.penalty)
        fitted = linear.fit(party, found, design)
        wrong = fitted.wrong.sum() + _flat(found)
        slopes, level = (fitted.coefficients, linear.COEFFICIENT_BITS), (fitted.intercept, design.intercept_bits)
        self._keep(x, wrong, slopes, level)
        self._centre, self._unit = float(target.centre[0]), float(target.half[0])
        self.coef_ = self._slopes * (self._unit / self._mapping.half)
        self.intercept_ = self.intercept_ * self._unit + self._centre
        kind = "ridge" if self.penalty else "linear"
        model = Model(kind, kind, "y", _names(x), self._mapping.half, rows, penalty=self.penalty)
        self._found = LinearRelease(model, self._centre, self._unit, design, fitted)
        return self

    def state(self) -> tuple[dict[str, Any], dict[str, SecretArray]]:
        public, secret = super().state()
        return public | {"target": [self._centre, self._unit]}, secret

    def restore(self, public: dict[str, Any], secret: dict[str, SecretArray]) -> None:
        super().restore(public, secret)
        self._centre, self._unit = public["target"]

    def predict(self, x: SecretArray) -> SecretArray:
        """⟨intercept + x coef⟩."""
        found: SecretArray = self._predictor(x) * self._unit + self._centre
        return found

    def reveal(self, names: Sequence[str] | None = None, to: Sequence[str] | None = None) -> LinearResult | None:
        """The fit in figures, with names of features, to the parties `to` (as `SecretArray.reveal`); None elsewhere."""
        found: LinearResult | None = self._reveal(names, to)
        return found


class _Scored(_Regression):
    """Generalized linear models; `iterations` of Fisher scoring."""

    kind: str

    def __init__(self, penalty: float = 0.0, iterations: int = 9) -> None:
        self.penalty, self.iterations = penalty, iterations

    def fit(self, x: SecretArray, y: SecretArray, ranges: Ranges | None = None) -> Self:
        """Fit to x (n×d) and y (n). About 130 rounds and 27 for each iteration.

        Raises ModelError if there is no fit to trust, ValueError for arguments that are none.
        """
        _checked(x, y, self.penalty)
        self._mapping = mapping(x, ranges)
        party, rows = x.party.protocol, x.shape[0]
        family, columns, constants = self._family(y)
        u = in_units(self._mapping(x))
        found = moments.of_shares(party, u, UNIT_BITS)
        scale = family.information_unit
        design = whiten(party, u, found, self._mapping.origin, self.penalty / (family.curvature * rows * 2.0**scale))
        fitted = glm.fit(party, design, family, Rows(columns), self.iterations, family.converged)
        slopes, level = (fitted.raw.coefficients, COEFFICIENT_BITS), (fitted.raw.intercept, INTERCEPT_BITS)
        self._keep(x, fitted.wrong.sum() + _flat(found), slopes, level)
        self._level, self.intercept_ = self._level + family.level, self.intercept_ + family.level
        self.coef_ = self._slopes * (1 / self._mapping.half)
        model = Model(self.kind, self.kind, "y", _names(x), self._mapping.half, rows, penalty=self.penalty)
        information = design.rows_bits + scale
        told = figures(party, family, fitted, constants, 0) if constants else []
        self._found = GlmRelease(model, family, fitted, told, information, self.iterations)
        return self

    def reveal(self, names: Sequence[str] | None = None, to: Sequence[str] | None = None) -> GlmResult | None:
        """The fit in figures, with names of features, to the parties `to` (as `SecretArray.reveal`); None elsewhere."""
        found: GlmResult | None = self._reveal(names, to)
        return found

    @abstractmethod
    def _family(self, y: SecretArray) -> tuple[Family, Share, list[Value]]:
        """The family, its columns of y, and the sums of what y alone has, if they are at hand."""


class LogisticRegression(_Scored):
    """P(y = 1) = 1 / (1 + exp(-(intercept + x coef))), for y of 0 and 1 (integers, or truth values)."""

    kind = "logistic"

    def _family(self, y: SecretArray) -> tuple[Family, Share, list[Value]]:
        if y.bits or y.range.low < 0 or y.range.high > 1:
            raise ValueError(f"classes are 0 and 1: integers within these bounds, not {y.dtype} within {y.bounds}")
        bits = y.party.fraction_bits
        constants = [Value(_counted(y, bits), bits), Value(y.share.sum(), 0)]
        return families.Logistic(), (y.share * (1 << families.Logistic.bits)).reshape(1, -1), constants

    def decision_function(self, x: SecretArray) -> SecretArray:
        """⟨intercept + x coef⟩."""
        return self._predictor(x)

    def predict_proba(self, x: SecretArray) -> SecretArray:
        """⟨P(y = 1)⟩ of each row."""
        found = elementary.sigmoid(self._predictor(x))
        return SecretArray(found.party, found.share, found.shape, found.bits, found.range)

    def predict(self, x: SecretArray) -> SecretArray:
        """⟨Whether P(y = 1) is above 1/2⟩, as truth values."""
        found: SecretArray = self._predictor(x) > 0
        return found

    def score(self, x: SecretArray, y: SecretArray) -> SecretArray:
        """⟨The share of rows whose class is predicted right⟩."""
        return metrics.accuracy(y, self.predict(x))


class _LogLink(_Scored):
    """log E y is linear."""

    def predict(self, x: SecretArray) -> SecretArray:
        """⟨E y⟩, at most e^12."""
        found: SecretArray = np.exp(np.clip(self._predictor(x), -24.0, 12.0))
        return found


class PoissonRegressor(_LogLink):
    """E y = exp(intercept + x coef), for counts y (integers). No deviance or AIC is among the figures."""

    kind = "poisson"

    def _family(self, y: SecretArray) -> tuple[Family, Share, list[Value]]:
        if y.bits or y.range.low < 0 or y.range.high < 1:
            raise ValueError(f"counts are integers from 0 on, not {y.dtype} within {y.bounds}")
        family = families.Poisson(_unit(y))
        half = y + 0.5
        weighed = half * (np.log(half) - family.level)
        each = [_units_of(one, family.unit, family.bits) for one in (y, weighed, half)]
        return family, concatenate([one.reshape(1, -1) for one in each]), []


class GammaRegressor(_LogLink):
    """E y = exp(intercept + x coef), for amounts y above zero, whose spread is in proportion to them."""

    kind = "gamma"

    def _family(self, y: SecretArray) -> tuple[Family, Share, list[Value]]:
        logs: Any = np.log(y)
        family = families.Gamma(_unit(y))
        scaled = logs - family.level
        sums = [_counted(y, 0), y.share.sum(), scaled.share.sum()]
        constants = [Value(share, bits) for share, bits in zip(sums, (0, y.bits, scaled.bits), strict=True)]
        return family, _units_of(scaled, 0, family.bits).reshape(1, -1), constants


def _names(x: SecretArray) -> tuple[str, ...]:
    return tuple(f"x{number}" for number in range(x.shape[1]))


def _unit(y: SecretArray) -> int:
    return int(np.ceil(np.log2(y.bounds[1])))


def _counted(y: SecretArray, bits: int) -> Share:
    """⟨n⟩, which is public."""
    return y.share.sum() * 0 + (len(y) << bits)


def _units_of(x: SecretArray, unit: int, bits: int) -> Share:
    """⟨x / 2^unit⟩ with so many fraction bits."""
    more = bits - unit - x.bits
    return x.share * (1 << more) if more >= 0 else truncate(x.party.protocol, x.share, -more)
