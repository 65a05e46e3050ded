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
from smpc.result import Fitted, LinearResult, Result, array, common_fields
from smpc.results import Figure
from smpc.sections import SCORED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Reals = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class GlmResult(Fitted):
    """A fitted generalized linear model; z values.

    `dispersion`: of a Gamma model, by Pearson's statistic; else 1. `step`: how far from their optimum coefficients may
    be, in standard errors.
    """

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

    def _below(self, statistics: Reals) -> Reals:
        """The normal one."""
        from scipy import special

        return np.asarray(special.ndtr(statistics), np.float64)

    def _quantile(self, probability: float) -> float:
        from scipy import special

        return float(special.ndtri(probability))

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
