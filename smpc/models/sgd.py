"""Linear regression by mini-batch stochastic gradient descent, on secret data and with secret weights.

[MZ17] P. Mohassel, Y. Zhang, "SecureML", IEEE S&P 2017, section 4.1: for batches B of rows, one after another,

    w ← w - (η / |B|) X_Bᵀ (X_B w - y_B)

X is masked once, in whatever batches it is used; in an iteration w, the residual and the gradient are opened under
masks (`protocols.descent`), in three rounds and 8(2d + |B|) bytes to each peer. Nothing else is opened.

Scales: X has 12 fraction bits, w 20 (or as many as the program, if these are fewer): products have 32, the gradient 44,
of which η / |B|, a power of two, takes its share.

Range: w has no bounds that would follow from those of X and y. So a bound of its length is taken within which nothing
leaves the ring: entries of Xw are at most √d max|X| ‖w‖ by Cauchy and Schwarz, residuals and gradients follow. After
the last iteration one bit says, to all parties, whether ‖w‖ was within before each. By induction all weights are then
what they should be: w₀ is 0, and the first that is too long is computed from some that were not, so it is right, and
its square does not wrap: it is seen. The squares open nothing, as w keeps its masks: a comparison for each iteration.
"""

from __future__ import annotations

from fractions import Fraction
from math import inf, isqrt
from operator import index
from typing import TYPE_CHECKING, Self

from protocols.beaver import multiply_each, open_once
from protocols.conversion import negative
from protocols.descent import Path, descend, descend_logistic
from protocols.relations import is_zero
from protocols.shares import Share, concatenate
from smpc.array import SecretArray
from smpc.checks import WITHIN_BOUNDS
from smpc.errors import RangeError
from smpc.ranges import TRUNCATED_BITS, Range

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from protocols.party import Party
    from protocols.sines import Logistic

DATA_BITS, WEIGHT_BITS = 12, 20
_AHEAD = 32  # iterations for which correlated randomness is asked for at once
_ROWS_AHEAD = 1 << 18  # or fewer, if their batches have more rows than that


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

        Opens one bit to all parties: whether all went well (see above); raises ModelError if not. Raises RangeError if
        it could not go well, and ValueError for shapes that do not fit, too few rows, and what is no power of two or no
        number of rows or iterations.
        """
        batch, iterations = counts(self.batch, self.iterations)
        bits, scale, party = min(x.party.fraction_bits, WEIGHT_BITS), min(x.bits, DATA_BITS), x.party.protocol
        loss = lost(x, y, self.step, batch, 2 * scale)
        rows, targets = x.rescaled(scale), y.rescaled(bits + scale).at_bits(bits + scale)
        length, step = _bounds(rows, targets, batch, loss)
        descent = Descent(party, rows.share, targets.share, batch, loss)
        path = descent.run(Share(party.rank, rows.share.values[0] * 0), iterations)
        if path.before:
            x.party.require(WITHIN_BOUNDS, longer(party, path.before, length))
        self.coef_ = SecretArray(x.party, path.last, (x.shape[1],), bits, Range(-length - step, length + step))
        return self

    def predict(self, x: SecretArray) -> SecretArray:
        """Xw, secret."""
        product: SecretArray = x @ self.coef_
        return product


def _bounds(rows: SecretArray, targets: SecretArray, batch: int, loss: int) -> tuple[int, int]:
    """The largest ‖w‖ with which nothing leaves the ring, and by how much an entry of w then changes at most."""
    features, of_x = rows.shape[1], max(1, rows.range.largest)

    def gradient(length: int) -> int:
        return batch * of_x * ((isqrt(features - 1) + 1) * of_x * length + targets.range.largest)

    def fits(length: int) -> bool:
        most = length + (gradient(length) >> loss) + 1
        return gradient(length) < 1 << TRUNCATED_BITS and features * most**2 < 1 << TRUNCATED_BITS

    length = 0
    for bit in reversed(range(TRUNCATED_BITS)):
        length |= (1 << bit) * fits(length | 1 << bit)
    if not length:
        raise RangeError(
            f"batches of {batch} rows of {features} features within {rows.bounds} and targets within "
            f"{targets.bounds}: the gradient could leave the ring: say tighter bounds"
        )
    return length, (gradient(length) >> loss) + 1


def counts(batch: int, iterations: int) -> tuple[int, int]:
    """Both as integers of Python, in which bounds are computed: NumPy's would wrap. Raises ValueError for others."""
    try:
        found = index(batch), index(iterations)
    except TypeError:
        raise ValueError(f"no number of rows or of iterations: {batch!r}, {iterations!r}") from None
    if found[0] < 1 or found[1] < 0:
        raise ValueError(f"{iterations} iterations on batches of {batch} rows")
    return found


def lost(x: SecretArray, y: SecretArray, step: float, batch: int, bits: int) -> int:
    """The bits that a gradient loses: `bits`, and those of batch / step. Raises ValueError if it cannot."""
    if x.ndim != 2 or y.shape != x.shape[:1] or not x.shape[1]:
        raise ValueError(f"not rows and their targets: {x.shape} and {y.shape}")
    if not batch <= x.shape[0]:
        raise ValueError(f"{x.shape[0]} rows are less than a batch of {batch}")
    ratio = Fraction(batch) / Fraction(float(step)) if 0 < step < inf else Fraction(3)
    loss = ratio.numerator.bit_length() - ratio.denominator.bit_length() + bits
    if ratio.numerator.bit_count() * ratio.denominator.bit_count() != 1 or not 0 < loss < TRUNCATED_BITS:
        raise ValueError(f"step / batch is no power of two, too small or too large: {step} / {batch}")
    return loss


def longer(party: Party, weights: Sequence[Share], length: int) -> Share:
    """⟨1⟩ if one of the rows of weights is longer, ‖w‖ > length, else ⟨0⟩; for squares that do not wrap."""
    squares = concatenate([one.sum(axis=1) for one in multiply_each(party, *((w, w) for w in weights))])
    found = negative(party, length**2 - squares)
    return 1 - is_zero(party, found.sum(), found.shape[0].bit_length())


class Descent:
    """Iterations on x (N×d) and y (N, with the scale of xw); the gradient of a batch loses `bits`."""

    def __init__(self, party: Party, x: Share, y: Share, batch: int, bits: int) -> None:
        self.party, self.y, self.batch, self.bits = party, y, batch, bits
        self.x = x if x.source is None else Share(x.rank, x.values.copy())  # its rows are views of what has the mask
        open_once(party, self.x)

    def run(self, w: Share, iterations: int, sigma: Logistic | None = None) -> Path:
        """From w (d), so many iterations from the first batch on; randomness is asked for some of them ahead.

        With `sigma` targets are classes, see `descend_logistic`.
        """
        stretches = [self._stretch(*one) for one in self._stretches(iterations)]
        if sigma is None:
            return descend(self.party, stretches, w, self.bits)
        return descend_logistic(self.party, stretches, w, self.bits, sigma)

    def _stretches(self, iterations: int) -> Iterator[tuple[int, int]]:
        """The first batch of each, and how many follow one another."""
        whole, done = self.x.shape[0] // self.batch, 0
        while done < iterations:
            first = done % whole
            length = min(max(1, min(_AHEAD, _ROWS_AHEAD // self.batch)), whole - first, iterations - done)
            yield first, length
            done += length

    def _stretch(self, first: int, length: int) -> tuple[Share, Share]:
        rows = slice(first * self.batch, (first + length) * self.batch)
        return self.x[rows].reshape(length, self.batch, -1), self.y[rows].reshape(length, self.batch)
