"""The ledger: an append-only record of every opening of a result, made before the opening.

One JSON object a line. Each entry holds the SHA-256 of the entry before it, so that no line but the last can be
changed or removed, and none put between two others, without breaking the chain; a changed or lost tail shows when
parties compare theirs. Once an entry is written it must be assumed that the receivers learnt the value, even if the run then failed.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from smpc.errors import LedgerError

if TYPE_CHECKING:
    from collections.abc import Sequence
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
        earlier = verify(path) if path is not None and path.exists() else []
        self._number = len(earlier)
        self._head = earlier[-1].digest if earlier else START
        self.entries: list[Entry] = []

    def record(self, what: str, shape: Sequence[int], to: Sequence[str]) -> None:
        """Append an entry; on return it is on the disk. Raises LedgerError if it cannot be written."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        entry = Entry(self._number, now, self._study, self._session, what, tuple(shape), tuple(to), self._head)
        if self._path is not None:
            _append(self._path, entry.line())
        self.entries.append(entry)
        self._number, self._head = self._number + 1, entry.digest


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
        *lines, rest = path.read_bytes().decode().split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise LedgerError(f"{path.name}: cannot be read: {type(error).__name__}") from None
    if rest:
        raise LedgerError(f"{path.name}: line {len(lines) + 1} is cut off, so nothing came of it: remove that line")
    return lines


def _parse(line: str) -> Entry | None:
    try:
        fields = json.loads(line)
        fields["shape"], fields["to"] = tuple(fields["shape"]), tuple(fields["to"])
        return Entry(**fields)
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def _append(path: Path, line: str) -> None:
    """Write a whole line, to the disk, or nothing."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "ab", buffering=0) as file:
            before = os.fstat(descriptor).st_size
            try:
                _write(file, line.encode() + b"\n")
            except OSError:
                file.truncate(before)
                raise
    except OSError as error:
        raise LedgerError(f"{path.name}: cannot be written, so nothing is released: {error.strerror}") from None


def _write(file: FileIO, data: bytes) -> None:
    while data:  # a full disk takes part of it first
        data = data[file.write(data) :]
    os.fsync(file.fileno())
