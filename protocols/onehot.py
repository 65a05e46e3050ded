"""One-hot digits, moved by another party's digit, from oblivious transfers: what each computes, without messages.

Own composition, not peer-reviewed, after the exchange of halves by a choice bit in [MS13] P. Mohassel, S. Sadeghian,
"How to Hide Circuits in MPC", EUROCRYPT 2013. The sender has 16 bits v, the receiver a digit β with bits βᵢ; they want
shares of v' with v'ⱼ = v_(j⊕β), which is [a ⊕ β = j] where vⱼ = [a = j]. Bit after bit of β, v' = v ⊕ βᵢ (v ⊕ vⁱ),
where vⁱ has vⱼ and v_(j⊕2^i) exchanged. As v ⊕ vⁱ is the same at both places of a pair, a product with 8 bits is
enough, at one place Sᵢ of each pair. A transfer with choice βᵢ has given the sender pads p, q and the receiver h, p or
q by choice, as in `products_gilboa99`:

    the sender sends d = (v ⊕ vⁱ ⊕ p ⊕ q) at Sᵢ, and goes on with v ⊕ p, p being copied to the other places;
    the receiver goes on with its own share, moved by βᵢ, ⊕ (h ⊕ βᵢ d), copied likewise.

The sender's shares do not depend on what it receives, so that all four d go at once. d is uniform to the receiver, who
lacks one of p and q. The places for bits 0 and 1 are each other's complement, those for 2 and 3 too, and share 16 bits.

Arrays are 16 digits × elements, of 16 bits each.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from protocols.bits import from_octets, octets
from protocols.ring import RingArray

Lanes: TypeAlias = npt.NDArray[np.uint16]

PAYLOAD_WORDS = 8  # an element
_STEPS = 4
# One place of each pair j, j ⊕ 2^i: where the bits 0 and 1 of j are equal, or are not; where 2 and 3 are equal, or not
_PLACES = tuple(np.uint16(places) for places in (0x9999, 0x6666, 0xF00F, 0x0FF0))
_LOWER = tuple(np.uint16(places) for places in (0x5555, 0x3333, 0x0F0F, 0x00FF))  # bit i of j is zero


def offer(v: RingArray, p: RingArray, q: RingArray) -> tuple[RingArray, RingArray]:
    """What the sender of tables v (E×4 words) sends, flat, and its share of the moved ones; p and q: 64×E."""
    share, mine, other = _lanes(v), _pads(p), _pads(q)
    sent = np.zeros((2, *share.shape), np.uint16)
    for i in range(_STEPS):
        difference = share ^ _exchanged(share, i)
        difference ^= mine[i]
        difference ^= other[i]
        sent[i // 2] |= difference & _PLACES[i]
        share ^= _copied(mine[i] & _PLACES[i], i)
    return _flat(sent), _words(share)


def accept(digits: RingArray, h: RingArray, payload: RingArray) -> RingArray:
    """The share (E×4 words) of the receiver of words `digits` (E); h: 64×E."""
    pads, received = _pads(h), octets(payload).view("<u2").reshape(2, 16, -1)
    share = np.zeros(received.shape[1:], np.uint16)
    for i in range(_STEPS):
        choice = _choice(digits, i)
        moved = share ^ _exchanged(share, i)
        moved &= choice
        share ^= moved
        share ^= _copied((pads[i] ^ received[i // 2] & choice) & _PLACES[i], i)
    return _words(share)


def _exchanged(v: Lanes, i: int) -> Lanes:
    shift = np.uint16(1 << i)
    return (v & _LOWER[i]) << shift | v >> shift & _LOWER[i]


def _copied(v: Lanes, i: int) -> Lanes:
    """Of v, which is zero but at places Sᵢ, the same at both places of each pair."""
    return v ^ _exchanged(v, i)


def _choice(digits: RingArray, i: int) -> Lanes:
    """All ones where bit i of the digit is one."""
    bits = octets(digits).reshape(-1, 8).T >> i
    lanes = np.stack([bits, bits >> 4], axis=1).reshape(16, -1) & np.uint8(1)
    return np.uint16(0) - lanes.astype(np.uint16)


def _pads(pads: RingArray) -> list[Lanes]:
    """16 bits of each pad, for bit i of all digits: rows i, i + 4 and so on."""
    return [pads[i::_STEPS].astype(np.uint16) for i in range(_STEPS)]


def _lanes(words: RingArray) -> Lanes:
    return octets(words.reshape(-1)).view("<u2").reshape(-1, 16).T.astype(np.uint16)


def _words(lanes: Lanes) -> RingArray:
    return _flat(np.ascontiguousarray(lanes.T)).reshape(-1, 4)


def _flat(lanes: Lanes) -> RingArray:
    return from_octets(lanes.astype("<u2", copy=False).reshape(-1).view(np.uint8))
