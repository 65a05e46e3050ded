"""The errors of other packages beside ours, for `functions.py`: the same functions at the same points."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

PATIENCE = 1800.0  # seconds for all functions of a package


class Measured(NamedTuple):
    """A function in a range: points, exact values and ours in units, unless we refuse; rounds, bytes sent and dealt.

    `bound`: units, and the logarithm to base 2 of what is relative beside, 0 for nothing.
    """

    name: str
    key: str
    bits: int
    ends: tuple[float, float]
    x: NDArray[np.int64]
    exact: NDArray[Any]
    result: NDArray[Any] | None = None
    costs: tuple[int, float, float] = (0, 0, 0)
    bound: tuple[float, float] = (0, 0)

    @property
    def range(self) -> str:
        return f"{self.ends[0]:g} to {self.ends[1]:g}"


class Column(NamedTuple):
    """A package, in a ring of those it has, with these numbers of fraction bits, at so many points of each range."""

    title: str
    peer: str
    ring: str
    bits: tuple[int, ...]
    points: int | None = None

    def key(self, one: Measured, number: int) -> str:
        """As `peer_functions.py` knows it."""
        return f"{one.key}|{one.bits}|{self.ring}|{number}"


COLUMNS = (
    Column("CrypTen", "crypten", "", (16,)),
    Column("SPU, 64 bits", "spu", "FM64", (18, 20, 30)),
    Column("SPU, 128 bits", "spu", "FM128", (30,)),
    Column("MPyC", "mpyc", "", (16, 20, 30), 200),
)
ABOUT = {
    "crypten": "CrypTen {}: 16 fraction bits and approximations as they come, two parties.",
    "spu": """SPU {}: semi2k between two parties, approximations as they come. In FM64 with its 18 fraction bits, with
  20, and with 30, where a product of 8 or more wraps; in FM128 with 30.""",
    "mpyc": """MPyC {}: secure fixed-point numbers of 2f bits, one party (m = 1). At 200 points of each grid, so that it
  may be further off in between. Its square root is the one inside its standard deviation.""",
}
GROUPS = {
    "Quotients and roots": ("reciprocal", "quotient", "sqrt", "rsqrt"),
    "Exponentials and logarithms": ("exp", "log", "log1p"),
    "Functions that level off": ("sigmoid", "tanh", "erf"),
    "Powers": ("power3", "power-2", "real_power1.5"),
    "Softmax": ("softmax",),
}
HEAD = """
## Beside other packages

Largest errors of other packages, as they were released, at the points at which ours are measured and against the same
exact values. Points are multiples of 2^-f, without 0, handed over as float64; {moved}.
A cell has the error in units, 2^-f of its line, and as it is in brackets.

{about}

None of them is told a range, as ours is: they compute the same whatever x is, and some say for which x they are meant.
*Wrong*: at worst the error is half of the largest exact value of the range, or more. **Bold**: a smaller error than
ours at the same points, if ours is more than a unit: up to there it is the last rounding, at random in most packages,
and chance which of two is larger. `-`: has no such function or is not run with so many bits; or, of ours, refuses the
range with so many bits.
"""


def wanted(peers: Sequence[str]) -> list[int]:
    """The numbers of fraction bits that packages have."""
    return sorted({bits for column in COLUMNS if column.peer in peers for bits in column.bits})


def comparison(every: Sequence[Measured], pythons: dict[str, Path]) -> str:
    """The tables, with what is to be said about them."""
    found: dict[str, dict[str, Any]] = {}
    about, moves = [], []
    for peer, python in pythons.items():
        found[peer], said = asked(peer, python, every)
        about.append("* " + ABOUT[peer].format(said["version"]))
        moves.append(said["moved"])
    moved = "all encode them exactly" if not any(moves) else f"encoding adds up to {max(moves):.2g} u"
    columns = [column for column in COLUMNS if column.peer in pythons]
    return HEAD.format(moved=moved, about="\n".join(about)) + "".join(tables(every, columns, found))


def asked(peer: str, python: Path, every: Sequence[Measured]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The results of a package, and what it says about itself."""
    points = {
        column.key(one, number): chosen(one.x, column) / 2.0**one.bits
        for number, one in enumerate(every)
        for column in COLUMNS
        if column.peer == peer and one.bits in column.bits
    }
    with tempfile.TemporaryDirectory() as folder:
        given, results = Path(folder, "points.npz"), Path(folder, "results.npz")
        np.savez(given, **points)  # type: ignore[arg-type]  # names are of arrays
        command = [str(python), str(Path(__file__).with_name("peer_functions.py")), peer, str(given), str(results)]
        told = subprocess.run(  # noqa: S603 - the interpreter that the user named
            command, check=True, timeout=PATIENCE, stdout=subprocess.PIPE, text=True
        )
        with np.load(results) as arrays:
            return dict(arrays), json.loads(told.stdout.splitlines()[-1])


def chosen(values: NDArray[Any], column: Column) -> NDArray[Any]:
    """All, or as many as a package is given; both ends of the range are among them."""
    if column.points is None:
        return values
    return values.ravel()[np.linspace(0, values.size - 1, column.points).astype(int)]


def tables(every: Sequence[Measured], columns: Sequence[Column], found: dict[str, dict[str, Any]]) -> Iterator[str]:
    """A table for each group."""
    for title, keys in GROUPS.items():
        names = ["function", "range of x", "f", "ours", *(column.title for column in columns)]
        yield f"\n### {title}\n\n| {' | '.join(names)} |\n|{'---|' * len(names)}\n"
        for number, one in enumerate(every):
            theirs = [error(one, column, number, found[column.peer]) for column in columns]
            if one.key in keys and any(each is not None for each in theirs):
                yield line(one, columns, theirs)


def error(one: Measured, column: Column, number: int, results: dict[str, Any]) -> float | None:
    """The largest of a package in units, infinite if it raises; None if it has no such function."""
    got = results.get(column.key(one, number)) if one.bits in column.bits else None
    if got is None:
        return None
    return largest(got * 2.0**one.bits, chosen(one.exact, column)) if got.size else np.inf


def largest(got: NDArray[Any], exact: NDArray[Any]) -> float:
    """The largest difference."""
    return float(np.abs(got.ravel() - exact.ravel()).max())


def line(one: Measured, columns: Sequence[Column], theirs: Sequence[float | None]) -> str:
    """A function in a range, with some number of bits. What is smaller than ours, of more than a unit, is bold."""
    top = float(np.abs(one.exact).max())
    ours = None if one.result is None else largest(one.result, one.exact)
    cells = [one.name, one.range, str(one.bits), cell(ours, one.bits, top)]
    for column, units in zip(columns, theirs, strict=True):
        text = cell(units, one.bits, top)
        if one.result is not None and units is not None:
            same = largest(chosen(one.result, column), chosen(one.exact, column))
            text = f"**{text}**" if units < same and same > 1 else text
        cells.append(text)
    return "| " + " | ".join(cells) + " |\n"


def cell(units: float | None, bits: int, top: float) -> str:
    """An error."""
    if units is None:
        return "-"
    if not np.isfinite(units):
        return "raises" if np.isinf(units) else "NaN"
    size = f"{units * 2.0**-bits:.1e}"
    if units >= top / 2:
        return f"*wrong* ({size})"
    return (
        f"{units:.2f} ({size})" if units < 100 else f"{units:,.0f} ({size})" if units < 1e7 else f"{units:.1e} ({size})"
    )
