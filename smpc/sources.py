"""Where a table can come from: each kind of source as names of columns, and columns on demand.

Files hand out their rows some at a time, so that a large one never is in memory as a whole.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias, TypeVar

import numpy as np
import pyarrow as pa

from smpc import cells, csvtext
from smpc.errors import DataError
from smpc.names import clean

KINDS = ".csv, .csv.gz, .parquet, .arrow or .feather"
ROWS = 1 << 15  # rows of a binary file at a time

Batches: TypeAlias = "Iterator[pa.Table | pa.RecordBatch]"
T = TypeVar("T")


@dataclass(frozen=True)
class Source:
    """A table not yet read. A person calls its first row `row_word` `first_row`, such as line 2.

    `pieces` takes positions of columns, and yields these columns for some rows at a time, from the first to the last.
    """

    name: str
    names: list[str]
    pieces: Callable[[Sequence[int]], Iterator[Sequence[Any]]]
    convert: Callable[[Any], cells.Cells] = cells.from_any
    row_word: Literal["line", "row"] = "row"
    first_row: int = 1


def open_source(source: Any, wanted: Sequence[str], texts: Collection[str] = ()) -> Source:
    """`source` as a Source; a plain array has the columns `wanted`. A CSV file keeps the columns `texts` as written.

    Raises DataError if it cannot be opened, TypeError if it is of no kind known here.
    """
    if isinstance(source, str | os.PathLike):
        return _open_file(Path(source), texts)
    if isinstance(source, Mapping):
        return _of_columns([(str(name), column) for name, column in source.items()])
    if isinstance(source, np.ndarray):
        return _of_array(source, wanted)
    if type(source).__module__.partition(".")[0] == "pandas" and hasattr(source, "columns"):
        # column by column, as one of mixed objects that nobody wants has no Arrow type
        return _of_columns([(str(name), source.iloc[:, at]) for at, name in enumerate(source.columns)])
    if hasattr(source, "__arrow_c_stream__") or hasattr(source, "__arrow_c_array__"):
        [table] = _undamaged("<table>", map(pa.table, [source]))
        return _of_batches("<table>", lambda _: iter([table]))
    raise TypeError(f"a table is a path ({KINDS}), an Arrow table or stream, a frame, a mapping or a NumPy array")


def _of_columns(columns: Sequence[tuple[str, Any]]) -> Source:
    """All rows at once: they are in memory as it is."""

    def pieces(positions: Sequence[int]) -> Iterator[list[Any]]:
        for at in positions:
            name, column = columns[at]
            if not hasattr(column, "__len__"):
                raise DataError(f'<table>: column "{clean(name)}" is no column, but a single thing')
            if getattr(column, "ndim", 1) != 1:
                raise DataError(f'<table>: column "{clean(name)}" has {column.ndim} axes, not one')
        yield [columns[at][1] for at in positions]

    return Source("<table>", [name for name, _ in columns], pieces)


def _of_array(array: np.ndarray[Any, Any], wanted: Sequence[str]) -> Source:
    if array.dtype.names is not None:
        return _of_columns([(name, array[name]) for name in array.dtype.names])
    if array.ndim != 2 or array.shape[1] != len(wanted):
        raise DataError(
            f"<table>: an array of shape {array.shape}, and the study's columns ask for (rows, {len(wanted)})"
        )
    return _of_columns([(name, array[:, at]) for at, name in enumerate(wanted)])


def _open_file(path: Path, texts: Collection[str]) -> Source:
    with _readable(path):
        if not path.exists():
            raise DataError(f"{path.name}: no such file in {path.absolute().parent}")
        if not path.is_file():
            raise DataError(f"{path.name}: is a folder or a device: name a file ({KINDS})")
        opened = _open_kind(path, texts)

    def pieces(positions: Sequence[int]) -> Iterator[Sequence[Any]]:
        with _readable(path):
            yield from opened.pieces(positions)

    return replace(opened, pieces=pieces)


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DataError(f"{path.name}: cannot be read: {error.strerror or 'input or output error'}") from None


def _open_kind(path: Path, texts: Collection[str]) -> Source:
    name = path.name.lower()
    if name.endswith((".csv", ".csv.gz")):
        text = csvtext.read(path, texts)
        return Source(path.name, text.header, text.pieces, cells.from_csv, "line", 2)
    if name.endswith(".parquet"):
        return _of_batches(path.name, lambda names: _parquet_batches(path, names))
    if name.endswith((".arrow", ".feather")):
        return _of_batches(path.name, lambda _: _arrow_batches(path))
    raise DataError(f"{path.name}: unknown kind of file: its name should end in {KINDS}")


def _of_batches(name: str, read: Callable[[list[str] | None], Batches]) -> Source:
    """Of what `read` yields when it is told the names of the columns that matter; the first is asked for names only."""
    with closing(_undamaged(name, read(None))) as batches:
        names: list[str] = next(batches).schema.names

    def pieces(positions: Sequence[int]) -> Iterator[list[Any]]:
        wanted = [names[at] for at in positions]
        for batch in _undamaged(name, read(wanted)):
            for start in range(0, batch.num_rows, ROWS):
                part = batch.slice(start, ROWS)
                yield [part.column(part.schema.names.index(name)) for name in wanted]

    return Source(name, names, pieces)


def _undamaged(name: str, items: Iterator[T]) -> Generator[T, None, None]:
    """`items`. Raises DataError where Arrow cannot read on: not in the handler, as its message could quote a value."""
    try:
        yield from items
    except (ValueError, TypeError, pa.ArrowException):
        damaged = True
    else:
        damaged = False
    if damaged:
        raise DataError(f"{name}: is no Arrow table, or is damaged")


def _arrow_batches(path: Path) -> Batches:
    with pa.OSFile(str(path)) as file:
        try:
            reader = pa.ipc.open_file(file)
            batches = (reader.get_batch(number) for number in range(reader.num_record_batches))
        except pa.ArrowInvalid:  # the other of Arrow's two formats
            file.seek(0)
            reader = batches = pa.ipc.open_stream(file)
        yield reader.schema.empty_table()
        yield from batches


def _parquet_batches(path: Path, names: list[str] | None) -> Batches:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        yield file.schema_arrow.empty_table()
        for group in range(file.num_row_groups):  # in one go, what was read of all groups stays in memory
            yield from file.iter_batches(ROWS, row_groups=[group], columns=names)
