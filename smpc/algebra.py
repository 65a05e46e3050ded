"""Sums and linear algebra under NumPy's names, on secret arrays."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from protocols import linalg
from smpc import elementary, order
from smpc.arrange import together
from smpc.checks import SOUND_SYSTEM
from smpc.operands import numeric, unsupported
from smpc.ranges import Range
from smpc.reductions import Axis, largest
from smpc.secret import Secret

_SOLUTION_BITS = 17  # of what `solve` accepts


def total(a: Secret, axis: Axis = None, *, keepdims: bool = False) -> Secret:
    """np.sum."""
    return a.sum(axis, keepdims=keepdims)


def trace(a: Secret, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Secret:
    """np.trace, of a matrix or a stack of such."""
    return a.trace(offset, axis1, axis2)


def mean(a: Secret, axis: Axis = None, *, keepdims: bool = False) -> Secret:
    """np.mean: the sum times 1/n."""
    return a.mean(axis, keepdims=keepdims)


def average(a: Any, axis: Axis = None, weights: Any = None, *, keepdims: bool = False) -> Secret:
    """np.average, with public weights if any."""
    if isinstance(weights, Secret):
        raise TypeError(unsupported("np.average with secret weights"))
    if weights is None:
        return mean(a, axis, keepdims=keepdims)
    given = numeric(weights).astype(np.float64)
    total_weight = np.average(np.ones(a.shape), axis, given, returned=True, keepdims=True)[1]
    if given.shape != a.shape:
        axes = tuple(range(a.ndim)) if axis is None else normalize_axis_tuple(axis, a.ndim)
        given = np.expand_dims(np.transpose(given, np.argsort(axes)), [at for at in range(a.ndim) if at not in axes])
    weighed: Secret = a * (given / total_weight)
    return weighed.sum(axis, keepdims=keepdims)


def cumsum(a: Secret, axis: int | None = None) -> Secret:
    """np.cumsum."""
    found = a.view(lambda words: np.cumsum(words, axis, np.uint64))
    summed = a.totalled(found, a.size if axis is None else a.shape[axis])
    return a.new(summed.share, summed.shape, a.bits, summed.range | a.range)


def diff(a: Secret, n: int = 1, axis: int = -1) -> Secret:
    """np.diff."""
    if n < 0:
        raise ValueError(f"order must be non-negative but got {n}")
    x = a.view(lambda words: np.moveaxis(words, axis, 0))
    for _ in range(n):
        x = order.not_equal(x[1:], x[:-1]) if x.truth else x[1:] - x[:-1]
    return x.view(lambda words: np.moveaxis(words, 0, axis))


def var(a: Secret, axis: Axis = None, *, ddof: float = 0, keepdims: bool = False) -> Secret:
    """np.var: the mean square of what differs from the mean."""
    squares = _squares(a, axis, keepdims=keepdims)
    return squares * (1 / _freedom(a, squares, ddof))


def cov(m: Secret, *, rowvar: bool = True, bias: bool = False, ddof: int | None = None) -> Secret:
    """np.cov of one array, whose rows are variables."""
    if m.ndim > 2:
        raise ValueError("m has more than 2 dimensions")
    rows = m.reshape(1, -1) if m.ndim < 2 else m if rowvar or m.shape[0] == 1 else m.T
    centred = rows - rows.mean(1, keepdims=True)
    freedom = _freedom(rows, rows[:, 0], int(not bias) if ddof is None else ddof)
    products: Secret = (centred @ centred.T) * (1 / freedom)
    return products.view(np.squeeze)


def std(a: Secret, axis: Axis = None, *, ddof: float = 0, keepdims: bool = False) -> Secret:
    """np.std: the root of the sum of squares of what differs from the mean, times that of 1/n."""
    squares = _squares(a, axis, keepdims=keepdims)
    return elementary.sqrt(squares) * (1 / math.sqrt(_freedom(a, squares, ddof)))


def corrcoef(x: Secret, *, rowvar: bool = True) -> Secret:
    """np.corrcoef of one array: covariances of what is divided by its standard deviation first.

    That must be 2^(6 - f/2) or more: where it is less, the result has fewer digits, and within 2^-8 it is 0 or noise.
    """
    if x.ndim != 2:
        raise TypeError(unsupported("np.corrcoef of what is no matrix"))
    rows = elementary.as_reals(x if rowvar else x.T)
    centred = rows - rows.mean(1, keepdims=True)
    variances = order.maximum(centred.square().mean(1, keepdims=True), 2.0**-16)
    scaled = centred * elementary.rsqrt(variances)
    most = math.sqrt(rows.shape[1]) + 1  # a value is no further off than √n standard deviations
    scaled = order.clip(scaled, -most, most)
    return order.clip((scaled @ scaled.T) * (1 / rows.shape[1]), -1.0, 1.0)


def norm(x: Secret, ord: Any = None, axis: Axis = None, *, keepdims: bool = False) -> Secret:  # noqa: A002
    """np.linalg.norm of vectors (ord 1, 2 or np.inf), and the Frobenius norm of matrices."""
    vector = isinstance(axis, int) or (axis is None and x.ndim == 1)
    if ord in (1, np.inf) and vector:
        sizes = elementary.as_reals(order.absolute(x))
        return sizes.sum(axis, keepdims=keepdims) if ord == 1 else largest(sizes, axis, keepdims=keepdims)
    if not (ord is None or (ord == 2 and vector) or (ord == "fro" and not vector)):
        raise TypeError(unsupported(f"np.linalg.norm with ord={ord!r}"))
    return elementary.sqrt(elementary.as_reals(x).square().sum(axis, keepdims=keepdims))


def dot(a: Any, b: Any) -> Secret:
    """np.dot for numbers, vectors and matrices."""
    product: Secret = np.matmul(a, b) if np.ndim(a) and np.ndim(b) else np.multiply(a, b)
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
    return dot(x, y).reshape(shape)


def vecdot(a: Any, b: Any) -> Secret:
    """np.vecdot: sums of products along the last axis."""
    product: Secret = np.multiply(a, b)
    return order.not_equal(product.sum(-1), 0) if product.truth else product.sum(-1)


def kron(a: Any, b: Any) -> Secret:
    """np.kron of arrays with equally many axes."""
    if np.ndim(a) != np.ndim(b):
        raise TypeError(unsupported("np.kron of arrays with different numbers of axes"))
    high: Any = np.reshape(a, [length for one in np.shape(a) for length in (one, 1)])
    low = np.reshape(b, [length for one in np.shape(b) for length in (1, one)])
    product: Secret = np.multiply(high, low)
    return product.reshape([one * two for one, two in zip(np.shape(a), np.shape(b), strict=True)])


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
    a.party.require(SOUND_SYSTEM, wrong)
    within = Range(-1 << _SOLUTION_BITS + bits, 1 << _SOLUTION_BITS + bits)
    return a.new(x, columns.shape, bits, within).reshape(right.shape)


def inv(a: Secret) -> Secret:
    """The inverse of a symmetric positive definite secret matrix; see `solve`."""
    return solve(a, np.eye(len(a)))


def _squares(a: Secret, axis: Axis, *, keepdims: bool) -> Secret:
    centred = elementary.as_reals(a) - a.mean(axis, keepdims=True)
    return centred.square().sum(axis, keepdims=keepdims)


def _freedom(a: Secret, reduced: Secret, ddof: float) -> float:
    """How many of a are in one of the reduced, less ddof."""
    terms = a.size // max(1, reduced.size)
    if terms <= ddof:
        raise ValueError(f"a variance of {terms} numbers with ddof={ddof}")
    return terms - ddof
