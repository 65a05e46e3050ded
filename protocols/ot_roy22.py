"""Extension of oblivious transfer: millions of correlated transfers from 128 base transfers.

[Roy22] L. Roy, "SoftSpokenOT: Quieter OT Extension from Small-Field Silent VOLE in the Minicrypt Model", CRYPTO 2022,
with k = 4: for each of 32 nibbles δ of Δ ∈ GF(2)^128, which the sender knows, the receiver holds 16 streams r_x and
the sender all of them but r_δ (`ot_ggm86`). Bit by bit, over x in GF(2)^4,

    receiver  u = Σ r_x,   v = Σ x·r_x            sender  w = Σ (x ⊕ δ)·r_x = v ⊕ δ·u

The receiver sends c = u ⊕ b for its choices b (the same b for all nibbles), which r_δ hides from the sender, who adds
δ·c: w = v ⊕ δ·b. All nibbles together, transfer j has q_j at the sender and t_j at the receiver with

    q_j = t_j ⊕ b_j·Δ                             (128 bits each)

The paper lets the first nibble's u be the choice and saves 1 bit of 32; here choices are the caller's.

Security: against parties that follow the protocol. There is no check of consistency: a receiver that sends another c
for some nibbles, or one bit that is wrong in any message, makes a wrong q_j and so a wrong correlation, WHICH NOTHING
NOTICES. Who made the error and sees whether the result is wrong learns a bit of the other's secret. Links detect bits
that change on the way; a party that deviates is outside of what is promised.

Cost: 32 bits from receiver to sender for each transfer; 64 bytes of AES and 26 bits of exclusive or for each nibble.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np

from protocols.bits import transpose
from protocols.ot_ggm86 import DEPTH, LEAVES
from protocols.prg import Prg
from protocols.ring import BITS, RingArray

NIBBLES = 32
BLOCK_WORDS = 2  # a block has 128 bits


class Receiver:
    """Chooses. `leaves`: 16 streams for each of the 32 nibbles."""

    def __init__(self, leaves: Sequence[Sequence[Prg]]) -> None:
        self._leaves = leaves

    def choose(self, choices: RingArray) -> tuple[RingArray, RingArray]:
        """For n words of choices: what to send (32×n words), and the blocks t (64×n×2 words).

        Bit k of word c is the choice of the transfer with blocks[k, c].
        """
        n = choices.size
        corrections, planes = np.empty((NIBBLES, n), np.uint64), np.empty((NIBBLES * DEPTH, n), np.uint64)
        rows = np.empty((LEAVES, n), np.uint64)
        for nibble, leaves in enumerate(self._leaves):
            for row, leaf in zip(rows, leaves, strict=True):
                leaf.fill(row)
            u = fold(rows, planes[nibble * DEPTH : (nibble + 1) * DEPTH])
            np.bitwise_xor(u, choices, out=corrections[nibble])
        return corrections, _blocks(planes)


class Sender:
    """Holds Δ as 32 nibbles; `leaves`: for each the 16 streams, with None in place of the one that is missing."""

    def __init__(self, nibbles: Sequence[int], leaves: Sequence[Sequence[Prg | None]]) -> None:
        bits = [[nibble >> bit & 1 for bit in range(DEPTH)] for nibble in nibbles]
        self._masks = np.uint64(0) - np.array(bits, np.uint64)  # all ones where Δ has a one
        self._leaves = [[row[x ^ nibble] for x in range(LEAVES)] for nibble, row in zip(nibbles, leaves, strict=True)]
        value = reduce(lambda delta, place: delta | place[1] << DEPTH * place[0], enumerate(nibbles), 0)
        self.delta = np.array([value % (1 << BITS), value >> BITS], np.uint64)

    def accept(self, corrections: RingArray) -> RingArray:
        """The blocks q (64×n×2 words) for the n words of choices that `corrections` (32×n words) hides."""
        n = corrections.shape[1]
        planes, rows = np.empty((NIBBLES * DEPTH, n), np.uint64), np.zeros((LEAVES, n), np.uint64)
        for nibble, leaves in enumerate(self._leaves):
            for row, leaf in zip(rows, leaves, strict=True):
                if leaf is not None:  # else row 0, which stays zero
                    leaf.fill(row)
            mine = planes[nibble * DEPTH : (nibble + 1) * DEPTH]
            fold(rows, mine)
            # the same work for a zero of Δ as for a one
            mine ^= corrections[nibble] & self._masks[nibble][:, None]
        return _blocks(planes)


def fold(rows: RingArray, planes: RingArray) -> RingArray:
    """Σ r_x of r_x (2^k×n words), and into `planes` (k×n) for each bit of x the sum of those r_x that have it."""
    sums = rows
    for plane in planes:
        np.bitwise_xor.reduce(sums[1::2], axis=0, out=plane)
        sums = sums[::2] ^ sums[1::2]
    total: RingArray = sums[0]
    return total


def _blocks(planes: RingArray) -> RingArray:
    """128 planes of n words, bit by bit, to 64×n blocks of two words."""
    blocks = np.empty((BITS, planes.shape[1], BLOCK_WORDS), np.uint64)
    for word in range(BLOCK_WORDS):
        half = planes[word * BITS : (word + 1) * BITS]
        transpose(half)
        blocks[..., word] = half
    return blocks
