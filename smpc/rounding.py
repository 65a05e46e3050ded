"""Rounding to whole numbers under NumPy's names, and changes of type; all of it exact."""

from __future__ import annotations

from typing import Any

import numpy as np

from protocols.flooring import truncate_exactly
from protocols.relations import is_zero
from protocols.ring import BITS
from smpc import order
from smpc.operands import unsupported
from smpc.ranges import TRUNCATED_BITS, Range
from smpc.secret import Secret


def floor(x: Secret) -> Secret:
    """The largest integer that is not above x, of x's type. Up to 6 rounds."""
    return _floored(x).at_bits(x.bits)


def ceil(x: Secret) -> Secret:
    """The smallest integer that is not below x; see `floor`."""
    return -floor(-x) if x.bits else x


def trunc(x: Secret) -> Secret:
    """x without its fraction: rounded towards zero. Up to 12 rounds, 6 if no x is below zero."""
    return _truncated(x).at_bits(x.bits)


def rint(x: Secret) -> Secret:
    """The nearest integer, of x's type, and of two that are as near the even one. Up to 12 rounds."""
    if not x.bits:
        return x
    half = 1 << x.bits - 1
    up = _floored(x.new(x.share + half, x.shape, x.bits, x.range + Range(half, half)))
    # An odd integer is one too many if nothing was dropped: the lowest bits of x + 1/2 are 100…0.
    rest = (x.share - half) * (1 << BITS - 1 - x.bits)
    odd = is_zero(x.party.protocol, rest)
    within = Range(up.range.low - (up.range.low & 1), up.range.high)
    return x.new(up.share - odd, x.shape, 0, within).at_bits(x.bits)


def rounded(x: Secret, decimals: int = 0) -> Secret:
    """np.round to whole numbers, as `rint`."""
    if (decimals and x.bits) or decimals < 0:
        raise TypeError(unsupported("np.round to decimal places"))
    return rint(x)


def astype(x: Secret, dtype: Any) -> Secret:
    """As reals, integers (reals without their fraction, as `trunc`) or truth values."""
    wanted = np.dtype(dtype)
    if wanted == np.float64:
        return x.at_bits(max(x.bits, x.party.fraction_bits)).as_numbers()
    if wanted == np.int64:
        return _truncated(x).as_numbers()
    if wanted != np.bool:
        raise TypeError(unsupported(f"the type {wanted}: a secret array is of float64, int64 or bool, and it"))
    return order.truth(x)


# Inside


def _floored(x: Secret) -> Secret:
    """As integers."""
    if not x.bits:
        return x
    x.held(x.range, TRUNCATED_BITS, lambda: f"an array of shape {x.shape} that is rounded")
    share = truncate_exactly(x.party.protocol, x.share, x.bits)
    return x.new(share, x.shape, 0, Range(x.range.low >> x.bits, x.range.high >> x.bits))


def _truncated(x: Secret) -> Secret:
    if not x.bits or x.range.low >= 0:
        return _floored(x)
    below, size = order.sign_and_size(x)
    down = _floored(size)
    return order.where(below, -down, down)
