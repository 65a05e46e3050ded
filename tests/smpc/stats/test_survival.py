"""Survival curves and log-rank tests against statsmodels, and what a rounded curve tells an attacker."""

from __future__ import annotations

import json
from collections import defaultdict

import numpy as np
import pytest
from statsmodels.datasets import heart
from statsmodels.duration.survfunc import SurvfuncRight, survdiff

from smpc import stats
from smpc.errors import ModelError
from smpc.stats.cells import HIDDEN
from tests.smpc.stats.joint import WAYS, ask, run

HEART = heart.load_pandas().data
DAYS, DIED = (HEART[name].to_numpy().astype(int) for name in ("survival", "censors"))
OLD = (HEART["age"].to_numpy() > 48).astype(int)
DECADE = (HEART["age"].to_numpy() // 5).astype(int) % 3
GRID = np.unique(DAYS)
COLUMNS = [(DAYS, (0, 2000)), (DIED, (0, 1))]


def exactly(t, e, *group, grid=GRID):
    return stats.kaplan_meier(t, e, grid, *group, minimum=1)


@pytest.mark.parametrize(("parties", "preprocessing"), WAYS)
def test_a_curve(parties, preprocessing):
    found = ask(exactly, *COLUMNS, parties=parties, preprocessing=preprocessing)
    expected = SurvfuncRight(DAYS, DIED)
    at = np.isin(GRID, expected.surv_times)
    np.testing.assert_array_equal(found.at_risk[0][at], expected.n_risk)
    np.testing.assert_array_equal(found.events[0][at], expected.n_events)
    np.testing.assert_allclose(found.survival[0][at], expected.surv_prob, rtol=1e-12)
    np.testing.assert_allclose(found.standard_error[0][at], expected.surv_prob_se, rtol=1e-12)
    assert found.median[0] == expected.quantile(0.5)


def test_a_curve_for_each_group():
    found = ask(lambda t, e, g: exactly(t, e, g, 2), *COLUMNS, (OLD, (0, 1)))
    for group in (0, 1):
        expected = SurvfuncRight(DAYS[group == OLD], DIED[group == OLD])
        at = np.isin(GRID, expected.surv_times)
        np.testing.assert_allclose(found.survival[group][at], expected.surv_prob, rtol=1e-12)
    lines = str(found).splitlines()
    assert lines[0].split()[:2] == ["group", "time"]
    assert lines[1].split()[:2] == ["0", str(GRID[found.events[0] > 0][0])]


def test_times_are_binned_and_may_be_beyond_the_grid():
    times, grid = np.array([0.5, 1.0, 1.01, 2.5, 3.0, 9.0, 7.0]), [1.0, 2.0, 3.0]
    events = np.array([1, 1, 0, 1, 0, 1, 0])
    found = ask(lambda t, e: exactly(t, e, grid=grid), (times, (0, 10)), (events, (0, 1)))
    assert found.at_risk.tolist() == [[7, 5, 4]]
    assert found.events.tolist() == [[2, 0, 1]]
    assert found.median == np.inf


def test_nobody_has_the_event():
    found = ask(lambda t, e: exactly(t, e, grid=[1, 2, 3]), (np.arange(8) % 4, (0, 3)), (np.zeros(8, int), (0, 1)))
    assert found.survival.tolist() == [[1, 1, 1]]
    assert found.standard_error.tolist() == [[0, 0, 0]]


def test_all_have_the_event():
    found = ask(lambda t, e: exactly(t, e, grid=[1, 2]), (np.repeat([1, 2], 4), (0, 3)), (np.ones(8, int), (0, 1)))
    assert found.survival.tolist() == [[0.5, 0]]
    assert json.loads(json.dumps(found.to_dict()))["groups"]["0"]["standard_error"][1] is None


# Small counts


def rounded(happened, censored, people, k):
    """The rule in the clear: rounded sums until a time, as long as they leave 2k at risk."""
    return people // k, tuple(
        (e // k, c // k) if e // k + c // k <= people // k - 2 else None
        for e, c in zip(np.cumsum(happened).tolist(), np.cumsum(censored).tolist(), strict=True)
    )


@pytest.mark.parametrize("parties", [2, 3])
def test_a_rounded_curve_follows_the_rule(parties):
    random = np.random.default_rng(parties)
    times, events, group = random.integers(0, 6, 90), random.integers(0, 2, 90), random.integers(0, 2, 90)
    columns = (times, (0, 6)), (events, (0, 1)), (group, (0, 1))
    k = 4
    found = ask(lambda t, e, g: stats.kaplan_meier(t, e, range(5), g, 2, minimum=k), *columns, parties=parties)
    for one in (0, 1):
        sums = [[((times == t) & (events == e) & (group == one)).sum() for t in range(5)] for e in (1, 0)]
        whole, told = rounded(*sums, (group == one).sum(), k)
        before = (0, 0)
        for at, now in enumerate(told):
            assert found.at_risk[one, at] == (HIDDEN if before is None else k * (whole - sum(before)))
            assert found.events[one, at] == (HIDDEN if now is None else k * (now[0] - before[0]))
            assert np.isnan(found.survival[one, at]) == (now is None)
            before = now


def test_a_rounded_curve_is_near_the_exact_one():
    random = np.random.default_rng(1)
    times, events = np.minimum(random.exponential(30, 2000).astype(int), 60), random.integers(0, 2, 2000)
    columns = (times, (0, 60)), (events, (0, 1))
    grid = np.arange(0, 50, 5)
    found = ask(lambda t, e: stats.kaplan_meier(t, e, grid), *columns)
    exact = ask(lambda t, e: exactly(t, e, grid=grid), *columns)
    np.testing.assert_allclose(found.survival, exact.survival, atol=2 * 5 / exact.at_risk.min())


def splits(parts, total):
    if not parts:
        yield ()
        return
    for first in range(total + 1):
        for rest in splits(parts - 1, total - first):
            yield (first, *rest)


@pytest.mark.parametrize(("people", "times", "k"), [(8, 2, 2), (9, 2, 3), (12, 2, 3), (14, 2, 4), (10, 3, 3)])
def test_every_small_number_of_events_could_be_any_other(people, times, k):
    """The guarantee, by trying all that can happen: of events, and of censorings, at each time."""
    possible = defaultdict(set)
    for each in splits(2 * times, people):
        told = rounded(each[:times], each[times:], people, k)[1]
        for at in range(2 * times):
            possible[told, at].add(each[at])
    small = set(range(1, k))
    assert all(counts >= small for counts in possible.values() if counts & small)


def test_exact_counts_would_give_themselves_away():
    curve = ask(exactly, *COLUMNS)
    steps = 1 - curve.survival[0] / np.r_[1, curve.survival[0][:-1]]
    first = np.flatnonzero(steps > 0)[0]
    assert steps[first] * len(DAYS) == pytest.approx(curve.events[0, first])


@pytest.mark.parametrize(("members", "fine"), [(3, False), (4, True)])
def test_a_group_of_less_than_twice_the_minimum(members, fine):
    group = (np.arange(40) < members).astype(int)
    columns = (np.arange(40) % 9, (0, 9)), (np.ones(40, int), (0, 1)), (group, (0, 1))
    if fine:
        ask(lambda t, e, g: stats.kaplan_meier(t, e, range(9), g, 2, minimum=2), *columns)
        return
    with pytest.raises(ModelError, match="fewer people"):
        ask(lambda t, e, g: stats.kaplan_meier(t, e, range(9), g, 2, minimum=2), *columns)


def test_what_is_opened_and_sent_depends_on_shapes_alone():
    def program(t, e, g):
        return stats.kaplan_meier(t, e, range(9), g, 2).reveal(), stats.logrank(t, e, g, range(9)).reveal()

    random = np.random.default_rng(4)
    runs = [
        run(program, (random.integers(0, most, 60), (0, 9)), (events, (0, 1)), (np.arange(60) % 3 % 2, (0, 1)))
        for most, events in ((10, np.ones(60, int)), (3, random.integers(0, 2, 60)))
    ]
    assert runs[0].shape == runs[1].shape
    assert [one for one in runs[0].opened if one[0].startswith("reveal")] == [
        ("reveal 1", (2 + 18 + 18,)),
        ("reveal 2", (1,)),
    ]


@pytest.mark.parametrize("grid", [[], [1, 1], [2, 1], [[1, 2]]])
def test_a_grid_that_is_none(grid):
    with pytest.raises(ValueError, match="ascending"):
        ask(lambda t, e: stats.kaplan_meier(t, e, grid), *COLUMNS)


# The log-rank test


@pytest.mark.parametrize(("parties", "preprocessing"), WAYS)
def test_two_groups(parties, preprocessing):
    rows = slice(0, 40)
    columns = [(values[rows], bounds) for values, bounds in [*COLUMNS, (OLD, (0, 1))]]
    found = ask(
        lambda t, e, g: stats.logrank(t, e, g, np.unique(DAYS[rows])),
        *columns,
        parties=parties,
        preprocessing=preprocessing,
    )
    statistic, p_value = survdiff(DAYS[rows], DIED[rows], OLD[rows])
    assert found.statistic == pytest.approx(statistic, rel=2**-16, abs=2**-16)
    assert found.p_value == pytest.approx(p_value, rel=1e-4)
    assert found.degrees_of_freedom == 1


@pytest.mark.parametrize("groups", [3, 4])
def test_more_groups(groups):
    codes = np.arange(len(DAYS)) % groups
    found = ask(lambda t, e, g: stats.logrank(t, e, g, GRID, groups), *COLUMNS, (codes, (0, groups - 1)))
    statistic, p_value = survdiff(DAYS, DIED, codes)
    assert found.statistic == pytest.approx(statistic, rel=2**-13)
    assert found.p_value == pytest.approx(p_value, rel=1e-3)
    assert found.degrees_of_freedom == groups - 1


def test_many_people_and_ties():
    random = np.random.default_rng(8)
    group = random.integers(0, 2, 5000)
    times = np.minimum(random.exponential(8 + group).astype(int), 19)
    events = (random.random(5000) < 0.6).astype(int)
    found = ask(lambda t, e, g: stats.logrank(t, e, g, range(20)), (times, (0, 19)), (events, (0, 1)), (group, (0, 1)))
    assert found.statistic == pytest.approx(survdiff(times, events, group)[0], rel=2**-16)


def test_groups_that_do_not_differ():
    times, events, group = np.repeat(np.arange(10), 4), np.ones(40, int), np.tile([0, 1], 20)
    found = ask(lambda t, e, g: stats.logrank(t, e, g, range(10)), (times, (0, 9)), (events, (0, 1)), (group, (0, 1)))
    assert found.statistic == pytest.approx(0, abs=2**-16)


def test_without_events_there_is_nothing_to_compare():
    columns = (np.arange(20) % 5, (0, 5)), (np.zeros(20, int), (0, 1)), (np.arange(20) % 2, (0, 1))
    with pytest.raises(ModelError, match="no event happened"):
        ask(lambda t, e, g: stats.logrank(t, e, g, range(5)), *columns)


def test_an_empty_group():
    columns = (np.arange(20) % 5, (0, 5)), (np.ones(20, int), (0, 1)), (np.zeros(20, int), (0, 1))
    with pytest.raises(ModelError, match="fewer people"):
        ask(lambda t, e, g: stats.logrank(t, e, g, range(5), minimum=1), *columns)


def test_one_group_is_no_comparison():
    with pytest.raises(ValueError, match="two groups at least"):
        ask(lambda t, e, g: stats.logrank(t, e, g, GRID, 1), *COLUMNS, (OLD, (0, 1)))
