"""The gate of a party's port: who may connect, and as whom.

Whoever dials says the first message of a handshake (`smpc.noise`) as the password of ZeroMQ's PLAIN, which is nothing
but a carrier here: it has 96 bytes that only the holder of a key can make, for one port alone. This answers for them,
from a closed list (RFC 27, ZAP), before any frame of the connection is taken, in a thread that lives exactly as long
as its context: it ends when the last socket is closed. Sockets that enforce their ZAP domain refuse everybody should
it ever be dead.

A first message that was recorded can be said again. So it lets in, and proves nothing: the port answers it with the
second one, which only its author can use. Once a party is here, nobody is let in by its name. Nothing is kept
of a message: it is the User-Id of its connection, after the party's name.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping

import zmq

from smpc.noise import FIRST_BYTES, Forged, Responder

DOMAIN = b"smpc"
LABEL = b"smpc link 1"  # the handshake's prologue; another one where links themselves change, not what they carry

# Who is refused with 400 or 500 is told so; ZeroMQ hangs up without a word where a status is none of RFC 27's.
LET_IN, UNKNOWN_KEY, HERE_ALREADY, NOT_FOR_US = b"200", b"400", b"500", b"000"

_ENDPOINT = "inproc://zeromq.zap.01"
_VERSION = b"1.0"
_REMEMBERED = 4


class Gate:
    """Answers for every key that wants to connect to a socket of `context`. `secret`: ours.

    `allowed`: the party's name for each public key (32 bytes). `here`: names that are taken. `refused`: the last
    unknown keys. `foreign`: how many said something else, or something that was not for our key.
    """

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], secret: bytes, allowed: Mapping[bytes, str]) -> None:
        self._secret, self._allowed = secret, dict(allowed)
        self.here: set[str] = set()
        self.refused: deque[bytes] = deque(maxlen=_REMEMBERED)
        self.foreign = 0
        socket = context.socket(zmq.REP)
        socket.bind(_ENDPOINT)
        threading.Thread(target=self._serve, args=(socket,), name="smpc gate", daemon=True).start()

    def hear(self, message: bytes) -> Responder:
        """Who can answer a first message, and knows who said it. Raises Forged."""
        if len(message) != FIRST_BYTES:
            raise Forged
        responder = Responder(LABEL, self._secret)
        responder.read(message)
        return responder

    @property
    def full(self) -> bool:
        """Whether all are here who may come."""
        return len(self.here) == len(self._allowed)

    def _serve(self, socket: zmq.Socket[bytes]) -> None:
        try:
            while True:
                socket.send_multipart(self._answer(*socket.recv_multipart()))
        except zmq.ContextTerminated:
            pass
        finally:
            socket.close(linger=0)

    def _answer(self, *request: bytes) -> list[bytes]:
        """The reply to [version, request id, domain, address, identity, mechanism, name, password]."""
        number = request[1] if len(request) > 1 else b""
        status, name = self._judge(request)
        user = f"{name} {request[7].hex()}".encode() if status == LET_IN else b""
        return [_VERSION, number, status, b"", user, b""]

    def _judge(self, request: tuple[bytes, ...]) -> tuple[bytes, str]:
        """A status, and the name of who asks, where that is known."""
        version, _, domain, _, _, mechanism, label, message = request if len(request) == 8 else [b""] * 8
        exact = (version, domain, mechanism, label) == (_VERSION, DOMAIN, b"PLAIN", LABEL)
        try:
            key = self.hear(message if exact else b"").initiator
        except Forged:
            self.foreign += 1
            return NOT_FOR_US, ""
        if (name := self._allowed.get(key)) is None:
            if key not in self.refused:
                self.refused.append(key)
            return UNKNOWN_KEY, ""
        return HERE_ALREADY if name in self.here else LET_IN, name
