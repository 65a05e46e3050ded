"""Somebody between a dialler and a port, who sees every ZMTP frame and may send others; and a client of bare TCP."""

from __future__ import annotations

import contextlib
import socket
import threading
from dataclasses import dataclass, replace

from smpc import transport
from smpc.ends import Dialler

MORE, LONG, COMMAND = 1, 2, 4
GREETING_BYTES = 64
GREETING = b"\xff" + bytes(8) + b"\x7f" + b"\x03\x00" + b"PLAIN".ljust(20, b"\0") + bytes(32)


@dataclass(frozen=True)
class Frame:
    """`number`: which message of its way it is, from 0; None for a command."""

    body: bytes
    number: int | None = None
    flags: int = 0

    def bytes(self):
        if len(self.body) < 256:
            return bytes([self.flags & ~LONG, len(self.body)]) + self.body
        return bytes([self.flags | LONG]) + len(self.body).to_bytes(8, "big") + self.body

    def other(self, body):
        return replace(self, body=body)


def exactly(stream, size):
    data = b""
    while len(data) < size:
        if not (more := stream.recv(size - len(data))):
            raise ConnectionError
        data += more
    return data


def next_frame(stream):
    flags = exactly(stream, 1)[0]
    size = int.from_bytes(exactly(stream, 8 if flags & LONG else 1), "big")
    return Frame(exactly(stream, size), None, flags)


def command(name, body):
    return Frame(bytes([len(name)]) + name + body, None, COMMAND).bytes()


class Between:
    """Forwards connections to `port`; `change(way, frame)` gives what is sent instead of each frame.

    `way`: "in" to the port, "out" from it. It may raise ConnectionError to cut both sides off. `seen`: all bytes.
    """

    def __init__(self, port, change=lambda way, frame: [frame]):
        self._port, self._change = port, change
        self._server = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._server.getsockname()[1]}"
        self.seen, self.connections = b"", 0
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                dialler = self._server.accept()[0]
                self.connections += 1
                try:
                    port = socket.create_connection(("127.0.0.1", self._port), 5)
                except ConnectionRefusedError:
                    dialler.close()
                    continue
                for way in (("in", dialler, port), ("out", port, dialler)):
                    self._threads.append(threading.Thread(target=self._forward, args=way, daemon=True))
                    self._threads[-1].start()

    def _forward(self, way, source, target):
        number = 0
        with contextlib.suppress(OSError), source:
            try:
                for _ in range(GREETING_BYTES):  # in pieces, as each waits for what the other says
                    target.sendall(exactly(source, 1))
                while True:
                    frame = next_frame(source)
                    if not frame.flags & COMMAND:
                        frame, number = replace(frame, number=number), number + 1
                    self.seen += frame.body
                    for changed in self._change(way, frame):
                        target.sendall(changed.bytes())
            finally:
                with contextlib.suppress(OSError):
                    target.shutdown(socket.SHUT_RDWR)

    def detour(self, monkeypatch):
        """From now on all diallers of this process come this way."""
        address = self.address

        class Detoured(Dialler):
            def __init__(self, *who, address, key):
                super().__init__(*who, address=here(address), key=key)

        def here(real):
            return address if real.endswith(f":{self._port}") else real

        monkeypatch.setattr(transport, "Dialler", Detoured)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for thread in self._threads:
            thread.join(10)
