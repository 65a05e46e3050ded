"""Student's and Welch's t-test on a secret grouping, on pairs, and against a number.

[Stu08] Student, "The probable error of a mean", Biometrika 6(1), 1908; [Wel47] B. Welch, "The generalization of
'Student's' problem when several different population variances are involved", Biometrika 34, 1947. Of group k with n_k
people, their sum s_k and squares Q_k = Σ (x - m_k)² around its mean,

    d = m₁ - m₀       Welch      w_k = Q_k / (n_k (n_k - 1))     v = w₀ + w₁     1/ν = (w₀/v)² / (n₀ - 1) + (w₁/v)² /
    (n₁ - 1)
                      Student   v = (Q₀ + Q₁) / (n₀ n₁) · n / (n - 2)          ν = n - 2

and t = d / √v. What is opened is d, v and 1/ν: neither who is in which group, nor how many, nor their means.

Q_k is exact in y, the data rounded to b bits: m_k is rounded to whole units, which adds n_k times the square of what
that is off. To find w₀ / v, both are multiplied by the power of four that brings v to 62 bits (`protocols.functions`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, cast

from protocols.beaver import multiply
from protocols.functions import normalize
from smpc.array import SecretArray
from smpc.checks import VARIES
from smpc.order import less
from smpc.ranges import Range
from smpc.stats.categories import enough_of_each, indicators, of_codes
from smpc.stats.moments import deviations
from smpc.stats.scaled import (
    Numbers,
    Scaled,
    SecretResult,
    at_bits,
    centred,
    column,
    enough,
    enough_rows,
    integers,
    narrowed,
    quotient,
    scaled,
    stacked,
)
from smpc.stats.text import number, p_text, plain, table

_SQUARES = 60  # bits of a sum of squares, of which some are added
_MEAN = 16  # bits of means below the units of the data
_RATIO = 30  # bits of w₀ / v
_FREEDOM = 14  # and more of 1/ν
_DROPPED = 30  # of 62 bits that v has then
_ENOUGH = 20  # bits that v must have, with an error of 8 units


@dataclass(frozen=True)
class TTest:
    """A difference of means (of group 1 less group 0, or of a mean less a number) with its standard error."""

    count: int
    difference: float
    standard_error: float
    degrees_of_freedom: float

    @property
    def statistic(self) -> float:
        return self.difference / self.standard_error if self.standard_error else math.nan

    @property
    def p_value(self) -> float:
        """Two-sided."""
        from scipy import special

        return float(2 * special.stdtr(self.degrees_of_freedom, -abs(self.statistic)))

    def confidence_interval(self, level: float = 0.95) -> tuple[float, float]:
        """Of the difference."""
        from scipy import special

        half = float(special.stdtrit(self.degrees_of_freedom, (1 + level) / 2)) * self.standard_error
        return self.difference - half, self.difference + half

    def __str__(self) -> str:
        head = ("people", "difference", "std. error", "t", "df", "p", "95 % interval")
        interval = " to ".join(number(end) for end in self.confidence_interval())
        values = (self.count, self.difference, self.standard_error)
        rest = (f"{self.statistic:.4g}", f"{self.degrees_of_freedom:.6g}", p_text(self.p_value), interval)
        return table(head, [(*map(number, values), *rest)])

    def to_dict(self) -> dict[str, Any]:
        interval = list(self.confidence_interval())
        found = vars(self) | {"statistic": self.statistic, "p_value": self.p_value, "confidence_interval": interval}
        return {name: plain(value) for name, value in found.items()}


def ttest_1samp(x: SecretArray, popmean: float = 0.0, *, minimum: int = 5) -> SecretResult[TTest]:
    """Student's test of whether the mean is `popmean`, a public number.

    Error: that of `covariance`. 11 rounds. Opens to all whether the values vary, by more than 4u of `covariance`, as
    one bit; 8 or 16 bytes a person to each peer. Of values that are up to three see `enough_of_each`. Raises
    ModelError if not, and for fewer than `minimum` people.
    """
    values = column(x, "what is tested").as_numbers()
    count = len(values)
    enough_rows(count, max(2, minimum))
    enough_of_each([values], minimum)
    centre, (raised,) = deviations([values])
    squares = centre.units.square().sum()
    squares.party.require(VARIES, less(squares, 16 * count).share)  # a variance of 16 units, with an error of 9

    def of(total: Numbers, squares: Numbers) -> TTest:
        error = math.sqrt(squares / (count - 1) / count)
        return TTest(count, float(total) / count - popmean, error, count - 1)

    bits = 2 * (centre.bits + int(raised))
    return SecretResult({"total": scaled(values.sum()), "squares": Scaled(squares, bits)}, of)


def ttest_rel(a: SecretArray, b: SecretArray, *, minimum: int = 5) -> SecretResult[TTest]:
    """Student's test on pairs: `ttest_1samp` of a - b."""
    before = column(b, "the second of each pair", len(column(a, "the first of each pair")))
    return ttest_1samp(cast("SecretArray", a.as_numbers() - before.as_numbers()), minimum=minimum)


def ttest_ind(x: SecretArray, group: SecretArray, *, equal_var: bool = False, minimum: int = 5) -> SecretResult[TTest]:
    """Welch's test of whether two groups have the same mean, or Student's; group is a secret column of 0 and 1.

    Error, with W the width of x's bounds and σ a standard deviation: the difference is within 2^-30 W for up to 10,000
    people, and 2^-25 W for a million. √v is within what an error of 3u of each σ makes, u = 2^-b W for b = (62 - log₂
    n) / 2, rounded down, and 2^-44 (W/σ)² of it for 1,000 people, 2^-36 (W/σ)² for a million; 1/ν within 8 times these
    and 2^-26. About 135 rounds, 90 for Student's; 48 bytes a person to each peer. Opens to all, one bit each: whether
    both groups have the minimum of people (2 at least); whether values vary within groups, about 2^-14 W for 1,000
    people and 2^-9 W for a million; and those of `indicators`, and of `enough_of_each` where values are up to three.
    Raises ModelError if not.
    """
    values, codes = column(x, "what is tested").as_numbers(), column(group, "the group", len(x))
    people, least = len(values), max(2, minimum)
    enough_rows(people, 2 * least)
    most = (_SQUARES - math.ceil(math.log2(people))) // 2
    members = indicators(codes, 2)[:, 1]
    sizes = _sizes(members.sum(), people, least)
    if of_codes(values):
        enough_of_each([values, members], minimum, pairs=True)
    centre = centred(values)
    raised = max(0, most - centre.range.largest.bit_length())
    centre = centre * 2**raised
    in_group = members * centre
    parts = stacked([centre - in_group, in_group])  # 2 × n, zero for who is in the other group
    means = quotient(parts.sum(axis=1), sizes, _MEAN)
    squares = _squares(parts, sizes, means, most)
    difference = Scaled(means.units[1] - means.units[0], means.bits + values.bits + raised)
    test = _student if equal_var else _welch
    return test(_per_head(squares, sizes, most), sizes, difference, people, 2 * (values.bits + raised))


# Inside


def _sizes(ones: SecretArray, people: int, least: int) -> SecretArray:
    """How many are in group 0 and 1, of which each has the least."""
    counts = enough(stacked([cast("SecretArray", people - ones), ones]), least)
    return integers(counts, Range(least, people - least))


def _squares(parts: SecretArray, sizes: SecretArray, means: Scaled, most: int) -> Scaled:
    """Σ (y - m)² of each group, for y in as many bits as this has room for and m, a whole number, near the mean."""
    y = narrowed(parts, most)
    middle = integers(at_bits(means, y.bits).units, Range(-(1 << most) - 2, (1 << most) + 2))
    found = y.units.square().sum(axis=1) - middle * (y.units.sum(axis=1) * 2 - middle * sizes)
    return Scaled(integers(found, Range(0, parts.shape[1] << 2 * most)), 2 * y.bits)


def _per_head(squares: Scaled, sizes: SecretArray, most: int) -> Scaled:
    """Q / n of each group, which is at most the square of the largest y."""
    found = quotient(squares.units, sizes, _SQUARES)
    end = (1 << 2 * most + found.bits) if found.bits >= 0 else (1 << 2 * most) >> -found.bits
    return Scaled(integers(found.units, Range(-4, end + 4)), squares.bits + found.bits)


def _welch(heads: Scaled, sizes: SecretArray, difference: Scaled, people: int, bits: int) -> SecretResult[TTest]:
    each = quotient(heads.units, sizes - 1, _SQUARES)
    variance = each.units.sum()
    _varies(variance)
    freedom = quotient(_ratios(each.units, variance), sizes - 1, _FREEDOM)

    def of(difference: Numbers, variance: Numbers, inverse: Numbers) -> TTest:
        freedom = 1 / float(inverse) if inverse else math.nan
        return TTest(people, float(difference), math.sqrt(variance), freedom)

    arrays = {
        "difference": difference,
        "variance": Scaled(variance, heads.bits + each.bits + bits),
        "inverse": Scaled(freedom.units.sum(), freedom.bits + _RATIO),
    }
    return SecretResult(arrays, of)


def _student(heads: Scaled, sizes: SecretArray, difference: Scaled, people: int, bits: int) -> SecretResult[TTest]:
    """With Q₀ / n₀ / n₁ and Q₁ / n₁ / n₀."""
    each = quotient(heads.units, sizes[::-1], _SQUARES)
    variance = each.units.sum()
    _varies(variance)

    def of(difference: Numbers, variance: Numbers) -> TTest:
        return TTest(people, float(difference), math.sqrt(variance * people / (people - 2)), people - 2)

    return SecretResult({"difference": difference, "variance": Scaled(variance, heads.bits + each.bits + bits)}, of)


def _ratios(parts: SecretArray, whole: SecretArray) -> SecretArray:
    """(w_k / v)² with _RATIO bits, for v > 0: both with 32 bits of v."""
    party = parts.party.protocol
    factor = normalize(party, whole.share.reshape(1)).power(lambda s: 2 * s)
    share = multiply(party, parts.share, factor.broadcast_to((2,)))
    raised = at_bits(Scaled(parts.new(share, (2,), 0, Range(1 - (1 << 62), (1 << 62) - 1)), _DROPPED), 0).units
    high = integers(raised.sum(), Range(1 << 29, 1 << 33))
    ratio = quotient(raised, high.reshape(1), _RATIO)
    part = integers(ratio.units, Range(-(1 << 14), (1 << _RATIO) + (1 << 14)))  # of 8 units of 2^20
    return at_bits(Scaled(part.square(), 2 * _RATIO), _RATIO).units


def _varies(variance: SecretArray) -> None:
    """Opens to all whether it has digits enough. Raises ModelError if not."""
    variance.party.require(VARIES, less(variance, 1 << _ENOUGH).share)
