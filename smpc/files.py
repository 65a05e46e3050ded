"""Files of one's own: readable by their owner alone, whole or not there."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def write_whole(path: Path, text: str) -> None:
    """Put `text` on the disk as `path`; see `write_bytes`."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> None:
    """Put `content` on the disk as `path`, mode 0600; what was there before stays until all of it is written.

    A link at `path` is replaced, not followed. Raises OSError.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        with suppress(OSError):
            draft.unlink()
        raise


def try_writing(folder: Path, name: str) -> None:
    """Raise the OSError that writing `name` into `folder` would meet, as far as can be known beforehand."""
    trial = folder / f".{name}.trial"
    write_whole(trial, "")
    trial.unlink()
    if (folder / name).is_dir():
        raise IsADirectoryError(21, "Is a directory", name)


def flush_folder(folder: Path) -> None:
    """The names in `folder` to the disk, after a file in it was made or renamed. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
