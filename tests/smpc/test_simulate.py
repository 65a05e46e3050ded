"""All parties as threads of one process: results by rank, and whose errors are raised."""

from __future__ import annotations

import threading
import traceback

import numpy as np
import pytest

import smpc
from protocols.errors import MessageError, PeerGone
from smpc.errors import ReleaseRefused


def test_the_program_of_the_documentation():
    def program(party: smpc.Party) -> np.ndarray:
        ages = party.share([34, 51] if party.rank == 0 else None, owner=0)
        doses = party.share([1.5, 2.0] if party.rank == 1 else None, owner=1)
        return (ages * doses).sum().reveal()

    assert smpc.simulate(program, parties=3) == [153.0] * 3


@pytest.mark.parametrize("count", [2, 3, 5, 8])
def test_results_are_in_rank_order(count):
    assert smpc.simulate(lambda party: (party.rank, party.count), count) == [(rank, count) for rank in range(count)]


def test_three_parties_if_not_said():
    assert len(smpc.simulate(lambda party: None)) == 3


def test_randomness_is_fresh_each_time():
    shares = [
        smpc.simulate(lambda p: p.share(np.zeros(4, int) if p.rank == 0 else None, 0).share.values, 2)[1]
        for _ in range(2)
    ]
    assert not (shares[0] == shares[1]).any()


def test_one_simulation_inside_another():
    def inner(party):
        return party.share(2 if party.rank == 0 else None, 0).reveal()

    assert smpc.simulate(lambda _: sum(smpc.simulate(inner, 2)), 2) == [4, 4]


@pytest.mark.parametrize("count", [-1, 0, 1])
def test_it_takes_two(count):
    with pytest.raises(ValueError, match=f"at least 2 parties, not {count}"):
        smpc.simulate(lambda party: None, count)


@pytest.mark.parametrize("bits", [-1, 0, 7, 31, 64])
def test_fraction_bits_that_no_study_has(bits):
    with pytest.raises(ValueError, match=f"fraction_bits is from 8 to 30, not {bits}"):
        smpc.simulate(lambda party: None, 2, fraction_bits=bits)


# Errors


def test_an_error_at_all_is_raised_as_itself():
    with pytest.raises(ZeroDivisionError, match="division by zero"):
        smpc.simulate(lambda party: 1 / 0)


def test_an_error_at_one_is_raised_and_not_what_it_did_to_the_others():
    def program(party):
        if party.rank == 1:
            raise KeyError("here")
        return party.share(None, 1)

    with pytest.raises(KeyError, match="here") as caught:
        smpc.simulate(program)
    assert "in program" in "".join(traceback.format_exception(caught.value))  # it shows where
    assert caught.value.__suppress_context__


def test_different_errors_are_all_raised():
    def program(party):
        raise [ValueError("one"), TypeError("two"), ValueError("one")][party.rank]

    with pytest.raises(ExceptionGroup) as caught:
        smpc.simulate(program)
    assert [str(error) for error in caught.value.exceptions] == ["one", "two", "one"]


def test_a_party_that_returns_early_leaves_the_others_with_an_error():
    def program(party):
        return None if party.rank == 0 else party.share(None, 0)

    with pytest.raises(ExceptionGroup) as caught:
        smpc.simulate(program)
    assert caught.group_contains(PeerGone, match="party 0 left")


def test_parties_that_do_different_things_are_told_so():
    def program(party):
        x = party.share(2.0 if party.rank == 0 else None, 0)
        return (x * x if party.rank == 0 else x).reveal()

    with pytest.raises((ExceptionGroup, MessageError)) as caught:
        smpc.simulate(program, 2)
    errors = caught.value.exceptions if isinstance(caught.value, ExceptionGroup) else [caught.value]
    assert {type(error) for error in errors} <= {MessageError, PeerGone}


def test_a_refusal_is_raised_as_itself():
    with pytest.raises(ReleaseRefused, match="only to party0, party1, party2"):
        smpc.simulate(lambda p: p.share(1 if p.rank == 0 else None, 0).reveal(to="party7"))


def test_no_thread_stays_behind():
    before = threading.active_count()
    with pytest.raises(ZeroDivisionError):
        smpc.simulate(lambda party: 1 // 0 if party.rank == 0 else party.share(None, 0))
    assert threading.active_count() == before
