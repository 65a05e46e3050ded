"""Links under attack: strangers, doubles, dead and frozen processes, forked children."""

from __future__ import annotations

import contextlib
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import zmq

from protocols.prg import fresh_seed
from smpc import gate, identity, monitor, port, transport, wire
from smpc.ends import Dialler
from smpc.errors import LinkError
from smpc.helper import serve
from smpc.identity import generate
from smpc.noise import Initiator
from smpc.transport import Links
from tests.smpc.network import DEALER, run, study, together

ROOT = Path(__file__).parents[2]


def one(session):
    """One round between the owners."""
    others = [peer for peer in range(session.count) if peer != session.rank]
    mine = np.array([session.rank], np.uint64)
    got = session.exchange("one", {peer: [mine] for peer in others}, {peer: [(1,)] for peer in others})
    return [int(got[peer][0][0]) for peer in others]


def test_frames_arrive_in_both_directions():
    assert run(study(), one) == {"north": [1], "south": [0], DEALER: None}


@contextlib.contextmanager
def during(a_study):
    """A run of all parties that goes on until the block ends; gives their results then."""
    ready, go, results = threading.Barrier(4), threading.Event(), {}

    def program(session):
        ready.wait(10)
        assert go.wait(20)
        return one(session)

    def dealer(session):
        ready.wait(10)
        serve(session)

    thread = threading.Thread(target=lambda: results.update(run(a_study, program, {DEALER: dealer})))
    thread.start()
    ready.wait(10)
    try:
        yield results
    finally:
        go.set()
        thread.join()


GOES_WELL = {"north": [1], "south": [0], DEALER: None}


# Strangers


def port_of(a_study, name):
    return int(a_study.entry(name).address.rpartition(":")[2])


def handshake(a_study, name, *, key, server=None):
    """What a dialler with some key meets at a party's port: the first attempt's event, and its status."""
    context = zmq.Context()
    try:
        dialler = Dialler(context, key, key.name, name, address=a_study.entry(name).address,
                          key=server or a_study.keys[name].public)  # fmt: skip
        try:
            assert dialler.monitor.poll(5000)
            while True:
                for event, value in monitor.events(dialler.monitor):
                    if event != zmq.EVENT_CONNECTED:
                        return zmq.Event(event).name.removeprefix("HANDSHAKE_FAILED_"), value
                dialler.monitor.poll(5000)
        finally:
            dialler.close(0)
    finally:
        context.term()


def test_only_the_keys_that_should_dial_are_let_in():
    two = study()
    with during(two) as results:
        assert handshake(two, "north", key=generate("south")) == ("AUTH", 400)
        assert handshake(two, "north", key=two.keys["north"]) == ("AUTH", 400)
        assert handshake(two, "south", key=two.keys["north"]) == ("AUTH", 400)
        wrong = generate("x").public
        assert handshake(two, "north", key=two.keys["south"], server=wrong)[0] == "NO_DETAIL"
        assert handshake(two, "north", key=two.keys["south"]) == ("AUTH", 500)
    assert results == GOES_WELL


@pytest.mark.parametrize("mechanism", ["null", "curve", "plain"])
def test_no_other_mechanism_is_accepted(mechanism):
    two = study()
    with during(two) as results, zmq.Context() as context, context.socket(zmq.DEALER) as stranger:
        if mechanism == "plain":
            stranger.plain_username, stranger.plain_password = gate.LABEL, b"south"
        if mechanism == "curve":
            public, stranger.curve_secretkey = zmq.curve_keypair()
            stranger.curve_publickey = stranger.curve_serverkey = public
        stranger.linger = 0
        seen = stranger.get_monitor_socket(monitor.FAILED_HANDSHAKE | zmq.EVENT_HANDSHAKE_SUCCEEDED)
        stranger.connect(f"tcp://127.0.0.1:{port_of(two, 'north')}")
        assert seen.poll(5000)
        failed = next(monitor.events(seen))[0] & monitor.FAILED_HANDSHAKE
        stranger.disable_monitor()
        seen.close()
        assert failed
    assert results == GOES_WELL


def test_a_frame_of_2_gib_from_a_stranger_costs_nothing():
    two = study()
    greeting = b"\xff" + bytes(8) + b"\x7f" + b"\x03\x00" + b"PLAIN".ljust(20, b"\0") + bytes(32)
    with during(two) as results:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with socket.create_connection(("127.0.0.1", port_of(two, "north")), 5) as stranger:
            stranger.sendall(greeting + b"\x02" + (2**31).to_bytes(8, "big"))
            with contextlib.suppress(ConnectionError):
                for _ in range(256):
                    stranger.sendall(bytes(2**18))
                pytest.fail("64 MiB were taken")
        unit = 1 if sys.platform == "darwin" else 1024
        assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * unit < 32 * 1024**2
    assert results == GOES_WELL


def test_many_strangers_do_not_stop_a_run_that_does_not_look():
    two = study()
    with during(two) as results:
        for _ in range(1000):
            socket.create_connection(("127.0.0.1", port_of(two, "north")), 5).close()
        assert handshake(two, "north", key=generate("south")) == ("AUTH", 400)
    assert results == GOES_WELL


def test_a_port_that_lets_strangers_in_is_not_opened(monkeypatch):
    monkeypatch.setattr(gate.Gate, "_judge", lambda self, request: (gate.LET_IN, "south"))
    with pytest.raises(LinkError, match="did not refuse an unknown key: it is closed again"):
        study().open("north")


def test_a_port_whose_gate_is_dead_lets_nobody_in(monkeypatch):
    monkeypatch.setattr(gate.Gate, "_serve", lambda self, closed: closed.close())
    monkeypatch.setattr(port.Listener, "_knock", lambda *_: None)
    two = study()
    north, south = together(lambda: two.open("north", wait=1), lambda: two.open("south", wait=1))
    assert "south is absent: it did not connect in 1 s" in str(north)
    assert isinstance(south, LinkError)


NORTH, SOUTH = generate("north"), generate("south")


def first_message(secret=SOUTH.secret, to=NORTH.public, label=gate.LABEL):
    return Initiator(label, secret, to).write(b"", fresh_seed())


@contextlib.contextmanager
def guard():
    context = zmq.Context()
    try:
        yield gate.Gate(context, NORTH.secret, {SOUTH.public: "south"})
    finally:
        context.term()


def request(message):
    return (b"1.0", b"7", b"smpc", b"127.0.0.1", b"", b"PLAIN", gate.LABEL, message)


def test_the_gate_lets_in_who_has_a_key_by_name_and_first_message():
    message = first_message()
    with guard() as north:
        assert north._answer(*request(message)) == [b"1.0", b"7", b"200", b"", b"south " + message.hex().encode(), b""]
        north.here.add("south")
        assert north._answer(*request(message)) == [b"1.0", b"7", b"500", b"", b"", b""]
        assert (north.foreign, list(north.refused)) == (0, [])


@pytest.mark.parametrize("at", [0, 2, 5, 6, 7, None])
def test_the_gate_refuses_all_but_the_exact_request(at):
    good = request(first_message())
    bad = good[:-1] if at is None else (*good[:at], b"x" * 96, *good[at + 1 :])
    with guard() as north:
        assert north._answer(*bad)[2:5] == [b"000", b"", b""]
        assert north.foreign == 1


def test_the_gate_names_unknown_keys_and_nothing_else():
    strangers = [generate("south") for _ in range(5)]
    with guard() as north:
        for stranger in [*strangers, *strangers[1:], NORTH]:
            assert north._answer(*request(first_message(stranger.secret)))[2] == b"400"
        longer = Initiator(gate.LABEL, SOUTH.secret, NORTH.public).write(b"x", fresh_seed())
        for other in (first_message(to=SOUTH.public), first_message(label=b"smpc link 2"), longer, bytes(96), b""):
            assert north._answer(*request(other))[2] == b"000"
        assert list(north.refused) == [stranger.public for stranger in [*strangers[2:], NORTH]]


# Parties that misbehave


def test_a_second_process_with_the_same_key_is_turned_away_and_the_run_goes_on():
    two = study(silent=["south"])
    twice = "says that south is in this run already: was it started twice, or started again?"
    with during(two) as results, pytest.raises(LinkError, match=twice):
        two.open("south")
    assert results == GOES_WELL


def test_a_claimed_routing_id_means_nothing():
    two = study()

    def south():
        links = Links(two.keys["south"], "south", two.manifest.parties)
        dialler = links._ends["north"]
        dialler.socket.disconnect(dialler.socket.last_endpoint)
        dialler.socket.routing_id = DEALER.encode()
        dialler.socket.connect(f"tcp://{two.entry('north').address}")
        try:
            for _ in links.meet(dict.fromkeys(("north", DEALER), bytes(32)), 5):
                pass
        finally:
            links.close()

    north, _ = together(lambda: two.open("north"), south)
    assert str(north) == "south did not begin with a hello: is it smpc that runs there?"


def test_frames_of_several_parts_are_no_frames():
    def south(session):
        session._links._ends["north"].socket.send_multipart([b"a", b"b"])
        session._links.receive([], 10)

    north = run(study(), one, {"south": south})["north"]
    assert str(north).startswith("what comes from south is not what south sent: ")


def test_a_party_that_floods_is_named(monkeypatch):
    monkeypatch.setattr(transport, "_AHEAD_LIMIT", 1024**2)

    def south(session):
        for _ in range(8):
            session._links.send("north", bytes(wire.CHUNK), "flood")
        session._links.receive([], 10)

    north = run(study(), lambda session: session._links.receive([DEALER], 10), {"south": south})["north"]
    assert "south sends more than" in str(north)


def test_a_port_that_is_taken_is_named():
    two = study()
    with socket.socket() as other:
        other.bind(("127.0.0.1", port_of(two, "north")))
        other.listen()
        with pytest.raises(LinkError, match=rf"^port {port_of(two, 'north')} of this machine is in use: is north"):
            two.open("north")


def test_a_forwarder_with_nobody_behind_it_is_waited_for():
    two = study()
    with socket.create_server(("127.0.0.1", port_of(two, "north"))) as forwarder:
        forwarder.settimeout(5)
        refusing = threading.Thread(target=lambda: hang_up(forwarder, 4))
        refusing.start()
        (south,) = together(lambda: two.open("south", wait=1.5))
        refusing.join()
    assert f"the process at {two.entry('north').address} accepted connections, but none was completed" in str(south)


def hang_up(server, times):
    for _ in range(times):
        server.accept()[0].close()


# Processes

PARTY = """
import sys
from pathlib import Path
import numpy as np
from smpc import config, identity
from smpc.session import open_session
folder, name = Path(sys.argv[1]), sys.argv[2]
with open_session(config.load_manifest(folder / "study.toml"), identity.read(folder / f"{name}.key"), name) as session:
    others = [peer for peer in range(session.count) if peer != session.rank]
    mine = np.array([session.rank], np.uint64)
    for number in range(10**9):
        session.exchange("one", {peer: [mine] for peer in others}, {peer: [(1,)] for peer in others})
        if number == 3:
            print("beats", flush=True)
"""


def beat(session):
    while True:
        one(session)


@pytest.mark.parametrize(("how", "seconds"), [(signal.SIGKILL, 2), (signal.SIGSTOP, 8)])
def test_a_process_that_dies_or_freezes_is_named_by_all_in_time(tmp_path, how, seconds):
    three = study(3)
    (tmp_path / "study.toml").write_bytes(three.manifest.text)
    identity.write(three.keys["south"], tmp_path)
    command = [sys.executable, "-c", PARTY, str(tmp_path), "south"]
    ended = {}

    def live(name, program):
        try:
            with three.open(name, wait=20) as session:
                program(session)
        finally:
            ended[name] = time.monotonic()

    def strike(process):
        assert process.stdout.readline() == b"beats\n"
        process.send_signal(how)
        return time.monotonic()

    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        try:
            programs = {"north": beat, "east": beat, DEALER: serve}
            lives = [lambda n=n, p=p: live(n, p) for n, p in programs.items()]
            *errors, struck = together(*lives, lambda: strike(process))
        finally:
            process.kill()
    for error, name in zip(errors, programs, strict=True):
        assert isinstance(error, LinkError)
        assert "south left at " in str(error)
        assert error.peer in {"south", *programs}
        assert ended[name] - struck < seconds


FORK = """
import os, sys
from pathlib import Path
from protocols.errors import ForkError
from smpc import config, identity
from smpc.transport import Links
folder = Path(sys.argv[1])
manifest = config.load_manifest(folder / "study.toml")
links = Links(identity.read(folder / "north.key"), "north", manifest.parties)
child = os.fork()
if child == 0:
    code = 0
    for use in (lambda: links.send("south", b"", "x"), lambda: links.receive([], 1), lambda: list(links.meet({}, 1))):
        try:
            use()
        except ForkError:
            code += 1
    links.stop(ValueError())
    links.close()
    os._exit(code)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
links.close()
"""


def test_a_forked_child_has_no_links(tmp_path):
    two = study()
    (tmp_path / "study.toml").write_bytes(two.manifest.text)
    identity.write(two.keys["north"], tmp_path)
    command = [sys.executable, "-W", "ignore", "-c", FORK, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout == "3\n"
