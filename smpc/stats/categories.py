"""Which category a secret code is, as indicators, and whether enough people are in each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias, cast

import numpy as np

from protocols.relations import equal_each
from smpc.array import SecretArray
from smpc.checks import IN_CATEGORIES
from smpc.counting import one_hot
from smpc.operands import unsupported
from smpc.order import equal
from smpc.ranges import WORD_BITS, Range
from smpc.secret import Secret
from smpc.stats.scaled import enough, integers, stacked

Categories: TypeAlias = int | Sequence[int]

_FEW = 3


def values_of(categories: Categories) -> list[int]:
    """k stands for 0 to k - 1. Raises ValueError for no category, and for one that is there twice."""
    values = list(range(categories)) if isinstance(categories, int) else [int(one) for one in categories]
    if not values or len(set(values)) < len(values):
        raise ValueError(f"categories are different integers, at least one: not {categories}")
    return values


def indicators(codes: SecretArray, categories: Categories) -> SecretArray:
    """n × k: 1 where a code is that category, else 0.

    None to 6 rounds. Where the bounds of the codes allow others than the categories, opens to all one bit, whether
    each code is in one; raises ModelError if not.
    """
    values = values_of(categories)
    if codes.bits:
        raise TypeError(unsupported("categories of what are no integers"))
    codes = integers(codes)
    within = codes.range
    if values == [0, 1] and within.low >= 0 and within.high <= 1:
        return stacked([1 - codes, codes], axis=codes.ndim)
    if values == list(range(len(values))) and within.low >= 0 and within.high < len(values):
        return integers(one_hot(codes, len(values)))
    farthest = Range(within.low - max(values), within.high - min(values))
    codes.held(farthest, WORD_BITS, lambda: f"the difference of codes within {codes.bounds} and their categories")
    share = equal_each(codes.party.protocol, codes.share, values, max(1, farthest.largest.bit_length()))
    shape = (*codes.shape, len(values))
    found = codes.new(share.reshape(*shape), shape, 0, Range(0, 1))
    if within.high - within.low >= len(values) or not {*range(within.low, within.high + 1)} <= {*values}:
        everybody_in(found.sum(), len(codes))
    return found


def of_codes(x: SecretArray) -> bool:
    """Whether the bounds of x allow up to three integers."""
    return not x.bits and x.range.high - x.range.low < _FEW


def enough_of_each(columns: Sequence[SecretArray], minimum: int, *, pairs: bool = False) -> None:
    """Of columns whose moments are told: that of each code enough people have it, and of each pair of codes if `pairs`.

    The mean of a column of 0 and 1 is a count, mean and variance of one with three values are three counts, and the
    covariance of two columns of 0 and 1 is a table. So integers with bounds that allow up to three values are counted,
    and it is opened to all whether each count is the minimum or more, as one bit; nothing if there are no such
    columns. Raises ModelError if not.
    """
    codes = [one for one in columns if of_codes(one)]
    if minimum <= 1 or not codes:
        return
    values = [list(range(one.range.low, one.range.high + 1)) for one in codes]
    each = [indicators(one, known) for one, known in zip(codes, values, strict=True)]
    members = cast("SecretArray", np.concatenate(cast("Any", each), axis=1))
    if not pairs:
        enough(members.sum(axis=0), minimum)
        return
    of = np.repeat(np.arange(len(codes)), [len(one) for one in values])
    row, column = np.nonzero(np.triu((of[:, None] != of) | np.eye(len(of), dtype=bool)))
    enough(cast("SecretArray", members.T @ members)[row, column], minimum)


def everybody_in(counted: Secret, people: int) -> None:
    """Opens to all whether so many people are counted. Raises ModelError if not."""
    counted.party.require(IN_CATEGORIES, 1 - equal(counted, people).share)
