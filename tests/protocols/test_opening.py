"""Opening masked values to all; disclosing results to some."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from protocols import local, ring
from protocols.opening import disclose, open_masked
from protocols.prg import Prg
from protocols.shares import Share, split

Q = 2**64
SEED = bytes(range(32))
words = st.sampled_from((0, 1, Q - 1, 2**62 - 1, Q - 2**62 + 1, 2**63)) | st.integers(0, Q - 1)
some = array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4)
counts = st.sampled_from([2, 3, 5])


def deal(x, count):
    return split(x, count, Prg(SEED))


def test_all_learn_what_is_opened():
    x = deal(ring.from_int([3, -3]), 3)
    for (opened,) in local.run(3, lambda p: open_masked(p, x[p.rank])):
        assert ring.to_int(opened).tolist() == [3, -3]


def test_only_receivers_learn_a_result():
    x = deal(ring.from_int([3, -3]), 3)
    nobody, first, second = local.run(3, lambda p: disclose(p, [1, 2], x[p.rank]))
    assert nobody is None
    assert ring.to_int(first[0]).tolist() == ring.to_int(second[0]).tolist() == [3, -3]


@settings(max_examples=40)
@given(st.data(), st.lists(some, max_size=3), counts)
def test_several_values_go_in_one_round(split_bits, data, shapes, count):
    xs = [data.draw(arrays(np.uint64, shape, elements=words)) for shape in shapes]
    bits = data.draw(st.lists(st.booleans(), min_size=len(xs), max_size=len(xs)))
    dealt = [split_bits(x, count) if bit else deal(x, count) for x, bit in zip(xs, bits, strict=True)]
    parties = local.parties(count, SEED)
    for opened in local.run_all(parties, lambda p: open_masked(p, *(parts[p.rank] for parts in dealt))):
        assert len(opened) == len(xs)
        for value, x in zip(opened, xs, strict=True):
            np.testing.assert_array_equal(value, x)
    assert {party.rounds for party in parties} == {1}


@settings(max_examples=40)
@given(st.data(), st.lists(some, min_size=1, max_size=3), counts)
def test_a_result_goes_to_its_receivers_only(data, shapes, count):
    xs = [data.draw(arrays(np.uint64, shape, elements=words)) for shape in shapes]
    to = data.draw(st.sets(st.integers(0, count - 1), min_size=1))
    dealt = [deal(x, count) for x in xs]
    parties = local.parties(count, SEED)
    results = local.run_all(parties, lambda p: disclose(p, to, *(parts[p.rank] for parts in dealt)))
    for rank, result in enumerate(results):
        assert (result is not None) == (rank in to)
        for value, x in zip(result or [], xs, strict=rank in to):
            np.testing.assert_array_equal(value, x)
    assert {message.receiver for party in parties for message in party.sent} <= to


@pytest.mark.parametrize("count", [2, 3, 5])
def test_a_disclosed_share_is_refreshed(count):
    """Neither what is sent nor the difference of two disclosures of one value is the share that is held."""
    x = deal(np.arange(6, dtype=np.uint64), count)
    parties = local.parties(count, SEED)
    local.run_all(parties, lambda p: [disclose(p, range(count), x[p.rank]) for _ in range(2)])
    for party in parties:
        first, second = (m.arrays[0] for m in party.sent if m.receiver == (party.rank + 1) % count)
        assert len(np.unique([x[party.rank].values, first, second])) == 18


@pytest.mark.parametrize("count", [2, 3, 5])
def test_all_receivers_of_a_disclosure_get_the_same_shares(count):
    x = deal(np.arange(6, dtype=np.uint64), count)
    parties = local.parties(count, SEED)
    local.run_all(parties, lambda p: disclose(p, range(count), x[p.rank]))
    for party in parties:
        assert len({message.arrays[0].tobytes() for message in party.sent}) == 1


def test_what_was_opened_may_be_written_to():
    x = deal(ring.from_int([5]), 2)
    before = [part.values.copy() for part in x]
    for opened, disclosed in local.run(2, lambda p: (open_masked(p, x[p.rank]), disclose(p, [0, 1], x[p.rank]))):
        opened[0] += np.uint64(1)
        disclosed[0] += np.uint64(1)
    np.testing.assert_array_equal(before, [part.values for part in x])


def test_a_view_is_sent_as_what_it_shows():
    x = np.arange(12, dtype=np.uint64).reshape(3, 4)
    parts = [part.T[::2].broadcast_to((2, 2, 3)) for part in deal(x, 2)]
    for (opened,) in local.run(2, lambda p: open_masked(p, parts[p.rank])):
        np.testing.assert_array_equal(opened, np.broadcast_to(x.T[::2], (2, 2, 3)))


@pytest.mark.parametrize("to", [[], [3], [-1], [0, 7]])
def test_receivers_that_are_no_parties_are_refused_before_anything_is_sent(to):
    parties = local.parties(3, SEED)
    with pytest.raises(ExceptionGroup) as info:
        local.run_all(parties, lambda p: disclose(p, to, Share(p.rank, np.ones(2, np.uint64))))
    assert {type(error) for error in info.value.exceptions} == {ValueError}
    assert not any(party.sent for party in parties)
