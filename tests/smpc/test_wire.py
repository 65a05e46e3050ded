"""Frames: what is sent is received, and nothing else is accepted."""

from __future__ import annotations

import msgpack
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.errors import MessageError
from smpc import wire
from smpc.noise import SEAL_BYTES
from smpc.wire import Assembly, Label, Stop
from tests.smpc.frames import received

LABEL = Label(b"s" * 32, 0, 1, 7, "exchange", "open", b"state", ((2,), (3, 1)), "south")


def arrays(shapes, seed=0):
    generator = np.random.default_rng(seed)
    return [generator.integers(0, 2**64, shape, np.uint64) for shape in shapes]


def joined(label, sent):
    """The frames of a message, each in one piece."""
    return [b"".join(frame) if isinstance(frame, list) else frame for frame in wire.encode(label, sent)]


def test_what_is_sent_is_received():
    sent = arrays(LABEL.shapes)
    (frame,) = wire.encode(LABEL, sent)
    for got, want in zip(received(LABEL, [frame]), sent, strict=True):
        np.testing.assert_array_equal(got, want)


lengths = st.integers(0, 3) | st.just(wire.CHUNK // 8) | st.integers(wire.CHUNK // 8 - 1, wire.CHUNK // 4 + 1)
shapes = st.lists(st.tuples(lengths) | st.tuples(st.integers(0, 2), st.integers(0, 3)), max_size=4)


@given(shapes.map(tuple))
@settings(max_examples=60)
def test_any_shapes_in_as_many_frames_as_they_need(shapes):
    label, sent = LABEL._replace(shapes=shapes), arrays(shapes)
    frames = joined(label, sent)
    assert len(frames) == max(1, -(-label.size // wire.CHUNK))
    assert all(
        len(frame) + SEAL_BYTES <= wire.TAG_BYTES + wire.CHUNK + SEAL_BYTES < wire.FRAME_LIMIT for frame in frames
    )
    assert sum(len(frame) + SEAL_BYTES for frame in frames) == wire.message_bytes(label.size // 8)
    for got, want in zip(received(label, frames), sent, strict=True):
        assert got.dtype == np.uint64
        assert got.flags.writeable
        np.testing.assert_array_equal(got, want)


def test_views_are_sent_as_they_read():
    x = np.arange(12, dtype=np.uint64).reshape(3, 4)
    sent = [x.T, x[:, ::2], np.broadcast_to(x[0], (2, 4))]
    label = LABEL._replace(shapes=tuple(array.shape for array in sent))
    for got, want in zip(received(label, wire.encode(label, sent)), sent, strict=True):
        np.testing.assert_array_equal(got, want)


def test_every_flipped_bit_of_the_tag_is_refused():
    (frame,) = wire.encode(LABEL, arrays(LABEL.shapes))
    for bit in range(wire.TAG_BYTES * 8):
        bad = bytearray(frame)
        bad[bit // 8] ^= 1 << bit % 8
        with pytest.raises(MessageError, match=r"^south is not where we are, at step 'open'"):
            Assembly(LABEL).add(bytes(bad))


def test_every_other_length_is_refused():
    (frame,) = wire.encode(LABEL, arrays(LABEL.shapes))
    for length in range(len(frame)):
        with pytest.raises(MessageError) as caught:
            Assembly(LABEL).add(frame[:length])
        assert caught.value.culprits == {0}
    with pytest.raises(MessageError, match="sent 41 bytes where step 'open' has 40"):
        Assembly(LABEL).add(frame + b"x")


def test_every_part_of_a_label_is_in_the_tag():
    others = {
        "session": b"t" * 32, "sender": 2, "receiver": 2, "number": 8, "kind": "deal", "step": "opens",
        "state": b"other", "shapes": ((2,), (1, 3)),
    }  # fmt: skip
    tags = {LABEL._replace(**{name: value}).tag() for name, value in others.items()}
    tags |= {LABEL.tag(), LABEL.tag(1)}
    assert len(tags) == len(others) + 2
    assert set(others) | {"peer"} == set(Label._fields)


def test_parts_come_once_each_and_in_order():
    label = LABEL._replace(shapes=((wire.CHUNK // 4,),))
    frames = joined(label, arrays(label.shapes))
    assert len(frames) == 2
    for *good, bad in ([frames[1]], [frames[0], frames[0]], [*frames, frames[1]]):
        parts = Assembly(label)
        for frame in good:
            parts.add(frame)
        with pytest.raises(MessageError):
            parts.add(bad)


@pytest.mark.parametrize("shapes", [(), ((0,),), LABEL.shapes, ((wire.CHUNK // 8,),)])
def test_nothing_comes_after_the_last_frame(shapes):
    label = LABEL._replace(shapes=shapes)
    (frame,) = joined(label, arrays(shapes))
    parts = Assembly(label)
    parts.add(frame)
    assert parts.complete
    with pytest.raises(MessageError, match="is not where we are"):
        parts.add(frame)


def test_shapes_are_the_same_in_a_list_or_in_numpys_integers():
    other = [tuple(map(np.int64, shape)) for shape in LABEL.shapes]
    assert LABEL._replace(shapes=other).tag() == LABEL.tag()
    sent = arrays(LABEL.shapes)
    for got, want in zip(received(LABEL._replace(shapes=other), wire.encode(LABEL, sent)), sent, strict=True):
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("bad", [np.zeros(2), np.zeros(2, np.int64), np.zeros(3, np.uint64)])
def test_only_ring_arrays_of_the_labels_shape_are_sent(bad):
    with pytest.raises(ValueError, match="sends ring arrays"):
        list(wire.encode(LABEL._replace(shapes=((2,),)), [bad]))


def test_histories_are_equal_only_for_equal_programs():
    def digest(*notes):
        history = wire.History()
        for note in notes:
            history.note(*note)
        return history.digest

    assert digest(("exchange", "open")) == digest(("exchange", "open"))
    other = [(), (("exchange", "open"),), (("take", "open"),), (("exchange", "o"), ("exchange", "pen"))]
    assert len({digest(*notes) for notes in other}) == len(other)


# Structured messages

scalars = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text() | st.binary()
lists = st.lists(scalars | st.lists(scalars, max_size=2), max_size=3)
trees = scalars | lists | st.dictionaries(st.text(), scalars | lists, max_size=3)


@given(trees)
def test_messages_come_back(message):
    assert wire.unpack(wire.pack(message)) == message


@given(st.binary(max_size=60))
def test_no_bytes_do_more_than_raise_value_error(data):
    try:
        message = wire.unpack(data)
    except ValueError:
        return
    assert wire.pack(message) == data


BOMBS = {
    "nothing": b"",
    "half": wire.pack({"a": [1, 2]})[:-1],
    "more": wire.pack(1) + b"\0",
    "list of 2^32": b"\xdd\xff\xff\xff\xff" + bytes(1000),
    "map of 2^32": b"\xdf\xff\xff\xff\xff" + bytes(1000),
    "text of 2^32": b"\xdb\xff\xff\xff\xff",
    "deep": b"\x91" * 100_000 + b"\xc0",
    "deep enough to be unpacked": b"\x91" * 1000 + b"\xc0",
    "five deep": b"\x91" * 5 + b"\xc0",
    "lists in lists": b"\xdd\x00\x01\x00\x00" * 20_000,
    "large": bytes(wire.MESSAGE_LIMIT + 1),
    "extension": msgpack.packb(msgpack.ExtType(5, b"x")),
    "timestamp": msgpack.packb(msgpack.Timestamp(1)),
    "number as key": msgpack.packb({1: 2}),
    "list as key": b"\x81\x90\x01",
    "key twice": b"\x82\xa1a\x01\xa1a\x02",
    "long form of 1": b"\xcd\x00\x01",
    "not UTF-8": b"\xa1\xff",
    "never used code": b"\xc1",
}


@pytest.mark.parametrize("name", BOMBS)
def test_what_is_no_message_is_refused(name):
    with pytest.raises(ValueError):  # noqa: PT011 - any text will do, none is shown
        wire.unpack(BOMBS[name])


def test_too_large_a_message_is_not_made():
    with pytest.raises(ValueError, match="at most 131072"):
        wire.pack(bytes(wire.MESSAGE_LIMIT))


# The reason of a stop

WHY = Stop("south", "bmi.csv, line 3: text where a number belongs")
STOP_TAG = wire.stop_frame("south", "north", WHY)[: wire.TAG_BYTES]


def test_a_reason_reaches_the_peer():
    frame = wire.stop_frame("south", "north", WHY)
    assert wire.read_stop("south", "north", frame) == WHY
    assert wire.read_stop("east", "north", frame) is None
    assert wire.read_stop("south", "east", frame) is None
    assert wire.read_stop("south", "north", b"") is None


def test_a_reason_is_passed_on():
    assert wire.read_stop("east", "north", wire.stop_frame("east", "north", WHY)) == WHY


@given(st.text(max_size=2000))
def test_a_reason_is_one_line_fit_for_a_terminal(text):
    for body in (
        wire.stop_frame("south", "north", Stop("south", text))[wire.TAG_BYTES :],
        wire.pack({"who": "south", "text": text}),
    ):
        shown = wire.read_stop("south", "north", STOP_TAG + body).text
        assert shown.isprintable()
        assert len(shown) <= wire.LINE_LIMIT
        assert shown == text or not text.isprintable() or len(text) > wire.LINE_LIMIT


NO_REASON = [{"who": "south", "text": 1}, {"who": "south"}, {"who": "a\nb", "text": "x"}, {}, ["text"], "text"]


@pytest.mark.parametrize("body", [*BOMBS.values(), *map(wire.pack, NO_REASON)])
def test_a_reason_that_is_none_is_still_a_stop(body):
    stop = wire.read_stop("south", "north", STOP_TAG + body)
    assert stop == ("south", "for a reason that cannot be shown")
