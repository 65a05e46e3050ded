"""Masks with their digits: what is looked up is what the clear digits say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols import local
from protocols.digits import DigitMasks, chosen, digits_of, look_up, one_hot, words_of
from protocols.prg import Prg
from protocols.shares import BitShare, combine, combine_bits

SEED = bytes(range(32))
EDGES = [0, 1, 15, 16, 2**63, 2**64 - 1, 0x0123456789ABCDEF, 0xFEDCBA9876543210]


def all_digits(words):
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
        [function(*both) for both in zip(*rows, strict=True)] for rows in zip(all_digits(c), all_digits(r), strict=True)
    ]
    assert result.tolist() == expected


def test_all_pairs_of_digits_in_every_place():
    c, r = (
        grid.ravel().astype(np.uint64) * np.uint64(0x1111111111111111) for grid in np.meshgrid(range(16), range(16))
    )
    result = looked_up(2, r, c, chosen(lambda one, two: one * two % 3 == 1))
    np.testing.assert_array_equal(result, np.array(all_digits(c)) * np.array(all_digits(r)) % 3 == 1)


@given(st.lists(st.integers(0, 2**64 - 1), max_size=5))
def test_one_hot_digits_have_one_one_each(words):
    table = one_hot(np.array(words, np.uint64))
    assert table.shape == (len(words), 4)
    lanes = [[int(row[i // 4]) >> 16 * (i % 4) & 0xFFFF for i in range(16)] for row in table]
    assert lanes == [[1 << digit for digit in row] for row in all_digits(words)]


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("preprocessing", ["dealer", "ot"])
@pytest.mark.parametrize("words", [1, 2, 3, 4])
@pytest.mark.parametrize("shape", [(1,), (2, 3), (0,)])
def test_masks_come_with_their_digits(count, preprocessing, words, shape):
    masks = local.run(count, lambda party: party.take(DigitMasks(shape, words)), SEED, preprocessing)
    numbers = combine([mask.arithmetic for mask in masks])
    assert numbers.shape == shape
    assert numbers.all()
    assert ((numbers >> np.uint64(48)) != 0).all()
    np.testing.assert_array_equal(combine_bits([mask.table for mask in masks]), one_hot(numbers)[..., :words])


@pytest.mark.parametrize("words", [1, 2, 3])
def test_the_lowest_digits_alone(words):
    r, c = np.array(EDGES, np.uint64), np.array(EDGES[::-1], np.uint64)
    less = one_hot(r, words)
    np.testing.assert_array_equal(less, one_hot(r)[:, :words])
    entries = chosen(lambda one, two: one < two)
    some = look_up(BitShare(0, less), c, entries)
    np.testing.assert_array_equal(some, looked_up(1, r, c, entries)[:, : 4 * words])


def test_one_table_for_many_public_words():
    r, c = np.array(EDGES, np.uint64), Prg(SEED).ring((len(EDGES), 5))
    entries, table = chosen(lambda one, two: one < two), BitShare(0, one_hot(r)[:, None])
    for i in range(5):
        np.testing.assert_array_equal(look_up(table, c, entries)[:, i], looked_up(1, r, c[:, i], entries))


@pytest.mark.parametrize(
    ("bits", "digits", "words"), [(1, 1, 1), (4, 1, 1), (5, 2, 1), (16, 4, 1), (17, 5, 2), (64, 16, 4)]
)
def test_digits_and_words_of_bits(bits, digits, words):
    assert digits_of(bits) == digits
    assert words_of(digits) == words


@pytest.mark.parametrize("bits", [-1, 0, 65])
def test_other_numbers_of_bits_are_refused(bits):
    with pytest.raises(ValueError, match=f"^{bits} bits: a ring element has 64$"):
        digits_of(bits)
