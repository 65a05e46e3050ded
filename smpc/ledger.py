"""The ledger: an append-only record of every opening of a result, made before the opening.

One JSON object a line. Each entry holds the SHA-256 of the entry before it, so that no line but the last can be
changed or removed, and none put between two others, without breaking the chain; a changed or lost tail shows when
parties compare theirs. Once an entry is written it must be assumed that the receivers learnt the value, even if the
run then failed.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import stat
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from smpc.errors import LedgerError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from io import FileIO
    from pathlib import Path

START = "0" * 64


@dataclass(frozen=True)
class Entry:
    """One opening: `what` of `shape` to the parties `to`. Values are never in the ledger."""

    number: int
    time: str
    study: str
    session: str
    what: str
    shape: tuple[int, ...]
    to: tuple[str, ...]
    previous: str

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.line().encode()).hexdigest()

    def line(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False, separators=(",", ":"))


class Ledger:
    """Entries in memory and, with a path, on disk; a file that is there already is verified and continued."""

    def __init__(self, study: str, session: str, path: Path | None = None) -> None:
        self._study, self._session, self._path = study, session, path
        self._last: Entry | None = None
        self.entries: list[Entry] = []
        if path is not None and path.exists():
            verify(path)

    def record(self, what: str, shape: Sequence[int], to: Sequence[str]) -> None:
        """Append an entry; on return it is on the disk. Raises LedgerError if it cannot be written."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds")

        def following(last: Entry | None) -> Entry:
            number, head = (last.number + 1, last.digest) if last else (0, START)
            return Entry(number, now, self._study, self._session, what, tuple(shape), tuple(to), head)

        self._last = following(self._last) if self._path is None else _append(self._path, following)
        self.entries.append(self._last)


def verify(path: Path) -> list[Entry]:
    """The entries of a ledger file. Raises LedgerError at the first line that does not continue the chain."""
    entries: list[Entry] = []
    head = START
    for number, line in enumerate(_lines(path)):
        entry = _parse(line)
        if entry is None or entry.line() != line or (entry.number, entry.previous) != (number, head):
            raise LedgerError(f"{path.name}: line {number + 1} does not continue the chain: the ledger was altered")
        entries.append(entry)
        head = entry.digest
    return entries


def _lines(path: Path) -> list[str]:
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise LedgerError(f"{path.name} is no plain file: name another folder for the results")
            return _whole_lines(path.name, file.read())
    except OSError as error:
        raise LedgerError(f"{path.name}: cannot be read: {error.strerror}") from None


def _whole_lines(name: str, data: bytes) -> list[str]:
    try:
        *lines, rest = data.decode().split("\n")
    except UnicodeDecodeError:
        raise LedgerError(f"{name}: cannot be read: not UTF-8") from None
    if rest:
        raise LedgerError(f"{name}: line {len(lines) + 1} is cut off, so nothing came of it: remove that line")
    return lines


def _parse(line: str) -> Entry | None:
    try:
        fields = json.loads(line)
        fields["shape"], fields["to"] = tuple(fields["shape"]), tuple(fields["to"])
        return Entry(**fields)
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def _append(path: Path, following: Callable[[Entry | None], Entry]) -> Entry:
    """Write the entry after the file's last, whole and to the disk, or nothing; other runs may write to it too."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "ab", buffering=0) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            before = os.fstat(descriptor).st_size
            entry = following(_last_entry(path.name, os.pread(descriptor, before, 0)))
            try:
                _write(file, entry.line().encode() + b"\n")
            except OSError:
                file.truncate(before)
                raise
            return entry
    except OSError as error:
        raise LedgerError(f"{path.name}: cannot be written, so nothing is released: {error.strerror}") from None


def _last_entry(name: str, data: bytes) -> Entry | None:
    lines = _whole_lines(name, data)
    if not lines:
        return None
    entry = _parse(lines[-1])
    if entry is None:
        raise LedgerError(f"{name}: line {len(lines)} is no entry: the ledger was altered")
    return entry


def _write(file: FileIO, data: bytes) -> None:
    while data:  # a full disk takes part of it first
        data = data[file.write(data) :]
    os.fsync(file.fileno())
