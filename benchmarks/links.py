"""What encryption costs on a link: bytes a second both ways at once, and the time of a small round.

    python benchmarks/links.py [--json FILE]

Two processes on this machine over TCP. Beside our links stand a bare TCP connection, a plain ZeroMQ socket and one with
ZeroMQ's own encryption, CURVE. All are measured in turn, run after run, so that what else the machine does hits
all alike; every figure is the median of 15 runs. A round is that both send and then both wait for the other's.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import socket
import statistics
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
import zmq

from smpc import wire
from smpc.config import Manifest, parse_manifest
from smpc.identity import Identity, generate
from smpc.sealed import LARGE, Sealed
from smpc.session import open_session
from smpc.transport import Links

if TYPE_CHECKING:
    from collections.abc import Callable

RUNS = 15
BYTES = 24 * 1024**2  # each way
ROUNDS = 500  # in a run
SMALL = wire.TAG_BYTES + 8  # bytes: one ring element
NAMES = ("north", "south")
WAYS = ("tcp", "plain", "curve", "links", "session")


class Tcp:
    """A bare connection; what arrives is kept in one buffer."""

    def __init__(self, rank: int, port: int) -> None:
        if rank == 0:
            with socket.create_server(("127.0.0.1", port)) as server:
                self._socket = server.accept()[0]
        else:
            self._socket = _retried(lambda: socket.create_connection(("127.0.0.1", port)))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = memoryview(bytearray(SMALL))

    def exchange(self, frames: list[memoryview]) -> None:
        for frame in frames:
            self._socket.sendall(frame)
        left = sum(map(len, frames))
        while left:
            left -= self._socket.recv_into(self._buffer, left)


class ZeroMq:
    """A pair of sockets, plain or with CURVE."""

    def __init__(self, rank: int, port: int, server: tuple[bytes, bytes] | None) -> None:
        self._socket = zmq.Context.instance().socket(zmq.PAIR)
        self._socket.sndhwm = self._socket.rcvhwm = 0
        if server is not None:
            public, secret = server if rank == 0 else zmq.curve_keypair()
            self._socket.curve_publickey, self._socket.curve_secretkey = public, secret
            if rank == 0:
                self._socket.curve_server = True
            else:
                self._socket.curve_serverkey = server[0]
        (self._socket.bind if rank == 0 else self._socket.connect)(f"tcp://127.0.0.1:{port}")
        self._out = bytearray(BYTES)

    def exchange(self, frames: list[memoryview]) -> None:
        for frame in frames:
            self._socket.send(frame, copy=len(frame) < 2**16)
        at = 0
        for _ in frames:
            body = self._socket.recv(copy=False).buffer
            self._out[at : at + len(body)] = body
            at += len(body)


class OurLinks:
    """`smpc.transport`, without what a session adds."""

    def __init__(self, rank: int, manifest: Manifest, identity: Identity) -> None:
        self._peer = NAMES[1 - rank]
        self._links = Links(identity, NAMES[rank], manifest.parties)
        for _ in self._links.meet({self._peer: b"hello"}, 20):
            pass
        self._out = memoryview(bytearray(BYTES))

    def exchange(self, frames: list[memoryview]) -> None:
        for frame in frames:
            self._links.send(self._peer, [frame] if len(frame) >= LARGE else frame.tobytes(), "frame")
        at = 0
        for _ in frames:
            _, body = self._links.receive([self._peer], 60)
            part = self._out[at : at + len(body)]
            if isinstance(body, Sealed):
                body.open_into(part)
            else:
                part[:] = body
            at += len(body)


class OurSession:
    """`smpc.session`: a round of a protocol."""

    def __init__(self, rank: int, manifest: Manifest, identity: Identity) -> None:
        self._peer = 1 - rank
        self._session = open_session(manifest, identity, NAMES[rank], wait=20)
        self._arrays = {size: np.zeros(size // 8, np.uint64) for size in (8, BYTES)}

    def exchange(self, frames: list[memoryview]) -> None:
        array = self._arrays[8 if len(frames) == 1 else BYTES]
        self._session.exchange("round", {self._peer: [array]}, {self._peer: [array.shape]})


def party(rank: int, ports: list[int], studies: list[tuple[bytes, Identity]], server: Any, results: Any) -> None:
    """One of the two processes; the first one tells its times, by kind of link: bulk and small."""
    manifests = [parse_manifest(text, "study.toml") for text, _ in studies]
    makers: dict[str, Callable[[], Any]] = {
        "tcp": lambda: Tcp(rank, ports[0]),
        "plain": lambda: ZeroMq(rank, ports[1], None),
        "curve": lambda: ZeroMq(rank, ports[2], server),
        "links": lambda: OurLinks(rank, manifests[0], studies[0][1]),
        "session": lambda: OurSession(rank, manifests[1], studies[1][1]),
    }
    links = {way: makers[way]() for way in WAYS}
    whole = memoryview(bytes(BYTES))
    bulk = [whole[at : at + wire.CHUNK] for at in range(0, BYTES, wire.CHUNK)]
    times: dict[str, dict[str, list[float]]] = {way: {"bulk": [], "small": []} for way in WAYS}
    for run in range(RUNS + 1):  # one to warm up
        for way in WAYS[run % len(WAYS) :] + WAYS[: run % len(WAYS)]:
            small = _measured(lambda link=links[way]: link.exchange([whole[:SMALL]]), ROUNDS)
            times[way]["small"].append(small / ROUNDS)
            if way != "tcp":  # it would wait for ever: it has no queue
                times[way]["bulk"].append(_measured(lambda link=links[way]: link.exchange(bulk), 1))
    if rank == 0:
        results.put({way: {kind: many[1:] for kind, many in both.items()} for way, both in times.items()})


def _measured(work: Callable[[], None], count: int) -> float:
    started = perf_counter()
    for _ in range(count):
        work()
    return perf_counter() - started


def _retried(dial: Callable[[], socket.socket]) -> socket.socket:
    end = perf_counter() + 20
    while True:
        try:
            return dial()
        except ConnectionRefusedError:
            if perf_counter() > end:
                raise


def study(port: int, keys: list[Identity]) -> bytes:
    """A manifest of two parties without a dealer."""
    text = '[study]\nname = "links"\nprogram = "links.py:main"\n[release]\nto = ["north"]\n'
    for name, key in zip(NAMES, keys, strict=True):
        text += f'[[party]]\nname = "{name}"\npublic_key = "{key.public.hex()}"\n'
        text += f'address = "127.0.0.1:{port}"\n' if name == NAMES[0] else ""
    return text.encode()


def free_ports(count: int) -> list[int]:
    """Ports that nobody uses now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def measure() -> dict[str, dict[str, float]]:
    """Median seconds by kind of link: `bulk` for BYTES each way at once, `small` for a round."""
    spawn = multiprocessing.get_context("spawn")
    results, ports, keys = spawn.Queue(), free_ports(5), [generate(name) for name in NAMES]
    texts = [study(port, keys) for port in ports[3:]]
    server = zmq.curve_keypair()
    processes = [
        spawn.Process(target=party, args=(rank, ports[:3], [(text, keys[rank]) for text in texts], server, results))
        for rank in range(2)
    ]
    for process in processes:
        process.start()
    times = results.get(timeout=600)
    for process in processes:
        process.terminate()
    return {way: {kind: statistics.median(many) for kind, many in both.items() if many} for way, both in times.items()}


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    medians = measure()
    print(f"{'':10}{BYTES >> 20} MiB each way at once      a round of {SMALL} bytes")
    for way, both in medians.items():
        bulk = ""
        if "bulk" in both:
            share = medians["plain"]["bulk"] / both["bulk"]
            bulk = f"{both['bulk'] * 1e3:6.1f} ms  {share:4.0%} of plain"
        ratio = both["small"] / medians["plain"]["small"]
        print(f"{way:10}{bulk:30}{both['small'] * 1e6:6.0f} µs  {ratio:.2f} times plain")
    if arguments.json:
        arguments.json.write_text(json.dumps({"bytes": BYTES, "medians": medians}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
