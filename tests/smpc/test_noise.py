"""The handshake and the sealed messages after it: a published vector, and everything that must not be opened."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from smpc.noise import FIRST_BYTES, NAME, SECOND_BYTES, Cipher, Forged, Initiator, Responder

VECTOR = json.loads((Path(__file__).parents[1] / "vectors" / "noise_ik.json").read_text(encoding="utf-8"))


def known(name):
    return bytes.fromhex(VECTOR[name])


MESSAGES = [{name: bytes.fromhex(text) for name, text in one.items()} for one in VECTOR["messages"]]
FIRST, SECOND, *LATER = MESSAGES
PROLOGUE = known("init_prologue")


def initiator(**other):
    its = {"prologue": PROLOGUE, "secret": known("init_static"), "responder": known("init_remote_static")} | other
    return Initiator(**its)


def responder(**other):
    return Responder(**({"prologue": known("resp_prologue"), "secret": known("resp_static")} | other))


def shaken():
    """Both after a handshake, as in the vector."""
    one, other = initiator(), responder()
    other.read(one.write(FIRST["payload"], known("init_ephemeral")))
    one.read(other.write(SECOND["payload"], known("resp_ephemeral")))
    return one, other


def test_the_published_vector():
    one, other = initiator(), responder()
    assert VECTOR["protocol_name"].encode() == NAME
    assert one.write(FIRST["payload"], known("init_ephemeral")) == FIRST["ciphertext"]
    assert other.read(FIRST["ciphertext"]) == FIRST["payload"]
    assert one._state.hash == other._state.hash == known("handshake_hash")
    assert other.write(SECOND["payload"], known("resp_ephemeral")) == SECOND["ciphertext"]
    assert one.read(SECOND["ciphertext"]) == SECOND["payload"]
    assert one._state.hash == other._state.hash == known("final_handshake_hash")
    ends = [one.split(), other.split()]
    for number, message in enumerate(LATER):
        sender, receiver = ends[number % 2], ends[1 - number % 2]
        assert sender.sending.seal(message["payload"]) == message["ciphertext"]
        assert receiver.receiving.open(message["ciphertext"]) == message["payload"]


def test_the_responder_learns_who_began():
    one, other = shaken()
    assert other.initiator == one._s.public_key().public_bytes_raw()


def test_messages_without_payload_have_the_stated_sizes():
    one, other = initiator(), responder()
    first = one.write(b"", bytes(31) + b"\x01")
    other.read(first)
    assert (len(first), len(other.write(b"", bytes(31) + b"\x02"))) == (FIRST_BYTES, SECOND_BYTES)


# What is not opened


def flipped(message):
    for bit in range(len(message) * 8):
        bad = bytearray(message)
        bad[bit // 8] ^= 1 << bit % 8
        yield bytes(bad)


def cut(message):
    return (message[:length] for length in range(len(message)))


BAD_FIRST = [
    *cut(FIRST["ciphertext"]),
    *flipped(FIRST["ciphertext"]),
    FIRST["ciphertext"] + b"\0",
    SECOND["ciphertext"],
]
BAD_SECOND = [*cut(SECOND["ciphertext"]), *flipped(SECOND["ciphertext"]), SECOND["ciphertext"] + b"\0", bytes(48)]


def test_no_other_first_message_is_read():
    for bad in BAD_FIRST:
        with pytest.raises(Forged):
            responder().read(bad)


def test_no_other_second_message_is_read():
    for bad in [*BAD_SECOND, FIRST["ciphertext"]]:
        one = initiator()
        one.write(FIRST["payload"], known("init_ephemeral"))
        with pytest.raises(Forged):
            one.read(bad)


@pytest.mark.parametrize("other", [{"prologue": b"other"}, {"secret": known("init_static")}])
def test_a_first_message_is_for_one_key_and_one_prologue(other):
    with pytest.raises(Forged):
        responder(**other).read(FIRST["ciphertext"])


def test_who_has_only_public_keys_cannot_answer():
    """Whoever answers must have the key that the first message was for: its own answer is not enough."""
    one, impostor = initiator(), responder(secret=known("init_ephemeral"))
    one.write(FIRST["payload"], known("init_ephemeral"))
    impostor.initiator = one._s.public_key().public_bytes_raw()
    impostor._e_initiator = one._e.public_key().public_bytes_raw()
    with pytest.raises(Forged):
        one.read(impostor.write(b"", known("resp_ephemeral")))


def test_a_first_message_said_again_gets_other_keys_which_only_its_author_can_know():
    """Nothing that is sent in one handshake can be opened in the other, in either direction."""
    before = [shaken()[0].split() for _ in range(2)]
    sent = before[0].sending.seal(b"hello")
    again = responder()
    again.read(FIRST["ciphertext"])
    again.write(b"", bytes(31) + b"\x07")
    ours = again.split()
    with pytest.raises(Forged):
        ours.receiving.open(sent)
    with pytest.raises(Forged):
        before[1].receiving.open(ours.sending.seal(b"hello"))


def test_who_has_the_responders_secret_cannot_be_somebody_else_towards_it():
    """Key compromise impersonation: the first message can be made up, nothing after it can be opened or sealed."""
    thief, known_key = known("resp_static"), initiator()._s.public_key().public_bytes_raw()
    forger = initiator()
    forger._s = _Pretender(known_key, thief)
    victim = responder()
    victim.read(forger.write(b"", known("init_ephemeral")))
    assert victim.initiator == known_key
    with pytest.raises(Forged):
        forger.read(victim.write(b"", known("resp_ephemeral")))


class _Pretender:
    """Somebody's key pair without the secret: ss is known from the other side's, and nothing else."""

    def __init__(self, public, secret_of_responder):
        from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

        self._public = X25519PublicKey.from_public_bytes(public)
        self._thief = X25519PrivateKey.from_private_bytes(secret_of_responder)

    def public_key(self):
        return self._public

    def exchange(self, theirs):
        if theirs.public_bytes_raw() == self._thief.public_key().public_bytes_raw():
            return self._thief.exchange(self._public)
        return bytes(32)


# The points of order 1, 2, 4 and 8, and what is equal to them modulo p: every result with them is zero.
P = 2**255 - 19
OF_ORDER_8 = (
    325606250916557431795983626356110631294008115727848805560023387167927233504,
    39382357235489614581723060781553021112529911719440698176882885853963445705823,
)
BAD_POINTS = [number.to_bytes(32, "little") for number in (0, 1, *OF_ORDER_8, P - 1, P, P + 1)]


@pytest.mark.parametrize("point", BAD_POINTS)
def test_points_that_make_no_secret_are_refused(point):
    with pytest.raises(Forged):
        initiator(responder=point).write(b"", known("init_ephemeral"))
    with pytest.raises(Forged):
        responder().read(point + FIRST["ciphertext"][32:])
    one = initiator()
    one.write(b"", known("init_ephemeral"))
    with pytest.raises(Forged):
        one.read(point + SECOND["ciphertext"][32:])


# Sealed messages


def pair():
    return Cipher(bytes(32)), Cipher(bytes(32))


def test_what_is_sealed_is_opened_in_its_order():
    sending, receiving = pair()
    for message in (b"", b"one", memoryview(b"two"), bytes(10**6)):
        assert receiving.open(memoryview(sending.seal(message))) == message


def test_pieces_are_sealed_as_what_they_make_together():
    in_pieces, whole = pair()
    for pieces in ([], [b""], [b"one"], [b"on", memoryview(b"e, "), b"", bytearray(10**6)]):
        assert bytes(in_pieces.seal_pieces(pieces)) == whole.seal(b"".join(pieces))


def test_what_has_reserved_its_place_is_opened_later_into_parts():
    sending, receiving = pair()
    first, second = (memoryview(sending.seal(message)) for message in (b"one and two", b"three"))
    receiving.reserve()
    assert receiving.open(second) == b"three"
    parts = bytearray(7), bytearray(4)
    with pytest.raises(ValueError, match="of its length"):
        receiving.open_into(first, parts[:1])
    receiving.open_into(first, parts)
    assert parts == (b"one and", b" two")
    with pytest.raises(Forged):
        receiving.open_into(first, parts)


def test_no_flipped_bit_and_no_other_place_is_opened_into_parts():
    sealed = pair()[0].seal(b"message")
    for number, bad in enumerate([*flipped(sealed), sealed]):
        receiving, part = pair()[1], bytearray(b"before ")
        if bad == sealed:
            receiving.open(sealed)
        receiving.reserve()
        with pytest.raises(Forged):
            receiving.open_into(memoryview(bad), [part])
        assert part == bytes(7), number
        with pytest.raises(Forged):
            receiving.seal(b"")


def test_what_cannot_be_opened_takes_nothing_back_that_came_before_it():
    sending, receiving = pair()
    sealed = [memoryview(sending.seal(bytes([number]))) for number in range(3)]
    receiving.reserve()
    receiving.reserve()
    with pytest.raises(Forged):
        receiving.open(bytes(17))
    with pytest.raises(Forged):
        receiving.reserve()
    for number in range(2):
        part = bytearray(b"?")
        receiving.open_into(sealed[number], [part])
        assert part == bytes([number])
        with pytest.raises(Forged):
            receiving.open(sealed[2])
    with pytest.raises(Forged):
        receiving.open_into(sealed[2], [bytearray(1)])


def test_one_that_cannot_be_opened_into_parts_is_the_last_of_all():
    sending, receiving = pair()
    sealed = [memoryview(sending.seal(bytes([number]))) for number in range(3)]
    receiving.reserve()
    receiving.reserve()
    for number in (1, 0, 1, 2):
        with pytest.raises(Forged):
            receiving.open_into(sealed[number], [bytearray(1)])
    with pytest.raises(Forged):
        receiving.open(sealed[2])


@pytest.mark.parametrize("order", [[1], [0, 0], [0, 2], [1, 0], [0, 2, 1]])
def test_a_message_that_is_left_out_repeated_or_moved_is_the_last(order):
    sending, receiving = pair()
    sealed = [sending.seal(bytes([number])) for number in range(4)]
    wrong = next(place for place, number in enumerate(order) if place != number)
    for number in order[:wrong]:
        receiving.open(sealed[number])
    for number in (order[wrong], *range(4)):
        with pytest.raises(Forged):
            receiving.open(sealed[number])


def test_every_flipped_bit_and_every_cut_is_refused():
    sealed = pair()[0].seal(b"message")
    for bad in [*flipped(sealed), *cut(sealed), sealed + b"\0"]:
        with pytest.raises(Forged):
            pair()[1].open(bad)


def test_what_ended_seals_nothing_more():
    cipher = pair()[0]
    with pytest.raises(Forged):
        cipher.open(bytes(16))
    with pytest.raises(Forged):
        cipher.seal(b"")
    with pytest.raises(Forged):
        cipher.seal_pieces([b""])


def test_a_message_of_mine_that_comes_back_is_refused():
    ends = shaken()[0].split()
    with pytest.raises(Forged):
        ends.receiving.open(ends.sending.seal(b"mine"))


def test_no_two_nonces_are_equal_and_none_is_left_out(monkeypatch):
    class Recorder:
        def __init__(self, key):
            self.nonces = []

        def encrypt(self, nonce, message, beside):
            self.nonces.append(nonce)
            return bytes(16)

    monkeypatch.setattr("smpc.noise.AESGCM", Recorder)
    cipher = Cipher(bytes(32))
    for _ in range(300):
        cipher.seal(b"")
    assert cipher._aead.nonces == [number.to_bytes(12, "big") for number in range(300)]


def test_nothing_secret_is_in_a_repr():
    one, other = shaken()
    for thing in (one, other, one.split(), other.split(), one._state):
        assert known("init_static").hex() not in repr(thing)
        assert "0x" in repr(thing)
