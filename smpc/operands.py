"""Public operands of secret arrays: which are numbers, and how they are written in the ring."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from protocols import fixedpoint, ring

_SMALLEST = 61  # bits by which a word can be truncated


def words(numbers: NDArray[Any], f: int) -> tuple[NDArray[np.uint64], NDArray[np.uint64], int]:
    """A public real factor times 2^small, where it is all below 2^-small: a word of f bits, one of 2f for the rest."""
    largest = float(np.abs(numbers).max(initial=0.0))
    if not np.isfinite(largest):
        raise ValueError("a public factor is not a finite number")
    small = min(_SMALLEST - f, max(0, -int(np.frexp(largest)[1]))) if largest else 0
    raised = np.ldexp(numbers, small)
    high = fixedpoint.encode(raised, f)
    low = fixedpoint.encode(raised - fixedpoint.decode(high, f).reshape(numbers.shape), 2 * f)
    return high, low, small


def numeric(value: Any) -> NDArray[Any]:
    """A public operand as an array. Raises TypeError unless it is of real numbers."""
    numbers = np.asarray(value)
    if numbers.dtype.kind not in "biuf":
        raise TypeError(unsupported(f"an operand of type {type(value).__name__} ({numbers.dtype})"))
    return numbers


def encoded(numbers: NDArray[Any], bits: int) -> NDArray[np.uint64]:
    """Ring elements. Raises ValueError for what does not fit; integers are exact, also at a scale."""
    if numbers.dtype.kind == "f":
        return fixedpoint.encode(numbers, bits)
    integers = fixedpoint.encode_integers(numbers)
    if np.abs(ring.to_int(integers)).max(initial=0) >> fixedpoint.LIMIT_BITS - bits:
        raise ValueError(f"an integer is 2^{fixedpoint.LIMIT_BITS - bits} or more, beyond {bits} fraction bits")
    return integers << np.uint64(bits)


def unsupported(what: str) -> str:
    """What to tell someone who asks for more than there is."""
    return (
        f"{what} is not supported on secret arrays (docs/numpy.md lists what is): reveal what may be known, or take it "
        "apart into operations that are supported"
    )
