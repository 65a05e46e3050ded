"""Attacks on generalized linear models that were found once: each test states a promise that was broken."""

from __future__ import annotations

import math

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import special

from protocols import fixedpoint
from protocols.shares import combine
from smpc import study_glm
from smpc.errors import SmpcError
from smpc.models import glm
from smpc.trust import trust_statement
from tests.smpc.scored import FAMILIES, penalized
from tests.smpc.studies import SEED, divided, fit, manifest


def run(model, x, y, *, x_ranges=None, y_range=None, w=None, w_range=None, o=None, o_range=None, seed=SEED, **options):
    """What the receiver reads; raises what the first party raised."""
    names = [*(f"x{j}" for j in range(x.shape[1])), "y"]
    ranges = list(x_ranges or zip(x.min(axis=0).tolist(), x.max(axis=0).tolist(), strict=True))
    ranges.append(y_range or {"logistic": (0.0, 1.0), "poisson": (0.0, float(y.max()))}.get(
        model, (float(y.min()) * 0.9, float(y.max()))))  # fmt: skip
    columns = [x, y]
    for key, values, declared in (("weights", w, w_range), ("offset", o, o_range)):
        if values is not None:
            options[key], names = key, [*names, key]
            ranges.append(declared or (0.0 if key == "weights" else float(values.min()) - 1, float(values.max())))
            columns.append(values)
    a_manifest = manifest(names[: x.shape[1]], ranges, 2, model=model, **options)
    try:
        return fit(a_manifest, divided(np.column_stack(columns), names, 2), seed=seed).results[0]
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from None


def answer(*args, **options):
    """A result, or None for a typed refusal. A traceback of any other kind goes through."""
    try:
        return run(*args, **options)
    except SmpcError:
        return None


def expected(model, x, y, w=None, o=None):
    found = sm.GLM(y, sm.add_constant(x), family=FAMILIES[model], offset=o, freq_weights=w)
    return found.fit(tol=1e-13, maxiter=200)


def assert_right(found, wanted, *, fit=True):
    assert np.abs((found.coefficients - wanted.params) / wanted.bse).max() <= 0.01
    assert np.abs(found.standard_errors / wanted.bse - 1).max() <= 0.01
    if fit:
        assert found.deviance == pytest.approx(wanted.deviance, rel=1e-3)


# A wrong number: variance of the intercept at a far origin wraps (above 2^60 in `_scale_back`), unchecked


def test_intercept_error_far_origin_rare_class():
    rng = np.random.default_rng(1)
    n, d = 5000, 5
    x = np.clip(rng.normal(size=(n, d)) * 0.25, -1, 1)
    x[:, 0] += 250
    y = np.zeros(n)
    y[rng.permutation(n)[:50]] = 1
    found = answer("logistic", x, y, x_ranges=[(249.0, 251.0), *[(-1.0, 1.0)] * 4], iterations=14)
    if found:
        assert_right(found, expected("logistic", x, y))


@pytest.mark.parametrize("seed", range(6))
def test_intercept_error_of_calendar_years(seed):
    rng = np.random.default_rng(seed)
    n, d = 3000, 9
    x = rng.normal(size=(n, d)).clip(-5, 5)
    x[:, 0] = rng.integers(2000, 2021, n)
    y = rng.poisson(np.exp(-2 + 0.03 * (x[:, 0] - 2010) + 0.3 * x[:, 1])).astype(float)
    ranges = [(2000.0, 2020.0), *[(-5.0, 5.0)] * (d - 1)]
    found = answer("poisson", x, y, x_ranges=ranges, y_range=(0.0, 64.0), iterations=14)
    if found:
        assert_right(found, expected("poisson", x, y))


# A wrong number: V - VPV cancels where a feature has (almost) no information beside its penalty


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("weight", [0.0, 1e-5])
def test_penalty_and_feature_without_weight(weight, seed):
    rng = np.random.default_rng(seed)
    n = 2000
    x = np.column_stack([rng.uniform(size=n) < 0.1, rng.normal(size=n)]).astype(float)
    y = (rng.uniform(size=n) < special.expit(0.5 * x[:, 1] + x[:, 0])).astype(float)
    w = np.where(x[:, 0] == 1, weight, 1.0)
    found = answer("logistic", x, y, w=w, penalty=0.1 * n / 4, iterations=20)
    if found is None:
        return
    if weight == 0:
        assert not (found.p_values[1] < 0.5), "no row with x0 = 1 counts, and x0 is called significant"
        return
    z = (x - x.mean(axis=0)) / x.std(axis=0)
    design, ridge = np.column_stack([np.ones(n), z]), np.diag([0.0, n / 40, n / 40])
    beta = np.zeros(3)
    for _ in range(60):
        mu = special.expit(design @ beta)
        inner = design.T @ ((w * mu * (1 - mu))[:, None] * design)
        beta += np.linalg.solve(inner + ridge, design.T @ (w * (y - mu)) - ridge @ beta)
    inverse = np.linalg.inv(inner + ridge)
    errors = np.sqrt(np.diag(inverse @ inner @ inverse))[1:] / x.std(axis=0)
    assert np.abs(found.standard_errors[1:] / errors - 1).max() <= 0.01


# A wrong number: Gamma amounts that hardly vary about their mean; Pearson's residuals have 12 bits, eta 20


@pytest.mark.parametrize("dispersion", [1e-6, 1e-7, 1e-8, 1e-10])
def test_gamma_of_small_dispersion(dispersion):
    rng = np.random.default_rng(2)
    x = rng.normal(size=(400, 2))
    y = rng.gamma(1 / dispersion, dispersion * np.exp(3 + 0.5 * x[:, 0]))
    if found := answer("gamma", x, y):
        wanted = expected("gamma", x, y)
        assert_right(found, wanted)
        assert found.dispersion == pytest.approx(wanted.scale, rel=0.01)


# A wrong number, or ZeroDivisionError at the receiver: sums of one and of log y have the bits of the sum of y


@pytest.mark.parametrize("unit", [1e13, 1e14, 1e16, 1e18])
def test_gamma_of_large_amounts(unit):
    rng = np.random.default_rng(9)
    x = rng.normal(size=(5000, 2))
    y = rng.gamma(2, np.exp(0.5 * x[:, 0]))
    if found := answer("gamma", x, y * unit):
        wanted = expected("gamma", x, y)
        assert np.abs(found.standard_errors / wanted.bse - 1).max() <= 0.01
        assert found.deviance == pytest.approx(wanted.deviance, rel=1e-4)


# A wrong number: NaN where frequency weights add up to less than the number of coefficients


def test_gamma_with_weights_that_sum_to_one():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(400, 2))
    y, w = rng.gamma(2, np.exp(0.5 * x[:, 0])), rng.uniform(0.5, 1, 400) / 400
    if found := answer("gamma", x, y, w=w):
        assert np.isfinite(found.standard_errors).all()
        assert math.isfinite(found.aic)


# A wrong number: Poisson with large counts; rounding of X̂, invisible to S, is beyond 0.01 standard errors


@pytest.mark.parametrize(("n", "top", "spread"), [(6000, 1e5, 3), (1000, 1e6, 3), (100, 1e8, 3), (100, 1e7, 1)])
def test_poisson_of_large_counts(n, top, spread):
    rng = np.random.default_rng(3)
    x = rng.normal(size=(n, 2)).clip(-2.5, 2.5)
    eta = spread * x[:, 0]
    y = rng.poisson(np.exp(eta + np.log(top) - eta.max())).astype(float)
    if found := answer("poisson", x, y, iterations=20):
        assert_right(found, expected("poisson", x, y))


def test_poisson_deviance_of_large_counts_that_fit_well():
    """Rounded off units of y are added up: the deviance may come out negative."""
    rng = np.random.default_rng(4)
    x = rng.normal(size=(200, 2))
    y = np.floor(np.exp(9 + 0.3 * x[:, 0]))
    if found := answer("poisson", x, y, iterations=12):
        assert found.deviance == pytest.approx(expected("poisson", x, y).deviance, abs=0.01)


# A wrong number: before the optimum, deviances and AIC lack what is zero at the optimum only


@pytest.mark.parametrize("model", ["poisson", "gamma"])
def test_deviance_where_the_step_is_told(model):
    rng = np.random.default_rng(4)
    x = rng.normal(size=(2000, 2))
    y = rng.poisson(np.exp(3 + 0.7 * x[:, 0])).astype(float) if model == "poisson" else rng.gamma(1, np.exp(x[:, 0]))
    found = answer(model, x, y, iterations=2 if model == "poisson" else 3, convergence="step")
    if found is None:
        return
    mu = np.exp(found.coefficients[0] + x @ found.coefficients[1:])
    own = special.xlogy(y, y / mu) - (y - mu) if model == "poisson" else y / mu - 1 - np.log(y / mu)
    assert found.deviance == pytest.approx(2 * own.sum(), rel=1e-3)


# A wrong number that the certificate lets through: S is measured by V, standard errors are those of V - VPV


def test_distance_to_the_optimum_with_a_penalty(monkeypatch):
    rng = np.random.default_rng(15)
    n = 10000
    x, y = rng.normal(size=(n, 2)), np.zeros(n)
    y[rng.permutation(n)[:20]] = 1
    wanted, iterate = penalized(x, y, n / 4), glm.Scoring.run
    for number in range(12):
        off = np.array([0.0, 1.0, 1.0]) * rng.normal(size=3) * 10 ** rng.uniform(-4.2, -3.2)
        monkeypatch.setattr(
            glm.Scoring, "run", lambda self, count, off=off: iterate(self, count) + fixedpoint.encode(off, 24)
        )
        if found := answer("logistic", x, y, penalty=n / 4, iterations=20):
            assert np.abs((found.coefficients - wanted.coefficients) / wanted.errors).max() <= 0.01, number


# Tracebacks


@pytest.mark.parametrize(
    ("model", "options"),
    [
        ("poisson", {"y_range": (0.0, 1e9)}),  # negative shift count, of the bound for S
        ("logistic", {"w_range": (0.0, 1e10)}),
        ("poisson", {"y_range": (0.0, 1e6), "w_range": (0.0, 1e6)}),
        ("logistic", {"o": 1e14}),  # "a value is 2^44 or more"
        ("poisson", {"o": 1e13}),
    ],
)
def test_no_traceback(model, options):
    rng = np.random.default_rng(5)
    x = rng.normal(size=(400, 2))
    y = rng.poisson(2.0, 400).astype(float)
    y = y.clip(0, 1) if model == "logistic" else y
    options = dict(options)
    if "w_range" in options:
        options["w"] = rng.uniform(0.5, 1, 400)
    if "o" in options:
        options["o"] = options["o"] * rng.uniform(-1, 1, 400)
    answer(model, x, y, **options)


def test_no_traceback_for_a_constant_amount():
    """Raised at the receiver alone, after the release."""
    x = np.random.default_rng(6).normal(size=(80, 2))
    answer("gamma", x, np.full(80, 2.0), y_range=(1.0, 3.0))


# Refusals with a wrong reason


def test_offset_is_not_separation():
    """Everybody is on the right side by the offset alone; the likelihood has a maximum."""
    rng = np.random.default_rng(7)
    x, y = rng.normal(size=(300, 2)), (rng.uniform(size=300) < 0.5).astype(float)
    o = 3 * (2 * y - 1)
    found = run("logistic", x, y, o=o, iterations=12)
    assert_right(found, expected("logistic", x, y, o=o))


def test_one_tiny_amount():
    """`Gamma.argument` says that log y/μ below -16 makes no difference; it is refused as not converged."""
    rng = np.random.default_rng(8)
    x, y = rng.normal(size=(300, 2)), rng.gamma(2, 1, 300)
    y[0] = 1e-8
    found = run("gamma", x, y, iterations=20)
    assert_right(found, expected("gamma", x, y))


# Leaks


def test_released_errors_do_not_tell_the_shift(monkeypatch):
    """The lowest s bits are filled at random; bits above are zeros if the root in `sqrt` was shifted up."""
    rng = np.random.default_rng(2)
    n = 6000
    z = rng.normal(size=n)
    x, y, seen = np.column_stack([z, z + 0.1 * rng.normal(size=n)]), np.zeros(n), []
    y[rng.permutation(n)[:8]] = 1
    figures = study_glm.figures
    monkeypatch.setattr(
        study_glm, "figures", lambda p, k, f, *rest: (seen.append(f.raw.errors), figures(p, k, f, *rest))[1]
    )
    for number in range(16):
        run("logistic", x, y, x_ranges=[(-288.0, 288.0)] * 2, iterations=25, seed=bytes([number]) * 32)
    words = np.array([combine(seen[at : at + 2]) for at in range(0, len(seen), 2)])
    constant = [bit for bit in range(16) if len(set(((words[:, 0] >> np.uint64(bit)) & np.uint64(1)).tolist())) == 1]
    assert not constant, f"bit {constant} of every run's standard error is the same: the shift is {constant[0]}"


def test_what_the_fit_of_counts_tells_is_said():
    """Σy, Σ y log y and Σ log y!, even rounded, are sums that hardly two sets of counts share."""
    counts = manifest(["a"], [(-1.0, 1.0), (0.0, 15.0)], 2, model="poisson")
    assert "how often each count occurs" in " ".join(trust_statement(counts))
    fewer = manifest(["a"], [(-1.0, 1.0), (0.0, 15.0)], 2, model="poisson", outputs=["coefficients"])
    assert "each count" not in " ".join(trust_statement(fewer))
