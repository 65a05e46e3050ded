"""A secret design matrix in coordinates in which its columns are uncorrelated.

[Hig08] N. Higham, "Functions of Matrices", SIAM 2008, for the inverse root (`protocols.linalg`); whitening itself is in
any textbook. With u the features, mapped to [-1, 1] by their ranges, m their means, s the secret shifts and Z ≈
(C'/2^k)^(-1/2) of `moments`, and κ = 2^-(1 + ⌈k/2⌉),

    X̂ = κ (u - m) T,   T = diag(2^s) Z,   X̂ᵀX̂ / n = K I,   K = 4^(k/2 - ⌈k/2⌉), so 1 or 1/2

and a first column of ones, to which the others are orthogonal. A model that is linear in u is linear in X̂; its Hessian
is well-conditioned whatever u is, and bounded by one number. With a penalty λ on standardized features Z belongs to
C' + λₛ diag C', of which K (1 + λₛ) I is the transform; see `linear` for how both are one.

Whatever T is, X̂ = κ (u - m) T holds to the last bit, so that its rounding changes no result. Coefficients β̂ of X̂ are
κ Z β̂ of the equilibrated features 2^s (u - m), all of one size; 2^s brings them back to u.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from protocols import ring
from protocols.beaver import multiply
from protocols.linalg import ROOT_BITS, Factor, inverse_root, margins
from protocols.party import Party
from protocols.rescaling import matmul_rescaled
from protocols.shares import Share, concatenate, public
from protocols.truncation import truncate
from smpc.models import linear
from smpc.models.moments import MEAN_BITS, Moments

UNIT_BITS = 24  # of u
Z_BITS = 20
LARGEST_Z_BITS = 7  # |Z| < 2^7: a variance inflation factor of 2^14 at least
_WORD = 62  # bits that three factors may have together, with the rows that are added up


@dataclass(frozen=True)
class Whitened:
    """⟨X̂⟩ (n×(d+1), the ones first), and the way back. `scale`: κ and `spread`: K(1 + λₛ) as in the module."""

    x: Share  # `bits` fraction bits, masked
    bits: int
    z: Share  # d×d, Z_BITS
    penalty: Share | None  # ZᵀDZ λₛ / ((1 + λₛ) 2^k), d×d, linear.SHAPE_BITS
    margins: Share  # of which one is negative if X̂ is not as it should be
    moments: Moments
    halvings: int
    strength: float  # λₛ

    @property
    def rows(self) -> int:
        return self.moments.rows

    @property
    def rows_bits(self) -> int:
        """Averages are taken over 2^rows_bits, the power of two next to the number of rows."""
        return (self.rows - 1).bit_length()

    @property
    def scale_bits(self) -> int:
        """-log₂ κ."""
        return 1 + -(-self.halvings // 2)

    @property
    def spread(self) -> float:
        return float(2.0 ** (self.halvings + 2 - 2 * self.scale_bits) * (1 + self.strength))


def whiten(party: Party, u: Share, moments: Moments, strength: float = 0.0) -> Whitened:
    """X̂ of the features u (n×d, UNIT_BITS) with these moments; λₛ = `strength`. About 75 rounds."""
    n, d = u.shape
    c = linear.shrink(party, moments.c, strength)
    factor = inverse_root(party, c)
    z = truncate(party, factor.z, ROOT_BITS - Z_BITS)
    t = multiply(party, moments.up.reshape(d, 1).broadcast_to((d, d)), z)
    mean = truncate(party, moments.mean, MEAN_BITS - UNIT_BITS)
    centred = Share(u.rank, u.values - mean.values)
    found = Whitened(u, bits_for(n), z, _penalty(party, moments, factor, strength), margins(factor), moments,
                     factor.halvings, strength)  # fmt: skip
    white = matmul_rescaled(party, centred, t, UNIT_BITS + Z_BITS + found.scale_bits - found.bits)
    ones = public(party.rank, np.full((n, 1), 1 << found.bits, np.uint64))
    large = concatenate([(1 << LARGEST_Z_BITS + Z_BITS) - z, z + (1 << LARGEST_Z_BITS + Z_BITS)]).reshape(-1)
    return Whitened(concatenate([ones, white], axis=1), found.bits, z, found.penalty,
                    concatenate([found.margins, large]), moments, factor.halvings, strength)  # fmt: skip


def bits_for(rows: int) -> int:
    """So many that Σ w x x' with |w| <= 1 of as many bits stays in the ring: by Cauchy and Schwarz it is n at most."""
    return min(20, (_WORD - 3 - (rows - 1).bit_length()) // 3)


def _penalty(party: Party, moments: Moments, factor: Factor, strength: float) -> Share | None:
    shape = linear.unpenalized(party, moments.c, factor, strength)
    identity = ring.from_int(np.eye(factor.z.shape[0], dtype=np.int64) << linear.SHAPE_BITS)
    return None if shape is None else identity - shape
