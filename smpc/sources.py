"""Where a table can come from: each kind of source as names of columns, and columns on demand."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from smpc import cells, csvtext
from smpc.errors import DataError
from smpc.names import clean

KINDS = ".csv, .csv.gz, .parquet, .arrow or .feather"


@dataclass(frozen=True)
class Source:
    """A table not yet read. A person calls its first row `row_word` `first_row`, such as line 2."""

    name: str
    names: list[str]
    take: Callable[[Sequence[int]], Sequence[Any]]  # the columns at these positions
    convert: Callable[[Any], cells.Cells] = cells.from_any
    row_word: Literal["line", "row"] = "row"
    first_row: int = 1


def open_source(source: Any, wanted: Sequence[str]) -> Source:
    """`source` as a Source; a plain array has the columns `wanted`.

    Raises DataError if it cannot be opened, TypeError if it is of no kind known here.
    """
    if isinstance(source, str | os.PathLike):
        return _open_file(Path(source))
    if isinstance(source, Mapping):
        return _of_columns([(str(name), column) for name, column in source.items()])
    if isinstance(source, np.ndarray):
        return _of_array(source, wanted)
    if type(source).__module__.partition(".")[0] == "pandas" and hasattr(source, "columns"):
        # column by column, as one of mixed objects that nobody wants has no Arrow type
        return _of_columns([(str(name), source.iloc[:, at]) for at, name in enumerate(source.columns)])
    if hasattr(source, "__arrow_c_stream__") or hasattr(source, "__arrow_c_array__"):
        return _of_arrow("<table>", lambda: pa.table(source))
    raise TypeError(f"a table is a path ({KINDS}), an Arrow table or stream, a frame, a mapping or a NumPy array")


def _of_columns(columns: Sequence[tuple[str, Any]]) -> Source:
    def take(positions: Sequence[int]) -> list[Any]:
        for at in positions:
            name, column = columns[at]
            if getattr(column, "ndim", 1) != 1:
                raise DataError(f'<table>: column "{clean(name)}" has {column.ndim} axes, not one')
        return [columns[at][1] for at in positions]

    return Source("<table>", [name for name, _ in columns], take)


def _of_array(array: np.ndarray[Any, Any], wanted: Sequence[str]) -> Source:
    if array.dtype.names is not None:
        return _of_columns([(name, array[name]) for name in array.dtype.names])
    if array.ndim != 2 or array.shape[1] != len(wanted):
        raise DataError(
            f"<table>: an array of shape {array.shape}, and the study's columns ask for (rows, {len(wanted)})"
        )
    return _of_columns([(name, array[:, at]) for at, name in enumerate(wanted)])


def _of_arrow(name: str, read: Callable[[], pa.Table]) -> Source:
    try:
        table = read()
    except (ValueError, TypeError, pa.ArrowException):
        table = None  # the message could quote a value
    if table is None:
        raise DataError(f"{name}: is no Arrow table, or is damaged")
    return Source(name, table.column_names, lambda positions: [table.column(at) for at in positions])


def _open_file(path: Path) -> Source:
    try:
        if not path.exists():
            raise DataError(f"{path.name}: no such file in {path.absolute().parent}")
        if not path.is_file():
            raise DataError(f"{path.name}: is a folder or a device: name a file ({KINDS})")
        return _open_kind(path)
    except OSError as error:
        raise DataError(f"{path.name}: cannot be read: {error.strerror or 'input or output error'}") from None


def _open_kind(path: Path) -> Source:
    name = path.name.lower()
    if name.endswith((".csv", ".csv.gz")):
        text = csvtext.read(path)
        return Source(path.name, text.header, text.columns, cells.from_text, "line", 2)
    if name.endswith(".parquet"):
        return _open_parquet(path)
    if name.endswith((".arrow", ".feather")):
        return _of_arrow(path.name, lambda: _read_arrow(path))
    raise DataError(f"{path.name}: unknown kind of file: its name should end in {KINDS}")


def _read_arrow(path: Path) -> pa.Table:
    with pa.OSFile(str(path)) as file:
        try:
            return pa.ipc.open_file(file).read_all()
        except pa.ArrowInvalid:  # the other of Arrow's two formats
            file.seek(0)
            return pa.ipc.open_stream(file).read_all()


def _open_parquet(path: Path) -> Source:
    import pyarrow.parquet as pq

    def read(names: list[str] | None) -> pa.Table:
        with pq.ParquetFile(path) as file:
            return file.schema_arrow.empty_table() if names is None else file.read(columns=names)

    head = _of_arrow(path.name, lambda: read(None))

    def take(positions: Sequence[int]) -> Sequence[Any]:
        names = [head.names[at] for at in positions]
        body = _of_arrow(path.name, lambda: read(names))
        return body.take([body.names.index(name) for name in names])

    return Source(path.name, head.names, take)
