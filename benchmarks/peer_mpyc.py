"""MPyC, as `speed.py --peer mpyc` runs it: a process a party, TCP, plain links.

Most parties must be honest, so that two cannot keep a secret from each other, and there is no preprocessing: it is
compared with a dealer only. Masked operands are not among what it has.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np
from works import BATCH, FEATURES, STEP, Work, arguments, batch, operands, refuse, report, timed

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable

BITS, FRACTION_BITS = 64, 16


def prepare(mpc: Any, kind: Any, work: Work) -> Callable[[], Any]:
    """What is timed, on secrets of the first party."""

    def share(values: Any) -> Any:
        return mpc.input(kind.array(values, integral=False), senders=0)

    secrets = [share(values) for values in operands(work)]
    if work.kind == "sgd":
        y, w = secrets[1].reshape(-1, 1), share(np.zeros((FEATURES, 1)))
        return lambda: descend(secrets[0], y, w, work.size)
    if work.kind == "sign":
        return lambda: secrets[0] < 0
    return lambda: secrets[0] @ secrets[1] if work.kind == "matrix" else secrets[0] * secrets[1]


def descend(x: Any, y: Any, w: Any, iterations: int) -> Any:
    """As `works.descend`."""
    for iteration in range(iterations):
        rows = x[batch(iteration)]
        w = w - rows.T @ (rows @ w - y[batch(iteration)]) * (STEP / BATCH)
    return w


def measure(mpc: Any, told: Namespace) -> None:
    """All begin together; a run ends when all have their share."""
    mpc.run(mpc.start())
    kind, last = mpc.SecFxp(BITS, FRACTION_BITS), None
    if told.work.kind == "start":
        mpc.run(mpc.output(mpc.input(kind(3.0), senders=0)))
    else:
        compute = prepare(mpc, kind, told.work)

        async def settle(value: Any) -> None:
            await mpc.gather(value)
            await mpc.output(mpc.sum([mpc.input(kind(1), senders=rank) for rank in range(told.parties)]))

        def run() -> None:
            nonlocal last
            last = compute()
            mpc.run(settle(last))

        seconds = timed(run, told.runs)
        opened = np.array(mpc.run(mpc.output(last)), dtype=float)
        if mpc.pid == 0:
            report(told.work, seconds, opened)
    mpc.run(mpc.shutdown())


def main() -> None:
    """Refuse, or compute: the package starts the other parties itself, with the same arguments."""
    told = arguments()
    if told.parties < 3:
        refuse("two parties have no secrets from each other")
    if told.preprocessing != "dealer" or told.work.masked or told.work.kind in ("echo", "sort", "logistic"):
        refuse("has no such thing")
    if not told.others:
        sys.argv.append(f"-M{told.parties}")
    from mpyc.runtime import mpc

    measure(mpc, told)


if __name__ == "__main__":
    main()
