"""Studies with statistics: the programs that a manifest names by `model`, so that an analyst writes no code.

    summary    each column described; frequencies of categories; correlations of numbers
    crosstab   two categories against each other, with Pearson's test
    compare    a number in two groups: Welch's t-test
    survival   curves by Kaplan and Meier, of all or of groups
    logrank    the log-rank test of groups; curves and test together would tell small counts

Rows are split: each party shares its own columns, and what is computed on is everybody's. Counts below [release]
minimum_cell are hidden inside the computation; see docs/statistics.md.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np

from smpc import stats
from smpc.result_statistics import Results
from smpc.stats.scaled import SecretResult
from smpc.stats.text import table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from smpc.array import SecretArray
    from smpc.config import Manifest
    from smpc.party import Party
    from smpc.stats.tables import Histogram


T = TypeVar("T")
R = TypeVar("R")


def program(manifest: Manifest) -> Callable[[Party], Results | None]:
    """The program of a study whose model is a statistic."""
    kinds = {
        "summary": _summary,
        "crosstab": _crosstab,
        "compare": _compare,
        "survival": _survival,
        "logrank": _logrank,
    }
    kind = kinds[str(manifest.study.model)]

    def run(party: Party) -> Results | None:
        found = {name: part.reveal() for name, part in kind(manifest, _Everybody(manifest, party)).items()}
        if any(part is None for part in found.values()):
            return None
        return Results(found)

    return run


@dataclass(frozen=True)
class Frequencies:
    """How many people have each level of a category; HIDDEN where that is not shown."""

    levels: Sequence[str | int]
    counts: NDArray[np.int64]

    def __str__(self) -> str:
        shown = ["-" if count == stats.HIDDEN else str(count) for count in self.counts.tolist()]
        return table(("", "count"), list(zip(map(str, self.levels), shown, strict=True)))

    def to_dict(self) -> dict[str, int | None]:
        """By level; None for what is hidden."""
        counts = (None if count == stats.HIDDEN else count for count in self.counts.tolist())
        return dict(zip(map(str, self.levels), counts, strict=True))


class _Everybody:
    """The columns of all parties together."""

    def __init__(self, manifest: Manifest, party: Party) -> None:
        self._manifest, self._party = manifest, party

    def __call__(self, name: str) -> SecretArray:
        """⟨A column⟩: whole numbers and categories as integers."""
        party, declared = self._party, self._manifest.columns[name]
        bounds = party.bounds(name)
        own: Any = None
        if party.data is not None:
            own = party.data.columns[name]
            own = own if declared.type == "number" else own.astype(np.int64)
        parts = [party.share(own if party.rank == rank else None, rank, bounds) for rank in range(party.count)]
        return cast("SecretArray", np.concatenate(cast("Any", parts)))

    def levels(self, name: str) -> tuple[str | int, ...]:
        return self._manifest.columns[name].levels


def _told(found: SecretResult[T], as_: Callable[[T], R]) -> SecretResult[R]:
    """The same, read in another way."""
    return SecretResult(found.arrays, lambda **opened: as_(found.of(**opened)))


def _summary(manifest: Manifest, everybody: _Everybody) -> dict[str, Any]:
    features, minimum = manifest.study.features, manifest.release.minimum_cell
    categories = [name for name in features if manifest.columns[name].levels]
    numbers = {name: everybody(name) for name in features if name not in categories}
    found: dict[str, Any] = {}
    if numbers:
        found["numbers"] = stats.describe(numbers, minimum=minimum, extremes=False)
    if len(numbers) > 1:
        found["correlations"] = stats.covariance(numbers, minimum=minimum)
    for name in categories:
        levels = everybody.levels(name)
        counts = stats.histogram(everybody(name), np.arange(len(levels) + 1) - 0.5, minimum=minimum)
        found[name] = _told(counts, partial(_frequencies, levels))
    return found


def _frequencies(levels: Sequence[str | int], found: Histogram) -> Frequencies:
    return Frequencies(levels, found.counts)


def _crosstab(manifest: Manifest, everybody: _Everybody) -> dict[str, Any]:
    rows, columns = manifest.study.features
    across, down = everybody.levels(rows), everybody.levels(columns)
    shape = len(across), len(down)
    found = stats.crosstab(everybody(rows), everybody(columns), shape, minimum=manifest.release.minimum_cell)
    return {f"{rows} by {columns}": _told(found, lambda table: replace(table, rows=across, columns=down))}


def _compare(manifest: Manifest, everybody: _Everybody) -> dict[str, Any]:
    target, (group,) = manifest.study.target, manifest.study.features
    found = stats.ttest_ind(everybody(target), everybody(group), minimum=manifest.release.minimum_cell)
    first, second = manifest.columns[group].levels
    return {f"{target}, {group} {second} less {first}": found}


def _survival(manifest: Manifest, everybody: _Everybody) -> dict[str, Any]:
    study, minimum = manifest.study, manifest.release.minimum_cell
    times, events = everybody(study.time), everybody(study.target)
    if not study.features:
        return {"survival": stats.kaplan_meier(times, events, study.grid, minimum=minimum)}
    (group,) = study.features
    groups, levels = everybody(group), everybody.levels(group)
    count = len(levels)
    curves = stats.kaplan_meier(times, events, study.grid, groups, count, minimum=minimum)
    return {f"survival by {group}": _told(curves, lambda found: replace(found, groups=levels))}


def _logrank(manifest: Manifest, everybody: _Everybody) -> dict[str, Any]:
    study, (group,) = manifest.study, manifest.study.features
    times, events, groups = everybody(study.time), everybody(study.target), everybody(group)
    count, minimum = len(everybody.levels(group)), manifest.release.minimum_cell
    return {f"survival by {group}": stats.logrank(times, events, groups, study.grid, count, minimum=minimum)}
