"""Comparisons under NumPy's names on secret arrays, and what one comparison makes: choices, extremes, absolute values.

A comparison is exact. Its cost follows the public ranges: of values that differ by less than 2^b only b + 1 bits are
compared (`protocols.conversion`), and where the ranges alone decide nothing is sent. Its result is a secret array of
truth values, 0 or 1, which `reveal` gives as NumPy's bool. A public real is compared as it would be shared: rounded to
the nearest unit in the last place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from protocols.beaver import multiply
from protocols.conversion import negative
from protocols.relations import below_each, is_zero
from protocols.ring import BITS, RingArray
from protocols.selection import where_negative
from protocols.shares import Share, public
from smpc.arrange import lifted, together
from smpc.operands import numeric, unsupported
from smpc.ranges import TRUNCATED_BITS, Range
from smpc.secret import Secret

_TRUTH = Range(0, 1)
_ROOM = 1 << 10  # units between the largest float64 below 2^62 of them and that, and more


def less(x: Any, y: Any) -> Secret:
    """x < y: the sign of the difference. Up to 6 rounds, fewer in a small range."""
    difference = _difference(x, y)
    within = difference.range
    if within.low >= 0 or within.high < 0:
        return _decided(difference, holds=within.high < 0)
    bits = within.largest.bit_length() + 1
    return _truth(difference, negative(difference.party.protocol, difference.share, bits))


def greater(x: Any, y: Any) -> Secret:
    """x > y; see `less`."""
    return less(y, x)


def less_equal(x: Any, y: Any) -> Secret:
    """x <= y; see `less`."""
    return logical_not(less(y, x))


def greater_equal(x: Any, y: Any) -> Secret:
    """x >= y; see `less`."""
    return logical_not(less(x, y))


def equal(x: Any, y: Any) -> Secret:
    """x == y, in every digit. Up to 6 rounds, fewer in a small range."""
    difference = _difference(x, y)
    within = difference.range
    if not within.low <= 0 <= within.high or within == Range(0, 0):
        return _decided(difference, holds=within == Range(0, 0))
    return _truth(difference, is_zero(difference.party.protocol, difference.share, within.largest.bit_length()))


def not_equal(x: Any, y: Any) -> Secret:
    """x != y; see `equal`."""
    return logical_not(equal(x, y))


# Truth values


def logical_not(x: Secret) -> Secret:
    """Not x; of numbers, whether they are zero. Local for truth values."""
    x = truth(x)
    return _truth(x, 1 - x.share)


def logical_and(x: Any, y: Any) -> Secret:
    """x and y, of truth values or of whether numbers are not zero. A round."""
    return _joined(x, y, 0, 1)


def logical_or(x: Any, y: Any) -> Secret:
    """x or y; see `logical_and`."""
    return _joined(x, y, 1, -1)


def logical_xor(x: Any, y: Any) -> Secret:
    """x or y and not both; see `logical_and`."""
    return _joined(x, y, 1, -2)


def of_truths(join: Callable[..., Secret]) -> Callable[..., Secret]:
    """The same for operands that are truth values. Raises TypeError for numbers, whose bits are not at hand."""

    def checked(*values: Any) -> Secret:
        if not are_truths(*values):
            raise TypeError(unsupported("an operation on the bits of numbers"))
        return join(*values)

    return checked


def are_truths(*values: Any) -> bool:
    """Whether all are truth values."""
    return all(one.truth if isinstance(one, Secret) else numeric(one).dtype.kind == "b" for one in values)


def truth(x: Secret) -> Secret:
    """Truth values as they are; of numbers, whether they are not zero."""
    return x if x.truth else not_equal(x, 0)


# Choices


def where(condition: Any, x: Any, y: Any) -> Secret:
    """np.where: x where the condition holds, and y elsewhere; exact. A round, none for a public condition."""
    one, two = together(*lifted(condition, x, y)[1:])
    chosen = truth(condition) if isinstance(condition, Secret) else numeric(condition).astype(bool)
    return _select(chosen, one, two, one.range | two.range)


def select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Secret:
    """np.select: of each place the first choice whose condition holds; exact. A round for each choice."""
    if len(condlist) != len(choicelist) or not condlist:
        raise ValueError("list of cases must be same length as list of conditions, and not empty")
    if not are_truths(*condlist):
        raise TypeError("the conditions of np.select are truth values")
    found, *_ = lifted(default, *choicelist, *condlist)
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        found = where(condition, choice, found)
    return found


def maximum(x: Any, y: Any) -> Secret:
    """The larger of each two; exact. Up to 6 rounds. Raises ValueError for a number that would win and is too large."""
    one, two = _comparable(x, y, winner=1)
    within = Range(max(one.range.low, two.range.low), max(one.range.high, two.range.high))
    return _better(one, two, within, -1)


def minimum(x: Any, y: Any) -> Secret:
    """The smaller one of each two; see `maximum`."""
    one, two = _comparable(x, y, winner=-1)
    within = Range(min(one.range.low, two.range.low), min(one.range.high, two.range.high))
    return _better(one, two, within, 1)


def clip(x: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None) -> Secret:  # noqa: A002
    """np.clip: brought to the nearest of [a_min, a_max]; exact. Its result has these bounds, in the range plan too."""
    low, high = (b if a is None else a for a, b in ((a_min, min), (a_max, max)))
    found = x if low is None else maximum(x, low)
    return found if high is None else minimum(found, high)


def absolute(x: Secret) -> Secret:
    """|x|. Up to 6 rounds; exact."""
    return sign_and_size(x)[1]


def sign_and_size(x: Secret) -> tuple[Secret, Secret]:
    """Whether x < 0, and |x|: x - 2x where it is. Up to 6 rounds."""
    if x.range.low >= 0:
        return _decided(x, holds=False), x
    below, negative_part = where_negative(x.party.protocol, x.share, x.range.largest.bit_length() + 1)
    within = Range(max(0, -x.range.high), x.range.largest)
    return _truth(x, below), x.new(x.share - negative_part * 2, x.shape, x.bits, within)


def fabs(x: Secret) -> Secret:
    """|x| as a real."""
    return absolute(x.at_bits(max(x.bits, x.party.fraction_bits)))


def sign(x: Secret) -> Secret:
    """-1, 0 or 1, of x's type. Up to 6 rounds."""
    bits = x.range.largest.bit_length() + 2
    below = below_each(x.party.protocol, x.share, [0, 1], min(bits, BITS))
    found = x.new(1 - below.sum(axis=-1).reshape(*x.share.shape), x.shape, 0, Range(-1, 1))
    return found.at_bits(x.bits)


# Inside


def _comparable(x: Any, y: Any, winner: int = 0) -> list[Secret]:
    """Two operands with equally many fraction bits; what is beyond all of a range is brought near.

    But where it is the result: there with that sign, `winner`, it is refused.
    """
    held = [one for one in (x, y) if isinstance(one, Secret)]
    bits = max([held[0].party.fraction_bits, *(one.bits for one in held)])
    if all(one.range.raised(bits - one.bits).largest < (1 << TRUNCATED_BITS) - _ROOM for one in held):
        x, y = (one if isinstance(one, Secret) else _near(one, TRUNCATED_BITS - bits, winner) for one in (x, y))
    return together(x, y)


def _near(value: Any, bits: int, winner: int) -> Any:
    numbers = numeric(value)
    if numbers.dtype.kind != "f":
        return numbers
    most = np.nextafter(2.0**bits, 0)
    if winner and (numbers * winner > most).any():
        raise ValueError(f"a number is 2^{bits} or more, beyond what the array can hold")
    return np.clip(numbers.astype(np.float64), -most, most)  # not a number stays, and is refused


def _difference(x: Any, y: Any) -> Secret:
    one, two = (each.as_numbers() for each in _comparable(x, y))
    return one - two


def _better(one: Secret, two: Secret, within: Range, side: int) -> Secret:
    """`one` if `side` (1 or -1) times one - two is negative, else `two`: with d = one - two, two + [d < 0] d or
    one - [d < 0] d. Where ranges decide, nothing is sent.
    """
    difference = one.as_numbers() - two.as_numbers()
    shape, truths = difference.shape, one.truth and two.truth
    if difference.range.low >= 0 or difference.range.high <= 0:
        found = one if (difference.range.low >= 0) == (side < 0) else two
        return one.new(found.spread(shape).share, shape, one.bits, within, truth=truths)
    bits = difference.range.largest.bit_length() + 1
    _, negative_part = where_negative(one.party.protocol, difference.share, bits)
    share = (one if side < 0 else two).spread(shape).share + negative_part * side
    return one.new(share, shape, one.bits, within, truth=truths)


def _select(chosen: Any, one: Secret, two: Secret, within: Range) -> Secret:
    """`one` where chosen, else `two`. Their difference may wrap: a product with 0 or 1 is exact in the ring."""
    shape = np.broadcast_shapes(chosen.shape, one.shape, two.shape)
    truth_values = one.truth and two.truth
    one, two = one.spread(shape), two.spread(shape)
    if isinstance(chosen, Secret):
        share = two.share + multiply(one.party.protocol, chosen.spread(shape).share, one.share - two.share)
    else:
        ours = np.broadcast_to(chosen, shape).reshape(one.share.shape)
        share = Share(one.share.rank, np.where(ours, one.share.values, two.share.values))
    return one.new(share, shape, one.bits, within, truth=truth_values)


def _joined(x: Any, y: Any, sums: int, products: int) -> Secret:
    """Truth values: so many times x + y and xy."""
    first, second = (x, y) if isinstance(x, Secret) else (y, x)
    one = truth(first).as_numbers()
    two = truth(second).as_numbers() if isinstance(second, Secret) else numeric(second).astype(bool)
    both = one * two
    found = both.share * products
    if sums:
        found = found + one.spread(both.shape).share * sums + one.lift(two).spread(both.shape).share * sums
    return _truth(both, found)


def _truth(x: Secret, share: Share) -> Secret:
    return x.new(share, x.shape, 0, _TRUTH, truth=True)


def _decided(x: Secret, *, holds: bool) -> Secret:
    """What the ranges say of all elements."""
    same: RingArray = np.full(x.share.shape, int(holds), np.uint64)
    return x.new(public(x.party.protocol.rank, same), x.shape, 0, Range(int(holds), int(holds)), truth=True)
