"""The works that `speed.py` measures, whoever does them: their data, NumPy's answer, how they are timed.

    python benchmarks/works.py WORK SIZE RUNS

prints the seconds of NumPy, which is also what the works are checked against. Nothing but NumPy is imported here, so
that the interpreters of other packages can read this file too. A package is made to do a work by a file `peer_NAME.py`,
called as `arguments` says; its last line of output is one of `report` or `refuse`.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import signal
import socket
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, sleep
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

ROWS, FEATURES, BATCH, STEP = 10_000, 100, 128, 2.0**-5
GRACE = 5.0  # seconds for the other processes of a package when the first has ended
MEBIBYTE = 2**20 if sys.platform == "darwin" else 2**10  # in units of ru_maxrss
NAMES = {
    "product": "elementwise product",
    "matrix": "matrix product",
    "sign": "sign",
    "sort": "sort",
    "sgd": "linear SGD, iterations",
    "logistic": "logistic SGD, iterations",
    "start": "start to exit",
    "echo": "a round, one element",
}


@dataclass(frozen=True)
class Work:
    """What to do. `size`: elements, rows of a square matrix, iterations, or rounds; `masked`: opened once before."""

    kind: str
    size: int
    masked: bool = False

    @property
    def name(self) -> str:
        return NAMES[self.kind] + (", masked" if self.masked else "")

    @property
    def operations(self) -> int:
        """Multiplications, comparisons, or values."""
        return self.size**3 if self.kind == "matrix" else self.size


def operands(work: Work) -> list[NDArray[np.float64]]:
    """The same for everyone. Signs are of numbers that few fraction bits hold exactly."""
    rng = np.random.default_rng(7)
    if work.kind == "product":
        return list(rng.uniform(-10, 10, (2, work.size)))
    if work.kind == "matrix":
        return list(rng.uniform(-1, 1, (2, work.size, work.size)))
    if work.kind in ("sign", "sort"):
        return [np.round(rng.uniform(-10, 10, work.size) * 256) / 256]
    x = rng.standard_normal((ROWS, FEATURES))
    weights = rng.standard_normal(FEATURES) / np.sqrt(FEATURES)
    if work.kind == "logistic":
        return [x, (4 * x @ weights + rng.logistic(size=ROWS) > 0).astype(float)]
    return [x, x @ weights + 0.05 * rng.standard_normal(ROWS)]


def plain(work: Work, values: Sequence[NDArray[np.float64]]) -> NDArray[Any]:
    """NumPy's answer."""
    if work.kind == "sign":
        return np.less(values[0], 0)
    if work.kind == "sort":
        return np.sort(values[0])
    if work.kind in ("sgd", "logistic"):
        return descend(values[0], values[1], work.size, sigma if work.kind == "logistic" else np.asarray)
    return values[0] @ values[1] if work.kind == "matrix" else values[0] * values[1]


def batch(iteration: int) -> slice:
    """The rows of an iteration; after the last whole batch comes the first again."""
    at = iteration % (ROWS // BATCH) * BATCH
    return slice(at, at + BATCH)


def sigma(z: NDArray[np.float64]) -> NDArray[np.float64]:
    """The logistic function."""
    return 1 / (1 + np.exp(-z))


def descend(
    x: NDArray[np.float64], y: NDArray[np.float64], iterations: int, mean: Callable[..., Any] = np.asarray
) -> NDArray[np.float64]:
    """Weights after so many batches; `mean`: of a linear predictor."""
    w = np.zeros(FEATURES)
    for iteration in range(iterations):
        rows = batch(iteration)
        w = w - STEP / BATCH * (x[rows].T @ (mean(x[rows] @ w) - y[rows]))
    return w


def error(work: Work, got: NDArray[Any]) -> float:
    """The largest difference to NumPy's answer."""
    expected = plain(work, operands(work)).astype(float)
    return float(np.abs(np.asarray(got, float).reshape(expected.shape) - expected).max())


def bound(work: Work, bits: int) -> float:
    """What `error` is below if numbers have that many fraction bits and operands are rounded to them.

    For SGD, whose data have fewer, it is no law but far above what rounding does and far below what a mistake does.
    """
    factors = {"product": 12, "matrix": work.size + 2, "sign": 0.0, "sort": 0.0}
    return float(factors[work.kind] * 2.0**-bits) if work.kind in factors else 2.0**-7


def timed(work: Callable[..., Any], runs: int, ready: Callable[[], Sequence[Any]] = tuple) -> list[float]:
    """Seconds of each run after one to warm up, on what `ready` makes for it outside of them."""
    seconds = []
    for _ in range(runs + 1):
        given = ready()
        started = perf_counter()
        work(*given)
        seconds.append(perf_counter() - started)
    return seconds[1:]


def median(row: Mapping[str, Any], name: str) -> float | None:
    """Seconds of one who did it."""
    seconds = row.get(name, {}).get("seconds")
    return statistics.median(seconds) if seconds else None


def peak() -> float:
    """Most memory of this process so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MEBIBYTE


# What NumPy, Python and TCP do


def baseline(work: Work, runs: int) -> list[float]:
    """Seconds of NumPy; of a bare connection for rounds, of an interpreter that imports NumPy for a start."""
    if work.kind == "start":
        command = [sys.executable, "-c", "import numpy"]
        return timed(lambda: subprocess.run(command, check=True), runs)  # noqa: S603 - this interpreter
    if work.kind == "echo":
        return [each / work.size for each in _tcp(work.size, runs)]
    values = operands(work)
    return timed(lambda: plain(work, values), runs)


def _tcp(rounds: int, runs: int) -> list[float]:
    """Both ends send eight bytes, then both wait for the other's."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        other = multiprocessing.get_context("spawn").Process(target=_dial, args=(port, rounds, runs))
        other.start()
        with server.accept()[0] as connection:
            seconds = timed(lambda: _rounds(connection, rounds), runs)
        other.join()
    return seconds


def _dial(port: int, rounds: int, runs: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        timed(lambda: _rounds(connection, rounds), runs)


def _rounds(connection: socket.socket, rounds: int) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for _ in range(rounds):
        connection.sendall(bytes(8))
        left = 8
        while left:
            left -= len(connection.recv(left))


# For other packages


def arguments() -> argparse.Namespace:
    """What a file of a package is told: `work`, `runs`, `parties`, `preprocessing`; `rank`, `ports`: see `spread`."""
    parser = argparse.ArgumentParser()
    for name in ("kind", "preprocessing"):
        parser.add_argument(f"--{name}", required=True)
    for name in ("size", "runs", "parties"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--masked", type=int, default=0)
    parser.add_argument("--rank", type=int)
    parser.add_argument("--ports", type=int, nargs="*")
    found, others = parser.parse_known_args()
    found.others = others
    found.work = Work(found.kind, found.size, bool(found.masked))
    return found


def spread(count: int, ports: int) -> None:
    """Run this program again as `count` processes that know their rank and free ports; leave when the first has."""
    given = [str(port) for port in free_ports(ports)]
    commands = [[sys.executable, *sys.argv, "--rank", str(rank), "--ports", *given] for rank in range(count)]
    processes = [subprocess.Popen(command) for command in commands]  # noqa: S603 - this program itself
    while processes[0].poll() is None and not any(process.poll() for process in processes):
        sleep(0.002)
    failed = any(process.poll() for process in processes)
    for process in processes:
        try:
            process.wait(0 if failed else GRACE)
        except subprocess.TimeoutExpired:
            process.kill()
    sys.exit(int(failed))


def free_ports(count: int) -> list[int]:
    """Ports that nobody uses now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports: list[int] = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def report(work: Work, seconds: list[float], got: Any) -> None:
    """What rank 0 says at the end."""
    print(json.dumps({"seconds": seconds, "error": error(work, got), "peak": peak()}), flush=True)


def refuse(why: str) -> None:
    """Say that this package cannot do the work, and leave."""
    print(json.dumps({"cannot": why}), flush=True)
    sys.exit(0)


def command(peer: str, python: Path, work: Work, runs: int, parties: int, preprocessing: str) -> list[str]:
    """How `peer_NAME.py` is called: see `arguments`."""
    options = {"kind": work.kind, "size": work.size, "masked": int(work.masked), "runs": runs, "parties": parties}
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    return [str(python), str(Path(__file__).with_name(f"peer_{peer}.py")), *words, "--preprocessing", preprocessing]


def peer(told: list[str], limit: float, *, whole: bool) -> dict[str, Any]:
    """Another package; `whole`: all of the process is what is timed. Its processes end with it, or at the limit."""
    begun = perf_counter()
    process = subprocess.Popen(  # noqa: S603 - the interpreter that the user named
        told, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        output, complaint = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        return {"cannot": f"takes more than {limit:.0f} s"}
    finally:
        stop(process)
    seconds = perf_counter() - begun
    answers = [line for line in output.splitlines() if line.startswith("{")]
    if process.returncode or not (answers or whole):
        return {"cannot": (complaint.strip().splitlines() or ["no answer"])[-1][:200]}
    return json.loads(answers[-1]) if answers else {"seconds": [seconds]}


def stop(process: subprocess.Popen[str]) -> None:
    """End what is left of the group that was started for this process."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    process.wait()


if __name__ == "__main__":
    kind, size, runs = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    print(json.dumps(baseline(Work(kind, size), runs)))
