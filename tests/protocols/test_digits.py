"""Masks with their digits: what is looked up is what the clear digits say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols import local
from protocols.digits import DigitMasks, chosen, look_up, one_hot
from protocols.prg import Prg
from protocols.shares import BitShare, combine, combine_bits

SEED = bytes(range(32))
EDGES = [0, 1, 15, 16, 2**63, 2**64 - 1, 0x0123456789ABCDEF, 0xFEDCBA9876543210]


def digits_of(words):
    return [[int(word) >> 4 * i & 15 for i in range(16)] for word in words]


def looked_up(count, r, c, entries):
    """Of words r, of which the parties hold shared tables."""
    table = one_hot(r)
    masks = [Prg(bytes([rank] * 32)).ring(table.shape) for rank in range(1, count)]
    shares = [np.bitwise_xor.reduce([table, *masks]), *masks]
    return np.bitwise_xor.reduce([look_up(BitShare(i, share), c, entries) for i, share in enumerate(shares)])


def test_a_digit_is_one_of_sixteen_bits():
    assert one_hot(np.array([0xF0], np.uint64)).tolist() == [[0x0001_0001_8000_0001, *[0x0001_0001_0001_0001] * 3]]


@pytest.mark.parametrize("count", [2, 3, 5])
@pytest.mark.parametrize(
    "function", [lambda c, j: c < j, lambda c, j: c == j, lambda c, j: (c - j) % 16 >= 8, lambda c, j: True]
)
def test_any_function_of_a_public_and_a_secret_digit(count, function):
    c, r = (grid.ravel() for grid in np.meshgrid(*[np.array(EDGES, np.uint64)] * 2))
    result = looked_up(count, r, c, chosen(function))
    expected = [
        [function(*both) for both in zip(*rows, strict=True)] for rows in zip(digits_of(c), digits_of(r), strict=True)
    ]
    assert result.tolist() == expected


def test_all_pairs_of_digits_in_every_place():
    c, r = (
        grid.ravel().astype(np.uint64) * np.uint64(0x1111111111111111) for grid in np.meshgrid(range(16), range(16))
    )
    result = looked_up(2, r, c, chosen(lambda one, two: one * two % 3 == 1))
    np.testing.assert_array_equal(result, np.array(digits_of(c)) * np.array(digits_of(r)) % 3 == 1)


@given(st.lists(st.integers(0, 2**64 - 1), max_size=5))
def test_one_hot_digits_have_one_one_each(words):
    table = one_hot(np.array(words, np.uint64))
    assert table.shape == (len(words), 4)
    lanes = [[int(row[i // 4]) >> 16 * (i % 4) & 0xFFFF for i in range(16)] for row in table]
    assert lanes == [[1 << digit for digit in row] for row in digits_of(words)]


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("preprocessing", ["dealer", "ot"])
@pytest.mark.parametrize("shape", [(1,), (2, 3), (0,)])
def test_masks_come_with_their_digits(count, preprocessing, shape):
    masks = local.run(count, lambda party: party.take(DigitMasks(shape)), SEED, preprocessing)
    numbers = combine([mask.arithmetic for mask in masks])
    assert numbers.shape == shape
    np.testing.assert_array_equal(combine_bits([mask.table for mask in masks]), one_hot(numbers))
