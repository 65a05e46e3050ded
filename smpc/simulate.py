"""All parties as threads of this process: for notebooks and tests. No network, no keys, no protection."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from protocols import local
from smpc.ledger import Ledger
from smpc.party import DEFAULT_FRACTION_BITS, Party
from smpc.release import Gate

R = TypeVar("R")

CHECKS = frozenset({"check: positive definite and well-conditioned"})


def simulate(
    program: Callable[[Party], R], parties: int = 3, *, fraction_bits: int = DEFAULT_FRACTION_BITS
) -> list[R]:
    """What `program` returned at each of `parties` parties, which all run in this process.

    The dealer is ideal and every party may learn every result. If parties fail, the error of the one that
    failed first is raised, or all of them as an ExceptionGroup if several failed by themselves.
    """
    names = tuple(f"party{rank}" for rank in range(parties))

    def run(protocol: local.LocalParty) -> R:
        gate = Gate(protocol, names, names, Ledger("simulation", ""), CHECKS)
        return program(Party(protocol, gate, fraction_bits))

    return local.run(parties, run)
