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
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, algorithms, modes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from protocols.errors import ForkError
from protocols.ring import RingArray, Shape, size

KEY_BYTES = 16
SEED_BYTES = 32
_ZEROS = memoryview(bytes(1 << 18))  # what is enciphered, piece by piece, in cache
_AHEAD = 1 << 11  # elements at once, where fewer are asked for: a call takes as long as some thousands


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
        self._ahead = np.empty(0, np.uint64)  # enciphered, and not given out yet
        self.position = 0

    def __repr__(self) -> str:
        return f"Prg(position={self.position})"

    def ring(self, shape: Shape) -> RingArray:
        """The next uniform array of `shape`. Raises ForkError in a process that did not make this stream."""
        count = size(shape)
        if 0 <= count <= self._ahead.size:
            self._draw(count)
            return self._ready(count).reshape(shape)
        out = np.empty(shape, np.uint64)
        self.fill(out)
        return out

    def fill(self, out: RingArray) -> None:
        """The next elements into the contiguous `out`, which becomes what `ring` would return. Raises ForkError."""
        self._draw(out.size)
        flat = out.view()
        flat.shape = (out.size,)  # an AttributeError unless contiguous
        ready = min(out.size, self._ahead.size)
        flat[:ready] = self._ready(ready)
        rest = flat[ready:]
        if rest.size >= _AHEAD:
            _encipher(self._stream, rest)
        elif rest.size:
            self._ahead = np.empty(_AHEAD, np.uint64)
            _encipher(self._stream, self._ahead)
            rest[:] = self._ready(rest.size)

    def _draw(self, count: int) -> None:
        if os.getpid() != self._process:
            raise ForkError("a stream of masks was inherited over fork: make a new session in the child")
        self.position += count

    def _ready(self, count: int) -> RingArray:
        """The next of what was enciphered ahead; nobody else gets these words."""
        ready, self._ahead = self._ahead[:count], self._ahead[count:]
        return ready


def _encipher(stream: CipherContext, out: RingArray) -> None:
    octets = out.data.cast("B")
    for at in range(0, len(octets), len(_ZEROS)):
        piece = octets[at : at + len(_ZEROS)]
        stream.update_into(_ZEROS[: len(piece)], piece)
    if sys.byteorder == "big":
        out.byteswap(inplace=True)
