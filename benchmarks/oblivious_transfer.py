"""How fast parties make correlated randomness without a dealer: processes on this machine, TCP, encrypted links.

    python benchmarks/oblivious_transfer.py [--json FILE]

Two parties, each a process. Every figure is the median of five runs after one to warm up, of the slower party; bytes
are from the session's own counters. Beside the transfers stands the floor: the same message sizes with no work at all.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from protocols.beaver import Products
from protocols.binary import WordTriple
from protocols.conversion import negative
from protocols.masks import whole
from protocols.ot_pairs import connect
from protocols.ot_roy22 import NIBBLES
from protocols.prg import Prg, fresh_seed
from protocols.shares import Share
from protocols.truncation import TruncationMask
from smpc.launch import run_locally
from smpc.local_manifest import for_program
from smpc.session import Offline

if TYPE_CHECKING:
    from collections.abc import Callable

    from smpc import Party
    from smpc.session import Session

RUNS = 5
WORDS, FLIGHTS = 1 << 12, 16  # 64 transfers a word; both ways
TRIPLES, BIT_WORDS, MASKS, VALUES = 1 << 17, 1 << 16, 1 << 14, 100_000


def program(party: Party) -> dict[str, list[float]]:
    """Seconds and bytes of each work, one pair a run."""
    session: Session = party.protocol  # type: ignore[assignment]
    peers = Offline(session)
    other = 1 - session.rank
    pair = connect(peers, session.id, Prg(fresh_seed()))[other]
    zeros = np.zeros((NIBBLES, WORDS), np.uint64)
    choices = Prg(fresh_seed()).ring((WORDS,))

    def flights(*, work: bool) -> None:
        """Choices both ways, the next ones computed while these travel."""
        message = pair.choose(choices).message if work else zeros
        for _ in range(FLIGHTS):
            received = peers.post("choices", {other: [message]}, {other: [zeros.shape]})
            message = pair.choose(choices).message if work else zeros
            (corrections,) = received()[other]
            if work:
                pair.offer(corrections)

    def make(products: Products) -> None:
        session.make([products])
        for number in products.keeps():
            session.forget(number)

    share = Share(session.rank, Prg(fresh_seed()).ring((VALUES,)))
    works: dict[str, Callable[[], Any]] = {
        "floor": lambda: flights(work=False),
        "transfers": lambda: flights(work=True),
        "triples": lambda: make(Products(whole(0, (TRIPLES,), fresh=True), whole(1, (TRIPLES,), fresh=True))),
        "matrix": lambda: make(matrices(128, 100, 1)),
        "bits": lambda: session.make([WordTriple((BIT_WORDS,))]),
        "masks": lambda: session.make([TruncationMask((MASKS,), 20)]),
        "sign": lambda: negative(session, share),
    }
    return {name: measured(session, work) for name, work in works.items()}


def matrices(m: int, k: int, p: int) -> Products:
    """A triple for a product of matrices with fresh masks."""
    return Products(whole(0, (m, k), fresh=True), whole(1, (k, p), fresh=True), matrices=True)


def measured(session: Session, work: Callable[[], Any]) -> list[float]:
    """Median seconds, and bytes that this party sends."""
    work()
    seconds = []
    before = session.bytes_sent
    for _ in range(RUNS):
        started = perf_counter()
        work()
        seconds.append(perf_counter() - started)
    return [statistics.median(seconds), (session.bytes_sent - before) / RUNS]


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "bench.py").write_bytes(Path(__file__).read_bytes())
        study = folder / "study.toml"
        study.write_text(for_program("bench.py", "program", 2, "ot"), encoding="utf-8")
        _, exits = run_locally(study, {}, folder / "out")
    answers = [one.answer["returned"] for one in exits.values()]
    seconds = {name: max(answer[name][0] for answer in answers) for name in answers[0]}
    sent = {name: sum(answer[name][1] for answer in answers) for name in answers[0]}
    transfers = 64 * WORDS * FLIGHTS * 2  # each party is sender of half of them and receiver of the other half
    print(
        f"correlated transfers   {transfers / seconds['transfers'] / 1e6:8.2f} million/s"
        f"  ({seconds['transfers'] / seconds['floor']:.2f} times the messages alone)"
    )
    print(
        f"product triples        {TRIPLES / seconds['triples']:8,.0f} /s"
        f"  {sent['triples'] / TRIPLES:,.0f} bytes a triple and pair"
    )
    print(
        f"matrix 128×100 by 100×1 {12_800 / seconds['matrix']:7,.0f} products/s"
        f"  {sent['matrix'] / 12_800:,.0f} bytes a product and pair"
    )
    print(
        f"bit triples            {64 * BIT_WORDS / seconds['bits'] / 1e6:8.2f} million/s"
        f"  {8 * sent['bits'] / 64 / BIT_WORDS:.1f} bits a triple and pair"
    )
    print(
        f"truncation masks       {MASKS / seconds['masks']:8,.0f} /s"
        f"  {sent['masks'] / MASKS:,.0f} bytes a mask and pair"
    )
    print(f"sign of {VALUES:,} values {seconds['sign']:7.2f} s, randomness included")
    if arguments.json:
        arguments.json.write_text(json.dumps({"seconds": seconds, "bytes": sent}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
