"""A party's table: read, checked against the manifest's columns, as float64, before anything leaves.

A file (CSV, Parquet, Arrow), an Arrow table or stream, a pandas or polars frame, a mapping of arrays, a NumPy
array: one is as good as the other. An error names the file, the row as its owner sees it, and the column,
never a value.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from smpc import sources
from smpc.errors import DataError
from smpc.names import clean, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from smpc.cells import Floats
    from smpc.config import Column
    from smpc.sources import Source


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
    opened = sources.open_source(source, wanted)
    present = _present(opened, wanted, require)
    taken = opened.take([opened.names.index(name) for name in present])
    rows = _rows(opened, present, taken)
    columns = {
        name: _checked(opened, name, raw, manifest_columns.get(name)) for name, raw in zip(present, taken, strict=True)
    }
    return Table(opened.name, rows, MappingProxyType(columns))


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


def _checked(source: Source, name: str, raw: Any, declared: Column | None) -> Floats:
    """`raw` as numbers, as declared. Raises DataError at the first cell that is not."""
    cells = source.convert(raw)
    bad = _not_as_declared(cells.values, declared) if declared else None
    if bad is None and cells.complaint:
        bad = len(cells.values), cells.complaint
    if bad is not None:
        index, complaint = bad
        place = f'{source.row_word} {source.first_row + index}, column "{clean(name)}"'
        raise DataError(f"{source.name}: {place}: {complaint}")
    cells.values.flags.writeable = False
    return cells.values


def _not_as_declared(column: Floats, declared: Column) -> tuple[int, str] | None:
    """The index of the first value out of range, or with a fraction among integers; and which of both."""
    low, high = declared.range or (-np.inf, np.inf)
    outside = (column < low) | (column > high)
    fraction = (column != np.floor(column)) & (declared.type == "integer")
    bad = outside | fraction
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
    if rows == 0:
        raise DataError(f"{source.name}: has no rows")
    return rows
