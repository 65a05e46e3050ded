"""The gate of a party's port: which keys may connect, and as whom.

ZeroMQ's CURVE lets everybody in unless somebody answers for the keys (RFC 27, ZAP). This answers, from a
closed list, in a thread that lives exactly as long as its context: it ends when the last socket is closed.
Sockets that enforce their ZAP domain refuse everybody should it ever be dead.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping

import zmq

DOMAIN = b"smpc"

_ENDPOINT = "inproc://zeromq.zap.01"
_VERSION = b"1.0"
_REMEMBERED = 4


class Gate:
    """Answers for every key that wants to connect to a socket of `context`.

    `allowed`: the party's name for each public key (32 bytes). Frames of that connection then carry the name
    as "User-Id". `refused`: the last keys that were not let in.
    """

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], allowed: Mapping[bytes, str]) -> None:
        self._allowed = dict(allowed)
        self.refused: deque[bytes] = deque(maxlen=_REMEMBERED)
        socket = context.socket(zmq.REP)
        socket.bind(_ENDPOINT)
        threading.Thread(target=self._serve, args=(socket,), name="smpc gate", daemon=True).start()

    def _serve(self, socket: zmq.Socket[bytes]) -> None:
        try:
            while True:
                socket.send_multipart(self._answer(*socket.recv_multipart()))
        except zmq.ContextTerminated:
            pass
        finally:
            socket.close(linger=0)

    def _answer(self, *request: bytes) -> list[bytes]:
        """The reply to [version, request id, domain, address, identity, mechanism, key]."""
        number = request[1] if len(request) > 1 else b""
        name = self._name(request)
        status, text = (b"200", b"") if name else (b"400", b"unknown key")
        return [_VERSION, number, status, text, (name or "").encode(), b""]

    def _name(self, request: tuple[bytes, ...]) -> str | None:
        if len(request) != 7 or request[0] != _VERSION or request[2] != DOMAIN or request[5] != b"CURVE":
            return None
        key = request[6]
        name = self._allowed.get(key)
        if name is None and len(key) == 32 and key not in self.refused:
            self.refused.append(key)
        return name
