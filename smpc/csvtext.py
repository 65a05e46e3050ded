"""CSV to columns of text, with the line numbers that an editor shows.

One line is one row: text in quotes that runs over the end of its line is refused, and so is an empty line
between rows. That makes a row's number the number of its line, and no row can be lost in silence.
"""

from __future__ import annotations

import csv
import gzip
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.csv

from smpc.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

_BOM = b"\xef\xbb\xbf"
_BLOCK = 16 * 1024 * 1024  # bytes that the parser takes at a time, if no line is longer


@dataclass(frozen=True)
class CsvText:
    """A CSV file: the names in line 1, and `rows` lines of text below it."""

    name: str
    header: list[str]
    rows: int
    body: memoryview = field(repr=False)
    longest_line: int  # bytes

    def columns(self, positions: Sequence[int]) -> list[pa.ChunkedArray]:
        """The columns at `positions`, as text. Raises DataError for a row with more or fewer cells."""
        labels = [str(position) for position in range(len(self.header))]
        wanted = [labels[position] for position in positions]
        block = min(max(_BLOCK, 2 * self.longest_line), 2**31 - 1)
        try:
            table = pa.csv.read_csv(
                pa.BufferReader(pa.py_buffer(self.body)),
                pa.csv.ReadOptions(column_names=labels, block_size=block),
                pa.csv.ParseOptions(ignore_empty_lines=False),
                pa.csv.ConvertOptions(include_columns=wanted, column_types=dict.fromkeys(wanted, pa.string())),
            )
        except pa.ArrowInvalid:
            table = None  # its message quotes the row: ours is made outside, with no trace of it
        if table is None or table.num_rows != self.rows:
            raise DataError(f"{self.name}: {self._ragged()}")
        return [table.column(label) for label in wanted]

    def _ragged(self) -> str:
        """What is wrong with the first line that has more or fewer cells than the header."""
        for number, line in enumerate(bytes(self.body).split(b"\n")[: self.rows], start=2):
            found = sum(outside.count(b",") for outside in line.split(b'"')[::2]) + 1
            if found != len(self.header):
                return f"line {number}: {found} cells, and the header has {len(self.header)}"
        return "cannot be split into rows and cells: check its quotation marks"


def read(path: Path) -> CsvText:
    """The CSV file at `path`, gzipped if its name ends in .gz: UTF-8, commas, lines that end in LF or CRLF.

    Raises DataError, with the line, for what would make lines, rows or characters doubtful; OSError if the
    file cannot be read.
    """
    data = _content(path).removeprefix(_BOM)
    if not data.strip():
        raise DataError(f"{path.name}: is empty: it needs a line with the columns' names, and rows")
    _check_characters(data, path.name)
    octets = np.frombuffer(data, dtype=np.uint8)
    ends = np.flatnonzero(octets == ord("\n"))
    if not data.endswith(b"\n"):
        ends = np.append(ends, len(data))
    _check_quotes(octets, ends, path.name)
    header = _header(data[: ends[0]], path.name)
    lines = _count_lines(octets, ends, path.name, trailing=len(header) > 1)
    if lines == 1:
        raise DataError(f"{path.name}: has a header and no rows")
    longest = int(np.diff(ends, prepend=-1).max())
    return CsvText(path.name, header, lines - 1, memoryview(data)[ends[0] + 1 : ends[lines - 1] + 1], longest)


def _content(path: Path) -> bytes:
    data = path.read_bytes()
    if path.suffix.lower() != ".gz":
        return data
    try:
        return gzip.decompress(data)
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise DataError(f"{path.name}: is no gzip file or is damaged") from None


def _line(data: bytes, position: int) -> int:
    return data.count(b"\n", 0, position) + 1


def _check_characters(data: bytes, name: str) -> None:
    try:
        data.decode("utf-8")
        broken = data.find(b"\0")
    except UnicodeDecodeError as error:
        broken = error.start
    if broken >= 0:
        raise DataError(f"{name}: line {_line(data, broken)}: not UTF-8 text: save the file as CSV in UTF-8")
    if data.count(b"\r") != data.count(b"\r\n"):
        lone = data.replace(b"\r\n", b"\n\n").find(b"\r")
        raise DataError(f"{name}: line {_line(data, lone)}: a lone carriage return: lines end with LF or CRLF")


def _check_quotes(octets: NDArray[np.uint8], ends: NDArray[np.intp], name: str) -> None:
    quotes = np.flatnonzero(octets == ord('"'))
    open_at_end = np.searchsorted(quotes, ends) % 2 == 1
    if open_at_end.any():
        line = int(np.argmax(open_at_end)) + 1
        raise DataError(f"{name}: line {line}: a quotation mark that is not closed on its line")


def _header(line: bytes, name: str) -> list[str]:
    try:
        [cells] = csv.reader([line.decode("utf-8").rstrip("\r")])
    except (csv.Error, ValueError):
        raise DataError(f"{name}: line 1: the columns' names belong there") from None
    return [cell.strip() for cell in cells]


def _count_lines(octets: NDArray[np.uint8], ends: NDArray[np.intp], name: str, *, trailing: bool) -> int:
    """How many lines there are up to the last that is not empty. Raises DataError for an empty one before.

    With one column (not `trailing`), an empty line may be an empty cell, and is refused at the end as well.
    """
    starts = np.append(0, ends[:-1] + 1)
    length = ends - starts
    empty = (length == 0) | ((length == 1) & (octets[starts] == ord("\r")))
    last = int(np.flatnonzero(~empty)[-1]) if trailing else len(ends) - 1
    if empty[: last + 1].any():
        raise DataError(f"{name}: line {int(np.argmax(empty)) + 1}: is empty")
    return last + 1
