"""Large frames: sealed from the arrays where they are, kept sealed, opened into the arrays where they shall be."""

from __future__ import annotations

import socket
import threading
import time
import tracemalloc

import numpy as np
import pytest

from protocols.errors import MessageError
from smpc import ends, sealed, wire
from smpc.errors import LinkError
from smpc.noise import SEAL_BYTES, Cipher, Ciphers, Forged
from smpc.sealed import LARGE, Sealed, opened, take_in
from smpc.wire import CHUNK, TAG_BYTES, Assembly, Label
from tests.smpc import between
from tests.smpc.frames import received
from tests.smpc.network import run, study

COUNT = 3 * CHUNK // 8
LABEL = Label(b"s" * 32, 0, 1, 7, "exchange", "open", b"state", ((COUNT,),), "south")
TAMPERED = "what comes from south is not what south sent: something on the way changes, drops or repeats frames"


def numbers(count=COUNT):
    return np.random.default_rng(count).integers(0, 2**64, count, np.uint64)


def link():
    return Ciphers(sending=Cipher(bytes(32)), receiving=Cipher(bytes(32)))


def sent(ciphers, frames):
    return [memoryview(ends.seal(ciphers, frame)) for frame in frames]


def come(ciphers, frames):
    return [take_in("south", ciphers.receiving, frame) for frame in frames]


def test_large_frames_arrive_and_are_opened_when_they_are_expected():
    here, mine = link(), numbers()
    frames = come(here, sent(here, wire.encode(LABEL, [mine])))
    assert [type(frame) for frame in frames] == [Sealed] * 3
    np.testing.assert_array_equal(received(LABEL, frames)[0], mine, strict=True)
    assert here.receiving.reserved == 0


# No copy


def peak(call):
    """What `call` gives, and the most memory that it had beside what there was."""
    tracemalloc.start()
    try:
        result = call()
        return result, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_large_array_is_sealed_from_its_own_memory():
    here, mine = link(), numbers()
    for part, frame in enumerate(wire.encode(LABEL, [mine])):
        tag, body = frame
        assert tag == LABEL.tag(part)
        assert np.frombuffer(body, np.uint8).ctypes.data == mine.ctypes.data + part * CHUNK
        content, most = peak(lambda frame=frame: ends.seal(here, frame))
        assert len(content) <= most < len(content) + 4096


def test_a_large_array_is_opened_into_its_own_memory():
    here = link()
    message = Assembly(LABEL)
    for frame in come(here, sent(here, wire.encode(LABEL, [numbers()]))):
        _, most = peak(lambda frame=frame: message.add(frame))
        assert most < 4096
    (array,) = message.arrays()
    assert np.shares_memory(array, message._elements)


def test_a_frame_of_several_arrays_is_read_from_all_of_them():
    shapes = ((CHUNK // 16,), (3, CHUNK // 48 + 1), (0,), (CHUNK // 8,))
    label, mine = LABEL._replace(shapes=shapes), [numbers(int(np.prod(shape))).reshape(shape) for shape in shapes]
    frames = list(wire.encode(label, mine))
    pieces = [np.frombuffer(piece, np.uint8) for frame in frames[:2] for piece in frame[1:]]
    assert len(pieces) == 4
    assert all(any(np.shares_memory(piece, array) for array in mine) for piece in pieces)
    here = link()
    for got, want in zip(received(label, come(here, sent(here, frames))), mine, strict=True):
        np.testing.assert_array_equal(got, want)


def test_a_frame_of_many_small_arrays_is_joined():
    label = LABEL._replace(shapes=((CHUNK // 800,),) * 100)
    mine = [numbers(CHUNK // 800)] * 100
    (frame,) = wire.encode(label, mine)
    assert isinstance(frame, bytes)
    here = link()
    for got, want in zip(received(label, come(here, sent(here, [frame]))), mine, strict=True):
        np.testing.assert_array_equal(got, want)


# Nothing but what was sent, in its order

BAD = {
    "left out": lambda frames: [frames[0], frames[2]],
    "repeated": lambda frames: [frames[0], frames[0]],
    "moved": lambda frames: [frames[0], frames[2], frames[1]],
    "its first bit": lambda frames: [frames[0], flipped(frames[1], 0)],
    "its last bit": lambda frames: [frames[0], flipped(frames[1], -1)],
    "a bit between": lambda frames: [frames[0], flipped(frames[1], CHUNK // 2)],
    "cut": lambda frames: [frames[0], frames[1][:-8]],
    "with more": lambda frames: [frames[0], memoryview(bytes(frames[1]) + bytes(8))],
    "made up": lambda frames: [frames[0], memoryview(bytes(len(frames[1])))],
}


def flipped(frame, at):
    bad = bytearray(frame)
    bad[at] ^= 1
    return memoryview(bad)


@pytest.mark.parametrize("name", BAD)
def test_a_large_frame_that_is_not_the_next_one_ends_the_link_and_names_the_peer(name):
    here, message = link(), Assembly(LABEL)
    frames = sent(here, wire.encode(LABEL, [numbers()]))
    good, bad, *_ = come(here, BAD[name](frames))
    message.add(good)
    with pytest.raises(LinkError, match=f"^{TAMPERED}$") as caught:
        message.add(bad)
    assert caught.value.peer == "south"
    assert not message._elements[CHUNK // 8 : 2 * CHUNK // 8].any() or name in ("cut", "with more")
    with pytest.raises(Forged):
        come(here, [frames[2]])
    with pytest.raises(Forged):
        here.receiving.open(frames[2])


def test_a_large_frame_is_opened_once():
    here, message = link(), Assembly(LABEL)
    first, *_ = come(here, sent(here, wire.encode(LABEL, [numbers()])))
    message.add(first)
    with pytest.raises(LinkError, match=TAMPERED):
        message.add(first)


def test_large_frames_are_opened_in_the_order_in_which_they_came():
    here = link()
    _, second, _ = come(here, sent(here, wire.encode(LABEL, [numbers()])))
    with pytest.raises(LinkError, match=TAMPERED):
        opened(second)


@pytest.mark.parametrize(("label", "wrong"), [
    (LABEL._replace(step="other"), "south is not where we are, at step 'other'"),
    (LABEL._replace(shapes=((CHUNK // 8 - 1,),)), "south is not where we are, at step 'open'"),
    (LABEL._replace(shapes=()), "south is not where we are, at step 'open'"),
])  # fmt: skip
def test_a_large_frame_of_another_place_is_refused_by_its_step(label, wrong):
    here = link()
    first, *_ = come(here, sent(here, wire.encode(LABEL, [numbers()])))
    with pytest.raises(MessageError, match=wrong):
        Assembly(label).add(first)


def test_a_large_frame_of_another_length_is_refused():
    here, longer = link(), [LABEL.tag(), memoryview(bytes(CHUNK + 8))]
    (frame,) = come(here, sent(here, [longer]))
    with pytest.raises(MessageError, match=f"sent {CHUNK + 8} bytes where step 'open' has {CHUNK}"):
        Assembly(LABEL).add(frame)


def test_what_is_behind_a_large_frame_can_be_opened_before_it():
    here = link()
    large, small = come(here, sent(here, [[bytes(LARGE)], b"small"]))
    assert small == b"small"
    assert len(large) == LARGE
    assert opened(large) == bytes(LARGE)
    assert come(here, sent(here, [b"next"])) == [b"next"]


def test_so_many_are_kept_sealed_and_no_more(monkeypatch):
    """Who cannot seal frames, and puts its own on the way, is found out at the first one beyond."""
    monkeypatch.setattr(sealed, "_MOST", 2)
    here = link()
    frames = come(here, sent(here, [[bytes(LARGE)]] * 3))
    assert [type(frame) for frame in frames] == [Sealed, Sealed, bytes]
    assert [opened(frame) for frame in frames] == [bytes(LARGE)] * 3
    come(here, [memoryview(bytes(LARGE))] * 2)
    with pytest.raises(Forged):
        come(here, [memoryview(bytes(LARGE))])


# Between parties


def large(session, peer, step="large"):
    """Send one message of several frames and receive another."""
    session.exchange(step, {peer: [numbers()]}, {peer: [(COUNT,)]})


def test_large_messages_cost_the_bytes_that_they_should():
    frames = []

    def north(session):
        before = session.bytes_to["south"]
        large(session, 1)
        return session.bytes_to["south"] - before

    def south(session):
        large(session, 0)

    results = run(study(dealer=False), north, {"south": south}, on_frame=lambda *frame: frames.append(frame))
    to_south = [frame for peer, kind, frame in frames if (peer, kind) == ("south", "exchange")]
    assert [len(frame) for frame in to_south] == [TAG_BYTES + CHUNK] * 3
    assert b"".join(frame[TAG_BYTES:] for frame in to_south) == numbers().tobytes()
    assert results["north"] == wire.message_bytes(COUNT) == 3 * (TAG_BYTES + CHUNK + SEAL_BYTES)


@pytest.mark.parametrize("expected", [False, True])
def test_a_stop_behind_large_frames_is_seen(expected):
    """By who waits for somebody else, with the frames still sealed, and by who opens them and waits for more."""
    heard = threading.Event()

    def south(session):
        session.post("exchange", "large", {0: [numbers()]}, {})
        raise LinkError("no more of this", None)

    def north(session):
        if expected:
            session.exchange("large", {}, {1: [(COUNT,)]})
        try:
            session.exchange("one", {}, {2: [(1,)]})
        finally:
            kept.extend(map(type, session._links._inboxes["south"]))
            heard.set()

    def east(session):  # silent, for else it would pass the reason on
        assert heard.wait(10)

    kept = []
    results = run(study(3, dealer=False), north, {"south": south, "east": east})
    assert str(results["north"]) == "south stopped: no more of this"
    assert kept == ([] if expected else [Sealed] * 3)


def test_large_frames_of_a_party_that_ended_without_a_word_are_read_and_then_it_is_gone():
    def south(session):
        session.post("exchange", "large", {0: [numbers()]}, {})
        session._links.close()

    def north(session):
        while "south" not in session._links._ends["south"].gone:
            session._links._wait(float("inf"))
        (got,) = session.exchange("large", {}, {1: [(COUNT,)]})[1]
        np.testing.assert_array_equal(got, numbers())
        session.exchange("one", {}, {1: [(1,)]})

    results = run(study(dealer=False), north, {"south": south})
    assert str(results["north"]) == "south left at step 'one': its process or connection ended"


@pytest.mark.parametrize("size", [1, LARGE])
def test_who_takes_the_port_of_a_party_that_ended_takes_nothing_back_and_is_not_that_party(size):
    """ZeroMQ dials again when a connection has broken, and whoever is there now can say what it likes."""
    two, kept, said = study(dealer=False), threading.Event(), threading.Event()
    host, port = two.entry("north").address.split(":")

    def say():
        with socket.create_server((host, int(port))) as server:
            server.settimeout(10)
            stream, _ = server.accept()
        with stream:
            stream.sendall(between.GREETING[:32] + b"\x01" + bytes(31))  # as a server
            between.exactly(stream, between.GREETING_BYTES)
            for answer in (
                between.command(b"WELCOME", b""),
                between.command(b"READY", b"\x0bSocket-Type\x00\x00\x00\x06ROUTER"),
            ):
                between.next_frame(stream)
                stream.sendall(answer)
            stream.sendall(between.Frame(bytes(size)).bytes())
            said.set()
            while stream.recv(4096):
                pass

    def north(session):
        session.post("exchange", "large", {1: [numbers()]}, {})
        assert kept.wait(10)
        session._links.close()
        say()

    def south(session):
        inbox = session._links._inboxes["north"]
        while len(inbox) < 3:
            session._links._wait(float("inf"))
        assert {*map(type, inbox)} == {Sealed}
        kept.set()
        assert said.wait(10)
        for _ in range(10):
            session._links._wait(time.monotonic() + 0.05)
        (got,) = session.exchange("large", {}, {0: [(COUNT,)]})[0]
        np.testing.assert_array_equal(got, numbers())
        session.exchange("one", {}, {0: [(1,)]})

    results = run(two, north, {"south": south})
    assert str(results["south"]) == "north left at step 'one': its process or connection ended"
