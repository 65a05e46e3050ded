"""Products rounded down, exactly, where a program or a study asks for it: the same result in every run."""

import numpy as np
import pytest

import smpc

X = np.random.default_rng(3).integers(-(2**23), 2**23, 500) / 2**20


def products(party):
    x = party.share(X if party.rank == 0 else None, 0)
    return (x * x).reveal(), (x @ x).reveal(), (x * 0.3).reveal()


@pytest.mark.parametrize("parties", [2, 3])
def test_products_are_rounded_down(parties):
    units = (X * 2**20).astype(np.int64)
    square, inner, _ = smpc.simulate(products, parties, rounding="down")[0]
    np.testing.assert_array_equal(square * 2**20, units**2 >> 20)
    assert inner * 2**20 == (units @ units) >> 20


def test_two_runs_are_equal_and_at_random_are_not():
    for rounding, same in (("down", True), ("random", False)):
        one, two = (smpc.simulate(products, 2, rounding=rounding)[0] for _ in "12")
        assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True)) == same
