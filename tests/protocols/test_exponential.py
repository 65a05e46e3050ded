"""eˣ: 1.6 units in the last place, and 2^-28 of the result where it is large."""

import numpy as np
import pytest

from protocols.exponential import exp
from tests.protocols.elementary import PARTIES, excess, grid, reals, run, units

UNITS, RELATIVE = 1.6, 2.0**-28
RANGES = [(-1, 1), (-4, 0), (0, 0.1), (-16, -1), (-10, 6), (-16, 8), (-25, 6), (-1000, 5), (5, 20), (-30, 20)]


def test_e_to_a_power():
    result = run(exp, [units(1, 20)], bits=20, low=units(-2, 20), high=units(2, 20))
    assert abs(result.values[0] / (1 << 20) - np.e) < 2e-6


@pytest.mark.parametrize("bits", [16, 20, 30])
@pytest.mark.parametrize("ends", RANGES)
def test_powers_of_e_over_a_dense_grid(bits, ends):
    low, high = (units(end, bits) for end in ends)
    x = grid(low, high)
    result = run(exp, x, bits=bits, low=low, high=high)
    assert excess(result.values, np.exp(reals(x, bits)), bits, RELATIVE) <= UNITS


@pytest.mark.parametrize(("count", "preprocessing"), PARTIES)
def test_any_number_of_parties_with_and_without_a_dealer(count, preprocessing):
    x = grid(units(-5, 20), units(9, 20), 100)
    result = run(exp, x, count=count, preprocessing=preprocessing, bits=20, low=units(-5, 20), high=units(9, 20))
    assert excess(result.values, np.exp(reals(x, 20)), 20, RELATIVE) <= UNITS


@pytest.mark.parametrize(
    ("ends", "rounds"), [((-1, 1), 5), ((-10, 6), 7), ((-10, 10), 9), ((-40, 6), 14), ((-50, 9), 16)]
)
def test_rounds_depend_on_the_range(ends, rounds):
    low, high = (units(end, 20) for end in ends)
    result = run(exp, [low], bits=20, low=low, high=high)
    assert {party.rounds for party in result.parties} == {rounds}


@pytest.mark.parametrize("shape", [(0,), (2, 0), (2, 3)])
def test_shapes_are_kept(shape):
    for high in (1 << 20, 20 << 20):
        assert run(exp, np.zeros(shape, np.int64), bits=20, low=0, high=high).values.shape == shape


@pytest.mark.parametrize(("low", "high"), [(0, units(40, 20)), (1, 0)])
def test_what_cannot_be_represented_is_refused(low, high):
    with pytest.raises(ExceptionGroup) as refused:
        run(exp, [0], bits=20, low=low, high=high)
    assert refused.group_contains(ValueError, match="exp of")
