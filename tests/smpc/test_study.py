"""Linear studies beside the pooled fit in float64: real data and synthetic, rows and columns, ordinary and ridge.

The promise: coefficients within 0.001 of their own standard error, standard errors within 0.1 %, p-values within
0.001. What is asserted is 20 times as strict wherever ranges are declared with sense.
"""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.smpc.studies import correlated, diabetes, fit_data, ridge

SPLITS = [("rows", 2), ("rows", 3), ("rows", 5), ("columns", 2), ("columns", 3)]
PROMISE = 1e-3
SENSIBLE = PROMISE / 20


def assert_right(run, expected, bound=SENSIBLE):
    """`run`'s first receiver read what `expected` says."""
    result = run.results[0]
    assert (np.abs(result.coefficients - expected.coefficients) / expected.errors).max() < bound
    assert np.abs(result.standard_errors / expected.errors - 1).max() < bound
    assert np.abs(result.p_values - expected.p_values).max() < bound
    assert abs(result.degrees_of_freedom / expected.freedom - 1) < bound
    assert abs((1 - result.r_squared) / (1 - expected.r_squared) - 1) < bound
    assert abs(result.residual_standard_error / expected.residual_error - 1) < bound


def test_a_study():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 2))
    y = 1 + x @ [2.0, -3.0] + rng.normal(size=60)
    assert_right(fit_data(x, y, parties=3, split="rows"), ridge(x, y, 0))


# The oracle itself


def test_the_oracle_is_statsmodels_and_scikit_learn():
    x, y, _ = diabetes()
    ours, theirs = ridge(x, y, 0), sm.OLS(y, sm.add_constant(x)).fit()
    np.testing.assert_allclose(ours.coefficients, theirs.params, rtol=1e-9)
    np.testing.assert_allclose(ours.errors, theirs.bse, rtol=1e-9)
    np.testing.assert_allclose(ours.p_values, theirs.pvalues, rtol=1e-6)
    assert (ours.freedom, ours.r_squared) == pytest.approx((theirs.df_resid, theirs.rsquared), rel=1e-12)
    assert ours.residual_error == pytest.approx(np.sqrt(theirs.scale), rel=1e-12)
    model = make_pipeline(StandardScaler(), Ridge(alpha=7.0)).fit(x, y)
    np.testing.assert_allclose(
        x @ ridge(x, y, 7.0).coefficients[1:] + ridge(x, y, 7.0).coefficients[0], model.predict(x)
    )


# Real data


@pytest.mark.parametrize(("split", "parties"), [("rows", 3), ("columns", 2)])
def test_twenty_runs_of_twenty_on_diabetes(split, parties):
    x, y, ranges = diabetes()
    expected = ridge(x, y, 0)
    for _ in range(20):
        assert_right(fit_data(x, y, parties=parties, split=split, ranges=ranges), expected)


@pytest.mark.parametrize(("split", "parties"), SPLITS)
@pytest.mark.parametrize("penalty", [None, 1e-3, 1.0, 50.0, 5000.0, 50_000.0])
def test_ordinary_and_ridge_on_diabetes(split, parties, penalty):
    x, y, ranges = diabetes()
    run = fit_data(x, y, parties=parties, split=split, ranges=ranges, penalty=penalty)
    assert_right(run, ridge(x, y, penalty or 0), PROMISE if penalty == 50_000 else SENSIBLE)


def test_all_that_a_statistician_reads():
    x, y, ranges = diabetes()
    result = fit_data(x, y, ranges=ranges).results[0]
    theirs = sm.OLS(y, sm.add_constant(x)).fit()
    assert result.names == ("intercept", *(f"x{number}" for number in range(10)))
    assert (result.rows, result.degrees_of_freedom) == (442, theirs.df_resid)
    width = np.ptp(theirs.conf_int(), axis=1)[:, None]
    assert (np.abs(result.confidence_intervals - theirs.conf_int()) < SENSIBLE * width).all()
    assert (np.abs(result.statistics - theirs.tvalues) < SENSIBLE * (1 + np.abs(theirs.tvalues))).all()
    assert abs(result.f_statistic / theirs.fvalue - 1) < SENSIBLE
    assert abs(np.log(result.f_p_value) / np.log(theirs.f_pvalue) - 1) < SENSIBLE


# Hard data


@pytest.mark.parametrize(("split", "parties"), [("rows", 3), ("columns", 2)])
@pytest.mark.parametrize("condition", [1e2, 1e4, 1e5])
@pytest.mark.parametrize("features", [2, 5, 20])
def test_condition_numbers(condition, features, split, parties):
    x = correlated(500, features, condition, seed=features)
    assert np.linalg.cond(np.corrcoef(x.T)) == pytest.approx(condition, rel=1e-6)
    rng = np.random.default_rng(1)
    y = x @ rng.normal(size=features) + rng.normal(size=500)
    assert_right(fit_data(x, y, split=split, parties=parties), ridge(x, y, 0))


@pytest.mark.parametrize(("split", "parties"), SPLITS)
@pytest.mark.parametrize("condition", [10, 1e5])
def test_scales_that_differ_by_a_million(split, parties, condition):
    scales = np.geomspace(1e-3, 1e3, 5)
    x = (correlated(300, 5, condition, seed=3) + 2) * scales
    y = 1e4 * (x / scales @ [1.0, -2.0, 0.5, 3.0, 0.0] + np.random.default_rng(2).normal(size=300)) + 7e4
    assert_right(fit_data(x, y, split=split, parties=parties), ridge(x, y, 0))


@pytest.mark.parametrize("seed", range(6))
def test_any_sensible_data(seed):
    rng = np.random.default_rng(seed)
    features, parties = int(rng.integers(1, 8)), int(rng.integers(2, 5))
    rows = int(rng.integers(features + 10, 200))
    x = rng.standard_t(4, size=(rows, features)) * 10.0 ** rng.integers(-4, 5, size=features)
    x[:, 0] = rng.integers(0, 2, size=rows)  # a yes or no
    y = x @ (rng.normal(size=features) / x.std(axis=0)) + rng.exponential(size=rows)
    penalty = None if seed % 2 else float(rng.exponential() * 10)
    split = "columns" if features + 1 >= parties and seed % 3 else "rows"
    assert_right(fit_data(x, y, parties=parties, split=split, penalty=penalty), ridge(x, y, penalty or 0))


@pytest.mark.parametrize("split", ["rows", "columns"])
@pytest.mark.parametrize("width", [3, 30, 300, 1000])
def test_ranges_wider_than_the_data(width, split):
    """In standard deviations; the promise holds up to a thousand."""
    rng = np.random.default_rng(4)
    x = rng.normal(size=(200, 3))
    x = np.clip(x, -1.4, 1.4) / np.clip(x, -1.4, 1.4).std(axis=0) + [0, 5, -2]
    y = np.clip(x.sum(axis=1) + rng.normal(size=200), -4, 10)
    data = np.column_stack([x, y])
    centre, half = (
        (data.max(axis=0) + data.min(axis=0)) / 2,
        np.maximum(width * data.std(axis=0) / 2, np.ptp(data, axis=0) / 2),
    )
    ranges = [(float(c - h), float(c + h)) for c, h in zip(centre, half, strict=True)]
    assert_right(fit_data(x, y, split=split, ranges=ranges), ridge(x, y, 0), PROMISE if width > 30 else SENSIBLE)


@pytest.mark.parametrize("split", ["rows", "columns"])
def test_columns_far_from_zero(split):
    """Years, say: the origin, where the intercept is, is hundreds of standard deviations away."""
    rng = np.random.default_rng(5)
    x = np.column_stack([2000 + rng.integers(0, 25, size=150), rng.normal(size=150)])
    y = 0.3 * (x[:, 0] - 2010) + x[:, 1] + rng.normal(size=150)
    ranges = [(1990.0, 2030.0), (-5.0, 5.0), (-40.0, 40.0)]
    assert_right(fit_data(x, y, split=split, ranges=ranges), ridge(x, y, 0))


@pytest.mark.parametrize("explained", [1e-6, 0.5, 0.999, 1 - 1e-4])
def test_how_well_it_fits(explained):
    rng = np.random.default_rng(6)
    q, _ = np.linalg.qr(np.column_stack([np.ones(100), rng.normal(size=(100, 4))]))
    x, noise = q[:, 1:4], q[:, 4]
    y = np.sqrt(explained) * q[:, 1] + np.sqrt(1 - explained) * noise
    expected = ridge(x, y, 0)
    assert expected.r_squared == pytest.approx(explained, rel=1e-9)
    assert_right(fit_data(x, y), expected, PROMISE)


# Splits that are uneven


def test_as_few_rows_as_can_be():
    rng = np.random.default_rng(7)
    x = rng.normal(size=(6, 4))
    y = rng.normal(size=6)
    for split, parties in SPLITS[:2] + SPLITS[3:]:
        assert_right(fit_data(x, y, split=split, parties=parties, minimum_rows=1), ridge(x, y, 0))


def test_a_column_that_is_constant_at_one_party_only():
    rng = np.random.default_rng(8)
    x = rng.normal(size=(90, 2))
    x[:30, 1] = 0.5  # the whole first part
    y = x.sum(axis=1) + rng.normal(size=90)
    y[30:60] = 1.0
    assert_right(fit_data(x, y, parties=3), ridge(x, y, 0))


def test_p_values_far_in_the_tail():
    x, y, ranges = diabetes()
    result = fit_data(x, y, ranges=ranges).results[0]
    exact = 2 * stats.t.sf(np.abs(result.statistics), result.degrees_of_freedom)
    np.testing.assert_allclose(result.p_values, exact, rtol=1e-9)
