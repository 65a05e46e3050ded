"""The ends that a link can have here: a peer that we dial, and (`smpc.port`) our port, which peers dial.

Who dials sends the first message of a handshake (`smpc.noise`) as its credentials, which the port's gate judges, and
then one empty frame, so that the port knows where to answer. The answer is the second message. All frames after it,
both ways, are sealed under the handshake's keys, each with the next number: one that is changed, left out, repeated,
moved or not from the peer is an error, and the end of the link.

So who a frame is from is never a claim of the frame. A first message can be recorded and said again by others: on the
port a connection is a party's once a frame of it has been opened, and until then it gets nothing but an answer that
only the author of the first message can use. A connection that was up and broke is never taken up again: its peer is
`gone`, and so is the run.
"""

from __future__ import annotations

import socket
import time
from typing import Protocol

import zmq

from protocols.prg import fresh_seed
from smpc import monitor, wire
from smpc.errors import LinkError
from smpc.gate import HERE_ALREADY, LABEL
from smpc.identity import Identity
from smpc.monitor import FAILED_HANDSHAKE, NOW, Context, Socket, next_frame
from smpc.noise import Ciphers, Forged, Initiator
from smpc.sealed import LARGE, Arrived, take_in, tampered

_KEY_FAILURES = 3
_PROBE_SECONDS = 0.5
LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]")


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

    def read(self) -> tuple[str, Arrived] | None:
        """The next frame that has arrived and who it is from."""

    def send(self, peer: str, frame: wire.Frame) -> bool:
        """Hand `frame` to the network; False if there is no connection to `peer`."""

    def close(self, linger: int) -> None:
        """Close; what was sent may still leave for `linger` milliseconds."""


class Dialler:
    """A peer at `address`, which we dial; `key` is its public key as the manifest has it.

    `up`: whether it has answered our handshake, and so has that key. Raises LinkError if it cannot be dialled.
    """

    def __init__(self, context: Context, identity: Identity, me: str, peer: str, *, address: str, key: bytes) -> None:
        self.peer, self.address, self._me = peer, address, me
        self.reached = self._let_in = False
        self.gone: set[str] = set()
        self._failures = 0
        self._handshake = Initiator(LABEL, identity.secret, key)
        self._ciphers: Ciphers | None = None
        try:
            first = self._handshake.write(b"", fresh_seed())
        except Forged:
            raise LinkError(f"the public_key of {peer} in the manifest is no key: ask {peer} for it", peer) from None
        host, port = split(address)
        self.socket = context.socket(zmq.DEALER)
        configure(self.socket)
        self.socket.ipv6 = host.startswith("[")  # else by IPv4: of a name that has both, only one is tried
        self.socket.plain_username, self.socket.plain_password = LABEL, first
        self.monitor = monitor.monitor(context, self.socket)
        try:
            self.socket.connect(f"tcp://{numeric(host)}:{port}")
        except zmq.ZMQError as error:
            self.close(0)
            raise LinkError(f"{peer}'s address, {address}, cannot be dialled: {error.strerror}", peer) from None

    @property
    def up(self) -> bool:
        return self._ciphers is not None

    @property
    def missing(self) -> str:
        """What did not happen, for a peer that is not there."""
        if self.reached:
            return f"the process at {self.address} accepted connections, but none was completed"
        return f"nothing answered at {self.address}"

    def look(self) -> None:
        for event, value in monitor.events(self.monitor):
            if event == zmq.EVENT_CONNECTED:
                self.reached = True
            elif event == zmq.EVENT_HANDSHAKE_SUCCEEDED and not self._let_in:
                self._let_in = True
                self.socket.send(b"", NOW)
            elif event == zmq.EVENT_HANDSHAKE_FAILED_AUTH:
                raise self._refusal(value)
            elif event & FAILED_HANDSHAKE:
                self._failures += 1
            elif event == zmq.EVENT_DISCONNECTED and self._let_in:
                self.gone.add(self.peer)
        if self._failures >= _KEY_FAILURES and not self._let_in:
            self._failures = 0
            if _greets(self.address):  # a tunnel with nobody behind it yet hangs up, too, and is worth waiting for
                raise self._wrong_key()

    def _refusal(self, status: int) -> LinkError:
        if status == int(HERE_ALREADY):
            text = f"{self.peer} says that {self._me} is in this run already: was it started twice, or started again?"
            return LinkError(text, self.peer)
        return LinkError(
            f"{self.peer} refuses our key: is the public_key of {self._me} in {self.peer}'s manifest "
            "that of the key file used here?",
            self.peer,
        )

    def _wrong_key(self) -> LinkError:
        return LinkError(
            f"the process at {self.peer}'s address, {self.address}, does not have {self.peer}'s key: "
            "is the address right, does the same version of smpc run there, and is the public_key of "
            f"{self.peer} the one of its key file?",
            self.peer,
        )

    def refused_within(self, seconds: float) -> bool:
        """Whether the other side says that it does not know our key."""
        deadline = time.monotonic() + seconds
        while self.monitor.poll(max(0, int((deadline - time.monotonic()) * 1000))):
            if any(event == zmq.EVENT_HANDSHAKE_FAILED_AUTH for event, _ in monitor.events(self.monitor)):
                return True
        return False

    def read(self) -> tuple[str, Arrived] | None:
        while True:
            try:
                frame, torn = next_frame(self.socket)
            except zmq.Again:
                return None
            sealed = memoryview(b"") if torn else frame.buffer
            if self._ciphers is None:
                self._shake(sealed.tobytes())
                continue
            try:
                if self.gone:  # it may be of another connection, which ZeroMQ made when this one had broken: none waits
                    return self.peer, self._ciphers.receiving.open(sealed)
                return self.peer, take_in(self.peer, self._ciphers.receiving, sealed)
            except Forged:
                if self.gone:
                    return None
                raise tampered(self.peer) from None

    def _shake(self, answer: bytes) -> None:
        """The second message of the handshake. Raises LinkError: whoever is there has another key."""
        try:
            self._handshake.read(answer)
        except Forged:
            raise self._wrong_key() from None
        self._ciphers = self._handshake.split()
        del self._handshake

    def send(self, peer: str, frame: wire.Frame) -> bool:  # noqa: ARG002 - there is only this one
        if self._ciphers is None or self.gone:
            return False
        sealed = seal(self._ciphers, frame)
        try:
            self.socket.send(sealed, NOW, copy=len(sealed) < LARGE)
        except zmq.ZMQError:  # its number is used up: there is no second try
            self.gone.add(self.peer)
            return False
        return True

    def close(self, linger: int) -> None:
        # What was meant for a process that is gone must not reach its successor.
        monitor.close(self.socket, self.monitor, 0 if self.gone else linger)


def configure(end: Socket) -> None:
    """What holds for both ends: limits of size and time.

    ZMQ_IMMEDIATE is not set: it would drop what has arrived and is not read yet when the peer leaves. Nothing
    is sent before a connection is up, or once it is known to have broken.
    """
    end.maxmsgsize = wire.FRAME_LIMIT
    # No marks: what we send is one round of our own, and an end that stopped reading would answer no heartbeats.
    # How far a peer may be ahead is counted where its frames are kept.
    end.sndhwm = end.rcvhwm = 0
    end.linger = 0
    end.handshake_ivl = 3000
    end.heartbeat_ivl, end.heartbeat_timeout, end.heartbeat_ttl = 1000, 4000, 6000
    # Doubled each time. Processes that start together miss each other by a few milliseconds.
    end.reconnect_ivl, end.reconnect_ivl_max = 10, 1000


def seal(ciphers: Ciphers, frame: wire.Frame) -> wire.Buffer:
    """The frame that is sent next."""
    return ciphers.sending.seal_pieces(frame) if isinstance(frame, list) else ciphers.sending.seal(frame)


def _greets(address: str) -> bool:
    """Whether a ZeroMQ socket listens at `address`: it speaks first, with a signature of 10 bytes."""
    host, port = split(address)
    try:
        with socket.create_connection((host.strip("[]"), int(port)), _PROBE_SECONDS) as probe:
            probe.settimeout(_PROBE_SECONDS)
            signature = probe.recv(10)
    except OSError:
        return False
    return signature[:1] == b"\xff" and signature[-1:] == b"\x7f"


def split(address: str) -> tuple[str, str]:
    """Host and port."""
    host, _, port = address.rpartition(":")
    return host, port


def numeric(host: str) -> str:
    """`host`, unless that has several addresses on this machine."""
    return "127.0.0.1" if host == "localhost" else host
