"""A secret and public constants: exact, also at the ends of what is allowed, and one opening for all of them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from protocols import digits, local, relations, ring
from protocols.digits import DigitMasks
from protocols.prg import Prg
from protocols.relations import below_each, equal_each, is_zero, one_hot
from protocols.shares import BitShare, Share, combine, combine_bits, split
from tests.protocols.tiny import Tiny, all_shares, leaks

SEED = bytes(range(32))
some = array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=3)
counts = st.sampled_from([2, 3, 5])


def run(x, program, count=2, preprocessing="dealer"):
    parts = split(ring.from_int(x), count, Prg(SEED))
    return combine(local.run(count, lambda p: program(p, parts[p.rank]), SEED, preprocessing))


def test_between_which_thresholds_a_number_is():
    assert run([5, 25, 10], lambda p, x: below_each(p, x, [10, 20])).tolist() == [[1, 1], [0, 0], [0, 1]]


def test_an_index_is_spread_over_its_places():
    assert run([2, 0], lambda p, x: one_hot(p, x, 3)).tolist() == [[0, 0, 1], [1, 0, 0]]


def test_equal_numbers_have_a_difference_of_zero():
    assert run([0, 3, -3], is_zero).tolist() == [1, 0, 0]


# Exact


def edges(bits):
    most = (1 << bits - 1) - 1
    return np.array([0, 1, -1, most, -most, most - 1, 1 - most, most // 3])


@pytest.mark.parametrize("count", [2, 3, 5])
@pytest.mark.parametrize("bits", [*range(1, 10), 15, 16, 17, 20, 32, 33, 48, 63, 64])
def test_zero_and_every_single_bit(count, bits):
    """All of few bits, of both signs; of many each single bit, so that each digit alone decides."""
    x = np.arange(1 << bits) if bits < 8 else np.array([0, *(1 << i for i in range(bits))], np.uint64).view(np.int64)
    x = np.concatenate([x, -x]).repeat(9)
    np.testing.assert_array_equal(run(x, lambda p, share: is_zero(p, share, bits), count), x == 0)


@pytest.mark.parametrize("count", [2, 3, 5])
@pytest.mark.parametrize("bits", [2, 3, 5, 16, 17, 33, 63])
def test_thresholds_at_the_ends_of_the_range(count, bits):
    """x and t have a bit less, so that differences fit."""
    x = np.append(edges(bits), -(1 << bits - 1)).repeat(9)
    limits = [-(1 << bits - 1), *edges(bits).tolist()]
    result = run(x, lambda p, share: below_each(p, share, limits, bits + 1), count)
    np.testing.assert_array_equal(result, x[:, None] < np.array(limits))


@pytest.mark.parametrize("preprocessing", ["dealer", "ot"])
def test_all_small_numbers_and_all_thresholds(preprocessing):
    x, limits = np.arange(-8, 8).repeat(5), range(-8, 9)
    result = run(x, lambda p, share: below_each(p, share, limits, 6), 2, preprocessing)
    np.testing.assert_array_equal(result, x[:, None] < np.array(limits))
    result = run(x, lambda p, share: equal_each(p, share, limits, 5), 2, preprocessing)
    np.testing.assert_array_equal(result, x[:, None] == np.array(limits))


@settings(max_examples=20)
@given(st.data(), some, counts, st.lists(st.integers(-(2**62), 2**62 - 1), max_size=4))
def test_any_numbers_and_any_thresholds(data, shape, count, constants):
    near = st.sampled_from([*constants, *(one + 1 for one in constants), *(one - 1 for one in constants), 0])
    x = data.draw(arrays(np.int64, shape, elements=near | st.integers(-(2**62), 2**62 - 1)))
    each = np.array(constants, np.int64)
    np.testing.assert_array_equal(run(x, lambda p, s: below_each(p, s, constants), count), x[..., None] < each)
    np.testing.assert_array_equal(run(x, lambda p, s: equal_each(p, s, constants), count), x[..., None] == each)


@pytest.mark.parametrize("count", [2, 3, 5])
@pytest.mark.parametrize("places", [1, 2, 3, 15, 16, 17, 100, 256, 257])
def test_every_index(count, places):
    result = run(np.arange(places), lambda p, x: one_hot(p, x, places), count)
    np.testing.assert_array_equal(result, np.eye(places))


@pytest.mark.parametrize("preprocessing", ["dealer", "ot"])
@pytest.mark.parametrize("count", [2, 3, 5])
def test_a_public_table_at_a_secret_index(count, preprocessing):
    table, x = np.arange(20, dtype=np.uint64) ** np.uint64(3), np.arange(20)[::-1].reshape(4, 5)
    result = run(x, lambda p, share: (one_hot(p, share, 20) * table).sum(axis=-1), count, preprocessing)
    np.testing.assert_array_equal(result, table[x])


# One opening


@pytest.mark.parametrize("constants", [0, 1, 5])
def test_a_mask_is_taken_once_for_all_constants(constants):
    parts = split(np.zeros((3, 2), np.uint64), 2, Prg(SEED))
    for program in (below_each, equal_each):
        parties = local.parties(2, SEED)
        local.run_all(parties, lambda p, one=program: one(p, parts[p.rank], range(constants), 32))
        assert [one for one in parties[0].taken if isinstance(one, DigitMasks)] == [DigitMasks((3, 2), 2)]
        assert parties[0].sent[0].arrays[0].shape == (3, 2)


def test_many_constants_under_one_mask_show_nothing_on_any_tape(monkeypatch):
    """In the ring of four elements, of one digit of two bits, up to what is looked up, which is fresh shares.

    What follows is operands of products and of daBits, which are enumerated in test_privacy.
    """
    equal, constants = digits.chosen(lambda c, j: c % 4 == j % 4), range(4)
    monkeypatch.setattr(digits, "one_hot", lambda r, words, whole=digits.one_hot: whole(r & np.uint64(3), words))

    def program(party, lanes, x):
        c, table = relations._open(party, Share(party.rank, x), constants, 1)
        return BitShare(party.rank, digits.look_up(table, c, equal)[..., 0].astype(np.uint64))

    def check(parties, results, mine, lanes):
        x = sum(column for (column,) in mine) % np.uint64(4)
        for value, found in zip(constants, lanes.columns(combine_bits(results)), strict=True):
            np.testing.assert_array_equal(found, x == value)

    for count in (2, 3):
        tiny = Tiny(count, 2, program, secrets=[(2, 0), (4, 0)], messages=[(2, 0)] * 2)
        assert leaks(tiny, all_shares(count, 2, 1), check=check) == []


@pytest.mark.parametrize(("places", "rounds"), [(16, 2), (17, 3), (256, 3), (257, 4)])
def test_few_places_take_few_rounds(places, rounds):
    parts = split(np.zeros(2, np.uint64), 2, Prg(SEED))
    parties = local.parties(2, SEED)
    local.run_all(parties, lambda p: one_hot(p, parts[p.rank], places))
    assert {party.rounds for party in parties} == {rounds}


def sizes(x, program):
    parts = split(ring.from_int(x), 2, Prg(SEED))
    parties = local.parties(2, SEED)
    local.run_all(parties, lambda p: program(p, parts[p.rank]))
    return [[(m.step, [a.shape for a in m.arrays]) for m in party.sent] for party in parties]


def test_messages_tell_nothing_by_their_sizes():
    for program in (is_zero, lambda p, x: below_each(p, x, [3, 4]), lambda p, x: one_hot(p, x, 9)):
        assert sizes([0, 0, 0], program) == sizes([0, 5, 8], program)


@pytest.mark.parametrize(
    "program",
    [
        lambda p, x: is_zero(p, x, 0),
        lambda p, x: is_zero(p, x, 65),
        lambda p, x: equal_each(p, x, [1], -1),
        lambda p, x: below_each(p, x, [1], 65),
        lambda p, x: one_hot(p, x, 0),
    ],
)
def test_bad_arguments_are_refused_before_anything_is_sent(program):
    parts = split(np.ones(2, np.uint64), 2, Prg(SEED))
    parties = local.parties(2, SEED)
    with pytest.raises(ExceptionGroup) as info:
        local.run_all(parties, lambda p: program(p, parts[p.rank]))
    assert {type(error) for error in info.value.exceptions} == {ValueError}
    assert not any(party.sent or party.taken for party in parties)
