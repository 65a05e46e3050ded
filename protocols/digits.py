"""A mask and its digits as tables: what a public word has to do with a secret one, digit by digit, without a message.

Own composition, not peer-reviewed; one-hot digits as tables are in [KOR+17] M. Keller, E. Orsini, D. Rotaru,
P. Scholl, E. Soria-Vazquez, S. Vivek, "Faster Secure Multi-Party Computation of AES and DES Using Lookup Tables",
ACNS 2017, and in the dealer's tables of [IKMOP13] Y. Ishai et al., "On the Power of Correlated Randomness in Secure
Computation", TCC 2013.

r has 16 digits rᵢ of four bits. For each the parties share, by exclusive or, the 16 bits [rᵢ = j]. Any function φ
of a public digit cᵢ and rᵢ is a sum of some of them, Σ φ(cᵢ, j) [rᵢ = j]: every party adds up its own shares, and that
is all. Nothing is opened here; r is uniform, so that x + r may be.

Whoever needs the lowest digits only asks for their tables only, a word for four digits. r is uniform in all 64 bits
nonetheless, and x + r is opened in full: what has no table is a one-time pad.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from protocols.bits import Octets, from_octets, octets
from protocols.party import Correlation, Part, Secret
from protocols.ring import BITS, RingArray, Shape
from protocols.shares import BitShare, Share

RADIX = 16
DIGIT_BITS = 4
TABLE_WORDS = 4  # bit 16 (i mod 4) + j of word i // 4 is [rᵢ = j]
WORD_DIGITS = 4  # of a word of a table

Chosen: TypeAlias = npt.NDArray[Any]  # for the two digits of an octet, the entries that count: 256 pairs of 16 bits


class DigitMask(NamedTuple):
    """⟨r⟩ and its lowest digits [rᵢ = j]."""

    arithmetic: Share
    table: BitShare


@dataclass(frozen=True)
class DigitMasks(Correlation[DigitMask]):
    """Random words with their digits, one for each element of `shape`; the table's last axis has `words`, 1 to 4."""

    shape: Shape
    words: int = TABLE_WORDS

    def drawn(self) -> Sequence[Secret]:
        return (Secret(self.shape),)

    def derived(self) -> Sequence[Secret]:
        return (Secret((*self.shape, self.words), BitShare),)

    def compute(self, *drawn: RingArray) -> Sequence[RingArray]:
        return (one_hot(drawn[0], self.words),)

    def assemble(self, *parts: Part) -> DigitMask:
        return DigitMask(*cast("tuple[Share, BitShare]", parts))


def chosen(function: Callable[[int, int], bool]) -> Chosen:
    """The entries j with φ(c, j) for each public digit c, as `look_up` wants them."""
    rows = [sum(1 << j for j in range(RADIX) if function(c, j)) for c in range(RADIX)]
    return np.array([rows[octet % RADIX] | rows[octet // RADIX] << RADIX for octet in range(256)], "<u4")


def digits_of(bits: int) -> int:
    """How many digits have the lowest `bits` bits of a word. Raises ValueError if it has not so many."""
    if not 0 < bits <= BITS:
        raise ValueError(f"{bits} bits: a ring element has {BITS}")
    return -(-bits // DIGIT_BITS)


def words_of(digits: int) -> int:
    """How many words a table of so many digits has."""
    return -(-digits // WORD_DIGITS)


def one_hot(r: RingArray, words: int = TABLE_WORDS) -> RingArray:
    """[rᵢ = j] of a known r: words along a new last axis. By shifts: r is secret, and memory has caches."""
    both = octets(r.reshape(-1)).reshape(-1, 8)[:, : 2 * words]
    digits = np.stack([both & np.uint8(RADIX - 1), both >> np.uint8(4)], axis=-1)
    lanes = np.left_shift(np.uint16(1), digits, dtype="<u2")
    return from_octets(lanes.reshape(-1).view(np.uint8)).reshape(*r.shape, words)


def look_up(table: BitShare, c: RingArray, entries: Chosen) -> Octets:
    """[φ(cᵢ, rᵢ)], a zero or one for each element of c and each digit (along a last axis, the lowest first); local.

    table: elements × words, or elements × 1 × words for a matrix c; c: elements, or elements × others.
    """
    words = table.shape[-1]
    lanes = octets(table.values.reshape(-1)).view("<u2").reshape(*table.shape[:-1], WORD_DIGITS * words)
    both = np.ascontiguousarray(octets(c.reshape(-1)).reshape(*c.shape, 8)[..., : 2 * words])
    wanted = entries[both].view("<u2")
    found: Octets = np.bitwise_count(lanes & wanted) & np.uint8(1)
    return found


def look_up_one(table: BitShare, c: RingArray, entries: Chosen, digit: int) -> Octets:
    """[φ(cᵢ, rᵢ)] for i = `digit` alone: c's shape; otherwise as `look_up`."""
    lanes = table.values[..., digit // WORD_DIGITS] >> np.uint64(RADIX * (digit % WORD_DIGITS))
    public = c >> np.uint64(DIGIT_BITS * digit) & np.uint64(RADIX - 1)
    wanted = (entries & np.uint32((1 << RADIX) - 1))[public]
    found: Octets = np.bitwise_count(lanes & wanted) & np.uint8(1)
    return found
