"""A text file as pieces of whole lines that know their numbers, so that a large file never is in memory as a whole.

Gzip, characters and ends of lines are seen to here: UTF-8, and lines that end in LF or CRLF.
"""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

from smpc.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

PIECE = 4 * 1024 * 1024  # bytes, and the rest of the last line: large enough for speed, small beside all else
LONGEST = 256 * 1024 * 1024  # bytes of a line: a file without ends of lines is not to fill the memory
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Lines:
    """`count` whole lines of the file `name`, beginning with its line `first`; each ends with LF."""

    name: str
    first: int
    count: int
    data: bytes = field(repr=False)

    def at(self, position: int) -> str:
        """What a message about the byte at `position` begins with."""
        return self.line(self.data.count(b"\n", 0, position))

    def line(self, index: int) -> str:
        """The same for the line at `index`, from zero."""
        return f"{self.name}: line {self.first + index}"


def read(path: Path) -> Generator[Lines, None, None]:
    """Line 1, without a byte order mark, and then all others, PIECE bytes and the rest of a line at a time.

    The file is gzipped if its name ends in .gz. Raises DataError, with the line, for what is no text; OSError if the
    file cannot be read.
    """
    with path.open("rb") as file, _unzipped(file, path) as plain:
        piece = Lines(path.name, 1, 1, _next(plain, path.name, 1, 0).removeprefix(_BOM))
        while piece.data:
            _check_characters(piece)
            yield piece
            first = piece.first + piece.count
            data = _next(plain, path.name, first, PIECE)
            piece = Lines(path.name, first, data.count(b"\n"), data)


def _unzipped(file: IO[bytes], path: Path) -> IO[bytes] | gzip.GzipFile:
    return gzip.GzipFile(fileobj=file) if path.suffix.lower() == ".gz" else file


def _next(file: IO[bytes] | gzip.GzipFile, name: str, first: int, size: int) -> bytes:
    """The next `size` bytes and what their last line has more. The last line of all gets an end if it has none."""
    data = rest = b""
    try:
        data = file.read(size)
        if not data.endswith(b"\n"):
            rest = file.readline(LONGEST)
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise DataError(f"{name}: is no gzip file or is damaged") from None
    if len(rest) == LONGEST:
        number = first + data.count(b"\n")
        raise DataError(f"{name}: line {number}: is over {LONGEST >> 20} MiB long: lines end with LF or CRLF")
    data += rest
    return data if not data or data.endswith(b"\n") else data + b"\n"


def _check_characters(piece: Lines) -> None:
    data = piece.data
    broken = -1
    try:
        if not data.isascii():  # many times as fast, and true of most files
            data.decode("utf-8")
        broken = data.find(b"\0")
    except UnicodeDecodeError as error:
        broken = error.start
    if broken >= 0:
        raise DataError(f"{piece.at(broken)}: not UTF-8 text: save the file as CSV in UTF-8")
    if b"\r" in data and data.count(b"\r") != data.count(b"\r\n"):
        lone = data.replace(b"\r\n", b"\n\n").find(b"\r")
        raise DataError(f"{piece.at(lone)}: a lone carriage return: lines end with LF or CRLF")
