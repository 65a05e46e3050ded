"""What statistics are made of: exact integers, quotients with what error they state, indicators, limits."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from smpc.counting import at_most
from smpc.errors import ModelError, RangeError
from smpc.stats.categories import indicators
from smpc.stats.scaled import Scaled, at_bits, enough, narrowed, quotient
from tests.smpc.stats.joint import run


def revealed(function, *columns):
    return run(lambda *x: function(*x).reveal(), *columns).results[0]


def two(values):
    """So that the parts of two parties, one after another, are these."""
    found = np.empty_like(values)
    found[np.r_[np.arange(len(values))[0::2], np.arange(len(values))[1::2]]] = values
    return found


@pytest.mark.parametrize(("largest", "low", "high"), [(10**3, 1, 50), (2**40, 5, 10**6), (2**55, 3, 4), (7, 1, 1)])
def test_a_quotient_is_within_four_units(largest, low, high):
    random = np.random.default_rng(largest % 97)
    a, b = random.integers(-largest, largest + 1, 40), random.integers(low, high + 1, 40)

    def program(x, y):
        found = quotient(x, y, 40)
        kept = narrowed(x, 60 - (high // low).bit_length())
        return found.units.reveal(), found.bits, kept.bits

    units, bits, kept = run(program, (two(a), (-largest, largest)), (two(b), (low, high))).results[0]
    for found, one, other in zip(units.tolist(), a.tolist(), b.tolist(), strict=True):
        error = abs(found - Fraction(one, other) * Fraction(2) ** bits)
        assert error <= 4 + Fraction(2) ** max(bits - kept, bits) / other * (kept < 0)


def test_a_quotient_without_room():
    with pytest.raises(RangeError, match="has no room"):
        run(lambda x, y: quotient(x, y, -1), ([5, 6], (0, 9)), ([1, 2], (1, 2)))
    with pytest.raises(RangeError, match="tighter bounds="):
        run(lambda x: narrowed(x, 0), ([5, 6], (0, 9)))


@pytest.mark.parametrize("bits", [0, 3, 8, 12])
def test_bits_of_integers_that_stand_for_reals(bits):
    values = np.array([-3000, 0, 1, 2999])
    found = revealed(lambda x: at_bits(Scaled(x, 8), bits).units, (two(values), (-4000, 4000)))
    assert np.abs(found - values * 2.0 ** (bits - 8)).max() < 1


@pytest.mark.parametrize(("counts", "minimum", "fine"), [([5, 9], 5, True), ([4, 9], 5, False), ([0, 9], 0, False)])
def test_counts_that_are_enough(counts, minimum, fine):
    if fine:
        found = run(lambda x: enough(x, minimum), (counts, (0, 20))).results[0]
        assert found.bounds == (minimum, 20)
        return
    with pytest.raises(ModelError, match="fewer people"):
        run(lambda x: enough(x, minimum), (counts, (0, 20)))


def test_nothing_is_asked_if_bounds_say_so():
    assert run(lambda x: enough(x, 5).bounds, ([7, 8], (5, 20))).opened == []


@pytest.mark.parametrize("parties", [2, 3, 5])
@pytest.mark.parametrize(
    ("codes", "bounds", "categories"),
    [
        ([0, 1, 1, 0, 1], (0, 1), 2),
        ([True, False, False, True, True], None, 2),
        ([0, 3, 2, 2, 1], (0, 3), 4),
        ([-5, 700, 3, 3, 700], (-5, 700), [3, 700, -5]),
    ],
)
def test_indicators(parties, codes, bounds, categories):
    values = range(categories) if isinstance(categories, int) else categories
    found = run(lambda x: indicators(x, categories).reveal(), (codes, bounds), parties=parties).results[0]
    order = np.concatenate([np.arange(5)[rank::parties] for rank in range(parties)])
    np.testing.assert_array_equal(found, np.array(codes)[order, None] == np.array(list(values)))


def test_reals_are_no_codes():
    with pytest.raises(TypeError, match="no integers"):
        run(lambda x: indicators(x, 2), ([0.0, 1.0], (0, 1)))


@pytest.mark.parametrize("values", [[0.0, 1.5, 2.0, 2.25], [0, 1, 2, 3]])
def test_limits_that_values_may_reach(values):
    limits = [-1, 1.5, 2, np.inf]
    found = revealed(lambda x: at_most(x, limits), (two(np.array(values)), (0, 4)))
    np.testing.assert_array_equal(found, np.array(values)[:, None] <= np.array(limits))
