"""Borrows from digits that are compared, against Python's integers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols import local
from protocols.bits import from_planes, planes
from protocols.comparison import borrow, borrows, conjoin, conjunction_of_all
from protocols.prg import Prg, derive
from protocols.shares import xor_up

SEED = bytes(range(32))


def compared(count, protocol, c, r):
    """What `protocol` says of digits (rows × elements), the lowest first."""
    streams = [Prg(derive(SEED, "shares", bytes([rank]))) for rank in range(count)]

    def share(bits):
        rows = planes(bits.astype(np.uint8))
        masks = [stream.ring(rows.shape).astype(np.uint8) for stream in streams[1:]]
        return [xor_up([rows, *masks]) if masks else rows, *masks]

    below, equal = share(c < r), share(c == r)
    results = local.run(count, lambda party: protocol(party, below[party.rank], equal[party.rank]), SEED)
    return from_planes(xor_up(results), c.shape[1])


def numbers(digits):
    return [sum(int(digit) << 4 * i for i, digit in enumerate(column)) for column in digits.T]


def test_23_is_less_than_24_and_not_less_than_17():
    c, r = np.array([[7, 7], [1, 1]]), np.array([[8, 1], [1, 1]])
    assert compared(2, borrow, c, r).tolist() == [1, 0]


digits = st.lists(st.integers(0, 15), min_size=16, max_size=16)


@given(st.lists(st.tuples(digits, digits), min_size=1, max_size=10), st.integers(1, 16))
def test_the_borrow_of_all_digits(pairs, rows):
    c, r = (np.array(column).T[:rows] for column in zip(*pairs, strict=True))
    expected = [one < two for one, two in zip(numbers(c), numbers(r), strict=True)]
    assert compared(2, borrow, c, r).tolist() == expected


@given(st.lists(st.tuples(digits, digits), min_size=1, max_size=10), st.integers(1, 16))
def test_the_borrow_of_every_prefix(pairs, rows):
    c, r = (np.array(column).T[:rows] for column in zip(*pairs, strict=True))
    result = compared(3, borrows, c, r)
    for i in range(rows):
        expected = [one < two for one, two in zip(numbers(c[: i + 1]), numbers(r[: i + 1]), strict=True)]
        assert result[i].tolist() == expected


@pytest.mark.parametrize("count", [2, 3, 5])
@pytest.mark.parametrize("decides", range(16))
def test_the_highest_digit_that_differs_decides(count, decides):
    """All lower ones say the opposite."""
    c = np.full((16, 2), 7)
    r = c.copy()
    r[:decides] = [0, 15]
    r[decides] = [8, 6]
    assert compared(count, borrow, c, r).tolist() == [1, 0]
    assert compared(count, borrows, c, r)[decides].tolist() == [1, 0]


@given(st.lists(st.lists(st.booleans(), min_size=16, max_size=16), min_size=1, max_size=10), st.integers(1, 16))
def test_all_of_some_bits(columns, rows):
    bits = np.array(columns).T[:rows]
    result = compared(3, lambda party, _, equal: conjunction_of_all(party, equal), bits, np.ones_like(bits))
    assert result.tolist() == bits.all(axis=0).tolist()


@pytest.mark.parametrize(("rows", "rounds"), [(1, 0), (2, 1), (3, 2), (4, 2), (5, 3), (8, 3), (9, 4), (12, 4), (16, 4)])
@pytest.mark.parametrize("protocol", [borrow, lambda party, _, equal: conjunction_of_all(party, equal)])
def test_a_tree_is_as_high_as_the_logarithm(rows, rounds, protocol):
    bits = np.zeros((rows, 1), np.uint8)
    parties = local.parties(2, SEED)
    local.run_all(parties, lambda party: protocol(party, bits, bits))
    assert {party.rounds for party in parties} == {rounds}


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (2, 8), (4, 0), (1, 9)])
def test_octets_of_any_shape_with_several_others(shape):
    x, ys = (Prg(SEED).ring(s).astype(np.uint8) for s in (shape, (3, *shape)))
    results = local.run(
        2, lambda party: conjoin(party, *(v if party.rank else np.zeros_like(v) for v in (x, ys))), SEED
    )
    np.testing.assert_array_equal(xor_up(results), x & ys)
