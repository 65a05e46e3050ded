"""What a model's features stand for: columns, indicators of levels, and products of such.

A category of k levels has k - 1 indicators, `sex[male]`; the first level is the reference. `age:bmi` is the product of
two columns, or of more; with a category among them there is one for each indicator. All is formed at the owner, so that
of a study whose columns are split the factors of a product belong to one party.
"""

from __future__ import annotations

from functools import reduce
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from smpc.sections import Column

    Reals = NDArray[np.float64]

TIMES = ":"


class Factor(NamedTuple):
    """A column, or the indicator of one of its levels."""

    column: str
    level: int | None
    name: str
    range: tuple[float, float]

    def of(self, columns: Mapping[str, Reals]) -> Reals:
        values = columns[self.column]
        return values if self.level is None else (values == self.level).astype(np.float64)


class Term(NamedTuple):
    """A product of factors; most often of one."""

    factors: tuple[Factor, ...]

    @property
    def name(self) -> str:
        return TIMES.join(factor.name for factor in self.factors)

    @property
    def range(self) -> tuple[float, float]:
        """The least interval that holds all products."""
        return reduce(_times, (factor.range for factor in self.factors))

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(factor.column for factor in self.factors)

    def of(self, columns: Mapping[str, Reals]) -> Reals:
        """Its values, from those of all columns that it needs."""
        return reduce(np.multiply, [factor.of(columns) for factor in self.factors])


def columns_of(feature: str, declared: Mapping[str, Column]) -> tuple[str, ...]:
    """The columns that a feature is made of."""
    return (feature,) if feature in declared else tuple(feature.split(TIMES))


def terms(features: Sequence[str], declared: Mapping[str, Column]) -> list[Term]:
    """The terms of all features, in their order."""
    return [
        Term(chosen)
        for feature in features
        for chosen in product(*(_factors(name, declared[name]) for name in columns_of(feature, declared)))
    ]


def _factors(name: str, column: Column) -> list[Factor]:
    if column.type != "category":
        return [Factor(name, None, name, column.range or (0.0, 1.0))]
    levels = list(enumerate(column.levels))[1:]
    return [Factor(name, code, f"{name}[{level}]", (0.0, 1.0)) for code, level in levels]


def _times(one: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    ends = [a * b for a in one for b in other]
    return min(ends), max(ends)
