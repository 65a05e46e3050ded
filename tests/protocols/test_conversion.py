"""Arithmetic shares to bits and back, and the sign: exact for every element of the ring."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from protocols import local, ring
from protocols.conversion import DaBits, from_bits, negative, to_bits
from protocols.digits import DigitMasks
from protocols.prg import Prg
from protocols.shares import combine, combine_bits, split

Q = 2**64
SEED = bytes(range(32))
EDGES = np.array([0, 1, 2, Q - 1, Q - 2, 2**62 - 1, Q - 2**62 + 1, 2**63 - 1, 2**63, 2**63 + 1], np.uint64)
words = st.sampled_from(EDGES.tolist()) | st.integers(0, Q - 1)
some = array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=3)
counts = st.sampled_from([2, 3, 5])


def run(count, protocol, parts):
    return local.run(count, lambda p: protocol(p, parts[p.rank]), SEED)


def deal(x, count):
    return split(x, count, Prg(SEED))


def bits_of(x, bits):
    each = [[v >> i & 1 for i in range(bits)] for v in x.ravel().tolist()]
    return np.array(each, np.uint64).reshape(*x.shape, bits)


def test_the_sign_of_a_number():
    x = ring.from_int([5, -5, 0])
    assert combine(run(3, negative, deal(x, 3))).tolist() == [0, 1, 0]


@pytest.mark.parametrize("count", [2, 3, 5])
def test_edge_values(split_bits, count):
    np.testing.assert_array_equal(combine_bits(run(count, to_bits, deal(EDGES, count))), EDGES)
    np.testing.assert_array_equal(combine(run(count, from_bits, split_bits(EDGES, count))), bits_of(EDGES, 64))
    np.testing.assert_array_equal(combine(run(count, negative, deal(EDGES, count))), EDGES >> np.uint64(63))


@settings(max_examples=20)
@given(st.data(), some, counts)
def test_to_bits_keeps_the_value(data, shape, count):
    x = data.draw(arrays(np.uint64, shape, elements=words))
    np.testing.assert_array_equal(combine_bits(run(count, to_bits, deal(x, count))), x)


@settings(max_examples=20)
@given(st.data(), some, st.integers(1, 64), counts)
def test_from_bits_has_the_lowest_bits_along_a_last_axis(split_bits, data, shape, bits, count):
    x = data.draw(arrays(np.uint64, shape, elements=words))
    result = combine(run(count, lambda p, w: from_bits(p, w, bits), split_bits(x, count)))
    np.testing.assert_array_equal(result, bits_of(x, bits))


@settings(max_examples=20)
@given(st.data(), some, counts)
def test_negative_is_the_sign_bit(data, shape, count):
    x = data.draw(arrays(np.uint64, shape, elements=words))
    result = combine(run(count, negative, deal(x, count)))
    np.testing.assert_array_equal(result, (ring.to_int(x) < 0).astype(np.uint64).reshape(shape))


def all_of(bits):
    """All x with |x| < 2^(bits-1), or those near to the ends and to zero."""
    most = (1 << bits - 1) - 1
    return np.arange(-most, most + 1) if bits < 8 else np.array([0, 1, -1, most, -most, most - 1, 1 - most, most // 3])


@pytest.mark.parametrize("count", [2, 3, 5])
@pytest.mark.parametrize("bits", [*range(1, 21), 31, 32, 33, 36, 47, 48, 49, 52, 60, 63, 64])
def test_the_sign_of_few_bits(count, bits):
    """Each value under many masks."""
    x = all_of(bits).repeat(33)
    result = combine(run(count, lambda p, share: negative(p, share, bits), deal(ring.from_int(x), count)))
    np.testing.assert_array_equal(result, x < 0)


@pytest.mark.parametrize("count", [2, 3, 5])
@pytest.mark.parametrize("bits", [3, 16, 17, 32, 48, 64])
def test_the_sign_of_few_bits_without_a_dealer(count, bits):
    x = all_of(bits).repeat(5)
    parts = deal(ring.from_int(x), count)
    shares = local.run(count, lambda p: negative(p, parts[p.rank], bits), SEED, "ot")
    np.testing.assert_array_equal(combine(shares), x < 0)


@pytest.mark.parametrize(
    ("bits", "rounds", "elements"), [(4, 2, 65), (8, 3, 67), (16, 4, 73), (32, 5, 85), (64, 6, 109)]
)
def test_the_sign_of_fewer_bits_takes_less(bits, rounds, elements):
    parts = deal(np.zeros(64, np.uint64), 2)
    parties = local.parties(2, SEED)
    local.run_all(parties, lambda p: negative(p, parts[p.rank], bits))
    assert {(p.rounds, p.elements) for p in parties} == {(rounds, elements)}
    assert parties[0].taken[0] == DigitMasks((64,), -(-bits // 16))


@pytest.mark.parametrize("bits", [-1, 0, 65])
def test_the_sign_of_other_numbers_of_bits_is_refused_before_anything_is_sent(bits):
    parts = deal(np.ones(2, np.uint64), 2)
    parties = local.parties(2, SEED)
    with pytest.raises(ExceptionGroup) as info:
        local.run_all(parties, lambda p: negative(p, parts[p.rank], bits))
    assert {type(error) for error in info.value.exceptions} == {ValueError}
    assert not any(party.sent or party.taken for party in parties)


@settings(max_examples=20)
@given(arrays(np.uint64, (3,), elements=words), counts)
def test_there_and_back(x, count):
    weights = np.uint64(1) << np.arange(64, dtype=np.uint64)
    result = run(count, lambda p, share: (from_bits(p, to_bits(p, share)) * weights).sum(axis=-1), deal(x, count))
    np.testing.assert_array_equal(combine(result), x)


def test_every_conversion_takes_fresh_masks(split_bits):
    zeros = np.zeros(4, np.uint64)  # what is opened is then the mask itself
    x, w = deal(zeros, 2), split_bits(zeros, 2)
    parties = local.parties(2, SEED)

    def program(party):
        for _ in range(10):
            to_bits(party, x[party.rank])
            from_bits(party, w[party.rank], 3)

    local.run_all(parties, program)
    assert [c for c in parties[0].taken if isinstance(c, DigitMasks)] == [DigitMasks((4,))] * 10
    assert [c for c in parties[0].taken if isinstance(c, DaBits)] == [DaBits((4,), 3)] * 10
    first, second = ([m.arrays[0] for m in party.sent] for party in parties)
    opened = [a + b for a, b in zip(first[::7], second[::7], strict=True)]  # to_bits has 6 rounds, from_bits 1
    opened += [a ^ b for a, b in zip(first[6::7], second[6::7], strict=True)]
    assert len(np.unique(opened)) == 2 * 10 * 4


def test_a_negative_number_of_bits_is_refused_before_anything_is_sent(split_bits):
    w = split_bits(np.ones(2, np.uint64), 2)
    parties = local.parties(2, SEED)
    with pytest.raises(ExceptionGroup) as info:
        local.run_all(parties, lambda p: from_bits(p, w[p.rank], -1))
    assert {type(error) for error in info.value.exceptions} == {ValueError}
    assert not any(party.sent for party in parties)
