"""Elementary functions of numbers from a unit to the limits of the ring: within the stated error, or a RangeError."""

from __future__ import annotations

from decimal import Decimal, getcontext

import numpy as np
import pytest

import smpc
from tests.smpc.test_edges import F, as_reals, near

UNIT = Decimal(1 << F)
COUNT = 60


def logarithm(x):
    return (x / UNIT).ln()


def tanh(x):
    return 1 - 2 / (1 + (2 * x / UNIT).exp()) if abs(x) < 64 * UNIT else Decimal(1 if x > 0 else -1)


# Ours, of x > 0 and of any a; the exact value for units x and a; relative error. All are within 1.8 units beside.
CASES = {
    "sqrt": (lambda x, a: np.sqrt(x), lambda x, a: (x / UNIT).sqrt(), 2.0**-27),
    "rsqrt": (lambda x, a: smpc.rsqrt(x), lambda x, a: 1 / (x / UNIT).sqrt(), 2.0**-26),
    "log": (lambda x, a: np.log(x), lambda x, a: logarithm(x), 0),
    "reciprocal": (lambda x, a: 1 / x, lambda x, a: UNIT / x, 0),
    "divide": (lambda x, a: a / x, lambda x, a: a / x, 0),
    "exp": (lambda x, a: np.exp(a), lambda x, a: (a / UNIT).exp(), 2.0**-28),
    "tanh": (lambda x, a: np.tanh(a), lambda x, a: tanh(a), 0),
    "** 1.5": (lambda x, a: x**1.5, lambda x, a: (logarithm(x) * Decimal("1.5")).exp(), 2.0**-25.9),
    "** -0.75": (lambda x, a: x**-0.75, lambda x, a: (logarithm(x) * Decimal("-0.75")).exp(), 2.0**-25.9),
}


def ends(random):
    low, high = sorted(
        (1 << int(e)) - int(d) for e, d in zip(random.integers(2, 63, 2), random.integers(0, 3, 2), strict=True)
    )
    return max(1, low), min(high, 2**62 - 1), (1 << int(random.integers(2, 62))) - 1


def trial(party, random):
    """How many results are right, how many operations were refused, and what is wrong."""
    low, high, most = ends(random)
    xs, us = near(random, low, high, COUNT), near(random, -most, most, COUNT)
    x, a = (
        as_reals(party.share(np.array(values) if party.rank == 0 else None, 0, bounds=bounds))
        for values, bounds in ((xs, (low, high)), (us, most))
    )
    largest = {"divide": most * 2.0**F / low, "reciprocal": 4.0**F / low}  # quotient that the ranges allow
    right, refused, wrong = 0, 0, []
    for name, (ours, exact, relative) in CASES.items():
        try:
            y = ours(x, a)
        except smpc.RangeError:
            refused += 1
            continue
        found = y.new(y.share, y.shape, 0, y.range).reveal().tolist()
        units = 1.81 + largest.get(name, 0) * 2.0**-52
        for one, b, c in zip(found, xs, us, strict=True):
            expected = exact(Decimal(b), Decimal(c)) * UNIT
            if abs(one - expected) > Decimal(units) + abs(expected) * Decimal(relative):
                wrong.append(f"{name} of {b} and {c} within {low}, {high} and {most}: {one} for {expected:.6f}")
            if not y.range.low <= one <= y.range.high:
                wrong.append(f"{name} of {b} and {c}: {one} is not within {y.range}")
            right += 1
    return right, refused, wrong


@pytest.mark.parametrize("seed", [1, 2])
def test_elementary_functions_are_right_or_refused(seed):
    def program(party):
        getcontext().prec = 40
        random = np.random.default_rng(seed)
        return [trial(party, random) for _ in range(15)]

    for results in smpc.simulate(program, 2):
        assert [text for _, _, wrong in results for text in wrong] == []
        assert sum(right for right, _, _ in results) > 5000
        assert sum(refused for _, refused, _ in results) > 10
