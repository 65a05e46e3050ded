"""Z_{2^64} against Python's integers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from protocols import ring

Q = 2**64
EDGES = (0, 1, 2, Q - 1, 2**62 - 1, Q - 2**62 + 1, 2**63 - 1, 2**63, 2**63 + 1)
words = st.sampled_from(EDGES) | st.integers(0, Q - 1)
shapes = array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4)


def test_sums_and_products_wrap():
    x = ring.from_int([-1, 2**62])
    assert ring.to_int(x + x).tolist() == [-2, -(2**63)]
    assert ring.to_int(x * x).tolist() == [1, 0]


@given(st.data(), shapes)
def test_arithmetic_is_that_of_integers_mod_2_64(data, shape):
    x, y = (data.draw(arrays(np.uint64, shape, elements=words)) for _ in range(2))
    a, b = x.astype(object), y.astype(object)
    for ours, exact in ((x + y, a + b), (x - y, a - b), (x * y, a * b)):
        assert (ours == exact % Q).all()


@given(st.data(), st.tuples(*[st.integers(0, 4)] * 3))
def test_matrix_product_is_that_of_integers_mod_2_64(data, sizes):
    m, k, p = sizes
    a, b = (data.draw(arrays(np.uint64, shape, elements=words)) for shape in ((m, k), (k, p)))
    exact = np.array([[sum(map(int.__mul__, row, col)) % Q for col in b.T.tolist()] for row in a.tolist()])
    assert ring.matmul(a, b).shape == (m, p)
    assert (ring.matmul(a, b) == exact.reshape(m, p)).all()
    assert (ring.matmul(b.T, a.T) == exact.reshape(m, p).T).all()  # operands that are views


@pytest.mark.parametrize("shapes", [((2, 3), (2, 3)), ((2, 1), (3, 2)), ((2, 3), (1, 2))])
def test_matrices_that_do_not_fit_are_refused(shapes):
    with pytest.raises(ValueError, match="not a matrix product"):
        ring.matmul(*(np.ones(shape, np.uint64) for shape in shapes))


@given(arrays(np.uint64, (6,), elements=words), arrays(np.uint64, (6,), elements=words), st.integers(1, 63))
def test_reduction_to_a_smaller_ring_is_a_homomorphism(x, y, k):
    low = np.uint64((1 << k) - 1)
    for op in (np.add, np.subtract, np.multiply, np.bitwise_and, np.bitwise_xor):
        assert (op(x, y) & low == op(x & low, y & low) & low).all()


@given(st.integers(-(2**70), 2**70))
def test_any_integer_has_its_element(value):
    assert int(ring.element(value)) == value % Q


@given(st.lists(st.integers(-(2**63), 2**63 - 1)))
def test_signed_integers_come_back(values):
    assert ring.to_int(ring.from_int(values)).tolist() == values


@pytest.mark.parametrize("value", [*EDGES, Q - 2**63])
def test_the_representative_is_signed(value):
    signed = int(ring.to_int(np.array([value], np.uint64))[0])
    assert -(2**63) <= signed < 2**63
    assert signed % Q == value


def test_a_number_becomes_an_array_with_an_axis():
    assert ring.from_int(-5).shape == (1,)
    assert ring.from_int([[1, 2]]).shape == (1, 2)


def test_integers_beyond_the_ring_are_refused():
    with pytest.raises(OverflowError):
        ring.from_int([2**63])


@given(st.data(), shapes)
def test_a_ring_array_passes_the_check(data, shape):
    x = data.draw(arrays(np.uint64, shape, elements=words))
    assert ring.check(x) is x


@pytest.mark.parametrize("wrong", [np.ones(2), np.ones(2, np.int64), np.array(1, np.uint64), np.uint64(1), 1, [1]])
def test_what_is_no_ring_array_is_refused(wrong):
    with pytest.raises(TypeError, match="not an array of ring elements"):
        ring.check(wrong)


@given(st.data(), shapes)
def test_bytes_come_back(data, shape):
    x = data.draw(arrays(np.uint64, shape, elements=words))
    octets = ring.to_bytes(x)
    assert len(octets) == ring.BYTES * ring.size(shape)
    back = ring.from_bytes(octets, shape)
    assert back.dtype == np.uint64
    np.testing.assert_array_equal(back, x)
    np.testing.assert_array_equal(ring.from_bytes(ring.to_bytes(x.T), x.T.shape), x.T)


def test_bytes_are_little_endian_in_c_order():
    x = np.array([[1, 2], [2**63, 0x0807060504030201]], np.uint64)
    assert ring.to_bytes(x).hex() == "01" + 14 * "0" + "02" + 14 * "0" + 14 * "0" + "80" + "0102030405060708"


def test_what_was_read_may_be_written_to():
    x = ring.from_bytes(memoryview(bytes(16)), (2,))
    x += np.uint64(1)  # a view of the message would be read-only
    assert x.tolist() == [1, 1]


@pytest.mark.parametrize("size", [0, 1, 7, 8, 15, 17, 23, 32])
def test_bytes_that_do_not_fill_the_shape_are_refused(size):
    with pytest.raises(ValueError, match=r"buffer size|reshape"):
        ring.from_bytes(bytes(size), (3,))
