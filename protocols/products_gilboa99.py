"""Shares of a product of two parties' private values from oblivious transfers: what each computes, without messages.

[Gil99] N. Gilboa, "Two Party RSA Key Generation", CRYPTO 1999, section 4.1: the sender knows x, the receiver y with
bits yᵢ, i < 64. For each i a transfer with choice yᵢ has given the sender random pads pᵢ, qᵢ and the receiver hᵢ, which
is pᵢ for yᵢ = 0 and qᵢ for yᵢ = 1. The sender sends dᵢ = x + pᵢ - qᵢ, and then

    sender  -Σ 2^i pᵢ       receiver  Σ 2^i (hᵢ + yᵢ dᵢ) = Σ 2^i pᵢ + xy

dᵢ is uniform to the receiver whatever x is, as it lacks one of pᵢ and qᵢ. Of dᵢ only 64 - i bits matter mod 2^64, and
only these are sent: dᵢ and d_(64-i) share a word, 2,080 bits in all (and half a word of zeros at the end of an odd
number of them). An x of m elements takes the same transfers with longer pads, and x may be another for each bit of y:
then the result is Σ 2^i xᵢyᵢ. Where each xᵢyᵢ is wanted by itself, whole dᵢ are sent and the shares are not added up.

For words under exclusive or (bit triples) the same with one bit: d = x ⊕ p ⊕ q; p and h ⊕ yd are shares of x ∧ y, for
several x at once ([GMW87] O. Goldreich, S. Micali, A. Wigderson, STOC 1987).
"""

from __future__ import annotations

from math import ceil

import numpy as np

from protocols.bits import diagonal
from protocols.ring import BITS, RingArray


def offer(x: RingArray, p: RingArray, q: RingArray) -> tuple[RingArray, RingArray]:
    """What the sender of x (E×m, or for each bit of y another: 64×E×m) sends, flat, and its share (E×m).

    p and q: 64×E×m.
    """
    share = np.zeros(p.shape[1:], np.uint64)
    d = np.empty(p.shape, np.uint64)
    for i, each in enumerate(np.broadcast_to(x, p.shape)):
        np.subtract(p[i], q[i], out=d[i])
        d[i] += each
        share -= p[i] << np.uint64(i)
    return shrink(d), share


def accept(y: RingArray, h: RingArray, payload: RingArray) -> RingArray:
    """The share (E×m) of the receiver of y (E); h: 64×E×m."""
    d = expand(payload, h.shape)
    share = np.zeros(h.shape[1:], np.uint64)
    for i in range(BITS):
        term = d[i] & chosen(y, i)[:, None]
        term += h[i]
        term <<= np.uint64(i)
        share += term
    return share


def offer_each(x: RingArray, p: RingArray, q: RingArray) -> tuple[RingArray, RingArray]:
    """What the sender of x (64×E) sends, flat, and its shares of xᵢyᵢ for each bit (64×E); p and q: 64×E."""
    d = x + p
    d -= q
    return d.reshape(-1), np.uint64(0) - p


def accept_each(y: RingArray, h: RingArray, payload: RingArray) -> RingArray:
    """The shares (64×E) of the receiver of y (E) with bits yᵢ; h: 64×E."""
    d = payload.reshape(h.shape)
    return np.stack([(d[i] & chosen(y, i)) + h[i] for i in range(BITS)])


def chosen(y: RingArray, i: int) -> RingArray:
    """All ones where yᵢ is one."""
    return np.uint64(0) - ((y >> np.uint64(i)) & np.uint64(1))


def payload_words(elements: int) -> int:
    """How many words `offer` sends for so many elements (E times m) of x."""
    return 32 * elements + ceil(elements / 2)


def shrink(d: RingArray) -> RingArray:
    """d₀ whole; dᵢ and d_(64-i) in one word; two of the middle ones, d₃₂, in one word."""
    rows = d.reshape(BITS, -1)
    middle = np.zeros(rows.shape[1] + 1 & ~1, np.uint64)
    middle[: rows.shape[1]] = rows[32]
    words = [rows[0]]
    for i in range(1, 32):
        low = np.uint64((1 << BITS - i) - 1)
        words.append(rows[i] & low | rows[BITS - i] << np.uint64(BITS - i))
    words.append(middle[::2] & np.uint64((1 << 32) - 1) | middle[1::2] << np.uint64(32))
    return np.concatenate(words)


def expand(payload: RingArray, shape: tuple[int, ...]) -> RingArray:
    """Inverse of `shrink`, up to bits of dᵢ that vanish in 2^i dᵢ."""
    d = np.empty(shape, np.uint64)
    rows = d.reshape(BITS, -1)
    n = rows.shape[1]
    words = payload[: 32 * n].reshape(32, n)
    rows[:32] = words
    for i in range(1, 32):
        np.right_shift(words[i], np.uint64(BITS - i), out=rows[BITS - i])
    middle = payload[32 * n :]
    rows[32] = np.stack([middle, middle >> np.uint64(32)], axis=1).reshape(-1)[:n]
    return d


def offer_bits(x: RingArray, p: RingArray, q: RingArray) -> tuple[RingArray, RingArray]:
    """What the sender of words x (E×m) sends, flat, and its share (E×m); of the pads (64×E×m) bit k of row k counts."""
    mine = diagonal(p)
    d = x ^ mine
    d ^= diagonal(q)
    return d.reshape(-1), mine


def accept_bits(y: RingArray, h: RingArray, payload: RingArray) -> RingArray:
    """The share (E×m) of the receiver of words y (E); h: 64×E×m."""
    share = diagonal(h)
    share ^= y[:, None] & payload.reshape(share.shape)
    return share
