"""All parties as threads of this process: for notebooks and tests. No network, no keys, no protection."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from protocols import local
from smpc.checks import OPENED
from smpc.ledger import Ledger
from smpc.party import DEFAULT_FRACTION_BITS, Party
from smpc.release import Gate
from smpc.secret import Rounding
from smpc.vault import Vault

R = TypeVar("R")


def simulate(
    program: Callable[[Party], R],
    parties: int = 3,
    *,
    fraction_bits: int = DEFAULT_FRACTION_BITS,
    rounding: Rounding = "random",
    folder: Path | None = None,
) -> list[R]:
    """What `program` returned at each of `parties` parties, which all run in this process.

    `rounding` of products: "random", up or down and right on average, or "down", exactly, for some rounds more. The
    dealer is ideal and every party may learn every result. Raises what a party raised; if several failed in
    different ways, all of it as an ExceptionGroup. `folder`: where what they keep goes, a folder for each, under keys
    that are no secret. Raises ValueError for fewer than two parties, or for fraction bits that a study cannot have.
    """
    if parties < 2:
        raise ValueError(f"secrets are shared among at least 2 parties, not {parties}")
    if not 8 <= fraction_bits <= 30:
        raise ValueError(f"fraction_bits is from 8 to 30, not {fraction_bits}")
    names = tuple(f"party{rank}" for rank in range(parties))

    def run(protocol: local.LocalParty) -> R:
        gate = Gate(protocol, names, names, Ledger("simulation", ""), OPENED)
        vault = None if folder is None else _vault(folder / names[protocol.rank], protocol.rank, parties)
        return program(Party(protocol, gate, fraction_bits, rounding=rounding, vault=vault))

    try:
        return local.run(parties, run)
    except BaseExceptionGroup as group:
        if (cause := local.common_cause(group)) is not None:
            raise cause from None
        raise


def _vault(folder: Path, rank: int, parties: int) -> Vault:
    folder.mkdir(parents=True, exist_ok=True)
    return Vault(folder, bytes([rank]) * 32, [bytes([one]) * 32 for one in range(parties)], rank)
