"""How far elementary functions are from the truth, and what they cost: a table in Markdown.

    python benchmarks/functions.py                    print it
    python benchmarks/functions.py docs/functions.md  write it
    ... --peer NAME --python PATH                     beside errors of another package, crypten, spu or mpyc

PATH is the interpreter of an environment that has the package; both options may be given several times
(`peer_functions.py` says how the package is run).

Two parties and a dealer are threads of this process; masks, and so rounding, are fresh in every run. Exact values are
in extended precision. A unit is the last place of the result, 2^-f.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from compared import Measured, comparison, wanted
from numpy.typing import NDArray
from scipy import special

from protocols import local, ring
from protocols.division import divide, reciprocal
from protocols.exponential import exp
from protocols.logarithm import log, log1p
from protocols.powers import power, real_power, way
from protocols.prg import Prg, fresh_seed
from protocols.roots import rsqrt, sqrt
from protocols.shares import Share, combine, split
from protocols.sigmoid import erf, sigmoid, tanh
from protocols.softmax import error as softmax_error
from protocols.softmax import softmax

Numbers = NDArray[Any]
POINTS = 20_000
BITS = (16, 20, 30)
HEAD = """# Elementary functions on shares

Largest errors over a grid of about 20,000 points, and the cost of a value: bytes that a party sends to each other one,
and bytes that a dealer sends to one of them. Without a dealer the parties make as much among themselves, from oblivious
transfers. A range is public: it says which x may occur, and decides what a function costs. A unit is the last place of
the result, 2^-f; relative errors are of results of 2^28 units or more. The bound is what the protocol states, in units
and, if it is relative beside, as a part of the result. Of softmax a value is one of a row of ten.

Made by `python benchmarks/functions.py docs/functions.md`, and `--peer NAME --python PATH` for each other package.

| function | f | range of x | largest error, units | relative | bound | rounds | bytes | from a dealer |
|---|---|---|---|---|---|---|---|---|
"""


class Case(NamedTuple):
    """A function, its exact values, ranges of x, the bound in units and relative, and what else is public."""

    name: str
    function: Callable[..., Share]
    exact: Callable[[Numbers], Numbers]
    ranges: tuple[tuple[float, float], ...]
    bound: Callable[[int, int, int], tuple[float, float]]
    public: dict[str, Any] = {}  # noqa: RUF012  # a tuple's default is never changed


def quotient(party: local.LocalParty, x: Share, bits: int, low: int, high: int) -> Share:
    """3/x of a secret 3."""
    three = Share(x.rank, np.full(x.shape, (3 << bits) * (x.rank == 0), np.uint64))
    return divide(party, three, x, bits, low, high, 3 << bits)


def logistic(x: Numbers) -> Numbers:
    """The logistic function."""
    return np.asarray(1 / (1 + np.exp(-x)))


def within(units: float, relative: float = 0) -> Callable[[int, int, int], tuple[float, float]]:
    """The same bound for all ranges."""
    return lambda *_: (units, relative)


def of_power(exponent: int) -> Callable[[int, int, int], tuple[float, float]]:
    """That of the way that is taken."""
    return lambda bits, low, high: (float(way(exponent, bits, low, high).error), 0)


CASES = [
    Case("1/x", reciprocal, lambda x: 1 / x, ((1, 1.9), (0.5, 8), (0.001, 1000), (-100, -0.01)), within(1.8)),
    Case("a/x, \\|a\\| ≤ 3", quotient, lambda x: 3 / x, ((0.5, 8), (0.001, 1000)), within(1.8)),
    Case("√x", sqrt, np.sqrt, ((0.5, 8), (0, 1), (0, 1000)), within(1.4, -28)),
    Case("1/√x", rsqrt, lambda x: 1 / np.sqrt(x), ((0.5, 8), (0.001, 1000)), within(1.4, -26)),
    Case("exp x", exp, np.exp, ((-1, 1), (-10, 0), (-10, 6), (-100, 6), (-10, 15)), within(1.6, -28)),
    Case("log x", log, np.log, ((0.5, 8), (0.001, 1), (0.001, 1000)), within(1.6)),
    Case("log(1 + x)", log1p, np.log1p, ((-0.5, 3), (0, 1000)), within(1.6)),
    Case("logistic", sigmoid, logistic, ((-3, 3), (-10, 10), (-100, 100)), within(1.8)),
    Case("tanh x", tanh, np.tanh, ((-3, 3), (-10, 10), (-100, 100)), within(1.8)),
    Case("erf x", erf, lambda x: special.erf(x.astype(float)), ((-3, 3), (-100, 100)), within(1.8)),
    Case("x³", power, lambda x: x**3, ((-1, 1), (-5, 5)), of_power(3), {"exponent": 3}),
    Case("x⁻²", power, lambda x: 1 / x**2, ((0.5, 8),), of_power(-2), {"exponent": -2}),
    Case("x^1.5", real_power, lambda x: x**1.5, ((0.5, 8), (0.001, 100)), within(1.6, -25.8), {"exponent": 1.5}),
    Case(
        "softmax of 10",
        softmax,
        lambda x: special.softmax(x.astype(float), axis=-1),
        ((-1, 1), (-3, 3), (-10, 10)),
        lambda bits, *_: (float(softmax_error(10, bits)), 0),
    ),
]


def measure(also: Sequence[int]) -> Iterator[Measured]:
    """Each function, number of fraction bits and range, whether it fits or not; other numbers of bits for peers."""
    for case in CASES:
        for bits in sorted({*BITS, *also}):
            for ends in case.ranges:
                yield measured(case, bits, ends)


def measured(case: Case, bits: int, ends: tuple[float, float]) -> Measured:
    """One measurement."""
    low, high = (round(end * (1 << bits)) for end in ends)
    x = grid(low, high)
    x = x[: x.size // 10 * 10].reshape(-1, 10) if case.function is softmax else x[x != 0]
    exact = case.exact(x.astype(np.longdouble) / (1 << bits)) * (1 << bits)
    key = case.function.__name__ + str(case.public.get("exponent", ""))
    found = Measured(case.name, key, bits, ends, x, exact)
    try:
        result, parties = run(case, x, bits=bits, low=low, high=high, **case.public)
    except ExceptionGroup as refused:
        if refused.split(ValueError)[1] is not None:
            raise
        return found
    sent = sum(array.nbytes for message in parties[0].sent for array in message.arrays) / x.size
    dealer = parties[0].ideal_dealer
    dealt = sum(array.nbytes for _, arrays in dealer.dealt for array in arrays) / x.size if dealer else 0
    return found._replace(result=result, costs=(parties[0].rounds, sent, dealt), bound=case.bound(bits, low, high))


def row(one: Measured) -> str:
    """A line of the table."""
    assert one.result is not None  # noqa: S101 - for mypy
    error = np.abs(one.result - one.exact)
    large = np.abs(one.exact) >= 1 << 28
    worst = float(np.max(error[large] / np.abs(one.exact[large]), initial=0))
    relative = f"2^{np.log2(worst):.1f}" if worst else ""
    cells = (one.name, one.bits, one.range, number(float(error.max())), relative)
    units, exponent = one.bound
    part = 2.0**exponent if exponent else 0
    if (error > units + part * np.abs(one.exact)).any():
        raise SystemExit(f"{one.name} from {one.range} with {one.bits} bits is not within its bound")
    bound = f"{units:.2f}, 2^{exponent:g}" if exponent else f"{units:.2f}"
    rounds, sent, dealt = one.costs
    return "| " + " | ".join(map(str, (*cells, bound, rounds, f"{sent:.0f}", f"{dealt:.0f}"))) + " |"


def run(case: Case, x: NDArray[np.int64], **public: Any) -> tuple[Numbers, list[local.LocalParty]]:
    """Results in units, and the parties."""
    shares = split(ring.from_int(x), 2, Prg(fresh_seed()))
    parties = local.parties(2)
    results = local.run_all(parties, lambda party: case.function(party, shares[party.rank], **public))
    return ring.to_int(combine(results)).astype(np.longdouble), parties


def grid(low: int, high: int) -> NDArray[np.int64]:
    """Evenly, as powers, at random."""
    random = (Prg(fresh_seed()).ring((POINTS // 4,)) % np.uint64(high - low + 1)).astype(np.int64) + low
    powers = np.exp(np.linspace(0, np.log(max(abs(low), abs(high))), POINTS // 4)).astype(np.int64)
    even = np.linspace(low, high, POINTS // 2).astype(np.int64)
    every = np.concatenate([even, powers, -powers, random, [low, high]])
    return every[(every >= low) & (every <= high)]


def number(x: float) -> str:
    """With two digits, or whole if it is large."""
    return f"{x:.2f}" if x < 100 else f"{x:,.0f}"


def main() -> None:
    """Print the table, or write it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("file", type=Path, nargs="?")
    parser.add_argument("--peer", action="append", default=[])
    parser.add_argument("--python", type=Path, action="append", default=[])
    told = parser.parse_args()
    if len(told.peer) != len(told.python):
        parser.error("each --peer needs a --python")
    every = list(measure(wanted(told.peer)))
    text = HEAD + "\n".join(row(one) for one in every if one.result is not None and one.bits in BITS) + "\n"
    if told.peer:
        text += comparison(every, dict(zip(told.peer, told.python, strict=True)))
    if told.file:
        told.file.write_text(text, encoding="utf-8")
    else:
        print(text)


if __name__ == "__main__":
    main()
