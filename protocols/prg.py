"""Streams of uniform ring elements: AES-128 in counter mode, keyed by HKDF-SHA-256.

[AES-CTR] NIST SP 800-38A, section 6.5; [HKDF] RFC 5869. A stream is fixed by its key; whoever holds the key
draws the same elements in the same order. This module is the one place that asks the operating system for
randomness.
"""

from __future__ import annotations

import os
import secrets
import sys

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from protocols.errors import ForkError
from protocols.ring import RingArray, Shape

KEY_BYTES = 16
SEED_BYTES = 32
_ZEROS = memoryview(bytes(1 << 18))  # what is enciphered, piece by piece, in cache


def fresh_seed() -> bytes:
    """32 bytes from the operating system's generator."""
    return secrets.token_bytes(SEED_BYTES)


def derive(seed: bytes, purpose: str, context: bytes = b"") -> bytes:
    """An independent 32-byte seed for `purpose` (a label of ours) in `context` (a session, a pair)."""
    label = purpose.encode()
    info = len(label).to_bytes(2, "big") + label + context
    return HKDF(algorithm=SHA256(), length=SEED_BYTES, salt=None, info=b"smpc 1 " + info).derive(seed)


class Prg:
    """A stream of uniform ring elements, fixed by its 32-byte seed."""

    def __init__(self, seed: bytes) -> None:
        if len(seed) != SEED_BYTES:
            raise ValueError(f"a seed has {SEED_BYTES} bytes, not {len(seed)}")
        key = derive(seed, "stream")[:KEY_BYTES]
        # The counter starts at zero: every key is derived for one stream, so no block is used twice.
        self._stream = Cipher(algorithms.AES(key), modes.CTR(bytes(16))).encryptor()
        self._process = os.getpid()
        self.position = 0

    def __repr__(self) -> str:
        return f"Prg(position={self.position})"

    def ring(self, shape: Shape) -> RingArray:
        """The next uniform array of `shape`. Raises ForkError in a process that did not make this stream."""
        out = np.empty(shape, np.uint64)
        self.fill(out)
        return out

    def fill(self, out: RingArray) -> None:
        """The next elements into the contiguous `out`, which becomes what `ring` would return. Raises ForkError."""
        if os.getpid() != self._process:
            raise ForkError("a stream of masks was inherited over fork: make a new session in the child")
        self.position += out.size
        if not out.size:
            return
        octets = out.data.cast("B")  # a TypeError unless contiguous
        for at in range(0, len(octets), len(_ZEROS)):
            piece = octets[at : at + len(_ZEROS)]
            self._stream.update_into(_ZEROS[: len(piece)], piece)
        if sys.byteorder == "big":
            out.byteswap(inplace=True)
