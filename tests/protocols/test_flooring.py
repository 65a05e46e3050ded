"""Exact rescaling: the floor, for every value that is allowed and whatever the mask is."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from protocols import local, ring
from protocols.flooring import FloorMasks, truncate_exactly
from protocols.prg import Prg
from protocols.shares import combine, split

SEED = bytes(range(32))
LIMIT = 2**62 - 1
EDGES = (0, 1, -1, 2, 12345, -12345, 2**31, -(2**31), LIMIT, -LIMIT, LIMIT - 1, 1 - LIMIT)


def run(x, bits, count=3, preprocessing="dealer"):
    parts = split(ring.from_int(x), count, Prg(SEED))
    return ring.to_int(
        combine(local.run(count, lambda p: truncate_exactly(p, parts[p.rank], bits), SEED, preprocessing))
    )


def test_a_number_is_divided_and_rounded_down():
    assert run([7, -7, 8], 2).tolist() == [1, -2, 2]


@pytest.mark.parametrize("count", [2, 3, 5])
@pytest.mark.parametrize("bits", range(1, 62))
def test_the_floor_of_edge_values(count, bits):
    unit = 1 << bits
    x = np.array([*EDGES, unit - 1, -unit, 1 - unit, unit, unit // 2], np.int64).repeat(9)
    np.testing.assert_array_equal(run(x, bits, count), x >> bits)


@pytest.mark.parametrize("bits", [1, 2, 3, 4, 5])
def test_all_that_can_be_dropped_under_many_masks(bits):
    x = np.arange(-40, 40).repeat(200)
    np.testing.assert_array_equal(run(x, bits), x >> bits)


@pytest.mark.parametrize("count", [2, 3, 5])
@pytest.mark.parametrize("bits", [1, 16, 17, 20, 61])
def test_the_floor_without_a_dealer(count, bits):
    x = np.array(EDGES, np.int64)
    np.testing.assert_array_equal(run(x, bits, count, "ot"), x >> bits)


@settings(max_examples=40)
@given(st.data(), array_shapes(min_dims=1, max_dims=3, min_side=0), st.integers(1, 61), st.sampled_from([2, 3, 5]))
def test_the_floor(data, shape, bits, count):
    x = data.draw(arrays(np.int64, shape, elements=st.integers(-LIMIT, LIMIT)))
    np.testing.assert_array_equal(run(x, bits, count), x >> bits)


def test_to_the_nearest_is_the_floor_of_half_a_unit_more():
    x = np.arange(-50, 50)
    parts = split(ring.from_int(x), 2, Prg(SEED))
    shares = local.run(2, lambda p: truncate_exactly(p, parts[p.rank] + (1 << 2), 3), SEED)
    np.testing.assert_array_equal(ring.to_int(combine(shares)), np.floor(x / 8 + 0.5))


def test_no_error_among_many_uniform_values():
    x = ring.to_int(Prg(SEED).ring((1 << 16,))) >> 1
    np.testing.assert_array_equal(run(x, 20), x >> 20)


@pytest.mark.parametrize(("bits", "words", "rounds"), [(4, 1, 2), (8, 1, 3), (16, 1, 4), (20, 2, 5), (61, 4, 6)])
def test_what_is_dropped_says_what_it_takes(bits, words, rounds):
    parts = split(np.zeros((2, 3), np.uint64), 2, Prg(SEED))
    parties = local.parties(2, SEED)
    local.run_all(parties, lambda p: truncate_exactly(p, parts[p.rank], bits))
    assert {party.rounds for party in parties} == {rounds}
    assert parties[0].taken[0] == FloorMasks((2, 3), bits)
    assert FloorMasks((2, 3), bits).derived()[-1].shape == (2, 3, words)


@pytest.mark.parametrize("bits", [-1, 0, 62, 64])
def test_other_numbers_of_bits_are_refused_before_anything_is_sent(bits):
    parts = split(np.ones(2, np.uint64), 2, Prg(SEED))
    parties = local.parties(2, SEED)
    with pytest.raises(ExceptionGroup) as info:
        local.run_all(parties, lambda p: truncate_exactly(p, parts[p.rank], bits))
    assert {type(error) for error in info.value.exceptions} == {ValueError}
    assert not any(party.sent or party.taken for party in parties)
