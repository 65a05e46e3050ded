"""Reals in the ring: x is held as the integer nearest to x·2^f.

A ring element v stands for its signed representative divided by 2^f. Encoding rounds to nearest, so its
error is at most 2^-(f+1). Everything that is later truncated must stay below 2^62 in absolute value
(see `truncation`), hence the bound here.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from protocols import ring
from protocols.ring import RingArray

LIMIT_BITS = 62


def encode(x: ArrayLike, fraction_bits: int) -> RingArray:
    """x·2^f, rounded to nearest (ties to even); at least one axis.

    Raises ValueError for NaN, infinity, or |x| >= 2^(62 - f): such a value would wrap.
    """
    reals = np.atleast_1d(np.asarray(x, dtype=np.float64))
    if not np.isfinite(reals).all():
        raise ValueError("not a finite number")
    limit = 2.0 ** (LIMIT_BITS - fraction_bits)
    scaled = np.rint(np.ldexp(np.clip(reals, -limit, limit), fraction_bits))
    if np.abs(scaled).max(initial=0.0) >= 2.0**LIMIT_BITS:
        raise ValueError(f"a value is 2^{LIMIT_BITS - fraction_bits} or more, beyond {fraction_bits} fraction bits")
    return ring.from_int(scaled.astype(np.int64))


def encode_integers(x: ArrayLike) -> RingArray:
    """Integers as they are; at least one axis. Raises ValueError for |x| >= 2^62 or a type that has no integers."""
    integers = np.atleast_1d(np.asarray(x))
    if integers.dtype.kind not in "biu":
        raise ValueError(f"not an array of integers: {integers.dtype}")
    if integers.size and max(int(integers.max()), -int(integers.min())) >= 1 << LIMIT_BITS:
        raise ValueError(f"an integer is 2^{LIMIT_BITS} or more")
    return ring.from_int(integers.astype(np.int64))


def decode(v: RingArray, fraction_bits: int) -> NDArray[np.float64]:
    """The reals that v stands for, each the float64 nearest to it."""
    return np.ldexp(ring.to_int(v).astype(np.float64), -fraction_bits)
