"""At the limits of the ring: 100,000 operations on numbers near 2^62 and 2^63, each exact, or a RangeError; none wrong.

Numbers are read as integers in units of the last place, with all their digits, beside Python's own.
"""

from __future__ import annotations

from fractions import Fraction
from functools import partial

import numpy as np
import pytest

import smpc
from smpc import ranges
from smpc.ranges import Range

F = 20
EACH = 200  # numbers in an array
EXPONENTS = (3, 20, 29, 30, 31, 32, 40, 41, 42, 50, 60, 61, 61, 62, 62, 62)


def test_a_sum_that_fits_and_one_that_does_not():
    def program(party):
        x = party.share(2**62 - 1 if party.rank == 0 else None, 0, bounds=2**62 - 1)
        with pytest.raises(smpc.RangeError, match=r"could reach 2\^63 units in the last place"):
            x + x + x
        return (x + x).reveal()

    assert smpc.simulate(program, 2) == [2**63 - 2] * 2


def near(random, low, high, count=EACH):
    """Numbers from low to high, many of them at an end."""
    width = high - low
    ends = [low, low + min(1, width), high, high - min(1, width), min(max(0, low), high)]
    drawn = [low + int(random.integers(2**62)) * width // 2**62 for _ in range(count)]
    return [int(one) if random.integers(3) else ends[random.integers(5)] for one in drawn]


def bounds(random):
    """A range whose ends are powers of two, or less by a little."""
    ends = [(1 << int(random.choice(EXPONENTS))) - int(random.integers(1, 4)) for _ in range(2)]
    low, high = [(-ends[0], ends[1]), (-ends[0], ends[0]), (0, ends[0]), (-ends[0], 0), sorted(ends)][
        random.integers(5)
    ]
    return low, high


def operand(random, party):
    """A secret array of integers, which may be a sum or a difference; and its numbers."""
    parts = []
    for owner in (0, 1)[: 1 + random.integers(2)]:
        low, high = bounds(random)
        values = near(random, low, high)
        mine = np.array(values, np.int64) if party.rank == owner else None
        parts.append((party.share(mine, owner, bounds=(low, high)), np.array(values, object)))
    (x, one), (y, two) = parts[0], parts[-1]
    if len(parts) == 1:
        return x, one
    return (x + y, one + two) if random.integers(2) else (x - y, one - two)


def as_reals(x):
    """The same units, 2^-20 each: reals with all the digits that the ring has."""
    return x.new(x.share, x.shape, F, x.range)


def units(found):
    """What is revealed, in units of the last place."""
    values = found.new(found.share, found.shape, 0, found.range).reveal()
    return np.array(values.tolist(), object)


def half_even(x):
    return np.array([round(Fraction(one, 1 << F)) << F for one in x], object)


def towards_zero(x):
    return np.array([(abs(one) >> F << F) * (1 if one > 0 else -1) for one in x], object)


def floor(x):
    return x >> F << F


def picked(x, index):
    return [x[at] for at in index]


# Name: ours, and exact. `c`: a public integer; `t`: public ones in order; all of any size that is encoded.

ANY = {
    "+": (lambda x, y, c, t: x + y, lambda x, y, c, t: x + y),
    "-": (lambda x, y, c, t: x - y, lambda x, y, c, t: x - y),
    "-x": (lambda x, y, c, t: -x, lambda x, y, c, t: -x),
    "<": (lambda x, y, c, t: x < y, lambda x, y, c, t: x < y),
    ">=": (lambda x, y, c, t: x >= y, lambda x, y, c, t: x >= y),
    "==": (lambda x, y, c, t: x == y, lambda x, y, c, t: x == y),
    "!= self": (lambda x, y, c, t: x[:100] != x[100:], lambda x, y, c, t: x[:100] != x[100:]),
    "abs": (lambda x, y, c, t: abs(x), lambda x, y, c, t: abs(x)),
    "maximum": (lambda x, y, c, t: np.maximum(x, y), lambda x, y, c, t: np.maximum(x, y)),
    "minimum": (lambda x, y, c, t: np.minimum(x, y), lambda x, y, c, t: np.minimum(x, y)),
    "where": (lambda x, y, c, t: np.where(x > 0, x, y), lambda x, y, c, t: np.where(x > 0, x, y)),
    "where public": (lambda x, y, c, t: np.where([True, False] * 100, x, y),
                     lambda x, y, c, t: np.where([True, False] * 100, x, y)),
    "sum": (lambda x, y, c, t: x.reshape(100, 2).sum(1), lambda x, y, c, t: x.reshape(100, 2).sum(1)),
    "cumsum": (lambda x, y, c, t: np.cumsum(x.reshape(50, 4), 1), lambda x, y, c, t: np.cumsum(x.reshape(50, 4), 1)),
    "diff": (lambda x, y, c, t: np.diff(x), lambda x, y, c, t: np.diff(x)),
    "max": (lambda x, y, c, t: x.max(), lambda x, y, c, t: max(x)),
    "min": (lambda x, y, c, t: x.reshape(2, 100).min(1), lambda x, y, c, t: [min(x[:100]), min(x[100:])]),
    "ptp": (lambda x, y, c, t: np.ptp(x), lambda x, y, c, t: max(x) - min(x)),
    "argmax": (lambda x, y, c, t: x.argmax(), lambda x, y, c, t: list(x).index(max(x))),
    "argmin": (lambda x, y, c, t: x.argmin(), lambda x, y, c, t: list(x).index(min(x))),
    "sort": (lambda x, y, c, t: np.sort(x), lambda x, y, c, t: sorted(x)),
    "argsort": (lambda x, y, c, t: np.argsort(x[:40]), lambda x, y, c, t: sorted(range(40), key=lambda i: x[i])),
    "any": (lambda x, y, c, t: x.reshape(100, 2).any(1), lambda x, y, c, t: (x[::2] != 0) | (x[1::2] != 0)),
    "count": (lambda x, y, c, t: np.count_nonzero(x), lambda x, y, c, t: sum(one != 0 for one in x)),
    "times 3": (lambda x, y, c, t: x * 3, lambda x, y, c, t: x * 3),
    "times -1": (lambda x, y, c, t: x * -1, lambda x, y, c, t: -x),
    "append": (lambda x, y, c, t: np.concatenate([x, y]), lambda x, y, c, t: [*x, *y]),
}  # fmt: skip
WHOLE = {
    "*": (lambda x, y, c, t: x * y, lambda x, y, c, t: x * y),
    "** 2": (lambda x, y, c, t: x**2, lambda x, y, c, t: x**2),
    "** 3": (lambda x, y, c, t: x**3, lambda x, y, c, t: x**3),
    "@": (lambda x, y, c, t: x.reshape(2, 100) @ y[:100], lambda x, y, c, t: x.reshape(2, 100) @ y[:100]),
    "prod": (lambda x, y, c, t: x.reshape(100, 2).prod(1), lambda x, y, c, t: x[::2] * x[1::2]),
    "times c": (lambda x, y, c, t: x * c, lambda x, y, c, t: x * c),
    "@ public": (lambda x, y, c, t: x.reshape(100, 2) @ [c, -3], lambda x, y, c, t: x[::2] * c - x[1::2] * 3),
    "public @": (lambda x, y, c, t: np.array([[c, 1]]) @ x.reshape(2, 100), lambda x, y, c, t: [x[:100] * c + x[100:]]),
    "+ c": (lambda x, y, c, t: x + c, lambda x, y, c, t: x + c),
    "c - x": (lambda x, y, c, t: c - x, lambda x, y, c, t: c - x),
    "< c": (lambda x, y, c, t: x < c, lambda x, y, c, t: x < c),
    "c == x": (lambda x, y, c, t: c == x, lambda x, y, c, t: x == c),
    "clip": (lambda x, y, c, t: np.clip(x, c, t[-1]), lambda x, y, c, t: np.minimum(np.maximum(x, c), t[-1])),
    "sign": (lambda x, y, c, t: np.sign(x), lambda x, y, c, t: [(one > 0) - (one < 0) for one in x]),
    "searchsorted": (lambda x, y, c, t: np.searchsorted(t, x),
                     lambda x, y, c, t: np.searchsorted(np.array(t, object), x)),
    "right": (lambda x, y, c, t: np.searchsorted(t, x, "right"),
              lambda x, y, c, t: np.searchsorted(np.array(t, object), x, "right")),
    "digitize": (lambda x, y, c, t: np.digitize(x, t[::-1]), lambda x, y, c, t: [sum(a > one for a in t) for one in x]),
    "as reals": (lambda x, y, c, t: x.astype(float), lambda x, y, c, t: x << F),
    "astype bool": (lambda x, y, c, t: x.astype(bool), lambda x, y, c, t: x != 0),
    "mixed +": (lambda x, y, c, t: x + as_reals(y), lambda x, y, c, t: (x << F) + y),
    "mixed <": (lambda x, y, c, t: x < as_reals(y), lambda x, y, c, t: (x << F) < y),
    "mixed *": (lambda x, y, c, t: x * as_reals(y), lambda x, y, c, t: x * y),
}  # fmt: skip
REAL = {
    "floor": (lambda x, y, c, t: np.floor(x), lambda x, y, c, t: floor(x)),
    "ceil": (lambda x, y, c, t: np.ceil(x), lambda x, y, c, t: -floor(-x)),
    "trunc": (lambda x, y, c, t: np.trunc(x), lambda x, y, c, t: towards_zero(x)),
    "rint": (lambda x, y, c, t: np.rint(x), lambda x, y, c, t: half_even(x)),
    "astype int": (lambda x, y, c, t: x.astype(int), lambda x, y, c, t: towards_zero(x) >> F),
    "sign": (lambda x, y, c, t: np.sign(x), lambda x, y, c, t: [((one > 0) - (one < 0)) << F for one in x]),
    "times 0.25": (lambda x, y, c, t: (x * 4) * 0.25, lambda x, y, c, t: x),
}  # fmt: skip
# With a bound in units, of the operands in units
ROUNDED = {
    "*": (lambda x, y: x * y, lambda x, y: [Fraction(a * b, 1 << F) for a, b in zip(x, y, strict=True)], lambda x: 1),
    "square": (lambda x, y: x**2, lambda x, y: [Fraction(a * a, 1 << F) for a in x], lambda x: 1),
    "@": (lambda x, y: x @ y, lambda x, y: [Fraction(sum(x * y), 1 << F)], lambda x: 1),
    "/ 3": (lambda x, y: x / 3, lambda x, y: [Fraction(a, 3) for a in x], lambda x: 3 + x / 4**F),
    "* 0.3": (lambda x, y: x * 0.3, lambda x, y: [a * Fraction(0.3) for a in x], lambda x: 3 + x / 4**F),
    "* 1e-9": (lambda x, y: x * 1e-9, lambda x, y: [a * Fraction(1e-9) for a in x], lambda x: 3 + x / 4**F),
    "* 77.7": (lambda x, y: x * 77.7, lambda x, y: [a * Fraction(77.7) for a in x], lambda x: 3 + x / 4**F),
    "mean": (lambda x, y: x.mean(), lambda x, y: [Fraction(sum(x), EACH)], lambda x: 3 + EACH * x / 4**F),
    "median": (lambda x, y: np.median(x), lambda x, y: [Fraction(sum(sorted(x)[99:101]), 2)], lambda x: 4 + x / 4**F),
}  # fmt: skip


class Tally:
    def __init__(self):
        self.right, self.refused, self.wrong = 0, 0, []

    def trial(self, name, ours, exact, bound=0):
        """Unless the operation is refused, every number of its result is within the bound."""
        try:
            result = ours()
        except smpc.RangeError:
            self.refused += EACH
            return
        except ValueError as error:  # of a public operand that has no encoding
            self.refused += EACH
            if "2^" not in str(error):
                raise
            return
        found, expected = np.ravel(units(result)), list(np.ravel(np.array(exact(), object)))
        low, high = result.range.low, result.range.high
        bad = [
            (one, other)
            for one, other in zip(found, expected, strict=True)
            if abs(one - other) > bound or not low <= one <= high
        ]
        self.right += EACH
        if bad:
            self.wrong.append(f"{name}: {bad[0]} within {low} and {high}")


def trials(party, seed, rounds):
    random, tally = np.random.default_rng(seed), Tally()
    for _ in range(rounds):
        try:
            (x, a), (y, b) = operand(random, party), operand(random, party)
        except smpc.RangeError:
            continue
        c, t = int(near(random, *bounds(random), 1)[0]), np.unique([*near(random, *bounds(random), 5), 0, 1])
        p, q = as_reals(x), as_reals(y)
        for name, (ours, exact) in chosen(random, {**ANY, **WHOLE}, 5):
            tally.trial(name, partial(ours, x, y, c, t), partial(exact, a, b, c, t.tolist()))
        for name, (ours, exact) in chosen(random, {**ANY, **REAL}, 3):
            tally.trial(f"{name} of reals", partial(ours, p, q, c, t), partial(exact, a, b, c, t.tolist()))
        for name, (ours, exact, bound) in chosen(random, ROUNDED, 2):
            most = Fraction(int(abs(a).max()))
            tally.trial(f"{name} of reals", partial(ours, p, q), partial(exact, a, b), bound(most))
    return tally


def chosen(random, among, count):
    names = random.permutation(sorted(among))[:count]
    return [(str(name), among[str(name)]) for name in names]


@pytest.mark.parametrize(("seed", "rounds"), [(1, 60), (2, 60)])
def test_near_the_limits_numbers_are_right_or_refused(seed, rounds):
    for tally in smpc.simulate(lambda party: trials(party, seed, rounds), 2):
        assert not tally.wrong, "\n".join(tally.wrong)
        assert tally.right + tally.refused > 90_000
        assert tally.right > 50_000


def test_sums_of_public_weights_are_exact():
    random = np.random.default_rng(0)
    for _ in range(100):
        weights = np.array(near(random, *bounds(random), 6), np.int64).reshape(3, 2)
        x = Range(*bounds(random))
        ends = [sum(max(w * x.low, w * x.high) for w in column) for column in weights.T.tolist()]
        found = x.weighed(weights.view(np.uint64))
        assert found.high >= max(ends)
        one_sided = Range(0, x.high) if x.high > 0 else Range(x.low, 0)
        assert one_sided.weighed(weights.view(np.uint64)).high == max(
            0, *(sum(max(w * one_sided.low, w * one_sided.high) for w in column) for column in weights.T.tolist())
        )
    assert ranges._largest_sum(np.full((1 << 12, 1), 2**62 - 1)) == (2**62 - 1) << 12
