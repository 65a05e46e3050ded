"""A party's own data for a study with a model: checked, and mapped to [-1, 1] by the manifest's declared ranges.

All of it happens before any connection is made. Where a model needs sums alone, rows are added up as they are read, and
none is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from smpc.data import Stream
from smpc.errors import DataError, ManifestError, ReleaseRefused
from smpc.models import linear, moments
from smpc.models.sums import Sums, add_up

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from smpc.config import Manifest
    from smpc.data import Table
    from smpc.sections import Study

    Reals = NDArray[np.float64]


_MOST_INFORMATION = 2.0**12  # of a row: beyond, coefficients are surer than their digits
_MOST_OFFSET = 2.0**8
_NARROWEST = np.finfo(np.float64).tiny


@dataclass(frozen=True)
class Geometry:
    """The public map of each column, the `features` first: u = (x - centre) / half."""

    names: tuple[str, ...]
    centre: Reals
    half: Reals
    features: int

    @property
    def origin(self) -> Reals:
        """Where the features are zero, in units of u."""
        origin: Reals = -self.centre[: self.features] / self.half[: self.features]
        return origin


@dataclass(frozen=True, eq=False, repr=False)
class Prepared:
    """A party's data in units of u, columns in the order of `names`: its rows, or sums of them if rows are split.

    `others`: of a generalized linear model, whose rows have the features alone, the other columns in their own units.
    """

    data: Reals | Sums
    names: tuple[str, ...]
    others: Mapping[str, Reals] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        return self.data.rows if isinstance(self.data, Sums) else len(self.data)

    @property
    def sums(self) -> Sums:
        """Of the rows; a rehearsal has some at hand."""
        return self.data if isinstance(self.data, Sums) else add_up([self.data], self.data.shape[1])

    @property
    def u(self) -> Reals:
        """Raises ValueError if the rows are not there any more."""
        if isinstance(self.data, Sums):
            raise ValueError("only sums of the rows are left")
        return self.data


@dataclass(frozen=True)
class Layout:
    """What every owner knows of the data: rows in total, and the rank that holds each column if columns are split.

    `parts`: the rows of each rank, of a generalized linear model whose rows are split.
    """

    rows: int
    owners: tuple[int, ...] = ()
    parts: tuple[int, ...] = ()


def geometry(manifest: Manifest) -> Geometry:
    """The map that the declared ranges give. Raises ManifestError for a range too far from zero for its width."""
    terms, others = manifest.terms, manifest.study.others
    if len(terms) > linear.MOST_FEATURES:
        raise ManifestError(f"[study] features names {len(terms)} columns; at most {linear.MOST_FEATURES} are possible")
    names, features = (*(term.name for term in terms), *others), len(terms)
    declared = [*(term.range for term in terms), *(manifest.columns[name].range for name in others)]
    ranges = np.array(declared, dtype=np.float64)
    low, high = ranges[:, 0], ranges[:, 1]
    with np.errstate(over="ignore", invalid="ignore"):  # of products: refused here
        shape = Geometry(names, low / 2 + high / 2, high / 2 - low / 2, features)
    for name, half in zip(names, shape.half, strict=True):
        if not _NARROWEST <= half < np.inf:
            raise ManifestError(
                f"[columns] the range of {name} is too {'narrow' if half < 1 else 'wide'} to compute with"
            )
    most = 2.0**linear.FARTHEST_ORIGIN_BITS - 1
    for name, distance in zip(names, np.abs(shape.origin), strict=False):
        if distance > most:
            raise ManifestError(
                f"[columns.{name}] range is more than {most:.0f} half-widths away from zero: subtract a constant from "
                "the column and its range"
            )
    _check_others(manifest.study, manifest)
    return shape


def _check_others(study: Study, manifest: Manifest) -> None:
    """Raises ManifestError for a range in which no target or weight of a generalized linear model can be."""
    if not study.scored:
        return
    target = manifest.columns[study.target]
    if study.model != "gamma" and target.type != "integer":
        raise ManifestError(
            f'[columns.{study.target}] type must be "integer": a {study.model} model needs whole numbers'
        )
    low, high = target.range or (0.0, 0.0)
    fits, words = {
        "logistic": (low >= 0 and high <= 1, "[0, 1]: the target of a logistic model is 0 or 1"),
        "poisson": (low >= 0 and high >= 1, "from 0 or more to 1 or more: the target of a Poisson model is a count"),
    }.get(str(study.model), (low > 0, "above 0: the target of a Gamma model is an amount"))
    if not fits:
        raise ManifestError(f"[columns.{study.target}] range must be {words}")
    least, heaviest = manifest.columns[study.weights].range or (0.0, 1.0) if study.weights else (0.0, 1.0)
    if least < 0 or heaviest <= 0:
        raise ManifestError(f"[columns.{study.weights}] range must not go below 0: the column has weights")
    if heaviest * (high if study.model == "poisson" else 1.0) > _MOST_INFORMATION:
        of = "weights times counts" if study.model == "poisson" and study.weights else "counts or weights"
        raise ManifestError(f"[columns] ranges allow {of} above {_MOST_INFORMATION:.0f}: too many for this precision")
    ends = manifest.columns[study.offset].range or (0.0, 0.0) if study.offset else (0.0, 0.0)
    if max(map(abs, ends)) > _MOST_OFFSET:
        raise ManifestError(
            f"[columns.{study.offset}] range must be within ± {_MOST_OFFSET:.0f}: the column has offsets"
        )


def prepare(manifest: Manifest, table: Table | Stream) -> Prepared:
    """Check what one party can check alone. Raises DataError or ReleaseRefused.

    With split = "rows" the pieces of a stream are read one after the other, if the model needs sums alone; else all
    rows must be there.
    """
    shape, study = geometry(manifest), manifest.study
    if study.in_pieces:
        pieces = table.pieces if isinstance(table, Stream) else [table]
        formed = (_formed(manifest, piece) for piece in pieces)
        prepared = Prepared(add_up(_units(shape, formed), len(shape.names)), shape.names)
    elif isinstance(table, Stream):
        raise ValueError("a study with columns split, or with no linear model, needs its table as a whole")
    else:
        prepared = _own_columns(manifest, shape, table)
    least = manifest.release.minimum_rows
    if prepared.rows < least:
        raise ReleaseRefused(f"{table.name} has fewer rows than the study's minimum_rows, which is {least}")
    return prepared


def _formed(manifest: Manifest, table: Table) -> Mapping[str, Reals]:
    """The terms of which the table has all columns, and its other columns."""
    columns = table.columns
    there = [term for term in manifest.terms if all(name in columns for name in term.columns)]
    formed = {term.name: term.of(columns) for term in there}
    return formed | {name: columns[name] for name in manifest.study.others if name in columns}


def _units(shape: Geometry, pieces: Iterable[Mapping[str, Reals]]) -> Iterator[Reals]:
    """Rows × all columns, in units of u, for each piece; each column is in one place in memory."""
    for piece in pieces:
        columns = np.stack([piece[name] for name in shape.names])
        yield np.clip((columns.T - shape.centre) / shape.half, -1.0, 1.0)


def _own_columns(manifest: Manifest, shape: Geometry, table: Table) -> Prepared:
    study, columns = manifest.study, _formed(manifest, table)
    for term in manifest.terms:
        some = [name for name in term.columns if name in table.columns]
        if some and term.name not in columns:
            raise DataError(f'{table.name}: has column "{some[0]}" and not all of {term.name}: they belong together')
    names = tuple(name for name in shape.names if name in columns)
    mapped = [name for name in names if name not in study.others or not study.scored]
    chosen = [shape.names.index(name) for name in mapped]
    own = np.column_stack([np.empty((table.rows, 0)), *(columns[name] for name in mapped)])
    u = np.clip((own - shape.centre[chosen]) / shape.half[chosen], -1.0, 1.0)
    if study.split == "columns":
        for name in np.array(mapped)[moments.narrow(u)]:
            raise DataError(f"{table.name}: {too_narrow(str(name))}")
    others = {name: columns[name] for name in names if name not in mapped}
    _check_weights(study, table, others)
    return Prepared(u, names, others)


def _check_weights(study: Study, table: Table, others: Mapping[str, Reals]) -> None:
    """Raises DataError for a target whose weights another party has."""
    if study.target in others and study.weights and study.weights not in others:
        raise DataError(f'{table.name}: has column "{study.target}" and not "{study.weights}", its weights')


def too_narrow(name: str) -> str:
    """What is wrong with a column that does not fill its range."""
    return (
        f'column "{name}" is constant, or its declared range is over a thousand times as wide as its values vary: '
        "leave it out, or declare a narrower range"
    )
