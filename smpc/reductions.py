"""Extremes, counts and places along an axis, under NumPy's names, on secret arrays."""

from __future__ import annotations

from collections.abc import Callable
from math import prod as product
from typing import Any, TypeAlias

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from smpc import order
from smpc.arrange import joined
from smpc.secret import Secret, Shape

Axis: TypeAlias = int | tuple[int, ...] | None


def largest(a: Secret, axis: Axis = None, *, keepdims: bool = False) -> Secret:
    """np.max: a tournament, up to 7 rounds for each doubling; exact."""
    return _folded(a, axis, order.maximum, keepdims=keepdims)


def smallest(a: Secret, axis: Axis = None, *, keepdims: bool = False) -> Secret:
    """np.min; see `largest`."""
    return _folded(a, axis, order.minimum, keepdims=keepdims)


def ptp(a: Secret, axis: Axis = None, *, keepdims: bool = False) -> Secret:
    """np.ptp: the largest less the smallest."""
    return largest(a, axis, keepdims=keepdims) - smallest(a, axis, keepdims=keepdims)


def prod(a: Secret, axis: Axis = None, *, keepdims: bool = False) -> Secret:
    """np.prod: products of products, each rounded."""
    one = a.lift(np.ones((), np.float64 if a.bits else np.int64))
    return _folded(a.as_numbers(), axis, lambda left, right: left * right, keepdims=keepdims, empty=one)


def any_of(a: Secret, axis: Axis = None, *, keepdims: bool = False) -> Secret:
    """np.any: whether one is true."""
    return order.not_equal(count_nonzero(a, axis, keepdims=keepdims), 0)


def all_of(a: Secret, axis: Axis = None, *, keepdims: bool = False) -> Secret:
    """np.all: whether none is false."""
    return order.equal(count_nonzero(order.logical_not(a), axis, keepdims=keepdims), 0)


def count_nonzero(a: Secret, axis: Axis = None, *, keepdims: bool = False) -> Secret:
    """np.count_nonzero."""
    return order.truth(a).sum(axis, keepdims=keepdims)


def argmax(a: Secret, axis: int | None = None, *, keepdims: bool = False) -> Secret:
    """np.argmax: the first place of the largest. Up to 7 rounds for each doubling."""
    return _place(a, axis, order.less, keepdims=keepdims)


def argmin(a: Secret, axis: int | None = None, *, keepdims: bool = False) -> Secret:
    """np.argmin: the first place of the smallest. Up to 7 rounds for each doubling."""
    return _place(a, axis, order.greater, keepdims=keepdims)


def rows_along(x: Secret, axis: Axis) -> tuple[Secret, Shape]:
    """What lies along `axis`, in rows along a first axis; and the shape of a reduction that keeps its axes."""
    axes = tuple(range(x.ndim)) if axis is None else normalize_axis_tuple(axis, x.ndim)
    kept = tuple(length for at, length in enumerate(x.shape) if at not in axes)
    shape = (product(x.shape[at] for at in axes), *kept)
    rows = x.view(lambda words: np.moveaxis(words, axes, range(len(axes))).reshape(shape))
    return rows, tuple(1 if at in axes else length for at, length in enumerate(x.shape))


def _folded(
    x: Secret, axis: Axis, join: Callable[[Secret, Secret], Secret], *, keepdims: bool, empty: Secret | None = None
) -> Secret:
    """All along an axis joined, two and two."""
    rows, shape = rows_along(x, axis)
    if not len(rows):
        if empty is None:
            raise ValueError("zero-size array to a reduction which has no identity")
        return empty.spread(shape if keepdims else rows.shape[1:])
    while len(rows) > 1:
        half = len(rows) // 2
        both = join(rows[:half], rows[half : 2 * half])
        rows = joined(np.concatenate)([both, rows[2 * half :]]) if len(rows) % 2 else both
    return rows.reshape(shape if keepdims else rows.shape[1:])


def _place(x: Secret, axis: int | None, beaten: Callable[[Any, Any], Secret], *, keepdims: bool) -> Secret:
    """A tournament of neighbours, where a later one wins only if it is better: the first of the best is found."""
    along, shape = rows_along(x, axis)
    if not len(along):
        raise ValueError("attempt to get the place of the best in an empty sequence")
    places = x.lift(np.arange(len(along)).reshape(-1, *[1] * (along.ndim - 1))).spread(along.shape)
    while len(along) > 1:
        pairs = len(along) // 2 * 2
        better = beaten(along[0:pairs:2], along[1:pairs:2])
        along, places = (
            joined(np.concatenate)([order.where(better, one[1:pairs:2], one[0:pairs:2]), one[pairs:]])
            for one in (along, places)
        )
    return places.reshape(shape if keepdims else along.shape[1:])
