"""All parties in one process: lockstep, failures, determinism."""

import numpy as np
import pytest

from protocols import local, ring
from protocols.beaver import multiply
from protocols.errors import MessageError, PeerGone
from protocols.opening import open_masked
from protocols.shares import Share
from tests.correlations import element_square, element_triple

SEED = bytes(range(32))


def ring_of(party, step="pass"):
    """Every party sends its rank to the next one."""
    after, before = (party.rank + 1) % party.count, (party.rank - 1) % party.count
    mine = np.array([party.rank], np.uint64)
    return party.exchange(step, {after: [mine]}, {before: [(1,)]})[before][0].tolist()


def failures(count, program, **settings):
    parties = local.parties(count, SEED)
    for party in parties:
        vars(party).update(settings)
    with pytest.raises(BaseExceptionGroup) as info:
        local.run_all(parties, program)
    return info.value.exceptions


def test_a_program_runs_as_every_party():
    assert local.run(3, lambda party: (party.rank, party.count)) == [(0, 3), (1, 3), (2, 3)]


@pytest.mark.parametrize("count", [2, 3, 5])
def test_messages_arrive(count):
    assert local.run(count, ring_of) == [[(rank - 1) % count] for rank in range(count)]


def test_rounds_and_elements_are_counted():
    parties = local.parties(3, SEED)
    local.run_all(parties, lambda p: [open_masked(p, Share(p.rank, np.ones(5, np.uint64))) for _ in range(4)])
    assert {(party.rounds, party.elements) for party in parties} == {(4, 4 * 2 * 5)}


def test_a_pair_has_one_stream_and_no_other_pair_has_it():
    def program(party):
        return {peer: party.common(peer).ring((4,)).tolist() for peer in range(3) if peer != party.rank}

    drawn = local.run(3, program)
    assert all(drawn[i][j] == drawn[j][i] for i in range(3) for j in range(i))
    assert len(np.unique([drawn[0][1], drawn[0][2], drawn[1][2]])) == 12


def test_no_stream_of_a_run_equals_another():
    parties = local.parties(3, SEED)
    streams = [party.stream for party in parties]
    streams += [parties[i].common(j) for i in range(3) for j in range(i)]
    assert len(np.unique([stream.ring((4,)) for stream in streams])) == 6 * 4


def test_a_seed_fixes_the_run_and_no_seed_does_not():
    def program(party):
        return party.take(element_triple((3,)))[2].values.tolist() + party.common(1 - party.rank).ring((1,)).tolist()

    assert local.run(2, program, SEED) == local.run(2, program, SEED)
    assert local.run(2, program, SEED) != local.run(2, program, bytes(32))
    assert local.run(2, program) != local.run(2, program)


def test_a_received_array_is_nobody_elses():
    """Neither the sender's later changes nor another receiver's are seen."""
    x = np.ones(2, np.uint64)

    def program(party):
        peers = [peer for peer in range(3) if peer != party.rank]
        mine = x.copy()
        got = party.exchange("send", {peer: [mine] for peer in peers}, {peer: [(2,)] for peer in peers})
        mine += np.uint64(party.rank)
        for arrays in got.values():
            arrays[0] += np.uint64(10)
        return [arrays[0].tolist() for arrays in got.values()]

    assert local.run(3, program) == [[[11, 11]] * 2] * 3


# Failures


def test_a_party_that_fails_is_named_and_nobody_waits():
    def program(party):
        if party.rank == 1:
            raise ArithmeticError("mine")
        return ring_of(party)

    errors = failures(3, program)
    assert [type(error) for error in errors] == [ArithmeticError, PeerGone]  # party 0 hears from 2, which sends
    assert errors[1].peer == 1
    assert str(errors[1]) == "party 1 left"


def test_a_party_that_returns_early_is_named():
    errors = failures(2, lambda p: None if p.rank == 0 else ring_of(p))
    assert [(type(error), error.peer) for error in errors] == [(PeerGone, 0)]


def test_a_silent_party_is_named():
    def program(party):
        if party.rank == 1:
            party.exchange("listen", {}, {0: [(1,)]})  # two that wait for each other
        else:
            party.exchange("listen", {}, {1: [(1,)]})

    errors = failures(2, program, timeout=0.05)
    assert {type(error) for error in errors} == {PeerGone}
    assert any("was silent for 0.05 s" in str(error) for error in errors)


@pytest.mark.parametrize("wrong", [(2,), (1, 1), (0,)])
def test_another_shape_is_refused(wrong):
    def program(party):
        shape = wrong if party.rank == 0 else (1,)
        party.exchange("s", {1 - party.rank: [np.ones(shape, np.uint64)]}, {1 - party.rank: [(1,)]})

    (error,) = failures(2, program)
    assert isinstance(error, MessageError)
    assert error.culprits == {0}


@pytest.mark.parametrize("arrays", [0, 2])
def test_another_number_of_arrays_is_refused(arrays):
    def program(party):
        mine = [np.ones(1, np.uint64)] * (arrays if party.rank == 0 else 1)
        party.exchange("s", {1 - party.rank: mine}, {1 - party.rank: [(1,)]})

    assert [type(error) for error in failures(2, program)] == [MessageError]


def test_another_step_is_refused():
    errors = failures(2, lambda p: ring_of(p, "left" if p.rank else "right"))
    assert {type(error) for error in errors} <= {MessageError, PeerGone}
    assert "'left', not 'right'" in str(errors[0]) or "'right', not 'left'" in str(errors[0])


@pytest.mark.parametrize("other", [element_triple((3,)), element_square((2,))])
def test_requests_that_differ_are_refused(other):
    errors = failures(2, lambda p: p.take(element_triple((2,)) if p.rank == 0 else other))
    assert [type(error) for error in errors] == [MessageError]
    assert repr(other) in str(errors[0])


def test_errors_tell_no_values():
    secret = 1234567890123456789

    def program(party):
        x = Share(party.rank, np.full(2 + party.rank, secret, np.uint64))
        multiply(party, x, x)

    for error in failures(2, program):
        assert "1234567" not in str(error)
        assert "1234567" not in repr(error)


def test_nothing_secret_is_in_the_representation_of_a_party():
    (party, _) = local.parties(2, SEED)
    party.stream.ring((1,))
    text = repr(party)
    assert "Prg" not in text
    assert "array" not in text
    assert str(SEED) not in text


def test_a_sent_message_can_be_compared_with_what_was_computed():
    parties = local.parties(2, SEED)
    local.run_all(parties, ring_of)
    (message,) = parties[1].sent
    assert (message.sender, message.receiver, message.step) == (1, 0, "pass")
    assert ring.to_int(message.arrays[0]).tolist() == [1]
