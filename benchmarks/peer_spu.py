"""SPU, as `speed.py --peer spu` runs it: a process a party, its own RPC over TCP, plain links.

With a dealer: semi2k, where the first party makes the correlated randomness and knows all of it, as what it installs
has no third party. Without one, for two parties: Cheetah. Masked operands live within one of its compiled functions.
"""

from __future__ import annotations

import json
import os
from time import sleep
from typing import TYPE_CHECKING, Any

import numpy as np
from works import BATCH, FEATURES, ROWS, STEP, Work, arguments, operands, refuse, report, spread, timed

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable

PATIENCE = 600_000  # milliseconds


class Party:
    """A process that has met the others."""

    def __init__(self, told: Namespace) -> None:
        import spu.libspu as lib
        from spu import api

        self.lib, self.rank, self.count = lib, told.rank, told.parties
        there = lib.link.Desc()
        for rank, port in enumerate(told.ports):
            there.add_party(f"party{rank}", f"127.0.0.1:{port}")
        there.recv_timeout_ms = there.http_timeout_ms = PATIENCE
        there.connect_retry_times, there.connect_retry_interval_ms = 300, 100
        self.link = lib.link.create_brpc(there, told.rank)
        protocol = lib.ProtocolKind.SEMI2K if told.preprocessing == "dealer" else lib.ProtocolKind.CHEETAH
        config = lib.RuntimeConfig(protocol=protocol, field=lib.FieldType.FM64)
        config.beaver_type = lib.RuntimeConfig.BeaverType.TrustedFirstParty
        self.io, self.runtime = api.Io(told.parties, config), api.Runtime(self.link, config)

    def together(self) -> tuple[()]:
        """Wait for all."""
        self.link.all_gather("here")
        return ()

    def leave(self) -> None:
        """End this process. The first party, which is the one that speaks, needs nobody any more.

        At once, since its threads do not always end; but for what is sent and may still be on its way.
        """
        for rank in range(1, self.count) if self.rank == 0 else ():
            self.link.send(rank, "bye")
        if self.rank:
            self.link.recv(0)
        sleep(0.1)
        os._exit(0)

    def share(self, name: str, values: Any) -> None:
        """The first party makes the shares and sends the others theirs."""
        if self.rank == 0:
            mine, *others = self.io.make_shares(values, self.lib.Visibility.VIS_SECRET)
            for rank, share in enumerate(others, 1):
                self.link.send(rank, text(share))
        else:
            mine = self._share(self.link.recv(0).decode())
        self.runtime.set_var(name, mine)

    def open(self, name: str) -> Any:
        """The value, at all parties."""
        texts = self.link.all_gather(text(self.runtime.get_var(name)))
        return np.array(self.io.reconstruct([self._share(one) for one in texts]))

    def compiled(self, function: Callable[..., Any], names: list[str], values: list[Any]) -> Any:
        """What the runtime executes: `function` of secrets under names, the result under another."""
        from spu.utils import frontend

        secret = [self.lib.Visibility.VIS_SECRET] * len(values)
        return frontend.compile(frontend.Kind.JAX, function, values, {}, names, secret, lambda _: ["result"])[0]

    def _share(self, words: str) -> Any:
        share = self.lib.Share()
        meta, *chunks = json.loads(words)
        share.meta, share.share_chunks = bytes.fromhex(meta), [bytes.fromhex(chunk) for chunk in chunks]
        return share


def text(share: Any) -> str:
    """A share as the link can send it."""
    return json.dumps([bytes(part).hex() for part in (share.meta, *share.share_chunks)])


def function(work: Work) -> Callable[..., Any]:
    """What is compiled."""
    if work.kind == "sign":
        return lambda x: x < 0
    if work.kind == "sort":
        import jax

        return jax.numpy.sort
    if work.kind in ("sgd", "logistic"):
        return lambda x, y: descend(x, y, work)
    return lambda x, y: x @ y if work.kind == "matrix" else x * y


def descend(x: Any, y: Any, work: Work) -> Any:
    """As `works.descend`."""
    import jax

    mean = jax.nn.sigmoid if work.kind == "logistic" else jax.numpy.asarray

    def body(iteration: Any, w: Any) -> Any:
        at = iteration % (ROWS // BATCH) * BATCH
        rows = jax.lax.dynamic_slice(x, (at, 0), (BATCH, FEATURES))
        residual = mean(rows @ w) - jax.lax.dynamic_slice(y, (at,), (BATCH,))
        return w - STEP / BATCH * (rows.T @ residual)

    return jax.lax.fori_loop(0, work.size, body, jax.numpy.zeros(FEATURES))


def measure(told: Namespace) -> None:
    """All begin together; a run ends when all have their share. Compilation is not timed."""
    party, start = Party(told), told.work.kind == "start"
    values = [np.ones(1, np.float32)] if start else [values.astype(np.float32) for values in operands(told.work)]
    names = [f"x{number}" for number in range(len(values))]
    for name, value in zip(names, values, strict=True):
        party.share(name, value)
    if start:
        party.open(names[0])
    else:
        program = party.compiled(function(told.work), names, values)
        seconds = timed(lambda: (party.runtime.run(program), party.together()), told.runs, party.together)
        opened = party.open("result")
        if told.rank == 0:
            report(told.work, seconds, opened)
    party.leave()


def main() -> None:
    """Refuse, begin, or be one of the parties."""
    told = arguments()
    if told.work.masked or told.work.kind == "echo" or (told.preprocessing == "ot" and told.parties > 2):
        refuse("has no such thing")
    if told.rank is None:
        spread(told.parties, told.parties)
    measure(told)


if __name__ == "__main__":
    main()
