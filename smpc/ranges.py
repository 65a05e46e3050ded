"""The range plan: between which public bounds the values of a secret array lie.

Bounds come from whoever shares an array, who is held to them there, and go through every operation by interval
arithmetic ([Moo66] R. Moore, "Interval Analysis", 1966), exact on integers. They are in units of an array's last place:
2^-f for f fraction bits. An operation whose result could leave the ring, or the bound of a protocol in it, is refused
before it runs: at all parties alike, since bounds are public, and whatever the values are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from protocols import ring
from smpc.errors import RangeError

WORD_BITS = 63  # a signed word holds |x| < 2^63
TRUNCATED_BITS = 62  # what is truncated is below 2^62
ASSUMED = 1 << 24  # of what is shared without bounds: products of such, and 16,000 terms of a sum of them, fit
_HALF = 32


Bounds: TypeAlias = float | Sequence[float]


@dataclass
class Headroom:
    """The operation of a program that came closest to its limit, and how many bits it was below; None before any."""

    operation: str = ""
    bits: int | None = None

    def note(self, bits: int, what: Callable[[], str]) -> None:
        """Of an operation that is done."""
        if self.bits is None or bits < self.bits:
            self.operation, self.bits = what().rstrip(","), bits  # of a sentence that goes on, in an error


@dataclass(frozen=True)
class Range:
    """low <= x <= high for every element, in units of its last place."""

    low: int
    high: int

    @property
    def largest(self) -> int:
        return max(-self.low, self.high, 0)

    def __neg__(self) -> Range:
        return Range(-self.high, -self.low)

    def __add__(self, other: Range) -> Range:
        return Range(self.low + other.low, self.high + other.high)

    def __mul__(self, other: Range) -> Range:
        corners = [x * y for x, y in product((self.low, self.high), (other.low, other.high))]
        return Range(min(corners), max(corners))

    def __or__(self, other: Range) -> Range:
        """Of arrays that are joined."""
        return Range(min(self.low, other.low), max(self.high, other.high))

    def __sub__(self, other: Range) -> Range:
        return self + -other

    def square(self) -> Range:
        least = 0 if self.low <= 0 <= self.high else min(abs(self.low), abs(self.high))
        return Range(least**2, self.largest**2)

    def times(self, terms: int) -> Range:
        """Of a sum of so many."""
        return Range(self.low * terms, self.high * terms)

    def raised(self, bits: int) -> Range:
        """The same numbers with more fraction bits."""
        return Range(self.low << bits, self.high << bits)

    def truncated(self, bits: int) -> Range:
        """Rounded down or up by the protocol of `truncation`."""
        return Range(self.low >> bits, (self.high >> bits) + 1) if bits else self

    def weighed(self, words: NDArray[np.uint64]) -> Range:
        """Of x @ w, for a public matrix or vector w of ring elements."""
        signed = ring.to_int(words)
        up, down = _largest_sum(np.maximum(signed, 0)), _largest_sum(np.maximum(-signed, 0))
        return self * Range(0, up) + -(self * Range(0, down))

    def fits(self, bits: int, what: Callable[[], str]) -> Range:
        """Itself, if |x| < 2^bits. Raises RangeError, which begins with `what`."""
        if self.largest >= 1 << bits:
            raise RangeError(
                f"{what()} could reach 2^{self.largest.bit_length() - 1} units in the last place, and must stay below "
                f"2^{bits}: say tighter bounds where the data are shared (bounds=), keep fewer fraction bits, or bring "
                "the operands down first, by np.clip or a public factor"
            )
        return self


def of_words(words: NDArray[np.uint64]) -> Range:
    """Of public ring elements."""
    signed = ring.to_int(words)
    return Range(int(signed.min()), int(signed.max())) if signed.size else Range(0, 0)


def declared(bounds: Bounds | None, bits: int) -> Range:
    """What `bounds=` says, for f = `bits`: (least, largest), or one number for both signs; None is ASSUMED.

    Raises ValueError for what is no pair of numbers in order, RangeError for what no array can hold.
    """
    if bounds is None:
        return Range(-ASSUMED, ASSUMED)
    pair = (-bounds, bounds) if isinstance(bounds, int | float | np.generic) else tuple(bounds)
    if len(pair) != 2 or not -math.inf < pair[0] <= pair[1] < math.inf:
        raise ValueError(f"bounds are the least and the largest value, or one number for both signs: not {bounds}")
    low, high = (Fraction(end.item() if isinstance(end, np.generic) else end) * (1 << bits) for end in pair)
    found = Range(math.floor(low), math.ceil(high)) if bits else Range(math.ceil(low), math.floor(high))
    if found.low > found.high:
        raise ValueError(f"no integer is within the bounds {bounds}")
    return found.fits(TRUNCATED_BITS, lambda: f"an array with these bounds and {bits} fraction bits")


def exactly(bounds: Bounds | None) -> str:
    """What `bounds=` says, alike for equal numbers and for no others."""
    if bounds is None:
        return "None"
    ends = [bounds] if isinstance(bounds, int | float | np.generic) else bounds
    try:
        return " to ".join(str(Fraction(end.item() if isinstance(end, np.generic) else end)) for end in ends)
    except (OverflowError, TypeError, ValueError):  # which `declared` refuses
        return str(bounds)


def rounded_up(units: int, bits: int) -> float:
    """The least float64 that is not below so many units of 2^-bits."""
    found = math.ldexp(units, -bits)
    return found if Fraction(found) * (1 << bits) >= units else math.nextafter(found, math.inf)


def _largest_sum(weights: NDArray[np.int64]) -> int:
    """The largest of the sums along the first axis, of what is not negative; exact, in two halves."""
    high, low = (weights >> _HALF).sum(axis=0), (weights & (1 << _HALF) - 1).sum(axis=0)
    high, low = high + (low >> _HALF), low & (1 << _HALF) - 1
    top = high.max(initial=0)
    return (int(top) << _HALF) + int(np.where(high == top, low, 0).max(initial=0))
