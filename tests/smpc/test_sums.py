"""Sums over rows: exact integers, whatever the pieces."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols import ring
from smpc.models import moments
from smpc.models.sums import BITS, add_up
from tests.smpc.studies import diabetes


def assert_same(one, other):
    assert one.rows == other.rows
    assert one.first.tolist() == other.first.tolist()
    assert one.second.tolist() == other.second.tolist()


def test_sums_of_two_rows():
    found = add_up([np.array([[0.5, -1.0], [0.25, 1.0]])], 2)
    assert (found.rows, found.first.tolist()) == (2, [3 << BITS - 2, 0])
    assert found.second.tolist() == [[5 << 2 * BITS - 4, -1 << 2 * BITS - 2], [-1 << 2 * BITS - 2, 2 << 2 * BITS]]


def integers(u):
    """Exactly what the values of `u` count as: each column a list."""
    return [[int(np.rint(value * 2.0**BITS)) for value in column] for column in u.T]


@pytest.mark.parametrize("shape", [(0, 1), (1, 1), (1, 4), (300, 3), (20_000, 2), (50, 31)])
def test_they_are_those_of_integers(shape):
    u = np.random.default_rng(0).uniform(-1, 1, shape)
    u[::3] *= 1e-9
    u[1::5] = 1.0
    found, k = add_up([u], shape[1]), integers(u)
    assert found.rows == shape[0]
    assert found.first.tolist() == [sum(column) for column in k]
    assert found.second.tolist() == [[sum(a * b for a, b in zip(one, two, strict=True)) for two in k] for one in k]


@pytest.mark.parametrize("value", [1.0, -1.0, 1 - 2.0**-53, 2.0**-18 - 2.0**-54, 2.0**-54])
def test_more_rows_than_a_float_could_add(value):
    """The largest digits there are, in more rows than go into one exact sum of float64."""
    rows, k = (1 << 17) + (1 << 13) + 1, int(value * 2.0**BITS)
    found = add_up([np.full((rows, 1), value)], 1)
    assert (found.rows, found.first.tolist(), found.second.tolist()) == (rows, [rows * k], [[rows * k * k]])


@given(st.lists(st.integers(0, 400), max_size=6), st.sampled_from("CF"))
def test_pieces_do_not_matter(cuts, order):
    u = np.random.default_rng(1).uniform(-1, 1, (400, 3))
    pieces = np.split(np.asarray(u, order=order), sorted(cuts))
    assert_same(add_up(pieces, 3), add_up([u], 3))


@pytest.mark.parametrize("columns", [3, 30])  # in tiles, and whole
def test_many_rows_in_uneven_pieces(columns):
    u = np.random.default_rng(2).uniform(-1, 1, (20_000, columns))
    for size in (1999, 8192, 8193, 20_000):
        pieces = [u[start : start + size] for start in range(0, len(u), size)]
        assert_same(add_up(iter(pieces), columns), add_up([u], columns))


def test_no_pieces():
    assert_same(add_up([], 2), add_up([np.empty((0, 2))], 2))


# What a party brings into the computation


class Two:
    count = 2


def in_float64(u, rows):
    """Means of products with 60 bits and of values with 58, as float64 has them: sums about a pivot."""
    pivot = np.rint(u.mean(axis=0) * 2.0**26) / 2.0**26
    deviations = u - pivot
    cross = np.outer(pivot, deviations.sum(axis=0))
    products = (deviations.T @ deviations + cross + cross.T + len(u) * np.outer(pivot, pivot)) / rows
    return products * 2.0**60, (deviations.sum(axis=0) + len(u) * pivot) / rows * 2.0**58


@pytest.mark.parametrize("width", [1.0, 1000.0])  # of ranges, in those of the diabetes data
def test_means_are_those_of_float64_and_better(width):
    x, y, ranges = diabetes()
    low, high = np.array(ranges).T
    u = (np.column_stack([x, y]) - (low + high) / 2) * 2 / (high - low) / width
    products, words, bits = moments._own_means(Two, add_up([u], 11), 3 * len(u))
    expected = in_float64(u, 3 * len(u))
    assert bits == 58
    assert np.abs(ring.to_int(products) - expected[0]).max() < 2.0**13  # 2^-47
    high, low = ring.to_int(words)
    assert np.abs(high * 2.0**28 + low - expected[1]).max() < 2.0**8  # 2^-50
    k = integers(u[:, :2])
    exact = sum(a * b for a, b in zip(*k, strict=True)) * 2 // (3 * len(u) << 2 * BITS - 60)
    assert abs(2 * int(ring.to_int(products)[0, 1]) - exact) <= 1  # rounded once
