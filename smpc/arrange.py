"""NumPy's functions that only choose, arrange and join elements, on secret arrays: no message, no error.

What NumPy does to the words of a share is what it does to the numbers that they stand for. Where it inserts zeros these
are shares of zero.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import reduce
from operator import or_
from typing import Any, TypeAlias

import numpy as np

from smpc.operands import unsupported
from smpc.ranges import Range
from smpc.secret import Secret

Function: TypeAlias = Callable[..., Any]

VIEWS: tuple[Function, ...] = (
    np.reshape, np.ravel, np.transpose, np.matrix_transpose, np.linalg.matrix_transpose, np.swapaxes, np.moveaxis,
    np.rollaxis, np.expand_dims, np.squeeze, np.broadcast_to, np.diagonal, np.repeat, np.tile, np.roll, np.flip,
    np.fliplr, np.flipud, np.rot90, np.take, np.take_along_axis, np.delete, np.copy, np.atleast_1d, np.atleast_2d,
    np.atleast_3d,
)  # fmt: skip
PADDED: tuple[Function, ...] = (np.diag, np.diagflat, np.tril, np.triu, np.resize)
LISTS: tuple[Function, ...] = (np.split, np.array_split, np.hsplit, np.vsplit, np.dsplit, np.unstack)
JOINED: tuple[Function, ...] = (np.concatenate, np.stack, np.vstack, np.hstack, np.dstack, np.column_stack)
LIKE: tuple[Function, ...] = (np.zeros_like, np.ones_like, np.full_like, np.empty_like)
INQUIRIES: tuple[Function, ...] = (np.shape, np.ndim, np.size)

_CHANGES = ("out", "dtype", "casting", "subok")  # of what NumPy makes, not of which elements


def viewed(function: Function) -> Function:
    """Of one array, which comes first."""

    def view(x: Any, *args: Any, **kwargs: Any) -> Secret:
        _refuse_others(function, x, *args, **kwargs)
        if function in (np.ravel, np.reshape) and {"K", "A"} & {*filter(_is_text, (*args, *kwargs.values()))}:
            raise TypeError(unsupported("an order that is that of memory"))
        found: Secret = x.view(lambda words: function(words, *args, **kwargs))
        return found

    return view


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def padded(function: Function) -> Function:
    """The same, where zeros are inserted."""

    def view(x: Any, *args: Any, **kwargs: Any) -> Secret:
        found: Secret = viewed(function)(x, *args, **kwargs)
        found.range |= Range(0, 0)
        return found

    return view


def listed(function: Function) -> Function:
    """The same, where the result is a sequence of arrays."""

    def views(x: Any, *args: Any, **kwargs: Any) -> Any:
        _refuse_others(function, x, *args, **kwargs)

        def piece(at: int) -> Secret:
            found: Secret = x.view(lambda words: function(words, *args, **kwargs)[at])
            return found

        pieces = function(np.broadcast_to(np.int8(0), x.shape), *args, **kwargs)
        return type(pieces)(map(piece, range(len(pieces))))

    return views


def joined(function: Function) -> Function:
    """Of a sequence of arrays, of which at least one is secret."""

    def join(arrays: Sequence[Any], *args: Any, **kwargs: Any) -> Secret:
        _refuse_others(function, None, *args, **kwargs)
        secrets = together(*arrays)
        words = function([one.share.values.reshape(one.shape) for one in secrets], *args, **kwargs)
        within = reduce(or_, (one.range for one in secrets))
        truth = all(one.truth for one in secrets)
        first = secrets[0]
        return first.new(type(first.share)(first.share.rank, words), words.shape, first.bits, within, truth=truth)

    return join


def append(arr: Any, values: Any, axis: int | None = None) -> Secret:
    """np.append."""
    pieces = [arr, values] if axis is not None else [np.ravel(arr), np.ravel(values)]
    found: Secret = joined(np.concatenate)(pieces, axis or 0)
    return found


def pad(array: Any, pad_width: Any, mode: str = "constant") -> Secret:
    """np.pad with zeros or with elements that are there."""
    if mode not in ("constant", "edge", "reflect", "symmetric", "wrap"):
        raise TypeError(unsupported(f"np.pad with mode={mode!r}"))
    found: Secret = padded(np.pad)(array, pad_width, mode)
    return found


def broadcast_arrays(*arrays: Any) -> tuple[Secret, ...]:
    """np.broadcast_arrays."""
    secrets = lifted(*arrays)
    shape = np.broadcast_shapes(*(one.shape for one in secrets))
    return tuple(one.spread(shape) for one in secrets)


def like(function: Function) -> Function:
    """A public array of a secret one's shape and type."""

    def make(x: Secret, *args: Any, **kwargs: Any) -> Any:
        return function(np.broadcast_to(np.zeros((), x.dtype), x.shape), *args, **kwargs)

    return make


def inquiry(function: Function) -> Function:
    """What is public."""

    def ask(x: Secret, *args: Any, **kwargs: Any) -> Any:
        return function(np.broadcast_to(np.int8(0), x.shape), *args, **kwargs)

    return ask


def a_secret(*values: Any) -> Secret:
    """The first that is."""
    return next(one for one in values if isinstance(one, Secret))


def lifted(*values: Any) -> list[Secret]:
    """Secret arrays of operands of which at least one is."""
    first = a_secret(*values)
    return [first.lift(one) for one in values]


def together(*values: Any) -> list[Secret]:
    """The same, with equally many fraction bits."""
    secrets = lifted(*values)
    bits = max(one.bits for one in secrets)
    return [one.at_bits(bits) for one in secrets]


def _refuse_others(function: Function, x: Any, *args: Any, **kwargs: Any) -> None:
    """Raises TypeError for arguments that are secret, and for those that change more than which elements there are."""
    given = inspect.signature(function).bind(x, *args, **kwargs).arguments
    named = given | given.get("kwargs", {})
    if found := [name for name in _CHANGES if name in named and named[name] is not None]:
        raise TypeError(unsupported(f"np.{function.__name__} with {found[0]}="))
    others = [*args, *kwargs.values(), *([] if isinstance(x, Secret) or x is None else [x])]
    if any(isinstance(one, Secret) for one in others):
        raise TypeError(unsupported(f"np.{function.__name__} of several arrays, or by secret arguments,"))
