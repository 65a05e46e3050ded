"""Elementary functions of another package, at the points that `functions.py --peer NAME --python PATH` hands over.

    PATH benchmarks/peer_functions.py NAME POINTS.npz RESULTS.npz

An array of points is under FUNCTION|BITS|RING|NUMBER: fraction bits, and the name of the ring where there are several.
The results, as float64, are under the same name; there is none if the package has no such function, and an empty array
if it raises. The last line of output says the version and by how many units the package's encoding has moved a point.

CrypTen: two processes, Gloo over TCP, its settings as they come. SPU: semi2k between two threads, its simulation, its
settings as they come but for the number of fraction bits; JAX with 64 bits, so that no point is rounded to float32.
MPyC: one process, m = 1, secure fixed-point numbers of 2f bits, as its documentation wants where there are divisions.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from works import spread

Reals = NDArray[np.float64]
Function = Callable[[Any, Any], Any]  # of x, and of as many threes


class Job(NamedTuple):
    """Points, and what is wanted of them."""

    name: str
    function: str
    bits: int
    ring: str
    x: Reals


class Answers:
    """What has been computed so far."""

    def __init__(self) -> None:
        self.results: dict[str, Reals] = {}
        self.moved = 0.0

    def encoded(self, job: Job, opened: Any) -> None:
        """The points, as the package holds them."""
        self.moved = max(self.moved, float(np.abs(real(opened) - job.x.ravel()).max()) * 2**job.bits)

    def compute(self, job: Job, function: Callable[[], Any]) -> None:
        """Call it; a package that raises has no result."""
        try:
            self.results[job.name] = real(function())
        except Exception as error:  # noqa: BLE001 - whatever another package raises
            print(f"{job.name}: {error!r}"[:300], file=sys.stderr, flush=True)
            self.results[job.name] = np.empty(0)


def real(values: Any) -> Reals:
    """A flat array."""
    return np.asarray(values, dtype=np.float64).ravel()


def crypten(jobs: list[Job], told: argparse.Namespace) -> Answers:
    """One of two processes."""
    if told.rank is None:
        spread(2, 1)
    os.environ |= {"WORLD_SIZE": "2", "RANK": str(told.rank), "DISTRIBUTED_BACKEND": "gloo"}
    os.environ |= {"RENDEZVOUS": f"tcp://127.0.0.1:{told.ports[0]}", "GLOO_SOCKET_IFNAME": "lo"}
    from peer_crypten import repair

    repair()
    import crypten as package
    import torch

    package.init()
    functions: dict[str, Function] = {
        "reciprocal": lambda x, _: x.reciprocal(),
        "quotient": lambda x, three: three / x,
        "sqrt": lambda x, _: x.sqrt(),
        "rsqrt": lambda x, _: x.inv_sqrt(),
        "exp": lambda x, _: x.exp(),
        "log": lambda x, _: x.log(),
        "sigmoid": lambda x, _: x.sigmoid(),
        "tanh": lambda x, _: x.tanh(),
        "erf": lambda x, _: x.erf(),
        "power3": lambda x, _: x.pow(3),
        "power-2": lambda x, _: x.pow(-2),
        "real_power1.5": lambda x, _: x.pos_pow(1.5),
        "softmax": lambda x, _: x.softmax(-1),
    }

    def secret(values: Reals) -> Any:
        return package.cryptensor(torch.tensor(values), src=0)

    def opened(value: Any) -> Reals:  # what it opens itself is rounded to float32
        return value.reveal().numpy().astype(np.float64) / 2**16

    answers = Answers()
    with package.no_grad():
        for job in jobs:
            if function := functions.get(job.function):
                x, three = secret(job.x), secret(np.full_like(job.x, 3))
                answers.encoded(job, opened(x))
                answers.compute(job, lambda: opened(function(x, three)))  # noqa: B023 - called at once
    return answers


def spu(jobs: list[Job], _: argparse.Namespace) -> Answers:
    """Two threads for each function."""
    import jax
    import spu.libspu as lib
    from spu.utils import simulation

    jax.config.update("jax_enable_x64", True)
    functions: dict[str, Function] = {
        "reciprocal": lambda x, _: 1 / x,
        "quotient": lambda x, three: three / x,
        "sqrt": lambda x, _: jax.numpy.sqrt(x),
        "rsqrt": lambda x, _: jax.lax.rsqrt(x),
        "exp": lambda x, _: jax.numpy.exp(x),
        "log": lambda x, _: jax.numpy.log(x),
        "log1p": lambda x, _: jax.numpy.log1p(x),
        "sigmoid": lambda x, _: jax.nn.sigmoid(x),
        "tanh": lambda x, _: jax.numpy.tanh(x),
        "erf": lambda x, _: jax.scipy.special.erf(x),
        "power3": lambda x, _: x**3,
        "power-2": lambda x, _: x**-2,
        "real_power1.5": lambda x, _: x**1.5,
        "softmax": lambda x, _: jax.nn.softmax(x, axis=-1),
    }
    answers = Answers()
    for job in jobs:
        config = lib.RuntimeConfig(protocol=lib.ProtocolKind.SEMI2K, field=getattr(lib.FieldType, job.ring))
        config.fxp_fraction_bits = job.bits
        simulator = simulation.Simulator(2, config)

        def secretly(function: Function, x: Reals, simulator: Any = simulator) -> Any:
            return simulation.sim_jax(simulator, function)(x, np.full_like(x, 3))

        answers.encoded(job, secretly(lambda x, _: x, job.x))
        if function := functions.get(job.function):
            answers.compute(job, lambda: secretly(function, job.x))  # noqa: B023 - called at once
    return answers


def mpyc(jobs: list[Job], _: argparse.Namespace) -> Answers:
    """One party. Its square root is that of its standard deviation; negative powers are not of fixed-point numbers."""
    sys.argv = sys.argv[:1]
    from mpyc import statistics
    from mpyc.runtime import mpc

    functions: dict[str, Function] = {
        "reciprocal": lambda x, _: 1 / x,
        "quotient": lambda x, three: three / x,
        "sqrt": lambda x, _: [statistics._fsqrt(one) for one in x],  # noqa: SLF001 - a name of its own it has not
        "power3": lambda x, _: x**3,
    }
    answers = Answers()
    mpc.run(mpc.start())
    for job in jobs:
        if function := functions.get(job.function):
            kind = mpc.SecFxp(2 * job.bits, job.bits)
            x, three = (
                mpc.input(kind.array(values, integral=False), senders=0) for values in (job.x, np.full_like(job.x, 3))
            )
            answers.encoded(job, mpc.run(mpc.output(x)))
            answers.compute(job, lambda: mpc.run(mpc.output(function(x, three))))  # noqa: B023 - called at once
    mpc.run(mpc.shutdown())
    return answers


def read(path: Path) -> Iterator[Job]:
    """The points of a file."""
    with np.load(path) as arrays:
        for name in arrays.files:
            function, bits, ring, _ = name.split("|")
            yield Job(name, function, int(bits), ring, arrays[name])


def main() -> None:
    """Compute all, write it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("name", choices=("crypten", "spu", "mpyc"))
    parser.add_argument("points", type=Path)
    parser.add_argument("results", type=Path)
    parser.add_argument("--rank", type=int)
    parser.add_argument("--ports", type=int, nargs="*")
    told = parser.parse_args()
    answers = {"crypten": crypten, "spu": spu, "mpyc": mpyc}[told.name](list(read(told.points)), told)
    if not told.rank:
        np.savez(told.results, **answers.results)  # type: ignore[arg-type,unused-ignore]  # names are of arrays
        print(json.dumps({"version": importlib.metadata.version(told.name), "moved": answers.moved}), flush=True)
    sys.stderr.flush()
    os._exit(0)  # threads of some do not always end


if __name__ == "__main__":
    main()
