"""What a receiver reads of a generalized linear model.

Everything here is computed in the clear from the released numbers: z = coefficient / standard error, its p-value from
the normal distribution, the share of the deviance that the model explains (McFadden's pseudo-R² for a logistic one).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from smpc import figures
from smpc.names import INTERCEPT
from smpc.result import LinearResult, Result, array, common_fields
from smpc.results import Figure
from smpc.sections import SCORED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Reals = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class GlmResult:
    """A fitted generalized linear model: `names` with the intercept first; None for what was not released.

    `dispersion`: of a Gamma model, by Pearson's statistic; else 1. `step`: how far from their optimum coefficients may
    be, in standard errors.
    """

    study: str
    model: str
    target: str
    names: tuple[str, ...]
    rows: int
    confidence_level: float
    coefficients: Reals | None
    standard_errors: Reals | None
    penalty: float | None = None
    iterations: int | None = None
    deviance: float | None = None
    null_deviance: float | None = None
    aic: float | None = None
    dispersion: float | None = None
    step: float | None = None

    statistic: ClassVar[str] = "z"

    def __str__(self) -> str:
        return figures.as_text(self)

    @property
    def whole(self) -> list[Figure]:
        """What describes the fit as a whole, as far as it was released."""
        pseudo = self.pseudo_r_squared
        every = [
            ("Deviance", "deviance", self.deviance, figures.significant),
            ("Deviance with the intercept alone", "null deviance", self.null_deviance, figures.significant),
            ("Pseudo-R²: share of the deviance explained", "pseudo-R²", pseudo, figures.share),
            ("AIC", "AIC", self.aic, figures.significant),
            ("Dispersion", "dispersion", self.dispersion, figures.significant),
            ("Distance to the optimum, in standard errors", "distance", self.step, lambda step: f"{step:.1g}"),
        ]
        return [Figure(name, short, words(value)) for name, short, value, words in every if value is not None]

    @property
    def statistics(self) -> Reals | None:
        """z of each coefficient."""
        if self.coefficients is None or self.standard_errors is None:
            return None
        return self.coefficients / self.standard_errors

    @property
    def p_values(self) -> Reals | None:
        """Two-sided, from the normal distribution."""
        z = self.statistics
        if z is None:
            return None
        from scipy import special

        return np.asarray(2 * special.ndtr(-np.abs(z)), np.float64)

    @property
    def confidence_intervals(self) -> Reals | None:
        """len(names) × 2: lower and upper ends at `confidence_level`."""
        if self.coefficients is None or self.standard_errors is None:
            return None
        from scipy import special

        half = special.ndtri((1 + self.confidence_level) / 2) * self.standard_errors
        return np.column_stack([self.coefficients - half, self.coefficients + half])

    @property
    def pseudo_r_squared(self) -> float | None:
        """1 - deviance / null deviance."""
        if self.deviance is None or not self.null_deviance:
            return None
        return 1 - self.deviance / self.null_deviance

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> GlmResult:
        """The result that `to_dict`, and so result.json, describes."""
        names = (INTERCEPT, *fields["features"])
        rest = ("penalty", "iterations", "deviance", "null_deviance", "aic", "dispersion")
        return cls(
            fields["study"], fields["model"], fields["target"], names, fields["rows"],
            fields.get("confidence_level", 0.95),
            array(names, fields.get("coefficients")), array(names, fields.get("standard_errors")),
            step=fields.get("distance_to_the_optimum"), **{key: fields.get(key) for key in rest},
        )  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """What result.json holds: numbers and mappings from name to number; what was not released is left out."""
        fields = common_fields(self) | {
            "deviance": self.deviance,
            "null_deviance": self.null_deviance,
            "pseudo_r_squared": self.pseudo_r_squared,
            "aic": self.aic,
            "dispersion": self.dispersion,
            "penalty": self.penalty,
            "iterations": self.iterations,
            "distance_to_the_optimum": self.step,
        }
        return {key: value for key, value in fields.items() if value is not None}


def result_of(fields: Mapping[str, Any]) -> Result:
    """The result that result.json describes."""
    return (GlmResult if fields["model"] in SCORED else LinearResult).from_fields(fields)
