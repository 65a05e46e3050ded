"""Division, powers, roots and transcendental functions under NumPy's names, on secret arrays.

What a function costs follows from the public range of its operand, and so does whether there is one: logarithms,
quotients and inverse roots need a range without zero, results must fit the ring. Errors are absolute, in units in the
last place, and for large results relative ones beside; all functions are those of `protocols`, whose docstrings state
them. A result's range is that of the function at the ends of the operand's, and the error.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np

from protocols import division, exponential, logarithm, powers, roots
from protocols import sigmoid as curves
from protocols import softmax as rows
from protocols.logarithm import LOG_2
from protocols.shares import Share
from smpc.arrange import together
from smpc.errors import RangeError
from smpc.operands import numeric, unsupported
from smpc.ranges import TRUNCATED_BITS, WORD_BITS, Range
from smpc.secret import Secret

Protocol = Callable[..., Share]

_HIGHEST = 64
_FLOAT = 2.0**-48  # of ends that are computed in floating point


def divide(x: Any, y: Any) -> Secret:
    """x / y. For a public y a product with 1 / y and its error.

    For a secret one within 1.8 units, and 2^-52 of the largest quotient that the bounds allow; 7 to 21 rounds.
    """
    if not isinstance(y, Secret):
        with np.errstate(divide="ignore", over="ignore"):  # what is not finite is refused as a factor
            quotient: Secret = x * (1.0 / numeric(y).astype(np.float64))
        return quotient
    if not isinstance(x, Secret) and np.ndim(x) == 0 and x == 1:
        return reciprocal(y)
    one, two = (as_reals(each) for each in together(x, y))
    _without_zero("a divisor", two)
    shape = np.broadcast_shapes(one.shape, two.shape)
    one, two = one.spread(shape), two.spread(shape)
    ends = [a / b for a in one.bounds for b in two.bounds]
    low, high, largest = two.range.low, two.range.high, max(1, one.range.largest)

    def quotients(party: Any, a: Share, bits: int, *_: int) -> Share:
        return division.divide(party, a, two.share, bits, low, high, largest)

    return _found("a quotient", quotients, one, ends, _division_units(ends, one.bits))


def reciprocal(x: Secret) -> Secret:
    """1 / x, with the error of `divide`."""
    x = _without_zero("np.reciprocal", as_reals(x))
    units = _division_units([1 / end for end in x.bounds], x.bits)
    return _by("np.reciprocal", division.reciprocal, x, lambda v: 1 / v, units)


def np_reciprocal(x: Secret) -> Secret:
    """np.reciprocal, of reals."""
    if not x.bits:
        raise TypeError(unsupported("np.reciprocal of integers"))
    return reciprocal(x)


def power(x: Any, y: Any) -> Secret:
    """x ** p for a public p: integers by products, in 2 rounds a bit, or pieces; reals as exp(p log x), x above 0."""
    if isinstance(y, Secret) or np.ndim(y):
        raise TypeError(unsupported("a power with a secret exponent, or several exponents,"))
    given = numeric(y)
    exponent = float(given)
    if exponent != np.rint(exponent):
        return sqrt(x) if exponent == 0.5 else _real_power(x, exponent)
    if not -_HIGHEST <= exponent <= _HIGHEST:
        raise TypeError(unsupported(f"a power beyond {_HIGHEST}"))
    base = as_reals(x) if given.dtype.kind == "f" else x.as_numbers()
    if exponent < 0 and not base.bits:
        raise ValueError("Integers to negative integer powers are not allowed.")
    if exponent in (0, 1, 2) or not base.bits:
        return _raised(base, int(exponent))
    return _integer_power(base, int(exponent))


def float_power(x: Any, y: Any) -> Secret:
    """np.float_power: as reals."""
    return power(as_reals(x) if isinstance(x, Secret) else x, y)


def sqrt(x: Secret) -> Secret:
    """The square root of what is not negative: within 1.4 units and 2^-27 of it."""
    if x.range.low < 0:
        raise RangeError(f"np.sqrt of values within {x.bounds}, which may be negative: say bounds=, or np.clip first")
    return _by("np.sqrt", roots.sqrt, x, math.sqrt, 1.4, 2.0**-27) if x.range.high else as_reals(x)


def rsqrt(x: Secret) -> Secret:
    """1 / √x: within 1.4 units and 2^-26 of it."""
    return _by("smpc.rsqrt", roots.rsqrt, _above_zero("smpc.rsqrt", x), lambda v: v**-0.5, 1.4, 2.0**-26)


def hypot(x: Any, y: Any) -> Secret:
    """√(x² + y²): as `sqrt`, of a sum of squares that is within 2 units."""
    one, two = (as_reals(each) for each in together(x, y))
    return sqrt(one.square() + two.square())


def exp(x: Secret) -> Secret:
    """eˣ: within 1.6 units and 2^-28 of it."""
    return _by("np.exp", exponential.exp, x, math.exp, 1.6, 2.0**-28)


def expm1(x: Secret) -> Secret:
    """eˣ - 1, as `exp`."""
    return exp(x) - 1.0


def log(x: Secret) -> Secret:
    """The natural logarithm of what is above zero: within 1.6 units."""
    return _by("np.log", logarithm.log, _above_zero("np.log", x), math.log, 1.6)


def log2(x: Secret) -> Secret:
    """The logarithm to base 2: within 1.9 units."""
    return _by("np.log2", _with(1 / LOG_2), _above_zero("np.log2", x), math.log2, 1.9)


def log10(x: Secret) -> Secret:
    """The logarithm to base 10: within 1.4 units."""
    return _by("np.log10", _with(1 / Decimal(10).ln()), _above_zero("np.log10", x), math.log10, 1.4)


def log1p(x: Secret) -> Secret:
    """log (1 + x), as `log`."""
    return log(as_reals(x) + 1.0)


def tanh(x: Secret) -> Secret:
    """The hyperbolic tangent: within 1.8 units."""
    return _by("np.tanh", curves.tanh, x, math.tanh, 1.8)


def sigmoid(x: Secret) -> Secret:
    """1 / (1 + e⁻ˣ): within 1.8 units."""
    return _by("smpc.sigmoid", curves.sigmoid, x, lambda v: 0.5 * (1 + math.tanh(v / 2)), 1.8)


def erf(x: Secret) -> Secret:
    """The error function: within 1.8 units."""
    return _by("smpc.erf", curves.erf, x, math.erf, 1.8)


def softmax(x: Secret, axis: int = -1) -> Secret:
    """exp xᵢ / Σⱼ exp xⱼ along an axis: within 1.6 units and k/500 for k values and 20 bits; see `protocols`."""
    last = as_reals(x).view(lambda words: np.moveaxis(words, axis, -1))
    if not last.shape[-1]:
        raise ValueError("softmax of no values")
    units = float(rows.error(last.shape[-1], last.bits))
    found = _found("smpc.softmax", rows.softmax, last, [0.0, 1.0], units)
    return found.view(lambda words: np.moveaxis(words, -1, axis))


def as_reals(x: Secret) -> Secret:
    """With the party's fraction bits at least."""
    return x.at_bits(max(x.bits, x.party.fraction_bits)).as_numbers()


# Inside


def _with(factor: Decimal) -> Protocol:
    def scaled(party: Any, x: Share, bits: int, low: int, high: int) -> Share:
        return logarithm.scaled_log(party, x, bits, low, high, factor, bits)

    return scaled


def _by(
    name: str, protocol: Protocol, x: Secret, function: Callable[[float], float], units: float, relative: float = 0
) -> Secret:
    """A monotone function, by the values that it has at the ends."""
    x = as_reals(x)
    try:
        ends = [function(end) for end in x.bounds]
    except OverflowError:
        raise RangeError(f"{name} of values within {x.bounds} is too large: say tighter bounds=") from None
    return _found(name, protocol, x, ends, units, relative)


def _found(name: str, protocol: Protocol, x: Secret, ends: list[float], units: float, relative: float = 0) -> Secret:
    """What a protocol makes of x, with the range from the least to the largest of `ends`, and the error."""
    low, high = (math.ldexp(end, x.bits) for end in (min(ends), max(ends)))
    slack = [abs(end) * (relative + _FLOAT) + units for end in (low, high)]
    within = Range(math.floor(low - slack[0]), math.ceil(high + slack[1]))
    x.held(x.range, TRUNCATED_BITS, lambda: f"an operand of {name}")
    x.held(within, WORD_BITS, lambda: f"{name} of values within {x.bounds}")
    if not x.size:
        return x.new(x.share, x.shape, x.bits, within)
    try:
        share = protocol(x.party.protocol, x.share, x.bits, x.range.low, x.range.high)
    except ValueError as error:
        raise RangeError(
            f"{name} of values within {x.bounds}: {error}: say tighter bounds=, or np.clip first"
        ) from None
    return x.new(share, x.shape, x.bits, within)


def _division_units(ends: list[float], bits: int) -> float:
    """The error of a division, in units."""
    return 1.8 + math.ldexp(max(abs(end) for end in ends), bits - 52)


def _without_zero(name: str, x: Secret) -> Secret:
    if x.range.low <= 0 <= x.range.high:
        raise RangeError(
            f"{name} within {x.bounds} may be zero: say bounds= without zero, or np.clip or np.maximum first"
        )
    return x


def _above_zero(name: str, x: Secret) -> Secret:
    if x.range.low <= 0:
        raise RangeError(
            f"{name} of values within {x.bounds}, which may be zero or less: say bounds=, or np.clip first"
        )
    return x


def _real_power(x: Secret, exponent: float) -> Secret:
    def raised(party: Any, share: Share, bits: int, low: int, high: int) -> Share:
        return powers.real_power(party, share, exponent, bits, low, high)

    base = _above_zero(f"a power of {exponent:g}", as_reals(x))
    relative = 2.0**-26 + abs(exponent) * 2.0**-30
    return _by(f"a power of {exponent:g}", raised, base, lambda v: v**exponent, 1.6, relative)


def _integer_power(x: Secret, exponent: int) -> Secret:
    """Of reals, within the bound of the way that `powers` takes."""
    if exponent == -1:
        return reciprocal(x)
    name = f"a power of {exponent}"
    if exponent < 0:
        x = _without_zero(name, x)

    def raised(party: Any, share: Share, bits: int, low: int, high: int) -> Share:
        return powers.power(party, share, exponent, bits, low, high)

    try:
        ends = [end**exponent for end in (*x.bounds, *([0.0] if x.range.low < 0 < x.range.high else []))]
        units = float(powers.way(exponent, x.bits, x.range.low, x.range.high).error)
    except OverflowError:
        raise RangeError(f"{name} of values within {x.bounds} is too large: say tighter bounds=") from None
    except ValueError as error:
        raise RangeError(f"{name} of values within {x.bounds}: {error}: say tighter bounds=") from None
    return _found(name, raised, x, ends, units)


def _raised(x: Secret, exponent: int) -> Secret:
    """By the bits of the exponent, the highest first, so that the largest number is the result."""
    if not exponent:
        return x.lift(np.ones(x.shape, np.float64 if x.bits else np.int64))
    found = x
    for bit in f"{exponent:b}"[1:]:
        found = found.square()
        if bit == "1":
            found = found * x
    return found
