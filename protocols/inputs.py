"""Private inputs to shares, without a message.

[CDI05] R. Cramer, I. Damgård, Y. Ishai, "Share Conversion, Pseudorandom Secret-Sharing and Applications to
Secure Computation", TCC 2005; here in its simplest form, where every pair of parties holds a common stream.

zero:   z_i = Σ_{j>i} PRG(k_ij) - Σ_{j<i} PRG(k_ij), which sums to 0 over all parties. To a coalition the
        shares of the others are uniform but for their sum, as each pair of honest parties has a stream of
        its own.
share:  the owner o and each other party i draw x_i = PRG(k_oi); the owner keeps x_o = x - Σ x_i.
total:  what the parties hold is already an additive sharing of its sum; adding `zero` makes it uniform.
"""

import numpy as np

from protocols import ring
from protocols.card import card
from protocols.party import Paired, Party
from protocols.ring import RingArray, Shape
from protocols.shares import Share


@card("CDI05", adversary="semi-honest, all but one", rounds=0, elements=0)
def zero(party: Paired, shape: Shape) -> Share:
    """A fresh ⟨0⟩ of `shape`."""
    values = np.zeros(shape, np.uint64)
    for peer in range(party.count):
        if peer > party.rank:
            values += party.common(peer).ring(shape)
        elif peer < party.rank:
            values -= party.common(peer).ring(shape)
    return Share(party.rank, values)


@card("CDI05", adversary="semi-honest, all but one", rounds=0, elements=0)
def share(party: Party, x: RingArray | None, owner: int, shape: Shape) -> Share:
    """⟨x⟩ of an x that `owner` alone knows; the others pass None and the public shape.

    Raises ValueError at the owner if x is missing or has another shape.
    """
    if not 0 <= owner < party.count:
        raise ValueError(f"there is no party {owner}")
    if party.rank != owner:
        return Share(party.rank, party.common(owner).ring(shape))
    if x is None or ring.check(x).shape != shape:
        raise ValueError(f"the owner shares an array of shape {shape}, not {None if x is None else x.shape}")
    values = x.copy()
    for peer in range(party.count):
        if peer != party.rank:
            values -= party.common(peer).ring(shape)
    return Share(party.rank, values)


@card("CDI05", adversary="semi-honest, all but one", rounds=0, elements=0)
def total(party: Party, mine: RingArray) -> Share:
    """⟨Σ xᵢ⟩ of the arrays xᵢ (one shape) that each party knows."""
    return Share(party.rank, ring.check(mine) + zero(party, mine.shape).values)
