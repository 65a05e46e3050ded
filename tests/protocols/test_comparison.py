"""Comparison of public words with shared ones, against Python's integers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from protocols import local
from protocols.bits import scatter
from protocols.comparison import less_than
from protocols.shares import combine_bits

EDGES = np.array([0, 1, 2, 2**31, 2**32 - 1, 2**32, 2**62, 2**63 - 1, 2**63, 2**64 - 2, 2**64 - 1], np.uint64)


def compared(c, r, count, split_bits):
    shares = split_bits(r, count)
    return combine_bits(local.run(count, lambda party: less_than(party, c, shares[party.rank])))


def test_one_is_less_than_two(split_bits):
    assert compared(np.array([1], np.uint64), np.array([2], np.uint64), 2, split_bits).tolist() == [1]


@pytest.mark.parametrize("count", [2, 3, 5])
def test_every_edge_with_every_other(count, split_bits):
    c, r = (both.copy() for both in np.meshgrid(EDGES, EDGES))
    np.testing.assert_array_equal(compared(c, r, count, split_bits), c < r)


@given(
    st.integers(1, 70).flatmap(lambda n: st.tuples(*[hnp.arrays(np.uint64, n, elements=st.integers(0, 2**64 - 1))] * 2))
)
def test_any_words_of_any_number(split_bits, operands):
    c, r = operands
    np.testing.assert_array_equal(compared(c, r, 2, split_bits), c < r)


@pytest.mark.parametrize("bit", range(64))
def test_a_difference_in_one_bit_decides(bit, split_bits):
    base = np.full(2, 0x5A5A_5A5A_A5A5_A5A5, np.uint64)
    other = base ^ np.uint64(1 << bit)
    np.testing.assert_array_equal(compared(base, other, 2, split_bits), base < other)


@pytest.mark.parametrize("shape", [(0,), (1,), (2, 0), (3, 1, 5)])
def test_shapes(shape, split_bits):
    c, r = np.zeros(shape, np.uint64), np.ones(shape, np.uint64)
    result = compared(c, r, 3, split_bits)
    assert result.shape == shape
    assert (result == 1).all()


def test_neighbours_are_brought_apart():
    where = [int(f"{i:06b}"[::-1], 2) for i in range(64)]
    words = np.uint64(1) << np.arange(64, dtype=np.uint64)
    assert scatter(words).tolist() == [1 << place for place in where]
    np.testing.assert_array_equal(scatter(scatter(EDGES)), EDGES)
