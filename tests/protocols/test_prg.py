"""Streams of masks: known answers, uniformity, forks."""

import hmac
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from protocols import ring
from protocols.prg import SEED_BYTES, Prg, derive, fresh_seed

SEED = bytes(range(32))

# NIST SP 800-38A, F.5.1, CTR-AES128.Encrypt
NIST_KEY = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c")
NIST_COUNTER = 0xF0F1F2F3F4F5F6F7F8F9FAFBFCFDFEFF
NIST_PLAIN = bytes.fromhex(
    "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
    "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"
)
NIST_CIPHER = bytes.fromhex(
    "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff"
    "5ae4df3edbd5d35e5b4f09020db03eab1e031dda2fbe03d1792170a0f3009cee"
)

# RFC 5869, appendix A: input key, salt, info, output
HKDF_VECTORS = [
    (
        "0b" * 22,
        "000102030405060708090a0b0c",
        "f0f1f2f3f4f5f6f7f8f9",
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
    ),
    (
        "0b" * 22,
        "",
        "",
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
    ),
]


def test_a_seed_fixes_the_stream():
    a, b = Prg(SEED), Prg(SEED)
    np.testing.assert_array_equal(a.ring((2, 3)), b.ring((2, 3)))
    assert a.position == 6


# The construction, a second time: from single blocks of AES and from HMAC


def counter_mode(key: bytes, counter: int) -> Iterator[bytes]:
    block = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    while True:
        yield block.update(counter.to_bytes(16, "big"))
        counter += 1


def hkdf(secret: bytes, salt: bytes, info: bytes, size: int) -> bytes:
    key, block, out = hmac.digest(salt or bytes(32), secret, "sha256"), b"", b""
    for i in range(1, 256):
        block = hmac.digest(key, block + info + bytes([i]), "sha256")
        out += block
        if len(out) >= size:
            break
    return out[:size]


def test_the_second_construction_has_the_published_answers():
    stream = b"".join(islice(counter_mode(NIST_KEY, NIST_COUNTER), 4))
    assert bytes(map(int.__xor__, stream, NIST_PLAIN)) == NIST_CIPHER
    for secret, salt, info, output in HKDF_VECTORS:
        assert hkdf(*map(bytes.fromhex, (secret, salt, info)), len(output) // 2).hex() == output


@pytest.mark.parametrize("seed", [bytes(32), SEED, b"\xff" * 32])
def test_the_stream_is_aes_in_counter_mode_under_a_derived_key(seed):
    key = hkdf(seed, b"", b"smpc 1 " + b"\x00\x06stream", 32)[:16]
    expected = b"".join(islice(counter_mode(key, 0), 500))
    assert ring.to_bytes(Prg(seed).ring((1000,))) == expected


@given(st.binary(min_size=32, max_size=32), st.text(st.characters(codec="ascii"), max_size=20), st.binary())
def test_derivation_is_hkdf_with_purpose_and_context(seed, purpose, context):
    label = purpose.encode()
    info = b"smpc 1 " + len(label).to_bytes(2, "big") + label + context
    assert derive(seed, purpose, context) == hkdf(seed, b"", info, 32)


def test_frozen_vectors(vectors):
    frozen = vectors("prg")
    for v in frozen["derive"]:
        seed, context = bytes.fromhex(v["seed"]), bytes.fromhex(v["context"])
        assert derive(seed, v["purpose"], context).hex() == v["derived"]
    for v in frozen["stream"]:
        assert Prg(bytes.fromhex(v["seed"])).ring((9,)).tolist() == v["elements"]


def test_frozen_vectors_to_refuse(vectors):
    for v in vectors("prg")["reject"]:
        with pytest.raises(ValueError, match="a seed has 32 bytes"):
            Prg(bytes.fromhex(v["seed"]))


# Laws


@given(st.lists(st.integers(0, 9)))
def test_pieces_of_any_size_are_one_stream(sizes):
    prg = Prg(SEED)
    pieces = [prg.ring((size,)) for size in sizes]
    whole = Prg(SEED).ring((sum(sizes),))
    assert [x for piece in pieces for x in piece.tolist()] == whole.tolist()
    assert prg.position == sum(sizes)


def test_purpose_and_context_do_not_run_into_each_other():
    splits = ["ab"[:i] for i in range(3)]
    assert len({derive(SEED, purpose, b"ab"[len(purpose) :]) for purpose in splits}) == 3


def test_one_bit_of_a_seed_changes_everything():
    seeds = [(1 << i).to_bytes(32, "big") for i in range(256)]
    words = np.stack([Prg(seed).ring((4,)) for seed in seeds])
    assert len(np.unique(words)) == words.size
    flipped = [(a ^ b).bit_count() for a, b in pairwise(words.ravel().tolist())]
    assert abs(sum(flipped) - 32 * len(flipped)) < 4 * (16 * len(flipped)) ** 0.5


def test_no_block_comes_twice():
    words = Prg(SEED).ring((1 << 18, 2))
    blocks = words.view([("high", "<u8"), ("low", "<u8")]).ravel()
    assert len(np.unique(blocks)) == 1 << 18


def test_fresh_seeds_are_whole_and_differ():
    seeds = {fresh_seed() for _ in range(100)}
    assert len(seeds) == 100
    assert {len(seed) for seed in seeds} == {SEED_BYTES}


def test_what_is_drawn_may_be_written_to():
    x = Prg(SEED).ring((3,))
    x ^= x
    assert x.tolist() == [0, 0, 0]


def test_a_stream_does_not_print_its_seed():
    prg = Prg(b"\xab" * 32)
    prg.ring((3,))
    assert repr(prg) == str(prg) == "Prg(position=3)"


FORK = """
import os, sys
from protocols.errors import ForkError
from protocols.prg import Prg

prg = Prg(bytes(32))
first = prg.ring((1,))
child = os.fork()
if not child:
    try:
        prg.ring((1,))
    except ForkError as error:
        os._exit(7 if prg.position == 1 and "fork" in str(error) else 8)
    os._exit(9)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
assert Prg(bytes(32)).ring((2,)).tolist() == [*first, *prg.ring((1,))]
"""


def test_a_draw_in_a_forked_child_raises_and_the_parent_goes_on():
    root = Path(__file__).parent.parent.parent
    subprocess.run([sys.executable, "-W", "error", "-c", FORK], cwd=root, check=True, timeout=60)
