"""The ring Z_{2^64}, as numpy.uint64 arrays: numpy's own wrap-around is the reduction.

Ring arrays have at least one axis: NumPy turns 0-d integers into scalars, which warn of overflow.
Reduction mod 2^k is a homomorphism, so the same code is exact in every smaller ring Z_{2^k}.
"""

from collections.abc import Iterator, Sequence
from math import prod
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from protocols import matrices

RingArray: TypeAlias = NDArray[np.uint64]
Shape: TypeAlias = tuple[int, ...]

BITS = 64
BYTES = 8
MODULUS = 1 << BITS

_PIECE = 1 << 14  # elements: a few arrays of that many stay in a core's cache


def size(shape: Shape) -> int:
    """How many elements an array of `shape` has."""
    return prod(shape)


def element(value: int) -> np.uint64:
    """A Python integer of any size and sign, mod 2^64."""
    return np.uint64(value % MODULUS)


def check(x: Any) -> RingArray:
    """x itself. Raises TypeError unless it is an array of ring elements with an axis.

    NumPy would go on with another type, in float64 even, and round.
    """
    if not isinstance(x, np.ndarray) or x.dtype != np.uint64 or x.ndim == 0:
        raise TypeError(f"not an array of ring elements: {type(x).__name__} of {getattr(x, 'dtype', 'no dtype')}")
    ring_elements: RingArray = x
    return ring_elements


def from_int(values: object) -> RingArray:
    """Signed integers (an int64 array or nested lists of such) as ring elements."""
    return np.atleast_1d(np.asarray(values, dtype=np.int64)).view(np.uint64)


def to_int(x: RingArray) -> NDArray[np.int64]:
    """The representative in [-2^63, 2^63) of every element."""
    return np.ascontiguousarray(x).view(np.int64)


def matmul(a: RingArray, b: RingArray) -> RingArray:
    """a @ b, exact mod 2^64, for 2-d arrays. Raises ValueError if the shapes do not fit."""
    return matrices.product(a, b)


def pieces(shape: Shape) -> Iterator[slice]:
    """Along the first axis, so that passes over some arrays of `shape` go piece by piece, in cache."""
    step = max(1, _PIECE // max(1, size(shape[1:])))
    return (slice(at, at + step) for at in range(0, shape[0], step))


def sum_of_products(products: Sequence[tuple[RingArray, RingArray]], c: RingArray) -> RingArray:
    """c + Σ x ∘ y, elementwise; x and y broadcast to c's shape."""
    spread = [(np.broadcast_to(x, c.shape), np.broadcast_to(y, c.shape)) for x, y in products]
    total = np.empty(c.shape, np.uint64)
    for piece in pieces(c.shape):
        out = total[piece]
        out[...] = c[piece]
        for x, y in spread:
            out += x[piece] * y[piece]
    return total


def sum_of_matrix_products(products: Sequence[tuple[RingArray, RingArray]], c: RingArray) -> RingArray:
    """c + Σ x @ y, exact mod 2^64, for 2-d arrays. Raises ValueError if the shapes do not fit."""
    total = c.copy()
    for x, y in products:
        matrices.add_product(total, x, y)
    return total


def to_bytes(x: RingArray) -> bytes:
    """Little-endian, C order; `BYTES` octets an element."""
    return np.ascontiguousarray(x, dtype="<u8").tobytes()


def from_bytes(data: bytes | memoryview, shape: Shape) -> RingArray:
    """Inverse of `to_bytes`. Raises ValueError unless `data` fills `shape` exactly."""
    return np.frombuffer(data, dtype="<u8").reshape(shape).astype(np.uint64)
