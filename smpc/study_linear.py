"""A linear study: the fit on secret moments, and its numbers in the units of the data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smpc.errors import ModelError
from smpc.models import linear, moments
from smpc.models.released import LinearRelease, Model
from smpc.opened import SOUND, VARY
from smpc.prepared import geometry, too_narrow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from protocols.shares import Share
    from smpc.config import Manifest
    from smpc.models.moments import Moments
    from smpc.prepared import Geometry, Layout, Prepared
    from smpc.release import Gate
    from smpc.result import LinearResult

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
    require_sound(gate, fitted.wrong, linear.REASONS)
    found = LinearRelease(model_of(manifest, shape, layout.rows), shape.centre[-1], shape.half[-1], design, fitted)
    opened = gate.release(found.outputs(manifest.release.outputs))
    return None if opened is None else found.result(opened)


def model_of(manifest: Manifest, shape: Geometry, rows: int) -> Model:
    """What is public of a fit."""
    study = manifest.study
    half = shape.half[: shape.features]
    return Model(
        study.name,
        str(study.model),
        study.target,
        shape.names[: shape.features],
        half,
        rows,
        study.confidence_level,
        study.penalty,
    )


def _design(manifest: Manifest, shape: Geometry, rows: int) -> linear.Design:
    features = len(shape.origin)
    require_rows(rows, features)
    penalty = manifest.study.penalty
    if penalty and not _WEAKEST <= penalty / rows <= _STRONGEST:
        raise ModelError(
            f"[study] penalty must be between 2^-30 and {_STRONGEST:.0f} times the number of rows, which is {rows}"
        )
    return linear.Design(rows, shape.origin, penalty)


def require_rows(rows: int, features: int) -> None:
    """Raises ModelError for fewer rows than a fit needs."""
    if rows < features + 2:
        raise ModelError(
            f"{rows} rows are too few for {features} features and an intercept: at least {features + 2} are needed"
        )


def require_sound(gate: Gate, wrong: Share, reasons: Sequence[str]) -> None:
    """Opens what is wrong with a fit, a flag for each of `reasons`, to all. Raises ModelError if anything is."""
    for flag, reason in zip(gate.announce(**{SOUND: wrong})[SOUND], reasons, strict=True):
        if flag:
            raise ModelError(f"no result: {reason}")


def require_variation(gate: Gate, names: Sequence[str], secret: Moments) -> None:
    """Raises ModelError for a column that does not fill its range."""
    varies = gate.announce(**{VARY: secret.varies})[VARY]
    for name, flag in zip(names, varies, strict=True):
        if not flag:
            raise ModelError(f"no result: {too_narrow(name)}")
