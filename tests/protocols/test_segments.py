"""A public table at a secret place, in one round: segments that are right or next to right."""

from itertools import pairwise

import numpy as np
import pytest

from protocols import local, ring
from protocols.prg import Prg, fresh_seed
from protocols.segments import MOST, SegmentMasks, grid, locate, reach
from protocols.shares import combine, split

RANGES = [(0, 0), (0, 1), (-5, 2), (-1000, 5000), (-(2**40), 2**40), (0, 2**61), (2**30, 2**31)]


def located(x, low, high, bits, count=2, preprocessing="dealer"):
    dealt = split(ring.from_int(x), count, Prg(fresh_seed()))
    parties = local.parties(count, preprocessing=preprocessing)
    return parties, local.run_all(parties, lambda p: locate(p, dealt[p.rank], low, high, bits))


def test_a_table_is_looked_up():
    _, found = located([3, 250, 990], 0, 1000, 4)
    tenths = [edge // 10 for edge in found[0].edges]
    assert np.abs(ring.to_int(combine([one.look_up(tenths)[0] for one in found])) - [0, 25, 99]).max() <= 7


@pytest.mark.parametrize("count", [2, 3, 5])
@pytest.mark.parametrize("bits", [1, 4, 7, 8])
@pytest.mark.parametrize(("low", "high"), RANGES)
def test_one_segment_is_found_and_its_edge_is_near(low, high, bits, count):
    x = np.unique(np.linspace(low, high, 500).astype(np.int64))
    parties, found = located(x, low, high, bits, count)
    one_hot = ring.to_int(combine([one.segments for one in found]))
    assert set(np.unique(one_hot)) <= {0, 1}
    assert (one_hot.sum(axis=0) == 1).all()
    offset = ring.to_int(combine([one.offset for one in found]))
    assert (x - offset == np.array(found[0].edges)[one_hot.argmax(axis=0)]).all()
    assert np.abs(offset).max() <= found[0].reach
    assert {party.rounds for party in parties} == {1}


@pytest.mark.parametrize("bits", [2, 6])
def test_segments_without_a_dealer(bits):
    x = np.linspace(-1000, 5000, 300).astype(np.int64)
    _, found = located(x, -1000, 5000, bits, preprocessing="ot")
    assert (combine([one.segments for one in found]).sum(axis=0) == 1).all()
    assert np.abs(ring.to_int(combine([one.offset for one in found]))).max() <= found[0].reach


@pytest.mark.parametrize(("low", "high", "bits"), [(0, 1, 0), (0, 1, MOST + 1), (1, 0, 3), (0, 7 << 61, 3), (0, -5, 3)])
def test_what_has_no_segments_is_refused(low, high, bits):
    with pytest.raises(ExceptionGroup) as refused:
        located([0], low, high, bits)
    assert refused.group_contains(ValueError, match="segments from")


@pytest.mark.parametrize(("low", "high"), RANGES)
def test_edges_cover_the_range(low, high):
    for bits in range(1, MOST + 1):
        edges, factor = grid(low, high, bits)
        assert (high - low) * factor < ((1 << bits) - 1) << 64 - bits
        assert edges[0] == low
        assert all(0 <= b - a <= reach(low, high, bits) for a, b in pairwise(edges))


def test_the_segment_on_either_side_is_found():
    """Which one depends on the mask: half-way both are as likely."""
    x = np.full(4000, 500)
    _, found = located(x, 0, 1000, 2)
    one_hot = combine([one.segments for one in found])
    counts = sorted(one_hot.sum(axis=1).tolist())
    assert counts[:2] == [0, 0]
    assert 1700 < counts[2] <= counts[3] < 2300


def test_what_is_opened_is_one_word_each_and_what_is_taken_one_mask():
    parties, _ = located(np.arange(7), 0, 10, 5)
    assert list(parties[0].taken) == [SegmentMasks((7,), 5)]
