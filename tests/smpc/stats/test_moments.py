"""Means, variances, covariances and quartiles, against NumPy, pandas and SciPy on real data."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats as scipy_stats
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris

from smpc import stats
from smpc.errors import ModelError
from tests.smpc.stats.joint import WAYS, ask, held, run

TUMOURS = load_breast_cancer().data[:, [0, 3, 4]]
BOUNDS = [(0, 32), (0, 4096), (0, 0.25)]
NAMES = ["radius", "area", "smoothness"]
COLUMNS = list(zip(TUMOURS.T, BOUNDS, strict=True))


def named(*columns):
    return dict(zip(NAMES, columns, strict=True))


def unit(rows, bounds):
    """u of the docstring."""
    return (bounds[1] - bounds[0]) * 2.0 ** (1 - (62 - int(np.ceil(np.log2(rows)))) // 2)


def test_a_table_like_that_of_pandas():
    iris = load_iris(as_frame=True).data.iloc[:, :2]
    found = ask(lambda a, b: stats.describe({"length": a, "width": b}), *((iris[c].to_numpy(), 16) for c in iris))
    expected = iris.describe().set_axis(["length", "width"], axis=1)
    np.testing.assert_allclose(pd.DataFrame(found.to_dict()).to_numpy(), expected.to_numpy(), atol=2e-6)
    assert str(found).splitlines()[1].split() == ["count", "150", "150"]
    assert [line.split()[0] for line in str(found).splitlines()[1:]] == list(expected.index)


@pytest.mark.parametrize(("parties", "preprocessing"), WAYS)
def test_covariances_on_any_number_of_parties(parties, preprocessing):
    found = ask(lambda *x: stats.covariance(named(*x)), *COLUMNS, parties=parties, preprocessing=preprocessing)
    data, u = held(TUMOURS), np.array([unit(569, one) for one in BOUNDS])
    std = data.std(axis=0, ddof=1)
    assert found.count == 569
    np.testing.assert_allclose(found.mean, data.mean(axis=0), rtol=1e-14)
    assert (np.abs(found.std - std) <= 3 * u).all()
    bound = np.multiply.outer(u, std) + np.multiply.outer(std, u) + 5 * np.multiply.outer(u, u)
    assert (np.abs(found.covariance - np.cov(data.T)) <= bound).all()
    np.testing.assert_allclose(found.correlation, np.corrcoef(data.T), atol=4 * (u / std).max())


def test_p_values_of_correlations():
    data = load_diabetes(scaled=False)
    columns = [data.data[:, 2], data.target]
    found = ask(lambda x, y: stats.covariance({"bmi": x, "y": y}), *((one, (0, 512)) for one in columns))
    expected = scipy_stats.pearsonr(*columns)
    assert found.correlation[0, 1] == pytest.approx(expected.statistic, abs=1e-6)
    assert found.p_values[0, 1] == pytest.approx(expected.pvalue, rel=1e-3)
    assert found.p_values[0, 0] == 0


def test_integers_and_truth_values():
    ages = np.array([30, 41, 29, 77, 54, 54])
    columns = (ages, (0, 120)), (ages > 40, None)
    found = ask(lambda x, y: stats.covariance({"age": x, "old": y}, minimum=2), *columns)
    np.testing.assert_allclose(found.covariance, np.cov(ages, ages > 40), rtol=1e-12)
    assert found.mean.tolist() == [ages.mean(), (ages > 40).mean()]


def test_a_column_that_does_not_vary():
    found = ask(lambda x, y: stats.covariance({"x": x, "y": y}), (np.full(8, 2.5), 16), (np.arange(8.0), 16))
    assert found.std[0] == pytest.approx(0, abs=1e-6)
    described = ask(stats.describe, (np.full(8, 2.5), 16))
    assert described.to_dict()["0"] | {"std": 0.0} == {
        "count": 8, "mean": 2.5, "std": 0.0, "min": 2.5, "25%": 2.5, "50%": 2.5, "75%": 2.5, "max": 2.5
    }  # fmt: skip


def test_what_is_opened_and_sent_depends_on_shapes_alone():
    other = np.random.default_rng(1).permuted(TUMOURS, axis=0)
    first, second = (
        run(lambda *x: stats.describe(named(*x)).reveal(), *zip(data.T, BOUNDS, strict=True))
        for data in (TUMOURS[:64], other[:64])
    )
    assert first.shape == second.shape
    assert first.opened == [("reveal 1", (3 + 3 + 15,))]


def test_only_who_is_told_learns():
    found = run(lambda x: stats.covariance(x).reveal("party1"), (np.arange(9.0), 16))
    assert found.results[0] is None
    assert found.results[1].mean == 4


def test_too_few_people():
    with pytest.raises(ModelError, match="4 people, and at least 5"):
        ask(stats.describe, (np.arange(4), 8))
    assert ask(lambda x: stats.describe(x, minimum=2), (np.arange(4), 8)).mean == 1.5


@pytest.mark.parametrize(("ill", "fine"), [(4, False), (5, True), (45, True), (46, False)])
def test_a_mean_that_is_a_small_count(ill, fine):
    column = ((np.arange(50) < ill).astype(int), (0, 1))
    if fine:
        assert ask(stats.describe, column).mean == ill / 50
        return
    for function in (stats.describe, stats.covariance, stats.ttest_1samp):
        with pytest.raises(ModelError, match="fewer people"):
            ask(function, column)
    assert ask(lambda x: stats.describe(x, minimum=1), column).mean == ill / 50


def test_a_covariance_that_is_a_table():
    one, three = np.arange(60) % 2, np.arange(60) // 20
    for other, fine in ((three, True), (np.where(three == 2, one, three), False)):
        columns = (one, (0, 1)), (other, (0, 2))
        if fine:
            ask(lambda x, y: stats.covariance({"x": x, "y": y}), *columns)
            continue
        with pytest.raises(ModelError, match="fewer people"):
            ask(lambda x, y: stats.covariance({"x": x, "y": y}), *columns)


def test_columns_of_different_length():
    with pytest.raises(ValueError, match="columns of one length"):
        ask(lambda x, y: stats.describe({"x": x, "y": y}), (np.arange(6), 8), (np.arange(7), 8))
    with pytest.raises(ValueError, match="not of shape"):
        ask(stats.describe, (np.zeros((6, 2, 2)), 8))


def test_quartiles_that_give_away_the_extremes():
    def middle(x, minimum=5):
        return stats.describe(x, minimum=minimum, extremes=False)

    with pytest.raises(ModelError, match="19 people, and at least 20"):
        ask(middle, (np.arange(19), 32))
    assert ask(middle, (np.arange(20), 32)).quantiles.shape == (3, 1)
    assert ask(lambda x: middle(x, 1), (np.arange(5), 8)).quantiles[1] == 2


@pytest.mark.parametrize("seed", range(5))
def test_columns_that_do_not_vary(seed):
    rng = np.random.default_rng(seed)
    columns = [(np.full(20, value), bounds) for value, bounds in ((3, (0, 10)), (3.3, (0.0, 10.0)), (7.7, (7.0, 8.0)))]
    columns.append((rng.uniform(size=20), (0.0, 100.0)))
    found = ask(lambda *x: stats.covariance({str(at): one for at, one in enumerate(x)}), *columns)
    assert np.isnan(found.correlation[:3]).all()
    assert found.correlation[3, 3] == pytest.approx(1)
    assert np.isnan(found.p_values[0, 3])
