"""Secret integers with a public scale, on which statistics compute exactly, and results that are opened together.

A sum of squares of reals at 20 fraction bits is soon beyond the ring, or has lost the digits that a variance needs. So
statistics compute on integers, as exact as the ring is: the units of the data's last place, counted from the middle of
their bounds and rounded to as many bits as squares have room for. Their bounds are those of smpc.ranges throughout.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from protocols import division
from smpc.array import SecretArray
from smpc.checks import ENOUGH
from smpc.errors import ModelError, RangeError
from smpc.operands import unsupported
from smpc.order import less
from smpc.ranges import Range
from smpc.secret import Secret

Numbers = NDArray[Any]
R = TypeVar("R")

_QUOTIENT = 54  # bits of a quotient that is right to 4 units; see protocols.division
_DIVIDEND = 60  # bits of a dividend and of how many times as large as the least the largest divisor is
_WITH_DIVISOR = 86  # bits of a quotient and its divisor together


@dataclass(frozen=True, eq=False)
class Scaled:
    """`units` · 2^-bits; `bits` may be below zero."""

    units: SecretArray
    bits: int = 0
    of_each: NDArray[np.int64] | None = None  # bits that each number has beyond

    def read(self, words: NDArray[np.int64]) -> Numbers:
        """The numbers that opened units stand for; integers where these are the units."""
        bits = self.bits + (0 if self.of_each is None else self.of_each)
        return np.ldexp(words.astype(np.float64), np.negative(bits)) if np.any(bits) else words


@dataclass(frozen=True, eq=False)
class SecretResult(Generic[R]):
    """A statistic that is secret as yet: `arrays` is all that `reveal` opens, by name; `of` reads it in the clear."""

    arrays: Mapping[str, Scaled]
    of: Callable[..., R] = field(repr=False)

    def reveal(self, to: str | Sequence[str] | None = None) -> R | None:
        """The result at the parties `to` (all receivers if not said), None at others. One opening, one round.

        Raises ReleaseRefused if one of `to` may not learn results.
        """
        flat = [one.units.reshape(-1) for one in self.arrays.values()]
        words = cast("SecretArray", np.concatenate(cast("Any", flat))).reveal(to)
        if words is None:
            return None
        parts = np.split(words, np.cumsum([one.size for one in flat])[:-1])
        return self.of(
            **{
                name: one.read(part.reshape(one.units.shape))
                for (name, one), part in zip(self.arrays.items(), parts, strict=True)
            }
        )


def integers(x: Secret, within: Range | None = None) -> SecretArray:
    """The units of the last place as integers; `within` bounds that are known from elsewhere."""
    return cast("SecretArray", x.new(x.share, x.shape, 0, within or x.range))


def scaled(x: Secret) -> Scaled:
    """The numbers of x, as they are."""
    return Scaled(integers(x), x.bits)


def centred(x: SecretArray) -> SecretArray:
    """The units of x less the middle of its bounds."""
    return cast("SecretArray", integers(x) - (x.range.low + x.range.high) // 2)


def stacked(arrays: Sequence[SecretArray], axis: int = 0) -> SecretArray:
    """np.stack."""
    return cast("SecretArray", np.stack(cast("Any", arrays), axis))


def at_bits(x: Scaled, bits: int) -> Scaled:
    """The same numbers with so many bits: more are zeros, fewer are within one of the new units, in one round."""
    if x.bits <= bits:
        return Scaled(x.units * 2 ** (bits - x.bits), bits)
    raised = x.units.new(x.units.share, x.units.shape, x.bits - bits, x.units.range)
    return Scaled(integers(raised.rescaled(0)), bits)


def narrowed(x: SecretArray, most: int) -> Scaled:
    """Integers within 2^most for both signs, rounded to that if need be: within one of the new units. A round, or none.

    Raises RangeError if no bit is left.
    """
    lost = max(0, x.range.largest.bit_length() - most)
    if not lost:
        return Scaled(x)
    if most < 1:
        raise RangeError(f"squares of an array within {x.bounds} have no room: share it with tighter bounds=")
    return at_bits(Scaled(x), -lost)


def quotient(a: SecretArray, b: SecretArray, most: int) -> Scaled:
    """a / b of integers, b > 0, with as many bits as there is room for, up to `most`, and within 4 units of these.

    But a is rounded first, if it has more than 60 - log₂(high / low) or 52 + log₂ low bits, for b's bounds. 9 rounds
    if b's bounds are a factor of 16 apart, 14 or 15 else, and up to 7 more. Raises RangeError for no room.
    """
    shape = np.broadcast_shapes(a.shape, b.shape)
    low, high = b.range.low, b.range.high
    size = min(_QUOTIENT, _WITH_DIVISOR - high.bit_length())
    part = narrowed(a.spread(shape), min(_DIVIDEND - (high // low).bit_length(), size + low.bit_length() - 3))
    largest = max(1, part.units.range.largest)
    if (bits := min(most - part.bits, size - (largest // low).bit_length() - 1)) < 0:
        raise RangeError(f"a quotient of up to {largest:,} by {low:,} or more has no room: say tighter bounds=")
    share = division.divide(a.party.protocol, part.units.share, b.spread(shape).share, bits, low, high, largest)
    end = (largest << bits) // low + 4
    return Scaled(a.new(share, shape, 0, Range(-end if a.range.low < 0 else -4, end)), bits + part.bits)


def enough(counts: SecretArray, minimum: int) -> SecretArray:
    """The same counts, each at least `minimum` and 1: opened to all as one bit, or none if bounds say so.

    Raises ModelError if one is not.
    """
    least = max(1, minimum)
    small = less(counts, least).as_numbers().sum()
    if small.range.high:
        counts.party.require(ENOUGH, less(0, small).share)
    return integers(counts, Range(min(least, counts.range.high), counts.range.high))


def enough_rows(rows: int, minimum: int) -> None:
    """Raises ModelError for fewer rows than that, a public number."""
    if rows < minimum:
        raise ModelError(f"no result: {rows} people, and at least {minimum} are asked for")


def column(x: Any, what: str, length: int | None = None) -> SecretArray:
    """x, if it is a secret vector (of that length)."""
    if not isinstance(x, SecretArray):
        raise TypeError(unsupported(f"{what}, unless it is a secret array,"))
    if x.ndim != 1 or length not in (None, x.shape[0]):
        raise ValueError(f"{what} is a vector{f' of {length}' if length is not None else ''}, not of shape {x.shape}")
    return x
