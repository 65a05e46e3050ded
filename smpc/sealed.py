"""Frames that have come and are not opened yet.

A large one stays sealed until the program expects it, and is opened straight into the array that it is for. Its place
among the frames of its link is taken when it comes: those behind it can be opened before it, as a stop must be, and
none of them can stand in its place.
"""

from __future__ import annotations

from typing import TypeAlias

from smpc.errors import LinkError
from smpc.noise import SEAL_BYTES, Cipher, Forged

LARGE = 192 * 1024  # bytes from which a frame's way without a copy, here and in ZeroMQ, costs less than a copy
_MOST = 256  # frames of a link, 80 MiB, that nobody has opened: who only made them up must not fill our memory


class Sealed:
    """A frame from `peer`, to be opened once; its length is that of its content."""

    def __init__(self, peer: str, cipher: Cipher, sealed: memoryview) -> None:
        self._peer, self._cipher, self._sealed = peer, cipher, sealed
        cipher.reserve()

    def __len__(self) -> int:
        return len(self._sealed) - SEAL_BYTES

    def open_into(self, *parts: bytearray | memoryview) -> None:
        """Into `parts`, one after another; they have the frame's length. Raises LinkError if it is not the peer's."""
        try:
            self._cipher.open_into(self._sealed, parts)
        except Forged:
            raise tampered(self._peer) from None


Arrived: TypeAlias = bytes | Sealed


def take_in(peer: str, cipher: Cipher, sealed: memoryview) -> Arrived:
    """A frame that has come next from `peer`: opened, unless it is large. Raises Forged."""
    if len(sealed) < LARGE or cipher.reserved >= _MOST:
        return cipher.open(sealed)
    return Sealed(peer, cipher, sealed)


def opened(frame: Arrived) -> bytes:
    """What is in a frame for which there is no array. Raises LinkError."""
    if isinstance(frame, bytes):
        return frame
    content = bytearray(len(frame))
    frame.open_into(content)
    return bytes(content)


def tampered(peer: str) -> LinkError:
    """A frame could not be opened."""
    return LinkError(
        f"what comes from {peer} is not what {peer} sent: something on the way changes, drops or repeats frames", peer
    )
