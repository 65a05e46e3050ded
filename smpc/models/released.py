"""What is released of a fit, and what it says in the units of the data: for studies and for estimators alike.

Names are those of the manifest's [release] outputs and of `smpc.opened`. All arithmetic on what was opened is in the
clear, at a receiver.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from protocols import fixedpoint
from protocols.shares import Share, concatenate
from protocols.truncation import truncate_each
from smpc.models import glm, linear
from smpc.models.families import Family, Value
from smpc.models.glm import Fitted
from smpc.models.linear import Design, Fit
from smpc.models.raw import COEFFICIENT_BITS, ERROR_BITS, INTERCEPT_BITS
from smpc.names import INTERCEPT
from smpc.opened import DISPERSION, FREEDOM, STEP
from smpc.result import LinearResult
from smpc.result_glm import GlmResult

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from protocols.party import Party
    from protocols.ring import RingArray

    Reals = NDArray[np.float64]

OUTPUTS = ("coefficients", "standard_errors", "fit")
_PEARSON = 3  # its place among what is told of a Gamma model


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

    `told`: what describes the fit (see `figures`), nothing if that is not at hand. `information`: log₂ of the unit in
    which V was averaged.
    """

    model: Model
    family: Family
    fitted: Fitted
    told: Sequence[Value]
    information: int
    iterations: int
    shifted: bool = False  # there were offsets
    distance: bool = False  # how far the optimum is, is released, too

    def outputs(self, allowed: Collection[str]) -> dict[str, Share]:
        """Name and share of everything that is allowed."""
        raw = self.fitted.raw
        every = {
            "coefficients": [raw.intercept * (1 << COEFFICIENT_BITS - INTERCEPT_BITS), raw.coefficients],
            "standard_errors": [raw.intercept_error, raw.errors],
            "fit": [one.share for one in self.told],
        }
        chosen = {name: concatenate(parts) for name, parts in every.items() if name in allowed and parts}
        if "pearson" in self.fitted.sums and "standard_errors" in chosen and "fit" not in chosen:
            chosen[DISPERSION] = concatenate([self.told[0].share, self.told[_PEARSON].share])
        if self.distance:
            chosen[STEP] = self.fitted.squared_step
        return chosen

    def result(self, opened: Mapping[str, RingArray]) -> GlmResult:
        """The opened numbers in the units of the data."""
        model, described = self.model, self._described(opened)
        units, information = np.append(1.0, model.half), 2.0**self.information
        coefficients = errors = step = None
        if "coefficients" in opened:
            coefficients = fixedpoint.decode(opened["coefficients"], COEFFICIENT_BITS) / units
            coefficients[0] += self.family.level
        if "standard_errors" in opened:
            spread = np.sqrt(max(described.get("dispersion", 1.0), 0.0) / information)
            errors = fixedpoint.decode(opened["standard_errors"], ERROR_BITS) / units * spread
        if STEP in opened:
            (squared,) = fixedpoint.decode(opened[STEP], glm.SQUARED_STEP_BITS)
            step = float(np.sqrt(max(squared, 0.0) * information))
        return GlmResult(
            model.study, model.model, model.target, model.names, model.rows, model.confidence_level, coefficients,
            errors, penalty=model.penalty or None, iterations=self.iterations, step=step, **described,
        )  # fmt: skip

    def _described(self, opened: Mapping[str, RingArray]) -> dict[str, float]:
        """The fit in figures."""
        if (words := opened.get("fit", opened.get(DISPERSION))) is None:
            return {}
        told = self.told if "fit" in opened else [self.told[0], self.told[_PEARSON]]
        numbers = [fixedpoint.decode(words[at : at + 1], 0)[0] / 2.0**value.bits for at, value in enumerate(told)]
        with np.errstate(all="ignore"):  # in a rehearsal all is zero
            if "fit" not in opened:
                return {"dispersion": float(numbers[1] / (numbers[0] - len(self.model.names)))}
            found = self.family.described(numbers, len(self.model.names))
        if self.shifted:  # a model with the intercept alone would have to be fitted, too
            del found["null_deviance"]
        return {name: float(value) for name, value in found.items()}


def figures(party: Party, family: Family, fitted: Fitted, constants: Sequence[Value], heaviest: int) -> list[Value]:
    """What is released to describe a fit: no more digits than that needs. `heaviest`: log₂ of the unit of weights."""
    sums = {name: value.times(heaviest) for name, value in fitted.sums.items()}
    told = family.told(constants, sums)
    cut = [(value.share, value.bits - bits) for value, bits in told if value.bits > bits]
    short = iter(truncate_each(party, *cut) if cut else [])
    return [Value(next(short), bits) if value.bits > bits else value for value, bits in told]
