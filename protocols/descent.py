"""Gradient descent by mini-batches: iterations on secret rows and secret weights, with what all of them need at once.

[MZ17] P. Mohassel, Y. Zhang, "SecureML", IEEE S&P 2017, section 4.1: for batches X_B, y_B of rows, one after another,

    w ← w - 2^-f X_Bᵀ (X_B w - y_B)        or, for classes y_B in {0, 1},  w ← w - 2^-f X_Bᵀ (σ(X_B w) - y_B)

X was opened once under a mask A (`masks`): E = X - A, in whatever batches it is used. Each iteration has masks of its
own, of w, of the residual z, and of the gradient, whose truncation is that of `rescaling`:

    correlation   b, e, s uniform; ⟨c⟩ = ⟨A_B b⟩; with r = s - A_Bᵀ e: ⟨t⟩ its top bit, ⟨q⟩ with q = (r mod 2^63) >> f
    open          w - b          z = E_B w + A_B (w - b) + c - y_B
    open          z - e          X_Bᵀ z + r = E_Bᵀ z + A_Bᵀ (z - e) + s
    open          X_Bᵀ z + r     w ← w - y, with y of `truncation`

Each of b, e, s hides one value, and r is as uniform as s is: what is opened is uniform whatever rows, targets and
weights are. σ is that of `sines`: its round comes after the first, under masks of its own, and σ - y_B is then the z of
the second. That is what `beaver` and `rescaling` would do; only that the randomness of many iterations is one
correlation, which is named, sent and counted once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, cast

import numpy as np

from protocols import ring
from protocols.card import card
from protocols.masks import Factor, attach, masked_view
from protocols.opening import open_masked
from protocols.party import Correlation, Order, Part, Party, Secret
from protocols.ring import RingArray, Shape
from protocols.shares import Share
from protocols.sines import Logistic
from protocols.truncation import TruncationMask, check_bits, finish


@dataclass(frozen=True)
class DescentMasks(Correlation[tuple[Part, ...]]):
    """What iterations need on `rows`, a view of a mask that is there (iterations × batch × weights)."""

    rows: Factor
    number: int  # under which b is kept
    bits: int

    @property
    def truncation(self) -> TruncationMask:
        count, _, weights = self.rows.shape
        return TruncationMask((count, weights), self.bits)

    def drawn(self) -> Sequence[Secret]:
        count, batch, weights = self.rows.shape
        return Secret((count, weights)), Secret((count, batch)), Secret((count, weights))

    def derived(self) -> Sequence[Secret]:
        return Secret(self.rows.shape[:2]), *self.truncation.derived()

    def kept(self) -> Sequence[int]:
        return (self.rows.number,)

    def keeps(self) -> Sequence[int]:
        return (self.number,)

    def work(self) -> int:
        return 2 * ring.size(self.rows.shape)

    def compute(self, *drawn: RingArray) -> Sequence[RingArray]:
        mask, b, e, s = drawn
        a = self.rows.of(mask)
        return each(a, b), *self.truncation.compute(s - each(a.swapaxes(1, 2), e))

    def assemble(self, *parts: Part) -> tuple[Part, ...]:
        return parts


class Path(NamedTuple):
    """⟨w⟩ after the last iteration; and as it was before each, a share for each stretch, iterations × weights.

    The latter were opened under masks, which they keep. `predictors`: ⟨X_B w⟩ of each stretch, iterations × batch, if σ
    was taken of them.
    """

    last: Share
    before: list[Share]
    predictors: list[Share]


def each(matrices: RingArray, vectors: RingArray) -> RingArray:
    """A stack of matrices, each times its vector."""
    products = np.empty(matrices.shape[:2], np.uint64)
    for out, a, b in zip(products, matrices, vectors, strict=True):
        out[...] = _product(a, b)
    return products


@card("MZ17", adversary="semi-honest, all but one", rounds=3, elements=1, per="row of the batch, and twice a weight")
def descend(party: Party, stretches: Sequence[tuple[Share, Share]], w: Share, bits: int) -> Path:
    """⟨w⟩ of an iteration on each batch of each stretch, one after another. Rounds and elements: of an iteration.

    A stretch: rows, iterations × batch × weights, a view of a share that was opened under a mask (`beaver.open_once`),
    and targets, iterations × batch, with the scale of Xw. w: weights. What a stretch takes is asked for while the
    parties are at the one before. Every gradient must be below 2^62 before it is truncated by 0 < bits < 62; nothing
    here notices if it is not, but from the weights that are returned it can be told. Raises ValueError if shapes do not
    fit, for other `bits`, and for rows without a mask.
    """
    return _descend(party, stretches, w, bits, None)


@card("MZ17", adversary="semi-honest, all but one", rounds=4, elements=2, per="row of the batch and weight")
def descend_logistic(
    party: Party, stretches: Sequence[tuple[Share, Share]], w: Share, bits: int, sigma: Logistic
) -> Path:
    """⟨w⟩ of an iteration of logistic regression on each batch of each stretch, one after another.

    As `descend`, with σ of `sigma.bits` fraction bits, those of Xw; targets have `sines.RESULT_BITS`.

    Takes sine masks, iterations × batch, for each stretch besides. Residuals are bounded whatever w is, and so are
    gradients; that Xw stayed where the series is σ is seen from the predictors that are returned. Raises ValueError as
    `descend` does, and for more fraction bits than fit.
    """
    return _descend(party, stretches, w, bits, sigma)


def _descend(
    party: Party, stretches: Sequence[tuple[Share, Share]], w: Share, bits: int, sigma: Logistic | None
) -> Path:
    check_bits([bits])
    if sigma is not None:
        sigma.series.doublings(sigma.bits)  # before anything is sent
    for rows, targets in stretches:
        if len(rows.shape) != 3 or targets.shape != rows.shape[:2] or w.shape != rows.shape[2:]:
            raise ValueError(f"no iterations: rows {rows.shape}, targets {targets.shape}, weights {w.shape}")
    views = [masked_view(party, rows) for rows, _ in stretches]
    wanted = [DescentMasks(view, party.number(), bits) for _, view in views]
    ordered: list[tuple[Order[tuple[Part, ...]], _Means | None]] = []
    path = Path(w, [], [])
    for at, ((_, targets), (mask, view)) in enumerate(zip(stretches, views, strict=True)):
        ordered += [_ordered(party, later, sigma) for later in wanted[len(ordered) : at + 2]]
        both = view.of(mask.opened), view.of(mask.share)
        masks, means = ordered[at]
        last, there = _stretch(party, both, targets.values, path.last, masks, means)
        path = path._replace(last=last)
        path.before.append(there)
        if means is not None:
            path.predictors.append(Share(party.rank, np.stack(means.predictors)))
    return path


def _ordered(
    party: Party, masks: DescentMasks, sigma: Logistic | None
) -> tuple[Order[tuple[Part, ...]], _Means | None]:
    return party.order(masks), sigma and _Means(party, sigma, masks.rows.shape[:2])


class _Means:
    """σ of what it is given, iteration by iteration, and keeps."""

    def __init__(self, party: Party, sigma: Logistic, shape: Shape) -> None:
        self.predictors: list[RingArray] = []
        self._party, self._sigma, self._order = party, sigma, party.order(sigma.masks(shape))

    def of(self, z: RingArray) -> RingArray:
        at = len(self.predictors)
        self.predictors.append(z)
        opened = _open(self._party, self._sigma.angles(z) + self._order.draws[0][at])
        return self._sigma.values(opened, self._order.parts()[1][:, at], self._party.rank)


def _stretch(
    party: Party,
    rows: tuple[RingArray, RingArray],
    targets: RingArray,
    w: Share,
    masks: Order[tuple[Part, ...]],
    means: _Means | None,
) -> tuple[Share, Share]:
    """w after, and before each iteration. `rows`: E and this party's part of A."""
    wanted = cast("DescentMasks", masks.correlation)
    before, differences = [], []
    for at, (b, e, s) in enumerate(zip(*masks.draws, strict=True)):
        public, own = rows[0][at], rows[1][at]
        before.append(w.values)
        differences.append(_open(party, w.values - b))
        c, top, quotient = (one[at] for one in masks.parts()[3:])
        z = _product(public, w.values) + _product(own, differences[-1]) + c
        z = (z if means is None else means.of(z)) - targets[at]
        difference = _open(party, z - e)
        opened = _open(party, _product(public.T, z) + _product(own.T, difference) + s)
        w = w - finish(opened, (top, quotient), wanted.bits, party.rank)
    there = Share(party.rank, np.stack(before))
    attach(party, there, wanted.number, np.stack(differences), masks.draws[0])
    return w, there


def _open(party: Party, masked: RingArray) -> RingArray:
    (opened,) = open_masked(party, Share(party.rank, masked))
    return opened


def _product(a: RingArray, b: RingArray) -> RingArray:
    return ring.matmul(a, b[:, None])[:, 0]
