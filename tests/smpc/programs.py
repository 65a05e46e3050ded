"""Programs for tests: what a function of secret arrays reveals, with every input a party's own."""

from __future__ import annotations

import numpy as np

import smpc


def revealed(function, *values, parties=2, bits=20):
    """What every party reads of `function` of secret arrays; the parties own `values` in turn."""

    def program(party):
        owners = [number % party.count for number in range(len(values))]
        shared = [
            party.share(value if party.rank == owner else None, owner, bounds=largest(value))
            for value, owner in zip(values, owners, strict=True)
        ]
        return function(*shared).reveal()

    first, *others = smpc.simulate(program, parties, fraction_bits=bits)
    for other in others:
        np.testing.assert_array_equal(other, first, strict=True)
    return first


def largest(value):
    """The bounds of a test's data: the data's own, which a party would never tell."""
    numbers = np.asarray(value)
    most = max((abs(one) for one in numbers.astype(object).ravel()), default=0)
    return int(most) if numbers.dtype.kind in "biu" else float(most)


def units(x, bits=20):
    """The integers that stand for reals which are whole multiples of 2^-bits."""
    scaled = np.ldexp(np.asarray(x, np.float64), bits)
    np.testing.assert_array_equal(scaled, np.rint(scaled))
    return scaled.astype(np.int64)
