"""The hash that turns correlated blocks of 128 bits into independent pads: fixed-key AES.

[GKWY20] C. Guo, J. Katz, X. Wang, Y. Yu, "Efficient and Secure Multiparty Computation from Fixed-Key Block Ciphers",
IEEE S&P 2020, section 7.4: TMMO(x, i) = π(π(x) ⊕ i) ⊕ π(x) is a tweakable correlation-robust hash for an ideal
permutation π. π is AES-128 under a key that all know. The key comes from run and pair, the tweak i = (number of the
transfer, number of the block): no two hashes of a run have a key and a tweak in common. (A plain π(x ⊕ i) ⊕ x would not
be robust for related x; see the paper's section 1.)
"""

from __future__ import annotations

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from protocols.ring import RingArray

_SLACK = 2  # words that AES-ECB wants behind its output
_PIECE = 1 << 14  # blocks in one go: fits the caches


class Hash:
    """TMMO under the key `key` (16 bytes)."""

    def __init__(self, key: bytes) -> None:
        self._cipher = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305 - a permutation, no encryption

    def pads(self, blocks: RingArray, first: int, words: int) -> RingArray:
        """`words` uniform ring elements from each of N blocks (N×2 words); N×`words`.

        `first`: the number of the first block's transfer, which no other call may cover.
        """
        out = np.empty((len(blocks), words), np.uint64)
        numbers = np.arange(first, first + len(blocks), dtype=np.uint64)
        for start in range(0, len(blocks), _PIECE):
            piece = slice(start, start + _PIECE)
            inner = self._permuted(np.ascontiguousarray(blocks[piece]))
            tweaked = np.empty_like(inner)
            for block in range((words + 1) // 2):
                tweaked[:, 0] = inner[:, 0] ^ numbers[piece]
                tweaked[:, 1] = inner[:, 1] ^ np.uint64(block)
                outer = self._permuted(tweaked)
                outer ^= inner
                out[piece, 2 * block : 2 * block + 2] = outer[:, : words - 2 * block]
        return out

    def _permuted(self, blocks: RingArray) -> RingArray:
        """π of each block."""
        out = np.empty(blocks.size + _SLACK, "<u8")
        self._cipher.update_into(blocks.astype("<u8", copy=False).data.cast("B"), out.data.cast("B"))
        return out[: blocks.size].reshape(blocks.shape).astype(np.uint64, copy=False)
