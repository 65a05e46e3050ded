"""Matrices of bits, against single bits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from protocols import bits
from protocols.bits import diagonal, from_octets, from_planes, octets, planes, transpose, unpack
from protocols.prg import Prg

SEED = bytes(range(32))


def each_bit(words):
    """Along a new last axis, from the lowest: bits of bytes and no shifts."""
    octets = np.ascontiguousarray(words, "<u8").view(np.uint8).reshape(*words.shape, 8)
    return np.unpackbits(octets, axis=-1, bitorder="little")


def test_bit_i_of_word_k_becomes_bit_k_of_word_i():
    rows = np.zeros((64, 1), np.uint64)
    rows[3] = 1 << 7
    transpose(rows)
    assert rows[7] == 1 << 3
    assert np.count_nonzero(rows) == 1


def test_every_single_bit_goes_to_its_place():
    """All 4,096 of them, a column each; with linearity that is the whole of it."""
    rows = np.zeros((64, 4096), np.uint64)
    k, i = np.divmod(np.arange(4096), 64)
    rows[k, np.arange(4096)] = np.uint64(1) << i.astype(np.uint64)
    transpose(rows)
    expected = np.zeros((64, 4096), np.uint64)
    expected[i, np.arange(4096)] = np.uint64(1) << k.astype(np.uint64)
    np.testing.assert_array_equal(rows, expected)


@pytest.mark.parametrize("n", [0, 1, 2, 511, 512, 513, 1030])
def test_transposition_is_that_of_the_matrix_of_bits_and_an_involution(n):
    original = Prg(SEED).ring((64, n))
    rows = original.copy()
    transpose(rows)
    np.testing.assert_array_equal(each_bit(rows), each_bit(original).transpose(2, 1, 0))
    transpose(rows)
    np.testing.assert_array_equal(rows, original)


@pytest.mark.parametrize("width", [1, 3, 512])
def test_columns_in_pieces_and_views_of_larger_arrays(monkeypatch, width):
    monkeypatch.setattr(bits, "_WIDTH", width)
    planes = Prg(SEED).ring((128, 5))
    half = planes[64:]
    expected = each_bit(half).transpose(2, 1, 0).copy()
    untouched = planes[:64].copy()
    transpose(half)
    np.testing.assert_array_equal(each_bit(planes[64:]), expected)
    np.testing.assert_array_equal(planes[:64], untouched)


@pytest.mark.parametrize("shape", [(0,), (1,), (9,)])
def test_octets_and_back(shape):
    words = Prg(SEED).ring(shape)
    assert octets(words).tolist() == [word >> 8 * i & 255 for word in words.tolist() for i in range(8)]
    np.testing.assert_array_equal(from_octets(octets(words)), words)


def test_the_last_word_of_octets_is_filled_with_zeros():
    assert from_octets(np.arange(1, 10, dtype=np.uint8)).tolist() == [0x0807060504030201, 9]


@given(hnp.arrays(np.uint8, st.tuples(st.integers(0, 3), st.integers(0, 20)), elements=st.integers(0, 1)))
def test_planes_and_back(bits):
    packed = planes(bits)
    assert packed.shape == (len(bits), -(-bits.shape[1] // 8))
    assert all(
        packed[row, column // 8] >> column % 8 & 1 == bits[row, column] for row, column in np.ndindex(bits.shape)
    )
    np.testing.assert_array_equal(from_planes(packed, bits.shape[1]), bits)


@pytest.mark.parametrize("shape", [(0,), (1,), (2, 3), (2, 0)])
@pytest.mark.parametrize("count", [1, 7, 64])
def test_unpacking_takes_the_lowest_bits(shape, count):
    words = Prg(SEED).ring(shape)
    np.testing.assert_array_equal(unpack(words, count), each_bit(words)[..., :count])


@pytest.mark.parametrize("n", [0, 1, 5])
def test_the_diagonal_is_bit_k_of_row_k(n):
    rows = Prg(SEED).ring((64, n))
    np.testing.assert_array_equal(
        each_bit(diagonal(rows)), np.diagonal(each_bit(rows), axis1=0, axis2=2) if n else np.zeros((0, 64))
    )


def test_a_transposed_matrix_has_the_same_diagonal():
    rows = Prg(SEED).ring((64, 5))
    before = diagonal(rows)
    transpose(rows)
    np.testing.assert_array_equal(diagonal(rows), before)
