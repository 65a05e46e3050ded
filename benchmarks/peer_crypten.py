"""CrypTen, as `speed.py --peer crypten` runs it: a process a party, Gloo over TCP, plain links.

With a dealer: its trusted third party, a process of its own. It makes no correlated randomness without one.
Masked operands are not among what it has.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from works import BATCH, STEP, Work, arguments, batch, operands, refuse, report, spread, timed

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable


def repair() -> None:
    """Newer releases of torch have one module that it imports elsewhere; nothing of the computation is in it."""
    from torch.onnx._internal.torchscript_exporter import registration

    sys.modules["torch.onnx._internal.registration"] = registration


def computation(work: Work) -> Callable[[], Any]:
    """What is timed, on secrets of the first party."""
    import crypten
    import torch

    secrets = [crypten.cryptensor(torch.tensor(values), src=0) for values in operands(work)]
    if work.kind in ("sgd", "logistic"):
        x, y, w = secrets[0], secrets[1].unsqueeze(1), crypten.cryptensor(torch.zeros(secrets[0].size(1), 1), src=0)
        return lambda: descend(x, y, w, work)
    if work.kind == "sign":
        return lambda: secrets[0] < 0
    return lambda: secrets[0].matmul(secrets[1]) if work.kind == "matrix" else secrets[0] * secrets[1]


def descend(x: Any, y: Any, w: Any, work: Work) -> Any:
    """As `works.descend`."""
    for iteration in range(work.size):
        rows = x[batch(iteration)]
        mean = rows.matmul(w).sigmoid() if work.kind == "logistic" else rows.matmul(w)
        w = w - rows.t().matmul(mean - y[batch(iteration)]) * (STEP / BATCH)
    return w


def party(told: Namespace) -> None:
    """One of the processes; the last one is the dealer."""
    repair()
    import crypten
    import crypten.communicator as comm
    from crypten.config import cfg
    from crypten.mpc.provider import TTPServer

    cfg.mpc.provider = "TTP"
    crypten.init()
    if told.rank == told.parties:
        TTPServer()
    elif told.work.kind == "start":
        crypten.cryptensor([3.0], src=0).get_plain_text()
    else:
        measure(told, comm.get().barrier)
    crypten.uninit() if told.rank < told.parties else None
    sys.stdout.flush()
    os._exit(0)  # its threads do not always end


def measure(told: Namespace, together: Callable[[], None]) -> None:
    """All begin together; a run ends when all have their share."""
    import crypten

    compute = computation(told.work)
    last: Any = None

    def ready() -> tuple[()]:
        together()
        return ()

    def run() -> None:
        nonlocal last
        last = compute()
        together()

    with crypten.no_grad():
        seconds = timed(run, told.runs, ready)
    opened = last.get_plain_text().numpy()
    if told.rank == 0:
        report(told.work, seconds, opened)
    together()


def main() -> None:
    """Refuse, begin, or be one of the parties."""
    told = arguments()
    if told.preprocessing != "dealer" or told.work.masked or told.work.kind in ("echo", "sort"):
        refuse("has no such thing")
    if told.rank is None:
        spread(told.parties + 1, 1)
    os.environ |= {"WORLD_SIZE": str(told.parties), "RANK": str(told.rank), "DISTRIBUTED_BACKEND": "gloo"}
    os.environ |= {"RENDEZVOUS": f"tcp://127.0.0.1:{told.ports[0]}", "GLOO_SOCKET_IFNAME": "lo"}
    party(told)


if __name__ == "__main__":
    main()
