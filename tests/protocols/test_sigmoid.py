"""Functions that level off: 1.8 units in the last place, near zero and far out."""

import numpy as np
import pytest
from scipy import special

from protocols.sigmoid import erf, sigmoid, tanh
from tests.protocols.elementary import PARTIES, excess, grid, reals, run, units

UNITS = 1.8
RANGES = [(-3, 3), (-1, 0.5), (-10, 10), (0, 12), (-100, 50), (2, 90), (-1000, -500), (1, 1)]
EXACT = {
    sigmoid: lambda x: 1 / (1 + np.exp(-x)),
    tanh: np.tanh,
    erf: lambda x: special.erf(x.astype(float)).astype(np.longdouble),
}


def test_the_logistic_function_of_a_number():
    result = run(sigmoid, [units(1, 20)], bits=20, low=units(-8, 20), high=units(8, 20))
    assert abs(result.values[0] / (1 << 20) - 0.7310586) < 2e-6


@pytest.mark.parametrize("bits", [16, 20, 30])
@pytest.mark.parametrize("ends", RANGES)
@pytest.mark.parametrize("function", EXACT)
def test_values_over_a_dense_grid(function, bits, ends):
    low, high = (units(end, bits) for end in ends)
    x = grid(low, high)
    result = run(function, x, bits=bits, low=low, high=high)
    assert excess(result.values, EXACT[function](reals(x, bits)), bits) <= UNITS


@pytest.mark.parametrize(("count", "preprocessing"), PARTIES)
@pytest.mark.parametrize("function", EXACT)
def test_any_number_of_parties_with_and_without_a_dealer(function, count, preprocessing):
    x = grid(units(-40, 20), units(40, 20), 60)
    public = {"bits": 20, "low": units(-40, 20), "high": units(40, 20)}
    result = run(function, x, count=count, preprocessing=preprocessing, **public)
    assert excess(result.values, EXACT[function](reals(x, 20)), 20) <= UNITS


@pytest.mark.parametrize(("end", "rounds"), [(3, 5), (10, 7), (20, 7), (30, 14), (1000, 14)])
def test_rounds_depend_on_the_range(end, rounds):
    result = run(sigmoid, [0], bits=20, low=units(-end, 20), high=units(end, 20))
    assert {party.rounds for party in result.parties} == {rounds}


@pytest.mark.parametrize("shape", [(0,), (2, 0), (2, 3)])
def test_shapes_are_kept(shape):
    for end in (1 << 20, 1 << 30):
        assert run(sigmoid, np.zeros(shape, np.int64), bits=20, low=-end, high=end).values.shape == shape


@pytest.mark.parametrize(("bits", "low", "high"), [(31, 0, 1), (20, 1, 0)])
def test_what_is_no_range_is_refused(bits, low, high):
    with pytest.raises(ExceptionGroup) as refused:
        run(tanh, [0], bits=bits, low=low, high=high)
    assert refused.group_contains(ValueError)
