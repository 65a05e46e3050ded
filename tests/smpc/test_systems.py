"""Linear systems on secret arrays, beside NumPy's solution of the same (encoded) system."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import random_correlation

import smpc
from smpc.errors import ModelError
from tests.smpc.programs import revealed

UNIT = 2.0**-20
REFUSED = "no result: the matrix is ill-conditioned or not symmetric positive definite, or a number is too large"


def encoded(x):
    """`x` in whole units, as it is shared: solutions are compared with those of this system."""
    return np.rint(np.asarray(x) / UNIT) * UNIT


def correlation(size, condition, seed=0):
    """A random correlation matrix of that condition number."""
    eigenvalues = np.logspace(0, -np.log10(condition), size)
    return random_correlation.rvs(eigenvalues * size / eigenvalues.sum(), random_state=seed, tol=1e-8)


def scaled(c, scales):
    return encoded(c * np.outer(scales, scales))


def assert_solved(found, a, b):
    """Within 2^-16 of the largest entry of each column, and a unit."""
    exact = np.linalg.solve(a, b)
    assert np.shape(found) == exact.shape
    assert (np.abs(found - exact) <= 2.0**-16 * np.abs(exact).max(axis=0) + UNIT).all()


def test_a_system():
    a, b = np.array([[2.0, 1.0], [1.0, 3.0]]), np.array([1.0, 2.0])
    assert_solved(revealed(np.linalg.solve, a, b), a, b)


@pytest.mark.parametrize("parties", [2, 3])
@pytest.mark.parametrize("size", [1, 2, 5, 10])
@pytest.mark.parametrize("scale", [0.3, 1.0, 1e3, 1e5])
def test_scales(size, scale, parties):
    rng = np.random.default_rng(size)
    a = scaled(correlation(size, 20, seed=size) if size > 1 else np.eye(1), np.full(size, scale**0.5))
    b = encoded(rng.normal(size=size) * scale)
    assert_solved(revealed(np.linalg.solve, a, b, parties=parties), a, b)
    assert_solved(revealed(np.linalg.inv, a, parties=parties), a, np.eye(size))


@pytest.mark.parametrize("condition", [1e2, 1e3, 1e4, 1e5])
@pytest.mark.parametrize("size", [2, 4, 9])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_condition_numbers(size, condition, seed):
    a = scaled(correlation(size, condition, seed), np.full(size, 30.0))
    b = encoded(np.random.default_rng(seed).normal(size=(size, 3)) * [1.0, 1e-3, 1e3])
    assert_solved(revealed(np.linalg.solve, a, b), a, b)


@pytest.mark.parametrize("spread", [1e2, 1e3, 1e4])
def test_rows_of_different_scales(spread):
    scales = np.geomspace(spread**-0.5, spread**0.5, 5)
    a = scaled(correlation(5, 100, seed=4), scales)
    b = encoded(scales * np.arange(1, 6))
    assert_solved(revealed(np.linalg.solve, a, b), a, b)
    assert_solved(revealed(np.linalg.inv, a), a, np.eye(5))


def test_public_right_sides_integers_and_shapes():
    a = np.array([[4, 1, 0], [1, 3, -1], [0, -1, 2]])
    for b in (np.array([1, 2, 3]), np.array([[1.5], [0.0], [-2.0]]), np.zeros((3, 2)), np.eye(3)):
        assert_solved(revealed(lambda s, b=b: np.linalg.solve(s, b), a), a, b)
        assert_solved(revealed(np.linalg.solve, a, b), a, b)
    assert_solved(revealed(lambda s: np.linalg.solve(s[:2, :2], [1, 2]), a), a[:2, :2], np.array([1, 2]))


def test_least_squares_on_secret_data():
    rng = np.random.default_rng(7)
    x = encoded(rng.normal(size=(60, 3)))
    y = encoded(x @ [1.0, -2.0, 0.5] + rng.normal(size=60))
    gram, right = x.T @ x, x.T @ y
    found = revealed(lambda a, b: np.linalg.solve(a.T @ a, a.T @ b), x, y, parties=3)
    exact = np.linalg.solve(gram, right)
    # each product is within a unit: what that does to the solution, to first order, comes on top
    products = UNIT * np.abs(np.linalg.inv(gram)).sum(axis=1) * (1 + np.abs(exact).sum())
    assert (np.abs(found - exact) <= 2.0**-16 * np.abs(exact).max() + UNIT + products).all()


NOT_DEFINITE = {
    "singular": np.ones((2, 2)),
    "rank 2 of 3": np.array([[2.0, 0, 2], [0, 2, 2], [2, 2, 4]]),
    "zero": np.zeros((3, 3)),
    "a row of zeros": np.diag([1.0, 0.0]),
    "indefinite": np.array([[1.0, 2.0], [2.0, 1.0]]),
    "an eigenvalue below zero": np.eye(10) - 0.12 * np.ones((10, 10)),
    "negative definite": -np.eye(2),
    "a negative diagonal": np.diag([1.0, -1.0, 1.0]),
    "a rotation": np.array([[1.0, 1.0], [-1.0, 1.0]]),
    "not symmetric": np.array([[2.0, 1.0], [0.99, 2.0]]),
    "a triangle": np.array([[2.0, 1.0], [0.0, 2.0]]),
    "a solution beyond 2^17": np.eye(2) * 2.0**-18,
    "a solution far beyond": np.array([[1.0, 1 - 1e-6], [1 - 1e-6, 1.0]]),
    "a right side beyond the matrix": np.eye(2) * 2.0**-20,
    "condition number 1e9": correlation(5, 1e9) * 1e6,
    "condition number 1e9, two columns": np.array([[1, 1 - 2e-9], [1 - 2e-9, 1]]) * 1e6,
}


@pytest.mark.parametrize("a", NOT_DEFINITE.values(), ids=NOT_DEFINITE)
def test_no_result_that_could_not_be_trusted(a):
    for parties in (2, 3):
        with pytest.raises(ModelError, match=REFUSED):
            revealed(np.linalg.solve, a, np.ones(len(a)), parties=parties)
    with pytest.raises(ModelError, match=REFUSED):
        revealed(np.linalg.inv, a)


def test_the_check_is_in_the_ledger():
    def program(party):
        np.linalg.solve(party.share(np.eye(2) if party.rank == 0 else None, 0), [1.0, 2.0])
        return [(entry.what, entry.shape, entry.to) for entry in party.gate.ledger.entries]

    check = ("check: a matrix is positive definite and well-conditioned", (1,), ("party0", "party1", "party2"))
    assert smpc.simulate(program, 3) == [[check]] * 3


@pytest.mark.parametrize(("a", "b"), [((2, 3), (2,)), ((2,), (2,)), ((2, 2), (3,)), ((2, 2), (2, 1, 1)), ((2, 2), ())])
def test_what_is_no_system_is_refused(a, b):
    with pytest.raises(ValueError, match="not a square system"):
        revealed(np.linalg.solve, np.ones(a), np.ones(b))
    with pytest.raises((ValueError, TypeError)):
        revealed(np.linalg.inv, np.ones((2, 3)))
