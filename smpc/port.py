"""Our port, which peers dial: one socket, and who is on its connections.

A connection has passed the gate with the first message of a handshake, which may have been recorded and said again by
somebody else. So it is answered, and is nobody's until a frame of it could be opened. Until all are here, whoever waits
for them reads all that comes, and throws away what is nobody's; once all are, every other connection is closed, and the
gate lets nobody in any more.
"""

from __future__ import annotations

import contextlib
import errno
import socket
from collections.abc import Mapping
from dataclasses import dataclass

import zmq

from protocols.prg import fresh_seed
from smpc import monitor, wire
from smpc.ends import LOCAL_HOSTS, Dialler, configure, numeric, seal, split
from smpc.errors import LinkError
from smpc.gate import DOMAIN, Gate
from smpc.identity import Identity, generate
from smpc.monitor import MORE_NOW, NOW, Context, next_frame
from smpc.noise import Ciphers, Forged
from smpc.sealed import LARGE, Arrived, take_in, tampered

_LOOKS = 64  # frames of connections that are nobody's, at one go
_SELF_TEST_SECONDS = 1.0


@dataclass(frozen=True, eq=False)
class _Visitor:
    """A connection to our port that was answered. `name`: whose first message it came with, said by whoever.

    `number`: of the connection, among all that were accepted.
    """

    route: bytes
    name: str
    number: int
    ciphers: Ciphers


class Listener:
    """Our port at `address`. `allowed`: the names of those who may dial it, by public key.

    Raises LinkError if the port cannot be opened, or lets a stranger in.
    """

    def __init__(
        self, context: Context, identity: Identity, party: str, address: str, allowed: Mapping[bytes, str]
    ) -> None:
        self._me, self._address = party, address
        self._gate = Gate(context, identity.secret, allowed)
        self._visitors: dict[bytes, _Visitor] = {}
        self._known: dict[str, _Visitor] = {}
        self._accepted = 0
        self._connected: dict[int, int] = {}  # numbers of connections, by their file
        self._broken: set[int] = set()
        self.gone: set[str] = set()
        self.socket = context.socket(zmq.ROUTER)
        configure(self.socket)
        self.socket.router_mandatory = True
        self.socket.plain_server = True
        self.socket.zap_domain = DOMAIN
        self.socket.set(zmq.ZAP_ENFORCE_DOMAIN, 1)
        self.monitor = monitor.monitor(context, self.socket)
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

    @property
    def foreign(self) -> int:
        """How many wanted somebody with another key, or something else."""
        return self._gate.foreign

    def _bind(self, party: str, address: str) -> None:
        host, port = split(address)
        where = numeric(host) if host in LOCAL_HOSTS else "*"
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
        for event, file in monitor.events(self.monitor):
            if event == zmq.EVENT_ACCEPTED:
                self._accepted += 1
                self._connected[file] = self._accepted
            elif event == zmq.EVENT_DISCONNECTED and (number := self._connected.pop(file, None)) is not None:
                self._broken |= {number} & {visitor.number for visitor in self._visitors.values()}
                self.gone |= {name for name, visitor in self._known.items() if visitor.number == number}

    def read(self) -> tuple[str, Arrived] | None:
        for _ in range(_LOOKS):
            try:
                route = self.socket.recv(NOW)
            except zmq.Again:
                self._forget_broken()
                return None
            frame, torn = next_frame(self.socket)
            if (visitor := self._visitors.get(route)) is None:
                self._welcome(route, frame)
            elif (content := self._opened(visitor, memoryview(b"") if torn else frame.buffer)) is not None:
                return visitor.name, content
        return None

    def send(self, peer: str, frame: wire.Frame) -> bool:
        if peer in self.gone or (visitor := self._known.get(peer)) is None:
            return False
        sealed = seal(visitor.ciphers, frame)
        try:
            self.socket.send(visitor.route, MORE_NOW)
            self.socket.send(sealed, NOW, copy=len(sealed) < LARGE)
        except zmq.ZMQError:  # its number is used up: there is no second try
            self.gone.add(peer)
            return False
        return True

    def _welcome(self, route: bytes, frame: zmq.Frame) -> None:
        """The first frame of a connection, which is empty: answer its handshake, unless it broke already.

        Connections are known to the monitor by their file, which may be another's by now. If this one is there
        to send us more, then it is still the file's: all that the monitor tells of earlier users was told before.
        """
        self.look()
        number = self._connected.get(int(frame.get(zmq.SRCFD)))
        name, _, message = str(frame.get("User-Id")).partition(" ")
        if number is None or name in self._known or len(frame.buffer):
            return
        responder = self._gate.hear(bytes.fromhex(message))
        answer = responder.write(b"", fresh_seed())
        self._visitors[route] = _Visitor(route, name, number, responder.split())
        with contextlib.suppress(zmq.ZMQError):
            self.socket.send_multipart([route, answer], NOW)

    def _opened(self, visitor: _Visitor, sealed: memoryview) -> Arrived | None:
        """What is in a frame; None if it means nothing. Raises LinkError for a wrong one from a known party."""
        known, cipher = self._known.get(visitor.name), visitor.ciphers.receiving
        try:
            if known is visitor:
                return take_in(visitor.name, cipher, sealed)
            content = cipher.open(sealed)
        except Forged:
            if known is visitor:
                raise tampered(visitor.name) from None
            return None
        if known is None:
            self._settle(visitor)
            return content
        return None

    def _settle(self, visitor: _Visitor) -> None:
        """A frame was opened: from now on this connection is the party's, and no other is."""
        self._known[visitor.name] = visitor
        self._gate.here.add(visitor.name)
        self.look()
        if visitor.number not in self._connected.values():
            self.gone.add(visitor.name)
        if self._gate.full:
            self._clear()

    def _clear(self) -> None:
        """All are here: hang up on everybody else. A visitor that waits could begin to talk when we do not listen."""
        numbers = {visitor.number for visitor in self._known.values()}
        for file, number in self._connected.items():
            if number not in numbers:
                _hang_up(file, int(split(self._address)[1]))

    def _forget_broken(self) -> None:
        """All that broken connections had sent has been read."""
        if self._broken:
            kept = {*self._known.values()}
            self._visitors = {
                route: one for route, one in self._visitors.items() if one in kept or one.number not in self._broken
            }
            self._broken.clear()

    def _knock(self, context: Context, address: str, public: bytes) -> None:
        """Knock with a key that nobody knows, and see that it is not let in: a few milliseconds."""
        host, port = split(address)
        here = f"{host if host in LOCAL_HOSTS else '127.0.0.1'}:{port}"
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
        monitor.close(self.socket, self.monitor, linger)


def _hang_up(file: int, port: int) -> None:
    """Close the TCP connection of one of ZeroMQ's files, which has no word for that: it will see a peer that left.

    The file may be another's by now; only a connection to our port is closed.
    """
    with contextlib.suppress(OSError):
        connection = socket.socket(fileno=file)
        try:
            if connection.getsockname()[1] == port:
                connection.shutdown(socket.SHUT_RDWR)
        finally:
            connection.detach()
