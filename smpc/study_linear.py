"""A linear study: the fit on secret moments, and its numbers in the units of the data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from protocols import fixedpoint
from protocols.shares import Share, concatenate
from smpc.errors import ModelError
from smpc.models import linear, moments
from smpc.names import INTERCEPT
from smpc.opened import FREEDOM, SOUND, VARY
from smpc.prepared import geometry, too_narrow
from smpc.result import LinearResult

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from protocols.ring import RingArray
    from smpc.config import Manifest
    from smpc.models.linear import Fit
    from smpc.models.moments import Moments
    from smpc.prepared import Geometry, Layout, Prepared
    from smpc.release import Gate

_STRONGEST, _WEAKEST = 2.0**7, 2.0**-30  # penalty per row


def fit(gate: Gate, manifest: Manifest, prepared: Prepared, layout: Layout) -> LinearResult | None:
    """The result at a receiver, None elsewhere.

    Opens to every party two checks; to the receivers what [release] names. Raises ModelError if there is no result to
    trust.
    """
    shape = geometry(manifest)
    design = _design(manifest, shape, layout.rows)
    if layout.owners:
        secret = moments.of_columns(gate.party, prepared.u, layout.owners)
    else:
        secret = moments.of_rows(gate.party, prepared.sums, layout.rows)
    require_variation(gate, shape.names, secret)
    fitted = linear.fit(gate.party, secret, design)
    for wrong, reason in zip(gate.announce(**{SOUND: fitted.wrong})[SOUND], linear.REASONS, strict=True):
        if wrong:
            raise ModelError(f"no result: {reason}")
    opened = gate.release(_outputs(manifest, fitted))
    return None if opened is None else _result(manifest, shape, design, fitted.halvings, opened)


def _design(manifest: Manifest, shape: Geometry, rows: int) -> linear.Design:
    features = len(manifest.study.features)
    if rows < features + 2:
        raise ModelError(
            f"{rows} rows are too few for {features} features and an intercept: at least {features + 2} are needed"
        )
    penalty = manifest.study.penalty
    if penalty and not _WEAKEST <= penalty / rows <= _STRONGEST:
        raise ModelError(
            f"[study] penalty must be between 2^-30 and {_STRONGEST:.0f} times the number of rows, which is {rows}"
        )
    return linear.Design(rows, shape.origin, penalty)


def require_variation(gate: Gate, names: Sequence[str], secret: Moments) -> None:
    """Raises ModelError for a column that does not fill its range."""
    varies = gate.announce(**{VARY: secret.varies})[VARY]
    for name, flag in zip(names, varies, strict=True):
        if not flag:
            raise ModelError(f"no result: {too_narrow(name)}")


def _outputs(manifest: Manifest, fitted: Fit) -> dict[str, Share]:
    """Name and share of everything that [release] allows."""
    every: dict[str, list[Share]] = {
        "coefficients": [fitted.intercept, fitted.coefficients],
        "standard_errors": [fitted.intercept_error, fitted.errors],
        "fit": [fitted.sigma, fitted.unexplained],
    }
    chosen = {name: concatenate(parts) for name, parts in every.items() if name in set[str](manifest.release.outputs)}
    if manifest.study.penalty and len(chosen) > ("coefficients" in chosen):
        chosen[FREEDOM] = fitted.shrinkage
    return chosen


def _result(
    manifest: Manifest, shape: Geometry, design: linear.Design, halvings: int, opened: Mapping[str, RingArray]
) -> LinearResult:
    """The opened numbers in the units of the data."""
    study, d = manifest.study, len(design.origin)
    shrinkage = float(fixedpoint.decode(opened[FREEDOM], linear.SHAPE_BITS)[0]) if FREEDOM in opened else 0.0
    freedom = design.rows - 1 - d + shrinkage
    unit = shape.half[-1]
    coefficients = errors = r_squared = residual = None
    if "coefficients" in opened:
        slopes = fixedpoint.decode(opened["coefficients"][1:], linear.COEFFICIENT_BITS) * unit / shape.half[:-1]
        level = shape.centre[-1] + unit * fixedpoint.decode(opened["coefficients"][:1], design.intercept_bits)
        coefficients = np.concatenate([level, slopes])
    if "standard_errors" in opened:
        scale = unit / np.sqrt((1 + design.strength) * 2.0**halvings * freedom)
        level = fixedpoint.decode(opened["standard_errors"][:1], design.intercept_error_bits)
        slopes = fixedpoint.decode(opened["standard_errors"][1:], linear.ERROR_BITS) / shape.half[:-1]
        errors = np.concatenate([level, slopes]) * scale
    if "fit" in opened:
        sigma = float(fixedpoint.decode(opened["fit"][:1], linear.SIGMA_BITS)[0])
        residual = float(2 * unit * sigma * np.sqrt(design.rows / freedom))
        r_squared = 1 - float(fixedpoint.decode(opened["fit"][1:], linear.UNEXPLAINED_BITS)[0]) ** 2
    return LinearResult(
        study.name, str(study.model), study.target, (INTERCEPT, *study.features), design.rows, study.confidence_level,
        coefficients, errors, freedom if len(opened) > ("coefficients" in opened) else None, r_squared, residual,
        study.penalty or None,
    )  # fmt: skip
