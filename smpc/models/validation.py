"""Cross-validation on secret arrays, and the choice of a penalty by it.

[Sto74] M. Stone, "Cross-Validatory Choice and Assessment of Statistical Predictions", Journal of the Royal Statistical
Society B 36(2), 1974. Which fold a row is in is public: row i is in fold i modulo their number. All fits, predictions
and scores stay secret; of a choice, which penalty was best is opened to all parties, as one number, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, Self, cast

import numpy as np

from smpc.array import SecretArray

if TYPE_CHECKING:
    from smpc.models.mapped import Ranges


class Estimator(Protocol):
    """A regression of `smpc.models.regression`, or what has its habits."""

    def fit(self, x: SecretArray, y: SecretArray, ranges: Ranges | None = None) -> Self: ...

    def predict(self, x: SecretArray) -> SecretArray: ...


Score = Callable[[Any, SecretArray, SecretArray], SecretArray]


def cross_validate(
    make: Callable[[], Estimator], x: SecretArray, y: SecretArray, score: Score, folds: int = 5,
    ranges: Ranges | None = None,
) -> SecretArray:  # fmt: skip
    """⟨score(model, x, y)⟩ of each fold, by a model that was fitted to the others; as rounds go, one fit a fold.

    score: a secret number, such as `lambda m, x, y: accuracy(y, m.predict(x))`. Raises ModelError if a fit cannot be
    trusted, ValueError for less than two folds or more than there are rows.
    """
    rows = len(x)
    if not 2 <= folds <= rows:
        raise ValueError(f"{folds} folds of {rows} rows")
    if y.shape != (rows,):
        raise ValueError(f"not rows and their targets: {x.shape} and {y.shape}")
    places, scores = np.arange(rows) % folds, list[Any]()
    for fold in range(folds):
        inside, outside = np.flatnonzero(places == fold), np.flatnonzero(places != fold)
        model = make().fit(x[outside], y[outside], ranges)
        scores.append(score(model, x[inside], y[inside]))
    return cast("SecretArray", np.stack(scores))


class Choice(NamedTuple):
    """The penalty with the highest mean score, and ⟨the mean score⟩ of each."""

    penalty: float
    scores: SecretArray


def choose_penalty(
    make: Callable[[float], Estimator], penalties: Sequence[float], x: SecretArray, y: SecretArray, score: Score,
    folds: int = 5, ranges: Ranges | None = None,
) -> Choice:  # fmt: skip
    """The best of some penalties, the first of equal ones, by `cross_validate`; opens which it is to all parties."""
    if not len(penalties):  # which may be an array
        raise ValueError("no penalties to choose from")
    means: list[Any] = [
        cross_validate(partial(make, penalty), x, y, score, folds, ranges).mean() for penalty in penalties
    ]
    scores: Any = np.stack(means)
    best = x.party.choose(np.argmax(scores))  # type: ignore[attr-defined]
    return Choice(penalties[best], scores)
