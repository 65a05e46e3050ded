"""A mask and its digits as tables: what a public word has to do with a secret one, digit by digit, without a message.

Own composition, not peer-reviewed; one-hot digits as tables are in [KOR+17] M. Keller, E. Orsini, D. Rotaru,
P. Scholl, E. Soria-Vazquez, S. Vivek, "Faster Secure Multi-Party Computation of AES and DES Using Lookup Tables",
ACNS 2017, and in the dealer's tables of [IKMOP13] Y. Ishai et al., "On the Power of Correlated Randomness in Secure
Computation", TCC 2013.

r has 16 digits rᵢ of four bits. For each the parties share, by exclusive or, the 16 bits [rᵢ = j]. Any function φ
of a public digit cᵢ and rᵢ is a sum of some of them, Σ φ(cᵢ, j) [rᵢ = j]: every party adds up its own shares, and that
is all. Nothing is opened here; r is uniform, so that x + r may be.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from protocols.bits import Octets, from_octets, octets
from protocols.party import Correlation, Part, Secret
from protocols.ring import RingArray, Shape
from protocols.shares import BitShare, Share

DIGITS = 16  # of a word
RADIX = 16
TABLE_WORDS = 4  # bit 16 (i mod 4) + j of word i // 4 is [rᵢ = j]

Chosen: TypeAlias = npt.NDArray[Any]  # for the two digits of an octet, the entries that count: 256 pairs of 16 bits


class DigitMask(NamedTuple):
    """⟨r⟩ and its digits [rᵢ = j]."""

    arithmetic: Share
    table: BitShare


@dataclass(frozen=True)
class DigitMasks(Correlation[DigitMask]):
    """Random words with their digits, one for each element of `shape`; the table's last axis has four words."""

    shape: Shape

    def drawn(self) -> Sequence[Secret]:
        return (Secret(self.shape),)

    def derived(self) -> Sequence[Secret]:
        return (Secret((*self.shape, TABLE_WORDS), BitShare),)

    def compute(self, *drawn: RingArray) -> Sequence[RingArray]:
        return (one_hot(drawn[0]),)

    def assemble(self, *parts: Part) -> DigitMask:
        return DigitMask(*cast("tuple[Share, BitShare]", parts))


def chosen(function: Callable[[int, int], bool]) -> Chosen:
    """The entries j with φ(c, j) for each public digit c, as `look_up` wants them."""
    rows = [sum(1 << j for j in range(RADIX) if function(c, j)) for c in range(RADIX)]
    return np.array([rows[octet % RADIX] | rows[octet // RADIX] << RADIX for octet in range(256)], "<u4")


def one_hot(r: RingArray) -> RingArray:
    """[rᵢ = j] of a known r: four words along a new last axis. By shifts: r is secret, and memory has caches."""
    both = octets(r.reshape(-1))
    digits = np.stack([both & np.uint8(RADIX - 1), both >> np.uint8(4)], axis=-1)
    lanes = np.left_shift(np.uint16(1), digits, dtype="<u2")
    return from_octets(lanes.reshape(-1).view(np.uint8)).reshape(*r.shape, TABLE_WORDS)


def look_up(table: BitShare, c: RingArray, entries: Chosen) -> Octets:
    """[φ(cᵢ, rᵢ)], a zero or one for each element and digit (elements × 16, the lowest digit first); local.

    table: elements × 4 words; c: elements.
    """
    lanes = octets(table.values.reshape(-1)).view("<u2").reshape(-1, DIGITS)
    wanted = entries[octets(c)].view("<u2").reshape(-1, DIGITS)
    found: Octets = np.bitwise_count(lanes & wanted) & np.uint8(1)
    return found
