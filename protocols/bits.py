"""Matrices of bits: 64 of them to a word, transposed and packed on whole arrays.

[War12] H. Warren, "Hacker's Delight", 2nd ed. 2012, section 7-3: a 64×64 matrix is transposed by six exchanges of
blocks, of 32×32 down to 1×1; here many matrices at once, a column of the array each.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from protocols.ring import BITS, RingArray

Octets: TypeAlias = npt.NDArray[np.uint8]

_WIDTH = 1024  # columns that are transposed together: 64 rows of them stay in a second-level cache
# For each size of block, the bits whose place lacks it.
_HALVES = tuple((half, np.uint64(sum(1 << i for i in range(BITS) if not i & half))) for half in (32, 16, 8, 4, 2, 1))


def transpose(rows: RingArray) -> None:
    """Transpose every column of 64×n words in place: bit i of word k becomes bit k of word i."""
    for start in range(0, rows.shape[1], _WIDTH):
        block = np.ascontiguousarray(rows[:, start : start + _WIDTH])
        _transpose(block)
        rows[:, start : start + _WIDTH] = block


def _transpose(block: RingArray) -> None:
    for half, low in _HALVES:
        shift = np.uint64(half)
        pairs = block.reshape(BITS // (2 * half), 2, half, -1)
        upper, lower = pairs[:, 0], pairs[:, 1]
        moved = upper >> shift
        moved ^= lower
        moved &= low
        lower ^= moved
        moved <<= shift
        upper ^= moved


def unpack(words: RingArray, bits: int) -> RingArray:
    """The lowest `bits` bits of every word, along a new last axis."""
    return (words[..., None] >> np.arange(bits, dtype=np.uint64)) & np.uint64(1)


def diagonal(rows: RingArray) -> RingArray:
    """Of 64×… words the words whose bit k is bit k of row k."""
    places = (np.uint64(1) << np.arange(BITS, dtype=np.uint64)).reshape(-1, *[1] * (rows.ndim - 1))
    words: RingArray = np.bitwise_or.reduce(rows & places, axis=0)
    return words


def octets(words: RingArray) -> Octets:
    """The eight octets of each word of one axis, the lowest first, flat; no copy where the machine keeps them so."""
    return np.ascontiguousarray(words, "<u8").view(np.uint8)


def from_octets(values: Octets) -> RingArray:
    """Inverse of `octets`; the last word is filled with zeros."""
    whole = np.zeros(-(-values.size // 8) * 8, np.uint8)
    whole[: values.size] = values.reshape(-1)
    return whole.view("<u8").astype(np.uint64, copy=False)


def planes(bits: Octets) -> Octets:
    """Rows of zeros and ones, eight to an octet: bit k of octet c is in column 8c + k, absent ones are zero."""
    return np.packbits(bits, axis=-1, bitorder="little")


def from_planes(packed: Octets, columns: int) -> Octets:
    """Inverse of `planes`. By shifts: bits may be secret, and NumPy's own function looks octets up in a table."""
    bits: Octets = packed[..., None] >> np.arange(8, dtype=np.uint8) & np.uint8(1)
    return bits.reshape(*packed.shape[:-1], 8 * packed.shape[-1])[..., :columns]
