"""Between which public limits secret values are, and how many, under NumPy's names.

One opening of a masked array serves all limits (`protocols.relations`). Limits of reals are compared as they would be
shared: rounded to the nearest unit in the last place.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from protocols import relations
from protocols.relations import below_each, equal_each
from protocols.ring import BITS
from protocols.shares import Share
from smpc.operands import encoded, numeric, unsupported
from smpc.ranges import WORD_BITS, Range, of_words
from smpc.secret import Secret


def searchsorted(a: Any, v: Any, side: str = "left") -> Secret:
    """np.searchsorted of secret values among public limits. Up to 6 rounds."""
    if isinstance(a, Secret):
        raise TypeError(unsupported("np.searchsorted among secret values"))
    if side not in ("left", "right"):
        raise ValueError(f"side is left or right, not {side!r}")
    limits = _limits(_in_order(a), v, included=side == "left")
    found: Secret = v.new(
        len(limits) - _below(v, limits).sum(axis=-1).reshape(*v.share.shape), v.shape, 0, Range(0, len(limits))
    )
    return found


def digitize(x: Any, bins: Any, right: bool = False) -> Secret:  # noqa: FBT001, FBT002 - NumPy's signature
    """np.digitize, among public bins. Up to 6 rounds."""
    given = numeric(bins)
    side = "left" if right else "right"
    if given.ndim == 1 and len(given) > 1 and given[0] > given[-1]:
        return len(given) - searchsorted(given[::-1], x, side)
    return searchsorted(given, x, side)


def histogram(a: Any, bins: Any = 10, range: Any = None) -> tuple[Secret, Any]:  # noqa: A002 - NumPy's signature
    """np.histogram with public edges, or a public range: how many are in each bin. Up to 6 rounds."""
    if isinstance(bins, Secret | str) or (np.ndim(bins) == 0 and range is None):
        raise TypeError(unsupported("np.histogram without public edges or range="))
    edges = np.histogram_bin_edges(np.zeros(0), bins, range)
    limits = [*_limits(edges[:-1], a, included=False), *_limits(edges[-1:], a, included=True)]
    below = _below(a.reshape(-1), limits).sum(axis=0)
    counts = a.new(below[1:] - below[:-1], (len(edges) - 1,), 0, Range(0, a.size))
    return counts, edges


def at_most(x: Secret, limits: Any) -> Secret:
    """Whether x is a limit or below it, for each of these public numbers, along a new last axis. Up to 6 rounds."""
    found = _below(x, _limits(limits, x, included=True))
    shape = (*x.shape, found.shape[-1])
    return x.new(found.reshape(*shape), shape, 0, Range(0, 1), truth=True)


def one_hot(x: Secret, places: int) -> Secret:
    """Whether x is j, for j below `places`, along a new last axis, of integers that are known to be there.

    2 rounds up to 16 places, 3 up to 256, 4 to 6 beyond. Raises ValueError if the bounds of x allow others.
    """
    if x.bits or x.truth:
        raise TypeError(unsupported("one_hot of what is no array of integers"))
    if x.range.low < 0 or x.range.high >= places:
        raise ValueError(f"one_hot with {places} places of integers within {x.bounds}")
    found = relations.one_hot(x.party.protocol, x.share, places)
    shape = (*x.shape, places)
    return x.new(found.reshape(*shape), shape, 0, Range(0, 1), truth=True)


def look_up(table: Any, x: Secret) -> Secret:
    """table[x] of a public table at secret places, of rows if it has more axes; rounds of `one_hot`, reals within u/2.

    Raises ValueError if the bounds of x allow places that the table has not.
    """
    numbers = numeric(table)
    if not numbers.ndim:
        raise TypeError(unsupported("look_up in what is no table"))
    bits, places = x.party.fraction_bits if numbers.dtype.kind == "f" else 0, len(numbers)
    words, shape = encoded(numbers, bits), (*x.shape, *numbers.shape[1:])
    found = one_hot(x, places).share.reshape(-1, places) @ words.reshape(places, -1)
    return x.new(found.reshape(*(shape or (1,))), shape, bits, of_words(words), truth=numbers.dtype.kind == "b")


def bincount(x: Any, weights: None = None, minlength: int = 0) -> Secret:
    """np.bincount of integers that are known to be below `minlength`: how often each value is there."""
    if x.bits or x.ndim != 1 or weights is not None:
        raise TypeError(unsupported("np.bincount of what is no vector of integers, or with weights,"))
    if x.range.low < 0 or x.range.high >= minlength:
        raise ValueError(
            f"np.bincount needs minlength={x.range.high + 1} and no value below 0, for values within {x.bounds}: its "
            "length must not depend on the values"
        )
    each = equal_each(x.party.protocol, x.share, range(minlength), max(1, minlength.bit_length()))
    found: Secret = x.new(each.sum(axis=0), (minlength,), 0, Range(0, x.size))
    return found


# Inside


def _in_order(limits: Any) -> Any:
    given = numeric(limits)
    if given.ndim != 1 or not (given[1:] >= given[:-1]).all():
        raise ValueError("limits are a vector of numbers in ascending order")
    return given


def _limits(values: Any, x: Secret, *, included: bool) -> list[int]:
    """t with x < t, in units of x's last place, just if x is below a value, or not above it if `included`."""
    return [_limit(value, x, included=included) for value in numeric(values).tolist()]


def _limit(value: float, x: Secret, *, included: bool) -> int:
    if math.isnan(value):
        raise ValueError("a limit is not a number")
    if math.isinf(value):
        return x.range.high + 1 if value > 0 else x.range.low
    units = Fraction(value) * (1 << x.bits)
    if x.bits:
        units = Fraction(round(units))
    return math.floor(units) + 1 if included else math.ceil(units)


def _below(x: Secret, limits: Sequence[int]) -> Share:
    """⟨[x < t]⟩ along a new last axis. All limits beyond x's range are alike."""
    low, high = x.range.low, x.range.high
    near = [min(max(limit, low), high + 1) for limit in limits]
    widest = Range(low - max(near, default=0), high - min(near, default=0))
    x.held(widest, WORD_BITS, lambda: f"the difference of an array within {x.bounds} and its limits")
    return below_each(x.party.protocol, x.share, near, min(widest.largest.bit_length() + 1, BITS))
