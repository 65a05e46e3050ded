"""The hash of blocks into pads: known answers, pieces, tweaks, uniformity."""

from collections import Counter
from itertools import permutations

import numpy as np
import pytest

from protocols import crhash_gkwy20, local, pieces, transfers
from protocols.binary import WordTriple
from protocols.conversion import DaBits
from protocols.crhash_gkwy20 import Hash
from protocols.digits import DigitMasks
from protocols.ot_pairs import connect
from protocols.prg import Prg
from tests.correlations import element_triple, matrix_triple, renumbered
from tests.protocols.test_uniformity import assert_uniform

KEY = bytes(range(16))
BLOCKS = Prg(bytes(32)).ring((200, 2))


def test_a_block_becomes_as_many_words_as_are_asked_for():
    assert Hash(KEY).pads(BLOCKS, first=0, words=3).shape == (200, 3)


def test_frozen_vectors(vectors):
    for v in vectors("ot_hash"):
        pads = Hash(bytes.fromhex(v["key"])).pads(np.array(v["blocks"], np.uint64), v["first"], v["words"])
        assert pads.tolist() == v["pads"]


@pytest.mark.parametrize("words", [1, 2, 3, 8])
def test_pads_of_one_length_begin_those_of_another(words):
    long = Hash(KEY).pads(BLOCKS, 5, 9)
    np.testing.assert_array_equal(Hash(KEY).pads(BLOCKS, 5, words), long[:, :words])


@pytest.mark.parametrize("piece", [1, 7, 199, 200, 201])
@pytest.mark.parametrize("words", [1, 4, 5])
def test_pieces_do_not_matter(monkeypatch, piece, words):
    whole = Hash(KEY).pads(BLOCKS, 5, words)
    monkeypatch.setattr(crhash_gkwy20, "_PIECE", piece)
    np.testing.assert_array_equal(Hash(KEY).pads(BLOCKS, 5, words), whole)


def test_calls_in_parts_go_on_counting():
    parts = [Hash(KEY).pads(BLOCKS[at : at + 40], 7 + at, 3) for at in range(0, 200, 40)]
    np.testing.assert_array_equal(np.concatenate(parts), Hash(KEY).pads(BLOCKS, 7, 3))


def test_blocks_need_not_be_contiguous():
    wide = np.zeros((200, 4), np.uint64)
    wide[:, ::2] = BLOCKS
    np.testing.assert_array_equal(Hash(KEY).pads(wide[:, ::2], 0, 2), Hash(KEY).pads(BLOCKS, 0, 2))
    assert Hash(KEY).pads(BLOCKS[:0], 0, 2).shape == (0, 2)


def test_one_block_under_other_numbers_keys_and_words_has_other_pads():
    same = np.zeros((200, 2), np.uint64)
    pads = [Hash(key).pads(same, first, 5) for key in (KEY, bytes(16)) for first in (0, 200)]
    assert len(np.unique(pads)) == 4 * 200 * 5


def test_blocks_are_left_as_they_are():
    before = BLOCKS.copy()
    Hash(KEY).pads(BLOCKS, 0, 3)
    np.testing.assert_array_equal(BLOCKS, before)


@pytest.mark.parametrize("delta", [[1, 0], [0, 1 << 63], [2**64 - 1, 2**64 - 1]])
def test_pads_of_correlated_blocks_are_uniform_and_independent(delta):
    """The two pads of each transfer, and their difference, for blocks that only count and one Δ for all."""
    blocks = np.zeros((1 << 13, 2), np.uint64)
    blocks[:, 0] = np.arange(1 << 13)
    p = Hash(KEY).pads(blocks, 0, 2)
    q = Hash(KEY).pads(blocks ^ np.array(delta, np.uint64), 0, 2)
    for pads in (p, q, p ^ q, p - q):
        assert_uniform(pads)


# In a run


@pytest.mark.parametrize("count", [2, 3])
def test_no_two_transfers_of_a_run_have_a_key_and_a_number_in_common(monkeypatch, count):
    """Also where flights and pieces end: a receiver hashes each number once, a sender twice, for p and q."""
    hashed = {}
    pads = Hash.pads

    def noted(self, blocks, first, words):
        hashed.setdefault(self, Counter()).update(range(first, first + len(blocks)))
        return pads(self, blocks, first, words)

    monkeypatch.setattr(Hash, "pads", noted)
    monkeypatch.setattr(transfers, "_FLIGHT_WORDS", 5)
    monkeypatch.setattr(pieces, "_PIECE", 7)
    parties = local.parties(count, bytes(32), "ot")
    kinds = renumbered(
        [
            element_triple((17,)),
            WordTriple((9,)),
            matrix_triple(3, 1, 2),
            DaBits((20,), 7),
            DigitMasks((11,)),
            matrix_triple(2, 2, 2, (1, 0)),
        ]
    )
    local.run_all(parties, lambda party: [party.take(kind) for kind in kinds])
    for party in parties:
        for pair in party.dealerless._runner._pairs.values():
            for side, times in enumerate((1, 2)):
                assert set(hashed[pair.hashes[side]].values()) == {times}
                assert hashed[pair.hashes[side]].keys() == set(range(pair.counts[side]))


def test_every_direction_of_every_pair_and_every_run_has_a_key_of_its_own():
    """The same at both ends."""
    pads = set()
    for context in (b"one", b"two"):
        parties = local.parties(3, bytes(32), "ot")
        pairs = local.run_all(parties, lambda party, run=context: connect(party.offline, run, party.stream))
        for one, two in permutations(range(3), 2):
            receiver, sender = pairs[one][two].hashes[0], pairs[two][one].hashes[1]
            np.testing.assert_array_equal(receiver.pads(BLOCKS, 0, 1), sender.pads(BLOCKS, 0, 1))
            pads.add(receiver.pads(BLOCKS, 0, 1).tobytes())
    assert len(pads) == 2 * 6
