"""What a program keeps for a later one: each party's shares of secret arrays, encrypted, in a file of its own.

A file is [magic][salt of 32 bytes][AES-256-GCM of the rest], under a key that follows from the party's secret key and
the salt: it is of use to its owner alone, and nobody changes it unnoticed. Inside are the owners' public keys, this
party's place among them, an identity that all parties' files have in common, and the arrays with their ranges.

A share says nothing by itself. Who gets all parties' files and keys has the arrays: that is what all but one of them
must not do, as with the data themselves.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import msgpack
import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from protocols import prg
from protocols.ring import RingArray
from smpc.errors import StoreError
from smpc.files import write_bytes
from smpc.names import IDENTIFIER, IDENTIFIER_WORDS
from smpc.ranges import Range

_MAGIC = b"smpc kept 1\n"
_SALT = 32
_NONCE = bytes(12)  # each key, being of a fresh salt, seals one message


class Kept(NamedTuple):
    """One party's share of an array, and what is public of it."""

    words: RingArray
    shape: tuple[int, ...]
    bits: int
    range: Range
    truth: bool


@dataclass(frozen=True)
class Vault:
    """A party's folder for what it keeps; `owners`: all parties' public keys by rank; `secret`: its own secret key."""

    folder: Path
    secret: bytes = field(repr=False)
    owners: Sequence[bytes]
    rank: int

    def write(self, name: str, identity: bytes, public: Any, arrays: Mapping[str, Kept]) -> None:
        """Keep the arrays as NAME.kept; what was kept as that before is replaced. Raises StoreError."""
        listed = [
            [
                what,
                list(one.shape),
                one.bits,
                str(one.range.low),
                str(one.range.high),
                one.truth,
                one.words.astype("<u8").tobytes(),
            ]
            for what, one in arrays.items()
        ]
        content = msgpack.packb([list(self.owners), self.rank, identity, public, listed])
        salt = prg.fresh_seed()
        sealed = AESGCM(prg.derive(self.secret, "kept", salt)).encrypt(_NONCE, content, _MAGIC)
        try:
            write_bytes(self._path(name), _MAGIC + salt + sealed)
        except OSError as error:
            raise StoreError(f"{name}.kept cannot be written: {error.strerror}") from None

    def read(self, name: str) -> tuple[bytes, Any, dict[str, Kept]]:
        """Identity, what is public, and the arrays. Raises StoreError for a file that is not there or not ours."""
        path = self._path(name)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise StoreError(f"{path.name} cannot be read: {error.strerror}") from None
        salt, sealed = data[len(_MAGIC) :][:_SALT], data[len(_MAGIC) + _SALT :]
        try:
            content = AESGCM(prg.derive(self.secret, "kept", salt)).decrypt(_NONCE, sealed, data[: len(_MAGIC)])
        except (InvalidTag, ValueError):
            raise StoreError(f"{path.name} is damaged, or was not kept with this key") from None
        owners, rank, identity, public, listed = msgpack.unpackb(content)
        if (owners, rank) != (list(self.owners), self.rank):
            raise StoreError(f"{path.name} was kept in a study with other parties, or with these in another order")
        return identity, public, {what: _array(*rest) for what, *rest in listed}

    def _path(self, name: str) -> Path:
        if not re.fullmatch(IDENTIFIER, name):
            raise ValueError(f"what is kept has a name of {IDENTIFIER_WORDS}, not {name!r}")
        return self.folder / f"{name}.kept"


def _array(shape: list[int], bits: int, low: str, high: str, truth: bool, words: bytes) -> Kept:  # noqa: FBT001
    array = np.frombuffer(words, "<u8").astype(np.uint64).reshape(tuple(shape) or (1,))
    return Kept(array, tuple(shape), bits, Range(int(low), int(high)), truth)
