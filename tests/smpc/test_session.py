"""Protocols over real links; parties that disagree, break off or are not there."""

from __future__ import annotations

import threading
from collections import Counter

import numpy as np
import pytest

from protocols import beaver, inputs, local
from protocols.beaver import Masks, Products
from protocols.conversion import negative
from protocols.errors import MessageError
from protocols.functions import BoundedRandom
from protocols.masks import whole
from protocols.opening import disclose
from protocols.shares import Share
from protocols.truncation import truncate
from smpc import deals, wire
from smpc.errors import DataError, LinkError
from smpc.helper import serve
from smpc.noise import SEAL_BYTES
from tests.correlations import element_triple
from tests.smpc.network import DEALER, run, study, together


def product(party):
    x = inputs.share(party, np.arange(6, dtype=np.uint64) if party.rank == 0 else None, 0, (6,))
    return disclose(party, range(party.count), beaver.multiply(party, x, x))


def test_a_product_over_the_network():
    results = run(study(2), product)
    for owner in ("north", "south"):
        np.testing.assert_array_equal(results[owner], [np.arange(6) ** 2])
    assert results[DEALER] is None


def everything(party):
    """One protocol of each kind; all results are exact, whatever the masks are."""
    x = inputs.share(party, np.arange(12, dtype=np.uint64).reshape(3, 4) if party.rank == 0 else None, 0, (3, 4))
    y = inputs.total(party, np.full((4, 2), party.rank + 1, np.uint64))
    mine = np.arange(6, dtype=np.uint64).reshape((2, 3) if party.rank else (3, 2)) + np.uint64(5)
    both = beaver.private_matmul(party, mine if party.rank < 2 else None, (0, 1), (3, 2), (2, 3))
    shares = [
        beaver.multiply(party, x, x),
        beaver.matmul(party, x, y),
        beaver.square(party, x),
        both,
        negative(party, x - 5),
        truncate(party, x * (1 << 10), 10),
        Share(party.rank, party.take(BoundedRandom((4,), 1)).values * np.uint64(0)),
    ]
    return disclose(party, range(party.count), *shares)


@pytest.mark.parametrize("dealer", [True, False])
@pytest.mark.parametrize("owners", [2, 3])
def test_every_protocol_gives_what_it_gives_in_one_process(owners, dealer):
    expected = local.run(owners, everything)[0]
    results = run(study(owners, dealer=dealer), everything)
    results.pop(DEALER, None)
    assert len(results) == owners
    for result in results.values():
        for got, want in zip(result, expected, strict=True):
            np.testing.assert_array_equal(got, want)


def test_a_session_knows_who_is_there_and_what_it_costs():
    frames = []
    seen = []

    def program(session):
        product(session)
        return session

    results = run(study(2, silent=["south"]), program, on_frame=lambda *frame: frames.append(frame),
                  on_round=seen.append)  # fmt: skip
    north, south = results["north"], results["south"]
    assert (north.rank, north.count, north.names) == (0, 2, ("north", "south"))
    assert (north.id, len(north.id)) == (south.id, 32)
    assert north.rounds == south.rounds == 2
    assert sorted(seen) == [1, 1, 2, 2]
    assert sum(len(frame) for _, _, frame in frames) == sum(
        sum(len(frame) for peer, _, frame in frames if peer == name) for name in (*north.names, DEALER)
    )
    assert north.bytes_sent == sum(north.bytes_to.values())
    assert north.bytes_received == sum(len(frame) + SEAL_BYTES for peer, _, frame in frames if peer == "north")
    kinds = Counter(kind for _, kind, _ in frames)
    assert kinds == {"hello": 6, "ready": 6, "exchange": 4, "request": 1, "deal": 1, "bye": 6}
    assert "Session(north, rank=0, rounds=2)" in repr(north)


def test_what_crosses_the_wire_is_uniform_and_has_the_size_of_its_shape():
    def sizes_and_bytes(value):
        frames = []

        def program(party):
            x = inputs.total(party, np.full((5000,), value, np.uint64))
            for _ in range(2):
                x = truncate(party, beaver.multiply(party, x, x), 3)
            return disclose(party, [0], x)

        run(study(2), program, on_frame=lambda *f: frames.append(f))
        sizes = Counter((peer, kind, len(frame)) for peer, kind, frame in frames)
        return sizes, b"".join(frame for _, kind, frame in frames if kind in ("exchange", "deal"))

    sizes, body = sizes_and_bytes(0)
    counts = np.bincount(np.frombuffer(body, np.uint8), minlength=256)
    assert len(body) > 400_000
    assert ((counts - len(body) / 256) ** 2 / (len(body) / 256)).sum() < 415  # p = 1e-9 for 255 degrees
    assert sizes == sizes_and_bytes(12345)[0]


def test_large_arrays_cross_in_both_directions_at_once():
    length = 64 * 1024**2 // 8

    def program(session):
        peer = 1 - session.rank
        mine = np.full(length, session.rank, np.uint64)
        (got,) = session.exchange("large", {peer: [mine]}, {peer: [(length,)]})[peer]
        return (got == peer).all()

    assert run(study(2), program) == {"north": True, "south": True, DEALER: None}


# Steps that do not fit together


def desync(south, north=lambda session: session.exchange("one", {1: [ones()]}, {1: [(2,)]})):
    """Both fail: by what they see themselves, or because the other saw it first. Gives the first's error."""
    results = run(study(), north, {"south": south})
    errors = {name: results[name] for name in ("north", "south")}
    seen = {name: error for name, error in errors.items() if isinstance(error, MessageError)}
    for name, error in errors.items():
        other = "south" if name == "north" else "north"
        if name in seen:
            assert str(error).startswith(f"{other} is not where we are, at step ")
            assert error.culprits == {0 if other == "north" else 1}
        else:
            assert str(error) == f"{other} stopped: {seen[other]}"
    return str(next(iter(seen.values())))


def ones(length=2):
    return np.ones(length, np.uint64)


def test_another_step_is_an_error():
    error = desync(lambda session: session.exchange("two", {0: [ones()]}, {0: [(2,)]}))
    assert "at step 'one' (frame 1 of this link)" in error or "at step 'two'" in error


@pytest.mark.parametrize("arrays", [[], [ones(1)], [ones(3)], [ones(1), ones(1)], [ones().reshape(1, 2)]])
def test_other_shapes_are_an_error(arrays):
    desync(lambda session: session.exchange("one", {0: arrays}, {0: [(2,)]}))


def test_other_randomness_is_an_error_at_the_next_step():
    def south(session):
        session.take(element_triple((3,)))
        session.exchange("one", {0: [ones()]}, {0: [(2,)]})

    def north(session):
        session.take(element_triple((2,)))
        session.exchange("one", {1: [ones()]}, {1: [(2,)]})

    desync(south, north)


def test_a_draw_that_the_peer_did_not_make_is_an_error_at_the_next_step():
    def south(session):
        session.common(0).ring((1,))
        session.exchange("one", {0: [ones()]}, {0: [(2,)]})

    desync(south)


def test_the_last_step_is_compared_too():
    error = desync(lambda session: session.common(0).ring((1,)), lambda session: None)
    assert "at step 'bye'" in error


def test_what_was_taken_last_is_compared_too():
    assert "at step 'bye'" in desync(lambda session: None, lambda session: session.take(element_triple((2,))))


FRAMES = {
    "replayed": lambda label, first: first,
    "left out": lambda label, first: forge(label, number=label.number + 1),
    "of another run": lambda label, first: forge(label, session=bytes(32)),
    "of another party": lambda label, first: forge(label, sender=2),
    "for another party": lambda label, first: forge(label, receiver=2),
    "of the dealer": lambda label, first: forge(label, kind="deal"),
    "with a flipped bit": lambda label, first: bytes([forge(label)[0] ^ 1]) + forge(label)[1:],
    "cut": lambda label, first: forge(label)[:-1],
    "with more": lambda label, first: forge(label) + b"x",
    "tag only": lambda label, first: forge(label)[: wire.TAG_BYTES],
    "empty": lambda label, first: b"",
    "a hello": lambda label, first: wire.HELLO_TAG + wire.pack({}),
}


SIZE = wire.TAG_BYTES + 2 * 8  # of a frame with `ones`


def forge(label, **changes):
    return b"".join(wire.encode(label._replace(**changes), [ones()]))


@pytest.mark.parametrize("name", FRAMES)
def test_no_frame_but_the_next_is_accepted(name):
    sent = []

    def south(session):
        session.exchange("one", {0: [ones()]}, {0: [(2,)]})
        session._program.note("exchange", "two")
        label = session._channel._outgoing(0, "exchange", "two", session._state(0), ((2,),))
        (first,) = (frame for peer, kind, frame in sent if (peer, kind, len(frame)) == ("north", "exchange", SIZE))
        session._links.send("north", FRAMES[name](label, first), "forged")
        session._links.receive([], 10)

    def north(session):
        for step in ("one", "two"):
            session.exchange(step, {1: [ones()]}, {1: [(2,)]})

    results = run(study(), north, {"south": south}, on_frame=lambda *frame: sent.append(frame))
    assert isinstance(results["north"], MessageError)
    assert str(results["north"]).startswith("south ")
    assert str(results["south"]) == f"north stopped: {results['north']}"


def test_the_frame_that_those_are_variants_of_is_accepted():
    def south(session):
        session._program.note("exchange", "one")
        label = session._channel._outgoing(0, "exchange", "one", session._state(0), ((2,),))
        session._links.send("north", forge(label), "forged")
        session._channel._sent[0] += 1

    def north(session):
        return session.exchange("one", {}, {1: [(2,)]})[1][0].tolist()

    assert run(study(), north, {"south": south})["north"] == [1, 1]


# The dealer

REQUESTS = {
    "no message": b"",
    "no list": wire.pack({"ElementTriple": [2]}),
    "unknown": wire.pack([[], ["Everything", [2]]]),
    "a parameter less": wire.pack([[], ["TruncationMask", [2]]]),
    "too large": wire.pack([[], ["DigitMasks", [2**20, 2**20], 4]]),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_the_dealer_refuses_what_is_no_request(name):
    def north(session):
        session._channel.send_message(2, "request", REQUESTS[name], session._state(2))
        session._links.receive([], 10)

    results = run(study(), north, {"south": lambda session: session._links.receive([], 10)})
    assert isinstance(results[DEALER], MessageError)
    assert str(results[DEALER]).startswith("north asked the dealer for something else")
    assert str(results["north"]) == str(results["south"]) == f"helper stopped: {results[DEALER]}"


def test_the_dealer_keeps_so_many_masks_and_no_more(monkeypatch):
    monkeypatch.setattr(deals, "_MOST_KEPT", 1 << 4)

    def program(session):
        for number in range(8):
            session.take(Masks(number, (8,)))
            if number % 2:
                session.forget(number)
                session.forget(number - 1)
        session.take(Masks(8, (17,)))

    results = run(study(), program)
    assert str(results[DEALER]) == "north asked the dealer for masks of more than 0 GiB"


def test_an_unknown_correlation_is_an_error_at_home():
    class OwnTriple(Products):
        pass

    results = run(study(), lambda session: session.take(OwnTriple(*2 * [whole(0, (2,), fresh=True)])))
    assert str(results["north"]) == "the dealer does not know OwnTriple"
    assert str(results[DEALER]) == "north stopped: ValueError"


# Leaving


def test_a_party_that_is_done_waits_for_the_others():
    done, order = threading.Event(), []

    def north(session):
        done.set()

    def south(session):
        assert done.wait(10)
        order.append("south")

    two = study()

    def live(name, program):
        with two.open(name) as session:
            program(session)
        order.append(f"{name} closed")

    together(lambda: live("north", north), lambda: live("south", south), lambda: live(DEALER, serve))
    assert order[0] == "south"
    assert sorted(order[1:]) == ["helper closed", "north closed", "south closed"]


def test_a_failing_party_tells_the_others_why():
    def south(session):
        raise DataError("bmi.csv, line 3, column age: text where a number belongs")

    results = run(study(3), product, {"south": south})
    assert str(results["south"]).startswith("bmi.csv")
    for name in ("north", "east", DEALER):
        assert isinstance(results[name], LinkError)
        assert results[name].peer == "south"
        assert str(results[name]) == f"south stopped: {results['south']}"


def test_an_error_that_is_not_for_people_keeps_its_text_at_home():
    def south(session):
        raise RuntimeError("canary")

    results = run(study(), product, {"south": south})
    for name in ("north", DEALER):
        assert str(results[name]) == "south stopped: RuntimeError"


def test_who_fails_while_others_wait_at_the_end_is_named():
    results = run(study(), lambda session: None, {"south": lambda session: 1 / 0})
    assert str(results["north"]) == "south stopped: ZeroDivisionError"


def test_a_silent_party_is_named():
    two, silent_for = study(), {"north": 0.3}

    def live(name):
        with two.open(name, patience=silent_for.get(name, 10)) as session:
            session.exchange("one", {}, {1 - session.rank: [(1,)]})

    def dealer():
        with two.open(DEALER) as session:
            serve(session)

    north, south, helper = together(lambda: live("north"), lambda: live("south"), dealer)
    assert str(north) == "south sent nothing for 0.3 s, at step 'one'"
    assert str(south) == str(helper) == f"north stopped: {north}"


def test_closing_twice_is_closing_once():
    def program(session):
        session.close()
        session.close()

    assert run(study(), program, {DEALER: program}) == dict.fromkeys(("north", "south", DEALER))


@pytest.mark.parametrize("peer", [-1, 0, 2, 3])
def test_only_owners_are_peers(peer):
    def north(session):
        for attempt in (session.common, lambda p: session.exchange("x", {p: []}, {})):
            with pytest.raises(ValueError, match="has no peer"):
                attempt(peer)

    assert run(study(), north, {"south": lambda session: None})["north"] is None


def test_a_session_stays_in_its_thread():
    def north(session):
        (error,) = together(lambda: session.exchange("one", {1: [ones()]}, {}))
        raise error

    results = run(study(), north, {"south": lambda session: session.exchange("one", {}, {0: [(2,)]})})
    assert isinstance(results["north"], RuntimeError)
    assert str(results["south"]) == "north stopped: RuntimeError"
