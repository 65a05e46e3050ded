"""A secret design matrix in coordinates in which its columns are uncorrelated.

[Hig08] N. Higham, "Functions of Matrices", SIAM 2008, for the inverse root (`protocols.linalg`); whitening itself is in
any textbook. With u the features, mapped to [-1, 1] by their ranges, m their means, s the secret shifts and Z ≈
(C'/2^k)^(-1/2) of `moments`, and κ = 2^-(1 + ⌈k/2⌉),

    X̂ = κ (u - m) T,   T = diag(2^s) Z,   X̂ᵀX̂ / n = K I,   K = 4^(k/2 - ⌈k/2⌉), so 1 or 1/2

and a first column of ones, to which the others are orthogonal. A model that is linear in u is linear in X̂; its Hessian
is well-conditioned whatever u is, and bounded by one number. With a penalty λ on standardized features Z belongs to
C' + λₛ diag C', of which K (1 + λₛ) I is the transform; see `linear` for how both are one.

Whatever T is, X̂ = κ (u - m) T, so that its rounding changes no result; that of X̂ moves a row's η by some 2^-bits ‖β̂‖.
Coefficients β̂ of X̂ are κ Z β̂ of the equilibrated features 2^s (u - m), all of one size; 2^s brings them back to u.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from protocols import fixedpoint, ring
from protocols.beaver import multiply_each
from protocols.linalg import ROOT_BITS, inverse_root, margins
from protocols.party import Party
from protocols.rescaling import matmul_rescaled
from protocols.shares import Share, concatenate, public
from protocols.truncation import truncate_each
from smpc.models import linear
from smpc.models.moments import MEAN_BITS, Moments, Reals

UNIT_BITS = 24  # of u
Z_BITS = 20
LARGEST_Z_BITS = 7  # |Z| < 2^7: a variance inflation factor of 2^14 at least
_WORD = 62  # bits that three factors may have together, with the rows that are added up


@dataclass(frozen=True)
class Whitened:
    """⟨X̂⟩ (n×(d+1), the ones first), and the way back; κ, K and λₛ as in the module."""

    x: Share  # `bits` fraction bits
    bits: int
    z: Share  # d×d, Z_BITS
    up: Share  # 2^s
    p: Share  # 2^s (m - origin), UNIT_BITS
    penalty: Share | None  # λₛ / (1 + λₛ) ZᵀDZ / 2^k, d×d, linear.SHAPE_BITS, with D = diag C'
    margins: Share  # of which one is negative if X̂ is not as it should be
    scale_bits: int  # -log₂ κ
    spread: float  # K (1 + λₛ)

    @property
    def rows_bits(self) -> int:
        """Averages are taken over 2^rows_bits, the power of two next to the number of rows."""
        return (self.x.shape[0] - 1).bit_length()


def whiten(party: Party, u: Share, moments: Moments, origin: Reals, strength: float = 0.0) -> Whitened:
    """X̂ of the features u (n×d, UNIT_BITS) with these moments; λₛ = `strength`. About 75 rounds.

    `origin`: zero of the raw features in u. Opens masked values only.
    """
    (n, d), limit = u.shape, 1 << LARGEST_Z_BITS + Z_BITS
    factor = inverse_root(party, linear.shrink(party, moments.c, strength))
    z, mean = truncate_each(party, (factor.z, ROOT_BITS - Z_BITS), (moments.mean, MEAN_BITS - UNIT_BITS))
    centred, offset = Share(u.rank, u.values - mean.values), mean - fixedpoint.encode(origin, UNIT_BITS)
    t, p = multiply_each(party, (moments.up.reshape(d, 1).broadcast_to((d, d)), z), (moments.up, offset))
    bits, scale_bits = bits_for(n), 1 + -(-factor.halvings // 2)
    white = matmul_rescaled(party, centred, t, UNIT_BITS + Z_BITS + scale_bits - bits)
    ones = public(party.rank, np.full((n, 1), 1 << bits, np.uint64))
    penalty = None
    if (kept := linear.unpenalized(party, moments.c, factor, strength)) is not None:
        penalty = ring.from_int(np.eye(d, dtype=np.int64) << linear.SHAPE_BITS) - kept
    return Whitened(
        concatenate([ones, white], axis=1), bits, z, moments.up, p, penalty,
        concatenate([margins(factor), (limit - z).reshape(-1), (z + limit).reshape(-1)]),
        scale_bits, 2.0 ** (factor.halvings + 2 - 2 * scale_bits) * (1 + strength),
    )  # fmt: skip


def bits_for(rows: int) -> int:
    """So many that Σ w x x' with |w| <= 1 of as many bits stays in the ring: by Cauchy and Schwarz it is n at most."""
    return min(20, (_WORD - 3 - (rows - 1).bit_length()) // 3)
