"""Extremes, counts and places along an axis, under NumPy's names, on secret arrays."""

from __future__ import annotations

from collections.abc import Callable
from math import prod as product
from typing import TypeAlias

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from protocols import sorting
from protocols.shares import Share
from smpc import order
from smpc.arrange import joined
from smpc.ranges import WORD_BITS, Range
from smpc.secret import Secret, Shape

Axis: TypeAlias = int | tuple[int, ...] | None


def largest(a: Secret, axis: Axis = None, *, keepdims: bool = False) -> Secret:
    """np.max: a tournament, up to 6 rounds for each doubling; exact."""
    return _best(a, axis, sorting.maximum, keepdims=keepdims)


def smallest(a: Secret, axis: Axis = None, *, keepdims: bool = False) -> Secret:
    """np.min; see `largest`."""
    return _best(a, axis, sorting.minimum, keepdims=keepdims)


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
    """np.argmax: the first place of the largest. Up to 6 rounds for each doubling."""
    return _place(a, axis, sorting.argmax, keepdims=keepdims)


def argmin(a: Secret, axis: int | None = None, *, keepdims: bool = False) -> Secret:
    """np.argmin: the first place of the smallest. Up to 6 rounds for each doubling."""
    return _place(a, axis, sorting.argmin, keepdims=keepdims)


def rows_along(x: Secret, axis: Axis) -> tuple[Secret, Shape]:
    """What lies along `axis`, in rows along a first axis; and the shape of a reduction that keeps its axes."""
    axes = tuple(range(x.ndim)) if axis is None else normalize_axis_tuple(axis, x.ndim)
    kept = tuple(length for at, length in enumerate(x.shape) if at not in axes)
    shape = (product(x.shape[at] for at in axes), *kept)
    rows = x.view(lambda words: np.moveaxis(words, axes, range(len(axes))).reshape(shape))
    return rows, tuple(1 if at in axes else length for at, length in enumerate(x.shape))


def keyed(x: Secret) -> tuple[Share, int, int]:
    """x less the middle of its range; how many bits that has; and the middle."""
    width = x.range.high - x.range.low
    x.held(Range(0, width), WORD_BITS, lambda: f"a difference of values within {x.bounds}")
    bits = max(1, width.bit_length())
    middle = x.range.low + (1 << bits - 1)
    return x.share - middle, bits, middle


def _best(x: Secret, axis: Axis, winner: Callable[..., list[Share]], *, keepdims: bool) -> Secret:
    keys, shape, (bits, middle) = _to_compare(x, axis, keepdims=keepdims)
    best = winner(x.party.protocol, keys, bits)[0] + middle
    return x.new(best.reshape(*(shape or (1,))), shape, x.bits, x.range, truth=x.truth)


def _place(x: Secret, axis: int | None, winner: Callable[..., Share], *, keepdims: bool) -> Secret:
    keys, shape, (bits, _) = _to_compare(x, axis, keepdims=keepdims)
    place = winner(x.party.protocol, keys, bits)
    return x.new(place.reshape(*(shape or (1,))), shape, 0, Range(0, keys.shape[-1] - 1))


def _to_compare(x: Secret, axis: Axis, *, keepdims: bool) -> tuple[Share, Shape, tuple[int, int]]:
    """Keys along a last axis, the shape of what remains of them, and their bits and middle."""
    rows, kept = rows_along(x, axis)
    if not len(rows):
        raise ValueError("a reduction to the best of an empty array, which there is not")
    keys, *bits_and_middle = keyed(rows.view(lambda words: np.moveaxis(words, 0, -1)))
    return keys, kept if keepdims else rows.shape[1:], (bits_and_middle[0], bits_and_middle[1])


def _folded(
    x: Secret, axis: Axis, join: Callable[[Secret, Secret], Secret], *, keepdims: bool, empty: Secret
) -> Secret:
    """All along an axis joined, two and two; `empty` if there is nothing."""
    rows, shape = rows_along(x, axis)
    while len(rows) > 1:
        half = len(rows) // 2
        both = join(rows[:half], rows[half : 2 * half])
        rows = joined(np.concatenate)([both, rows[2 * half :]]) if len(rows) % 2 else both
    shape = shape if keepdims else rows.shape[1:]
    return rows.reshape(shape) if len(rows) else empty.spread(shape)
