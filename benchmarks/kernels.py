"""How fast matrices of words are multiplied mod 2^64, beside the same product of float64.

    OPENBLAS_NUM_THREADS=1 python benchmarks/kernels.py [--json FILE]

One thread, so that all columns are work and not cores. Every figure is the least processor time of seven runs after
one to warm up, the kinds in turn. Five products of floating point are what the way by limbs cannot do without. The
compiled way is there with numba and AVX-512 only, and a process takes it after some 2·10⁹ multiplications. First comes
what loading it takes, or compiling it where no earlier process did.
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from time import process_time
from typing import TYPE_CHECKING

import numpy as np

from protocols import compiled, matrices, ring
from protocols.prg import Prg, fresh_seed

if TYPE_CHECKING:
    from collections.abc import Callable

RUNS = 7
LEAST = 0.02  # seconds of a run: short products are repeated
SHAPES = (
    (64, 64, 64),
    (256, 256, 256),
    (512, 512, 512),
    (1024, 1024, 1024),
    (2048, 2048, 2048),
    (10_000, 100, 10),
    (100, 10_000, 10),
    (128, 100, 1),
    (10_000, 100, 1),
    (1000, 1000, 8),
    (1, 1000, 1000),
    (10_000, 100, 100),
    (100, 10_000, 100),
)


def measured(*works: Callable[[], object]) -> list[float]:
    """The least seconds of each work."""
    counts = [max(1, round(LEAST / seconds(work, 1))) for work in works]
    runs = [[seconds(work, count) for work, count in zip(works, counts, strict=True)] for _ in range(RUNS)]
    return [min(column) for column in zip(*runs, strict=True)]


def seconds(work: Callable[[], object], count: int) -> float:
    """What one of `count` calls takes."""
    started = process_time()
    for _ in range(count):
        work()
    return (process_time() - started) / count


def row(m: int, k: int, p: int) -> dict[str, float | str]:
    """The figures of one shape."""
    words = Prg(fresh_seed())
    a, b = words.ring((m, k)), words.ring((k, p))
    x, y = ring.to_int(a) / 2**63, ring.to_int(b) / 2**63
    works = [lambda: without(a, b), lambda: x @ y]
    multiply = compiled.kernel() if matrices.dense(m, k, p, matrices.COMPILED) else None
    if multiply:
        works.append(lambda: compiled.add_product(multiply, np.zeros((m, p), np.uint64), a, b))
    ours, floats, *fast = measured(*works)
    way = "limbs" if matrices.dense(m, k, p, matrices.DENSE) else "loop"
    one = {"shape": f"{m}×{k}×{p}", "seconds": ours, "float seconds": floats, "products": m * k * p, "way": way}
    return one | ({"compiled seconds": fast[0]} if fast else {})


def without(a: ring.RingArray, b: ring.RingArray) -> ring.RingArray:
    """a @ b as it comes where there is no kernel."""
    known, matrices.COMPILED = matrices.COMPILED, math.inf
    try:
        return ring.matmul(a, b)
    finally:
        matrices.COMPILED = known


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    started = process_time()
    loaded = compiled.kernel()
    print("compiled kernel:", f"{process_time() - started:.2f} s to load" if loaded else "none")
    print(
        f"{'shape':>16} {'ms':>9} {'10^9 products/s':>16} {'float64 ms':>11} {'times float64':>14}  way"
        f" {'compiled ms':>14} {'times float64':>14}"
    )
    rows = []
    for shape in SHAPES:
        one = row(*shape)
        rows.append(one)
        ours, floats, products = (float(one[name]) for name in ("seconds", "float seconds", "products"))
        print(
            f"{one['shape']:>16} {1e3 * ours:9.3f} {products / ours / 1e9:16.2f} {1e3 * floats:11.3f}"
            f" {ours / floats:14.1f}  {one['way']:5}"
            + (f" {1e3 * fast:12.3f} {fast / floats:14.1f}" if (fast := float(one.get("compiled seconds", 0))) else "")
        )
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
