"""Secret arrays beside NumPy: operators, broadcasting, indices; integers exact, reals within the stated bound."""

from __future__ import annotations

import operator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import (
    array_shapes,
    arrays,
    basic_indices,
    broadcastable_shapes,
    integer_array_indices,
    mutually_broadcastable_shapes,
)

import smpc
from tests.smpc.programs import revealed, units

F = 20  # fraction bits; reals here are whole units of 2^-F, so that float64 is an exact oracle
parties = st.sampled_from([2, 3])
integers = st.integers(-(10**6), 10**6)
reals = st.integers(-1000 << F, 1000 << F).map(lambda x: x / 2**F)
shapes = array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)
pairs = mutually_broadcastable_shapes(num_shapes=2, max_dims=3, min_side=0, max_side=3).map(lambda p: p.input_shapes)
sizes = st.tuples(*[st.integers(0, 4)] * 3)


def numbers(shape, real):
    return arrays(np.float64, shape, elements=reals) if real else arrays(np.int64, shape, elements=integers)


def assert_exact(found, expected):
    np.testing.assert_array_equal(found, expected, strict=True)


def assert_within(found, exact, bound):
    """`exact`: units of 2^-2F, as the product of two; `bound`: units of 2^-F."""
    assert np.shape(found) == exact.shape
    assert (np.abs((units(found) << F) - exact) <= np.asarray(bound) * 2**F).all()


def test_a_program():
    x, y = np.array([1.5, -2.0]), np.array([[3.0, 4.0]])
    assert_exact(revealed(lambda a, b: (a + 1) * b - a, x, y), (x + 1) * y - x)


# Sums


@settings(max_examples=60)
@given(st.data(), pairs, parties, st.booleans(), st.booleans(), st.sampled_from([operator.add, operator.sub]))
def test_sums_are_exact(data, two, count, left, right, op):
    x, y = data.draw(numbers(two[0], left)), data.draw(numbers(two[1], right))
    for function, values in [(op, (x, y)), (lambda a: op(a, y), (x,)), (lambda b: op(x, b), (y,))]:
        assert_exact(revealed(function, *values, parties=count), op(x, y))


@given(st.data(), shapes, st.booleans())
def test_signs_and_sums_along_axes_are_exact(data, shape, real):
    x = data.draw(numbers(shape, real))
    axis = data.draw(st.sampled_from([None, (), *range(-len(shape), len(shape)), tuple(range(len(shape)))]))
    keep = data.draw(st.booleans())
    assert_exact(revealed(lambda a: (-a).sum(axis, keepdims=keep), x), (-x).sum(axis, keepdims=keep))
    assert_exact(revealed(lambda a: +a, x), x)


# Products


@settings(max_examples=60)
@given(st.data(), pairs, parties)
def test_products_of_integers_are_exact(data, two, count):
    x, y = (data.draw(numbers(shape, real=False)) for shape in two)
    for function, values in [(operator.mul, (x, y)), (lambda a: a * y, (x,)), (lambda b: x * b, (y,))]:
        assert_exact(revealed(function, *values, parties=count), x * y)
    assert_exact(revealed(lambda a: a**2, x), x**2)


@settings(max_examples=60)
@given(st.data(), pairs, parties)
def test_products_of_secret_reals_are_within_a_unit(data, two, count):
    x, y = (data.draw(numbers(shape, real=True)) for shape in two)
    exact = units(x) * units(y)
    assert_within(revealed(operator.mul, x, y, parties=count), exact, 1)
    assert_within(revealed(np.square, x, parties=count), units(x) ** 2, 1)


@settings(max_examples=60)
@given(st.data(), pairs, parties)
def test_products_with_public_reals_are_within_the_bound(data, two, count):
    x, y = (data.draw(numbers(shape, real=True)) for shape in two)
    assert_within(revealed(lambda a: a * y, x, parties=count), units(x) * units(y), 3)
    assert_within(revealed(lambda b: x * b, y, parties=count), units(x) * units(y), 3)


@given(st.data(), pairs, parties)
def test_integers_times_reals_are_exact(data, two, count):
    x, y = data.draw(numbers(two[0], real=False)), data.draw(numbers(two[1], real=True))
    for function, values in [(operator.mul, (x, y)), (operator.mul, (y, x)), (lambda b: x * b, (y,))]:
        assert_exact(revealed(function, *values, parties=count), x * y)


@given(st.data(), shapes, st.integers(1, 10**9) | st.floats(1e-3, 1e3))
def test_division_is_a_product_with_the_inverse(data, shape, divisor):
    x = data.draw(numbers(shape, real=True))
    bound = (3 + np.abs(x).max(initial=0) * 2.0**-F) * 2.0**-F
    found = revealed(lambda a: a / divisor, x)
    assert np.shape(found) == shape
    assert (np.abs(found - x / divisor) <= bound).all()


@given(st.floats(-1000, 1000), st.floats(-1000, 1000))
def test_reals_are_rounded_to_the_nearest_unit(x, y):
    half = 2.0 ** -(F + 1)
    a, b = revealed(lambda a: +a, x), revealed(lambda a: +a, y)
    assert max(abs(a - x), abs(b - y)) <= half
    assert abs(revealed(operator.mul, x, y) - x * y) <= 2 * half + half * (abs(x) + abs(b)) + 2.0**-32


@pytest.mark.parametrize("bits", [8, 13, 20, 30])
def test_any_number_of_fraction_bits(bits):
    x = np.arange(-8, 9) / 2**bits * 123
    assert_exact(revealed(lambda a: a + x, x, bits=bits), 2 * x)
    assert (np.abs(revealed(operator.mul, x, x, bits=bits) - x * x) <= 2.0**-bits).all()
    unit = 2.0**-bits
    assert (np.abs(revealed(lambda a: a / 3, x, bits=bits) - x / 3) <= unit * (3 + np.abs(x).max() * unit)).all()


# At the edge of the domain


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("x", [2.0**41.9, 2.0**30, -(2.0**41.9), 2.0**-20])
@pytest.mark.parametrize("smaller", [2.0**-20, -0.75 * 2.0**-20, 1e-12, 0.0])
def test_large_times_small(x, smaller, count):
    x = np.rint(x * 2**F) / 2**F
    bound = 2.0**-F * (3 + abs(x) * 2.0**-F)
    assert abs(revealed(lambda a: a * smaller, x, parties=count) - x * smaller) <= bound
    small = np.rint(smaller * 2**F) / 2**F
    assert abs(revealed(operator.mul, x, small, parties=count) - x * small) <= 2.0**-F


def test_the_mean_of_many():
    salaries = np.full(100_000, 5000.0)
    bound = 2.0**-F * (3 + salaries.sum() * 2.0**-F)
    assert abs(revealed(np.mean, salaries) - 5000) <= bound
    assert abs(revealed(np.mean, salaries.astype(np.int64)) - 5000) <= bound
    assert revealed(np.mean, salaries[: 1 << 16]) == 5000  # 2^-16 has no error


def test_integers_up_to_their_limit():
    x = np.array([2**62 - 1, -(2**62) + 1])
    assert_exact(revealed(lambda a: a, x), x)
    assert_exact(revealed(lambda a: a * 2 - a, x // 2), x // 2)
    with pytest.raises(smpc.RangeError, match=r"could reach 2\^63 units in the last place, and must stay below 2\^63"):
        revealed(lambda a: a * 2 + 2, x)
    with pytest.raises(ValueError, match=r"an integer is 2\^62 or more"):
        smpc.simulate(lambda p: p.share(x * 2 if p.rank == 0 else None, 0, bounds=x[0]), 2)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 2.0**42])
def test_what_has_no_encoding_is_refused(bad):
    for function in (lambda a: a + bad, lambda a: bad - a):
        with pytest.raises(ValueError, match=r"not a finite number|2\^42 or more") as caught:
            revealed(function, 1.5)
        assert str(bad) not in str(caught.value)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_factor_that_is_not_finite_is_refused(bad):
    with pytest.raises(ValueError, match="a public factor is not a finite number"):
        revealed(lambda a: a * bad, 1.5)


@pytest.mark.parametrize("zero", [0, 0.0, -0.0, np.zeros(2), 5e-324])
def test_division_by_zero_is_refused(zero):
    with pytest.raises(ValueError, match="a public factor is not a finite number"):
        revealed(lambda a: a / zero, [1.5, 2.5])


# Matrix products


@settings(max_examples=60)
@given(st.data(), sizes, parties, st.booleans(), st.booleans())
def test_matrix_products(data, size, count, vector_left, vector_right):
    m, k, p = size
    left, right = ((k,) if vector_left else (m, k)), ((k,) if vector_right else (k, p))
    x, y = data.draw(numbers(left, real=False)), data.draw(numbers(right, real=False))
    for function, values in [(operator.matmul, (x, y)), (lambda a: a @ y, (x,)), (lambda b: x @ b, (y,))]:
        assert_exact(revealed(function, *values, parties=count), x @ y)
    a, b = data.draw(numbers(left, real=True)), data.draw(numbers(right, real=True))
    exact = units(a) @ units(b)
    assert_within(revealed(operator.matmul, a, b, parties=count), exact, 1)
    assert_within(revealed(lambda s: s @ b, a, parties=count), exact, 3 + k / 2)
    assert_within(revealed(lambda s: a @ s, b, parties=count), exact, 3 + k / 2)


@pytest.mark.parametrize(
    ("left", "right"), [((2, 3), (2, 3)), ((3,), (2, 3)), ((2, 3), (2,)), ((), (3,)), ((3,), ()), ((2,), (3,))]
)
def test_matrices_that_do_not_fit(left, right):
    x, y = np.ones(left), np.ones(right)
    for function, values in [(operator.matmul, (x, y)), (lambda a: a @ y, (x,)), (lambda b: x @ b, (y,))]:
        with pytest.raises(ValueError, match="not a product of vectors or matrices"):
            revealed(function, *values)


def test_a_list_is_an_operand():
    x = np.array([[1, 2], [3, 4]])
    assert_exact(revealed(lambda a: a @ [5, 6], x), x @ [5, 6])
    assert_exact(revealed(lambda a: [5, 6] @ a, x), [5, 6] @ x)
    assert_exact(revealed(lambda a: [5, 6] + a * [7, 8], x), [5, 6] + x * [7, 8])


# NumPy's scalars and other types


@pytest.mark.parametrize("scalar", [np.float64(2.5), np.float32(2.5), np.int8(-3), np.uint64(7), np.bool(True), 3, 0.5])
def test_scalars_on_either_side(scalar):
    for x in (1.5, np.array([1.5, -2.0])):
        for op in (operator.add, operator.sub, operator.mul):
            assert_exact(revealed(lambda a, op=op, x=x: op(a, scalar), x), np.asarray(op(x, scalar), np.float64)[()])
            assert_exact(revealed(lambda a, op=op, x=x: op(scalar, a), x), np.asarray(op(scalar, x), np.float64)[()])


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int32, np.uint64])
def test_integers_of_any_width_do_not_wrap(kind):
    x = np.array([0, 1, np.iinfo(kind).max], kind) // (1 << 3 * (kind is np.uint64))
    assert_exact(revealed(lambda a: a + a, x), 2 * x.astype(np.int64))
    assert_exact(revealed(lambda a: a - x, x), np.zeros(3, np.int64))


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.longdouble])
def test_reals_of_any_width(kind):
    assert_exact(revealed(lambda a: a * kind(2), np.array([1.5, -0.25], kind)), np.array([3, -0.5]))


# In place: a new array takes the old one's name


def test_in_place_operators_leave_the_old_array_alone():
    def program(party):
        x = old = party.share([1, 2] if party.rank == 0 else None, 0, bounds=2)
        x += 3
        x *= np.array([2, 5])
        x -= old
        x @= np.array([[1, 1], [0, 2]])
        x **= 2
        x /= 4
        return x.reveal(), old.reveal()

    new, old = smpc.simulate(program, 2)[0]
    assert_exact(new, np.array([7.0**2, 53.0**2]) / 4)
    assert_exact(old, np.array([1, 2]))


# Indices


@settings(max_examples=150)
@given(st.data(), shapes)
def test_slices_steps_and_new_axes(data, shape):
    x = np.arange(np.prod(shape, dtype=np.int64)).reshape(shape)
    index = data.draw(basic_indices(shape, allow_newaxis=True, max_dims=4))
    assert_exact(revealed(lambda a: a[index], x), x[index])


@given(st.data(), array_shapes(max_dims=3, max_side=3))
def test_fancy_indices_and_masks(data, shape):
    x = np.arange(np.prod(shape, dtype=np.int64)).reshape(shape)
    index = data.draw(integer_array_indices(shape, result_shape=array_shapes(min_dims=0, max_dims=2, max_side=3)))
    mask = data.draw(arrays(bool, shape))
    assert_exact(revealed(lambda a: a[index], x), x[index])
    assert_exact(revealed(lambda a: a[mask], x), x[mask])


@pytest.mark.parametrize("index", [3, -4, (0, 0), [5], slice(None, None, 0), "age", 1.0, [True]])
def test_a_bad_index_is_numpys_error(index):
    with pytest.raises((IndexError, ValueError)) as ours:
        revealed(lambda a: a[index], [1, 2, 3])
    with pytest.raises((IndexError, ValueError)) as numpys:
        np.array([1, 2, 3])[index]
    assert str(ours.value) == str(numpys.value)


@given(st.data(), array_shapes(min_dims=0, max_dims=3, max_side=3))
def test_products_of_views(data, shape):
    x = data.draw(numbers(shape, real=False))
    index = data.draw(basic_indices(shape, allow_newaxis=True))
    wider = data.draw(broadcastable_shapes(shape, min_dims=len(shape), max_dims=4, max_side=3))
    assert_exact(revealed(lambda a: a[index] * a[index], x), np.asarray(x[index] * x[index])[()])
    assert_exact(revealed(lambda a: a.T * a.T + a.T, x), x.T * x.T + x.T)
    spread = np.broadcast_to(x, np.broadcast_shapes(shape, wider))
    assert_exact(revealed(lambda a: np.broadcast_to(a, spread.shape) * a, x), np.asarray(spread * x)[()])


def test_iteration_and_length():
    x = np.arange(6).reshape(2, 3)
    assert_exact(revealed(lambda a: sum(row * k for k, row in enumerate(a, 1)), x), x[0] + 2 * x[1])
    assert smpc.simulate(lambda p: len(p.share(x if p.rank == 0 else None, 0)), 2) == [2, 2]
