"""Extremes, counts and places along an axis, under NumPy's names, on secret arrays."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from protocols.relations import below_each, equal_each
from protocols.ring import BITS
from protocols.shares import Share
from smpc import order
from smpc.arrange import joined, viewed
from smpc.operands import numeric, unsupported
from smpc.ranges import Range
from smpc.secret import Secret

Axis = int | tuple[int, ...] | None


def largest(x: Secret, axis: Axis = None, *, keepdims: bool = False) -> Secret:
    """np.max: a tournament, up to 7 rounds for each doubling; exact."""
    return _folded(x, axis, keepdims, order.maximum, "maximum")


def smallest(x: Secret, axis: Axis = None, *, keepdims: bool = False) -> Secret:
    """np.min; see `largest`."""
    return _folded(x, axis, keepdims, order.minimum, "minimum")


def ptp(x: Secret, axis: Axis = None, *, keepdims: bool = False) -> Secret:
    """np.ptp: the largest less the smallest."""
    return largest(x, axis, keepdims=keepdims) - smallest(x, axis, keepdims=keepdims)


def prod(x: Secret, axis: Axis = None, *, keepdims: bool = False) -> Secret:
    """np.prod: products of products, rounded each time."""
    one = x.lift(1) if not x.bits else x.lift(1.0)
    return _folded(x, axis, keepdims, lambda left, right: left * right, "", empty=one)


def any_of(x: Secret, axis: Axis = None, *, keepdims: bool = False) -> Secret:
    """np.any: whether one is true."""
    return order.not_equal(_count(x, axis, keepdims=keepdims), 0)


def all_of(x: Secret, axis: Axis = None, *, keepdims: bool = False) -> Secret:
    """np.all: whether none is false."""
    return order.equal(_count(order.logical_not(x), axis, keepdims=keepdims), 0)


def count_nonzero(x: Secret, axis: Axis = None, *, keepdims: bool = False) -> Secret:
    """np.count_nonzero."""
    return _count(x, axis, keepdims=keepdims)


def argmax(x: Secret, axis: int | None = None, *, keepdims: bool = False) -> Secret:
    """np.argmax: the first place of the largest. Up to 7 rounds for each doubling."""
    return _place(x, axis, order.less, keepdims=keepdims)


def argmin(x: Secret, axis: int | None = None, *, keepdims: bool = False) -> Secret:
    """np.argmin: the first place of the smallest. Up to 7 rounds for each doubling."""
    return _place(x, axis, order.greater, keepdims=keepdims)


# Between public limits


def searchsorted(a: Any, v: Secret, side: str = "left") -> Secret:
    """np.searchsorted of secret values among public limits. Up to 6 rounds."""
    if isinstance(a, Secret) or not isinstance(v, Secret):
        raise TypeError(unsupported("np.searchsorted among secret values"))
    if side not in ("left", "right"):
        raise ValueError(f"side is left or right, not {side!r}")
    limits = _limits(a, v, included=side == "left")
    below = _below(v, limits).sum(axis=-1).reshape(*v.share.shape)
    return v.new(len(limits) - below, v.shape, 0, Range(0, len(limits)))


def digitize(x: Secret, bins: Any, right: bool = False) -> Secret:  # noqa: FBT001, FBT002 - NumPy's signature
    """np.digitize, among public bins. Up to 6 rounds."""
    given = numeric(bins)
    if (np.diff(given) < 0).any():
        if (np.diff(given) > 0).any():
            raise ValueError("bins must be monotonically increasing or decreasing")
        return len(given) - searchsorted(given[::-1], x, "right" if right else "left")
    return searchsorted(given, x, "left" if right else "right")


def histogram(a: Secret, bins: Any) -> tuple[Secret, Any]:
    """np.histogram with public edges: how many are in each bin, of which the last has its upper edge, too."""
    edges = numeric(bins)
    if edges.ndim != 1 or len(edges) < 2 or (np.diff(edges) <= 0).any():
        raise TypeError(unsupported("np.histogram without increasing public edges"))
    limits = [*_limits(edges[:-1], a, included=False), *_limits(edges[-1:], a, included=True)]
    below = _below(a.reshape(-1), limits).sum(axis=0)
    counts = a.new(below[1:] - below[:-1], (len(edges) - 1,), 0, Range(0, a.size))
    return counts, edges


def bincount(x: Secret, minlength: int = 0) -> Secret:
    """np.bincount of integers that are known to be below `minlength`: how often each value is there."""
    if x.bits or x.ndim != 1:
        raise TypeError(unsupported("np.bincount of what is no vector of integers"))
    if x.range.low < 0 or x.range.high >= minlength:
        raise ValueError(
            f"np.bincount needs minlength={x.range.high + 1} and no value below 0, for values within {x.bounds}: its "
            "length must not depend on the values"
        )
    each = equal_each(x.party.protocol, x.share, range(minlength), max(1, minlength.bit_length()))
    return x.new(each.sum(axis=0), (minlength,), 0, Range(0, x.size))


# Inside


def _limits(values: Any, x: Secret, *, included: bool) -> list[int]:
    """t with x < t, in units of x's last place, just if x is below a value, or not above it if `included`."""
    units = [Fraction(value) * (1 << x.bits) for value in numeric(values).tolist()]
    return [math.floor(one) + 1 if included else math.ceil(one) for one in units]


def _below(x: Secret, limits: Sequence[int]) -> Share:
    """⟨[x < t]⟩ along a new last axis. All limits beyond x's range are alike."""
    low, high = x.range.low, x.range.high
    near = [min(max(limit, low), high + 1) for limit in limits]
    return below_each(x.party.protocol, x.share, near, min((high - low + 1).bit_length() + 1, BITS))


def _count(x: Secret, axis: Axis, *, keepdims: bool) -> Secret:
    return order.truth(x).sum(axis, keepdims=keepdims)


def _folded(
    x: Secret,
    axis: Axis,
    keepdims: bool,  # noqa: FBT001
    join: Callable[[Secret, Secret], Secret],
    name: str,
    empty: Secret | None = None,
) -> Secret:
    """All along an axis joined, two and two."""
    axes = tuple(range(x.ndim)) if axis is None else tuple(np.atleast_1d(axis) % max(1, x.ndim))
    kept = [length for at, length in enumerate(x.shape) if at not in axes]
    rows = viewed(np.moveaxis)(x, axes, range(len(axes))).reshape(-1, *kept) if x.ndim else x.reshape(1)
    if not len(rows):
        if empty is None:
            raise ValueError(f"zero-size array to reduction operation {name} which has no identity")
        return empty.spread(tuple(kept))
    while len(rows) > 1:
        half = len(rows) // 2
        both = join(rows[:half], rows[half : 2 * half])
        rows = joined(np.concatenate)([both, rows[2 * half :]]) if len(rows) % 2 else both
    shape = [1 if at in axes else length for at, length in enumerate(x.shape)] if keepdims else kept
    return rows.reshape(shape)


def _place(x: Secret, axis: int | None, beaten: Callable[[Any, Any], Secret], *, keepdims: bool) -> Secret:
    """A tournament of neighbours, where a later one wins only if it is better: the first of the best is found."""
    along = x.reshape(-1) if axis is None else viewed(np.moveaxis)(x, axis, 0)
    if not len(along):
        raise ValueError("attempt to get argmax of an empty sequence")
    places = x.lift(np.arange(len(along))).reshape(-1, *[1] * (along.ndim - 1)).spread(along.shape)
    while len(along) > 1:
        pairs = len(along) // 2 * 2
        better = beaten(along[0:pairs:2], along[1:pairs:2])
        along, places = (
            joined(np.concatenate)([order.where(better, one[1:pairs:2], one[0:pairs:2]), one[pairs:]])
            for one in (along, places)
        )
    shape = along.shape[1:]
    if keepdims:
        shape = (1,) * x.ndim if axis is None else np.expand_dims(np.empty(shape), axis).shape
    return places.reshape(shape)
