"""Sorting and extremes, against NumPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from protocols import local, ring
from protocols.prg import Prg
from protocols.shares import combine, split
from protocols.sorting import argmax, argmin, argsort, distinct, maximum, minimum, sort, stages

SEED = bytes(range(32))


def run(program, *arrays, count=2, preprocessing="dealer"):
    """What `program` makes of shares of the arrays, in the clear; an array for each share that it returns."""
    parts = [split(ring.from_int(one), count, Prg(SEED)) for one in arrays]

    def returned(party):
        found = program(party, *(one[party.rank] for one in parts))
        return found if isinstance(found, list) else [found]

    shares = local.run(count, returned, SEED, preprocessing)
    return [ring.to_int(combine(column)) for column in zip(*shares, strict=True)]


def test_keys_are_sorted_with_what_they_carry():
    keys, carried = run(lambda p, k, v: sort(p, k, 8, v), [3, -1, 2], [30, 10, 20])
    assert (keys.tolist(), carried.tolist()) == ([-1, 2, 3], [10, 20, 30])


def test_the_least_and_the_first_place_of_it():
    least, place = run(lambda p, k: [*minimum(p, k, 8), argmin(p, k, 8)], [3, -1, 2, -1])
    assert (least.tolist(), place.tolist()) == ([-1], [1])


def some_keys(shape, bits, seed=0):
    """With ties, and both ends."""
    x = ring.to_int(Prg(bytes([seed] * 32)).ring(shape)) >> 64 - bits
    flat = x.reshape(-1)
    flat[::3] >>= bits - min(bits, 3)
    flat[1:2], flat[2:3] = -(1 << bits - 1), (1 << bits - 1) - 1
    return x


LENGTHS = [0, 1, 2, 3, 4, 5, 7, 8, 9, 16, 33, 100]


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("bits", [1, 3, 4, 15, 16, 32, 63])
def test_any_number_of_keys(length, bits):
    keys = some_keys((length,), bits)
    np.testing.assert_array_equal(run(lambda p, k: sort(p, k, bits), keys)[0], np.sort(keys))


@pytest.mark.parametrize("count", [2, 3, 5])
@pytest.mark.parametrize("preprocessing", ["dealer", "ot"])
def test_what_is_carried_stays_with_its_key(count, preprocessing):
    keys = some_keys((2, 13), 20)
    given_, places = np.broadcast_to(np.arange(13), (2, 13)), np.arange(13) * 100 + np.array([[0], [7]])
    program = lambda p, k, v, w: sort(p, k, 20, v, w)  # noqa: E731
    found, order, moved = run(program, keys, given_, places, count=count, preprocessing=preprocessing)
    np.testing.assert_array_equal(found, np.sort(keys))
    np.testing.assert_array_equal(np.sort(order), given_)
    np.testing.assert_array_equal(np.take_along_axis(keys, order, -1), found)
    np.testing.assert_array_equal(np.take_along_axis(places, order, -1), moved)


def test_a_thousand_keys():
    keys = some_keys((1000,), 31)
    found, order = run(lambda p, k: [*sort(p, k, 31), argsort(p, k, 31)], keys)
    np.testing.assert_array_equal(found, np.sort(keys))
    np.testing.assert_array_equal(order, np.argsort(keys, kind="stable"))


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("count", [2, 3])
def test_places_are_those_of_a_stable_sort(length, count):
    keys = some_keys((3, length), 5) // 3
    (order,) = run(lambda p, k: argsort(p, k, 5), keys, count=count)
    np.testing.assert_array_equal(order, np.argsort(keys, axis=-1, kind="stable"))


@pytest.mark.parametrize("length", LENGTHS[1:])
@pytest.mark.parametrize("bits", [1, 3, 15, 63])
@pytest.mark.parametrize("count", [2, 3])
def test_extremes_and_their_first_places(length, bits, count):
    keys = some_keys((2, length), bits)
    programs = [(minimum, argmin, np.min, np.argmin), (maximum, argmax, np.max, np.argmax)]
    for extreme, place, expected, first in programs:
        found, at = run(lambda p, k, e=extreme, a=place: [*e(p, k, bits), a(p, k, bits)], keys, count=count)
        np.testing.assert_array_equal(found, expected(keys, axis=-1))
        np.testing.assert_array_equal(at, first(keys, axis=-1))


@pytest.mark.parametrize("count", [2, 3, 5])
@pytest.mark.parametrize("preprocessing", ["dealer", "ot"])
def test_an_extreme_brings_what_it_carries(count, preprocessing):
    keys = np.array([[4, 9, 9, -2, 1], [0, 0, 0, 0, 0]])
    program = lambda p, k, v: maximum(p, k, 8, v)  # noqa: E731
    found, moved = run(program, keys, keys * 10 + np.arange(5), count=count, preprocessing=preprocessing)
    assert (found.tolist(), moved.tolist()) == ([9, 0], [91, 0])


@settings(max_examples=20)
@given(st.data(), array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=6), st.sampled_from([2, 3, 5]))
def test_any_shape(data, shape, count):
    keys = data.draw(arrays(np.int64, shape, elements=st.integers(-(2**62), 2**62 - 1)))
    np.testing.assert_array_equal(run(lambda p, k: sort(p, k, 63), keys, count=count)[0], np.sort(keys))


def test_distinct_keys_sort_by_key_and_then_by_place():
    keys = np.array([[2, -1, 2, -4, 2]])
    (found,) = run(lambda p, k: distinct(k, 3)[0], keys)
    assert found.tolist() == [[16, -7, 18, -29, 20]]


# The network


@pytest.mark.parametrize("length", range(1, 14))
def test_the_network_sorts_all_zeros_and_ones(length):
    """Then it sorts everything (Knuth, theorem Z)."""
    rows = np.arange(1 << length)[:, None] >> np.arange(length) & 1
    for lower, distance in stages(length):
        low, high = rows[:, lower], rows[:, lower + distance]
        rows[:, lower], rows[:, lower + distance] = np.minimum(low, high), np.maximum(low, high)
    assert (np.diff(rows) >= 0).all()


@pytest.mark.parametrize("length", [0, 1, 2, 3, 100, 1000, 1024, 1025])
def test_no_place_is_compared_twice_in_a_stage(length):
    count = 0
    for lower, distance in stages(length):
        both = np.concatenate([lower, lower + distance])
        assert len(np.unique(both)) == len(both) > 0
        assert both.max() < length
        count += 1
    levels = max(0, length - 1).bit_length()
    assert count == levels * (levels + 1) // 2


@pytest.mark.parametrize("length", [0, 1, 2, 9])
def test_what_is_made_ahead_is_what_is_taken(length):
    parts = split(np.zeros((2, length), np.uint64), 2, Prg(SEED))
    parties = local.parties(2, SEED)
    local.run_all(
        parties, lambda p: (sort(p, parts[p.rank], 20, parts[p.rank]), length and minimum(p, parts[p.rank], 20))
    )
    for party in parties:
        assert not any(party._ready.values())
        assert party._made == len(party.taken)


def test_messages_tell_nothing_by_their_sizes():
    def sent(keys):
        parts = split(ring.from_int(keys), 2, Prg(SEED))
        parties = local.parties(2, SEED)
        local.run_all(parties, lambda p: (argsort(p, parts[p.rank], 20), argmax(p, parts[p.rank], 20)))
        return [[(m.step, [a.shape for a in m.arrays]) for m in party.sent] for party in parties]

    assert sent([1, 2, 3, 4, 5]) == sent([5, 5, -5, 2, 0])


# Refused


@pytest.mark.parametrize(
    "program",
    [
        lambda p, k: sort(p, k, 0),
        lambda p, k: sort(p, k, 64),
        lambda p, k: sort(p, k, 8, k[:2]),
        lambda p, k: argsort(p, k, 62),
        lambda p, k: distinct(k, 62),
        lambda p, k: minimum(p, k[:0], 8),
        lambda p, k: argmax(p, k, 64),
    ],
)
def test_bad_arguments_are_refused_before_anything_is_sent(program):
    parts = split(np.ones(3, np.uint64), 2, Prg(SEED))
    parties = local.parties(2, SEED)
    with pytest.raises(ExceptionGroup) as info:
        local.run_all(parties, lambda p: program(p, parts[p.rank]))
    assert {type(error) for error in info.value.exceptions} == {ValueError}
    assert not any(party.sent or party.taken for party in parties)
