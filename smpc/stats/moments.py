"""Means, variances and covariances, and a table that describes columns.

[CGL83] T. Chan, G. Golub, R. LeVeque, "Algorithms for Computing the Sample Variance", The American Statistician 37(3),
1983: squares of what differs from a mean, so that large means take no digits.

    s = Σ x                          as it was shared, exact
    m ≈ s / n                        within 2 units of y
    S = Σ (y - m)(y - m)ᵀ            exact in y, the data in as many bits as S has room for

What is opened is s and S. As n is public, these are the means and (co)variances and nothing beyond; what n divides is
divided in the clear.

Error: means are those of the shared numbers. y has b = (62 - log₂ n) / 2 bits, rounded down, for the width of a
column's bounds; where x has fewer, y is x. With u = 2^(1-b) of the width, a standard deviation is within 3u, and a
covariance within u (σ₁ + σ₂ + 5u): u is 2^-25 of the width for 1,000 rows, 2^-20 for a million.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, log2
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from smpc.array import SecretArray
from smpc.quantiles import quantile
from smpc.stats.categories import enough_of_each
from smpc.stats.scaled import (
    Numbers,
    Scaled,
    SecretResult,
    centred,
    column,
    enough_rows,
    integers,
    narrowed,
    scaled,
    stacked,
)
from smpc.stats.text import plain, rows_of, table

Columns: TypeAlias = SecretArray | Mapping[str, SecretArray]

_WORD = 62  # bits of a sum of squares


@dataclass(frozen=True, eq=False)
class Description:
    """Columns in numbers, as pandas' `describe`: an array for each, of one value a column."""

    names: tuple[str, ...]
    count: int
    mean: Numbers
    std: Numbers
    quantiles: Numbers  # quartiles × columns, with the least and the largest value around them if these are shown

    @property
    def rows(self) -> dict[str, Numbers]:
        """By pandas' labels."""
        quartiles = ("25%", "50%", "75%")
        labels = ("min", *quartiles, "max") if len(self.quantiles) > len(quartiles) else quartiles
        count = np.full(len(self.names), self.count)
        return {"count": count, "mean": self.mean, "std": self.std} | dict(zip(labels, self.quantiles, strict=True))

    def __str__(self) -> str:
        return table(("", *self.names), rows_of(self.rows))

    def to_dict(self) -> dict[str, Any]:
        return {name: {label: plain(row[at]) for label, row in self.rows.items()} for at, name in enumerate(self.names)}


@dataclass(frozen=True, eq=False)
class Covariance:
    """Means and the covariance matrix of `count` people."""

    names: tuple[str, ...]
    count: int
    mean: Numbers
    covariance: Numbers
    error: Numbers | float = 0.0  # a standard deviation of up to this may be that of a column that does not vary

    @property
    def std(self) -> Numbers:
        return np.asarray(np.sqrt(np.diag(self.covariance)))

    @property
    def correlation(self) -> Numbers:
        """Pearson's; not a number for a column that does not vary."""
        spread = np.where(self.std > self.error, self.std, np.nan)
        return np.asarray(np.clip(self.covariance / np.outer(spread, spread), -1, 1))

    @property
    def p_values(self) -> Numbers:
        """Two-sided, of each correlation, from Student's t with n - 2 degrees of freedom."""
        from scipy import special

        r, freedom = self.correlation, self.count - 2
        with np.errstate(divide="ignore"):
            t = np.abs(r) * np.sqrt(freedom / (1 - r**2))
        return np.asarray(2 * special.stdtr(freedom, -t))

    def __str__(self) -> str:
        return table(("correlation", *self.names), rows_of(dict(zip(self.names, self.correlation, strict=True))))

    def to_dict(self) -> dict[str, Any]:
        return {
            "names": list(self.names),
            "count": self.count,
            "mean": plain(self.mean),
            "covariance": plain(self.covariance),
            "correlation": plain(self.correlation),
        }


def describe(x: Columns, *, minimum: int = 5, extremes: bool = True) -> SecretResult[Description]:
    """Count, mean, standard deviation (n - 1), quartiles and extremes of each column.

    x: secret vectors by name, each with bounds of its own; or a matrix, or one vector. Error: see above; of quartiles
    that of np.quantile, u (3 + |x| u) for u = 2^-f, and none of the extremes. 4 rounds, and a sorting network's, about
    3 (log₂ n)²; of 1,000 people 250 bytes a person and column to each peer. The least and the largest value are values
    of single people: where that is too much, leave out the `extremes`. Of columns with up to three values see
    `enough_of_each`. Raises ModelError for fewer than `minimum` rows; without extremes for fewer than four times that,
    as mean and standard deviation of five people give the two that quartiles leave out.
    """
    columns = _columns(x, minimum if extremes or minimum <= 1 else 4 * minimum)
    vectors, count = list(columns.values()), _rows(columns)
    enough_of_each(vectors, minimum)
    centre, raised = deviations(vectors)
    places = [0, 0.25, 0.5, 0.75, 1] if extremes else [0.25, 0.5, 0.75]
    ordered = quantile(stacked(vectors, axis=1), places, axis=0)

    def of(total: Numbers, squares: Numbers, quantiles: Numbers) -> Description:
        return Description(tuple(map(str, columns)), count, total / count, np.sqrt(squares / (count - 1)), quantiles)

    arrays = {
        "total": _totals(vectors),
        "squares": Scaled(centre.units.square().sum(axis=0), 2 * centre.bits, 2 * raised),
        "quantiles": scaled(ordered),
    }
    return SecretResult(arrays, of)


def covariance(x: Columns, *, minimum: int = 5) -> SecretResult[Covariance]:
    """Means, covariances (n - 1) and with these the correlations of columns (see `describe`).

    Error: see above. 4 rounds at most, and 8 bytes a number to each peer, twice where data are rounded. Raises
    ModelError for fewer than `minimum` rows. Of columns with up to three values see `enough_of_each`.
    """
    columns = _columns(x, minimum)
    vectors, count = list(columns.values()), _rows(columns)
    enough_of_each(vectors, minimum, pairs=True)
    centre, raised = deviations(vectors)

    def of(total: Numbers, products: Numbers) -> Covariance:
        return Covariance(tuple(map(str, columns)), count, total / count, products / (count - 1), error)

    error = np.ldexp(4.0, np.negative(centre.bits + raised))  # of up to 3 units
    products = Scaled(centre.units.T @ centre.units, 2 * centre.bits, np.add.outer(raised, raised))
    return SecretResult({"total": _totals(vectors), "products": products}, of)


def deviations(vectors: Sequence[SecretArray]) -> tuple[Scaled, NDArray[np.int64]]:
    """What differs from the mean of each column, n × columns, in as many bits as a sum of squares has room for.

    And how many bits each column has beyond.
    """
    count = vectors[0].shape[0]
    most = (_WORD - ceil(log2(count))) // 2  # bits of the largest difference of two values
    halves = [centred(one) for one in vectors]
    widths = [one.range.largest.bit_length() for one in halves]
    raised = [max([*widths, most - 1]) - width for width in widths]  # all as wide, then rounded together
    matrix = stacked([one * 2**bits for one, bits in zip(halves, raised, strict=True)], axis=1)
    part = narrowed(matrix, most - 1)
    beyond = np.array([one.bits + more for one, more in zip(vectors, raised, strict=True)], np.int64)
    return Scaled(part.units - _mean(part.units, count, most), part.bits), beyond


def _totals(vectors: Sequence[SecretArray]) -> Scaled:
    """Σ x of each column, exact."""
    bits = np.array([one.bits for one in vectors], np.int64)
    return Scaled(stacked([integers(one.sum()) for one in vectors]), of_each=bits)


def _mean(x: SecretArray, count: int, most: int) -> SecretArray:
    """Σ x / n in whole units, within 2: times 2^k / n, rounded, which is off by half a unit for the largest sum."""
    bits = 61 - most
    total = x.sum(axis=0) * round(2**bits / count)
    return integers(total.new(total.share, total.shape, bits, total.range).rescaled(0))


def _columns(x: Columns, minimum: int) -> dict[str, SecretArray]:
    """Vectors by name; of a matrix by number."""
    if isinstance(x, SecretArray) and x.ndim in (1, 2):
        matrix = x.reshape(x.shape[0], -1)
        x = {f"{at}": matrix[:, at] for at in range(matrix.shape[1])}
    elif isinstance(x, SecretArray):
        raise ValueError(f"vectors, or a matrix with a column for each variable, not of shape {x.shape}")
    lengths = {len(one) for one in x.values()}
    if len(lengths) != 1:
        raise ValueError(f"columns of one length, not of {sorted(lengths)}")
    (rows,) = lengths
    enough_rows(rows, max(2, minimum))
    return {name: column(one, name, rows).as_numbers() for name, one in x.items()}


def _rows(columns: Mapping[str, SecretArray]) -> int:
    return len(next(iter(columns.values())))
