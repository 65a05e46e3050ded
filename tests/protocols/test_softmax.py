"""Softmax and the largest value: for narrow ranges and wide ones, few values and many."""

import numpy as np
import pytest
from scipy import special

from protocols.prg import Prg, fresh_seed
from protocols.softmax import error, largest, softmax
from tests.protocols.elementary import PARTIES, excess, reals, run, units


def rows(count, end, bits, number=400):
    """Random ones, and all at one end, or one alone at the other."""
    high = units(end, bits)
    x = (Prg(fresh_seed()).ring((number, count)) % np.uint64(2 * high + 1)).astype(np.int64) - high
    x[0], x[1], x[2] = -high, high, -high
    x[2, -1] = high
    return x


def test_probabilities_add_up():
    x = np.array([units(value, 20) for value in (0, 1, 2)])
    result = run(softmax, x.reshape(1, 3), bits=20, low=0, high=units(2, 20))
    assert np.abs(result.values[0] / (1 << 20) - special.softmax([0, 1, 2])).max() < 2e-6


@pytest.mark.parametrize("bits", [16, 20, 30])
@pytest.mark.parametrize(("count", "end"), [(1, 1), (2, 1), (5, 2.9), (10, 3), (10, 20), (100, 8), (3, 100)])
def test_softmax_of_rows(bits, count, end):
    x = rows(count, end, bits)
    result = run(softmax, x, bits=bits, low=-units(end, bits), high=units(end, bits))
    exact = special.softmax(reals(x, bits).astype(float), axis=1)
    assert excess(result.values, exact, bits) <= error(count, bits)


@pytest.mark.parametrize(("count", "preprocessing"), PARTIES)
def test_any_number_of_parties_with_and_without_a_dealer(count, preprocessing):
    for end in (2, 5):
        x = rows(3, end, 20, 6)
        public = {"bits": 20, "low": -units(end, 20), "high": units(end, 20)}
        result = run(softmax, x, count=count, preprocessing=preprocessing, **public)
        assert excess(result.values, special.softmax(reals(x, 20).astype(float), axis=1), 20) <= error(3, 20)


@pytest.mark.parametrize("count", [1, 2, 3, 7, 8])
def test_the_largest_value(count):
    x = (Prg(fresh_seed()).ring((50, count)) >> np.uint64(2)).astype(np.int64) - (1 << 61)
    assert (run(largest, x).values == x.max(axis=1, keepdims=True)).all()


@pytest.mark.parametrize("shape", [(4,), (2, 3, 4), (0, 3)])
def test_the_last_axis_counts(shape):
    for end in (1, 9):
        x = np.full(shape, 5)
        result = run(softmax, x, bits=20, low=-units(end, 20), high=units(end, 20))
        assert result.values.shape == shape
        assert excess(result.values, np.full(shape, 1 / shape[-1]), 20) <= error(shape[-1], 20)


@pytest.mark.parametrize(("shape", "bits", "low", "high"), [((2, 0), 20, 0, 1), ((2, 2), 31, 0, 1), ((2, 2), 20, 1, 0)])
def test_what_has_no_softmax_is_refused(shape, bits, low, high):
    with pytest.raises(ExceptionGroup) as refused:
        run(softmax, np.zeros(shape, np.int64), bits=bits, low=low, high=high)
    assert refused.group_contains(ValueError, match="softmax")
