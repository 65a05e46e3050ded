"""Products, against NumPy's integers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from protocols import local, ring
from protocols.beaver import matmul, matmul_each, multiply, private_matmul, square
from protocols.prg import Prg
from protocols.shares import combine, split
from tests.correlations import element_triple, matrix_triple

Q = 2**64
SEED = bytes(range(32))
EDGES = (0, 1, Q - 1, 2**62 - 1, Q - 2**62 + 1, 2**63)
words = st.sampled_from(EDGES) | st.integers(0, Q - 1)
some = array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4)
counts = st.sampled_from([2, 3, 5])
sizes = st.tuples(*[st.integers(0, 4)] * 3)


def run(count, protocol, *xs):
    """The whole result of a protocol on shares of `xs`."""
    dealt = [split(x, count, Prg(bytes([i]) * 32)) for i, x in enumerate(xs)]
    return combine(local.run(count, lambda p: protocol(p, *(parts[p.rank] for parts in dealt)), SEED))


def test_a_product():
    assert ring.to_int(run(3, multiply, ring.from_int([3, -4]), ring.from_int([-5, 6]))).tolist() == [-15, -24]


@pytest.mark.parametrize("count", [2, 3, 5])
def test_every_pair_of_edge_values(count):
    x, y = (grid.ravel() for grid in np.meshgrid(np.array(EDGES, np.uint64), np.array(EDGES, np.uint64)))
    np.testing.assert_array_equal(run(count, multiply, x, y), x * y)
    np.testing.assert_array_equal(run(count, square, x), x * x)


@settings(max_examples=30)
@given(st.data(), some, counts)
def test_multiply_is_multiplication(data, shape, count):
    x, y = (data.draw(arrays(np.uint64, shape, elements=words)) for _ in range(2))
    np.testing.assert_array_equal(run(count, multiply, x, y), x * y)


@settings(max_examples=30)
@given(st.data(), some, counts)
def test_square_is_multiplication_by_itself(data, shape, count):
    x = data.draw(arrays(np.uint64, shape, elements=words))
    np.testing.assert_array_equal(run(count, square, x), x * x)


@settings(max_examples=30)
@given(st.data(), sizes, counts)
def test_matmul_is_the_matrix_product(data, size, count):
    m, k, p = size
    x, y = (data.draw(arrays(np.uint64, shape, elements=words)) for shape in ((m, k), (k, p)))
    np.testing.assert_array_equal(run(count, matmul, x, y), x @ y)


@settings(max_examples=30)
@given(st.data(), sizes, counts)
def test_private_matmul_is_the_matrix_product(data, size, count):
    m, k, p = size
    owners = tuple(data.draw(st.permutations(range(count))))[:2]
    x, y = (data.draw(arrays(np.uint64, shape, elements=words)) for shape in ((m, k), (k, p)))
    known = dict(zip(owners, (x, y), strict=True))
    parties = local.parties(count, SEED)
    parts = local.run_all(parties, lambda p: private_matmul(p, known.get(p.rank), owners, x.shape, y.shape))
    np.testing.assert_array_equal(combine(parts), x @ y)
    assert {(m.sender, m.receiver) for party in parties for m in party.sent} == {owners, owners[::-1]}
    assert {party.rounds for party in parties} == {1}


def test_products_of_views():
    x = np.arange(12, dtype=np.uint64).reshape(3, 4)
    np.testing.assert_array_equal(run(2, lambda p, a: matmul(p, a.T, a), x), x.T @ x)
    np.testing.assert_array_equal(run(2, lambda p, a: multiply(p, a, a[:1].broadcast_to((3, 4))), x), x * x[:1])


@pytest.mark.parametrize("count", [2, 3, 5])
def test_several_matrix_products_go_in_one_round(count):
    x, y, z = np.arange(12, dtype=np.uint64).reshape(3, 2, 2)
    dealt = [split(v, count, Prg(SEED)) for v in (x, y, z)]

    def program(party):
        a, b, c = (parts[party.rank] for parts in dealt)
        return matmul_each(party, (a, b), (b, c), (c, a[:, :1])), matmul_each(party)

    parties = local.parties(count, SEED)
    results = local.run_all(parties, program)
    products = [combine(column) for column in zip(*(result for result, _ in results), strict=True)]
    for product, exact in zip(products, (x @ y, y @ z, z @ x[:, :1]), strict=True):
        np.testing.assert_array_equal(product, exact)
    assert {party.rounds for party in parties} == {1}  # for three products; none for none
    assert parties[0].elements == (count - 1) * 12  # each operand once


@pytest.mark.parametrize("count", [2, 3, 5])
def test_a_product_of_a_product_and_a_sum_of_products(count):
    x, y = np.array(EDGES, np.uint64), np.array(EDGES[::-1], np.uint64)
    cube = run(count, lambda p, a, b: multiply(p, square(p, a) + b, a), x, y)
    np.testing.assert_array_equal(cube, (x * x + y) * x)


def test_every_operand_gets_a_fresh_mask():
    x = np.zeros(4, np.uint64)  # what is opened is then the mask itself
    dealt = [split(x, 2, Prg(bytes([i] * 32))) for i in range(20)]
    parties = local.parties(2, SEED)
    local.run_all(parties, lambda p: [multiply(p, dealt[i][p.rank], dealt[i + 1][p.rank]) for i in range(0, 20, 2)])
    assert parties[0].taken == parties[1].taken == [element_triple((4,), number) for number in range(0, 20, 2)]
    first, second = ([array for m in party.sent for array in m.arrays] for party in parties)
    opened = [a + b for a, b in zip(first, second, strict=True)]
    assert len(np.unique(opened)) == 10 * 2 * 4


def test_the_mask_of_an_owner_is_used_once():
    x = np.zeros((2, 2), np.uint64)
    parties = local.parties(2, SEED)
    local.run_all(parties, lambda p: [private_matmul(p, x, (0, 1), (2, 2), (2, 2)) for _ in range(10)])
    assert len(np.unique([m.arrays for party in parties for m in party.sent])) == 10 * 2 * 4
    assert parties[0].taken == [matrix_triple(2, 2, 2, (0, 1))] * 10


# What is refused, before anything is sent


def refused(count, program):
    parties = local.parties(count, SEED)
    with pytest.raises(ExceptionGroup) as info:
        local.run_all(parties, program)
    assert {type(error) for error in info.value.exceptions} == {ValueError}
    assert not any(party.sent for party in parties)
    return [str(error) for error in info.value.exceptions]


def shared(shape):
    return split(np.ones(shape, np.uint64), 2, Prg(SEED))


@pytest.mark.parametrize(("x", "y"), [((3,), (2,)), ((0,), (2,)), ((2, 3), (3, 2)), ((2, 3), (2,))])
def test_elementwise_operands_of_two_shapes_are_refused(x, y):
    a, b = shared(x), shared(y)
    messages = refused(2, lambda p: multiply(p, a[p.rank], b[p.rank]))
    assert all("broadcast" in message for message in messages)


@pytest.mark.parametrize(
    ("x", "y"), [((3,), (3,)), ((2, 3), (2, 3)), ((2, 3), (3,)), ((1, 2, 3), (3, 1)), ((2, 0), (1, 2))]
)
def test_matrices_that_do_not_fit_are_refused(x, y):
    a, b = shared(x), shared(y)
    messages = refused(2, lambda p: matmul(p, a[p.rank], b[p.rank]))
    assert set(messages) == {f"not a matrix product: {x} and {y}"}


@pytest.mark.parametrize(
    ("owners", "left", "right"),
    [
        ((0, 1), (2, 3), (2, 3)),
        ((0, 0), (2, 3), (3, 2)),
        ((0, 1), (3,), (3,)),
        ((0, 1), (2, 3, 9), (3, 2)),
        ((0, 1), (2, 3), (3, 2, 9)),
        ((0, 3), (2, 3), (3, 2)),
        ((-1, 1), (2, 3), (3, 2)),
    ],
)
def test_private_matrices_that_do_not_fit_are_refused(owners, left, right):
    known = {owners[0]: np.ones(left, np.uint64), owners[1]: np.ones(right, np.uint64)}
    assert len(refused(3, lambda p: private_matmul(p, known.get(p.rank), owners, left, right))) == 3


@pytest.mark.parametrize("mine", [None, np.ones((3, 2), np.uint64), np.ones(6, np.uint64)])
def test_owners_without_the_announced_matrix_are_refused(mine):
    messages = refused(2, lambda p: private_matmul(p, mine, (0, 1), (2, 3), (3, 4)))
    assert messages == ["this owner's matrix has shape (2, 3)", "this owner's matrix has shape (3, 4)"]
