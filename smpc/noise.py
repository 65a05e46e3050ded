"""The Noise handshake IK over X25519, AES-256-GCM and SHA-256, and the sealed messages that follow it.

T. Perrin, "The Noise Protocol Framework", revision 34, 2018, https://noiseprotocol.org/noise.html: the functions of
sections 4 and 12, the objects of section 5, and of section 7.5 the pattern

    IK:  <- s
         ...
         -> e, es, s, ss
         <- e, ee, se

where the initiator knows the responder's public key beforehand, and the responder learns the initiator's from the
first message. That message can be repeated by whoever has seen it: an initiator is there once a message of its own
has been opened with the keys of `split`.

Where we are stricter than the paper: what cannot be opened ends its direction for good, and a Diffie-Hellman result
of zeros is refused. Keys are 32 bytes; secret and ephemeral ones are arguments, an ephemeral one for one use.
"""

from __future__ import annotations

import hmac
from collections import deque
from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import ciphers
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import GCM

NAME = b"Noise_IK_25519_AESGCM_SHA256"
KEY_BYTES = 32
SEAL_BYTES = 16  # that a sealed message has more
FIRST_BYTES = KEY_BYTES + (KEY_BYTES + SEAL_BYTES) + SEAL_BYTES  # of the messages of a handshake, with no payload
SECOND_BYTES = KEY_BYTES + SEAL_BYTES

Buffer = bytes | memoryview


class Forged(Exception):
    """What came was not made with the key that it should be made with, or not for this place."""


class Cipher:
    """CipherState: seals the messages of one direction, or opens them, each under the next nonce and no other.

    Nothing of a message is known before all of it is. After one that cannot be opened, none ever is: a message that
    was changed, left out, repeated or moved is the last. One that has come may `reserve` its nonce, to be opened later;
    what cannot be opened after it does not take it back.
    """

    def __init__(self, key: bytes) -> None:
        self._aead: AESGCM | None = AESGCM(key)
        self._block = AES(key)
        self._number = 0
        self._reserved: deque[bytes] = deque()

    def seal(self, message: Buffer, beside: bytes | None = None) -> bytes:
        """`message` sealed; `beside` is authenticated and not contained."""
        if self._aead is None:
            raise Forged
        return self._aead.encrypt(self._nonce(), message, beside)

    def seal_pieces(self, pieces: Sequence[Buffer]) -> memoryview:
        """`pieces`, of bytes, one after another as one message: what `seal` makes of them joined, and they are not."""
        if self._aead is None:
            raise Forged
        sealer = ciphers.Cipher(self._block, GCM(self._nonce())).encryptor()
        sealed, at = np.empty(sum(map(len, pieces)) + SEAL_BYTES, np.uint8).data, 0
        for piece in pieces:
            at += sealer.update_into(piece, sealed[at:])
        sealer.finalize()
        sealed[at:] = sealer.tag
        return sealed

    def open(self, sealed: Buffer, beside: bytes | None = None) -> bytes:
        """Inverse of `seal`. Raises Forged."""
        aead, self._aead = self._aead, None
        if aead is None:
            raise Forged
        try:
            message = aead.decrypt(self._nonce(), sealed, beside)
        except InvalidTag:
            raise Forged from None
        self._aead = aead
        return message

    def reserve(self) -> None:
        """The message that has come next will be opened later, by `open_into`, and may be after others behind it.

        Raises Forged.
        """
        if self._aead is None:
            raise Forged
        self._reserved.append(self._nonce())

    @property
    def reserved(self) -> int:
        """How many messages are to be opened later."""
        return len(self._reserved)

    def open_into(self, sealed: memoryview, parts: Sequence[bytearray | memoryview]) -> None:
        """Open the first message that is reserved and not opened yet, into `parts`, one after another. Raises Forged.

        Raises ValueError unless `parts` have the message's length.
        """
        if sum(map(len, parts)) + SEAL_BYTES != len(sealed):
            raise ValueError("a message is opened into memory of its length")
        aead, self._aead = self._aead, None
        nonces, self._reserved = self._reserved, deque()
        if not nonces:
            raise Forged
        opener, at = ciphers.Cipher(self._block, GCM(nonces.popleft())).decryptor(), 0
        for part in parts:
            at += opener.update_into(sealed[at : at + len(part)], part)
        try:
            opener.finalize_with_tag(bytes(sealed[at:]))
        except InvalidTag:
            for part in parts:  # it is filled already, with what somebody else may have chosen
                part[:] = bytes(len(part))
            raise Forged from None
        self._aead, self._reserved = aead, nonces

    def _nonce(self) -> bytes:
        """The next one, which is used up by that."""
        nonce = self._number.to_bytes(12, "big")  # section 12.3: 32 zero bits, 64 bits that no link can use up
        self._number += 1
        return nonce


class Ciphers(NamedTuple):
    """Of one end of a link."""

    sending: Cipher
    receiving: Cipher


class _Symmetric:
    """SymmetricState: the chaining key, the hash of all that was said, the key of the last Diffie-Hellman."""

    def __init__(self, prologue: bytes, responder: bytes) -> None:
        self._chain = self.hash = NAME.ljust(sha256().digest_size, b"\0")
        self.mix_hash(prologue)
        self.mix_hash(responder)  # <- s

    def mix_hash(self, data: Buffer) -> None:
        self.hash = sha256(self.hash + data).digest()

    def mix_key(self, ours: X25519PrivateKey, theirs: bytes) -> None:
        """With DH(ours, theirs). Raises Forged if that is all zeros: `theirs` is one of few bad points."""
        try:
            common = ours.exchange(X25519PublicKey.from_public_bytes(theirs))
        except ValueError:
            raise Forged from None
        self._chain, key = _expand(self._chain, common)
        self._cipher = Cipher(key)

    def encrypt_and_hash(self, message: bytes) -> bytes:
        sealed = self._cipher.seal(message, self.hash)
        self.mix_hash(sealed)
        return sealed

    def decrypt_and_hash(self, sealed: bytes) -> bytes:
        message = self._cipher.open(sealed, self.hash)
        self.mix_hash(sealed)
        return message

    def split(self) -> tuple[Cipher, Cipher]:
        """For what the initiator sends, and what the responder sends."""
        first, second = _expand(self._chain, b"")
        return Cipher(first), Cipher(second)


class Initiator:
    """Begins; `responder` is the public key of who shall answer. Write, read, split."""

    def __init__(self, prologue: bytes, secret: bytes, responder: bytes) -> None:
        self._s = X25519PrivateKey.from_private_bytes(secret)
        self._responder = responder
        self._state = _Symmetric(prologue, responder)

    def write(self, payload: bytes, ephemeral: bytes) -> bytes:
        """-> e, es, s, ss."""
        self._e = X25519PrivateKey.from_private_bytes(ephemeral)
        e = self._e.public_key().public_bytes_raw()
        self._state.mix_hash(e)
        self._state.mix_key(self._e, self._responder)
        s = self._state.encrypt_and_hash(self._s.public_key().public_bytes_raw())
        self._state.mix_key(self._s, self._responder)
        return e + s + self._state.encrypt_and_hash(payload)

    def read(self, message: bytes) -> bytes:
        """<- e, ee, se. Gives the payload; raises Forged, and then is of no use any more."""
        e, payload = message[:KEY_BYTES], message[KEY_BYTES:]
        self._state.mix_hash(e)
        self._state.mix_key(self._e, e)
        self._state.mix_key(self._s, e)
        return self._state.decrypt_and_hash(payload)

    def split(self) -> Ciphers:
        first, second = self._state.split()
        return Ciphers(sending=first, receiving=second)


class Responder:
    """Answers. Read, write, split; `initiator` is the public key of who began, once `read` has given it."""

    def __init__(self, prologue: bytes, secret: bytes) -> None:
        self._s = X25519PrivateKey.from_private_bytes(secret)
        self._state = _Symmetric(prologue, self._s.public_key().public_bytes_raw())
        self.initiator = b""

    def read(self, message: bytes) -> bytes:
        """-> e, es, s, ss. Gives the payload; raises Forged."""
        self._e_initiator, s, payload = message[:32], message[32:80], message[80:]
        self._state.mix_hash(self._e_initiator)
        self._state.mix_key(self._s, self._e_initiator)
        self.initiator = self._state.decrypt_and_hash(s)
        self._state.mix_key(self._s, self.initiator)
        return self._state.decrypt_and_hash(payload)

    def write(self, payload: bytes, ephemeral: bytes) -> bytes:
        """<- e, ee, se."""
        ours = X25519PrivateKey.from_private_bytes(ephemeral)
        e = ours.public_key().public_bytes_raw()
        self._state.mix_hash(e)
        self._state.mix_key(ours, self._e_initiator)
        self._state.mix_key(ours, self.initiator)
        return e + self._state.encrypt_and_hash(payload)

    def split(self) -> Ciphers:
        first, second = self._state.split()
        return Ciphers(sending=second, receiving=first)


def _expand(key: bytes, data: bytes) -> tuple[bytes, bytes]:
    """HKDF of section 4.3, with two outputs."""
    secret = hmac.digest(key, data, "sha256")
    first = hmac.digest(secret, b"\x01", "sha256")
    return first, hmac.digest(secret, first + b"\x02", "sha256")
