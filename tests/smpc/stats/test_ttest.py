"""t-tests against SciPy on real data: difference, standard error, degrees of freedom, p-value and interval."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy import stats as scipy_stats
from sklearn.datasets import load_breast_cancer
from statsmodels.datasets import anes96

from smpc import stats
from smpc.errors import ModelError
from tests.smpc.stats.joint import WAYS, ask, held, run

TUMOURS = load_breast_cancer()
RADIUS, AREA, SMOOTH = (held(TUMOURS.data[:, at]) for at in (0, 3, 4))
BENIGN = TUMOURS.target
SURVEY = anes96.load_pandas().data
AGE, VOTE = SURVEY["age"].to_numpy().astype(int), SURVEY["vote"].to_numpy().astype(int)
CASES = {
    "radius": (RADIUS, (0, 32), BENIGN, 3e-7),
    "area": (AREA, (0, 4096), BENIGN, 3e-7),
    "smoothness": (SMOOTH, (0, 0.25), BENIGN, 3e-7),
    "age": (AGE, (18, 100), VOTE, 3e-7),
}


def agree(found, expected, relative, *, less=0.0, of_p=2e-4):
    """`less`: by which SciPy's interval, of a mean, is off that of the difference."""
    error = abs(float(expected.statistic)) * relative
    assert found.statistic == pytest.approx(float(expected.statistic), abs=max(error, 1e-7))
    assert found.degrees_of_freedom == pytest.approx(float(expected.df), rel=8 * relative)
    assert found.p_value == pytest.approx(float(expected.pvalue), rel=of_p)
    ends = np.array(expected.confidence_interval(0.95)) - less
    np.testing.assert_allclose(found.confidence_interval(), ends, rtol=0, atol=np.ptp(ends) * max(relative, 1e-7) * 4)


def two(values, group, **options):
    return scipy_stats.ttest_ind(values[group == 1], values[group == 0], **options)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("equal_var", [False, True], ids=["Welch", "Student"])
def test_two_groups(name, equal_var):
    values, bounds, group, relative = CASES[name]
    found = ask(lambda x, g: stats.ttest_ind(x, g, equal_var=equal_var), (values, bounds), (group, (0, 1)))
    expected = two(values, group, equal_var=equal_var)
    agree(found, expected, relative)
    assert found.difference == pytest.approx(values[group == 1].mean() - values[group == 0].mean(), rel=1e-8)
    assert found.count == len(values)


@pytest.mark.parametrize(("parties", "preprocessing"), WAYS)
def test_on_any_number_of_parties(parties, preprocessing):
    values, bounds, group, relative = CASES["area"]
    rows = slice(0, 150)
    found = ask(
        stats.ttest_ind,
        (values[rows], bounds),
        (group[rows] > 0, None),
        parties=parties,
        preprocessing=preprocessing,
    )
    agree(found, two(values[rows], group[rows], equal_var=False), relative)


def test_groups_of_very_different_size_and_spread():
    random = np.random.default_rng(5)
    values = held(np.r_[random.normal(3, 0.02, 6), random.normal(3.01, 2, 900)])
    group = np.repeat([1, 0], [6, 900])
    found = ask(stats.ttest_ind, (values, (-12, 16)), (group, (0, 1)))
    agree(found, two(values, group, equal_var=False), 3e-6)


@pytest.mark.filterwarnings("ignore:Precision loss")
def test_one_group_does_not_vary():
    values, group = np.r_[np.full(10, 2.5), np.linspace(0, 4, 30)], np.repeat([1, 0], [10, 30])
    found = ask(stats.ttest_ind, (held(values), (0, 4)), (group, (0, 1)))
    agree(found, two(held(values), group, equal_var=False), 3e-6)


def test_against_a_number():
    found = ask(lambda x: stats.ttest_1samp(x, 14.0), (RADIUS, (0, 32)))
    agree(found, scipy_stats.ttest_1samp(RADIUS, 14.0), 1e-6, less=14)
    assert found.degrees_of_freedom == 568


def test_pairs():
    before, after = RADIUS, held(TUMOURS.data[:, 20])
    found = ask(lambda a, b: stats.ttest_rel(b, a), (before, (0, 32)), (after, (0, 64)))
    agree(found, scipy_stats.ttest_rel(after, before), 1e-6)


def test_a_result_in_print_and_for_programs():
    found = ask(lambda x: stats.ttest_1samp(x, 45), (AGE, (18, 100)))
    head, values = str(found).splitlines()
    assert head.split()[0] == "people"
    assert values.split()[0] == str(len(AGE))
    assert json.loads(json.dumps(found.to_dict()))["p_value"] == found.p_value


@pytest.mark.parametrize("equal_var", [False, True], ids=["Welch", "Student"])
def test_values_that_do_not_vary(equal_var):
    group = np.arange(20) % 2
    for values in (np.full(20, 0.7), 0.7 + group):
        with pytest.raises(ModelError, match="vary too little"):
            ask(lambda x, g: stats.ttest_ind(x, g, equal_var=equal_var), (values, 2), (group, (0, 1)))
    with pytest.raises(ModelError, match="vary too little"):
        ask(stats.ttest_1samp, (np.full(20, 0.7), 2))


@pytest.mark.parametrize(("members", "minimum", "fine"), [(0, 2, False), (4, 5, False), (5, 5, True), (2, 1, True)])
def test_a_group_at_the_minimum(members, minimum, fine):
    group = (np.arange(30) < members).astype(int)
    values = np.arange(30.0) % 7
    if fine:
        found = ask(lambda x, g: stats.ttest_ind(x, g, minimum=minimum), (values, (0, 8)), (group, (0, 1)))
        agree(found, two(values, group, equal_var=False), 1e-6)
        return
    with pytest.raises(ModelError, match="fewer people than the minimum"):
        ask(lambda x, g: stats.ttest_ind(x, g, minimum=minimum), (values, (0, 8)), (group, (0, 1)))


@pytest.mark.parametrize(("ill", "fine"), [(4, False), (5, True)])
def test_a_difference_of_proportions(ill, fine):
    """With d, v and ν of values 0 and 1 go the four cells of a table: each must have the minimum."""
    group = np.repeat([0, 1], 30)
    values = np.r_[np.arange(30) < ill, np.arange(30) % 2 == 0].astype(int)
    if fine:
        found = ask(stats.ttest_ind, (values, (0, 1)), (group, (0, 1)))
        agree(found, two(values, group, equal_var=False), 1e-6)
        return
    with pytest.raises(ModelError, match="fewer people"):
        ask(stats.ttest_ind, (values, (0, 1)), (group, (0, 1)))


def test_too_few_people_in_all():
    with pytest.raises(ModelError, match="9 people, and at least 10"):
        ask(stats.ttest_ind, (np.arange(9.0), 16), (np.arange(9) % 2, (0, 1)))


def test_only_the_result_is_opened_whatever_the_data_are():
    random = np.random.default_rng(2)
    runs = [
        run(lambda x, g: stats.ttest_ind(x, g).reveal(), (random.normal(0, 1, 40), 16), (group, (0, 1)))
        for group in (np.arange(40) % 2, (np.arange(40) < 7).astype(int))
    ]
    assert runs[0].shape == runs[1].shape
    assert runs[0].opened == [
        ("check: every group has enough people", (1,)),
        ("check: there is something to compare", (1,)),
        ("reveal 1", (3,)),
    ]


def test_a_group_that_is_no_group():
    with pytest.raises(ModelError, match="none of the categories"):
        ask(stats.ttest_ind, (np.arange(20.0), 32), (np.arange(20) % 3, (0, 2)))
