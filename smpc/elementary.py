"""Division and powers under NumPy's names, on secret arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from smpc.operands import numeric, unsupported
from smpc.secret import Secret

_HIGHEST = 64


def divide(x: Any, y: Any) -> Secret:
    """x / y for a public y: the product with 1 / y, with the error of a product with a public real."""
    if isinstance(y, Secret):
        raise TypeError(unsupported("division by a secret array"))
    with np.errstate(divide="ignore", over="ignore"):  # what is not finite is refused as a factor
        quotient: Secret = x * (1.0 / numeric(y))
    return quotient


def power(x: Any, y: Any) -> Secret:
    """x ** n for a public integer n up to 64: squares and products of them, each rounded."""
    if isinstance(y, Secret) or np.ndim(y):
        raise TypeError(unsupported("a power with a secret exponent, or several exponents,"))
    exponent = numeric(y)
    if exponent != np.rint(exponent) or not 0 <= exponent <= _HIGHEST:
        raise TypeError(unsupported(f"a power other than 0, 1 … {_HIGHEST}"))
    base = as_reals(x) if exponent.dtype.kind == "f" else x.as_numbers()
    return _raised(base, int(exponent))


def float_power(x: Any, y: Any) -> Secret:
    """np.float_power: as reals."""
    return power(as_reals(x) if isinstance(x, Secret) else x, y)


def as_reals(x: Secret) -> Secret:
    """With the party's fraction bits at least."""
    return x.at_bits(max(x.bits, x.party.fraction_bits)).as_numbers()


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
