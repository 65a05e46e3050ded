"""What is released of a fit, and what it says in the units of the data: for studies and for estimators alike.

Names are those of the manifest's [release] outputs and of `smpc.opened`. All arithmetic on what was opened is in the
clear, at a receiver.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from protocols import fixedpoint
from protocols.shares import Share, concatenate
from smpc.models import glm, linear
from smpc.models.families import Family
from smpc.models.glm import Fitted
from smpc.models.linear import Design, Fit
from smpc.names import INTERCEPT
from smpc.opened import DISPERSION, FREEDOM, STEP
from smpc.result import LinearResult
from smpc.result_glm import GlmResult

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from protocols.ring import RingArray

    Reals = NDArray[np.float64]

OUTPUTS = ("coefficients", "standard_errors", "fit")


@dataclass(frozen=True)
class Model:
    """What is public of a fit. `half`: half the width of the features' ranges."""

    study: str
    model: str
    target: str
    features: tuple[str, ...]
    half: Reals
    rows: int
    confidence_level: float = 0.95
    penalty: float = 0.0

    @property
    def names(self) -> tuple[str, ...]:
        return INTERCEPT, *self.features


@dataclass(frozen=True)
class LinearRelease:
    """Of a linear model, whose target is at most `unit` from `centre`."""

    model: Model
    centre: float
    unit: float
    design: Design
    fitted: Fit

    def outputs(self, allowed: Collection[str]) -> dict[str, Share]:
        """Name and share of everything that is allowed."""
        fitted = self.fitted
        every: dict[str, list[Share]] = {
            "coefficients": [fitted.intercept, fitted.coefficients],
            "standard_errors": [fitted.intercept_error, fitted.errors],
            "fit": [fitted.sigma, fitted.unexplained],
        }
        chosen = {name: concatenate(parts) for name, parts in every.items() if name in allowed}
        if self.design.penalty and len(chosen) > ("coefficients" in chosen):
            chosen[FREEDOM] = fitted.shrinkage
        return chosen

    def result(self, opened: Mapping[str, RingArray]) -> LinearResult:
        """The opened numbers in the units of the data."""
        model, design, unit = self.model, self.design, self.unit
        shrinkage = float(fixedpoint.decode(opened[FREEDOM], linear.SHAPE_BITS)[0]) if FREEDOM in opened else 0.0
        freedom = design.rows - 1 - len(design.origin) + shrinkage
        coefficients = errors = r_squared = residual = None
        if "coefficients" in opened:
            slopes = fixedpoint.decode(opened["coefficients"][1:], linear.COEFFICIENT_BITS) * unit / model.half
            level = self.centre + unit * fixedpoint.decode(opened["coefficients"][:1], design.intercept_bits)
            coefficients = np.concatenate([level, slopes])
        if "standard_errors" in opened:
            scale = unit / np.sqrt((1 + design.strength) * 2.0**self.fitted.halvings * freedom)
            level = fixedpoint.decode(opened["standard_errors"][:1], design.intercept_error_bits)
            slopes = fixedpoint.decode(opened["standard_errors"][1:], linear.ERROR_BITS) / model.half
            errors = np.concatenate([level, slopes]) * scale
        if "fit" in opened:
            sigma = float(fixedpoint.decode(opened["fit"][:1], linear.SIGMA_BITS)[0])
            residual = float(2 * unit * sigma * np.sqrt(design.rows / freedom))
            r_squared = 1 - float(fixedpoint.decode(opened["fit"][1:], linear.UNEXPLAINED_BITS)[0]) ** 2
        return LinearResult(
            model.study, model.model, model.target, model.names, model.rows, model.confidence_level, coefficients,
            errors, freedom if len(opened) > ("coefficients" in opened) else None, r_squared, residual,
            model.penalty or None,
        )  # fmt: skip


@dataclass(frozen=True)
class GlmRelease:
    """Of a generalized linear model.

    `constants`: sums of what y alone has, with `bits`; None if they are not at hand. `information`: log₂ of the unit in
    which V was averaged. `heaviest`: log₂ of the unit of weights.
    """

    model: Model
    family: Family
    fitted: Fitted
    constants: Share | None
    bits: int
    information: int
    iterations: int
    heaviest: int = 0
    shifted: bool = False  # there were offsets
    told: bool = False  # how far the optimum is

    def outputs(self, allowed: Collection[str]) -> dict[str, Share]:
        """Name and share of everything that is allowed."""
        fitted, sums = self.fitted, [share for share, _ in self.fitted.sums.values()]
        intercept = fitted.intercept * (1 << glm.COEFFICIENT_BITS - glm.INTERCEPT_BITS)
        every = {
            "coefficients": [intercept, fitted.coefficients],
            "standard_errors": [fitted.intercept_error, fitted.errors],
        }
        if self.constants is not None:
            every["fit"] = [self.constants, *sums]
        chosen = {name: concatenate(parts) for name, parts in every.items() if name in allowed}
        if "pearson" in fitted.sums and "standard_errors" in chosen and "fit" not in chosen and self.constants:
            chosen[DISPERSION] = concatenate([self.constants[:1], fitted.sums["pearson"][0]])
        if self.told:
            chosen[STEP] = fitted.squared_step
        return chosen

    def result(self, opened: Mapping[str, RingArray]) -> GlmResult:
        """The opened numbers in the units of the data."""
        model, described = self.model, self._described(opened)
        units, information = np.append(1.0, model.half), 2.0**self.information
        coefficients = errors = step = None
        if "coefficients" in opened:
            coefficients = fixedpoint.decode(opened["coefficients"], glm.COEFFICIENT_BITS) / units
            coefficients[0] += self.family.level
        if "standard_errors" in opened:
            spread = np.sqrt(max(described.get("dispersion", 1.0), 0.0) / information)
            errors = fixedpoint.decode(opened["standard_errors"], glm.ERROR_BITS) / units * spread
        if STEP in opened:
            (squared,) = fixedpoint.decode(opened[STEP], glm.SQUARED_STEP_BITS)
            step = float(np.sqrt(max(squared, 0.0) * information))
        return GlmResult(
            model.study, model.model, model.target, model.names, model.rows, model.confidence_level, coefficients,
            errors, penalty=model.penalty or None, iterations=self.iterations, step=step, **described,
        )  # fmt: skip

    def _described(self, opened: Mapping[str, RingArray]) -> dict[str, float]:
        """The fit in figures."""
        words, size = opened.get("fit", opened.get(DISPERSION)), len(self.model.names)
        if words is None:
            return {}
        sums = self.fitted.sums if "fit" in opened else {"pearson": self.fitted.sums["pearson"]}
        constants, rest = fixedpoint.decode(words[: -len(sums)], self.bits), words[-len(sums) :]
        numbers = {
            name: fixedpoint.decode(rest[at : at + 1], width)[0] * 2.0**self.heaviest
            for at, (name, (_, width)) in enumerate(sums.items())
        }
        with np.errstate(all="ignore"):  # in a rehearsal all is zero
            if "fit" not in opened:
                return {"dispersion": float(numbers["pearson"] / (constants[0] - size))}
            found = self.family.described(constants, numbers, size)
        if self.shifted:  # a model with the intercept alone would have to be fitted, too
            del found["null_deviance"]
        return {name: float(value) for name, value in found.items()}
