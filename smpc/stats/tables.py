"""Counts of people in bins and in categories, and Pearson's test of a contingency table.

[Pea00] K. Pearson, "On the criterion that a given system of deviations …", Philosophical Magazine 50, 1900: for counts
O (r × c) of n people, with sums R of rows and C of columns,

    D = n O - R Cᵀ             X² = Σ D² / (n R C) = (1/n) Σ (D / R) (D / C)         (r - 1) (c - 1) degrees of freedom

D is exact; the two quotients are between -n and n, and are divided by the power of two above n. Small counts are hidden
by the rule of smpc.stats.cells before anything is opened. From a table in which nothing is hidden, sums, expected
counts and X² are computed in the clear; from any other they are not to be had.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from smpc import counting
from smpc.array import SecretArray
from smpc.ranges import Range
from smpc.stats.categories import Categories, everybody_in, indicators, values_of
from smpc.stats.cells import HIDDEN, hide
from smpc.stats.scaled import Numbers, Scaled, SecretResult, at_bits, column, enough, enough_rows, integers, quotient
from smpc.stats.text import p_text, plain, table

Counts = NDArray[np.int64]

_PRODUCT = 60  # bits of a sum of products of the quotients, which is at most min(r, c) - 1
_MORE = 26  # bits that X² is given to, beside those that n takes


@dataclass(frozen=True, eq=False)
class Histogram:
    """How many values are in each bin, HIDDEN (-1) where that is not shown."""

    edges: NDArray[np.float64]
    counts: Counts

    def __str__(self) -> str:
        bins = [f"{low:g} to {high:g}" for low, high in zip(self.edges[:-1], self.edges[1:], strict=True)]
        return table(("", "count"), list(zip(bins, map(_shown, self.counts), strict=True)))

    def to_dict(self) -> dict[str, Any]:
        return {"edges": plain(self.edges), "counts": _listed(self.counts)}


@dataclass(frozen=True)
class ChiSquared:
    """A statistic of `count` people that has a χ² distribution if groups do not differ: Pearson's, or a log-rank's."""

    count: int
    statistic: float
    degrees_of_freedom: int

    @property
    def p_value(self) -> float:
        from scipy import special

        return float(special.chdtrc(self.degrees_of_freedom, self.statistic))

    def __str__(self) -> str:
        shown = (str(self.count), f"{self.statistic:.4g}", str(self.degrees_of_freedom), p_text(self.p_value))
        return table(("people", "χ²", "df", "p"), [shown])

    def to_dict(self) -> dict[str, Any]:
        return {name: plain(value) for name, value in (vars(self) | {"p_value": self.p_value}).items()}


@dataclass(frozen=True, eq=False)
class CrossTable:
    """How many people are in each pair of categories, HIDDEN (-1) where that is not shown."""

    rows: tuple[int | str, ...]
    columns: tuple[int | str, ...]
    counts: Counts
    people: int

    @property
    def complete(self) -> bool:
        """Whether nothing is hidden; if not, what follows is not a number."""
        return bool((self.counts != HIDDEN).all())

    @property
    def expected(self) -> NDArray[np.float64]:
        """Counts of a table with the same margins whose rows and columns are independent."""
        products = np.outer(self.counts.sum(axis=1), self.counts.sum(axis=0))
        return np.where(self.complete, products / max(1, self.people), np.nan)

    @property
    def test(self) -> ChiSquared:
        """Pearson's; not a number, too, if a row or column is empty."""
        expected = np.where(self.expected > 0, self.expected, np.nan)
        found = ((self.counts - expected) ** 2 / expected).sum()
        return ChiSquared(self.people, float(found), (len(self.rows) - 1) * (len(self.columns) - 1))

    def __str__(self) -> str:
        lines = [(str(name), *map(_shown, row)) for name, row in zip(self.rows, self.counts, strict=True)]
        text = table(("", *map(str, self.columns)), lines)
        return f"{text}\n\n{self.test}" if self.complete else text

    def to_dict(self) -> dict[str, Any]:
        return {
            "rows": list(self.rows),
            "columns": list(self.columns),
            "counts": [_listed(row) for row in self.counts],
            "expected": plain(self.expected),
            "test": self.test.to_dict(),
        }


def histogram(x: SecretArray, edges: ArrayLike, *, minimum: int = 5) -> SecretResult[Histogram]:
    """How many values are in each bin between public edges, the last one included; ±inf may be edges.

    Exact; counts are hidden as in `cells` for the minimum, and none for 1. About 20 rounds, 5 bytes a person and bin
    and more. Where the bounds of x allow values outside, opens to all one bit, whether all are inside; raises
    ModelError if not.
    """
    values = column(x, "what is counted")
    counts, found = counting.histogram(values, edges)
    low, high = values.bounds
    if low < found[0] or high > found[-1]:
        everybody_in(counts.sum(), len(values))
    limits = np.asarray(found, np.float64)
    return SecretResult({"counts": Scaled(hide(integers(counts), minimum))}, lambda counts: Histogram(limits, counts))


def crosstab(
    rows: SecretArray, columns: SecretArray, categories: tuple[Categories, Categories], *, minimum: int = 5
) -> SecretResult[CrossTable]:
    """How many people are in each pair of categories, of integer codes; and from that, if all is shown, X².

    categories: for rows and columns how many there are, 0 to k - 1, or which. Exact; counts are hidden as in `cells`
    for the minimum, and none for 1. About 20 rounds, 8 (r + c) bytes a person and some more to each peer. Opens one
    bit as `indicators` does.
    """
    counts, people = _counts(rows, columns, categories), len(rows)
    across, down = (tuple(values_of(one)) for one in categories)
    return SecretResult(
        {"counts": Scaled(hide(counts, minimum))}, lambda counts: CrossTable(across, down, counts, people)
    )


def chi2_contingency(
    rows: SecretArray, columns: SecretArray, categories: tuple[Categories, Categories], *, minimum: int = 5
) -> SecretResult[ChiSquared]:
    """Pearson's X² alone, without the table: not corrected for continuity.

    Error: r c n 2^-24 at most, in practice below √(r c n X²) 2^-27. About 35 rounds, 8 (r + c) bytes a person and some
    more to each peer. X² has so many digits that few tables share it, and who tries them all finds these: so each
    cell must have the minimum of people, and for a minimum of 1 each row and column. Opens to all whether they have,
    as one bit, and one as `indicators` does; raises ModelError if not.
    """
    counts = _counts(rows, columns, categories)
    height, width = counts.shape
    people = len(rows)
    enough_rows(people, minimum)
    above = people.bit_length()  # n < 2^above
    if minimum > 1:
        counts = enough(counts, minimum)
    margins = enough(_joined(counts.sum(axis=1), counts.sum(axis=0)), 1)
    across, down = margins[:height].reshape(-1, 1), margins[height:].reshape(1, -1)
    differences = counts * people - across * down
    bits = (_PRODUCT - (min(height, width) - 1).bit_length()) // 2
    divisors = _joined(across.spread(counts.shape), down.spread(counts.shape))
    found = quotient(_joined(differences, differences), divisors, bits - above)
    one, two = (integers(part, Range(-(1 << bits) - 4, (1 << bits) + 4)) for part in _halves(found.units))
    products = (one * two).sum()  # X² n / 2^(2 above), with twice the bits
    total = integers(products, Range(-(1 << bits), 1 << 2 * bits + (min(height, width) - 1).bit_length()))
    short = at_bits(Scaled(total, 2 * bits), min(2 * bits, above + _MORE))

    def of(statistic: Numbers) -> ChiSquared:
        found = np.ldexp(float(statistic), 2 * above) / people
        return ChiSquared(people, max(0.0, float(found)), (height - 1) * (width - 1))

    return SecretResult({"statistic": short}, of)


# Inside


def _counts(rows: SecretArray, columns: SecretArray, categories: tuple[Categories, Categories]) -> SecretArray:
    """r × c: sums of products of indicators."""
    ours = column(rows, "the codes of rows")
    others = column(columns, "the codes of columns", len(ours))
    across, down = indicators(ours, categories[0]), indicators(others, categories[1])
    return integers(cast("SecretArray", across.T @ down), Range(0, len(ours)))


def _joined(*arrays: SecretArray) -> SecretArray:
    return cast("SecretArray", np.concatenate(cast("Any", [one.reshape(-1) for one in arrays])))


def _halves(x: SecretArray) -> Sequence[SecretArray]:
    return [x[: len(x) // 2], x[len(x) // 2 :]]


def _shown(count: int) -> str:
    return "-" if count == HIDDEN else str(count)


def _listed(counts: Counts) -> list[int | None]:
    """For JSON: None for what is hidden."""
    return [None if count == HIDDEN else count for count in counts.tolist()]
