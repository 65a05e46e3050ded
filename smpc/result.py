"""What a receiver reads: coefficients with what a statistician needs beside them.

Everything here is computed in the clear from the released numbers: t = coefficient / standard error, its p-value
from Student's distribution, F from R². Distribution functions are scipy.special's.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from smpc import figures
from smpc.names import INTERCEPT
from smpc.results import Cost, Figure, Result

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Reals = NDArray[np.float64]


__all__ = ["Cost", "Fitted", "LinearResult", "Result", "array", "common_fields", "named", "to_fields"]


@dataclass(frozen=True, eq=False)
class Fitted(ABC):
    """A fitted regression: `names` with the intercept first; None for what was not released."""

    study: str
    model: str
    target: str
    names: tuple[str, ...]
    rows: int
    confidence_level: float
    coefficients: Reals | None
    standard_errors: Reals | None

    @property
    def statistics(self) -> Reals | None:
        """Each coefficient over its standard error."""
        if self.coefficients is None or self.standard_errors is None:
            return None
        return self.coefficients / self.standard_errors

    @property
    def p_values(self) -> Reals | None:
        """Two-sided, from the statistics' distribution."""
        statistics = self.statistics
        below = None if statistics is None else self._below(-np.abs(statistics))
        return None if below is None else np.asarray(2 * below, np.float64)

    @property
    def confidence_intervals(self) -> Reals | None:
        """len(names) × 2: lower and upper ends at `confidence_level`."""
        if self.coefficients is None or self.standard_errors is None:
            return None
        quantile = self._quantile((1 + self.confidence_level) / 2)
        if quantile is None:
            return None
        half = quantile * self.standard_errors
        return np.column_stack([self.coefficients - half, self.coefficients + half])

    @abstractmethod
    def _below(self, statistics: Reals) -> Reals | None:
        """The distribution function of statistics; None if it is not known."""

    @abstractmethod
    def _quantile(self, probability: float) -> float | None:
        """Its inverse."""


@dataclass(frozen=True, eq=False)
class LinearResult(Fitted):
    """A fitted linear model; t values."""

    degrees_of_freedom: float | None
    r_squared: float | None
    residual_standard_error: float | None
    penalty: float | None = None

    statistic: ClassVar[str] = "t"

    def __str__(self) -> str:
        return figures.as_text(self)

    @property
    def whole(self) -> list[Figure]:
        """What describes the fit as a whole, as far as it was released."""
        found = []
        if self.r_squared is not None:
            found.append(Figure("R²", "R²", figures.share(self.r_squared)))
        if (sigma := self.residual_standard_error) is not None:
            found.append(Figure("Residual standard error", "residual SE", figures.significant(sigma)))
        freedom = None if self.degrees_of_freedom is None else figures.degrees(self.degrees_of_freedom)
        if freedom is not None:
            found.append(Figure("Degrees of freedom", "df", freedom))
        f, p = self.f_statistic, self.f_p_value
        if f is not None and p is not None:
            name = f"F({len(self.names) - 1}, {freedom})"
            found += [Figure(name, name, figures.significant(f)), Figure("p of F", "p", figures.p_value(p))]
        return found

    def _below(self, statistics: Reals) -> Reals | None:
        """Student's."""
        if self.degrees_of_freedom is None:
            return None
        from scipy import special

        return np.asarray(special.stdtr(self.degrees_of_freedom, statistics), np.float64)

    def _quantile(self, probability: float) -> float | None:
        if self.degrees_of_freedom is None:
            return None
        from scipy import special

        return float(special.stdtrit(self.degrees_of_freedom, probability))

    @property
    def f_statistic(self) -> float | None:
        """Of all features together against the intercept alone; not for ridge, whose estimate is biased."""
        if self.r_squared is None or self.degrees_of_freedom is None or self.penalty is not None:
            return None
        explained = max(self.r_squared, 0.0)  # rounding may leave it a hair below zero
        return explained / (len(self.names) - 1) / ((1 - explained) / self.degrees_of_freedom)

    @property
    def f_p_value(self) -> float | None:
        f = self.f_statistic
        if f is None or self.degrees_of_freedom is None:
            return None
        from scipy import special

        return float(special.fdtrc(len(self.names) - 1, self.degrees_of_freedom, f))

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> LinearResult:
        """The result that `to_dict`, and so result.json, describes."""
        names = (INTERCEPT, *fields["features"])
        return cls(
            fields["study"],
            fields["model"],
            fields["target"],
            names,
            fields["rows"],
            fields.get("confidence_level", 0.95),
            array(names, fields.get("coefficients")),
            array(names, fields.get("standard_errors")),
            fields.get("degrees_of_freedom"),
            fields.get("r_squared"),
            fields.get("residual_standard_error"),
            fields.get("penalty"),
        )

    def to_dict(self) -> dict[str, Any]:
        """What result.json holds: numbers and mappings from name to number; what was not released is left out."""
        fields = common_fields(self) | {
            "degrees_of_freedom": self.degrees_of_freedom,
            "r_squared": self.r_squared,
            "residual_standard_error": self.residual_standard_error,
            "f_statistic": self.f_statistic,
            "f_p_value": self.f_p_value,
            "penalty": self.penalty,
        }
        return {key: value for key, value in fields.items() if value is not None}


def common_fields(result: Result) -> dict[str, Any]:
    """What `to_dict` of all results begins with."""
    intervals = result.confidence_intervals
    return {
        "study": result.study,
        "model": result.model,
        "target": result.target,
        "features": list(result.names[1:]),
        "rows": result.rows,
        "coefficients": named(result.names, result.coefficients),
        "standard_errors": named(result.names, result.standard_errors),
        f"{result.statistic}_values": named(result.names, result.statistics),
        "p_values": named(result.names, result.p_values),
        "confidence_level": None if intervals is None else result.confidence_level,
        "confidence_intervals": None if intervals is None else dict(zip(result.names, intervals.tolist(), strict=True)),
    }


def to_fields(result: Result, cost: Cost, opened: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What result.json holds: the result, what the run cost, and what was opened."""
    return result.to_dict() | {"cost": vars(cost), "opened": list(opened)}


def named(names: Sequence[str], values: Reals | None) -> dict[str, float] | None:
    """Values by name; None if they were not released."""
    return None if values is None else dict(zip(names, values.tolist(), strict=True))


def array(names: Sequence[str], values: Mapping[str, float] | None) -> Reals | None:
    """Inverse of `named`."""
    return None if values is None else np.array([values[name] for name in names], np.float64)
