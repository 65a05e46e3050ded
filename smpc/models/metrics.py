"""How good predictions are, on secret targets and secret predictions: each measure is one secret number or a few.

[HM82] J. Hanley, B. McNeil, "The meaning and use of the area under a receiver operating characteristic (ROC) curve",
Radiology 143(1), 1982, for the area as a count of pairs; the others are textbook formulas. Nothing is opened. Targets
of classes are integers or truth values within 0 and 1, probabilities reals within 0 and 1.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from protocols import sorting
from smpc.array import SecretArray
from smpc.ranges import Range

_LEAST = 2.0**-12  # of a variance, in units of the square of the target's range


def accuracy(y: SecretArray, decided: SecretArray) -> SecretArray:
    """⟨The share of rows whose class is the one decided on⟩. Error: two units."""
    _vectors(y, decided)
    found: SecretArray = (y == decided).mean()
    return found


def rmse(y: SecretArray, predicted: SecretArray) -> SecretArray:
    """⟨√ mean (y - ŷ)²⟩. Error: four units, more for values below 1: that of the square, two units, over 2 √.

    Predictions whose bounds are too wide for squares are measured in half the width of y's bounds, W / 2, and so is the
    error; a residual beyond 512 W then counts as that (8 W, with 26 fraction bits).
    """
    _vectors(y, predicted)
    residual, unit = y - predicted, 1.0
    if _largest(residual) >= 2.0 ** (31 - residual.bits):
        residual, unit = _scaled(y, predicted)[1], _half_width(y)
    found: SecretArray = np.sqrt(np.maximum(np.mean(np.square(residual)), 0.0)) * unit
    return found


def r_squared(y: SecretArray, predicted: SecretArray) -> SecretArray:
    """⟨R² = 1 - Σ (y - ŷ)² / Σ (y - ȳ)²⟩, -16 at least. Error: 1 - R² / 2 units, times W² over y's variance.

    W is the width of y's bounds. A standard deviation of y below a sixty-fourth of it counts as that: R² is then too
    high, so let bounds be as narrow as the targets are. A residual beyond 512 W counts as that (8 W, with 26 fraction
    bits).
    """
    _vectors(y, predicted)
    real, residual = _scaled(y, predicted)
    around = np.maximum(np.var(real), _LEAST)
    missed = np.minimum(np.mean(np.square(residual)), 16.0)
    found: SecretArray = np.maximum(1.0 - missed / around, -16.0)
    return found


def _scaled(y: SecretArray, predicted: SecretArray) -> tuple[SecretArray, Any]:
    """⟨y⟩ and ⟨y - ŷ⟩ in half the width of y's bounds; the latter not beyond what can be squared."""
    real, guess = y * (1 / _half_width(y)), predicted * (1 / _half_width(y))
    residual, most = real - guess, 2.0 ** min(10, 30 - real.bits)
    return real, np.clip(residual, -most, most) if _largest(residual) > most >= 16 else residual


def _half_width(y: SecretArray) -> float:
    return max(1e-30, float(np.ptp(y.bounds)) / 2)


def _largest(x: SecretArray) -> float:
    return max(map(abs, x.bounds))


def log_loss(y: SecretArray, probability: SecretArray) -> SecretArray:
    """⟨-mean log P(what happened)⟩, with probabilities of 2^-14 at least. Error: 2^-5 where P is so small."""
    _vectors(y, probability, classes=True)
    right = np.where(y == 1, probability, 1.0 - probability)
    found: SecretArray = -np.log(np.clip(right, 2.0**-14, 1.0)).mean()
    return found


def roc_auc(y: SecretArray, score: SecretArray) -> SecretArray:
    """⟨The share of pairs of one of each class in which the 1 has the higher score⟩, equal scores counting half.

    The network of `np.sort`, twice: once with ones last among equal scores, once with ones first, and the mean of both
    counts. Error: 2 + n² / (2 n₀ n₁) units, for n₀ and n₁ rows of the classes; 0 where a class has no rows. n: up to
    2^15.
    """
    _vectors(y, score, classes=True)
    n, party = len(y), y.party.protocol
    held = Range(2 * score.range.low, 2 * score.range.high + 1)
    score.held(Range(0, held.high - held.low), 62, lambda: f"scores within {score.bounds}, to be sorted")
    bits = max(2, (held.high - held.low).bit_length() + 1)
    middle = (held.low + held.high) // 2
    counts = []
    for last in (y.share, 1 - y.share):
        keys = score.share * 2 + last - middle
        _, ones = sorting.sort(party, keys, bits, y.share)
        ones_array = y.new(ones, (n,), 0, Range(0, 1))
        zeros_before = np.cumsum(1 - ones_array)
        counts.append((ones_array * zeros_before).sum())
    ones_in_all = y.as_numbers().sum()
    pairs = ones_in_all * (n - ones_in_all)
    share = 4.0 / n**2
    ahead: Any = (counts[0] + counts[1]) * (share / 2)
    found: SecretArray = np.minimum(ahead / np.maximum(pairs * share, share / 2), 1.0)
    return found


class Calibration(NamedTuple):
    """For each bin of probabilities how many rows there are, how many ones, and the sum of the probabilities."""

    rows: SecretArray
    ones: SecretArray
    expected: SecretArray


def calibration(y: SecretArray, probability: SecretArray, bins: int = 10) -> Calibration:
    """⟨Rows, ones, and ones expected⟩ in bins of equal width; exact but for the rounding of the probabilities.

    Small bins tell about few people: suppress them, or take fewer bins, before they are revealed.
    """
    _vectors(y, probability, classes=True)
    if bins < 2:
        raise ValueError(f"{bins} bins of probabilities: at least 2")
    edges = np.arange(1, bins) / bins
    above = [np.greater_equal(probability, edge) for edge in edges.tolist()]
    numbers = [one.as_numbers() for one in above]
    inside = [1 - numbers[0], *(low - high for low, high in pairwise(numbers)), numbers[-1]]
    member: Any = np.stack(inside)
    member = member.new(member.share, member.shape, 0, Range(0, 1))
    return Calibration(member.sum(axis=1), member @ y.as_numbers(), member @ probability)


def _vectors(y: SecretArray, other: SecretArray, *, classes: bool = False) -> None:
    """Raises ValueError unless both are vectors of one length, and y has `classes` if it must."""
    if y.ndim != 1 or other.shape != y.shape or not len(y):
        raise ValueError(f"not targets and what was predicted for each: {y.shape} and {other.shape}")
    if classes and (y.bits or y.range.low < 0 or y.range.high > 1):
        raise ValueError(f"classes are 0 and 1: integers within these bounds, not {y.dtype} within {y.bounds}")
