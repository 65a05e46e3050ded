"""CSV to columns, some lines at a time, with the line numbers that an editor shows.

One line is one row: text in quotes that runs over the end of its line is refused, and so is an empty line
between rows. That makes a row's number the number of its line, and no row can be lost in silence.

Lines are first parsed as numbers, all at once. If any is odd, they are looked at again with more care, and their
columns handed on as text, so that it can be said which cell is none.
"""

from __future__ import annotations

import csv
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.csv

from smpc import lines
from smpc.errors import DataError
from smpc.lines import Lines

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

_BLOCK = lines.PIECE // 4  # bytes for a thread of the parser at a time


@dataclass(frozen=True)
class CsvText:
    """A CSV file: the names in line 1. The rows below are not read yet."""

    path: Path = field(repr=False)
    header: list[str]
    texts: Collection[str] = ()

    def pieces(self, positions: Sequence[int]) -> Iterator[list[pa.ChunkedArray]]:
        """The columns at `positions`, some rows at a time: float64, or text if a cell is not simply a number.

        Those that `texts` names are text in any case: 01 and 1 may be two categories.

        Raises DataError, with the line, for what would make rows or characters doubtful, and for a row with more or
        fewer cells than the header; OSError if the file cannot be read.
        """
        width, some = len(self.header), False
        texts = [position for position in positions if self.header[position] in self.texts]
        for rows in _rows(self.path, trailing=width > 1):
            some = True
            _check_quotes(rows)
            yield _parsed(rows, width, positions, texts) or _carefully(rows, width, positions)
        if not some:
            raise DataError(f"{self.path.name}: has a header and no rows")


def read(path: Path, texts: Collection[str] = ()) -> CsvText:
    """The CSV file at `path`, gzipped if its name ends in .gz: UTF-8, commas, lines that end in LF or CRLF.

    Raises DataError if line 1 is no header; OSError if the file cannot be read.
    """
    with closing(lines.read(path)) as pieces:
        head = next(pieces, None)
        if head is None or not (head.data.strip() or any(piece.data.strip() for piece in pieces)):
            raise DataError(f"{path.name}: is empty: it needs a line with the columns' names, and rows")
    _check_empty(head)
    _check_quotes(head)
    return CsvText(path, _header(head), texts)


def _header(head: Lines) -> list[str]:
    try:
        [cells] = csv.reader([head.data.decode("utf-8").rstrip("\r\n")])
    except (csv.Error, ValueError):
        raise DataError(f"{head.line(0)}: the columns' names belong there") from None
    return [cell.strip() for cell in cells]


def _rows(path: Path, *, trailing: bool) -> Iterator[Lines]:
    """The lines below the header up to the last that is not empty. Raises DataError for an empty one before.

    Not all: one inside a piece is left to the parser, which finds no cells there. With one column (not `trailing`), an
    empty line may be an empty cell, and is refused at the end as well.
    """
    empty = None
    for piece in islice(lines.read(path), 1, None):
        rows = _without_empty_end(piece) if trailing else piece
        if rows.count and empty:
            raise DataError(f"{empty}: is empty")
        if rows.count < piece.count:
            empty = empty or rows.line(rows.count)
        if rows.count:
            yield rows


def _without_empty_end(piece: Lines) -> Lines:
    data = piece.data
    if not (data.endswith((b"\n\n", b"\n\r\n")) or data in (b"\n", b"\r\n")):
        return piece
    kept = data.rstrip(b"\r\n")
    kept += b"\n" if kept else b""
    return Lines(piece.name, piece.first, kept.count(b"\n"), kept)


def _parsed(rows: Lines, width: int, positions: Sequence[int], texts: Sequence[int]) -> list[pa.ChunkedArray] | None:
    """The columns at `positions` as float64, `texts` as text; None if not all rows have `width` cells of that kind."""
    labels = [str(position) for position in range(width)]
    wanted = [labels[position] for position in positions]
    kinds = {labels[position]: pa.string() if position in texts else pa.float64() for position in positions}
    block = len(rows.data) + 1 if texts == positions else _BLOCK
    try:
        table = pa.csv.read_csv(
            pa.BufferReader(_arrow_memory(rows.data)),
            pa.csv.ReadOptions(column_names=labels, block_size=block),
            pa.csv.ParseOptions(ignore_empty_lines=False),
            pa.csv.ConvertOptions(include_columns=wanted, column_types=kinds, null_values=[]),
        )
    except pa.ArrowInvalid:  # its message quotes the row: ours is made outside, with no trace of it
        return None
    return [table.column(label) for label in wanted] if table.num_rows == rows.count else None


def _arrow_memory(data: bytes) -> pa.Buffer:
    """A copy that is Arrow's own.

    A thread of the reader drops what it read a moment after all is returned, and to drop Python's memory it needs the
    interpreter: at the end of a process, which may come at once, the thread is ended in the middle of that, and with it
    the process ("terminate called without an active exception").
    """
    sink = pa.BufferOutputStream()
    sink.write(data)
    return sink.getvalue()


def _carefully(rows: Lines, width: int, positions: Sequence[int]) -> list[pa.ChunkedArray]:
    """The columns as text. Raises DataError for an empty line, or a row with more or fewer cells than `width`."""
    _check_empty(rows)
    columns = _parsed(rows, width, positions, positions)
    if columns is None:
        raise DataError(_ragged(rows, width))
    return columns


def _ragged(rows: Lines, width: int) -> str:
    """What is wrong with the first line that has not `width` cells."""
    for index, line in enumerate(rows.data.split(b"\n")[: rows.count]):
        found = sum(outside.count(b",") for outside in line.split(b'"')[::2]) + 1
        if found != width:
            return f"{rows.line(index)}: {found} cells, and the header has {width}"
    return f"{rows.name}: cannot be split into rows and cells: check its quotation marks"


def _check_quotes(piece: Lines) -> None:
    if b'"' not in piece.data:
        return
    octets, ends = _ends(piece)
    open_at_end = np.searchsorted(np.flatnonzero(octets == ord('"')), ends) % 2 == 1
    if open_at_end.any():
        raise DataError(f"{piece.line(int(np.argmax(open_at_end)))}: a quotation mark that is not closed on its line")


def _check_empty(piece: Lines) -> None:
    octets, ends = _ends(piece)
    starts = np.append(0, ends[:-1] + 1)
    length = ends - starts
    empty = (length == 0) | ((length == 1) & (octets[starts] == ord("\r")))
    if empty.any():
        raise DataError(f"{piece.line(int(np.argmax(empty)))}: is empty")


def _ends(piece: Lines) -> tuple[NDArray[np.uint8], NDArray[np.intp]]:
    """The bytes, and where lines end among them."""
    octets = np.frombuffer(piece.data, dtype=np.uint8)
    return octets, np.flatnonzero(octets == ord("\n"))
