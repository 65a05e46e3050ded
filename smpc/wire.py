"""Frames: what one party sends to another, as bytes, and back.

A frame is [16-byte tag][body]. Parties run in lockstep, so a receiver knows of the next frame all but its
content: it computes the tag that it expects and compares. Ring data is then cut by the shapes that the
receiver's own program has; nothing of it is parsed. The tag covers the session, both ends, the frame's
number on this link, what the message is, its shapes, and a digest of all that both did before: a party at
another step, a frame that was deleted, repeated, swapped or kept from another run, each is another tag.

The tag authenticates nothing: the encrypted link below does, frame by frame. It notices parties that are not
at the same place, and who sends it could send the right one. So 128 bits are enough: two places that differ
have one tag by chance only, and to search for such places helps nobody to anything.

Small messages that do carry structure (hello, dealer requests, the reason of a stop) are msgpack in its one
canonical form. Hello and stop have tags that no version may change: they are how parties of different
versions tell each other so.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from hashlib import blake2b
from math import prod
from typing import Any, NamedTuple

import msgpack
import numpy as np

from protocols import ring
from protocols.errors import MessageError
from protocols.ring import RingArray, Shape
from smpc.names import is_identifier
from smpc.noise import SEAL_BYTES
from smpc.sealed import LARGE, Arrived, Sealed, opened

VERSION = 1
TAG_BYTES = 16
# Small enough that on a slow line (1 Mbit/s) a frame passes between two heartbeats' time-outs.
CHUNK = 256 * 1024
MESSAGE_LIMIT = 128 * 1024
FRAME_LIMIT = CHUNK + 64 * 1024
LINE_LIMIT = 500
_DEPTH = 4  # of lists and maps in each other
_PIECES = 16  # of one frame; to seal more of them, one by one, costs more than to join them

HELLO_TAG = blake2b(b"hello", digest_size=TAG_BYTES, person=b"smpc").digest()

Buffer = bytes | memoryview
Frame = bytes | list[Buffer]  # whole, or if it is large in pieces, which are where they were

# One object for what every frame needs; lengths of shapes may be NumPy's integers.
_packed = msgpack.Packer(default=int).pack
_RING = np.dtype(np.uint64)
_SENT = _RING.newbyteorder("<")


class Label(NamedTuple):
    """All that both ends know of a message before it is sent.

    `number` is that of its first frame on this link in this direction; `state` is what must be equal at both
    ends at this point (see `History`); `peer` is the other end's name, for error messages only.
    """

    session: bytes
    sender: int
    receiver: int
    number: int
    kind: str
    step: str
    state: bytes
    shapes: Sequence[Shape] = ()
    peer: str = ""

    def tag(self, part: int = 0) -> bytes:
        session, sender, receiver, number, kind, step, state, shapes, _ = self
        known = _packed((VERSION, sender, receiver, number, part, kind, step, state, shapes))
        return blake2b(known, digest_size=TAG_BYTES, key=session, person=b"smpc").digest()

    @property
    def size(self) -> int:
        """Bytes of the whole body, over all parts."""
        return sum(map(prod, self.shapes)) * ring.BYTES

    def wrong(self, what: str) -> MessageError:
        return MessageError(f"{self.peer} {what}", frozenset({self.sender}))


class History:
    """A running digest of what a program did: equal at two parties as long as both do the same."""

    def __init__(self) -> None:
        self._notes = blake2b(digest_size=16)

    def note(self, what: str, detail: str | int) -> None:
        self._notes.update(_packed((what, detail)))

    @property
    def digest(self) -> bytes:
        """Of all notes so far, one after another."""
        return self._notes.digest()


# Ring data


def encode(label: Label, arrays: Sequence[RingArray]) -> Iterable[Frame]:
    """The frames of a message, at least one. Large ones are pieces of the arrays' memory, but for views with gaps.

    Raises ValueError unless the arrays have the label's shapes and ring elements.
    """
    if [array.dtype for array in arrays] != [_RING] * len(arrays) or [*label.shapes] != [a.shape for a in arrays]:
        raise ValueError(f"step {label.step!r} sends ring arrays of the shapes {label.shapes}")
    wholes = [np.ascontiguousarray(array, _SENT).data for array in arrays]
    if label.size < LARGE:
        return [b"".join([label.tag(), *wholes])]
    views = [whole.cast("B") for whole in wholes if whole.nbytes]
    return (_frame([label.tag(part), *pieces]) for part, pieces in enumerate(_cut(views)))


def _frame(pieces: list[Buffer]) -> Frame:
    return b"".join(pieces) if sum(map(len, pieces)) < LARGE or len(pieces) > _PIECES else pieces


def _cut(views: Sequence[memoryview]) -> Iterator[list[memoryview]]:
    """The bytes of `views` one after another, `CHUNK` bytes a time."""
    pieces: list[memoryview] = []
    room = CHUNK
    for view in views:
        at = 0
        while at < len(view):
            pieces.append(view[at : at + room])
            at += len(pieces[-1])
            room -= len(pieces[-1])
            if not room:
                yield pieces
                pieces, room = [], CHUNK
    if pieces:
        yield pieces


def message_bytes(elements: int) -> int:
    """How many bytes the sealed frames of a message have that carries so many ring elements."""
    size = elements * ring.BYTES
    return size + (TAG_BYTES + SEAL_BYTES) * max(1, -(-size // CHUNK))


class Assembly:
    """The arrays of one expected message, filled frame by frame."""

    def __init__(self, label: Label) -> None:
        self._label, self._size, self.sender = label, label.size, label.sender
        self._tag: bytes | None = label.tag()  # of the next frame, made before we wait for it
        self._elements = np.empty(self._size // ring.BYTES, _SENT)
        self._bytes = self._elements.view(np.uint8).data
        self._filled = self.parts = 0
        self.complete = False

    def add(self, frame: Arrived) -> None:
        """The next frame. Raises MessageError, naming the peer, unless it is exactly the one expected.

        One that is sealed still is opened into the place of its elements. Raises LinkError if it cannot be opened.
        """
        start, end = self._filled, min(self._filled + CHUNK, self._size)
        if isinstance(frame, Sealed) and len(frame) == TAG_BYTES + end - start:
            tag = bytearray(TAG_BYTES)
            frame.open_into(tag, self._bytes[start:end])
            open_frame(self._label, tag, self._tag, self.parts)
        else:
            body = open_frame(self._label, opened(frame), self._tag, self.parts)
            if len(body) != end - start:
                raise self._label.wrong(f"sent {len(body)} bytes where step {self._label.step!r} has {end - start}")
            self._bytes[start:end] = body
        self._filled, self.parts, self.complete = end, self.parts + 1, end == self._size
        self._tag = None if self.complete else self._label.tag(self.parts)

    def arrays(self) -> list[RingArray]:
        """The message: disjoint views of one buffer. Call it when `complete`."""
        native, arrays, at = self._elements.astype(_RING, copy=False), [], 0
        for shape in self._label.shapes:
            end = at + prod(shape)
            arrays.append(native[at:end].reshape(shape))
            at = end
        return arrays


def open_frame(label: Label, frame: bytes | bytearray, tag: bytes | None, part: int = 0) -> memoryview:
    """The body of `frame`. Raises MessageError unless it begins with `tag`: the label's for that part, if it has it."""
    if tag is None or not frame.startswith(tag):
        raise label.wrong(
            f"is not where we are, at step {label.step!r} (frame {label.number + part} of this link): "
            "do all parties run the same program on tables of the agreed shape?"
        )
    return memoryview(frame)[TAG_BYTES:]


# Structured messages


def pack(message: object) -> bytes:
    """`message` in msgpack's canonical form. Raises ValueError if it is larger than MESSAGE_LIMIT."""
    packed: bytes = msgpack.packb(message)
    if len(packed) > MESSAGE_LIMIT:
        raise ValueError(f"a message of {len(packed)} bytes: at most {MESSAGE_LIMIT} are possible")
    return packed


def unpack(data: Buffer) -> Any:
    """Inverse of `pack`, for bytes of a stranger: scalars, text, bytes, lists, and dicts with text keys.

    Raises ValueError, and nothing else, unless `data` is what `pack` makes of the result.
    """
    if len(data) > MESSAGE_LIMIT:
        raise ValueError("message too large")
    try:
        message = msgpack.unpackb(data, strict_map_key=True, ext_hook=_no_extension, max_ext_len=0)
        again: bytes = msgpack.packb(message)
    except (ValueError, TypeError, OverflowError, RecursionError, msgpack.UnpackException) as error:
        raise ValueError("not a message") from error
    if again != bytes(data):
        raise ValueError("not in canonical form")
    _check_depth(message, _DEPTH)
    return message


def _check_depth(message: object, most: int) -> None:
    if isinstance(message, dict | list):
        if not most:
            raise ValueError("nested too deeply")
        for inner in message.values() if isinstance(message, dict) else message:
            _check_depth(inner, most - 1)


def _no_extension(code: int, data: bytes) -> object:  # noqa: ARG001 - msgpack's signature
    raise ValueError("extension types are not used")


# The reason of a stop


class Stop(NamedTuple):
    """That party `who` stopped, and why: one printable line."""

    who: str
    text: str


def stop_frame(sender: str, receiver: str, stop: Stop) -> bytes:
    """What a party that stops sends last; it may come where any other frame is expected.

    Who stops because another did passes that one's reason on.
    """
    return _stop_tag(sender, receiver) + pack({"who": stop.who, "text": line(stop.text)})


def read_stop(sender: str, receiver: str, frame: bytes) -> Stop | None:
    """The reason in `frame`, fit for a terminal; None if it is another frame."""
    if not frame.startswith(_stop_tag(sender, receiver)):
        return None
    with contextlib.suppress(ValueError):
        match unpack(frame[TAG_BYTES:]):
            case {"who": str(who), "text": str(text)} if is_identifier(who) and who != receiver:
                return Stop(who, line(text))
    return Stop(sender, "for a reason that cannot be shown")


def line(text: str) -> str:
    """`text` as one printable line of at most LINE_LIMIT characters."""
    short = text[:LINE_LIMIT]
    return short if short.isprintable() else ascii(short)[1:-1][:LINE_LIMIT]


@cache  # compared with every frame that comes
def _stop_tag(sender: str, receiver: str) -> bytes:
    names = msgpack.packb([sender, receiver])
    return blake2b(names, digest_size=TAG_BYTES, person=b"smpc stop").digest()
