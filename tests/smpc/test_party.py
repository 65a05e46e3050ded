"""What a program sees of its party: names and ranks, sharing, and what cannot be shared."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

import smpc
from protocols.errors import MessageError, PeerGone
from smpc.config import Column


def share(party, values, owner=0, bounds=None):
    """`values` of the party `owner`, who alone passes them."""
    mine = owner in (party.rank, party.name)
    return party.share(values if mine else None, owner, bounds)


def test_sharing():
    results = smpc.simulate(lambda party: party.share([1, 2] if party.rank == 1 else None, owner=1).reveal(), parties=3)
    for result in results:
        np.testing.assert_array_equal(result, [1, 2])


def test_who_a_party_is():
    seen = smpc.simulate(lambda p: (p.rank, p.name, p.count, p.names, p.fraction_bits, p.data), 3)
    names = ("party0", "party1", "party2")
    assert seen == [(rank, names[rank], 3, names, 20, None) for rank in range(3)]


@settings(max_examples=50)
@given(
    array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4).flatmap(
        lambda shape: arrays(np.int64, shape, elements=st.integers(1 - 2**62, 2**62 - 1))
    ),
    st.sampled_from([2, 3, 5]),
    st.data(),
)
def test_by_rank_or_name_of_any_shape(values, count, data):
    rank = data.draw(st.integers(0, count - 1))
    for owner in (rank, f"party{rank}"):
        for result in smpc.simulate(lambda p, owner=owner: share(p, values, owner, 2**62 - 1).reveal(), count):
            np.testing.assert_array_equal(result, values[()], strict=True)


@pytest.mark.parametrize(
    "values",
    [3, 2.5, True, np.float32(0.5), [1, 2], [[1.5], [2]], (1, 2.5), range(3), [], [[], []], np.zeros((0, 3))],
)
def test_whatever_numpy_takes_for_numbers(values):
    expected = np.asarray(values)
    for result in smpc.simulate(lambda p: share(p, values).reveal(), 2):
        np.testing.assert_array_equal(result, expected[()])
        assert np.shape(result) == expected.shape


def test_kind_and_shape_become_known_to_all():
    def program(party):
        whole, real = share(party, np.zeros((2, 3), int)), share(party, 0.5, "party1")
        return whole.shape, whole.bits, real.shape, real.bits, party.protocol.rounds

    assert smpc.simulate(program, 3) == [((2, 3), 0, (), 20, 2)] * 3


def test_views_of_the_owners_array_are_copied():
    """What the owner does to its array later changes nothing."""

    def program(party):
        mine = np.arange(6.0).reshape(2, 3)
        shared = share(party, mine.T[::-1])
        mine[:] = 7
        return shared.reveal()

    np.testing.assert_array_equal(smpc.simulate(program, 2)[0], np.arange(6.0).reshape(2, 3).T[::-1])


# What cannot be shared: an error at the owner that shows no value

BAD = {
    "None": (None, "the owner passes the values to share, the other parties None"),
    "NaN": ([8675309.0, np.nan], "not a finite number"),
    "infinite": ([8675309.0, -np.inf], "not a finite number"),
    "too large": ([2.0**42 + 8675309], r"a value is 2\^42 or more, beyond 20 fraction bits"),
    "too large an integer": ([2**62], r"an integer is 2\^62 or more"),
    "too small an integer": ([-(2**63)], r"an integer is 2\^62 or more"),
    "text": (["8675309"], "cannot be shared"),
    "objects": ([8675309, None], "cannot be shared"),
    "big integers": ([2**70], "cannot be shared"),
    "complex": ([8675309j], "cannot be shared"),
    "dates": (np.array(["2020-01-01"], "M8[D]"), "cannot be shared"),
    "nine axes": (np.zeros((1,) * 9), "cannot be shared"),
    "too many": (np.broadcast_to(np.int8(1), (1 << 16, 1 << 16)), "cannot be shared"),
}


@pytest.mark.parametrize(("values", "message"), BAD.values(), ids=BAD)
@pytest.mark.parametrize("owner", [0, "party1"])
def test_what_cannot_be_shared(values, message, owner):
    with pytest.raises(ValueError, match=message) as caught:
        smpc.simulate(lambda p: share(p, values, owner), 2)
    assert "8675309" not in str(caught.value)


@pytest.mark.parametrize("owner", [2, -1, "north", "", "party2", "0"])
def test_an_owner_that_is_no_party(owner):
    with pytest.raises(ValueError, match=r"no party is .*: it is one of party0, party1, or a rank below 2"):
        smpc.simulate(lambda p: p.share([1], owner), 2)


def test_ragged_lists_are_numpys_error():
    with pytest.raises(ValueError, match="inhomogeneous"):
        smpc.simulate(lambda p: share(p, [[1, 2], [3]]), 2)


# Bounds


@pytest.mark.parametrize(
    ("values", "bounds", "expected"),
    [
        ([1, 2], None, (-(2.0**24), 2.0**24)),
        ([1.5], None, (-16, 16)),
        ([1, 2], 2, (-2, 2)),
        ([1.5, 2.5], (1.5, 2.5), (1.5, 2.5)),
        ([0.3], (0.25, np.float32(0.75)), (0.25, 0.75)),
        ([3], np.array([2, 4]), (2, 4)),
        ([True], None, (0, 1)),
        (2**62 - 1, 2**62 - 1, (-(2.0**62), 2.0**62)),
        ([], (3, 4), (3, 4)),
    ],
)
def test_bounds_are_what_is_said(values, bounds, expected):
    assert smpc.simulate(lambda p: share(p, np.array(values), 0, bounds).bounds, 2) == [expected] * 2


@pytest.mark.parametrize(
    ("values", "bounds"), [([17.0], None), ([2**24 + 1], None), ([3, 8], (3, 7)), ([-1e-3], (0, 1)), ([9], 8.5)]
)
def test_values_out_of_bounds_are_refused_at_their_owner(values, bounds):
    with pytest.raises(ValueError, match=r"a value is not within .*: share it with wider bounds=") as caught:
        smpc.simulate(lambda p: share(p, values, 0, bounds), 2)
    assert str(values[-1]) not in str(caught.value)


@pytest.mark.parametrize("bounds", [(2, 1), (1, 2, 3), np.nan, (0, np.inf), (-np.inf, 3), -1])
def test_bounds_that_are_none(bounds):
    with pytest.raises(ValueError, match="bounds are the least and the largest value"):
        smpc.simulate(lambda p: share(p, [0], 0, bounds), 2)


@pytest.mark.parametrize("bounds", [2**62, (0, 1e30)])
def test_bounds_that_no_array_can_hold(bounds):
    with pytest.raises(smpc.RangeError, match="an array with these bounds"):
        smpc.simulate(lambda p: share(p, [0], 0, bounds), 2)


def test_parties_with_different_bounds_do_not_go_on():
    with pytest.raises((ExceptionGroup, MessageError)):
        smpc.simulate(lambda p: share(p, [0.5], 0, 1 + p.rank).reveal(), 2)


def test_the_manifests_ranges_are_bounds():
    columns = {"age": Column(range=(0, 120)), "name": Column()}

    def program(party):
        study = dataclasses.replace(party, columns=columns)
        with pytest.raises(ValueError, match="declares no range for a column 'name'"):
            study.bounds("name")
        with pytest.raises(ValueError, match="declares no range for a column 'height'"):
            study.bounds("height")
        return share(study, [34.5], 0, study.bounds("age")).bounds

    assert smpc.simulate(program, 2) == [(0, 120)] * 2


# What an owner that breaks the protocol can announce


@pytest.mark.parametrize(
    "header",
    [
        [2, 1, 3, 0, 0, 0, 0, 0, 0, 0],  # a number of fraction bits that nobody uses
        [21, 1, 3, 0, 0, 0, 0, 0, 0, 0],
        [20, 9, 1, 1, 1, 1, 1, 1, 1, 1],  # nine axes
        [20, 2**63, 1, 1, 1, 1, 1, 1, 1, 1],
        [20, 1, 3, 1, 0, 0, 0, 0, 0, 0],  # more lengths than axes
        [20, 1, 2**40, 0, 0, 0, 0, 0, 0, 0],  # larger than memory
        [20, 3, 2**32, 2**32, 2**32, 0, 0, 0, 0, 0],
        [20, 1, 2**64 - 1, 0, 0, 0, 0, 0, 0, 0],
    ],
)
def test_an_impossible_shape_is_refused_and_names_the_owner(header):
    def program(party):
        if party.rank == 0:
            return party.protocol.exchange("shape, bounds None", {1: [np.array(header, np.uint64)]}, {})
        return party.share(None, 0)

    with pytest.raises(MessageError, match="party0 announced an impossible shape") as caught:
        smpc.simulate(program, 2)
    assert caught.value.culprits == {0}


def test_parties_that_disagree_about_the_owner():
    """Each believes that it is the owner; neither takes the other's message for an answer."""
    with pytest.raises((ExceptionGroup, MessageError)) as caught:
        smpc.simulate(lambda p: p.share([1], owner=p.rank).reveal(), 2)
    errors = caught.value.exceptions if isinstance(caught.value, ExceptionGroup) else [caught.value]
    assert {type(error) for error in errors} <= {MessageError, PeerGone}
