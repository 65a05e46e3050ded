"""Sums and linear algebra under NumPy's names, on secret arrays."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from protocols import linalg
from smpc import arrange
from smpc.arrange import together
from smpc.operands import unsupported
from smpc.ranges import WORD_BITS, Range
from smpc.secret import Secret

_SOLUTION_BITS = 17  # of what `solve` accepts


def total(x: Secret, axis: Any = None, *, keepdims: bool = False) -> Secret:
    """np.sum."""
    return x.sum(axis, keepdims=keepdims)


def trace(x: Secret, offset: int = 0) -> Secret:
    """np.trace, of a matrix or a stack of such."""
    return x.trace(offset)


def mean(x: Secret, axis: Any = None, *, keepdims: bool = False) -> Secret:
    """np.mean."""
    return x.mean(axis, keepdims=keepdims)


def average(x: Any, axis: Any = None, weights: Any = None, *, keepdims: bool = False) -> Secret:
    """np.average, with public weights if any."""
    if weights is None:
        return mean(x, axis, keepdims=keepdims)
    if isinstance(weights, Secret):
        raise TypeError(unsupported("np.average with secret weights"))
    given = np.asarray(weights, np.float64)
    shares = np.average(np.ones(x.shape), axis, given, keepdims=True, returned=True)[1]
    spread = given if given.ndim == x.ndim else np.moveaxis(given.reshape((1,) * (x.ndim - 1) + (-1,)), -1, axis)
    weighed: Secret = x * (spread / shares)
    return weighed.sum(axis, keepdims=keepdims)


def cumsum(x: Secret, axis: int | None = None) -> Secret:
    """np.cumsum."""
    found = x.view(lambda words: np.cumsum(words, axis, np.uint64))
    terms = x.size if axis is None else x.shape[axis]
    found.range = (x.range.times(terms) | x.range).fits(WORD_BITS, lambda: f"a sum of {terms:,} numbers")
    found.truth = False
    return found


def diff(x: Secret, n: int = 1, axis: int = -1) -> Secret:
    """np.diff."""
    for _ in range(n):
        later, earlier = (
            arrange.viewed(np.take)(x, chosen, axis)
            for chosen in (range(1, x.shape[axis]), range(max(0, x.shape[axis] - 1)))
        )
        x = later - earlier
    return x


def var(x: Secret, axis: Any = None, *, ddof: int = 0, keepdims: bool = False) -> Secret:
    """np.var: the mean square of what differs from the mean."""
    centred = x - x.mean(axis, keepdims=True)
    squares = centred.square().sum(axis, keepdims=keepdims)
    terms = x.size // max(1, squares.size)
    if terms <= ddof:
        raise ValueError(f"a variance of {terms} numbers with ddof={ddof}")
    return squares * (1 / (terms - ddof))


def dot(a: Any, b: Any) -> Secret:
    """np.dot for numbers, vectors and matrices."""
    product: Secret = a @ b if np.ndim(a) and np.ndim(b) else a * b
    return product


def vdot(a: Any, b: Any) -> Secret:
    """np.vdot."""
    return dot(np.ravel(a), np.ravel(b))


def inner(a: Any, b: Any) -> Secret:
    """np.inner for numbers, vectors and matrices."""
    return dot(a, np.transpose(b) if np.ndim(b) == 2 else b)


def outer(a: Any, b: Any) -> Secret:
    """np.outer."""
    column: Any = np.reshape(a, (-1, 1))
    product: Secret = column * np.reshape(b, (1, -1))
    return product


def tensordot(a: Any, b: Any, axes: Any = 2) -> Secret:
    """np.tensordot."""
    left, right = axes if np.ndim(axes) else (range(-axes, 0), range(axes))
    left, right = ([int(axis) for axis in np.atleast_1d(side)] for side in (left, right))
    left, right = [axis % np.ndim(a) for axis in left], [axis % np.ndim(b) for axis in right]
    rows = [axis for axis in range(np.ndim(a)) if axis not in left]
    columns = [axis for axis in range(np.ndim(b)) if axis not in right]
    if [np.shape(a)[axis] for axis in left] != [np.shape(b)[axis] for axis in right]:
        raise ValueError(f"axes that do not fit: {np.shape(a)} and {np.shape(b)}")
    inside = math.prod(np.shape(a)[axis] for axis in left)
    shape = [np.shape(a)[axis] for axis in rows] + [np.shape(b)[axis] for axis in columns]
    x: Any = np.reshape(np.transpose(a, [*rows, *left]), (-1, inside) if inside else (math.prod(shape[: len(rows)]), 0))
    y: Any = np.reshape(np.transpose(b, [*right, *columns]), (inside, math.prod(shape[len(rows) :])))
    product: Secret = x @ y
    return product.reshape(shape)


def kron(a: Any, b: Any) -> Secret:
    """np.kron of arrays with equally many axes."""
    if np.ndim(a) != np.ndim(b):
        raise TypeError(unsupported("np.kron of arrays with different numbers of axes"))
    high: Any = np.reshape(a, [length for one in np.shape(a) for length in (one, 1)])
    low = np.reshape(b, [length for one in np.shape(b) for length in (1, one)])
    product: Secret = high * low
    return product.reshape([one * two for one, two in zip(np.shape(a), np.shape(b), strict=True)])


def cov(x: Secret, *, rowvar: bool = True, ddof: int = 1) -> Secret:
    """np.cov of one array, whose rows are variables."""
    rows = (x if rowvar or x.ndim < 2 else x.T).reshape(-1, x.shape[-1] if rowvar or x.ndim < 2 else x.shape[0])
    centred = rows - rows.mean(1, keepdims=True)
    products: Secret = (centred @ centred.T) * (1 / (rows.shape[1] - ddof))
    return products.reshape(()) if x.ndim < 2 else products


def solve(a: Any, b: Any) -> Secret:
    """x with ax = b, for a symmetric positive definite secret a (d×d); b secret or public, d or d×p.

    Error within 2^-16 of the largest entry of x's column, and a unit in the last place, for condition numbers (after
    scaling the diagonal to 1) up to 10^5. Opens to all parties whether a is symmetric to 2^-14, positive definite and
    well-conditioned and |x| < 2^17, as one entry of the ledger; raises ModelError if it is not. About 210 rounds.
    """
    if not isinstance(a, Secret):
        raise TypeError(unsupported("np.linalg.solve with a public matrix (use np.linalg.inv(a) @ b)"))
    if a.ndim != 2 or a.shape[0] != a.shape[1] or np.shape(b)[:1] != a.shape[:1] or np.ndim(b) > 2:
        raise ValueError(f"not a square system: {a.shape} and {np.shape(b)}")
    right = together(a, b)[1]
    columns = right.reshape(a.shape[0], -1)
    bits = a.party.fraction_bits
    x, wrong = linalg.solve_scaled(a.party.protocol, a.at_bits(bits).share, columns.at_bits(bits).share, bits)
    a.party.require_sound(wrong)
    within = Range(-1 << _SOLUTION_BITS + bits, 1 << _SOLUTION_BITS + bits)
    return a.new(x, columns.shape, bits, within).reshape(right.shape)


def inv(a: Secret) -> Secret:
    """The inverse of a symmetric positive definite secret matrix; see `solve`."""
    return solve(a, np.eye(len(a)))
