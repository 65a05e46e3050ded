"""NumPy's operators and options on secret arrays: what they are not for says where the list of functions is."""

from __future__ import annotations

import copy
import operator
import pickle

import numpy as np
import pytest

import smpc
from tests.smpc.programs import revealed

M = np.array([[4, 1, 0], [1, 3, -1]])
LISTED = r"(is|are) not supported on secret arrays \(docs/numpy.md lists what is\): reveal what may be known"


def assert_same(function, *values):
    expected = np.asarray(function(*values))[()]
    np.testing.assert_array_equal(revealed(function, *values), expected, strict=True)


def test_a_function():
    np.testing.assert_array_equal(revealed(np.sum, [1, 2, 3]), 6)


def test_joined_arrays_have_the_finest_unit():
    halves = np.array([[0.5, 1.5, -2.5]])
    assert_same(lambda x, y: np.concatenate([x, y, [[1, 2, 3]]]), M, halves)
    assert_same(lambda x, y: np.stack([x[0], y[0]]) * 2, M, halves)


# What is not supported

UNSUPPORTED = {
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
    "round": round,
    "float": lambda x: float(x[0]),
    "int": lambda x: int(x[0]),
    "set item": lambda x: operator.setitem(x, 0, 1),
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
    "& of numbers": lambda x: x & 1,
    "| of numbers": lambda x: True | x,
    "^ of numbers": lambda x: x ^ x,
    "~ of numbers": lambda x: ~x,
    "< text": lambda x: x < "a",
    "sum dtype": lambda x: np.sum(x, dtype=float),
    "sum out": lambda x: np.sum(x, out=np.zeros(())),
    "mean where": lambda x: np.mean(x, where=True),
    "max initial": lambda x: np.max(x, initial=3),
    "argmax out": lambda x: np.argmax(x, out=np.zeros((), int)),
    "average secret weights": lambda x: np.average(x, weights=x),
    "average returned": lambda x: np.average(x, returned=True),
    "take out": lambda x: np.take(x, [0], None, np.zeros(1, np.uint64)),
    "take secret": lambda x: np.take(x, x),
    "concatenate dtype": lambda x: np.concatenate([x, x], dtype=float),
    "concatenate out": lambda x: np.concatenate([x, x], out=np.zeros(4)),
    "atleast_1d of two": lambda x: np.atleast_1d(x, x),
    "pad with a number": lambda x: np.pad(x, 1, constant_values=5),
    "pad with means": lambda x: np.pad(x, 1, mode="mean"),
    "round to places": lambda x: np.round(x, 1),
    "astype": lambda x: x.astype(np.float32),
    "quantile": lambda x: np.quantile(x, 0.5, method="nearest"),
    "quantile out": lambda x: np.quantile(x, 0.5, None, np.zeros(())),
    "searchsorted": lambda x: np.searchsorted(x, [1, 2]),
    "searchsorted sorter": lambda x: np.searchsorted([2, 1], x, sorter=[1, 0]),
    "histogram": np.histogram,
    "histogram of bins": lambda x: np.histogram(x, bins=5),
    "histogram density": lambda x: np.histogram(x, [0, 1, 2], density=True),
    "histogram weights": lambda x: np.histogram(x, [0, 1, 2], weights=[1, 1]),
    "bincount of reals": lambda x: np.bincount(x, minlength=5),
    "bincount weights": lambda x: np.bincount(x.astype(bool), [1, 1], minlength=2),
    "cov of two": lambda x: np.cov(x, x),
    "kron": lambda x: np.kron(x, x[None]),
    "where alone": np.where,
    "less where": lambda x: np.less(x, 1, where=True),
    "diff prepend": lambda x: np.diff(x, prepend=0),
}


@pytest.mark.parametrize("function", UNSUPPORTED.values(), ids=UNSUPPORTED)
def test_what_is_not_supported_says_what_is(function):
    with pytest.raises(TypeError, match=LISTED):
        revealed(function, [1.5, 2.5])


def test_differences_of_truth_values_are_refused_as_in_numpy():
    for function in (lambda x: (x > 1) - (x > 2), lambda x: -(x > 1), lambda x: np.diff(x > 1) - (x > 2)):
        with pytest.raises(TypeError, match="as in NumPy"):
            revealed(function, [1.5, 2.5])


def test_operators_of_truth_values_are_numpys():
    a, b = np.array([False, False, True, True]), np.array([False, True, False, True])
    for function in (operator.add, operator.mul, operator.and_, operator.or_, operator.xor, operator.lt, operator.ge):
        assert_same(function, a, b)
        assert_same(lambda x, f=function: f(x, b), a)
        assert_same(lambda x, f=function: f(True, x), a)
    assert_same(operator.invert, a)
    assert_same(lambda x: 1 - x, a)
    assert_same(lambda x: x - 1, a)
    assert_same(lambda x, y: x.reshape(2, 2) @ y.reshape(2, 2), a, b)
    assert_same(lambda x, y: sum([x, y]), a, b)


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
        lambda x: np.take(np.ones(2), x),
        lambda x: np.repeat(np.ones(2), x),
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
    ],
)
def test_python_says_that_there_is_no_such_thing(function):
    with pytest.raises(TypeError):
        revealed(function, 1)


def test_a_secret_prints_shape_and_party_only():
    def program(party):
        x = party.share(np.array([8675309.0, 1.0]) if party.rank == 0 else None, 0, bounds=1e7)
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
