"""Hidden cells: what an attacker who knows the rule, the minimum and the number of people can tell of a small count."""

from __future__ import annotations

import itertools
from collections import defaultdict

import numpy as np
import pytest

from smpc.stats.cells import HIDDEN, hide
from tests.smpc.stats.joint import run

K = 3


def released(counts, k):
    """The rule in the clear."""
    hidden = [count < k for count in counts]
    if not any(hidden):
        return tuple(counts)
    for at, count in enumerate(counts):
        if count >= k and sum(c - k + 1 for c, h in zip(counts, hidden, strict=True) if h) <= 0:
            hidden[at] = True
    return tuple(HIDDEN if h else count for count, h in zip(counts, hidden, strict=True))


def secretly(counts, k, parties=2):
    return run(lambda x: hide(x, k).reveal(), (dealt(counts, parties), (0, 100)), parties=parties).results[0]


def dealt(counts, parties):
    """So that the parts of the parties, one after another, are these counts."""
    found = np.empty_like(counts)
    found[np.concatenate([np.arange(len(counts))[rank::parties] for rank in range(parties)])] = counts
    return found


def test_a_small_count_and_others_are_hidden():
    assert secretly(np.array([7, 30, 2, 9]), 5).tolist() == [HIDDEN, 30, HIDDEN, 9]


@pytest.mark.parametrize("k", [2, 5])
@pytest.mark.parametrize("off", [-1, 0, 1])
def test_at_the_minimum_and_next_to_it(k, off):
    counts = np.array([[20, 30], [k + off, 40]])
    assert ((secretly(counts, k) == HIDDEN).sum() == 0) == (off >= 0)


def test_a_minimum_of_one_hides_nothing():
    assert secretly(np.array([0, 1, 2]), 1).tolist() == [0, 1, 2]


def test_zeros_are_small():
    assert secretly(np.array([0, 9, 9]), 2).tolist() == [HIDDEN, HIDDEN, 9]


def test_nothing_is_shown_if_all_is_small():
    assert secretly(np.array([1, 2, 0, 4]), 5).tolist() == [HIDDEN] * 4


@pytest.mark.parametrize("parties", [2, 3, 5])
def test_secret_tables_follow_the_rule(parties):
    random = np.random.default_rng(parties)
    tables = [random.integers(0, random.integers(4, 20), 10) for _ in range(20)]

    def program(*shared):
        return [hide(one, 5).reveal().tolist() for one in shared]

    found = run(program, *((dealt(table, parties), (0, 100)) for table in tables), parties=parties)
    assert found.results[0] == [list(released(table.tolist(), 5)) for table in tables]


def test_messages_are_the_same_whatever_is_hidden():
    runs = [run(lambda x: hide(x, 5).reveal(), (one, (0, 99))) for one in ([9, 9, 9, 9], [0, 9, 1, 2], [0, 0, 0, 0])]
    assert runs[0].shape == runs[1].shape == runs[2].shape


def tables(cells, people):
    """All tables with so many cells and people."""
    for bars in itertools.combinations(range(people + cells - 1), cells - 1):
        ends = [-1, *bars, people + cells - 1]
        yield tuple(b - a - 1 for a, b in itertools.pairwise(ends))


@pytest.mark.parametrize(("cells", "people"), [(2, 9), (3, 12), (4, 14), (5, 11), (3, 4), (4, 8)])
def test_every_small_count_could_be_any_other(cells, people):
    """The guarantee, by trying all tables: a release that a small count can have, every other small count can, too."""
    possible = defaultdict(set)
    for table in tables(cells, people):
        shown = released(table, K)
        for at, count in enumerate(table):
            assert shown[at] == HIDDEN or shown[at] == count >= K
            possible[shown, at].add(count)
    for (shown, at), counts in possible.items():
        if min(counts) < K:
            assert shown[at] == HIDDEN
            assert counts >= set(range(min(K, people + 1)))


@pytest.mark.parametrize(("cells", "people"), [(3, 12), (4, 14)])
def test_hiding_small_counts_alone_would_give_them_back(cells, people):
    """The attack that the rule is for: the sum less what is shown."""
    exposed = 0
    for table in tables(cells, people):
        shown = [count for count in table if count >= K]
        exposed += len(shown) == cells - 1
    assert exposed


def test_what_is_hidden_has_more_people_than_the_minimum():
    for table in tables(4, 14):
        shown = released(table, K)
        hidden = sum(count for count, one in zip(table, shown, strict=True) if one == HIDDEN)
        assert HIDDEN not in shown or shown.count(HIDDEN) == 4 or (shown.count(HIDDEN) >= 2 and hidden >= 2 * K - 1)
