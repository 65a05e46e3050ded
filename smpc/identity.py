"""A party's key: a pair for X25519, as the handshake of its links uses it, in one small file of its owner's.

NAME.key is made once, readable by its owner alone, and never overwritten. The public key goes into the
manifest; before that, people compare its fingerprint by phone.

    # smpc secret key: whoever has this file can be this party. Never send it to anyone.
    # name: north
    # public key: …64 hex digits…
    # fingerprint: abcd-efgh-ijkl-mnop-qrst
    smpc-secret-key-1 …64 hex digits…
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from smpc.errors import KeyFileError
from smpc.files import flush_folder
from smpc.names import IDENTIFIER_WORDS, is_identifier

if TYPE_CHECKING:
    from pathlib import Path

KEY_BYTES = 32
MAXIMUM_BYTES = 4096

_KEY_LINE = re.compile(r"smpc-secret-key-1 ([0-9a-f]{64})")
_COMMENT = re.compile(r"# (name|public key): (.*)")


@dataclass(frozen=True)
class Identity:
    """A party's name and key pair, 32 bytes each. The secret is in no repr."""

    name: str
    secret: bytes = field(repr=False)
    public: bytes


def generate(name: str) -> Identity:
    """A fresh identity; its secret comes from the operating system. Raises KeyFileError for a bad name."""
    if not is_identifier(name):
        raise KeyFileError(f"a party's name must be {IDENTIFIER_WORDS}")
    private = X25519PrivateKey.generate()
    return Identity(name, private.private_bytes_raw(), private.public_key().public_bytes_raw())


def write(identity: Identity, directory: Path) -> Path:
    """Create NAME.key in `directory`, mode 0600, and return its path once it is on the disk.

    Raises KeyFileError if it is there already, whatever it is, or cannot be made; no partial file stays.
    """
    path = directory / f"{identity.name}.key"
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise KeyFileError(f"{path} exists and stays as it is: use it, or choose another folder") from None
    except (FileNotFoundError, NotADirectoryError):
        raise KeyFileError(f"{directory} is no folder: create it first") from None
    except OSError as error:
        raise KeyFileError(f"{path} cannot be created: {error.strerror}") from None
    try:
        _fill(handle, _render(identity))
        flush_folder(directory)
    except OSError as error:
        path.unlink()
        raise KeyFileError(f"{path} cannot be written: {error.strerror}") from None
    return path


def read(path: Path) -> Identity:
    """The identity in the file at `path`.

    Raises KeyFileError if it is missing, no plain file, not ours, open to others, or not exactly the format.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a pipe must not make us wait
    except FileNotFoundError:
        raise KeyFileError(
            f"{path.name}: no such key file in {path.absolute().parent}: make one with smpc keygen NAME"
        ) from None
    except OSError as error:
        raise KeyFileError(f"{path.name} cannot be read: {error.strerror}") from None
    try:  # what is checked is what is read: the handle, not the path
        _check_guarded(os.fstat(handle), path.name)
        text = os.read(handle, MAXIMUM_BYTES + 1)
    finally:
        os.close(handle)
    return _parse(text, path)


def fingerprint(public: bytes) -> str:
    """Twenty letters and digits to compare by phone: 100 bits of the key's SHA-256, in base32."""
    letters = base64.b32encode(hashlib.sha256(public).digest()).decode("ascii").lower()
    return "-".join(letters[at : at + 4] for at in range(0, 20, 4))


def _render(identity: Identity) -> bytes:
    lines = [
        "# smpc secret key: whoever has this file can be this party. Never send it to anyone.",
        f"# name: {identity.name}",
        f"# public key: {identity.public.hex()}",
        f"# fingerprint: {fingerprint(identity.public)}",
        f"smpc-secret-key-1 {identity.secret.hex()}",
    ]
    return "\n".join([*lines, ""]).encode("ascii")


def _fill(handle: int, content: bytes) -> None:
    with open(handle, "wb") as file:
        os.fchmod(handle, 0o600)  # whatever the umask took away
        file.write(content)
        file.flush()
        os.fsync(handle)


def _check_guarded(status: os.stat_result, name: str) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise KeyFileError(f"{name} is no plain file: name the .key file itself")
    if status.st_uid != os.geteuid():
        raise KeyFileError(f"{name} belongs to another user: run as its owner, or make a key of your own")
    if status.st_mode & 0o077:
        raise KeyFileError(f"{name} can be read by others: chmod 600 {name}")


def _parse(text: bytes, path: Path) -> Identity:
    """Comment lines, then the key line, then nothing. No message repeats the text: it may be the key."""
    damaged = KeyFileError(
        f"{path.name} is no smpc key file or is damaged: restore it, or make a new one with smpc keygen NAME"
    )
    if len(text) > MAXIMUM_BYTES or not text.isascii() or not text.endswith(b"\n"):
        raise damaged
    *comments, last = text.decode("ascii")[:-1].split("\n")
    found = _KEY_LINE.fullmatch(last)
    if found is None or not all(line.startswith("#") and line.isprintable() for line in comments):
        raise damaged
    notes = {note[1]: note[2] for line in comments if (note := _COMMENT.fullmatch(line))}
    secret = bytes.fromhex(found[1])
    public = X25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()
    name = notes.get("name", path.stem)
    if notes.get("public key", public.hex()) != public.hex() or not is_identifier(name):
        raise damaged
    return Identity(name, secret, public)
