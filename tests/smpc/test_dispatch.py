"""NumPy's functions on secret arrays: what is supported does what NumPy does, all else says what is supported."""

from __future__ import annotations

import copy
import operator
import pickle

import numpy as np
import pytest

import smpc
from smpc import dispatch
from tests.smpc.programs import revealed

M = np.array([[4, 1, 0], [1, 3, -1]])
LISTED = r"is not supported on secret arrays. Supported: \+ - \* @, / by public .*np\.sum.*np\.linalg\.solve"


def assert_same(function, *values):
    expected = np.asarray(function(*values))[()]
    np.testing.assert_array_equal(revealed(function, *values), expected, strict=True)


def test_a_function():
    np.testing.assert_array_equal(revealed(np.sum, [1, 2, 3]), 6)


CALLS = {
    np.add: [lambda x: np.add(x, x), lambda x: np.add(1, x)],
    np.subtract: [lambda x: np.subtract(x, [1, 2, 3]), lambda x: np.subtract([1, 2, 3], x)],
    np.multiply: [lambda x: np.multiply(x, x), lambda x: np.multiply(np.float64(0.5), x)],
    np.true_divide: [lambda x: np.true_divide(x, 2), lambda x: np.divide(x, np.array([2, -4, 0.5]))],
    np.matmul: [lambda x: np.matmul(x, x.T), lambda x: np.matmul([1, 2], x), lambda x: np.matmul(x, M.T)],
    np.power: [lambda x: np.power(x, 2), lambda x: np.power(x, 1)],
    np.negative: [np.negative],
    np.positive: [np.positive],
    np.square: [np.square],
    np.sum: [
        np.sum,
        lambda x: np.sum(x, axis=0),
        lambda x: np.sum(x, (0, 1)),
        lambda x: np.sum(x, axis=-1, keepdims=True),
    ],
    np.mean: [lambda x: np.mean(x, 0), lambda x: np.mean(x[:, :2], axis=(0, 1), keepdims=True)],
    np.reshape: [lambda x: np.reshape(x, (3, 2)), lambda x: np.reshape(x, -1), lambda x: x.reshape(1, 6, 1)],
    np.ravel: [np.ravel, lambda x: x.T.ravel()],
    np.transpose: [
        np.transpose,
        lambda x: np.transpose(x[None], (2, 0, 1)),
        lambda x: np.transpose(x[None], axes=(1, 0, 2)),
        lambda x: x[None].transpose(2, 0, 1),
        lambda x: x.transpose(),
    ],
    np.broadcast_to: [lambda x: np.broadcast_to(x, (2, 2, 3))],
    np.diag: [
        np.diag,
        lambda x: np.diag(x, 1),
        lambda x: np.diag(x, k=-1),
        lambda x: np.diag(x[0]),
        lambda x: np.diag(x[1], 2),
    ],
    np.trace: [np.trace, lambda x: np.trace(x, 1), lambda x: np.trace(x[:, :, None] + 0 * x[0, 0])],
    np.concatenate: [
        lambda x: np.concatenate([x, M, x]),
        lambda x: np.concatenate((x, [[7], [8]]), axis=1),
        lambda x: np.concatenate([x, [5]], axis=None),
        lambda x: np.concatenate([M / 2, x]),
    ],
    np.stack: [lambda x: np.stack([x, M]), lambda x: np.stack([M, x], axis=-1), lambda x: np.stack([x[0, 0], 3])],
    np.vstack: [lambda x: np.vstack([x, [7, 8, 9]]), lambda x: np.vstack([x[0], x[1]])],
    np.hstack: [lambda x: np.hstack([x, [[7], [8]]]), lambda x: np.hstack([x[0], 5, x[1, 1]])],
    np.dot: [
        lambda x: np.dot(x, x.T),
        lambda x: np.dot(3, x),
        lambda x: np.dot([1, 2], x),
        lambda x: np.dot(x[0], x[1]),
        lambda x: np.dot(x, x[0, 0]),
    ],
    np.outer: [lambda x: np.outer(x, x), lambda x: np.outer([1, 2], x[0]), lambda x: np.outer(x[0], M)],
}
SYSTEMS = {np.linalg.solve, np.linalg.inv}  # have a file of their own
SHAPES = {np.shape: (2, 3), np.ndim: 2, np.size: 6}


@pytest.mark.parametrize(
    "function", [pytest.param(call, id=of.__name__) for of, calls in CALLS.items() for call in calls]
)
def test_it_does_what_numpy_does(function):
    assert_same(function, M)


@pytest.mark.parametrize(("function", "expected"), SHAPES.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_shapes_are_public(function, expected):
    assert smpc.simulate(lambda p: function(p.share(M if p.rank == 0 else None, 0)), 2) == [expected] * 2


def test_all_that_is_listed_is_tested():
    assert {*CALLS, *SYSTEMS, *SHAPES} == {*dispatch.UFUNCS, *dispatch.FUNCTIONS}
    listed = dispatch.unsupported("it")
    assert all(f"np.{function.__name__}" in listed for function in {*CALLS, *SHAPES})


def test_joined_arrays_have_the_finest_unit():
    halves = np.array([[0.5, 1.5, -2.5]])
    assert_same(lambda x, y: np.concatenate([x, y, [[1, 2, 3]]]), M, halves)
    assert_same(lambda x, y: np.stack([x[0], y[0]]) * 2, M, halves)


# What is not supported

UNSUPPORTED = {
    "exp": np.exp,
    "sqrt": np.sqrt,
    "max": np.max,
    "sort": np.sort,
    "where": lambda x: np.where(x, 1, 2),
    "copyto": lambda x: np.copyto(np.zeros(2), x),
    "reduce": np.add.reduce,
    "where=": lambda x: np.add(x, 1, where=True),
    "array += secret": lambda x: operator.iadd(np.ones(2), x),
    "array //": lambda x: np.ones(2) // x,
    "//": lambda x: x // 2,
    "2 //": lambda x: 2 // x,
    "%": lambda x: x % 2,
    "2 %": lambda x: 2 % x,
    "divmod": lambda x: divmod(x, 2),
    "divmod 2": lambda x: divmod(2, x),
    "abs": abs,
    "round": round,
    "float": lambda x: float(x[0]),
    "int": lambda x: int(x[0]),
    "set item": lambda x: operator.setitem(x, 0, 1),
    "/ secret": lambda x: x / x,
    "1 / secret": lambda x: 1 / x,
    "array / secret": lambda x: np.ones(2) / x,
    "** 3": lambda x: x**3,
    "** 0.5": lambda x: x**0.5,
    "** -1": lambda x: x**-1,
    "** secret": lambda x: x**x,
    "2 ** secret": lambda x: 2**x,
    "** array": lambda x: x ** np.array([2, 2]),
    "complex": lambda x: x + 1j,
    "complex left": lambda x: 1j * x,
    "text": lambda x: x + "a",
    "None": lambda x: x * None,
    "objects": lambda x: x * np.array([1, None]),
    "big integers": lambda x: x + 2**70,
    "dates": lambda x: x + np.array(["2020-01-01"], "M8[D]"),
    "records": lambda x: x * np.zeros(2, [("a", int)]),
    "@ text": lambda x: x @ ["a", "b"],
    "@ three axes": lambda x: x @ np.ones((2, 2, 2)),
    "three axes @": lambda x: np.ones((2, 2, 2)) @ x,
    "solve public": lambda x: np.linalg.solve(np.eye(2), x),
    "concatenate text": lambda x: np.concatenate([x, ["a"]]),
    "==": lambda x: x == 1,
    "!=": lambda x: x != 1,
    "<": lambda x: x < 1,
    "<=": lambda x: x <= x[0],
    ">": lambda x: x > 1,
    ">=": lambda x: x >= x[0],
}


@pytest.mark.parametrize("function", UNSUPPORTED.values(), ids=UNSUPPORTED)
def test_what_is_not_supported_says_what_is(function):
    with pytest.raises(TypeError, match=LISTED):
        revealed(function, [1.5, 2.5])


@pytest.mark.parametrize("compare", [operator.eq, operator.lt, operator.ge])
def test_an_array_on_the_left_is_not_compared_either(compare):
    with pytest.raises(TypeError, match=LISTED):
        revealed(lambda x: compare(np.ones(2), x), [1.5, 2.5])


@pytest.mark.parametrize(
    "function",
    [
        bool,
        lambda x: 1 if x else 2,
        np.asarray,
        lambda x: np.array([x, x]),
        np.asarray_chkfinite,
        lambda x: np.zeros(2)[x],
        lambda x: x[x],
        np.float64,
    ],
)
def test_what_would_reveal_says_reveal(function):
    with pytest.raises(TypeError, match=r"\.reveal\(\)"):
        revealed(function, 1)


@pytest.mark.parametrize(
    "function",
    [
        iter,
        list,
        len,
        hash,
        range,
        lambda x: f"{x:.2f}",
        pickle.dumps,
        copy.deepcopy,
        lambda x: np.sum(x, dtype=float),
        lambda x: np.sum(x, out=np.zeros(1)),
        lambda x: np.mean(x, where=True),
    ],
)
def test_python_says_that_there_is_no_such_thing(function):
    with pytest.raises(TypeError):
        revealed(function, 1)


def test_a_secret_prints_shape_and_party_only():
    def program(party):
        x = party.share(np.array([8675309.0, 1.0]) if party.rank == 0 else None, 0)
        return f"{x!r} {x} {x.share!r} {party!r}"

    for rank, text in enumerate(smpc.simulate(program, 3)):
        assert f"SecretArray(shape=(2,), 20 fraction bits, at party{rank})" in text
        assert "[" not in text
        assert "8675309" not in text


def test_a_share_alone_says_nothing_of_the_value():
    value = np.int64(8675309)
    held = smpc.simulate(lambda p: p.share(value if p.rank == 0 else None, 0).share.values, 2)
    assert (held[0] + held[1]).view(np.int64) == value
    assert value not in held[0].view(np.int64)
