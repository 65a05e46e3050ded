"""Comparisons under NumPy's names on secret arrays, and what one comparison makes: choices, extremes, rounding.

A comparison is exact. Its cost follows the public ranges: of values that differ by less than 2^b only b + 1 bits are
compared (`protocols.conversion`), and where the ranges alone decide nothing is sent. Its result is a secret array of
truth values, 0 or 1, which `reveal` gives as NumPy's bool.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from protocols.conversion import negative
from protocols.flooring import truncate_exactly
from protocols.relations import below_each, is_zero
from protocols.ring import RingArray
from protocols.shares import Share, public
from smpc.arrange import lifted, together
from smpc.operands import numeric
from smpc.ranges import TRUNCATED_BITS, Range
from smpc.secret import Secret

_TRUTH = Range(0, 1)


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
    one, two = truths(x, y)
    return _as_truth(one * two)


def logical_or(x: Any, y: Any) -> Secret:
    """x or y; see `logical_and`."""
    one, two = truths(x, y)
    return _as_truth(one + two - one * two)


def logical_xor(x: Any, y: Any) -> Secret:
    """x or y and not both; see `logical_and`."""
    one, two = truths(x, y)
    return _as_truth(one + two - one * two * 2)


def truth(x: Secret) -> Secret:
    """Truth values as they are; of numbers, whether they are not zero."""
    return x if x.truth else not_equal(x, 0)


def truths(*values: Any) -> list[Secret]:
    """`truth` of operands of which at least one is secret."""
    first = next(one for one in values if isinstance(one, Secret))
    return [truth(one) if isinstance(one, Secret) else first.lift(numeric(one).astype(bool)) for one in values]


# Choices


def where(condition: Any, x: Any, y: Any) -> Secret:
    """np.where: x where the condition holds, and y elsewhere; exact. A round, none for a public condition."""
    one, two = lifted(condition, x, y)[1:]
    bits = max(one.bits, two.bits)
    one, two = one.at_bits(bits), two.at_bits(bits)
    chosen = truth(condition) if isinstance(condition, Secret) else numeric(condition).astype(bool)
    return _chosen(two + (one - two) * chosen, one.range | two.range, truth=one.truth and two.truth)


def maximum(x: Any, y: Any) -> Secret:
    """The larger one of each two. Up to 7 rounds; exact."""
    one, two = together(x, y)
    within = Range(max(one.range.low, two.range.low), max(one.range.high, two.range.high))
    return _chosen(where(less(one, two), two, one), within, truth=one.truth and two.truth)


def minimum(x: Any, y: Any) -> Secret:
    """The smaller one of each two. Up to 7 rounds; exact."""
    one, two = together(x, y)
    within = Range(min(one.range.low, two.range.low), min(one.range.high, two.range.high))
    return _chosen(where(less(one, two), one, two), within, truth=one.truth and two.truth)


def clip(x: Any, a_min: Any = None, a_max: Any = None) -> Secret:
    """np.clip: brought to the nearest of [a_min, a_max]; exact. Its result has these bounds, in the range plan too."""
    found = x if a_min is None else maximum(x, a_min)
    return found if a_max is None else minimum(found, a_max)


def absolute(x: Secret) -> Secret:
    """|x|. Up to 7 rounds; exact."""
    if x.range.low >= 0:
        return x
    least = 0 if x.range.high >= 0 else -x.range.high
    return _chosen(where(less(x, 0), -x, x), Range(least, x.range.largest))


def sign(x: Secret) -> Secret:
    """-1, 0 or 1, of x's type. Up to 6 rounds."""
    bits = x.range.largest.bit_length() + 2
    below = below_each(x.party.protocol, x.share, [0, 1], min(bits, 64))
    found = x.new(1 - below.sum(axis=-1).reshape(*x.share.shape), x.shape, 0, Range(-1, 1))
    return found.at_bits(x.bits)


# Rounding


def floor(x: Secret) -> Secret:
    """The largest integer that is not above x, of x's type; exact. Up to 6 rounds."""
    if not x.bits:
        return x
    x.range.fits(TRUNCATED_BITS, lambda: f"an array of shape {x.shape} that is rounded")
    share = truncate_exactly(x.party.protocol, x.share, x.bits)
    return x.new(share, x.shape, 0, Range(x.range.low >> x.bits, x.range.high >> x.bits)).at_bits(x.bits)


def ceil(x: Secret) -> Secret:
    """The smallest integer that is not below x; see `floor`."""
    return -floor(-x)


def trunc(x: Secret) -> Secret:
    """x without its fraction: rounded towards zero; exact."""
    down = floor(x)
    return down if x.range.low >= 0 else where(less(x, 0), ceil(x), down)


# Inside


def _difference(x: Any, y: Any) -> Secret:
    one, two = together(x, y)
    difference: Secret = one - two
    return difference


def _truth(x: Secret, share: Share) -> Secret:
    return x.new(share, x.shape, 0, _TRUTH, truth=True)


def _as_truth(x: Secret) -> Secret:
    """What is known to be 0 or 1."""
    return _truth(x, x.share)


def _decided(x: Secret, *, holds: bool) -> Secret:
    """What the ranges say of all elements."""
    same: RingArray = np.full(x.share.shape, int(holds), np.uint64)
    return _truth(x, public(x.party.protocol.rank, same))


def _chosen(x: Secret, within: Range, *, truth: bool = False) -> Secret:
    """x, of which more is known than operators know: it is one of some values."""
    return x.new(x.share, x.shape, x.bits, within, truth=truth)
