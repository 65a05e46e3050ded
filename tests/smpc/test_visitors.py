"""Connections to a port and who they turn out to be, one step after the other."""

from __future__ import annotations

import contextlib
import time

import pytest
import zmq

from smpc import port
from smpc.ends import Dialler
from smpc.errors import LinkError
from smpc.identity import generate
from tests.smpc.network import free_port


@contextlib.contextmanager
def listening():
    """North's port, to which south and east may come, and what dials it as south."""
    keys = {name: generate(name) for name in ("north", "south", "east")}
    ours, theirs, address = zmq.Context(), zmq.Context(), f"127.0.0.1:{free_port()}"
    allowed = {keys[name].public: name for name in ("south", "east")}
    listener, dialled = port.Listener(ours, keys["north"], "north", address, allowed), []

    def south():
        dialler = Dialler(theirs, keys["south"], "south", "north", address=address, key=keys["north"].public)
        dialled.append(dialler)
        return dialler

    try:
        yield listener, south
    finally:
        for end in (*dialled, listener):
            if not end.socket.closed:
                end.close(0)
        theirs.term()
        ours.term()


def until(condition, *ends):
    """Let the ends work until something holds; gives what they read meanwhile."""
    poller, found, end = zmq.Poller(), [], time.monotonic() + 5
    for one in ends:
        poller.register(one.socket, zmq.POLLIN)
        poller.register(one.monitor, zmq.POLLIN)
    while not condition():
        assert time.monotonic() < end
        poller.poll(100)
        for one in ends:
            one.look()
            found += [(name, bytes(frame)) for name, frame in iter(one.read, None)]
    return found


def test_of_two_connections_of_one_party_the_first_that_proves_itself_stays():
    with listening() as (listener, south):
        first, second = south(), south()
        until(lambda: first.up and second.up, listener, first, second)
        assert len(listener._visitors) == 2
        assert listener.send("south", b"x") is False
        second.send("north", b"from the second")
        assert until(lambda: "south" in listener._known, listener) == [("south", b"from the second")]
        first.send("north", b"from the first")
        second.send("north", b"the last")
        heard = []
        while not heard:
            assert listener.socket.poll(5000)
            heard += iter(listener.read, None)
        assert [(name, bytes(frame)) for name, frame in heard] == [("south", b"the last")]


def test_who_left_before_its_frame_was_read_is_heard_and_gone():
    with listening() as (listener, south):
        dialler = south()
        until(lambda: dialler.up, listener, dialler)
        dialler.send("north", b"the last word")
        dialler.close(5000)
        assert listener.monitor.poll(5000)
        listener.look()
        assert (listener.gone, listener._broken) == (set(), {2})
        assert listener.read() == ("south", b"the last word")
        assert listener.gone == {"south"}
        assert listener.read() is None
        assert "south" in listener._known


def test_nothing_is_kept_of_a_connection_that_broke_before_it_proved_itself():
    with listening() as (listener, south):
        dialler = south()
        until(lambda: dialler.up, listener, dialler)
        dialler.close(0)
        until(lambda: not listener._connected, listener)
        assert listener.read() is None
        assert (listener._visitors, listener._broken, listener.gone) == ({}, set(), set())


def test_a_connection_that_does_not_begin_with_an_empty_frame_gets_no_answer():
    with listening() as (listener, south):
        dialler = south()
        dialler._let_in = True  # it will not say its empty frame itself
        dialler.socket.send(bytes(48))
        assert listener.socket.poll(5000)
        assert listener.read() is None
        assert listener._visitors == {}
        dialler.socket.send(b"")
        until(lambda: dialler.up, listener, dialler)


def test_what_comes_from_a_dialled_peer_that_left_is_not_looked_at():
    with listening() as (listener, south):
        dialler = south()
        until(lambda: dialler.up, listener, dialler)
        (visitor,) = listener._visitors.values()
        for gone in (set(), {"north"}):
            dialler.gone = gone
            listener.socket.send_multipart([visitor.route, bytes(48)])
            assert dialler.socket.poll(5000)
            if gone:
                assert dialler.read() is None
            else:
                with pytest.raises(LinkError, match="what comes from north is not what north sent"):
                    dialler.read()
