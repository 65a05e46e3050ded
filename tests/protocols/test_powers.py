"""Powers: of integers within what rounding at each product adds up to, real ones as accurate as their logarithms."""

import numpy as np
import pytest

from protocols.powers import power, real_power, way
from tests.protocols.elementary import PARTIES, excess, grid, reals, run, units

INTEGERS = [(2, -1, 1), (3, -1, 1), (7, -1.5, 1.5), (10, 0, 1), (3, -2, 5), (4, -30, 30)]


def test_the_cube_of_a_number():
    result = run(power, [units(3, 20)], exponent=3, bits=20, low=0, high=units(10, 20))
    assert abs(result.values[0] - units(27, 20)) <= 7


@pytest.mark.parametrize("bits", [16, 20, 28, 30])
@pytest.mark.parametrize(("n", "low", "high"), INTEGERS)
def test_integer_powers_over_a_dense_grid(bits, n, low, high):
    low, high = units(low, bits), units(high, bits)
    try:
        found = way(n, bits, low, high)
    except ValueError:
        assert bits > 20
        return
    x = grid(low, high)
    result = run(power, x, exponent=n, bits=bits, low=low, high=high)
    error = np.abs(result.values - reals(x, bits) ** n * (1 << bits))
    assert error.max() <= float(found.error)
    if found.pieces is None:
        at = np.maximum(1, np.abs(reals(x, bits))) ** (n - 2)
        assert (error <= 1 + (n - 1) * at * 2.0 ** (bits - found.fine)).all()


def test_a_number_to_the_power_of_none_and_one():
    for n, wanted in ((0, [1 << 20] * 3), (1, [5, -7, 0])):
        assert run(power, [5, -7, 0], exponent=n, bits=20, low=-9, high=9).values.tolist() == wanted


@pytest.mark.parametrize(
    ("n", "low", "high", "bound"), [(2, -1.5, 1.5, 1.3), (3, -1, 1, 1.3), (3, -5, 5, 2), (10, -1, 1, 1.3)]
)
def test_integer_powers_with_30_bits(n, low, high, bound):
    low, high = units(low, 30), units(high, 30)
    x = grid(low, high)
    assert way(n, 30, low, high).error <= bound
    result = run(power, x, exponent=n, bits=30, low=low, high=high)
    assert excess(result.values, reals(x, 30) ** n, 30) <= bound


NEGATIVE = [(-1, 0.5, 4), (-2, 0.5, 8), (-2, 1, 1.5), (-3, -4, -0.5), (-2, -100, -90), (-3, 0.3, 90)]


@pytest.mark.parametrize("bits", [16, 20, 30])
@pytest.mark.parametrize(("n", "low", "high"), NEGATIVE)
def test_negative_powers_over_a_dense_grid(bits, n, low, high):
    wide = max(low / high, high / low) > 16
    if bits == 30 and wide:
        return
    low, high = units(low, bits), units(high, bits)
    x = grid(low, high)
    result = run(power, x, exponent=n, bits=bits, low=low, high=high)
    error = np.abs(result.values - reals(x, bits) ** n * (1 << bits))
    if not wide:
        assert error.max() <= 1.6 if n < -1 else 1.8
    inverse = np.maximum(1, 1 / np.abs(reals(x, bits)))
    assert (error <= 1.6 + (-n - 1) * inverse ** max(0, -n - 2) + 2 * -n * inverse ** (-n - 1)).all()


@pytest.mark.parametrize("bits", [16, 20, 30])
@pytest.mark.parametrize(
    ("p", "low", "high"), [(0.5, 0.1, 10), (-0.5, 0.1, 10), (1.7, 0, 10), (3.3, 0.01, 5), (-2, 0.5, 2), (0.0, 1, 2)]
)
def test_real_powers_over_a_dense_grid(bits, p, low, high):
    low, high = units(low, bits), units(high, bits)
    x = grid(low, high)
    result = run(real_power, x, exponent=p, bits=bits, low=low, high=high)
    exact = reals(np.where(x == 0, 1, 2 * x), bits + 1) ** p
    assert excess(result.values, exact, bits, 2.0**-26 + abs(p) * 2.0**-30) <= 1.6


@pytest.mark.parametrize(("count", "preprocessing"), PARTIES)
def test_any_number_of_parties_with_and_without_a_dealer(count, preprocessing):
    low, high = units(0.5, 20), units(3, 20)
    x = grid(low, high, 40)
    public = {"count": count, "preprocessing": preprocessing, "bits": 20, "low": low, "high": high}
    assert excess(run(power, x, exponent=5, **public).values, reals(x, 20) ** 5, 20) <= 1 + 4 * 27 * 2.0**-6
    assert excess(run(real_power, x, exponent=-1.5, **public).values, reals(x, 20) ** -1.5, 20) <= 1.6


def test_what_is_too_large_is_refused():
    with pytest.raises(ExceptionGroup) as refused:
        run(power, [1], exponent=4, bits=20, low=0, high=units(50, 20))
    assert refused.group_contains(ValueError, match="a power of")


@pytest.mark.parametrize("exponent", [float("nan"), float("inf")])
def test_an_exponent_that_is_no_number_is_refused(exponent):
    with pytest.raises(ExceptionGroup) as refused:
        run(real_power, [1], exponent=exponent, bits=20, low=1, high=9)
    assert refused.group_contains(ValueError, match="the power")
