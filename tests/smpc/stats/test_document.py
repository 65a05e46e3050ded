"""docs/statistics.md: every function is in its table, with the rounds and bytes it takes; and a plan foresees them."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import smpc
from smpc import plan, stats
from tests.smpc.network import study

DOCUMENT = Path(__file__).parents[3] / "docs" / "statistics.md"
PEOPLE = 100


def share(party, kind):
    """A column of 100 people."""
    row = np.arange(PEOPLE)
    values, bounds = {
        "x": (row % 37 / 4.0, (0, 16)),
        "y": (row % 23 / 8.0, (0, 4)),
        "two": (row % 2, (0, 1)),
        "three": (row % 3, (0, 2)),
        "month": (row % 13, (0, 12)),
        "event": (row // 2 % 2, (0, 1)),
    }[kind]
    return party.share(values if party.rank == 0 else None, 0, bounds=bounds)


def of(function, *kinds, **options):
    return lambda party: function(*(share(party, kind) for kind in kinds), **options)


MONTHS = {"grid": range(1, 13)}
CASES = {
    "describe": of(stats.describe, "x"),
    "covariance": lambda party: stats.covariance({name: share(party, name) for name in "xy"}),
    "histogram": of(stats.histogram, "x", edges=[0, 4, 8, 16]),
    "crosstab": of(stats.crosstab, "two", "three", categories=(2, 3)),
    "chi2_contingency": of(stats.chi2_contingency, "two", "three", categories=(2, 3)),
    "ttest_1samp": of(stats.ttest_1samp, "x"),
    "ttest_rel": of(stats.ttest_rel, "x", "y"),
    "ttest_ind": of(stats.ttest_ind, "x", "two"),
    "kaplan_meier": of(stats.kaplan_meier, "month", "event", **MONTHS),
    "logrank": lambda party: stats.logrank(*(share(party, k) for k in ("month", "event", "two")), **MONTHS),
}


def documented():
    """Rounds and kilobytes by function."""
    text = DOCUMENT.read_text(encoding="utf-8")
    rows = re.findall(r"^\| `stats\.(\w+)`.*\| (\d+) \| ([\d.]+) \|$", text, re.MULTILINE)
    return {name: (int(rounds), float(sent)) for name, rounds, sent in rows}


def test_every_function_is_in_the_table():
    functions = {name for name in stats.__all__ if name.islower()}
    assert set(documented()) == set(CASES) == functions


@pytest.mark.parametrize("name", CASES)
def test_costs_are_those_of_the_table(name):
    def program(party):
        found = CASES[name](party)
        assert found.reveal()
        return party.protocol.rounds, sum(array.nbytes for one in party.protocol.sent for array in one.arrays)

    shared = {"describe": 1, "histogram": 1, "ttest_1samp": 1, "logrank": 3}.get(name, 2)
    (rounds, sent), _ = smpc.simulate(program, 2)
    assert (rounds - shared, round(sent / 1000, 1)) == documented()[name]


@pytest.mark.parametrize("name", CASES)
def test_a_plan_foresees_what_a_function_takes(name):
    """Rehearsed on zeros, which is no data of anybody: what is read from them has no value, but is no error."""

    def program(party):
        found = CASES[name](party).reveal()
        if found is not None:
            found.to_dict()
            str(found)

    planned = plan.of_program(study(2, dealer=False).manifest, program, 0)
    assert planned.parties[0].online.rounds >= documented()[name][0]
