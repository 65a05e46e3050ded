"""Linear regression by mini-batch stochastic gradient descent, on secret data and with secret weights.

[MZ17] P. Mohassel, Y. Zhang, "SecureML", IEEE S&P 2017, section 4.1: for batches B of rows, one after another,

    w ← w - (η / |B|) X_Bᵀ (X_B w - y_B)

X is masked once, in whatever batches it is used; in an iteration w, the residual and the gradient are opened under
masks (`protocols.descent`), in three rounds and 8(2d + |B|) bytes to each peer. Nothing else is opened.

Scales: X has 12 fraction bits, w 20 (or as many as the program, if these are fewer): products have 32, the gradient 44,
of which η / |B|, a power of two, takes its share. So the sum over a batch must stay below 2^18 in each entry, which
standardized features and a residual of some thousands do; nothing notices if it does not.
"""

from __future__ import annotations

from math import log2
from typing import TYPE_CHECKING, Self

from protocols.beaver import open_once
from protocols.descent import descend
from protocols.shares import Share
from protocols.truncation import truncate
from smpc.array import SecretArray
from smpc.ranges import WORD_BITS, Range

if TYPE_CHECKING:
    from collections.abc import Iterator

    from protocols.party import Party

DATA_BITS, WEIGHT_BITS = 12, 20
_AHEAD = 32  # iterations for which correlated randomness is asked for at once


class SGDRegressor:
    """w that makes Xw close to y, without an intercept (append a column of ones for one).

    `step` η and `batch` |B|: powers of two. `iterations`: each takes one batch; after the last whole batch comes the
    first again. Rows are taken in their order: shuffle them before they are shared.
    """

    def __init__(self, step: float = 2.0**-5, batch: int = 128, iterations: int = 100) -> None:
        self.step, self.batch, self.iterations = step, batch, iterations
        self.coef_: SecretArray

    def get_params(self) -> dict[str, float]:
        """What the estimator was made with."""
        return {"step": self.step, "batch": self.batch, "iterations": self.iterations}

    def fit(self, x: SecretArray, y: SecretArray) -> Self:
        """Train on x (N×d) and y (N). Afterwards `coef_` is secret (d).

        Opens nothing. Raises ValueError for shapes that do not fit, too few rows, and what is no power of two.
        """
        if x.ndim != 2 or y.shape != x.shape[:1]:
            raise ValueError(f"not rows and their targets: {x.shape} and {y.shape}")
        if not self.batch <= x.shape[0]:
            raise ValueError(f"{x.shape[0]} rows are less than a batch of {self.batch}")
        bits, party = min(x.party.fraction_bits, WEIGHT_BITS), x.party.protocol
        rows = x.share if x.bits <= DATA_BITS else truncate(party, x.share, x.bits - DATA_BITS)
        scale = min(x.bits, DATA_BITS)
        loss = log2(self.batch / self.step) + 2 * scale
        if loss != int(loss) or not 0 < loss < 62:
            raise ValueError(f"step / batch is no power of two, or too small: {self.step} / {self.batch}")
        spare = y.bits - bits - scale
        target = truncate(party, y.share, spare) if spare > 0 else y.at_bits(bits + scale).share
        descent = Descent(party, rows, target, self.batch, int(loss))
        w = descent.run(Share(party.rank, rows.values[0] * 0), self.iterations)
        # Whatever is truncated comes out below 2^(64 - loss), in each iteration.
        most = min(self.iterations << max(0, WORD_BITS + 1 - int(loss)), (1 << WORD_BITS) - 1)
        self.coef_ = SecretArray(x.party, w, (x.shape[1],), bits, Range(-most, most))
        return self

    def predict(self, x: SecretArray) -> SecretArray:
        """Xw, secret. Where a RangeError says that w could be too large for it, `np.clip` the coefficients first."""
        product: SecretArray = x @ self.coef_
        return product


class Descent:
    """Iterations on x (N×d) and y (N, with the scale of xw); the gradient of a batch loses `bits`."""

    def __init__(self, party: Party, x: Share, y: Share, batch: int, bits: int) -> None:
        self.party, self.y, self.batch, self.bits = party, y, batch, bits
        self.x = x if x.source is None else Share(x.rank, x.values.copy())  # its rows are views of what has the mask
        open_once(party, self.x)

    def run(self, w: Share, iterations: int) -> Share:
        """w (d) after so many iterations from the first batch on; randomness is asked for some of them ahead."""
        return descend(self.party, [self._stretch(*one) for one in self._stretches(iterations)], w, self.bits)

    def _stretches(self, iterations: int) -> Iterator[tuple[int, int]]:
        """The first batch of each, and how many follow one another."""
        whole, done = self.x.shape[0] // self.batch, 0
        while done < iterations:
            first = done % whole
            length = min(_AHEAD, whole - first, iterations - done)
            yield first, length
            done += length

    def _stretch(self, first: int, length: int) -> tuple[Share, Share]:
        rows = slice(first * self.batch, (first + length) * self.batch)
        return self.x[rows].reshape(length, self.batch, -1), self.y[rows].reshape(length, self.batch)
