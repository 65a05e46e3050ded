"""Words shared by exclusive or, against NumPy's integers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from protocols import local
from protocols.binary import WordTriple, conjunction, leading_one
from protocols.shares import combine_bits

Q = 2**64
SEED = bytes(range(32))
EDGES = np.array([0, 1, 2, 3, Q - 1, Q - 2, 2**62 - 1, Q - 2**62 + 1, 2**63 - 1, 2**63, 2**63 + 1], np.uint64)
words = st.sampled_from(EDGES.tolist()) | st.integers(0, Q - 1)
some = array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4)
counts = st.sampled_from([2, 3, 5])


@pytest.fixture(scope="session")
def run(split_bits):
    """The whole result of a protocol on shares of words."""

    def run(count, protocol, *xs):
        dealt = [split_bits(x, count) for x in xs]
        return combine_bits(local.run(count, lambda p: protocol(p, *(parts[p.rank] for parts in dealt)), SEED))

    return run


def test_a_conjunction(run):
    x, y = np.array([0b1100], np.uint64), np.array([0b1010], np.uint64)
    assert run(3, conjunction, x, y).tolist() == [0b1000]


@settings(max_examples=30)
@given(st.data(), some, counts)
def test_conjunction_is_that_of_all_bits(run, data, shape, count):
    x, y = (data.draw(arrays(np.uint64, shape, elements=words)) for _ in range(2))
    np.testing.assert_array_equal(run(count, conjunction, x, y), x & y)


@settings(max_examples=20)
@given(st.data(), some, st.integers(0, 3), counts)
def test_a_word_with_several_others(run, data, shape, factors, count):
    x = data.draw(arrays(np.uint64, shape, elements=words))
    y = data.draw(arrays(np.uint64, (factors, *shape), elements=words))
    np.testing.assert_array_equal(run(count, conjunction, x, y), x & y)


def exact_leading_one(x):
    return np.array([1 << v.bit_length() - 1 if v else 0 for v in x.ravel().tolist()], np.uint64).reshape(x.shape)


@pytest.mark.parametrize("count", [2, 3, 5])
def test_the_leading_one_at_every_position(run, count):
    powers = np.uint64(1) << np.arange(64, dtype=np.uint64)
    x = np.concatenate([powers, powers - np.uint64(1), powers | np.uint64(1), EDGES])
    np.testing.assert_array_equal(run(count, leading_one, x), exact_leading_one(x))


@settings(max_examples=20)
@given(st.data(), some, counts)
def test_the_leading_one(run, data, shape, count):
    x = data.draw(arrays(np.uint64, shape, elements=words))
    np.testing.assert_array_equal(run(count, leading_one, x), exact_leading_one(x))


def test_every_conjunction_takes_fresh_triples(split_bits):
    dealt = split_bits(np.zeros(4, np.uint64), 2)  # what is opened is then the mask itself
    parties = local.parties(2, SEED)
    local.run_all(parties, lambda p: [conjunction(p, dealt[p.rank], dealt[p.rank]) for _ in range(10)])
    assert parties[0].taken == [WordTriple((4,))] * 10
    first, second = ([array for m in party.sent for array in m.arrays] for party in parties)
    opened = [(a ^ b).ravel() for a, b in zip(first, second, strict=True)]
    assert len(np.unique(opened)) == 10 * 2 * 4


@pytest.mark.parametrize(
    ("x", "y"), [((3,), (2,)), ((3,), (1,)), ((0,), (1,)), ((2, 3), (3,)), ((3,), (2, 2)), ((3,), (1, 1, 3))]
)
def test_words_of_two_shapes_are_refused_before_anything_is_sent(split_bits, x, y):
    a, b = (split_bits(np.ones(shape, np.uint64), 2) for shape in (x, y))
    parties = local.parties(2, SEED)
    with pytest.raises(ExceptionGroup) as info:
        local.run_all(parties, lambda p: conjunction(p, a[p.rank], b[p.rank]))
    assert {str(error) for error in info.value.exceptions} == {f"shapes differ: {x} and {y}"}
    assert not any(party.sent or party.taken for party in parties)
