"""Reciprocals and quotients: 1.8 units in the last place over all of a range, whatever its width and signs."""

import numpy as np
import pytest

from protocols.division import divide, reciprocal
from protocols.prg import Prg, fresh_seed
from tests.protocols.elementary import PARTIES, excess, grid, reals, run, units

UNITS = 1.8
# From a fraction of an octave to all that fits; within 16 times, beyond; signs; zero
RANGES = [(1, 1.9), (0.5, 1), (0.25, 4), (3, 48), (0.001, 1000), (-3, -0.01), (-1, -0.6)]
WITH_ZERO = [(0, 1), (-100, 4), (-4, 1000), (-1, 0)]
CASES = [(f, *ends) for f in (16, 20, 30) for ends in RANGES] + [(f, *ends) for f in (16, 20) for ends in WITH_ZERO]


def inverse(x, bits):
    with np.errstate(divide="ignore"):
        return np.where(x == 0, 0, 1 / reals(x, bits))


def test_the_reciprocal_of_a_number():
    result = run(reciprocal, [units(8, 20)], bits=20, low=1, high=units(100, 20))
    assert abs(result.values[0] - units(0.125, 20)) <= UNITS


@pytest.mark.parametrize(("bits", "low", "high"), CASES)
def test_reciprocals_over_a_dense_grid(bits, low, high):
    low, high = units(low, bits), units(high, bits)
    x = grid(low, high)
    result = run(reciprocal, x, bits=bits, low=low, high=high)
    assert excess(result.values, inverse(x, bits), bits) <= UNITS


@pytest.mark.parametrize("largest", [0.25, 8, 50])
@pytest.mark.parametrize(("bits", "low", "high"), CASES)
def test_quotients_over_a_dense_grid(bits, low, high, largest):
    low, high, most = units(low, bits), units(high, bits), units(largest, bits)
    b = grid(low, high)
    a = (Prg(fresh_seed()).ring(b.shape) % np.uint64(2 * most + 1)).astype(np.int64) - most
    a[: len(a) // 3 : 2], a[1 : len(a) // 3 : 2] = most, -most
    result = run(divide, a, b, bits=bits, low=low, high=high, largest=most)
    with np.errstate(divide="ignore", invalid="ignore"):
        exact = np.where(b == 0, 0, reals(a, bits) / reals(b, bits))
    assert excess(result.values, exact, bits) <= UNITS


@pytest.mark.parametrize("k", [32, 33, 34, 36])
def test_reciprocals_of_one_cell_and_a_hundred_masks_each(k):
    """high = 16 low, results of about 26 bits: the most that one pass finds, of mantissas with most rounded off."""
    low, high = 1 << k, 1 << k + 4
    x = np.tile(np.linspace(low, low + low // 16, 500).astype(np.int64), 100)
    assert excess(run(reciprocal, x, bits=30, low=low, high=high).values, inverse(x, 30), 30) <= UNITS
    result = run(divide, np.full(x.shape, 1 << 30), x, bits=30, low=low, high=high, largest=1 << 30)
    assert excess(result.values, inverse(x, 30), 30) <= UNITS


@pytest.mark.parametrize(("count", "preprocessing"), [*PARTIES, (5, "ot")])
def test_any_number_of_parties_with_and_without_a_dealer(count, preprocessing):
    low, high = units(0.01, 20), units(10, 20)
    b = grid(low, high, 40)
    result = run(reciprocal, b, count=count, preprocessing=preprocessing, bits=20, low=low, high=high)
    assert excess(result.values, inverse(b, 20), 20) <= UNITS
    a = np.full(b.shape, units(-3, 20))
    result = run(divide, a, b, count=count, preprocessing=preprocessing, bits=20, low=low, high=high, largest=3 << 20)
    assert excess(result.values, -3 * inverse(b, 20), 20) <= UNITS


@pytest.mark.parametrize(
    ("ends", "bits", "rounds"),
    [
        ((1, 1.5), 20, 5),
        ((1, 16), 20, 7),
        ((0.25, 5), 20, 14),
        ((0.001, 1), 20, 18),
        ((0, 1), 20, 19),
        ((1, 9), 30, 7),
        ((0.1, 1), 30, 12),
    ],
)
def test_rounds_depend_on_the_range(ends, bits, rounds):
    low, high = (units(end, bits) for end in ends)
    result = run(reciprocal, [high], bits=bits, low=low, high=high)
    assert {party.rounds for party in result.parties} == {rounds}


@pytest.mark.parametrize("shape", [(0,), (2, 0), (1,), (2, 3)])
def test_shapes_are_kept(shape):
    x = np.full(shape, units(2, 20))
    public = {"bits": 20, "low": 1, "high": units(10, 20)}
    assert run(reciprocal, x, **public).values.shape == shape
    assert run(divide, x, x, largest=units(10, 20), **public).values.shape == shape


@pytest.mark.parametrize(("bits", "low", "high"), [(30, 0, 1 << 30), (20, 0, 0), (20, 5, 4), (20, 1, 1 << 62)])
def test_what_does_not_fit_is_refused(bits, low, high):
    with pytest.raises(ExceptionGroup) as refused:
        run(reciprocal, [1], bits=bits, low=low, high=high)
    assert refused.group_contains(ValueError)


def test_a_quotient_that_is_too_large_is_refused():
    with pytest.raises(ExceptionGroup) as refused:
        run(divide, [1], [1], bits=20, low=1, high=10, largest=1 << 45)
    assert refused.group_contains(ValueError, match="too large a quotient")


def test_shapes_must_be_equal():
    with pytest.raises(ExceptionGroup) as refused:
        run(divide, [1, 2], [1], bits=20, low=1, high=10, largest=10)
    assert refused.group_contains(ValueError, match="shapes differ")
