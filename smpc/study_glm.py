"""A study with a generalized linear model: rows are shared, the fit is secret, its numbers are put in the data's units.

Rows split: a party shares its own rows. Columns split: a party shares its own columns.
"""

from __future__ import annotations

from math import ceil, log2
from typing import TYPE_CHECKING

import numpy as np

from protocols import fixedpoint, inputs
from protocols.shares import Share, concatenate
from smpc.errors import ModelError
from smpc.models import families, glm, moments
from smpc.models.families import WEIGHT_BITS, Family, Rows, Value
from smpc.models.released import GlmRelease, figures
from smpc.models.sums import add_up
from smpc.models.whitened import UNIT_BITS, whiten
from smpc.prepared import geometry
from smpc.study_linear import model_of, require_rows, require_sound, require_variation

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from protocols.party import Party
    from protocols.ring import RingArray
    from smpc.config import Manifest
    from smpc.prepared import Layout, Prepared
    from smpc.release import Gate
    from smpc.result_glm import GlmResult

    Reals = NDArray[np.float64]

MOST_ROWS = 1 << 22
_STRONGEST, _WEAKEST = 3.0, 2.0**-30  # λₛ of `whitened`
_CONSTANT_BITS = 30
_WITHIN_ONE = 0  # log₂ of the largest S where the analyst is told it


def fit(gate: Gate, manifest: Manifest, prepared: Prepared, layout: Layout) -> GlmResult | None:
    """The result at a receiver, None elsewhere; see `study.fit`."""
    party, study, shape = gate.party, manifest.study, geometry(manifest)
    family = _family(manifest)
    strength = _checked(manifest, family, layout.rows)
    u = _features(party, manifest, prepared, layout)
    rows = _rows(party, manifest, family, prepared, layout)
    if layout.owners:
        secret = moments.of_columns(party, prepared.u, layout.owners[: shape.features])
    else:
        secret = moments.of_rows(party, add_up([prepared.u], shape.features), layout.rows)
    require_variation(gate, shape.names[: shape.features], secret)
    design = whiten(party, u, secret, shape.origin, strength)
    most = family.converged if study.convergence == "check" else _WITHIN_ONE
    fitted = glm.fit(party, design, family, rows, study.iterations, most)
    require_sound(gate, fitted.wrong, glm.REASONS)
    constants = _constants(party, manifest, family, prepared, layout)
    told = figures(party, family, fitted, constants, rows.heaviest)
    found = GlmRelease(
        model_of(manifest, shape, layout.rows), family, fitted, told, design.rows_bits + _scale(manifest, family),
        study.iterations, bool(study.offset), study.convergence == "step",
    )  # fmt: skip
    opened = gate.release(found.outputs(manifest.release.outputs))
    return None if opened is None else found.result(opened)


def _family(manifest: Manifest) -> Family:
    """The family, with y in units of the largest power of two that is declared, rounded up."""
    if manifest.study.model == "logistic":
        return families.Logistic()
    unit = ceil(log2(_largest(manifest, manifest.study.target)))
    return families.Poisson(unit) if manifest.study.model == "poisson" else families.Gamma(unit)


def _largest(manifest: Manifest, name: str) -> float:
    _, high = manifest.columns[name].range or (0.0, 1.0)
    return high


def _weight_bits(manifest: Manifest) -> int:
    """log₂ of the unit of weights, so that they are 1 at most."""
    return ceil(log2(_largest(manifest, manifest.study.weights))) if manifest.study.weights else 0


def _scale(manifest: Manifest, family: Family) -> int:
    """log₂ of the unit of the information."""
    return family.information_unit + _weight_bits(manifest)


def _checked(manifest: Manifest, family: Family, rows: int) -> float:
    """λₛ. Raises ModelError for too few rows, too many, or a penalty that is none."""
    study, features = manifest.study, len(manifest.terms)
    require_rows(rows, features)
    if rows > MOST_ROWS:
        raise ModelError(f"{rows} rows are too many for a {study.model} model: at most {MOST_ROWS} are possible")
    one = family.curvature * rows * 2.0 ** _scale(manifest, family)  # the penalty with λₛ = 1
    if study.penalty and not _WEAKEST * one <= study.penalty <= _STRONGEST * one:
        raise ModelError(f"[study] penalty must be between {_WEAKEST * one:.2g} and {_STRONGEST * one:g} here")
    return study.penalty / one


# What the parties share, in the order of rows and columns that all agree on


def _features(party: Party, manifest: Manifest, prepared: Prepared, layout: Layout) -> Share:
    """⟨u⟩, rows × features, UNIT_BITS."""
    d, own = len(manifest.terms), fixedpoint.encode(prepared.u.T, UNIT_BITS)
    if not layout.owners:
        return _shared(party, layout, own, d, None).T
    whole = np.zeros((layout.rows, d), np.uint64)
    for rank in sorted(set(layout.owners[:d])):
        places = [at for at in range(d) if layout.owners[at] == rank]
        whole[:, places] = _shared(party, layout, own, len(places), rank).values.T
    return Share(party.rank, whole)


def _rows(party: Party, manifest: Manifest, family: Family, prepared: Prepared, layout: Layout) -> Rows:
    """⟨Columns of y⟩, ⟨offset⟩, ⟨weight⟩."""
    study, unit = manifest.study, 2.0 ** _weight_bits(manifest)

    def column(name: str, made: Callable[[Reals], Reals], bits: int) -> Share:
        """⟨What the holder of a column makes of it⟩."""
        own = prepared.others.get(name)
        mine = None if own is None else fixedpoint.encode(made(own), bits)
        owner = layout.owners[len(manifest.terms) + study.others.index(name)] if layout.owners else None
        return _shared(party, layout, mine, len(made(np.ones(1))), owner)

    y = column(study.target, family.columns, family.bits)
    offset = column(study.offset, lambda o: o[None, :], family.eta_bits)[0] if study.offset else None
    weight = column(study.weights, lambda w: w[None, :] / unit, WEIGHT_BITS)[0] if study.weights else None
    return Rows(y, offset, weight, _weight_bits(manifest))


def _shared(party: Party, layout: Layout, mine: RingArray | None, count: int, owner: int | None) -> Share:
    """⟨count × rows⟩, of one owner or of each party a part."""
    if owner is not None:
        return inputs.share(party, mine if party.rank == owner else None, owner, (count, layout.rows))
    parts = enumerate(layout.parts)
    pieces = [inputs.share(party, mine if party.rank == rank else None, rank, (count, rows)) for rank, rows in parts]
    return concatenate(pieces, axis=1)


def _constants(party: Party, manifest: Manifest, family: Family, prepared: Prepared, layout: Layout) -> list[Value]:
    """⟨The sums that y alone has⟩, each with as many bits as fit whatever y is within its range."""
    study = manifest.study
    low, high = manifest.columns[study.target].range or (0.0, 1.0)
    heaviest = np.full(1, 2.0 ** _weight_bits(manifest))
    largest = np.max([np.abs(family.constants(np.full(1, end), heaviest)) for end in (low, high / np.e, high)], axis=0)
    room = [min(_CONSTANT_BITS, 58 - ceil(log2(layout.rows * one + 1))) for one in largest.tolist()]
    y = prepared.others.get(study.target)
    weights = prepared.others.get(study.weights, np.ones(prepared.rows))
    mine = np.zeros(len(room)) if y is None else family.constants(y, weights)
    words = [
        fixedpoint.encode(value * 2.0 ** min(bits, 0), max(bits, 0)) for value, bits in zip(mine, room, strict=True)
    ]
    share = inputs.total(party, np.concatenate(words))
    return [Value(share[at : at + 1], bits) for at, bits in enumerate(room)]
