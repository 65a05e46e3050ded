"""What tests of elementary functions share: dense grids, exact values, the error in units in the last place."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from protocols import local, ring
from protocols.prg import Prg, fresh_seed
from protocols.shares import Share, combine, split

Reals = NDArray[Any]

PARTIES = [(2, "dealer"), (3, "dealer"), (5, "dealer"), (2, "ot"), (3, "ot")]


class Run(NamedTuple):
    """Results in units, as extended-precision numbers hold them without loss; and what the run cost."""

    values: Reals
    parties: list[local.LocalParty]


def run(
    function: Callable[..., Share], *operands: Any, count: int = 2, preprocessing: Any = "dealer", **public: Any
) -> Run:
    """`function` of shares of integers; fresh randomness each time, so that no rounding is a constant."""
    dealt = [split(ring.from_int(x), count, Prg(fresh_seed())) for x in operands]
    parties = local.parties(count, preprocessing=preprocessing)
    shares = local.run_all(parties, lambda p: function(p, *(each[p.rank] for each in dealt), **public))
    return Run(ring.to_int(combine(shares)).astype(np.longdouble), parties)


def grid(low: int, high: int, points: int = 10_000) -> NDArray[np.int64]:
    """Evenly, as powers where x is positive or negative, at random, and the ends with what is next to them."""
    ends = [low, low + 1, low + 2, high - 2, high - 1, high, -1, 0, 1, 2]
    powers = [1 << i for i in range(61)]
    near = [sign * power + step for power in powers for sign in (-1, 1) for step in (-1, 0, 1)]
    random = Prg(fresh_seed()).ring((points // 4,)) % np.uint64(high - low + 1)
    scale = np.exp(np.linspace(0, np.log(max(abs(low), abs(high)) + 1), points // 4)).astype(np.int64)
    even = np.linspace(low, high, points // 2).astype(np.int64)
    every = np.concatenate([even, scale, -scale, random.astype(np.int64) + low, np.array(ends + near, np.int64)])
    return np.unique(every[(every >= low) & (every <= high)])


def units(x: float, bits: int) -> int:
    """A real number in ring units."""
    return round(x * (1 << bits))


def reals(x: NDArray[np.int64], bits: int) -> Reals:
    """Ring units as extended-precision numbers."""
    return x.astype(np.longdouble) / (1 << bits)


def excess(values: Reals, exact: Reals, bits: int, relative: float = 0) -> float:
    """The largest error in units, less `relative` times the exact value."""
    exact = exact * (1 << bits)
    return float(np.max(np.abs(values - exact) - relative * np.abs(exact), initial=0))
