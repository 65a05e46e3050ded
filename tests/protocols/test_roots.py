"""Square roots and their reciprocals: 1.4 units in the last place, and what is said relative to the result."""

import numpy as np
import pytest

from protocols.roots import rsqrt, sqrt
from tests.protocols.elementary import PARTIES, excess, grid, reals, run, units

UNITS = 1.4
RANGES = [(1, 2), (1, 1.9), (0.0625, 0.9375), (0, 1), (0.001, 1000), (2, 7), (0, 8), (3, 3.1)]


def inverse(x, bits):
    with np.errstate(divide="ignore"):
        return np.where(x == 0, 0, 1 / np.sqrt(reals(x, bits)))


def test_the_root_of_a_number():
    result = run(sqrt, [units(49, 20)], bits=20, low=0, high=units(100, 20))
    assert abs(result.values[0] - units(7, 20)) <= UNITS


@pytest.mark.parametrize("bits", [16, 20, 21, 30])
@pytest.mark.parametrize("ends", RANGES)
def test_roots_over_a_dense_grid(bits, ends):
    low, high = (units(end, bits) for end in ends)
    x = grid(low, high)
    root = run(sqrt, x, bits=bits, low=low, high=high)
    assert excess(root.values, np.sqrt(reals(x, bits)), bits, 2.0**-28) <= UNITS
    other = run(rsqrt, x, bits=bits, low=low, high=high)
    assert excess(other.values, inverse(x, bits), bits, 2.0**-27 if bits > 24 else 2.0**-26) <= UNITS


@pytest.mark.parametrize("bits", [16, 20, 30])
def test_roots_of_large_numbers(bits):
    x = grid(0, 1 << 60)
    root = run(sqrt, x, bits=bits, low=0, high=1 << 60)
    assert excess(root.values, np.sqrt(reals(x, bits)), bits, 2.0**-28) <= UNITS


@pytest.mark.parametrize(("f", "k"), [(30, 37), (30, 46), (20, 50)])
def test_roots_of_one_cell_of_many_bits_and_a_hundred_masks_each(f, k):
    """high = 16 low: of all mantissas those with most rounded off."""
    low, high = 1 << k, 1 << k + 4
    x = np.tile(np.linspace(low, low + low // 16, 500).astype(np.int64), 100)
    for function, exact, relative in ((sqrt, np.sqrt, 2.0**-27), (rsqrt, lambda v: 1 / np.sqrt(v), 2.0**-26)):
        result = run(function, x, bits=f, low=low, high=high)
        assert excess(result.values, exact(reals(x, f)), f, relative) <= UNITS


@pytest.mark.parametrize(("count", "preprocessing"), PARTIES)
def test_any_number_of_parties_with_and_without_a_dealer(count, preprocessing):
    low, high = units(0.1, 20), units(9, 20)
    x = grid(low, high, 40)
    public = {"count": count, "preprocessing": preprocessing, "bits": 20, "low": low, "high": high}
    assert excess(run(sqrt, x, **public).values, np.sqrt(reals(x, 20)), 20) <= UNITS
    assert excess(run(rsqrt, x, **public).values, inverse(x, 20), 20) <= UNITS


@pytest.mark.parametrize(("ends", "rounds"), [((1, 3.9), 5), ((1, 16), 7), ((0.25, 5), 14), ((0, 2.0**20), 15)])
def test_rounds_depend_on_the_range(ends, rounds):
    low, high = (units(end, 20) for end in ends)
    for function in (sqrt, rsqrt):
        result = run(function, [high], bits=20, low=low, high=high)
        assert {party.rounds for party in result.parties} == {rounds}


@pytest.mark.parametrize("shape", [(0,), (2, 0), (2, 3)])
def test_shapes_are_kept(shape):
    for low in (0, 1 << 19):
        assert run(sqrt, np.full(shape, 1 << 20), bits=20, low=low, high=1 << 21).values.shape == shape


@pytest.mark.parametrize("function", [sqrt, rsqrt])
@pytest.mark.parametrize(("low", "high"), [(-1, 5), (0, 0), (5, 4)])
def test_a_range_that_is_not_positive_is_refused(function, low, high):
    with pytest.raises(ExceptionGroup) as refused:
        run(function, [1], bits=20, low=low, high=high)
    assert refused.group_contains(ValueError, match="square roots")
