"""Secret arrays as the features of a regression: mapped to [-1, 1] by public ranges, with secret moments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from smpc import order
from smpc.models.moments import Reals
from smpc.models.whitened import UNIT_BITS
from smpc.secret import Secret

if TYPE_CHECKING:
    from protocols.shares import Share

_CLOSE = 2.0

Ranges = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Mapping:
    """u = (x - centre) / half, for each column."""

    centre: Reals
    half: Reals

    @property
    def origin(self) -> Reals:
        """Where x is zero, in u."""
        origin: Reals = -self.centre / self.half
        return origin

    def far(self, features: int) -> int:
        """log₂ of how many units the origin is away, all features together."""
        return int(np.ceil(np.log2(1 + features * (1 + np.abs(self.origin).max(initial=0.0)))))

    def __call__(self, x: Secret) -> Secret:
        """⟨u⟩ with the party's fraction bits.

        If the bounds of x would let u be beyond ± 2, what is not in its range is taken for the end of it, in 7 rounds
        more; else it is taken as it is.
        """
        mapped: Secret = (x - self.centre) * (1 / self.half)
        return mapped if max(map(abs, mapped.bounds)) <= _CLOSE else order.clip(mapped, -1.0, 1.0)


def mapping(x: Secret, ranges: Ranges | None) -> Mapping:
    """By `ranges`, a pair for each column; by the bounds of the array where none are said.

    Raises ValueError for an x that is no matrix, or for ranges that do not fit.
    """
    if x.ndim != 2:
        raise ValueError(f"not rows × features: {x.shape}")
    pairs = np.array([x.bounds] * x.shape[1] if ranges is None else list(ranges), np.float64)
    if pairs.shape != (x.shape[1], 2) or not (np.isfinite(pairs).all() and (pairs[:, 0] < pairs[:, 1]).all()):
        raise ValueError(f"ranges are {x.shape[1]} pairs, the least and the largest value of each column")
    return Mapping(pairs.mean(axis=1), (pairs[:, 1] - pairs[:, 0]) / 2)


def in_units(u: Secret) -> Share:
    """⟨u⟩ with UNIT_BITS fraction bits."""
    return u.rescaled(UNIT_BITS).at_bits(UNIT_BITS).share
