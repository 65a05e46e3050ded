"""Programs of NumPy functions that once gave a wrong number, or more than the stated error, without an error."""

from decimal import Decimal, localcontext

import numpy as np
import pytest

import smpc
from smpc.ranges import Range

TOP = 2.0**42 - 2.0**-11  # the largest real of 20 fraction bits


def run(program, f=20):
    return smpc.simulate(program, 2, fraction_bits=f)[0]


def share(party, values, bounds=None):
    return party.share(values if party.rank == 0 else None, 0, bounds=bounds)


def in_units(party, values, low, high, bits):
    """Numbers given in units of the last place, also such as no float has."""
    x = share(party, np.array(values, np.int64), (low, high))
    return x.new(x.share, x.shape, bits, Range(low, high))


def refused_or_close(program, wanted, atol):
    try:
        found = run(program)
    except (ValueError, TypeError):  # RangeError is a ValueError
        return
    assert np.allclose(found, wanted, rtol=0, atol=atol), found


@pytest.mark.parametrize("kind", [np.float16, np.float32])
def test_divisor_of_short_floats(kind):
    """1.0 / y is computed in y's own precision."""
    x, y = np.array([1000.0, 7e5]), np.array([3, 7], kind)
    found = run(lambda party: (share(party, x, 1e6) / y).reveal())
    assert np.abs(found - x / y.astype(np.float64)).max() <= 2.0**-20 * 5


@pytest.mark.parametrize("best", [np.maximum, lambda x, y: np.clip(x, y, None), lambda x, y: -np.minimum(-x, -y)])
@pytest.mark.parametrize("far", [1e13, 1e30, np.inf])
@pytest.mark.parametrize("values", [np.array([1.0, 2.0]), np.array([1, 2])])
def test_extreme_with_a_number_that_does_not_fit(best, far, values):
    """Was 4.398e12, whatever the number is."""
    refused_or_close(lambda party: best(share(party, values), far).reveal(), far, 0)


@pytest.mark.parametrize(
    ("function", "wanted"),
    [
        (np.tanh, [-1, 1, 0]),
        (smpc.erf, [-1, 1, 0]),
        (smpc.sigmoid, [0, 1, 0.5]),
        (smpc.softmax, [0, 1, 0]),
    ],
)
def test_functions_of_what_is_beyond_2_to_62(function, wanted):
    """A sum may reach 2^63; x less an end of the clipping, and differences of the values, wrapped."""
    x = np.array([-TOP, TOP, 0.0])
    refused_or_close(lambda party: function(share(party, x, TOP) + share(party, x, TOP)).reveal(), wanted, 4e-6)


def exact(function, x, f):
    with localcontext() as context:
        context.prec = 50
        return function(Decimal(x) / 2**f) * 2**f


@pytest.mark.parametrize("name", ["log", "log2", "sqrt"])
@pytest.mark.parametrize(("f", "k"), [(30, 40), (29, 50), (20, 50)])
def test_narrow_ranges_of_many_bits(name, f, k):
    """high = 16 low, x of more than 34 bits: all in one cell, its smallest mantissas have 29 bits."""
    low, high = 1 << k, 1 << k + 4
    values = np.random.default_rng(1).integers(low, low + low // 16, 3000).tolist()
    apply = {"log": np.log, "log2": np.log2, "sqrt": np.sqrt}[name]
    function = {"log": Decimal.ln, "log2": lambda v: v.ln() / Decimal(2).ln(), "sqrt": Decimal.sqrt}[name]
    units, relative = {"log": (1.6, 0), "log2": (1.9, 0), "sqrt": (1.4, 2.0**-27)}[name]

    def program(party):
        found = apply(in_units(party, values, low, high, f))
        return found.new(found.share, found.shape, 0, found.range).reveal()

    for x, found in zip(values, run(program, f).tolist(), strict=True):
        wanted = exact(function, x, f)
        assert abs(found - wanted) <= Decimal(units) + Decimal(relative) * wanted, x


@pytest.mark.parametrize(("f", "deviation"), [(16, 0.25), (20, 0.0625)])
def test_corrcoef_of_small_deviations(deviation, f):
    rng = np.random.default_rng(0)
    x = np.clip((rng.normal(size=(200, 1)) + rng.normal(size=(200, 3))) * deviation, -1, 1)
    found = run(lambda party: np.corrcoef(share(party, x, 20 * deviation), rowvar=False).reveal(), f)
    held = np.rint(x * 2.0**f) / 2.0**f
    assert np.abs(found - np.corrcoef(held, rowvar=False)).max() <= 2.0**-12


@pytest.mark.parametrize("order", ["K", "A"])
def test_order_of_memory(order):
    """Of -x.T NumPy keeps the order of x; the shares' memory is not that of NumPy's array."""
    x = np.arange(6.0).reshape(2, 3)
    refused_or_close(lambda party: np.ravel(-share(party, x, 9).T, order=order).reveal(), np.ravel(-x.T, order), 0)


@pytest.mark.parametrize("values", [np.array([1.5, 2.5]), np.array([1, 2])])
def test_view_as_another_type(values):
    """ndarray.view(dtype): words of shares went through float64."""
    with pytest.raises(TypeError):
        run(lambda party: share(party, values).view(np.float64).reveal())


def test_histogram_of_bins_that_follow_from_the_data():
    values = np.arange(100) / 10
    with pytest.raises(TypeError):
        run(lambda party: np.histogram(share(party, values), "auto", (0, 10))[0].reveal())


def test_parties_with_bounds_that_print_alike():
    """The bounds' text is compared, and NumPy prints 8 digits: 60 < 56 was true."""

    def program(party):
        bounds = np.array([50.0, 64.0000000001 if party.rank else 63.9999999999])
        x = share(party, np.array([50.0, 57.0, 60.0, 63.5]), bounds)
        return (x < 56 + 2.0**-20).reveal()

    with pytest.raises(Exception, match="bounds"):
        run(program)


def test_equal_bounds_of_other_types():
    """0, 64 and 0.0, 64.0 are the same bounds."""
    smpc.simulate(lambda party: share(party, np.array([3.0]), (0, 64) if party.rank else (0.0, 64.0)).bounds, 2)


def test_bounds_hold_the_values():
    def program(party):
        x = share(party, np.array([2**53 + 1]), (0, 2**53 + 1))
        return *x.bounds, int(x.reveal()[0])

    low, high, value = run(program)
    assert low <= value <= high


def test_vecdot_of_truth_values():
    x = np.array([True, True])
    assert run(lambda party: np.vecdot(share(party, x), x).reveal()).dtype == np.vecdot(x, x).dtype


# Held


def test_sums_beyond_2_to_62_in_comparisons():
    x = np.array([TOP, -TOP, 0.0, 5.0, -5.0])
    for function in (np.abs, np.sign, lambda v: v < 0.0, lambda v: np.maximum(v, 0.0), lambda v: v.astype(bool)):
        found = run(lambda party, f=function: f(share(party, x, TOP) + share(party, x, TOP)).reveal())
        assert np.array_equal(found, function(x + x))
