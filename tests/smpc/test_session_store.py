"""Runs that take from a store: all of it, a part, or what the store does not have."""

from __future__ import annotations

import numpy as np
import pytest

from protocols import inputs
from protocols.beaver import multiply, open_once
from protocols.opening import disclose
from protocols.prg import Prg
from protocols.shares import Share
from protocols.truncation import TruncationMask, truncate
from smpc.hello import PREPARING
from smpc.helper import serve
from smpc.rehearsal import Rehearsal
from smpc.store import Binding, open_store, write
from tests.smpc.network import DEALER, run, study, together


def stocked(tmp_path, program, *, dealer):
    """A study whose owners have a store for a run of `program`, and what runs another program from it."""
    ours = study(2, dealer=dealer)
    names = [name for name in ours.keys if name != DEALER]
    rehearsals = [Rehearsal(rank, 2) for rank in range(2)]
    for rehearsal in rehearsals:
        program(rehearsal)
    asked = rehearsals[0].taken

    def fill(session):
        name = names[session.rank]
        arguments = (tmp_path / f"{name}.store", ours.keys[name].secret, Binding(bytes(32), name), session.id, asked)
        write(*arguments, iter([session.make(asked)]), 1)

    assert set(run(ours, fill, purpose=PREPARING).values()) == {None}

    def live(name, other):
        if name == DEALER:
            with ours.open(name) as session:
                return serve(session)
        path = tmp_path / f"{name}.store"
        secret = ours.keys[name].secret
        with open_store(path, secret, Binding(bytes(32), name)) as store, ours.open(name, store=store) as session:
            return other(session), session.offline_bytes

    return lambda other: together(*(lambda n=name: live(n, other) for name in ours.keys))


def products(n):
    """The first three squares, by a view of a mask of n elements."""

    def program(party):
        x = inputs.share(party, np.arange(1, n + 1, dtype=np.uint64) if party.rank == 0 else None, 0, (n,))
        open_once(party, x)
        return disclose(party, range(party.count), multiply(party, x[:3], x[:3]))[0].tolist()

    return program


@pytest.mark.parametrize("dealer", [True, False])
def test_a_run_from_a_store(tmp_path, dealer):
    results = stocked(tmp_path, products(8), dealer=dealer)(products(8))
    assert results[:2] == [([1, 4, 9], 0)] * 2


@pytest.mark.parametrize("dealer", [True, False])
def test_a_product_from_the_store_of_a_mask_that_is_not_is_refused(tmp_path, dealer):
    """The request for a product names a mask; for a mask of another size it would be another product, and wrong."""
    results = stocked(tmp_path, products(8), dealer=dealer)(products(10))
    assert {str(error).partition(": ")[0] for error in results[:2]} <= {
        "the store was made for a run that takes other things, as for other rows",
        "north stopped",
        "south stopped",
    }


def ahead(party):
    """Asks for more than it takes, and takes more than it asks for."""
    x = Share(party.rank, Prg(bytes([party.rank] * 32)).ring((4,)) >> np.uint64(40))
    party.prepare([TruncationMask((4,), bits) for bits in (20, 20, 10)])
    return [truncate(party, x, bits).shape for bits in (20, 10, 20, 30)]


@pytest.mark.parametrize("dealer", [True, False])
def test_what_is_asked_for_ahead_comes_from_the_store_if_it_is_there(tmp_path, dealer):
    results = stocked(tmp_path, ahead, dealer=dealer)(ahead)
    assert results[:2] == [([(4,)] * 4, 0)] * 2
