"""Small cells: which counts of a table are hidden, so that those that are shown do not give them back.

The idea is that of complementary suppression, [Cox80] L. Cox, "Suppression Methodology and Statistical Disclosure
Control", JASA 75, 1980; the rule is our own. Counts c₁ … c_m of cells that no person is in twice, with a public sum n;
k is the minimum. A cell is *small* if it has fewer than k people. Zeros are small: that nobody of a group has something
says it of everybody in it, and a hidden cell known not to be empty is known to have one person at least.

    hide   all small cells; if there is one, then of the others the first, second, … in the order of the table, until
           Σ (cᵢ - (k - 1)) over hidden cells is above zero, or all are hidden

Nothing else is opened: no margins, and no statistic that knows the hidden counts. What is shown gives away n and so the
sum of what is hidden, and nothing beyond: *for a small cell, each count from 0 to k - 1 gives the same release*, if
what it has more or less is in another hidden cell (of a table where all is hidden, as far as n people suffice). For let
the first cell that is hidden without being small have it, or any cell if there is none. Small cells alone never satisfy
the rule, so that this one is hidden whatever they are; after it all sums are as they were, and so is what is hidden;
and it has not less than one person. It may have become small: then it is hidden for that.

Not guaranteed: what two releases on the same people tell together (a table and its margins, two thresholds, a table
with and without a person), or what somebody who knows other cells already concludes from the sum of the hidden ones.

All of it is computed on secret counts, with two comparisons: [cᵢ < k] and, with the sums of the rule over the small
cells and those that come before, [Aᵢ <= 0].
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from smpc.order import less, less_equal
from smpc.stats.scaled import integers

if TYPE_CHECKING:
    from smpc.array import SecretArray

HIDDEN = -1  # in place of a count


def hide(counts: SecretArray, minimum: int) -> SecretArray:
    """Counts (any shape) with HIDDEN in place of those that are not shown; as they are for a minimum of 1 or less.

    About 14 rounds; nothing is opened. The order of the table is that of its elements in C.
    """
    if minimum <= 1:
        return counts
    cells = counts.reshape(-1)
    small = integers(less(cells, minimum))
    over = cells - (minimum - 1)
    of_others = (1 - small) * over
    start = (over - of_others).sum()  # of small cells, each zero or less
    sums = start + np.cumsum(of_others) - of_others  # before each cell
    any_small = (-small.sum() + 1).reshape(1)  # zero or less, if there is one
    short = integers(less_equal(np.concatenate([sums, any_small]), 0))
    hidden = small + (1 - small) * (short[:-1] * short[-1])
    return cast("SecretArray", cells - hidden * (cells - HIDDEN)).reshape(counts.shape)
