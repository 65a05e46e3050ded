"""Private values to shares, without a message."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from protocols import inputs, local, ring
from protocols.prg import Prg
from protocols.shares import combine

Q = 2**64
SEED = bytes(range(32))
words = st.sampled_from((0, 1, Q - 1, 2**62 - 1, Q - 2**62 + 1, 2**63)) | st.integers(0, Q - 1)
some = array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4)
counts = st.sampled_from([2, 3, 5])


def share(x, owner, count, seed=SEED):
    return local.run(count, lambda p: inputs.share(p, x if p.rank == owner else None, owner, x.shape), seed)


def test_an_owner_shares_what_it_knows():
    x = ring.from_int([7, -7])
    assert combine(share(x, 1, 3)).tolist() == x.tolist()


@settings(max_examples=30)
@given(st.data(), some, counts)
def test_shares_add_up_to_the_input(data, shape, count):
    x = data.draw(arrays(np.uint64, shape, elements=words))
    parts = share(x, data.draw(st.integers(0, count - 1)), count)
    assert [part.rank for part in parts] == list(range(count))
    np.testing.assert_array_equal(combine(parts), x)


@settings(max_examples=30)
@given(some, counts)
def test_zero_is_zero(shape, count):
    parts = local.run(count, lambda p: inputs.zero(p, shape), SEED)
    np.testing.assert_array_equal(combine(parts), np.zeros(shape, np.uint64))
    assert len({part.values.tobytes() for part in parts}) == count or 0 in shape


@settings(max_examples=30)
@given(st.data(), some, counts)
def test_total_is_the_sum_of_what_all_know(data, shape, count):
    xs = [data.draw(arrays(np.uint64, shape, elements=words)) for _ in range(count)]
    parts = local.run(count, lambda p: inputs.total(p, xs[p.rank]), SEED)
    np.testing.assert_array_equal(combine(parts), sum(xs, np.zeros(shape, np.uint64)))


@pytest.mark.parametrize("count", [2, 3, 5])
@pytest.mark.parametrize("owner", [0, 1])
def test_what_others_hold_does_not_depend_on_the_input(count, owner):
    zero, one = (share(np.full(9, value, np.uint64), owner, count) for value in (0, 1))
    for rank in set(range(count)) - {owner}:
        np.testing.assert_array_equal(zero[rank].values, one[rank].values)


@pytest.mark.parametrize("count", [2, 3, 5])
def test_every_sharing_is_fresh(count):
    def program(party):
        return [inputs.zero(party, (4,)), inputs.zero(party, (4,)), inputs.total(party, np.zeros(4, np.uint64))]

    for first, second, third in local.run(count, program, SEED):
        assert len(np.unique([first.values, second.values, third.values])) == 12


def test_an_array_that_is_shared_may_be_changed_afterwards():
    x = np.ones(3, np.uint64)
    parts = share(x, 0, 2)
    totals = local.run(2, lambda p: inputs.total(p, x), SEED)
    x += np.uint64(5)
    assert combine(parts).tolist() == [1, 1, 1]
    assert combine(totals).tolist() == [2, 2, 2]


def test_the_construction_is_that_of_the_docstring():
    """z_i = Σ_{j>i} PRG(k_ij) - Σ_{j<i} PRG(k_ij), from streams made by hand."""
    keys = {(i, j): bytes([16 * i + j]) * 32 for i in range(3) for j in range(i + 1, 3)}
    parties = local.parties(3, SEED)
    for party in parties:
        others = set(range(3)) - {party.rank}
        party.streams = {peer: Prg(keys[min(party.rank, peer), max(party.rank, peer)]) for peer in others}
    zeros = local.run_all(parties, lambda p: inputs.zero(p, (5,)))
    k01, k02, k12 = (Prg(key).ring((5,)) for key in keys.values())
    expected = [k01 + k02, k12 - k01, np.uint64(0) - k02 - k12]
    np.testing.assert_array_equal([z.values for z in zeros], expected)


@pytest.mark.parametrize("bad", [None, np.ones(2, np.uint64), np.ones((3, 1), np.uint64)])
def test_an_owner_without_the_announced_array_is_refused(bad):
    def program(party):
        return inputs.share(party, bad if party.rank == 0 else None, 0, (3,))

    parties = local.parties(2, SEED)
    with pytest.raises(ExceptionGroup) as info:
        local.run_all(parties, program)
    (error,) = info.value.exceptions
    assert isinstance(error, ValueError)
    assert "shares an array of shape (3,)" in str(error)
    assert parties[0].common(1).position == 0


@pytest.mark.parametrize("bad", [np.ones(3), np.ones(3, np.int64)])
def test_what_is_no_array_of_ring_elements_is_refused(bad):
    """float64 would round the sum of input and masks: a wrong number, and masks that hide less."""
    for program in (
        lambda p: inputs.share(p, bad if p.rank == 0 else None, 0, (3,)),
        lambda p: inputs.total(p, bad),
    ):
        with pytest.raises(ExceptionGroup) as info:
            local.run(2, program, SEED)
        assert {type(error) for error in info.value.exceptions} <= {TypeError, ValueError}


@pytest.mark.parametrize("owner", [-1, 3])
def test_an_owner_that_is_no_party_is_refused(owner):
    with pytest.raises(ExceptionGroup) as info:
        local.run(3, lambda p: inputs.share(p, None, owner, (3,)), SEED)
    assert {type(error) for error in info.value.exceptions} == {ValueError}
