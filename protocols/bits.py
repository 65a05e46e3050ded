"""Matrices of bits: 64 of them to a word, transposed and packed on whole arrays.

[War12] H. Warren, "Hacker's Delight", 2nd ed. 2012, section 7-3: a 64×64 matrix is transposed by six exchanges of
blocks, of 32×32 down to 1×1; here many matrices at once, a column of the array each.
"""

from __future__ import annotations

import numpy as np

from protocols.ring import BITS, RingArray

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


def scatter(words: RingArray) -> RingArray:
    """Every word with bit i moved to where the six digits of i lead in the other order; its own inverse.

    Then bits 2j and 2j + 1 lie 32 apart, and again so in each half of the word.
    """
    for upper, lower in ((5, 0), (4, 1), (3, 2)):
        shift = np.uint64((1 << upper) - (1 << lower))
        places = np.uint64(sum(1 << i for i in range(BITS) if not i >> upper & 1 and i >> lower & 1))
        moved = (words >> shift ^ words) & places
        words = words ^ moved ^ moved << shift
    return words


def pack(bits: RingArray) -> RingArray:
    """ℓ zeros and ones as n = ⌈ℓ/64⌉ words: bit k of word c is bit kn + c of the sequence, absent ones are zero."""
    words = -(-bits.size // BITS)
    rows = np.zeros(BITS * words, np.uint64)
    rows[: bits.size] = bits
    packed: RingArray = np.bitwise_or.reduce(rows.reshape(BITS, words) << _POSITIONS, axis=0)
    return packed


def unpack(words: RingArray, bits: int) -> RingArray:
    """The lowest `bits` bits of every word, along a new last axis."""
    return (words[..., None] >> np.arange(bits, dtype=np.uint64)) & np.uint64(1)


def diagonal(rows: RingArray) -> RingArray:
    """Of 64×n words the n words whose bit k is bit k of row k."""
    words: RingArray = np.bitwise_or.reduce(rows & (np.uint64(1) << _POSITIONS), axis=0)
    return words


_POSITIONS = np.arange(BITS, dtype=np.uint64)[:, None]
