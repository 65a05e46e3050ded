"""Division, roots, powers, exponentials, logarithms and curves: within the stated error; no range without a result."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import special

import smpc
from tests.smpc.programs import revealed

U = 2.0**-20


def run(function, values, bounds=None, parties=2, bits=20):
    """What it reveals, and the range that the plan has for it."""

    def program(party):
        x = party.share(values if party.rank == 0 else None, 0, bounds=bounds)
        found = function(x)
        return found.reveal(), found.bounds

    return smpc.simulate(program, parties, fraction_bits=bits)[0]


def test_a_logistic_model():
    x, w = np.array([[1.0, 2.0], [0.5, -3.0]]), np.array([0.5, -1.0])
    found = revealed(lambda a, b: smpc.sigmoid(a @ b), x, w)
    np.testing.assert_allclose(found, special.expit(x @ w), atol=3 * U)


FUNCTIONS = {
    "sqrt": (np.sqrt, np.sqrt, (0, 900), 1.4, 2.0**-28),
    "rsqrt": (smpc.rsqrt, lambda x: 1 / np.sqrt(x), (0.01, 900), 1.4, 2.0**-26),
    "reciprocal": (lambda x: 1 / x, lambda x: 1 / x, (0.01, 900), 1.8, 0),
    "negative reciprocal": (lambda x: 1 / x, lambda x: 1 / x, (-90, -0.1), 1.8, 0),
    "exp": (np.exp, np.exp, (-30, 9), 1.6, 2.0**-28),
    "log": (np.log, np.log, (0.001, 900), 1.6, 0),
    "log2": (np.log2, np.log2, (0.001, 900), 1.9, 0),
    "log10": (np.log10, np.log10, (0.5, 4), 1.4, 0),
    "log1p": (np.log1p, np.log1p, (-0.9, 50), 1.6, 0),
    "tanh": (np.tanh, np.tanh, (-50, 50), 1.8, 0),
    "sigmoid": (smpc.sigmoid, special.expit, (-50, 50), 1.8, 0),
    "erf": (smpc.erf, special.erf, (-50, 50), 1.8, 0),
    "** 1.5": (lambda x: x**1.5, lambda x: x**1.5, (0.1, 90), 1.6, 2.0**-25.9),
    "** -0.7": (lambda x: x**-0.7, lambda x: x**-0.7, (0.1, 90), 1.6, 2.0**-25.9),
    "** 3": (lambda x: x**3, lambda x: x**3, (-9, 9), 1.6, 0),
    "** -2": (lambda x: x**-2, lambda x: x**-2.0, (0.5, 8), 1.6, 0),
    "** -3 of negative": (lambda x: x**-3, lambda x: x**-3.0, (-4, -0.5), 1.6, 0),
    "** 7": (lambda x: x**7, lambda x: x**7, (-2, 2), 2.5, 0),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("parties", [2, 3])
def test_values_and_ranges_over_the_whole_of_a_range(name, parties):
    ours, exact, (low, high), units, relative = FUNCTIONS[name]
    values = np.rint(np.linspace(low, high, 501) / U) * U
    values = np.clip(values, np.ceil(low / U) * U, np.floor(high / U) * U)
    found, (least, most) = run(ours, values, (low, high), parties)
    expected = exact(values)
    assert (np.abs(found - expected) <= (units + 0.01) * U + np.abs(expected) * relative).all()
    assert least <= found.min()
    assert found.max() <= most
    width = np.ptp(expected)
    assert most - least <= width * 1.001 + 0.001  # no wider than it must be


@pytest.mark.parametrize("shape", [(), (0,), (1, 1), (2, 0), (2, 3, 1)])
@pytest.mark.parametrize("name", ["sqrt", "exp", "log", "sigmoid", "reciprocal", "** 3", "** 1.5"])
def test_any_shape(name, shape):
    ours, exact, *_ = FUNCTIONS[name]
    values = np.full(shape, 1.25)
    found, _ = run(ours, values, (1, 2))
    assert np.shape(found) == shape
    np.testing.assert_allclose(found, exact(values), atol=4 * U)


def test_quotients_are_broadcast_and_any_sign():
    x, y = np.array([[3.5], [-2.0], [0.0]]), np.array([-4.0, -0.5, -3.0])

    def program(party):
        a = party.share(x if party.rank == 0 else None, 0)
        b = party.share(y if party.rank == 1 else None, 1, bounds=(-8, -0.25))
        return (a / b).reveal(), (2 / b).reveal(), (x / b).reveal(), np.divide(3, b).reveal()

    for found, expected in zip(smpc.simulate(program, 2)[0], (x / y, 2 / y, x / y, 3 / y), strict=True):
        np.testing.assert_allclose(found, expected, atol=2.01 * U)


@pytest.mark.parametrize("axis", [-1, 0])
def test_softmax(axis):
    x = np.random.default_rng(0).integers(-48, 48, (3, 4)) / 16
    found, (least, most) = run(lambda a: smpc.softmax(a, axis), x, 3)
    np.testing.assert_allclose(found, special.softmax(x, axis), atol=2.01 * U)
    assert least <= 0
    assert 1 <= most < 1.0001


def test_integers_and_truth_values_are_taken_as_reals():
    for ours, exact in [(np.exp, np.exp), (np.sqrt, np.sqrt), (smpc.erf, special.erf)]:
        np.testing.assert_allclose(run(ours, [0, 1, 3], (0, 3))[0], exact([0, 1, 3]), atol=3 * U)
        np.testing.assert_allclose(run(ours, [False, True])[0], exact([0.0, 1.0]), atol=3 * U)


@pytest.mark.parametrize("bits", [8, 13, 30])
def test_any_number_of_fraction_bits(bits):
    values = np.array([0.5, 1.25, 3.75])
    for ours, exact in [(np.exp, np.exp), (np.log, np.log), (np.sqrt, np.sqrt), (smpc.sigmoid, special.expit)]:
        found, _ = run(ours, values, (0.5, 4), bits=bits)
        np.testing.assert_allclose(found, exact(values), atol=2.01 * 2.0**-bits, rtol=2.0**-26)


REFUSED = {
    "1 / x": lambda x: 1 / x,
    "x / x": lambda x: x / x,
    "log": np.log,
    "log2": np.log2,
    "log1p": np.log1p,
    "sqrt": np.sqrt,
    "rsqrt": smpc.rsqrt,
    "** 0.3": lambda x: x**0.3,
    "** -1": lambda x: x**-1,
    "** 9": lambda x: x**9,
    "exp": lambda x: np.exp(x * 4),
    "exp far": lambda x: np.exp(x * 100),
}


@pytest.mark.parametrize("function", REFUSED.values(), ids=REFUSED)
def test_a_range_that_has_no_result_is_refused(function):
    with pytest.raises(smpc.RangeError, match=r"bounds="):
        run(function, [0.5, 3.0])


def test_integers_have_no_negative_powers():
    with pytest.raises(ValueError, match="Integers to negative integer powers"):
        run(lambda x: x**-1, [1, 2], (1, 2))


def test_the_standard_deviation_of_what_does_not_vary():
    assert run(np.std, np.full(4, 3.5))[0] <= math.sqrt(8 * U)
