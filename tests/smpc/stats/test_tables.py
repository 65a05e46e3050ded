"""Counts, contingency tables and Pearson's test, against NumPy, pandas and SciPy on real data."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2_contingency
from sklearn.datasets import load_diabetes, load_wine
from statsmodels.datasets import anes96, fair

from smpc import stats
from smpc.errors import ModelError
from smpc.stats.cells import HIDDEN
from tests.smpc.stats.joint import WAYS, ask, run

SURVEY = anes96.load_pandas().data
EDUCATION, INCOME = (SURVEY[name].to_numpy().astype(int) for name in ("educ", "income"))
VOTE = SURVEY["vote"].to_numpy().astype(int)
AFFAIRS = fair.load_pandas().data.iloc[::10]
MARRIED = AFFAIRS["rate_marriage"].to_numpy().astype(int)
CHILDREN = AFFAIRS["affairs"].to_numpy() > 0
PAIRS = {
    "anes96": (EDUCATION, (1, 7), [1, 2, 3, 4, 5, 6, 7], VOTE, (0, 1), 2),
    "fair": (MARRIED, (1, 5), [1, 2, 3, 4, 5], CHILDREN, None, 2),
}


def pearson(rows, columns, minimum=1):
    counts = pd.crosstab(rows, columns).to_numpy()
    return counts, chi2_contingency(counts, correction=False)


def test_a_table_of_two_columns():
    rows, row_bounds, row_codes, columns, column_bounds, k = PAIRS["anes96"]
    found = ask(
        lambda a, b: stats.crosstab(a, b, (row_codes, k), minimum=3), (rows, row_bounds), (columns, column_bounds)
    )
    counts, expected = pearson(rows, columns)
    np.testing.assert_array_equal(found.counts, counts)
    np.testing.assert_allclose(found.expected, expected.expected_freq, rtol=1e-14)
    assert found.test.statistic == pytest.approx(expected.statistic, rel=1e-12)
    assert found.test.degrees_of_freedom == expected.dof
    assert found.test.p_value == pytest.approx(expected.pvalue, rel=1e-9)
    assert str(found).splitlines()[1].split() == ["1", *map(str, counts[0])]


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize(("parties", "preprocessing"), WAYS)
def test_a_statistic_without_its_table(name, parties, preprocessing):
    rows, row_bounds, row_codes, columns, column_bounds, k = PAIRS[name]
    found = ask(
        lambda a, b: stats.chi2_contingency(a, b, (row_codes, k), minimum=2),
        (rows, row_bounds),
        (columns, column_bounds),
        parties=parties,
        preprocessing=preprocessing,
    )
    _, expected = pearson(rows, columns)
    error = 2.0**-27 * np.sqrt(len(row_codes) * k * len(rows) * expected.statistic)
    assert found.statistic == pytest.approx(expected.statistic, abs=error)
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-4)
    assert found.degrees_of_freedom == expected.dof


def test_columns_that_are_independent():
    rows, columns = np.repeat([0, 1], 20), np.tile([0, 1], 20)
    found = ask(lambda a, b: stats.chi2_contingency(a, b, (2, 2)), (rows, (0, 1)), (columns, (0, 1)))
    assert found.statistic == pytest.approx(0, abs=1e-7)
    assert found.p_value == pytest.approx(1, abs=1e-3)


def test_a_table_with_hidden_cells_has_no_statistic():
    rows, columns = np.repeat([0, 1, 2], [40, 30, 20]), np.r_[np.repeat([0, 1], [37, 3]), np.tile([0, 1], 25)]
    found = ask(lambda a, b: stats.crosstab(a, b, (3, 2)), (rows, (0, 2)), (columns, (0, 1)))
    assert found.counts.tolist() == [[HIDDEN, HIDDEN], [15, 15], [10, 10]]
    assert np.isnan([*found.expected.ravel(), found.test.statistic, found.test.p_value]).all()
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["counts"][0] == [None, None]
    assert str(found).splitlines()[1].split() == ["0", "-", "-"]
    assert ask(lambda a, b: stats.crosstab(a, b, (3, 2), minimum=3), (rows, (0, 2)), (columns, (0, 1))).complete


def test_what_is_opened_of_a_table_is_its_cells():
    rows, columns = np.repeat([0, 1], 20), np.tile([0, 1], 20)
    table = run(lambda a, b: stats.crosstab(a, b, (2, 2)).reveal(), (rows, (0, 1)), (columns, (0, 1)))
    assert table.opened == [("reveal 1", (4,))]
    test = run(lambda a, b: stats.chi2_contingency(a, b, (2, 2)).reveal(), (rows, (0, 1)), (columns, (0, 1)))
    assert test.opened == [("check: every group has enough people", (1,)), ("reveal 1", (1,))]


def test_messages_depend_on_shapes_alone():
    def program(a, b):
        return stats.crosstab(a, b, (3, 2)).reveal(), stats.chi2_contingency(a, b, (3, 2), minimum=1).reveal()

    random = np.random.default_rng(3)
    data = [(random.permutation(np.arange(50) % 3), random.permutation(np.arange(50) % 2)) for _ in range(2)]
    data.append((np.repeat([0, 1, 2], [47, 2, 1]), np.repeat([1, 0, 1], [40, 9, 1])))
    runs = [run(program, (a, (0, 2)), (b, (0, 1))) for a, b in data]
    assert runs[0].shape == runs[1].shape == runs[2].shape


def test_an_empty_category():
    rows, columns = np.repeat([0, 2], 20), np.tile([0, 1], 20)
    found = ask(lambda a, b: stats.crosstab(a, b, (3, 2), minimum=1), (rows, (0, 2)), (columns, (0, 1)))
    assert found.counts.tolist() == [[10, 10], [0, 0], [10, 10]]
    assert np.isnan(found.test.statistic)
    with pytest.raises(ModelError, match="a group or category has fewer people"):
        ask(lambda a, b: stats.chi2_contingency(a, b, (3, 2), minimum=1), (rows, (0, 2)), (columns, (0, 1)))


@pytest.mark.parametrize(("people", "enough"), [(4, False), (5, True), (6, True)])
def test_a_cell_at_the_minimum(people, enough):
    rows, columns = np.repeat([0, 1], [30, 30]), np.r_[np.repeat([0, 1], [people, 30 - people]), np.arange(30) % 2]
    if enough:
        ask(lambda a, b: stats.chi2_contingency(a, b, (2, 2)), (rows, (0, 1)), (columns, (0, 1)))
        return
    with pytest.raises(ModelError, match="join it with another"):
        ask(lambda a, b: stats.chi2_contingency(a, b, (2, 2)), (rows, (0, 1)), (columns, (0, 1)))


def test_a_statistic_alone_tells_a_table():
    """Why small cells must not be behind it: of all tables of 40 people few have this X², and the same small cell."""
    found = ask(
        lambda a, b: stats.chi2_contingency(a, b, (2, 2), minimum=1),
        (np.repeat([0, 1], [23, 17]), (0, 1)),
        (np.r_[np.repeat([0, 1], [19, 4]), np.repeat([0, 1], [11, 6])], (0, 1)),
    )
    a, b, c = np.indices((41, 41, 41)).reshape(3, -1)
    d = 40 - a - b - c
    with np.errstate(invalid="ignore", divide="ignore"):
        statistic = 40 * (a * d - b * c) ** 2 / ((a + b) * (c + d) * (a + c) * (b + d))
    same = np.column_stack([a, b, c, d])[(d >= 0) & (np.abs(statistic - found.statistic) < 1e-6)]
    assert len(same) <= 24
    assert {min(cells) for cells in same.tolist()} <= {3, 4, 5}


def test_codes_without_bounds_are_compared_with_each_category():
    rows, columns = np.repeat([10, -7, 3], 10), np.tile([0, 1], 15)
    found = run(lambda a, b: stats.crosstab(a, b, ([-7, 3, 10], 2)).reveal(), (rows, None), (columns, None))
    assert found.results[0].counts.tolist() == [[5, 5]] * 3
    assert found.opened[:2] == [("check: every value is in a category", (1,))] * 2
    with pytest.raises(ModelError, match="in none of the categories"):
        ask(lambda a, b: stats.crosstab(a, b, ([-7, 3, 11], 2)), (rows, None), (columns, None))


@pytest.mark.parametrize("wrong", [0, [], [1, 1]])
def test_categories_that_are_none(wrong):
    with pytest.raises(ValueError, match="different integers"):
        ask(lambda a, b: stats.crosstab(a, b, (wrong, 2)), ([0, 1], (0, 1)), ([0, 1], (0, 1)))


# Histograms


@pytest.mark.parametrize("parties", [2, 3, 5])
def test_a_histogram(parties):
    bmi = load_diabetes(scaled=False).data[:, 2]
    edges = [15, 20, 25, 30, 35, 45]
    found = ask(lambda x: stats.histogram(x, edges), (bmi, (15, 45)), parties=parties)
    np.testing.assert_array_equal(found.counts, np.histogram(bmi, edges)[0])
    assert str(found).splitlines()[1].split() == ["15", "to", "20", str(found.counts[0])]


def test_small_bins_are_hidden():
    alcohol = load_wine().data[:, 0]
    edges = np.arange(11, 15.5, 0.5)
    counts = np.histogram(alcohol, edges)[0]
    found = ask(lambda x: stats.histogram(x, edges), (alcohol, (11, 15)))
    assert (counts < 5).any()
    assert (found.counts[counts < 5] == HIDDEN).all()
    assert (found.counts == HIDDEN).sum() > (counts < 5).sum()
    shown = found.counts != HIDDEN
    np.testing.assert_array_equal(found.counts[shown], counts[shown])
    assert json.loads(json.dumps(found.to_dict()))["counts"][0] is None


def test_values_outside_the_bins():
    ages = np.arange(20, 60)
    with pytest.raises(ModelError, match="none of the categories or bins"):
        ask(lambda x: stats.histogram(x, [0, 40, 50]), (ages, (0, 120)))
    found = ask(lambda x: stats.histogram(x, [-np.inf, 40, np.inf]), (ages, (0, 120)))
    assert found.counts.tolist() == [20, 20]
