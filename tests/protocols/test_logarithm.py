"""Logarithms: 1.6 units in the last place over all of a range."""

from decimal import Decimal

import numpy as np
import pytest

from protocols.logarithm import log, log1p, scaled_log
from tests.protocols.elementary import PARTIES, excess, grid, reals, run, units

UNITS = 1.6
RANGES = [(1, 1.9), (1, 2), (0.0625, 0.9375), (0, 1), (0.001, 1000), (0, 30), (2, 7)]


def test_the_logarithm_of_a_number():
    result = run(log, [units(np.e, 20)], bits=20, low=1, high=units(100, 20))
    assert abs(result.values[0] - units(1, 20)) <= UNITS


@pytest.mark.parametrize("bits", [16, 20, 30])
@pytest.mark.parametrize("ends", RANGES)
def test_logarithms_over_a_dense_grid(bits, ends):
    low, high = (units(end, bits) for end in ends)
    x = grid(low, high)
    result = run(log, x, bits=bits, low=low, high=high)
    exact = np.log(np.where(x == 0, 0.5, x).astype(np.longdouble) / (1 << bits))
    assert excess(result.values, exact, bits) <= UNITS


@pytest.mark.parametrize("bits", [16, 20])
def test_logarithms_of_large_numbers(bits):
    x = grid(1, 1 << 60)
    result = run(log, x, bits=bits, low=1, high=1 << 60)
    assert excess(result.values, np.log(reals(x, bits)), bits) <= UNITS


@pytest.mark.parametrize(("f", "k"), [(30, 40), (29, 50), (28, 50)])
def test_the_least_of_one_cell_and_a_hundred_masks_each(f, k):
    """high = 16 low, x of more than 34 bits: of all mantissas those with most rounded off."""
    low, high = 1 << k, 1 << k + 4
    x = np.tile(np.linspace(low, low + low // 16, 1000).astype(np.int64), 100)
    result = run(log, x, bits=f, low=low, high=high)
    assert excess(result.values, np.log(reals(x, f)), f) <= UNITS


@pytest.mark.parametrize("bits", [16, 20, 30])
@pytest.mark.parametrize("ends", [(-0.5, 3), (-0.01, 0.01), (-0.999, 20), (0, 30)])
def test_log1p_over_a_dense_grid(bits, ends):
    low, high = (units(end, bits) for end in ends)
    x = grid(low, high)
    result = run(log1p, x, bits=bits, low=low, high=high)
    assert excess(result.values, np.log1p(reals(x, bits)), bits) <= UNITS


@pytest.mark.parametrize(("count", "preprocessing"), PARTIES)
def test_any_number_of_parties_with_and_without_a_dealer(count, preprocessing):
    low, high = units(0.1, 20), units(9, 20)
    x = grid(low, high, 40)
    result = run(log, x, count=count, preprocessing=preprocessing, bits=20, low=low, high=high)
    assert excess(result.values, np.log(reals(x, 20)), 20) <= UNITS


def test_a_factor_costs_nothing():
    x = grid(1, units(50, 20))
    factor = 1 / Decimal(10).ln()
    result = run(lambda p, s: scaled_log(p, s, 20, 1, units(50, 20), factor, 24), x)
    assert excess(result.values, np.log10(reals(x, 20)), 24) <= 1.3


@pytest.mark.parametrize(("ends", "rounds"), [((1, 1.5), 5), ((1, 16), 7), ((0.25, 5), 12), ((0, 2.0**20), 13)])
def test_rounds_depend_on_the_range(ends, rounds):
    low, high = (units(end, 20) for end in ends)
    result = run(log, [high], bits=20, low=low, high=high)
    assert {party.rounds for party in result.parties} == {rounds}


@pytest.mark.parametrize("shape", [(0,), (2, 0), (2, 3)])
def test_shapes_are_kept(shape):
    for low in (1, 1 << 19):
        assert run(log, np.full(shape, 1 << 20), bits=20, low=low, high=1 << 21).values.shape == shape


@pytest.mark.parametrize(("low", "high"), [(-1, 5), (0, 0), (5, 4)])
def test_a_range_that_is_not_positive_is_refused(low, high):
    with pytest.raises(ExceptionGroup) as refused:
        run(log, [1], bits=20, low=low, high=high)
    assert refused.group_contains(ValueError, match="logarithms")
