"""Survival curves of secret times and events, on a public grid of times.

[KM58] E. Kaplan, P. Meier, "Nonparametric Estimation from Incomplete Observations", JASA 53, 1958; variances of [Gre26]
M. Greenwood, "The natural duration of cancer", 1926. With N people, d_j events at grid time t_j and Y_j at risk before
it,

    S(t_j) = Π_{i ≤ j} (1 - d_i / Y_i)          Var S(t_j) ≈ S(t_j)² Σ_{i ≤ j} d_i / (Y_i (Y_i - d_i))

A time counts at the first grid time that is not below it; who is beyond the last one is at risk until then. Counts come
from E_j and C_j, how many had an event or were censored until t_j: sums of products of the indicators [t ≤ t_j], which
one opening under a mask gives for the whole grid. Then Y_j = N - E_(j-1) - C_(j-1).

A curve gives its counts away: of S(t_j) / S(t_(j-1)) the denominator is Y_j. So it is made of counts that may be known.
With a minimum k, all of N, E_j and C_j are rounded down to multiples of k, and are told as long as these leave 2k at
risk; Y_j, d_j and the curve follow from them in the clear. *If the number of events at a time can be one of 1 to k - 1,
it can be each of them, and so can that of people who were censored*: the sums before and after it are anywhere in
blocks of k, and while 2k are left no number of people sets a limit to both. That there was an event is told where the
rounded sum goes up. With k = 1 all is exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from smpc.array import SecretArray
from smpc.counting import at_most
from smpc.order import less_equal
from smpc.ranges import Range
from smpc.stats.categories import Categories, indicators, values_of
from smpc.stats.cells import HIDDEN
from smpc.stats.scaled import Scaled, SecretResult, column, enough, enough_rows, integers, stacked
from smpc.stats.text import number, plain, table

Reals = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Survival:
    """A curve for each group: arrays are groups × times. `minimum`: of what the counts are multiples.

    HIDDEN (-1) is in place of counts that are not told, and no number in place of what follows from them.
    """

    groups: tuple[int | str, ...]
    times: Reals
    at_risk: Counts
    events: Counts
    minimum: int = 1

    @property
    def survival(self) -> Reals:
        """Not a number where counts are not told."""
        curve = np.cumprod(1 - self.events / np.maximum(self.at_risk, 1), axis=1)
        return np.where(self.events == HIDDEN, np.nan, curve)

    @property
    def standard_error(self) -> Reals:
        """By Greenwood's formula; not a number once all have had the event."""
        left = self.at_risk * (self.at_risk - self.events)
        steps = np.divide(self.events, left, out=np.full(left.shape, np.nan), where=left > 0)
        return np.asarray(self.survival * np.sqrt(np.cumsum(np.where(self.events > 0, steps, 0), axis=1)))

    @property
    def median(self) -> Reals:
        """The first time at which half have had the event; infinite if that is not told."""
        below = self.survival <= 0.5
        return np.where(below.any(axis=1), self.times[below.argmax(axis=1)], np.inf)

    def __str__(self) -> str:
        head = ("group", "time", "at risk", "events", "survival", "std. error")
        rows = [
            (str(group), *map(number, (self.times[at], self.at_risk[row, at], self.events[row, at])), *shown)
            for row, group in enumerate(self.groups)
            for at in np.flatnonzero(self.events[row] > 0)
            for shown in [[f"{part[row, at]:.4f}" for part in (self.survival, self.standard_error)]]
        ]
        return table(head, rows)

    def to_dict(self) -> dict[str, Any]:
        names = ("at_risk", "events", "survival", "standard_error")
        curves = {
            str(group): {name: plain(getattr(self, name)[row]) for name in names}
            for row, group in enumerate(self.groups)
        }
        return {"times": self.times.tolist(), "minimum": self.minimum, "groups": curves}


@dataclass(frozen=True, eq=False)
class Counted:
    """Secret counts of each group: of people, and at each time (groups × times) how many were lost and had an event."""

    people: SecretArray
    lost: SecretArray
    happened: SecretArray


def kaplan_meier(
    times: SecretArray,
    events: SecretArray,
    grid: ArrayLike,
    group: SecretArray | None = None,
    categories: Categories = 2,
    *,
    minimum: int = 5,
) -> SecretResult[Survival]:
    """Numbers at risk, events, and from these the curve and its errors, of all people or of each group.

    grid: public times in ascending order, e.g. the ends of months. events: 1 for an event, 0 for a censored time.
    Counts are exact for a minimum of 1, and multiples of it else: see above. 12 rounds, and 20 more at most for a
    minimum; 10 bytes a person and time to each peer. Opens to all whether each group has twice the minimum of people
    (1 if that is 1), as one bit, and others as `indicators` does; raises ModelError if not.
    """
    limits, k = grid_of(grid), max(1, minimum)
    found = counted(times, events, limits, group, categories, 2 * k if k > 1 else 1)
    names = (0,) if group is None else tuple(values_of(categories))
    censored = _of_people(found.lost - found.happened, len(times))
    arrays = {"people": found.people, "happened": found.happened, "censored": censored}
    if k > 1:
        arrays = _told(*(_quotients(one, k, len(times)) for one in arrays.values()))

    def of(people: Counts, happened: Counts, censored: Counts) -> Survival:
        lost = np.pad((happened + censored)[:, :-1], ((0, 0), (1, 0)))
        told = [np.pad(happened[:, :-1], ((0, 0), (1, 0)), constant_values=0) != HIDDEN, happened != HIDDEN]
        at_risk = np.where(told[0], k * (people[:, None] - lost), HIDDEN)
        return Survival(names, limits, at_risk, np.where(told[1], k * np.diff(happened, prepend=0, axis=1), HIDDEN), k)

    return SecretResult({name: Scaled(one) for name, one in arrays.items()}, of)


def counted(
    times: SecretArray,
    events: SecretArray,
    limits: Reals,
    group: SecretArray | None,
    categories: Categories,
    least: int,
) -> Counted:
    """How many of each group there are, were lost and had an event until each time."""
    at = column(times, "times").as_numbers()
    people = len(at)
    enough_rows(people, least)
    happened = indicators(column(events, "events", people), 2)[:, 1]
    until = integers(at_most(at, limits))
    if group is None:
        everybody = integers(at.lift(np.array([people])))
        both = stacked([until.sum(axis=0), happened @ until])
        return Counted(everybody, *(_of_people(part.reshape(1, -1), people) for part in both))
    members = indicators(column(group, "the group", people), categories).T
    sizes = enough(members.sum(axis=1), least)
    rows = cast("SecretArray", np.concatenate(cast("Any", [members, members * happened])))
    counts = _of_people(cast("SecretArray", rows @ until), people)
    return Counted(sizes, counts[: len(members)], counts[len(members) :])


def grid_of(grid: ArrayLike) -> Reals:
    """Times, if they are in ascending order."""
    limits = np.asarray(grid, np.float64)
    if limits.ndim != 1 or not limits.size or not (np.diff(limits) > 0).all():
        raise ValueError("the grid is a vector of times in ascending order")
    return limits


# Inside


def _of_people(counts: SecretArray, people: int) -> SecretArray:
    """Counts, of which none is above that."""
    return integers(counts, Range(0, people))


def _quotients(counts: SecretArray, k: int, people: int) -> SecretArray:
    """⌊x / k⌋: as x ⌈2^b / k⌉ / 2^b, which is too large by less than 1 / k as x k < 2^b."""
    bits = ((people + 1) * k).bit_length()
    raised = counts * -(-(1 << bits) // k)
    whole: SecretArray = raised.new(raised.share, raised.shape, bits, raised.range).astype(np.int64)
    return whole


def _told(people: SecretArray, happened: SecretArray, censored: SecretArray) -> dict[str, SecretArray]:
    """The same where two are left at risk, HIDDEN elsewhere."""
    enough_left = integers(less_equal(happened + censored, people.reshape(-1, 1) - 2))
    events, others = (enough_left * (one - HIDDEN) + HIDDEN for one in (happened, censored))
    return {"people": people, "happened": events, "censored": others}
