"""The two ends that a link can have here: our port, which peers dial, and a peer that we dial.

Who a frame is from is never a claim of the frame: on the port it is the key that the connection's handshake
proved, on a dialled link the pinned key of the peer. Routing ids are automatic. A connection that was up and
broke is never taken up again: its peer is `gone`, and so is the run.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Protocol, TypeAlias

import zmq
from zmq.utils import z85
from zmq.utils.monitor import parse_monitor_message

from smpc import wire
from smpc.errors import LinkError
from smpc.gate import DOMAIN, Gate
from smpc.identity import Identity, curve_keys, generate

Context: TypeAlias = "zmq.Context[zmq.Socket[bytes]]"
Socket: TypeAlias = "zmq.Socket[bytes]"

_KEY_FAILURES = 3
_LOOKS = 64  # frames of connections that were turned away, at one go
_TOO_MANY = 1000  # of one such connection
_SELF_TEST_SECONDS = 1.0
_PROBE_SECONDS = 0.5
_FAILED_HANDSHAKE = zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
_LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]")


class End(Protocol):
    """What both ends can do; sockets are for polling, and for one thread."""

    socket: Socket
    monitor: Socket
    gone: set[str]

    @property
    def missing(self) -> str:
        """What did not happen, for a peer that is not there; "in 8 s" may follow."""

    def look(self) -> None:
        """Take note of what happened to connections. Raises LinkError for a peer that cannot become one."""

    def read(self) -> tuple[str, memoryview] | None:
        """The next frame that has arrived and who it is from."""

    def send(self, peer: str, frame: bytes) -> bool:
        """Hand `frame` to the network; False if there is no connection to `peer`."""

    def close(self, linger: int) -> None:
        """Close; what was sent may still leave for `linger` milliseconds."""


class Listener:
    """Our port at `address`. `allowed`: the names of those who may dial it, by public key.

    Raises LinkError if the port cannot be opened, or lets a stranger in.
    """

    def __init__(
        self, context: Context, identity: Identity, party: str, address: str, allowed: Mapping[bytes, str]
    ) -> None:
        self._me = party
        self._gate = Gate(context, allowed)
        self._routes: dict[str, bytes] = {}
        self._files: dict[int, str] = {}
        self._open_files: set[int] = set()
        self._turned_away: Counter[bytes] = Counter()
        self.gone: set[str] = set()
        self.foreign = 0
        self.socket = context.socket(zmq.ROUTER)
        _configure(self.socket, identity)
        self.socket.router_mandatory = True
        self.socket.curve_server = True
        self.socket.zap_domain = DOMAIN
        self.socket.set(zmq.ZAP_ENFORCE_DOMAIN, 1)
        self.monitor = _monitor(context, self.socket)
        try:
            self._bind(party, address)
            self._knock(context, address, identity.public)
        except BaseException:
            self.close(0)
            raise

    @property
    def missing(self) -> str:
        return "it did not connect"

    @property
    def refused(self) -> list[bytes]:
        """Public keys that were not let in, the last few."""
        return list(self._gate.refused)

    def _bind(self, party: str, address: str) -> None:
        host, port = _split(address)
        where = _numeric(host) if host in _LOCAL_HOSTS else "*"
        self.socket.ipv6 = where != "127.0.0.1"
        try:
            self.socket.bind(f"tcp://{where}:{port}")
        except zmq.ZMQError as error:
            if error.errno == errno.EADDRINUSE:
                what = f"is in use: is {party} running already?"
            else:
                what = f"cannot be opened: {error.strerror}"
            raise LinkError(f"port {port} of this machine {what}") from None

    def look(self) -> None:
        for event, value in _events(self.monitor):
            if event == zmq.EVENT_ACCEPTED:
                self._open_files.add(value)
            elif event == zmq.EVENT_DISCONNECTED:
                self._open_files.discard(value)
                if (name := self._files.pop(value, None)) is not None:
                    self.gone.add(name)
            elif event & _FAILED_HANDSHAKE:
                self.foreign += 1

    def read(self) -> tuple[str, memoryview] | None:
        for _ in range(_LOOKS):
            try:
                route, frame, *more = self.socket.recv_multipart(zmq.DONTWAIT, copy=False)
            except zmq.Again:
                return None
            name = str(frame.get("User-Id"))
            if name not in self._routes:
                self._attach(name, route.bytes, int(frame.get(zmq.SRCFD)))
            if self._routes[name] == route.bytes:
                return name, memoryview(b"") if more else frame.buffer
            self._turn_away(name, route.bytes)
        return None

    def send(self, peer: str, frame: bytes) -> bool:
        try:
            self.socket.send_multipart([self._routes[peer], frame], zmq.DONTWAIT, copy=False)
        except (KeyError, zmq.ZMQError):
            return False
        return True

    def _attach(self, name: str, route: bytes, file: int) -> None:
        """The first frame of a party: from now on this connection is the party's.

        Connections are known to the monitor by their file number. All that it tells of the number's earlier
        users was told before this frame came.
        """
        self.look()
        self._routes[name] = route
        if file in self._open_files:
            self._files[file] = name
        else:
            self.gone.add(name)

    def _turn_away(self, name: str, route: bytes) -> None:
        self._turned_away[route] += 1
        if self._turned_away[route] > _TOO_MANY:
            raise LinkError(f"{name} keeps sending on a second connection", name)
        if self._turned_away[route] > 1:
            return
        text = f"{name} is in this run already: was it started twice, or started again?"
        frame = wire.stop_frame(self._me, name, wire.Stop(self._me, text))
        with contextlib.suppress(zmq.ZMQError):
            self.socket.send_multipart([route, frame], zmq.DONTWAIT)

    def _knock(self, context: Context, address: str, public: bytes) -> None:
        """Knock with a key that nobody knows, and see that it is not let in: a few milliseconds."""
        host, port = _split(address)
        here = f"{host if host in _LOCAL_HOSTS else '127.0.0.1'}:{port}"
        stranger = generate("stranger")
        visitor = Dialler(context, stranger, stranger.name, self._me, address=here, key=public)
        try:
            refused = visitor.refused_within(_SELF_TEST_SECONDS)
        finally:
            visitor.close(0)
        if not refused:
            raise LinkError(f"port {port} of this machine did not refuse an unknown key: it is closed again")
        with contextlib.suppress(ValueError):
            self._gate.refused.remove(stranger.public)

    def close(self, linger: int) -> None:
        _close(self.socket, self.monitor, linger)


class Dialler:
    """A peer at `address`, which we dial; `key` is its public key as the manifest has it."""

    def __init__(self, context: Context, identity: Identity, me: str, peer: str, *, address: str, key: bytes) -> None:
        self.peer, self.address, self._me = peer, address, me
        self.up = self.reached = False
        self.gone: set[str] = set()
        self._failures = 0
        host, port = _split(address)
        self.socket = context.socket(zmq.DEALER)
        _configure(self.socket, identity)
        self.socket.ipv6 = host.startswith("[")  # else by IPv4: of a name that has both, only one is tried
        self.socket.curve_serverkey = z85.encode(key)
        self.monitor = _monitor(context, self.socket)
        try:
            self.socket.connect(f"tcp://{_numeric(host)}:{port}")
        except zmq.ZMQError as error:
            self.close(0)
            raise LinkError(f"{peer}'s address, {address}, cannot be dialled: {error.strerror}", peer) from None

    @property
    def missing(self) -> str:
        """What did not happen, for a peer that is not there."""
        if self.reached:
            return f"the process at {self.address} accepted connections, but none was completed"
        return f"nothing answered at {self.address}"

    def look(self) -> None:
        for event, _ in _events(self.monitor):
            if event == zmq.EVENT_CONNECTED:
                self.reached = True
            elif event == zmq.EVENT_HANDSHAKE_SUCCEEDED:
                self.up = True
            elif event == zmq.EVENT_HANDSHAKE_FAILED_AUTH:
                raise LinkError(
                    f"{self.peer} refuses our key: is the public_key of {self._me} in {self.peer}'s manifest "
                    "that of the key file used here?",
                    self.peer,
                )
            elif event & _FAILED_HANDSHAKE:
                self._failures += 1
            elif event == zmq.EVENT_DISCONNECTED and self.up:
                self.gone.add(self.peer)
        if self._failures >= _KEY_FAILURES and not self.up:
            self._failures = 0
            self._explain_failures()

    def _explain_failures(self) -> None:
        """Whoever is there knows ZeroMQ and still hangs up on us: then it has another key than we think.

        A tunnel or a port forwarder with nobody behind it yet hangs up as well, and is worth waiting for.
        """
        if _greets(self.address):
            raise LinkError(
                f"the process at {self.peer}'s address, {self.address}, does not have {self.peer}'s key: "
                f"is the address right, and is the public_key of {self.peer} the one of its key file?",
                self.peer,
            )

    def refused_within(self, seconds: float) -> bool:
        """Whether the other side says that it does not know our key."""
        deadline = time.monotonic() + seconds
        while self.monitor.poll(max(0, int((deadline - time.monotonic()) * 1000))):
            if any(event == zmq.EVENT_HANDSHAKE_FAILED_AUTH for event, _ in _events(self.monitor)):
                return True
        return False

    def read(self) -> tuple[str, memoryview] | None:
        try:
            frame, *more = self.socket.recv_multipart(zmq.DONTWAIT, copy=False)
        except zmq.Again:
            return None
        return self.peer, memoryview(b"") if more else frame.buffer

    def send(self, peer: str, frame: bytes) -> bool:  # noqa: ARG002 - there is only this one
        if not self.up:
            return False
        try:
            self.socket.send(frame, zmq.DONTWAIT, copy=False)
        except zmq.ZMQError:
            return False
        return True

    def close(self, linger: int) -> None:
        # What was meant for a process that is gone must not reach its successor.
        _close(self.socket, self.monitor, 0 if self.gone else linger)


def _configure(end: Socket, identity: Identity) -> None:
    """What holds for both ends: keys, limits of size and time.

    ZMQ_IMMEDIATE is not set: it would drop what has arrived and is not read yet when the peer leaves. Nothing
    is sent before a connection is up, or once it is known to have broken.
    """
    end.curve_publickey, end.curve_secretkey = curve_keys(identity)
    end.maxmsgsize = wire.FRAME_LIMIT
    # No marks: what we send is one round of our own, and an end that stopped reading would answer no heartbeats.
    # How far a peer may be ahead is counted where its frames are kept.
    end.sndhwm = end.rcvhwm = 0
    end.linger = 0
    end.handshake_ivl = 3000
    end.heartbeat_ivl, end.heartbeat_timeout, end.heartbeat_ttl = 1000, 4000, 6000
    end.reconnect_ivl, end.reconnect_ivl_max = 100, 1000


def _monitor(context: Context, end: Socket) -> Socket:
    """Events of `end`'s connections. Without a mark: at one, ZeroMQ's own thread would stop and wait."""
    events = (
        zmq.EVENT_ACCEPTED
        | zmq.EVENT_CONNECTED
        | zmq.EVENT_DISCONNECTED
        | zmq.EVENT_HANDSHAKE_SUCCEEDED
        | zmq.EVENT_HANDSHAKE_FAILED_AUTH
        | _FAILED_HANDSHAKE
    )
    name = f"inproc://monitor-{end.underlying}"
    end.monitor(name, events)
    monitor = context.socket(zmq.PAIR)
    monitor.linger, monitor.rcvhwm = 0, 0
    monitor.connect(name)
    return monitor


def _events(monitor: Socket) -> Iterator[tuple[int, int]]:
    """What happened since the last time: event and value."""
    while True:
        try:
            message = parse_monitor_message(monitor.recv_multipart(zmq.DONTWAIT))
        except zmq.Again:
            return
        yield int(message["event"]), int(message["value"])


def _close(end: Socket, monitor: Socket, linger: int) -> None:
    end.disable_monitor()
    monitor.close(linger=0)
    end.close(linger=linger)


def _greets(address: str) -> bool:
    """Whether a ZeroMQ socket listens at `address`: it speaks first, with a signature of 10 bytes."""
    host, port = _split(address)
    try:
        with socket.create_connection((host.strip("[]"), int(port)), _PROBE_SECONDS) as probe:
            probe.settimeout(_PROBE_SECONDS)
            signature = probe.recv(10)
    except OSError:
        return False
    return signature[:1] == b"\xff" and signature[-1:] == b"\x7f"


def _split(address: str) -> tuple[str, str]:
    host, _, port = address.rpartition(":")
    return host, port


def _numeric(host: str) -> str:
    return "127.0.0.1" if host == "localhost" else host
