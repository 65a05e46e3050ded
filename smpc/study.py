"""A linear study from a checked table to a released result.

`prepare` looks at the party's own data before any connection is made; `fit` runs on the connected parties. Both
use the manifest's declared ranges to map columns to [-1, 1] and released numbers back. Where rows are split, `prepare`
adds them up as they are read, and no row is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from protocols import fixedpoint, inputs, ring
from protocols.shares import Share, concatenate
from smpc.data import Stream
from smpc.errors import DataError, ManifestError, ModelError, ReleaseRefused
from smpc.models import linear, moments
from smpc.models.sums import Sums, add_up
from smpc.names import INTERCEPT
from smpc.result import LinearResult

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    from protocols.ring import RingArray
    from smpc.config import Manifest
    from smpc.data import Table
    from smpc.models.linear import Fit
    from smpc.models.moments import Moments
    from smpc.release import Gate

    Reals = NDArray[np.float64]

VARY = "check: every column varies"
SOUND = "check: the fit can be trusted"
ROWS = "rows"
FREEDOM = "effective degrees of freedom"
PUBLIC = frozenset({ROWS, VARY, SOUND})
GOOD = {VARY: 1, SOUND: 0}  # how checks end in a run that has a result

_STRONGEST, _WEAKEST = 2.0**7, 2.0**-30  # penalty per row


@dataclass(frozen=True)
class Geometry:
    """The public map of each column (features, then the target): u = (x - centre) / half."""

    names: tuple[str, ...]
    centre: Reals
    half: Reals

    @property
    def origin(self) -> Reals:
        """Where the features are zero, in units of u."""
        origin: Reals = -self.centre[:-1] / self.half[:-1]
        return origin


@dataclass(frozen=True, eq=False, repr=False)
class Prepared:
    """A party's data in units of u, columns in the order of `names`: its rows, or sums of them if rows are split."""

    data: Reals | Sums
    names: tuple[str, ...]

    @property
    def rows(self) -> int:
        return self.data.rows if isinstance(self.data, Sums) else len(self.data)

    @property
    def sums(self) -> Sums:
        """Of the rows; a rehearsal has some at hand."""
        return self.data if isinstance(self.data, Sums) else add_up([self.data], len(self.names))

    @property
    def u(self) -> Reals:
        """Raises ValueError if the rows are not there any more."""
        if isinstance(self.data, Sums):
            raise ValueError("only sums of the rows are left")
        return self.data


def geometry(manifest: Manifest) -> Geometry:
    """The map that the declared ranges give. Raises ManifestError for a range too far from zero for its width."""
    names = (*manifest.study.features, manifest.study.target)
    if len(names) > linear.MOST_FEATURES + 1:
        raise ManifestError(
            f"[study] features names {len(names) - 1} columns; at most {linear.MOST_FEATURES} are possible"
        )
    ranges = np.array([manifest.columns[name].range for name in names], dtype=np.float64)
    low, high = ranges[:, 0], ranges[:, 1]
    shape = Geometry(names, low / 2 + high / 2, high / 2 - low / 2)
    most = 2.0**linear.FARTHEST_ORIGIN_BITS - 1
    for name, distance in zip(names, np.abs(shape.origin), strict=False):
        if distance > most:
            raise ManifestError(
                f"[columns.{name}] range is more than {most:.0f} half-widths away from zero: subtract a constant from "
                "the column and its range"
            )
    return shape


def prepare(manifest: Manifest, table: Table | Stream) -> Prepared:
    """Check what one party can check alone. Raises DataError or ReleaseRefused.

    With split = "rows" the pieces of a stream are read one after the other; with "columns" all rows must be there.
    """
    shape = geometry(manifest)
    if manifest.study.split == "rows":
        pieces = table.pieces if isinstance(table, Stream) else [table]
        prepared = Prepared(add_up(_units(shape, pieces), len(shape.names)), shape.names)
    elif isinstance(table, Stream):
        raise ValueError('a study with split = "columns" needs its table as a whole')
    else:
        prepared = _own_columns(shape, table)
    least = manifest.release.minimum_rows
    if prepared.rows < least:
        raise ReleaseRefused(f"{table.name} has fewer rows than the study's minimum_rows, which is {least}")
    return prepared


def _units(shape: Geometry, pieces: Iterable[Table]) -> Iterator[Reals]:
    """Rows × all columns, in units of u, for each piece; each column is in one place in memory."""
    for piece in pieces:
        columns = np.stack([piece.columns[name] for name in shape.names])
        yield np.clip((columns.T - shape.centre) / shape.half, -1.0, 1.0)


def _own_columns(shape: Geometry, table: Table) -> Prepared:
    names = tuple(name for name in shape.names if name in table.columns)
    chosen = [shape.names.index(name) for name in names]
    u = np.clip((table.matrix(names) - shape.centre[chosen]) / shape.half[chosen], -1.0, 1.0)
    for name in np.array(names)[moments.narrow(u)]:
        raise DataError(f"{table.name}: {_narrow(str(name))}")
    return Prepared(u, names)


@dataclass(frozen=True)
class Layout:
    """What every owner knows of the data: rows in total, and the rank that holds each column if columns are split."""

    rows: int
    owners: tuple[int, ...] = ()


def agree(gate: Gate, manifest: Manifest, prepared: Prepared) -> Layout:
    """The layout of everybody's data; one round. With split = "rows", opens the number of rows to every party.

    Raises DataError if columns are split in a way that makes no study.
    """
    if manifest.study.split == "columns":
        return Layout(prepared.rows, _owners(gate, geometry(manifest), prepared))
    return Layout(_count_rows(gate, prepared.rows))


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
    _require_variation(gate, shape, secret)
    fitted = linear.fit(gate.party, secret, design)
    for wrong, reason in zip(gate.announce(**{SOUND: fitted.wrong})[SOUND], linear.REASONS, strict=True):
        if wrong:
            raise ModelError(f"no result: {reason}")
    opened = gate.release(_outputs(manifest, fitted))
    return None if opened is None else _result(manifest, shape, design, fitted.halvings, opened)


def _count_rows(gate: Gate, own: int) -> int:
    share = inputs.total(gate.party, ring.from_int([own]))
    return int(gate.announce(**{ROWS: share})[ROWS][0])


def _owners(gate: Gate, shape: Geometry, prepared: Prepared) -> tuple[int, ...]:
    """The rank that holds each column. Tells every owner this party's number of rows and which columns it has.

    Raises DataError if the rows differ in number, or a column is not in exactly one file.
    """
    mine = ring.from_int([prepared.rows, *(name in prepared.names for name in shape.names)])
    others = [rank for rank in range(gate.party.count) if rank != gate.party.rank]
    theirs = gate.party.exchange("columns", {p: [mine] for p in others}, {p: [mine.shape] for p in others})
    everybody = [mine if rank not in theirs else theirs[rank][0] for rank in range(gate.party.count)]
    rows = [int(said[0]) for said in everybody]
    for name, count in zip(gate.names, rows, strict=True):
        if count != rows[0]:
            raise DataError(
                f'{name} has {count} rows and {gate.names[0]} has {rows[0]}: with split = "columns" every party has '
                "the same people in the same order"
            )
    return tuple(
        _holder(gate, column, [int(said[1 + at]) for said in everybody]) for at, column in enumerate(shape.names)
    )


def _holder(gate: Gate, column: str, said: list[int]) -> int:
    holders = [rank for rank, has in enumerate(said) if has]
    if len(holders) != 1:
        names = [gate.names[rank] for rank in holders]
        where = "the files of " + " and ".join(names) if names else "no party's file"
        raise DataError(f'column "{column}" is in {where}: with split = "columns" it belongs in exactly one')
    return holders[0]


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


def _require_variation(gate: Gate, shape: Geometry, secret: Moments) -> None:
    varies = gate.announce(**{VARY: secret.varies})[VARY]
    for name, flag in zip(shape.names, varies, strict=True):
        if not flag:
            raise ModelError(f"no result: {_narrow(name)}")


def _narrow(name: str) -> str:
    return (
        f'column "{name}" is constant, or its declared range is over a thousand times as wide as its values vary: '
        "leave it out, or declare a narrower range"
    )


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
