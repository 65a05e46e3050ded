"""The store: one party's correlated randomness for one study, made ahead of its runs, sealed on its disk.

A portion is what one run takes, the same list of correlations each time; an item is this party's part of one of them.
An item that is used twice shows differences of secrets, so each leaves at most once:

* A crash or an abort: the portion's mark is on the disk before its first item leaves. The rest of it is lost.
* Two processes: who has the store open holds a lock on it.
* An old file copied back, or a disk that forgot the last mark: `state` is behind that of the peers, which the session
  compares before a run. **Old copies put back at all parties at once cannot be noticed**: make no backup of a store.
* Another key, study or party, damage, items moved within the file or from another: refused. The key is made of the
  party's secret and the header, with its fresh salt, so every file has its own; the nonce says which item it is.

Whoever has the file alone sees sizes, and how many portions are used. Whoever has the party's key too reads all of
it, used portions also, until the file is deleted.

    smpc-store-1, end of line
    length of the header    8 bytes, big-endian
    header                  msgpack: study, party, id, salt, runs, requests as in `requests.encode`
    check                   32 bytes that only the party's secret makes of this header
    marks                   a byte for each portion, 55 fresh or AA reserved
    items                   portion by portion, in the order of the requests: AES-256-GCM, in chunks of 16 MiB

A mark is one byte, so no write of it is torn; neither a flipped bit nor a zeroed block turns one into the other.
"""

from __future__ import annotations

import fcntl
import hmac
import os
import stat
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from io import FileIO
from itertools import accumulate, chain, count, repeat
from math import prod
from pathlib import Path
from typing import Any, Self, TypeVar

import msgpack
import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from protocols import prg, ring
from protocols.party import Correlation
from protocols.ring import RingArray
from smpc import requests
from smpc.errors import StoreError
from smpc.files import flush_folder
from smpc.names import clean

MAGIC = b"smpc-store-1\n"
CHUNK = 2**24

_TAG_BYTES = 16  # that AES-GCM adds to a chunk
_FRESH, _RESERVED = b"\x55", b"\xaa"
_REMEDY = "make it again with smpc prepare at every party, or delete it everywhere"

T = TypeVar("T")


@dataclass(frozen=True)
class Binding:
    """What a store belongs to; `study` is the 32-byte digest of the manifest, and of the program if there is one."""

    study: bytes
    party: str


def standard_path(study: Path, party: str) -> Path:
    """Where `party` keeps its store for the study whose manifest is at `study`."""
    return study.parent / f"{party}.store"


def write(
    path: Path,
    secret: bytes,
    binding: Binding,
    id: bytes,  # noqa: A002 - what it is called in the store
    correlations: Sequence[Correlation[Any]],
    portions: Iterable[Iterable[Sequence[RingArray]]],
    runs: int,
) -> None:
    """Make the store at `path`: `runs` portions, each an item for each correlation, one of them in memory at a time.

    `secret`: 32 bytes of the party's key. `id`: 32 bytes, the same at all parties that made it together, never used
    before. An item: an array for each drawn, then each derived secret. A store that is there stays until the new one
    is on the disk. Raises ValueError for other portions than said, StoreError if the old one is in use or the disk
    does not take the new one.
    """
    if {len(secret), len(id), len(binding.study)} != {prg.SEED_BYTES} or not 0 < runs < 2**32:
        raise ValueError("secret, id and study have 32 bytes each, and there is at least one run")
    asked = [requests.encode([correlation]) for correlation in correlations]
    header: bytes = msgpack.packb([binding.study, binding.party, id, prg.fresh_seed(), runs, asked])
    start = _opening(secret, header) + _FRESH * runs
    items = _Items(secret, header, correlations, len(start))
    with _draft(path) as file:
        _append(path, file, start)
        for portion, parts in enumerate(_exactly(runs, portions, "portions")):
            # mapped, for a loop's variable would hold an item until the next is made
            sealed = map(items.seal, repeat(portion), count(), _exactly(len(asked), parts, "items of a portion"))
            for chunk in chain.from_iterable(sealed):
                _append(path, file, chunk)


def open_store(path: Path, secret: bytes, binding: Binding) -> Store | None:
    """The store at `path`, locked until it is closed; None if there is none.

    Raises StoreError if it is in use, open to others, damaged, or belongs to another key, study or party.
    """
    file = _claim(path)
    if file is None:
        return None
    try:
        return _read(path, file, secret, binding)
    except BaseException:
        file.close()
        raise


class Store:
    """An open store. `position`: how many portions were reserved so far, by this run and those before."""

    def __init__(self, path: Path, file: FileIO, items: _Items, common_id: bytes, runs: int, position: int) -> None:
        self.id, self.runs, self.position = common_id, runs, position
        self._path, self._file, self._items = path, file, items
        self._reserved = False
        self._waiting: defaultdict[Correlation[Any], deque[int]] = defaultdict(deque)

    def __repr__(self) -> str:
        return f"Store(runs={self.runs}, left={self.left}, items={len(self._items.correlations)})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def state(self) -> bytes:
        """What all parties must have equal before a run: 32 bytes `id`, 8 bytes position."""
        return self.id + self.position.to_bytes(8, "big")

    @property
    def left(self) -> int:
        """Portions that no run has reserved yet."""
        return self.runs - self.position

    def reserve(self) -> None:
        """Take the next portion for this run; on return its mark is on the disk, so no other run ever gets it.

        Raises StoreError if none is left, if this object reserved one already, or if the disk does not take the mark.
        """
        if self._reserved:
            raise StoreError(f"{self._path}: this run has reserved its portion already")
        if not self.left:
            raise StoreError(f"{self._path} is used up: {_REMEDY}")
        self._reserved = True  # first: after a failed fsync another one may succeed without having written
        with _told(self._path, "marked"):
            os.pwrite(self._file.fileno(), _RESERVED, self._items.start - self.runs + self.position)
            os.fsync(self._file.fileno())
        self.position += 1
        for item, correlation in enumerate(self._items.correlations):
            self._waiting[correlation].append(item)

    def pop(self, correlation: Correlation[Any]) -> list[RingArray] | None:
        """This party's part of the first such correlation that is left in the reserved portion; None without one.

        Raises StoreError if it is damaged; then it has left too.
        """
        waiting = self._waiting.get(correlation)
        if not waiting:
            return None
        try:
            return self._items.unseal(self.position - 1, waiting.popleft(), partial(_part, self._path, self._file))
        except InvalidTag:
            raise _damaged(self._path) from None

    def holds(self, correlation: Correlation[Any]) -> int:
        """How many of these are left in the reserved portion."""
        return len(self._waiting.get(correlation, ()))

    def close(self) -> None:
        """Give the lock back. What was reserved and not popped is lost."""
        self._file.close()


# The format


def _opening(secret: bytes, header: bytes) -> bytes:
    """What comes before the marks. Without the secret nobody can make it for another header."""
    check = prg.derive(secret, "store header", sha256(header).digest())
    return MAGIC + len(header).to_bytes(8, "big") + header + check


class _Items:
    """The sealed items, from `start` on: the header determines shapes and places, with the secret their key."""

    def __init__(self, secret: bytes, header: bytes, correlations: Sequence[Correlation[Any]], start: int) -> None:
        self._cipher = AESGCM(prg.derive(secret, "store", sha256(header).digest()))
        self.correlations, self.start = correlations, start
        self._shapes = [[part.shape for part in (*each.drawn(), *each.derived())] for each in correlations]
        self._sizes = [sum(map(prod, shapes)) * ring.BYTES for shapes in self._shapes]
        self._offsets = [0, *accumulate(size + _TAG_BYTES * len(_cuts(size)) for size in self._sizes)]

    def place(self, portion: int, item: int = 0) -> int:
        """Where an item begins; that of the portion after the last is the file's end."""
        return self.start + portion * self._offsets[-1] + self._offsets[item]

    def seal(self, portion: int, item: int, arrays: Sequence[RingArray]) -> Iterator[bytes]:
        """The chunks of an item. Raises ValueError unless its arrays have the shapes of its correlation."""
        shapes = [array.shape for array in arrays]
        if shapes != self._shapes[item] or any(array.dtype != np.uint64 for array in arrays):
            raise ValueError(f"item {item} has ring arrays of the shapes {self._shapes[item]}, not of {shapes}")
        plain = np.concatenate([array.reshape(-1) for array in arrays]).astype("<u8", copy=False).view(np.uint8)
        for chunk, at in enumerate(_cuts(plain.size)):
            yield self._cipher.encrypt(_nonce(portion, item, chunk), plain[at : at + CHUNK].data, None)

    def unseal(self, portion: int, item: int, read: Callable[[int, int], bytes]) -> list[RingArray]:
        """The arrays of an item; `read` gives bytes from a place on. Raises InvalidTag if they are not its own."""
        plain = np.empty(self._sizes[item], np.uint8)
        for chunk, at in enumerate(_cuts(plain.size)):
            place = self.place(portion, item) + at + chunk * _TAG_BYTES
            sealed = read(place, min(CHUNK, plain.size - at) + _TAG_BYTES)
            opened = self._cipher.decrypt(_nonce(portion, item, chunk), sealed, None)
            plain[at : at + CHUNK] = np.frombuffer(opened, np.uint8)
        elements = plain.view("<u8").astype(np.uint64, copy=False)
        shapes = self._shapes[item]
        ends = accumulate(map(prod, shapes))
        return [elements[end - prod(shape) : end].reshape(shape) for shape, end in zip(shapes, ends, strict=True)]


def _cuts(size: int) -> range:
    return range(0, size, CHUNK)


def _nonce(portion: int, item: int, chunk: int) -> bytes:
    return b"".join(number.to_bytes(4, "big") for number in (portion, item, chunk))


def _exactly(number: int, things: Iterable[T], name: str) -> Iterator[T]:
    """`things`, none held while the next is made. Raises ValueError if there are not `number` of them."""
    iterator = iter(things)
    for found in range(number):
        try:
            yield next(iterator)
        except StopIteration:
            raise ValueError(f"{found} {name} where there should be {number}") from None
    for _ in iterator:
        raise ValueError(f"more than {number} {name}")


def _read(path: Path, file: FileIO, secret: bytes, binding: Binding) -> Store:
    """Check all but the items. Nothing is parsed before it is known to be this party's own."""
    status = os.fstat(file.fileno())
    if not stat.S_ISREG(status.st_mode):
        raise StoreError(f"{path} is no plain file: delete it")
    if status.st_mode & 0o077:
        raise StoreError(f"{path} is open to others: chmod 600 {path}")
    read = partial(_part, path, file)
    length = int.from_bytes(read(len(MAGIC), 8), "big")
    header = read(len(MAGIC) + 8, min(length, status.st_size))
    opening = _opening(secret, header)
    if not hmac.compare_digest(opening, read(0, len(opening))):
        raise _damaged(path)
    study, party, common_id, _, runs, asked = msgpack.unpackb(header)
    if party != binding.party:
        raise StoreError(f"{path} belongs to {clean(party)}, not to {binding.party}: {_REMEDY}")
    if study != binding.study:
        raise StoreError(f"{path} was made for another study, or before this one was changed: {_REMEDY}")
    try:
        correlations = [requests.decode(request)[0][0] for request in asked]
    except ValueError:  # another version knew them
        raise _damaged(path) from None
    items = _Items(secret, header, correlations, len(opening) + runs)
    marks = read(len(opening), runs)
    position = marks.count(_RESERVED)
    if status.st_size != items.place(runs) or marks != _RESERVED * position + _FRESH * (runs - position):
        raise _damaged(path)
    return Store(path, file, items, common_id, runs, position)


def _damaged(path: Path) -> StoreError:
    return StoreError(f"{path} is damaged, or of another key or version of smpc: {_REMEDY}")


# The disk


@contextmanager
def _draft(path: Path) -> Iterator[FileIO]:
    """A file that takes the name `path` once all of it is on the disk, and is gone if that fails."""
    draft = path.with_name(f".{path.name}.draft")
    with _claim(path) or nullcontext(), _claim(draft) or nullcontext() as left_over:
        if left_over:  # by a process that died: another one that writes would hold its lock
            draft.unlink()
        file = _claim(draft, os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW)
        if file is None:
            raise StoreError(f"{path} cannot be written: create the folder {path.parent} first")
        with file:
            try:
                yield file
                with _told(path, "written"):
                    os.fchmod(file.fileno(), 0o600)  # whatever the umask took away
                    os.fsync(file.fileno())
                    draft.replace(path)
                    flush_folder(path.parent)
            except BaseException:
                draft.unlink(missing_ok=True)
                raise


def _claim(path: Path, flags: int = 0) -> FileIO | None:
    """The file at `path`, which nobody else can claim until it is closed; None if there is none."""
    with _told(path, "opened"), suppress(FileNotFoundError):
        file = FileIO(os.open(path, os.O_RDWR | os.O_CLOEXEC | flags, 0o600), "r+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not os.path.samestat(os.fstat(file.fileno()), path.stat()):
                raise BlockingIOError  # noqa: TRY301 - replaced by a process that had the lock before
        except BaseException:
            file.close()
            raise
        return file
    return None


def _part(path: Path, file: FileIO, at: int, length: int) -> bytes:
    with _told(path, "read"):
        data = os.pread(file.fileno(), length, at)
    if len(data) != length:
        raise _damaged(path)
    return data


def _append(path: Path, file: FileIO, data: bytes) -> None:
    with _told(path, "written"):
        while data:  # a full disk takes part of it first
            data = data[file.write(data) :]


@contextmanager
def _told(path: Path, done: str) -> Iterator[None]:
    try:
        yield
    except BlockingIOError:
        raise StoreError(f"{path} is in use by another process: wait until that one has ended") from None
    except OSError as error:
        raise StoreError(f"{path} cannot be {done}: {error.strerror}") from None
