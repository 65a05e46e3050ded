"""Base oblivious transfer: of two keys the receiver gets the one that it chose, and the sender does not know which.

[CO15] T. Chou, C. Orlandi, "The Simplest Protocol for Oblivious Transfer", LATINCRYPT 2015, in the prime-order group
of Ed25519 (generator B, order q) that libsodium has:

    sender    a ← Z_q                       A = aB  →
    receiver  bᵢ ← Z_q                      ←  Rᵢ = bᵢB + cᵢA
    sender    kᵢ⁰ = H(aRᵢ), kᵢ¹ = H(aRᵢ - aA)
    receiver  kᵢ  = H(bᵢA), which is kᵢ⁰ for cᵢ = 0 and kᵢ¹ for cᵢ = 1

Rᵢ is uniform whatever cᵢ is; the other key needs a·A of an unknown a (computational Diffie-Hellman, H a random oracle).

Its known pitfalls, and what is done: one A serves a batch, so that H binds the place i in it ([MRR21] I. McQuoid, M.
Rosulek, L. Roy, "Batching Base Oblivious Transfers", ASIACRYPT 2021); H also binds the run and the pair (`context`), A
and Rᵢ, so that no key of one run or place is one of another; points are of the group itself, not of its cofactor, and
never neutral (libsodium's test), or they are refused. Security is against parties that follow the protocol; its proof
against others has a gap ([GIR20] Z. Genç, V. Iovino, A. Rial, "'The Simplest Protocol for Oblivious Transfer'
Revisited", Information Processing Letters 161, 2020).
"""

from __future__ import annotations

from collections.abc import Sequence

from nacl.bindings import (
    crypto_core_ed25519_add,
    crypto_core_ed25519_is_valid_point,
    crypto_core_ed25519_scalar_reduce,
    crypto_core_ed25519_sub,
    crypto_scalarmult_ed25519_base_noclamp,
    crypto_scalarmult_ed25519_noclamp,
)

from protocols import ring
from protocols.party import Stream
from protocols.prg import derive

POINT_BYTES = 32


class Offer:
    """The sender's side of a batch: `point` is A."""

    def __init__(self, context: bytes, stream: Stream) -> None:
        self._context, self._scalar = context, _scalar(stream)
        self.point = crypto_scalarmult_ed25519_base_noclamp(self._scalar)
        self._shift = crypto_scalarmult_ed25519_noclamp(self._scalar, self.point)

    def keys(self, responses: Sequence[bytes]) -> list[tuple[bytes, bytes]]:
        """Two keys of 32 bytes for each response. Raises ValueError for what is no point of the group."""
        return [self._pair(number, response) for number, response in enumerate(responses)]

    def _pair(self, number: int, response: bytes) -> tuple[bytes, bytes]:
        check_point(response)
        zero = crypto_scalarmult_ed25519_noclamp(self._scalar, response)
        one = crypto_core_ed25519_sub(zero, self._shift)
        bound = self._context, number, self.point, response
        return _key(zero, *bound), _key(one, *bound)


def choose(context: bytes, point: bytes, choices: Sequence[int], stream: Stream) -> tuple[list[bytes], list[bytes]]:
    """The receiver's responses to A = `point`, and the chosen keys. Raises ValueError unless A is of the group."""
    check_point(point)
    responses, keys = [], []
    for number, choice in enumerate(choices):
        scalar = _scalar(stream)
        blind = crypto_scalarmult_ed25519_base_noclamp(scalar)
        # both are computed, so that time does not tell which is sent
        response = (blind, crypto_core_ed25519_add(blind, point))[choice]
        responses.append(response)
        keys.append(_key(crypto_scalarmult_ed25519_noclamp(scalar, point), context, number, point, response))
    return responses, keys


def check_point(point: bytes) -> None:
    """Raises ValueError unless `point` encodes, in its one form, an element of the group that is not neutral."""
    if len(point) != POINT_BYTES or not crypto_core_ed25519_is_valid_point(point):
        raise ValueError("not a point of the group")


def _scalar(stream: Stream) -> bytes:
    reduced: bytes = crypto_core_ed25519_scalar_reduce(ring.to_bytes(stream.ring((8,))))
    return reduced


def _key(shared: bytes, context: bytes, number: int, point: bytes, response: bytes) -> bytes:
    return derive(shared, "base ot", context + number.to_bytes(4, "big") + point + response)
