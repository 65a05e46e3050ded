"""Shares: what adds up, and what is refused."""

from functools import reduce

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from protocols import ring, shares
from protocols.prg import Prg
from protocols.shares import BitShare, Share, combine, combine_bits, split

Q = 2**64
SEED = bytes(range(32))
EDGES = (0, 1, Q - 1, 2**62 - 1, Q - 2**62 + 1, 2**63)
words = st.sampled_from(EDGES) | st.integers(0, Q - 1)
some = array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4)
counts = st.sampled_from([2, 3, 5])


def deal(x, count):
    return split(x, count, Prg(SEED))


def deal_bits(x, count):
    masks = [Prg(bytes([rank]) * 32).ring(x.shape) for rank in range(1, count)]
    return [BitShare(rank, values) for rank, values in enumerate([reduce(np.bitwise_xor, masks, x), *masks])]


def test_shares_add_up():
    x = ring.from_int([1, -2, 3])
    assert combine(deal(x, 3)).tolist() == x.tolist()


@given(st.data(), some, counts)
def test_splitting_and_combining_is_the_identity(data, shape, count):
    x = data.draw(arrays(np.uint64, shape, elements=words))
    parts = deal(x, count)
    assert [part.rank for part in parts] == list(range(count))
    assert {part.shape for part in parts} == {x.shape}
    np.testing.assert_array_equal(combine(parts), x)
    np.testing.assert_array_equal(combine_bits(deal_bits(x, count)), x)


def test_combining_changes_no_share():
    parts = deal(ring.from_int([5]), 2)
    before = [part.values.copy() for part in parts]
    combine(parts)
    shares.xor_up([part.values for part in parts])
    np.testing.assert_array_equal(before, [part.values for part in parts])


@given(st.data(), some, counts)
def test_what_needs_no_message_commutes_with_sharing(data, shape, count):
    x, y, c = (data.draw(arrays(np.uint64, shape, elements=words)) for _ in range(3))
    k = data.draw(st.integers(-(2**66), 2**66))
    scalar = ring.element(k)
    xs, ys = deal(x, count), split(y, count, Prg(bytes(32)))
    laws = [
        (lambda a, b: a + b, x + y),
        (lambda a, b: a - b, x - y),
        (lambda a, _: -a, np.uint64(0) - x),
        (lambda a, _: a + c, x + c),
        (lambda a, _: c + a, x + c),
        (lambda a, _: a - c, x - c),
        (lambda a, _: c - a, c - x),
        (lambda a, _: a * c, x * c),
        (lambda a, _: c * a, x * c),
        (lambda a, _: a + k, x + scalar),
        (lambda a, _: k - a, scalar - x),
        (lambda a, _: a * k, x * scalar),
        (lambda a, _: k * a, x * scalar),
        (lambda a, _: a.T, x.T),
        (lambda a, _: a.reshape(x.size), x.reshape(x.size)),
        (lambda a, _: a.sum(), np.atleast_1d(x.sum(dtype=np.uint64))),
        (lambda a, _: a.sum(axis=0), np.atleast_1d(x.sum(axis=0, dtype=np.uint64))),
        (lambda a, _: a.broadcast_to((2, *shape)), np.broadcast_to(x, (2, *shape))),
    ]
    for law, expected in laws:
        results = [law(a, b) for a, b in zip(xs, ys, strict=True)]
        assert [result.rank for result in results] == list(range(count))
        np.testing.assert_array_equal(combine(results), expected)


@given(st.data(), st.tuples(*[st.integers(0, 3)] * 3), counts)
def test_products_with_public_matrices_are_local(data, sizes, count):
    m, k, p = sizes
    x, c, d = (data.draw(arrays(np.uint64, s, elements=words)) for s in ((m, k), (k, p), (p, m)))
    np.testing.assert_array_equal(combine([a @ c for a in deal(x, count)]), ring.matmul(x, c))
    np.testing.assert_array_equal(combine([d @ a for a in deal(x, count)]), ring.matmul(d, x))


@given(st.data(), some, counts, st.integers(0, 63))
def test_words_follow_the_same_laws(data, shape, count, bits):
    x, y, c = (data.draw(arrays(np.uint64, shape, elements=words)) for _ in range(3))
    k, n = data.draw(words), np.uint64(bits)
    laws = [
        (lambda a, b: a ^ b, x ^ y),
        (lambda a, _: a ^ c, x ^ c),
        (lambda a, _: c ^ a, x ^ c),
        (lambda a, _: a ^ k, x ^ np.uint64(k)),
        (lambda a, _: ~a, ~x),
        (lambda a, _: a & c, x & c),
        (lambda a, _: c & a, x & c),
        (lambda a, _: a & k, x & np.uint64(k)),
        (lambda a, _: a << bits, x << n),
        (lambda a, _: a >> bits, x >> n),
    ]
    for law, expected in laws:
        results = [law(a, b) for a, b in zip(deal_bits(x, count), deal_bits(y, count), strict=True)]
        np.testing.assert_array_equal(combine_bits(results), expected)


@pytest.mark.parametrize("key", [0, -1, (0, 1), slice(1, 3), (slice(None), 0), [2, 0, 0], ..., (None, 1)])
def test_indexing_keeps_an_axis(key):
    x = np.arange(12, dtype=np.uint64).reshape(3, 4)
    picked = np.atleast_1d(x[key])
    np.testing.assert_array_equal(combine([a[key] for a in deal(x, 3)]), picked)
    np.testing.assert_array_equal(combine_bits([a[key] for a in deal_bits(x, 3)]), picked)


@pytest.mark.parametrize("axis", [0, 1])
def test_concatenation(axis):
    x, y = np.arange(12, dtype=np.uint64).reshape(2, 2, 3)
    joined = [shares.concatenate(pair, axis=axis) for pair in zip(deal(x, 3), deal(y, 3), strict=True)]
    np.testing.assert_array_equal(combine(joined), np.concatenate([x, y], axis=axis))


def test_a_public_value_is_added_once():
    x = ring.from_int([4])
    assert [shares.public(rank, x).values.tolist() for rank in range(3)] == [[4], [0], [0]]
    assert [(a + 1).values.tolist() for a in (Share(0, x), Share(1, x), Share(2, x))] == [[5], [4], [4]]


# What is refused


def test_a_star_between_shares_is_a_type_error():
    (a, b), (c, d) = deal(np.ones((2, 2), np.uint64), 2), deal_bits(np.ones((2, 2), np.uint64), 2)
    for wrong in (lambda: a * b, lambda: a @ b, lambda: c & d, lambda: a ^ b, lambda: c + d):
        with pytest.raises(TypeError):
            wrong()


@pytest.mark.parametrize("rank", [0, 1])
@pytest.mark.parametrize("shape", [(2,), (2, 3), (1, 2, 3), (2, 1, 3)])
def test_a_public_value_must_not_change_the_shape(rank, shape):
    public = np.ones((7, *shape), np.uint64)
    for share in (Share(rank, np.ones(shape, np.uint64)), BitShare(rank, np.ones(shape, np.uint64))):
        with pytest.raises(ValueError, match="does not fit"):
            share + public if isinstance(share, Share) else share ^ public


@pytest.mark.parametrize("rank", [0, 1])
def test_additive_and_exclusive_or_shares_do_not_mix(rank):
    x = np.ones(2, np.uint64)
    for mix in (lambda: Share(rank, x) + BitShare(rank, x), lambda: BitShare(rank, x) ^ Share(rank, x)):
        with pytest.raises((TypeError, ValueError)):
            mix()


@pytest.mark.parametrize("rank", [0, 1])
@pytest.mark.parametrize("public", [2.5, np.array([1, -1]), np.array([0.5, 1.0]), np.int64(3), np.float64(2)])
def test_public_values_that_are_no_ring_elements_are_refused(rank, public):
    share = Share(rank, np.ones(2, np.uint64))  # NumPy would go on in float64 and round the share
    for operation in (lambda: share + public, lambda: share - public, lambda: share * public):
        with pytest.raises((TypeError, ValueError)):
            operation()


@pytest.mark.parametrize("values", [np.ones(2), np.ones(2, np.int64), np.ones(2, np.uint32), np.uint64(1)])
def test_a_share_holds_ring_elements_with_an_axis(values):
    for kind in (Share, BitShare):
        with pytest.raises((TypeError, ValueError)):
            kind(0, values)


def test_nothing_of_a_share_is_printed():
    for share in (Share(1, np.array([123456789], np.uint64)), BitShare(1, np.array([123456789], np.uint64))):
        assert repr(share) == f"{share}" == f"{type(share).__name__}(rank=1, shape=(1,))"


def test_a_share_is_no_number_to_numpy():
    share = Share(0, np.ones(2, np.uint64))
    for function in (np.add, np.multiply, np.bitwise_xor):
        with pytest.raises(TypeError):
            function(np.ones(2, np.uint64), share)


# Privacy of a split


@pytest.mark.parametrize("count", [2, 3, 5])
def test_all_shares_but_the_last_do_not_depend_on_the_secret(count):
    zero, one = (deal(x, count) for x in (np.zeros(50, np.uint64), np.ones(50, np.uint64)))
    for a, b in zip(zero[:-1], one[:-1], strict=True):
        np.testing.assert_array_equal(a.values, b.values)
    assert (one[-1] - zero[-1]).values.tolist() == [1] * 50


def test_no_share_of_a_split_is_another():
    """Each is uniform alone even if two were one mask; together they would then tell of the secret."""
    assert len(np.unique([part.values for part in deal(np.zeros(50, np.uint64), 5)])) == 5 * 50


def test_frozen_vectors(vectors):
    for vector in vectors("shares")["split"]:
        x, seed = np.array(vector["x"], np.uint64), bytes.fromhex(vector["seed"])
        parts = split(x, vector["parties"], Prg(seed))
        assert [part.values.tolist() for part in parts] == vector["shares"]
