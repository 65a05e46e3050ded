"""Links under attack by those who can read, repeat and change what is on the way."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time

import numpy as np
import pytest
import zmq

from protocols.prg import fresh_seed
from smpc import gate, monitor, port, wire
from smpc.ends import Dialler
from smpc.errors import LinkError
from smpc.identity import generate
from smpc.noise import SECOND_BYTES, Initiator
from tests.smpc.between import COMMAND, GREETING, GREETING_BYTES, MORE, Between, Frame, command, exactly, next_frame
from tests.smpc.network import run, study, together

FRAMES = 3  # of the message that each of two sends the other


def large(session):
    """One round between two, of several frames each way."""
    peer = 1 - session.rank
    mine = np.full(FRAMES * wire.CHUNK // 8, session.rank, np.uint64)
    (got,) = session.exchange("large", {peer: [mine]}, {peer: [mine.shape]})[peer]
    return bool((got == peer).all())


def port_of(a_study, name):
    return int(a_study.entry(name).address.rpartition(":")[2])


def test_a_run_through_somebody_who_only_looks(monkeypatch):
    two = study(dealer=False)
    with Between(port_of(two, "north")) as between:
        between.detour(monkeypatch)
        assert run(two, large) == {"north": True, "south": True}
    assert len(between.seen) > 2 * FRAMES * wire.CHUNK
    shown = [wire.HELLO_TAG, two.manifest.text[:20], *(key.public for key in two.keys.values()), bytes(32)]
    assert not [known for known in shown if known in between.seen]


# Somebody who changes what is on the way. The messages are, to the port: empty, hello, ready, FRAMES of data, bye; from
# it: the answer, hello, ready, FRAMES of data, bye.
READY, DATA = 2, 4

CHANGES = {
    "left out": lambda frame, other: [],
    "repeated": lambda frame, other: [frame, frame],
    "one more before it": lambda frame, other: [frame.other(bytes(len(frame.body))), frame],
    "its first bit": lambda frame, other: [frame.other(bytes([frame.body[0] ^ 1]) + frame.body[1:])],
    "its last bit": lambda frame, other: [frame.other(frame.body[:-1] + bytes([frame.body[-1] ^ 128]))],
    "cut": lambda frame, other: [frame.other(frame.body[:-1])],
    "with more": lambda frame, other: [frame.other(frame.body + b"x")],
    "empty": lambda frame, other: [frame.other(b"")],
    "in two parts": lambda frame, other: [Frame(frame.body, flags=MORE), Frame(b"")],
    "the other's own": lambda frame, other: [other],
}


@pytest.mark.parametrize("way", ["in", "out"])
@pytest.mark.parametrize("name", CHANGES)
def test_a_frame_that_is_changed_on_the_way_is_noticed_by_the_link(monkeypatch, name, way):
    ready = {}

    def change(here, frame):
        if frame.number == READY:
            ready[here] = frame
        if (here, frame.number) != (way, DATA):
            return [frame]
        return CHANGES[name](frame, ready["out" if way == "in" else "in"])

    check_noticed(monkeypatch, way, change)


@pytest.mark.parametrize("way", ["in", "out"])
def test_frames_that_change_places_are_noticed_by_the_link(monkeypatch, way):
    held = []

    def change(here, frame):
        if here == way and frame.number == DATA:
            held.append(frame)
            return []
        return [frame, *held] if here == way and frame.number == DATA + 1 else [frame]

    check_noticed(monkeypatch, way, change)


def check_noticed(monkeypatch, way, change):
    two = study(dealer=False)
    with Between(port_of(two, "north"), change) as between:
        between.detour(monkeypatch)
        results = run(two, large, patience=10)
    sender, receiver = ("south", "north") if way == "in" else ("north", "south")
    noticed = (
        f"what comes from {sender} is not what {sender} sent: something on the way changes, drops or repeats frames"
    )
    assert str(results[receiver]) == noticed
    assert results[receiver].peer == sender
    assert isinstance(results[sender], LinkError)


def test_a_connection_that_breaks_before_it_was_let_in_is_made_again(monkeypatch):
    def change(way, frame):
        if between.connections == 1 and frame.flags & COMMAND and frame.body.startswith(b"\x07WELCOME"):
            raise ConnectionError
        return [frame]

    two = study(dealer=False)
    with Between(port_of(two, "north"), change) as between:
        between.detour(monkeypatch)
        assert run(two, large) == {"north": True, "south": True}
    assert between.connections == 2


# Somebody who repeats the beginning of a recorded run


def recorded(a_study):
    """A first message of south to north, as in an earlier run."""
    return Initiator(gate.LABEL, a_study.keys["south"].secret, a_study.keys["north"].public).write(b"", fresh_seed())


@contextlib.contextmanager
def again(context, a_study, message):
    """A connection to north's port that begins with `message`; and its events."""
    with context.socket(zmq.DEALER) as stranger:
        stranger.linger, stranger.reconnect_ivl = 0, 10
        stranger.plain_username, stranger.plain_password = gate.LABEL, message
        events = monitor.monitor(context, stranger)
        try:
            stranger.connect(f"tcp://127.0.0.1:{port_of(a_study, 'north')}")
            yield stranger, events
        finally:
            stranger.disable_monitor()
            events.close(0)


def happens(events, wanted, seconds=5):
    """Wait for an event of a connection; gives its value."""
    end = time.monotonic() + seconds
    while events.poll(max(0, (end - time.monotonic()) * 1000)):
        for event, value in monitor.events(events):
            if event == wanted:
                return value
    return pytest.fail(f"no {zmq.Event(wanted).name}")


def test_who_repeats_a_recorded_first_message_gets_an_answer_and_nothing_else():
    """It is there before south, and stays: quiet, or with frames that it made up. Neither keeps south from coming."""
    two = study(dealer=False)
    message = recorded(two)
    begin, done = threading.Event(), threading.Event()

    def north():
        begin.set()
        with two.open("north") as session:
            assert done.wait(10)
            return large(session)

    def south():
        with two.open("south") as session:
            assert done.wait(10)
            return large(session)

    def strangers():
        assert begin.wait(5)
        with zmq.Context() as context, again(context, two, message) as quiet, again(context, two, message) as loud:
            for _, events in (quiet, loud):
                happens(events, zmq.EVENT_HANDSHAKE_SUCCEEDED)
            answers = []
            loud[0].send(b"")
            assert loud[0].poll(5000)
            answers.append(loud[0].recv())
            for size in (0, 16, 48, 300_000):
                loud[0].send(bytes(size))
            came = pool(south)
            for _, events in (quiet, loud):
                happens(events, zmq.EVENT_DISCONNECTED)
            with again(context, two, message) as (_, late):
                assert happens(late, zmq.EVENT_HANDSHAKE_FAILED_AUTH) == 500
            done.set()
            assert not loud[0].poll(0)
            return answers, came()

    results = together(north, strangers)
    assert results[0] is True
    (answer,), came = results[1]
    assert came is True
    assert len(answer) == SECOND_BYTES


def pool(call):
    """Begin a call in a thread; gives what waits for its result."""
    result = []
    thread = threading.Thread(target=lambda: result.extend(together(call)))
    thread.start()

    def wait():
        thread.join()
        return result[0]

    return wait


def test_what_a_client_says_of_itself_in_the_handshake_means_nothing():
    """ZMTP lets it send properties: that its user, or its file number, is another."""
    two, stranger = study(dealer=False), generate("stranger")
    begun = Initiator(gate.LABEL, two.keys["south"].secret, two.keys["north"].public)
    message = begun.write(b"", fresh_seed())
    other = Initiator(gate.LABEL, stranger.secret, two.keys["north"].public).write(b"", fresh_seed())

    def client():
        with dial(port_of(two, "north")) as tcp:
            tcp.sendall(GREETING + command(b"HELLO", short(gate.LABEL) + short(message)))
            exactly(tcp, GREETING_BYTES)
            assert next_frame(tcp).body == b"\x07WELCOME"
            said = {b"Socket-Type": b"DEALER", b"User-Id": b"north " + other.hex().encode(), b"__fd": b"0"}
            tcp.sendall(command(b"INITIATE", b"".join(short(k) + long(v) for k, v in said.items())))
            assert next_frame(tcp).body.startswith(b"\x05READY")
            tcp.sendall(Frame(b"").bytes())
            begun.read(next_frame(tcp).body)
            tcp.sendall(Frame(begun.split().sending.seal(bytes(40))).bytes())
            while True:  # until north hangs up
                next_frame(tcp)

    north, came = together(lambda: two.open("north"), client)
    assert isinstance(came, ConnectionError)
    assert str(north) == "south did not begin with a hello: is it smpc that runs there?"


@contextlib.contextmanager
def dial(number):
    end = time.monotonic() + 5
    while True:
        try:
            tcp = socket.create_connection(("127.0.0.1", number), 5)
        except ConnectionRefusedError:
            assert time.monotonic() < end
            continue
        break
    with tcp:
        yield tcp


def short(data):
    return bytes([len(data)]) + data


def long(data):
    return len(data).to_bytes(4, "big") + data


# Somebody at a peer's address


def test_who_lets_everybody_in_at_a_peers_address_does_not_have_its_key(monkeypatch):
    two = study(dealer=False)
    context = zmq.Context()
    monkeypatch.setattr(gate.Gate, "_judge", lambda self, request: (gate.LET_IN, "south"))
    gate.Gate(context, generate("impostor").secret, {})
    try:
        with context.socket(zmq.ROUTER) as impostor:
            impostor.plain_server, impostor.zap_domain, impostor.linger = True, gate.DOMAIN, 0
            impostor.bind(f"tcp://127.0.0.1:{port_of(two, 'north')}")

            def answer():
                assert impostor.poll(5000)
                route, knock = impostor.recv_multipart()
                impostor.send_multipart([route, generate("x").public + bytes(16)])
                return knock

            south, knock = together(lambda: two.open("south"), answer)
    finally:
        context.term()
    assert knock == b""
    assert "does not have north's key: is the address right" in str(south)


@pytest.mark.parametrize("key", ["00" * 32, "01" + "00" * 31])
def test_a_public_key_that_is_none_is_named(key):
    with pytest.raises(LinkError, match="the public_key of north in the manifest is no key"):
        Dialler(None, generate("south"), "south", "north", address="127.0.0.1:1", key=bytes.fromhex(key))


# Hanging up


@contextlib.contextmanager
def tcp_pair():
    with socket.create_server(("127.0.0.1", 0)) as server:
        number = server.getsockname()[1]
        with dial(number) as dialler, server.accept()[0] as accepted:
            yield number, dialler, accepted


def test_a_connection_to_our_port_is_closed_and_nothing_else_is():
    with tcp_pair() as (number, dialler, accepted), tcp_pair() as (_, other, not_ours):
        for file in (accepted.fileno(), not_ours.fileno()):
            port._hang_up(file, number)
        dialler.settimeout(5)
        assert dialler.recv(1) == b""
        not_ours.sendall(b"x")
        assert other.recv(1) == b"x"
        accepted.fileno()
    ends = os.pipe()
    port._hang_up(ends[0], number)
    for file in ends:
        os.close(file)
    port._hang_up(ends[0], number)
