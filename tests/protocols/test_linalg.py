"""Inverse roots and solutions against float64, up to the condition numbers that are promised, and beyond."""

import numpy as np
import pytest
from scipy.stats import random_correlation

from protocols import local, ring
from protocols.linalg import DEVIATION_BITS, equilibrate, inverse_root, schedule, solve, solve_scaled
from protocols.prg import Prg, derive
from protocols.shares import combine, split

SEED = bytes(range(32))
BITS = 20


def shared(values, count, purpose):
    return split(ring.from_int(values), count, Prg(derive(SEED, purpose)))


def solved(a, b, count=2):
    """The joint solution of ax = b with 20 fraction bits, and whether it must not be used."""
    encoded = [np.rint(np.ldexp(np.asarray(x, float), BITS)).astype(np.int64) for x in (a, b)]
    a_shares, b_shares = shared(encoded[0], count, "a"), shared(encoded[1], count, "b")
    parts = local.run(count, lambda p: solve_scaled(p, a_shares[p.rank], b_shares[p.rank], BITS), SEED)
    x = np.ldexp(ring.to_int(combine([part[0] for part in parts])).astype(float), -BITS)
    return x, combine([part[1] for part in parts]).tolist()


def correlation(d, condition, seed=0):
    """A correlation matrix whose eigenvalues are spread evenly over the condition number."""
    values = np.logspace(0, -np.log10(condition), d)
    return random_correlation.rvs(values * d / values.sum(), random_state=seed, tol=1e-8)


def system(d, condition, seed=0):
    """[C b; bᵀ c] as integers with 62 fraction bits: an equilibrated Gram matrix, in the clear."""
    rng = np.random.default_rng(seed)
    scale = 2.0 ** -rng.uniform(0.01, 0.99, d)
    c = correlation(d, condition, seed) * np.outer(scale, scale) if d > 1 else np.array([[0.7]])
    x = np.vstack([np.linalg.cholesky(c).T, np.zeros((1, d))])
    y = x @ rng.normal(size=d)
    y *= 0.7 / np.linalg.norm(y)
    return np.rint(np.ldexp(c, 62)).astype(np.int64), np.rint(np.ldexp(x.T @ y, 62)).astype(np.int64)[:, None]


def joint(c, b, count=2):
    c_shares, b_shares = shared(c, count, "c"), shared(b, count, "r")

    def program(party):
        factor = inverse_root(party, c_shares[party.rank])
        return factor, solve(party, factor, b_shares[party.rank])

    parts = local.run(count, program, SEED)
    factors = [factor for factor, _ in parts]
    z = np.ldexp(ring.to_int(combine([f.z for f in factors])).astype(float), -24)
    deviation = np.sqrt(float(combine([f.deviation for f in factors])[0])) / 2.0**16
    beta = np.ldexp(ring.to_int(combine([beta for _, beta in parts])).astype(float), -30)
    return z / 2.0 ** (factors[0].halvings / 2), deviation, beta


def test_a_small_system():
    x, wrong = solved([[2, 1], [1, 3]], [[1], [2]])
    assert wrong == [0]
    assert np.abs(x - [[0.2], [0.6]]).max() < 2.0**-17


@pytest.mark.parametrize("count", [2, 3, 5])
@pytest.mark.parametrize(("d", "condition"), [(1, 1), (2, 10), (3, 1e5), (10, 1e2), (10, 1e5), (20, 1e5), (30, 1e4)])
def test_the_inverse_root_and_its_solution(d, condition, count):
    c, b = system(d, condition)
    z, deviation, beta = joint(c, b, count)
    inverse = np.linalg.inv(np.ldexp(c.astype(float), -62))
    assert deviation < 2.0**-DEVIATION_BITS
    assert np.abs((z @ z.T).diagonal() / inverse.diagonal() - 1).max() < 1e-6
    exact = inverse @ np.ldexp(b.astype(float), -62)
    assert (np.abs(beta - exact)[:, 0] / np.sqrt(inverse.diagonal())).max() < 2.0**-28


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("condition", [1e9, 1e11, 1e13])
def test_beyond_the_limit_the_deviation_tells(condition, seed):
    _, deviation, _ = joint(*system(8, condition, seed))
    assert deviation >= 2.0**-DEVIATION_BITS


@pytest.mark.parametrize("seed", range(10))
def test_between_the_limits_the_result_is_right_or_the_deviation_tells(seed):
    c, b = system(6, 10.0 ** (5 + seed / 2.5), seed)
    z, deviation, _ = joint(c, b)
    inverse = np.linalg.inv(np.ldexp(c.astype(float), -62))
    relative = np.abs((z @ z.T).diagonal() / inverse.diagonal() - 1).max()
    assert deviation >= 2.0**-DEVIATION_BITS or relative < 1e-4


def test_equilibration_is_exact():
    c = np.array([[5, -3, 0], [-3, 2**40, 7], [0, 7, 2**61]])
    c_shares = shared(c, 3, "c")
    parts = local.run(3, lambda p: equilibrate(p, c_shares[p.rank]), SEED)
    scaled = ring.to_int(combine([part[0] for part in parts]))
    power = combine([part[1].power(lambda s: s) for part in parts]).tolist()
    assert scaled.tolist() == [[c[i, j].item() * power[i] * power[j] for j in range(3)] for i in range(3)]
    assert all(2**60 <= scaled[i, i] < 2**62 for i in range(3))


@pytest.mark.parametrize("scale", [1e-2, 1.0, 300.0, 1e4])
@pytest.mark.parametrize("condition", [10.0, 1e3])
def test_systems_of_several_scales(scale, condition):
    rng = np.random.default_rng(1)
    a = np.rint(np.ldexp(correlation(5, condition) * scale, BITS)) / 2.0**BITS
    exact = rng.normal(size=(5, 3)) * 10
    x, wrong = solved(a, a @ exact)
    right = np.rint(np.ldexp(a @ exact, BITS)) / 2.0**BITS
    assert wrong == [0]
    error = np.abs(x - np.linalg.solve(a, right)).max(axis=0)
    assert (error < 2.0**-16 * np.abs(exact).max(axis=0) + 2.0**-18 + 2.0**-24 / np.sqrt(scale)).all()


@pytest.mark.parametrize(
    "a",
    [
        [[1, 2], [2, 1]],
        [[1, 1], [1, 1]],
        [[0, 0], [0, 1]],
        [[-1, 0], [0, 1]],
        [[1, 0.2], [0, 1]],
        [[1, 2.37], [2.37, 1]],
    ],
)
def test_what_is_not_positive_definite_is_told(a):
    _, wrong = solved(a, np.eye(2))
    assert wrong == [1]


def test_no_indefinite_matrix_is_accepted():
    """Where the iteration diverges, words wrap; what comes out must not pass for a small deviation by chance."""
    for r in np.random.default_rng(0).uniform(1.2, 3, 300):
        assert solved([[1, r], [r, 1]], [[1], [1]])[1] == [1]


@pytest.mark.parametrize(
    ("diagonal", "right"),
    [(1e6, 1e10), (1e-3, 1e3), (2.0**-19, 1.0), (1.0, 2.0**18)],
)
def test_what_does_not_fit_is_told(diagonal, right):
    """A right-hand side too large for the matrix, a solution of 2^17 or more, a matrix too small for its digits."""
    x, wrong = solved(np.eye(2) * diagonal, [[right], [right / 2]])
    encoded = np.rint(np.ldexp(diagonal, BITS)) / 2.0**BITS
    exact = np.array([[right], [right / 2]]) / encoded
    assert wrong == [1] or np.abs(x / exact - 1).max() < 1e-3


def test_the_largest_that_fits():
    x, wrong = solved(np.eye(2), [[60_000.0], [-1.0]])
    assert wrong == [0]
    assert np.abs(x - [[60_000.0], [-1.0]]).max() < 60_000 * 2.0**-18


@pytest.mark.parametrize("smallest", [1.0, 0.3, 1e-2, 1e-4])
def test_the_schedule_takes_every_eigenvalue_to_one(smallest):
    x = np.geomspace(smallest, 1, 1000)
    for alpha, gamma in schedule(smallest):
        x = x * (alpha / 8 - gamma / 8 * x**2)
        assert x.max() < 1.02
    assert np.abs(x - 1).max() < 2.0**-20


def test_rounds_do_not_depend_on_the_size():
    def rounds(d):
        parties = local.parties(2, SEED)
        c_shares = shared(np.eye(d, dtype=np.int64) << 61, 2, "c")
        local.run_all(parties, lambda p: inverse_root(p, c_shares[p.rank]))
        return parties[0].rounds

    assert rounds(9) == rounds(16)
