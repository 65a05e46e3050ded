"""Logistic regression by mini-batch stochastic gradient descent, on secret data and with secret weights.

[MZ17] P. Mohassel, Y. Zhang, "SecureML", IEEE S&P 2017, section 4.2: for batches B of rows, one after another,

    w ← w - (η / |B|) X_Bᵀ (σ(X_B w) - y_B)

As `sgd`, with the logistic function σ by a sine series (`protocols.sines`): four rounds and 16 (d + |B|) bytes to each
peer in an iteration. σ has an error of 0.003 or less for |z| <= 12 (`reach`: 0.0035 for 26, with twice as much
randomness). Without a dealer what it is taken of is moved, at random and on average not at all, by 1/16 at most (1/8),
σ by 1/64 (1/32).

Scales: X has 12 fraction bits, w 20 (or as many as the program, if these are fewer), σ and y 32; of the gradient's 44
the step takes its share.

Range: the series is within 1/2 ± 0.502 whatever it is taken of. So gradients are bounded beforehand, with them each
step of w, and after a known number of steps w and Xw: that nothing leaves the ring is checked before anything runs.
Beyond the reach, though, the series is not σ. After the last iteration one bit says, to all parties, whether all |Xw|
were within: a comparison with both ends for each row that was used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np

from protocols import sines
from protocols.relations import below_each, is_zero
from protocols.shares import Share, concatenate
from protocols.sines import FARTHEST, RESULT_BITS, Logistic
from smpc.array import SecretArray
from smpc.checks import WITHIN_REACH
from smpc.elementary import sigmoid
from smpc.errors import RangeError
from smpc.models.sgd import DATA_BITS, WEIGHT_BITS, Descent, counts, lost
from smpc.ranges import TRUNCATED_BITS, Range

if TYPE_CHECKING:
    from collections.abc import Sequence

    from protocols.party import Party

_TOGETHER = 1 << 20  # predictions that are compared at once


class SGDClassifier:
    """w of P(y = 1) = σ(Xw), without an intercept (append a column of ones for one).

    `step` η and `batch` |B|: powers of two. `iterations`: each takes one batch; after the last whole batch comes the
    first again. Rows are taken in their order: shuffle them before they are shared. `reach`: up to which |Xw| the
    logistic function is approximated while training; 12, or up to 26 at a higher cost.
    """

    def __init__(self, step: float = 2.0**-5, batch: int = 128, iterations: int = 100, reach: float = 12) -> None:
        self.step, self.batch, self.iterations, self.reach = step, batch, iterations, reach
        self.coef_: SecretArray

    def get_params(self) -> dict[str, float]:
        """What the estimator was made with."""
        return {"step": self.step, "batch": self.batch, "iterations": self.iterations, "reach": self.reach}

    def fit(self, x: SecretArray, y: SecretArray) -> Self:
        """Train on x (N×d) and y (N), 0 or 1. Afterwards `coef_` is secret (d).

        Opens one bit to all parties: whether the logistic function was right (see above); raises ModelError if not.
        Raises RangeError if numbers could leave the ring, and ValueError for shapes that do not fit, too few rows,
        targets that may be beyond 0 or 1, what is no power of two or no number of rows or iterations, and a reach
        above 26.
        """
        series, (batch, iterations) = self._series(), counts(self.batch, self.iterations)
        bits, scale, party = min(x.party.fraction_bits, WEIGHT_BITS), min(x.bits, DATA_BITS), x.party.protocol
        loss = lost(x, y, self.step, batch, RESULT_BITS + scale - bits)
        if y.range.low < 0 or y.range.high > 1 << y.bits:
            raise ValueError(f"targets within {y.bounds}: classes are 0 and 1, share truth values or say bounds=(0, 1)")
        rows, targets = x.rescaled(scale), y.rescaled(RESULT_BITS).at_bits(RESULT_BITS)
        largest = _bound(rows, batch, iterations, loss)
        descent = Descent(party, rows.share, targets.share, batch, loss)
        zeros = Share(party.rank, rows.share.values[0] * 0)
        path = descent.run(zeros, iterations, Logistic(series, bits + scale))
        if path.predictors:
            x.party.require(WITHIN_REACH, beyond(party, path.predictors, series.reach << bits + scale))
        self.coef_ = SecretArray(x.party, path.last, (x.shape[1],), bits, Range(-largest, largest))
        return self

    def _series(self) -> sines.Series:
        for series in (sines.NARROW, sines.WIDE):
            if 0 < self.reach <= series.reach:
                return series
        raise ValueError(f"a reach of {self.reach}: at most {sines.WIDE.reach}")

    def decision_function(self, x: SecretArray) -> SecretArray:
        """Xw, secret."""
        product: SecretArray = x @ self.coef_
        return product

    def predict_proba(self, x: SecretArray) -> SecretArray:
        """The probabilities of 0 and of 1 (N×2), secret; σ by pieces, within two units in the last place."""
        positive: Any = sigmoid(self.decision_function(x))
        both: Any = np.stack([1 - positive, positive], axis=1)
        return cast("SecretArray", both)

    def predict(self, x: SecretArray) -> SecretArray:
        """The classes that are more probable, secret truth values."""
        found: Any = self.decision_function(x)
        return cast("SecretArray", found > 0)

    def score(self, x: SecretArray, y: SecretArray) -> SecretArray:
        """The share of rows that are classified right, secret."""
        found: Any = self.predict(x)
        return cast("SecretArray", (found == y).mean())


def _bound(rows: SecretArray, batch: int, iterations: int, loss: int) -> int:
    """The largest that an entry of w can become. Raises RangeError if gradients or predictions could be too large.

    That y may be 0 while σ is 1 + 0.002 is where a residual is largest.
    """
    features, of_x = rows.shape[1], max(1, rows.range.largest)
    gradient = batch * of_x * int((0.5 + FARTHEST) * 2**RESULT_BITS)
    largest = iterations * ((gradient >> loss) + 1)
    if max(gradient, features * of_x * largest) >= 1 << TRUNCATED_BITS:
        raise RangeError(
            f"{iterations} iterations on batches of {batch} rows of {features} features within "
            f"{rows.bounds}: a gradient or a prediction could leave the ring: say tighter bounds"
        )
    return largest


def beyond(party: Party, predictors: Sequence[Share], reach: int) -> Share:
    """⟨1⟩ if one of these is further than `reach` from 0, else ⟨0⟩; for numbers below 2^62."""
    every, found = concatenate([one.reshape(-1) for one in predictors]), []
    for at in range(0, every.shape[0], _TOGETHER):
        ends = below_each(party, every[at : at + _TOGETHER], [-reach, reach + 1])
        found.append(1 + ends[:, 0] - ends[:, 1])
    outside = concatenate(found)
    return 1 - is_zero(party, outside.sum(), outside.shape[0].bit_length())
