"""A party's table: read, checked against the manifest's columns, as float64, before anything leaves.

A file (CSV, Parquet, Arrow), an Arrow table or stream, a pandas or polars frame, a mapping of arrays, a NumPy
array: one is as good as the other. A large file can be had in pieces. An error names the file, the row as its owner
sees it, and the column, never a value.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from smpc import sources
from smpc.cells import codes, without_gaps
from smpc.errors import DataError
from smpc.names import clean, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from smpc.cells import Cells, Floats
    from smpc.config import Column
    from smpc.sources import Source

    Gaps = NDArray[np.bool_]


@dataclass(frozen=True, eq=False, repr=False)
class Table:
    """Columns of `rows` finite float64 values each, read-only, in the units of the manifest."""

    name: str
    rows: int
    columns: Mapping[str, Floats]

    def __repr__(self) -> str:
        return f"Table({self.name!r}, rows={self.rows}, columns={list(self.columns)})"

    def matrix(self, names: Sequence[str]) -> Floats:
        """The columns `names` side by side: (rows, len(names)). Raises ValueError for an unknown one."""
        for name in names:
            if name not in self.columns:
                raise ValueError(f"{self.name} has no column {name!r}")
        return np.column_stack([np.empty((self.rows, 0)), *(self.columns[name] for name in names)])


@dataclass(frozen=True, eq=False, repr=False)
class Stream:
    """A table whose rows come in pieces, each read and checked when its turn comes. They can be had once.

    Raises DataError at the first piece that is not as declared, and at the end if there was no row.
    """

    name: str
    pieces: Iterator[Table]


def read_table(
    source: Any,
    manifest_columns: Mapping[str, Column],
    wanted: Sequence[str],
    *,
    require: Literal["all", "some"],
) -> Table:
    """The columns `wanted` of `source`, checked against `manifest_columns` where those declare them.

    source: a path (.csv, .csv.gz, .parquet, .arrow, .feather), whatever hands out an Arrow stream or array, a
    pandas frame, a mapping from name to array, a structured array, or a plain array of two axes, whose
    columns are `wanted` in their order. What is not wanted is ignored.
    require: "all" of the columns must be there, or "some", at least one.
    Raises DataError, one line without a value; TypeError for a source of another kind.
    """
    stream = stream_table(source, manifest_columns, wanted, require=require)
    return _joined(list(stream.pieces))


def stream_table(
    source: Any,
    manifest_columns: Mapping[str, Column],
    wanted: Sequence[str],
    *,
    require: Literal["all", "some"],
) -> Stream:
    """`read_table` in pieces: a few MiB of a CSV file are in memory at a time, a row group or batch of another.

    Arguments and errors are those of `read_table`; those about cells wait for the piece that they are in.
    """
    categories = {name for name, column in manifest_columns.items() if column.type == "category"}
    opened = sources.open_source(source, wanted, categories)
    return Stream(opened.name, _pieces(opened, _present(opened, wanted, require), manifest_columns))


def _pieces(source: Source, names: Sequence[str], declared: Mapping[str, Column]) -> Iterator[Table]:
    before = 0
    for taken in source.pieces([source.names.index(name) for name in names]):
        if rows := _rows(source, names, taken):
            columns = _checked(source, names, taken, declared, before)
            yield Table(source.name, len(next(iter(columns.values()))), MappingProxyType(columns))
            before += rows
    if before == 0:
        raise DataError(f"{source.name}: has no rows")


def _joined(pieces: Sequence[Table]) -> Table:
    if len(pieces) == 1:
        return pieces[0]
    columns = {name: np.concatenate([piece.columns[name] for piece in pieces]) for name in pieces[0].columns}
    for column in columns.values():
        column.flags.writeable = False
    return Table(pieces[0].name, sum(piece.rows for piece in pieces), MappingProxyType(columns))


def constant_columns(table: Table) -> list[str]:
    """The columns of `table` that have one value in all rows."""
    return [name for name, column in table.columns.items() if column.max() == column.min()]


def _present(source: Source, wanted: Sequence[str], require: Literal["all", "some"]) -> list[str]:
    _refuse_repeated(source, wanted)
    present = [name for name in wanted if name in source.names]
    missing = [name for name in wanted if name not in source.names]
    if missing and (require == "all" or not present):
        raise DataError(f"{source.name}: {_missing(source, missing, require)}")
    return present


def _refuse_repeated(source: Source, wanted: Sequence[str]) -> None:
    """Refuse two columns of one name. The name is quoted only if it is known: line 1 might be data."""
    counts = Counter(name for name in source.names if name)  # columns without a name cannot be meant
    for name, count in counts.items():
        if count > 1:
            first, second = [at for at, other in enumerate(source.names, start=1) if other == name][:2]
            called = f' "{clean(name)}"' if name in wanted else ""
            raise DataError(f"{source.name}: columns {first} and {second} have the same name{called}")


def _missing(source: Source, missing: Sequence[str], require: Literal["all", "some"]) -> str:
    names = ", ".join(f'"{clean(name)}"' for name in missing[:5])
    near = nearest(missing[0], source.names)
    if len(source.names) == 1 and any(mark in source.names[0] for mark in ";\t"):
        return "its cells are separated by semicolons or tabs: save the file with commas"
    if any(_is_number(name) for name in source.names):
        return f"no column {names}: line 1 has numbers where the columns' names belong"
    if require == "some":
        return f"none of the study's columns is there: {names}"
    return f'no column "{clean(missing[0])}"{near}' if near else f"no column {names}"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _checked(
    source: Source, names: Sequence[str], taken: Sequence[Any], declared: Mapping[str, Column], before: int
) -> dict[str, Floats]:
    """`taken` as numbers, by name. Raises DataError at the first row that is not as declared; `before` came others."""
    read = [_read(source, raw, declared.get(name)) for name, raw in zip(names, taken, strict=True)]
    bad = [
        (*found, name)
        for name, (column, gaps) in zip(names, read, strict=True)
        if (found := _first_bad(column, gaps, declared.get(name)))
    ]
    if bad:
        index, complaint, name = min(bad, key=lambda one: one[0])
        place = f'{source.row_word} {source.first_row + before + index}, column "{clean(name)}"'
        raise DataError(f"{source.name}: {place}: {complaint}")
    return _whole(names, read, declared)


def _read(source: Source, raw: Any, declared: Column | None) -> tuple[Cells, Gaps | None]:
    """The cells of a column that have a value, as numbers, and where there is none, if that may be."""
    gaps, category = None, declared is not None and declared.type == "category"
    if declared is not None and declared.missing != "refuse":
        raw, gaps = without_gaps(raw, numbers=not category)
    return codes(raw, declared.levels) if declared and category else source.convert(raw), gaps


def _whole(
    names: Sequence[str], read: Sequence[tuple[Cells, Gaps | None]], declared: Mapping[str, Column]
) -> dict[str, Floats]:
    """Gaps filled, or their rows left out; columns that cannot be written to."""
    columns, dropped = {}, np.zeros(1, np.bool_)
    for name, (column, gaps) in zip(names, read, strict=True):
        columns[name] = column.values
        if gaps is None or not gaps.any():
            continue
        drop = declared[name].missing == "drop"
        dropped = dropped | gaps if drop else dropped
        columns[name] = np.full(len(gaps), 0.0 if drop else float(declared[name].missing))
        columns[name][~gaps] = column.values
    if dropped.any():
        columns = {name: column[~dropped] for name, column in columns.items()}
    for values in columns.values():
        values.flags.writeable = False
    return columns


def _first_bad(cells: Cells, gaps: Gaps | None, declared: Column | None) -> tuple[int, str] | None:
    """The index of the first cell that is not as declared, and what is wrong with it."""
    bad = _not_as_declared(cells.values, declared) if declared and declared.type != "category" else None
    if bad is None and cells.complaint:
        bad = len(cells.values), cells.complaint
    if bad is None or gaps is None:
        return bad
    if gaps.all():
        return None  # no cell is there that could be bad
    return int(np.flatnonzero(~gaps)[bad[0]]), bad[1]


def _not_as_declared(column: Floats, declared: Column) -> tuple[int, str] | None:
    """The index of the first value out of range, or with a fraction among integers; and which of both."""
    low, high = declared.range or (-np.inf, np.inf)
    bad = outside = (column < low) | (column > high)
    if declared.type == "integer":
        bad = outside | (column != np.floor(column))
    if not bad.any():
        return None
    index = int(np.argmax(bad))
    unit = f" {declared.unit}" if declared.unit else ""
    if outside[index]:
        return index, f"outside the declared range [{low:.15g}, {high:.15g}]{unit}"
    return index, "a fraction in a column of whole numbers"


def _rows(source: Source, names: Sequence[str], taken: Sequence[Any]) -> int:
    rows = len(taken[0])
    for name, raw in zip(names, taken, strict=True):
        if len(raw) != rows:
            pair = f'column "{clean(names[0])}" has {rows} rows and column "{clean(name)}" has {len(raw)}'
            raise DataError(f"{source.name}: {pair}")
    return rows
