"""Sorting, and what is read off sorted values, under NumPy's names, on secret arrays.

A sorting network (`protocols.sorting`) compares places that follow from the length alone. Its keys are counted from the
middle of their range, so that only the range's width says how many bits are compared.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from protocols import sorting
from protocols.shares import Share
from smpc.operands import numeric, unsupported
from smpc.ranges import WORD_BITS, Range
from smpc.reductions import Axis, keyed, rows_along
from smpc.secret import Secret


def sort(a: Secret, axis: int | None = -1) -> Secret:
    """np.sort: a network; exact. For n values about (log₂ n)² / 2 stages of up to 6 rounds."""
    found = _arranged(a, axis, lambda keys, bits, middle: sorting.sort(a.party.protocol, keys, bits)[0] + middle)
    return a.new(found.share, found.shape, a.bits, a.range, truth=a.truth)


def argsort(a: Secret, axis: int | None = -1, *, kind: str | None = None, stable: bool | None = None) -> Secret:
    """np.argsort, equal values in their order, whatever `kind` is; see `sort`."""
    del kind, stable
    length = a.size if axis is None else a.shape[axis]
    a.held(
        Range(0, a.range.high - a.range.low).times(1 << max(0, length - 1).bit_length()),
        WORD_BITS,
        lambda: f"a key of an array within {a.bounds} with its place",
    )
    found = _arranged(a, axis, lambda keys, bits, _: sorting.argsort(a.party.protocol, keys, bits))
    return a.new(found.share, found.shape, 0, Range(0, max(0, length - 1)))


def median(a: Secret, axis: Axis = None, *, keepdims: bool = False) -> Secret:
    """np.median, as a real; see `quantile`."""
    none = a.sum(axis, keepdims=keepdims) if not a.size else a
    return quantile(a, 0.5, axis, keepdims=keepdims) if none.size else none.lift(np.zeros(none.shape))


def quantile(a: Secret, q: Any, axis: Axis = None, *, method: str = "linear", keepdims: bool = False) -> Secret:
    """np.quantile for public q, by the linear method: of the sorted values, with the error of a public factor."""
    if method != "linear":
        raise TypeError(unsupported(f"np.quantile with method={method!r}"))
    wanted = numeric(q).astype(np.float64)
    if not ((wanted >= 0) & (wanted <= 1)).all():
        raise ValueError("Quantiles must be in the range [0, 1]")
    return _between(a, wanted, axis, keepdims=keepdims)


def percentile(a: Secret, q: Any, axis: Axis = None, *, method: str = "linear", keepdims: bool = False) -> Secret:
    """np.percentile; see `quantile`."""
    return quantile(a, numeric(q).astype(np.float64) / 100, axis, method=method, keepdims=keepdims)


# Inside


def _between(a: Secret, wanted: NDArray[np.float64], axis: Axis, *, keepdims: bool) -> Secret:
    rows, kept = rows_along(a.at_bits(max(a.bits, a.party.fraction_bits)).as_numbers(), axis)
    shape = kept if keepdims else rows.shape[1:]
    if not len(rows):
        raise ValueError("a quantile of no values")
    ordered = sort(rows, 0)
    places = wanted.reshape(-1) * (len(rows) - 1)
    below = np.floor(places).astype(np.int64)
    part = (places - below).reshape(-1, *[1] * (rows.ndim - 1))
    found = ordered[below]
    if part.any():
        above = ordered[np.minimum(below + 1, len(rows) - 1)]
        found = found + (above - found) * part
    within = found.range if not part.any() else _widened(a, rows)
    return a.new(found.share, found.shape, found.bits, within).reshape(*wanted.shape, *shape)


def _widened(a: Secret, rows: Secret) -> Range:
    """Where a value between two others can be after rounding."""
    slack = 4 + (rows.range.largest >> a.party.fraction_bits)
    return Range(rows.range.low - slack, rows.range.high + slack)


def _arranged(a: Secret, axis: int | None, arrange: Callable[[Share, int, int], Share]) -> Secret:
    """What `arrange` makes of keys along a last axis, with their bits and their middle."""
    if axis is None:
        a, axis = a.reshape(-1), -1
    along = a.view(lambda words: np.moveaxis(words, axis, -1))
    found = along.new(arrange(*keyed(along)), along.shape, 0, a.range)
    return found.view(lambda words: np.moveaxis(words, -1, axis))
