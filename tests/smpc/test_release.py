"""The only way out: who learns what, what is refused, and that the ledger knows of it first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

import smpc
from protocols import inputs, local, ring
from protocols.errors import PeerGone
from smpc.errors import LedgerError, ReleaseRefused
from smpc.ledger import Ledger, verify
from smpc.party import Party
from smpc.release import Gate

NAMES = ("north", "south", "east")
VALUES = ring.from_int([8675309, -42])


def gate(party, receivers=("north", "east"), public=frozenset({"rows"}), path=None):
    return Gate(party, NAMES[: party.count], receivers, Ledger("progression", "5e55", path), public)


def run(program, count=3):
    """What `program` of a gate and a sharing of VALUES did at each party, and the parties."""
    everyone = local.parties(count)

    def live(party):
        share = inputs.share(party, VALUES if party.rank == 1 else None, 1, VALUES.shape)
        return program(gate(party), share)

    return local.run_all(everyone, live), everyone


def test_a_release():
    results, _ = run(lambda g, share: g.release({"coefficients": share}))
    np.testing.assert_array_equal(results[0]["coefficients"], VALUES)
    assert results[1] is None
    np.testing.assert_array_equal(results[2]["coefficients"], VALUES)


@pytest.mark.parametrize("to", [["north"], ["east"], ["north", "east"], ["east", "north"]])
def test_those_named_and_no_others_get_it(to):
    results, everyone = run(lambda g, share: g.release({"coefficients": share, "fit": share[:1]}, to))
    for name, result in zip(NAMES, results, strict=True):
        if name in to:
            np.testing.assert_array_equal(result["coefficients"], VALUES)
            np.testing.assert_array_equal(result["fit"], VALUES[:1])
        else:
            assert result is None
    told = {(m.sender, m.receiver) for party in everyone for m in party.sent}
    ranks = {NAMES.index(name) for name in to}
    assert told == {(sender, receiver) for sender in range(3) for receiver in ranks if sender != receiver}


def test_an_announcement_reaches_everyone():
    results, _ = run(lambda g, share: g.announce(rows=share))
    for result in results:
        np.testing.assert_array_equal(result["rows"], VALUES)


def test_the_messages_of_a_release_do_not_show_the_shares():
    """What a sender sends is its share plus a fresh part of zero: it differs each time, and from the share."""
    results, everyone = run(lambda g, share: (share, g.release({"a": share}), g.release({"b": share})))
    sent = [m.arrays[0] for m in everyone[1].sent if m.receiver == 0]
    share = results[1][0].values
    assert not any((one == other).any() for one, other in [(sent[0], sent[1]), (sent[0], share), (sent[1], share)])


# Refused: before anything is sent, and without an entry


@pytest.mark.parametrize("to", [["south"], ["north", "south"], ["nobody"], ["North"], [""], "north"])
def test_who_is_no_receiver_gets_nothing(to):
    gates = []

    def program(g, share):
        gates.append(g)
        with pytest.raises(ReleaseRefused, match=r"does not release results to .*, only to north, east$"):
            g.release({"coefficients": share}, to)

    _, everyone = run(program)
    assert not any(party.sent for party in everyone)
    assert not any(g.ledger.entries for g in gates)


def test_what_is_not_public_is_not_announced():
    def program(g, share):
        with pytest.raises(ReleaseRefused, match=r"^coefficients is not among what this computation may tell"):
            g.announce(rows=share, coefficients=share)
        return g.ledger.entries

    results, everyone = run(program)
    assert results == [[], [], []]
    assert not any(party.sent for party in everyone)


def test_a_release_to_nobody_is_a_mistake():
    def program(g, share):
        with pytest.raises(ValueError, match="at least one party"):
            g.release({"coefficients": share}, [])
        return g.ledger.entries

    assert run(program)[0] == [[], [], []]


# The ledger comes first


@dataclass
class Watched:
    """A party that notes how many entries there are when it opens a result."""

    party: local.LocalParty
    ledger: Ledger | None = None

    def __post_init__(self):
        self.seen = []

    def __getattr__(self, name):
        return getattr(self.party, name)

    def exchange(self, step, send, receive):
        if step == "disclose":
            self.seen.append([entry.what for entry in self.ledger.entries])
        return self.party.exchange(step, send, receive)


def test_the_entry_is_there_before_the_message():
    def program(party):
        watched = Watched(party)
        g = gate(watched)
        watched.ledger = g.ledger
        share = inputs.share(party, VALUES if party.rank == 0 else None, 0, VALUES.shape)
        g.announce(rows=share)
        g.release({"coefficients": share, "fit": share})
        g.release({"more": share}, ["east"])
        return watched.seen

    order = ["rows", "coefficients", "fit", "more"]
    assert local.run(3, program) == [[order[:1], order[:3], order]] * 3


def test_without_a_ledger_nothing_is_sent(tmp_path):
    everyone = local.parties(3)

    def program(party):
        g = gate(party, path=tmp_path / f"{party.rank}" / "ledger.jsonl")
        if party.rank != 1:
            (tmp_path / f"{party.rank}").mkdir()
        share = inputs.share(party, VALUES if party.rank == 0 else None, 0, VALUES.shape)
        return g.release({"coefficients": share})

    with pytest.raises(ExceptionGroup) as caught:
        local.run_all(everyone, program)
    kinds = {type(error) for error in caught.value.exceptions}
    assert kinds == {LedgerError, PeerGone}
    assert not everyone[1].sent
    assert len(verify(tmp_path / "0" / "ledger.jsonl")) == 1  # it must be assumed that it was opened


def test_the_entry_says_what_shape_and_whom(tmp_path):
    def program(party):
        path = tmp_path / f"{party.rank}.jsonl"
        g = gate(party, path=path)
        share = inputs.total(party, VALUES)
        g.announce(rows=share)
        g.release({"coefficients": share})
        return verify(path)

    for entries in local.run(3, program):
        assert [(e.what, e.shape, e.to) for e in entries] == [
            ("rows", (2,), NAMES),
            ("coefficients", (2,), ("north", "east")),
        ]
        assert {(e.study, e.session) for e in entries} == {("progression", "5e55")}
    for path in tmp_path.iterdir():
        assert "8675309" not in path.read_text()


# The same through a program's eyes


def test_reveal_goes_through_the_gate():
    def program(party):
        x = party.share([1.5, -2.0] if party.name == "party1" else None, owner="party1")
        everyone, one, two = x.reveal(), x[0].reveal(to="party2"), (x * 2).reveal(to=["party0", "party2"])
        return everyone, one, two, [(e.what, e.shape, e.to) for e in party.gate.ledger.entries]

    results = smpc.simulate(program, 3)
    names = ("party0", "party1", "party2")
    for rank, (everyone, one, two, entries) in enumerate(results):
        np.testing.assert_array_equal(everyone, [1.5, -2.0])
        assert one == (1.5 if rank == 2 else None)
        np.testing.assert_array_equal(two, None if rank == 1 else [3, -4])
        assert entries == [
            ("reveal 1", (2,), names),
            ("reveal 2", (1,), ("party2",)),
            ("reveal 3", (2,), ("party0", "party2")),
        ]


def test_a_program_cannot_reveal_to_those_who_are_no_receivers():
    def program(protocol):
        party = Party(protocol, gate(protocol))
        x = party.share([1.5] if party.rank == 0 else None, owner=0)
        for to in ("south", ["north", "south"], "nobody"):
            with pytest.raises(ReleaseRefused, match="only to north, east"):
                x.reveal(to=to)
        return x.reveal()

    assert local.run(3, program) == [1.5, None, 1.5]
