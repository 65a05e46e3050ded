"""Correlated randomness of a session: made ahead or when it is asked for, from a dealer or without one."""

from __future__ import annotations

import numpy as np
import pytest

from protocols import beaver, inputs
from protocols.errors import MessageError
from protocols.functions import BoundedRandom
from protocols.opening import disclose, open_masked
from protocols.shares import Share
from protocols.truncation import TruncationMask
from smpc.errors import LinkError
from tests.correlations import element_square, element_triple
from tests.smpc.network import DEALER, run, study


def product(party):
    x = inputs.share(party, np.arange(6, dtype=np.uint64) if party.rank == 0 else None, 0, (6,))
    return disclose(party, range(party.count), beaver.multiply(party, x, x))


def test_what_was_prepared_is_taken_and_the_rest_is_made():
    def program(session):
        session.prepare([element_square((6,), number) for number in (0, 1)])
        rounds = session.offline_rounds
        results = [product(session)[0] for _ in range(3)]
        return [values.tolist() for values in results], session.offline_rounds - rounds

    results = run(study(3, dealer=False), program)
    assert {str(result) for result in results.values()} == {str(([[i * i for i in range(6)]] * 3, 2))}


@pytest.mark.parametrize("dealer", [True, False])
@pytest.mark.parametrize(
    ("north", "south"),
    [
        ([TruncationMask((4,), 20), TruncationMask((4,), 21)], [TruncationMask((4,), 21), TruncationMask((4,), 20)]),
        ([TruncationMask((4,), 20)], [BoundedRandom((4,), 20)]),  # the same transfers, other sums of them
        ([element_triple((4,))], []),
    ],
)
def test_parties_that_prepare_different_things_are_told(north, south, dealer):
    """The messages would have the same sizes: without a word of it, all later correlations would be wrong."""

    def preparing(correlations):
        def program(session):
            session.prepare(correlations)
            return product(session)

        return program

    results = run(study(2, dealer=dealer), None, {"north": preparing(north), "south": preparing(south)})
    results.pop(DEALER, None)
    assert all(isinstance(result, MessageError | LinkError) for result in results.values())


@pytest.mark.parametrize("dealer", [True, False])
def test_who_prepares_is_not_where_one_is_who_takes(dealer):
    """Else one opens x and the other x + r, and both go on."""
    mask = TruncationMask((3,), 10)

    def program(session):
        x = Share(session.rank, np.zeros(3, np.uint64))
        if session.rank == 0:
            session.prepare([mask])
        else:
            x = x + session.take(mask).r
        return open_masked(session, x)

    results = run(study(2, dealer=dealer), program)
    assert any(isinstance(results[name], MessageError) for name in ("north", "south"))
