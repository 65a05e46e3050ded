"""2,000 random programs: what secret arrays give is what NumPy gives, within the stated error, or a RangeError."""

from __future__ import annotations

import pytest

from protocols import local
from smpc.checks import CHECKS
from smpc.ledger import Ledger
from smpc.party import Party
from smpc.release import Gate
from tests.smpc.random_programs import Outcome, run


def outcome_of(parties, seed, programs, preprocessing="dealer"):
    names = tuple(f"party{rank}" for rank in range(parties))
    outcomes = [Outcome() for _ in names]

    def live(protocol):
        gate = Gate(protocol, names, names, Ledger("random", ""), frozenset(CHECKS))
        run(Party(protocol, gate), seed, programs, outcomes[protocol.rank])

    local.run(parties, live, preprocessing=preprocessing)
    return outcomes


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of means of nothing; filters are one for all threads
@pytest.mark.parametrize(
    ("parties", "seed", "programs", "preprocessing"),
    [(2, 1, 700, "dealer"), (2, 2, 700, "dealer"), (3, 3, 400, "dealer"), (5, 4, 160, "dealer"), (2, 5, 40, "ot")],
)
def test_random_programs(parties, seed, programs, preprocessing):
    for outcome in outcome_of(parties, seed, programs, preprocessing):
        assert not outcome.wrong, "\n".join(outcome.wrong)
        assert outcome.checked > 2 * programs
        assert outcome.refused < programs / 4
