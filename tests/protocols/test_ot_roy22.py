"""The extension: known answers, its law, all tapes of a nibble, and what one wrong bit does.

Privacy is exhaustive. An extension is 32 independent nibbles, and works bit by bit: for each transfer and nibble the
receiver has 16 bits, one of each leaf, and sends one, c = u ⊕ b. The real code runs here on leaves that are the 2^16
possible tapes side by side, for every δ and both choices, so that what a sender sees (δ, 15 bits, c) is counted.
"""

import numpy as np
import pytest

from protocols import local
from protocols.local import LocalPeers
from protocols.ot_ggm86 import LEAVES, sides
from protocols.ot_roy22 import NIBBLES, Receiver, Sender, fold
from protocols.prg import Prg, derive
from protocols.shares import combine
from tests.correlations import element_triple

SEED = bytes(range(32))


def extension(seed, nibbles):
    """Both ends, from the same leaves."""

    def leaves():
        return [[Prg(derive(seed, "leaf", bytes([i, x]))) for x in range(LEAVES)] for i in range(NIBBLES)]

    missing = [
        [None if x == d else leaf for x, leaf in enumerate(row)] for d, row in zip(nibbles, leaves(), strict=True)
    ]
    return Receiver(leaves()), Sender(nibbles, missing)


def bits_of(words):
    return np.unpackbits(np.ascontiguousarray(words, "<u8").view(np.uint8), bitorder="little")


def test_blocks_differ_by_delta_where_the_choice_is_one():
    receiver, sender = extension(SEED, [i % 16 for i in range(32)])
    choices = np.array([0b101], np.uint64)
    corrections, t = receiver.choose(choices)
    q = sender.accept(corrections)
    assert (q[0, 0] == t[0, 0] ^ sender.delta).all()
    assert (q[1, 0] == t[1, 0]).all()
    assert (q[2, 0] == t[2, 0] ^ sender.delta).all()


def test_frozen_vectors(vectors):
    for v in vectors("ot_extension"):
        receiver, sender = extension(bytes.fromhex(v["seed"]), v["nibbles"])
        corrections, t = receiver.choose(np.array(v["choices"], np.uint64))
        assert corrections.tolist() == v["corrections"]
        assert t.tolist() == v["t"]
        assert sender.accept(corrections).tolist() == v["q"]
        assert sender.delta.tolist() == v["delta"]


DELTAS = [[0] * 32, [15] * 32, [i % 16 for i in range(32)], [int(v) & 15 for v in Prg(SEED).ring((32,))]]


@pytest.mark.parametrize("nibbles", DELTAS)
@pytest.mark.parametrize("n", [0, 1, 2, 3, 515])
def test_q_is_t_plus_choice_times_delta(nibbles, n):
    receiver, sender = extension(SEED, nibbles)
    for part in range(2):  # the second goes on where the first ended
        choices = Prg(bytes([part]) * 32).ring((n,))
        corrections, t = receiver.choose(choices)
        q = sender.accept(corrections)
        assert (corrections.shape, t.shape, q.shape) == ((32, n), (64, n, 2), (64, n, 2))
        b = (choices >> np.arange(64, dtype=np.uint64)[:, None]) & np.uint64(1)
        np.testing.assert_array_equal(q, t ^ (np.uint64(0) - b)[..., None] & sender.delta)


def test_calls_in_parts_are_other_transfers():
    receiver, _ = extension(SEED, [0] * 32)
    blocks = [receiver.choose(np.zeros(2, np.uint64))[1].reshape(-1, 2) for _ in range(3)]
    assert len(np.unique(np.concatenate(blocks), axis=0)) == 3 * 128


def test_delta_is_its_nibbles_from_the_lowest():
    _, sender = extension(SEED, [*range(16), *range(16)])
    assert [hex(word) for word in sender.delta.tolist()] == ["0xfedcba9876543210"] * 2


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_folding_sums_all_rows_and_for_each_bit_those_that_have_it(k):
    rows, planes = Prg(SEED).ring((1 << k, 7)), np.empty((k, 7), np.uint64)
    before = rows.copy()
    total = fold(rows, planes)
    np.testing.assert_array_equal(total, np.bitwise_xor.reduce(before))
    for bit in range(k):
        some = [before[x] for x in range(1 << k) if x >> bit & 1]
        np.testing.assert_array_equal(planes[bit], np.bitwise_xor.reduce(some))
    np.testing.assert_array_equal(rows, before)


# Privacy, on all tapes


def views(tapes, k, delta, sent):
    """How often the sender sees each of (the bits of all leaves but δ, c); `tapes`: a number of 2^k bits each."""
    known = tapes & ~(1 << delta)
    return np.bincount(known * 2 + sent, minlength=2 << (1 << k))


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_a_correction_shows_nothing_of_the_choice_in_smaller_fields(k):
    tapes = np.arange(1 << (1 << k))
    rows = np.stack([(tapes >> x & 1).astype(np.uint64) for x in range(1 << k)])
    u = fold(rows, np.empty((k, len(tapes)), np.uint64)).astype(np.int64)
    for delta in range(1 << k):
        np.testing.assert_array_equal(views(tapes, k, delta, u ^ 0), views(tapes, k, delta, u ^ 1))


class Tape:
    """Stands for a leaf: bit x of all 2^16 numbers, 64 to a word."""

    def __init__(self, x):
        self.x = x

    def fill(self, out):
        numbers = np.arange(1 << 16, dtype=np.uint64)
        out[:] = np.packbits((numbers >> np.uint64(self.x) & np.uint64(1)).astype(np.uint8), bitorder="little").view(
            "<u8"
        )


def run_on_all_tapes(choice):
    """The corrections, blocks and δs of 32 nibbles that have every δ twice, on all tapes."""
    nibbles = [*range(16), *range(16)]
    receiver = Receiver([[Tape(x) for x in range(LEAVES)] for _ in nibbles])
    sender = Sender(nibbles, [[None if x == delta else Tape(x) for x in range(LEAVES)] for delta in nibbles])
    corrections, t = receiver.choose(np.full(1 << 10, choice * (2**64 - 1), np.uint64))
    return corrections, t, sender.accept(corrections), sender


def test_a_correction_shows_nothing_of_the_choice():
    tapes = np.arange(1 << 16)
    zero, one = run_on_all_tapes(0)[0], run_on_all_tapes(1)[0]
    for nibble in range(NIBBLES):
        seen = [views(tapes, 4, nibble % 16, bits_of(sent[nibble])) for sent in (zero, one)]
        np.testing.assert_array_equal(*seen)
        assert seen[0].max() == 1  # each view from one tape: the missing bit makes c what it is


@pytest.mark.parametrize("choice", [0, 1])
def test_blocks_fit_on_all_tapes(choice):
    _, t, q, sender = run_on_all_tapes(choice)
    np.testing.assert_array_equal(q, t ^ sender.delta * np.uint64(choice))


def test_a_receiver_sees_nothing():
    """It is sent nothing, and what it has does not depend on Δ; its blocks are the same for all."""
    blocks = [extension(SEED, nibbles)[0].choose(np.arange(3, dtype=np.uint64))[1] for nibbles in DELTAS]
    assert all((one == blocks[0]).all() for one in blocks)


def test_a_correction_without_one_leaf_is_caught():
    """u that leaves out leaf 3 is known to a sender who misses that one."""
    tapes = np.arange(1 << 16)
    u = sum(tapes >> x & 1 for x in range(LEAVES) if x != 3) & 1
    leaking = [d for d in range(16) if (views(tapes, 4, d, u) != views(tapes, 4, d, u ^ 1)).any()]
    assert leaking == [3]


def test_one_tape_for_two_choices_is_caught():
    tapes = np.arange(1 << 16)
    u = sum(tapes >> x & 1 for x in range(LEAVES)) & 1
    seen = [np.bincount(((tapes & ~1) * 2 + (u ^ b)) * 2 + (u ^ 1), minlength=1 << 18) for b in (0, 1)]
    assert (seen[0] != seen[1]).any()


# One wrong bit, which nothing notices: the limit that the module states


class Flipping(LocalPeers):
    """Flips one bit of one message on its way out."""

    def __init__(self, peers, number, index):
        super().__init__(peers.rank, peers.count, peers.mailboxes)
        self.number, self.index = number, index

    def post(self, step, send, receive):
        if self.rounds == self.number:
            ((peer, (array,)),) = send.items()
            array = array.copy()
            array[self.index] ^= np.uint64(1)
            send = {peer: [array]}
        return super().post(step, send, receive)


def triples_with(number=None, index=None):
    """128 triples of two parties of which party 1 flips bit 0 of a word; which are wrong. And the parties."""
    parties = local.parties(2, SEED, "ot")
    if number is not None:
        parties[1].offline = Flipping(parties[1].offline, number, index)
    parts = local.run_all(parties, lambda party: party.take(element_triple((128,))))
    a, b, c = (combine(column) for column in zip(*parts, strict=True))
    return np.flatnonzero(a * b != c).tolist(), parties, parts


SUMS, CHOICES, PAYLOADS = 2, 3, 4  # rounds after the first


@pytest.fixture(scope="module")
def secrets():
    """Of an honest run from the same seed: party 0's Δ as nibbles, party 0's b."""
    wrong, parties, parts = triples_with()
    assert wrong == []
    delta = parties[0].dealerless._runner._pairs[1].sender.delta
    return [int(word) >> 4 * i & 15 for word in delta for i in range(16)], parts[0][1].values


def test_the_docstring_states_that_nothing_notices():
    from protocols import ot_roy22

    text = " ".join(ot_roy22.__doc__.split())
    assert (
        "one bit that is wrong in any message, makes a wrong q_j and so a wrong correlation, WHICH NOTHING NOTICES"
        in text
    )


@pytest.mark.parametrize("nibble", range(0, NIBBLES, 5))
def test_a_wrong_bit_of_a_correction_makes_one_triple_wrong_and_nobody_notices(secrets, nibble):
    """The one that takes the transfer; unless the sender's δ of the nibble is zero, when the bit is not used."""
    wrong, _, _ = triples_with(CHOICES, (nibble, 77))
    assert wrong == ([77] if secrets[0][nibble] else [])


@pytest.mark.parametrize("element", [0, 1, 2, 3, 64, 127])
def test_a_wrong_bit_of_a_payload_makes_one_triple_wrong_and_nobody_notices(secrets, element):
    """Unless the receiver's bit is zero, when it does not look."""
    wrong, _, _ = triples_with(PAYLOADS, (element,))
    assert wrong == ([element] if int(secrets[1][element]) & 1 else [])


@pytest.mark.parametrize("base", [0, 3, 42, 127])
@pytest.mark.parametrize("side", [0, 1])
def test_a_wrong_bit_of_a_sum_spoils_a_tree_and_nobody_notices(secrets, base, side):
    """If it is of the sum that the picker opens: then at least one of its leaves is wrong, and so are all triples."""
    wrong, _, _ = triples_with(SUMS, (base, side, 0))
    opened = [side for nibble in secrets[0] for side in sides(nibble)]
    assert len(wrong) == (128 if opened[base] == side else 0)
