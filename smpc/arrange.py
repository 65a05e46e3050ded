"""NumPy's functions that only choose, arrange and join elements, on secret arrays: no message, no error.

What NumPy does to the words of a share is what it does to the numbers that they stand for. Where it inserts zeros these
are shares of zero.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from operator import or_
from typing import Any

import numpy as np

from smpc.ranges import Range
from smpc.secret import Secret

VIEWS: tuple[Callable[..., Any], ...] = (
    np.reshape, np.ravel, np.transpose, np.matrix_transpose, np.swapaxes, np.moveaxis, np.expand_dims, np.squeeze,
    np.broadcast_to, np.diagonal, np.repeat, np.tile, np.roll, np.flip, np.fliplr, np.flipud, np.rot90, np.take,
    np.delete, np.resize, np.copy, np.atleast_1d, np.atleast_2d, np.atleast_3d,
)  # fmt: skip
PADDED: tuple[Callable[..., Any], ...] = (np.diag, np.diagflat, np.tril, np.triu)
LISTS: tuple[Callable[..., Any], ...] = (np.split, np.array_split, np.hsplit, np.vsplit, np.dsplit, np.unstack)
JOINED: tuple[Callable[..., Any], ...] = (
    np.concatenate, np.stack, np.vstack, np.hstack, np.dstack, np.column_stack,
)  # fmt: skip
LIKE: tuple[Callable[..., Any], ...] = (np.zeros_like, np.ones_like, np.full_like, np.empty_like)
INQUIRIES: tuple[Callable[..., Any], ...] = (np.shape, np.ndim, np.size)


def viewed(function: Callable[..., Any]) -> Callable[..., Secret]:
    """Of one array, which comes first."""

    def view(x: Secret, *args: Any, **kwargs: Any) -> Secret:
        return x.view(lambda words: function(words, *args, **kwargs))

    return view


def padded(function: Callable[..., Any]) -> Callable[..., Secret]:
    """The same, where zeros are inserted."""

    def view(x: Secret, *args: Any, **kwargs: Any) -> Secret:
        found = x.view(lambda words: function(words, *args, **kwargs))
        found.range |= Range(0, 0)
        return found

    return view


def listed(function: Callable[..., Any]) -> Callable[..., list[Secret]]:
    """The same, where the result is a list of arrays."""

    def views(x: Secret, *args: Any, **kwargs: Any) -> list[Secret]:
        pieces = function(np.arange(x.size).reshape(x.shape), *args, **kwargs)
        return [x.view(lambda words, chosen=piece: words.reshape(-1)[chosen]) for piece in pieces]

    return views


def joined(function: Callable[..., Any]) -> Callable[..., Secret]:
    """Of a sequence of arrays, of which at least one is secret."""

    def join(arrays: Sequence[Any], *args: Any, **kwargs: Any) -> Secret:
        secrets = together(*arrays)
        words = function([one.share.values.reshape(one.shape) for one in secrets], *args, **kwargs)
        within = reduce(or_, (one.range for one in secrets))
        truth = all(one.truth for one in secrets)
        first = secrets[0]
        return first.new(type(first.share)(first.share.rank, words), words.shape, first.bits, within, truth=truth)

    return join


def append(x: Any, values: Any, axis: int | None = None) -> Secret:
    """np.append."""
    pieces = [x, values] if axis is not None else [np.ravel(x), np.ravel(values)]
    return joined(np.concatenate)(pieces, axis or 0)


def like(function: Callable[..., Any]) -> Callable[..., Any]:
    """A public array of a secret one's shape and type."""

    def make(x: Secret, *args: Any, **kwargs: Any) -> Any:
        return function(np.broadcast_to(np.zeros((), x.dtype), x.shape), *args, **kwargs)

    return make


def inquiry(function: Callable[..., Any]) -> Callable[..., Any]:
    """What is public."""

    def ask(x: Secret, *args: Any, **kwargs: Any) -> Any:
        return function(np.broadcast_to(np.int8(0), x.shape), *args, **kwargs)

    return ask


def lifted(*values: Any) -> list[Secret]:
    """Secret arrays of operands of which at least one is."""
    first = next(one for one in values if isinstance(one, Secret))
    return [first.lift(one) for one in values]


def together(*values: Any) -> list[Secret]:
    """The same, with equally many fraction bits."""
    secrets = lifted(*values)
    bits = max(one.bits for one in secrets)
    return [one.at_bits(bits) for one in secrets]
