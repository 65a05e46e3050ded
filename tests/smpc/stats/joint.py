"""Programs on rows that are split over all parties, in one process; what they send is counted."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from protocols import local
from smpc.checks import CHECKS
from smpc.ledger import Ledger
from smpc.party import Party
from smpc.release import Gate

WAYS = [(2, "dealer"), (3, "dealer"), (5, "dealer"), (2, "ot"), (3, "ot")]


@dataclass
class Run:
    """What each party returned, sent and wrote into its ledger."""

    results: list = field(default_factory=list)
    parties: list = field(default_factory=list)
    ledgers: list = field(default_factory=list)

    @property
    def shape(self):
        """All that an observer of the links sees: who sends how much at which step, round by round."""
        return [
            [(one.receiver, one.step, [array.shape for array in one.arrays]) for one in party.sent]
            for party in self.parties
        ]

    @property
    def opened(self):
        return [(entry.what, tuple(entry.shape)) for entry in self.ledgers[0].entries]


def run(program, *columns, parties=2, preprocessing="dealer", bits=20):
    """`program` of secret columns, each given as (values, bounds), whose rows the parties share in turn."""
    names = tuple(f"party{rank}" for rank in range(parties))
    found = Run(parties=local.parties(parties, preprocessing=preprocessing), ledgers=[Ledger("t", "") for _ in names])

    def live(protocol):
        gate = Gate(protocol, names, names, found.ledgers[protocol.rank], frozenset(CHECKS))
        party = Party(protocol, gate, bits)
        return program(*(split(party, *one) for one in columns))

    try:
        found.results = local.run_all(found.parties, live)
    except BaseExceptionGroup as group:
        if (cause := local.common_cause(group)) is not None:
            raise cause from None
        raise
    return found


def split(party, values, bounds):
    """Rows `rank`, `rank + parties`, … are a party's own."""
    values = np.asarray(values)
    parts = [values[rank :: party.count] for rank in range(party.count)]
    return np.concatenate(
        [party.share(part if rank == party.rank else None, rank, bounds=bounds) for rank, part in enumerate(parts)]
    )


def ask(program, *columns, **options):
    """What every party reads, which is the same."""
    found = run(lambda *x: program(*x).reveal(), *columns, **options)
    first, *others = found.results
    assert all(other.to_dict() == first.to_dict() for other in others)
    return first


def held(values, bits=20):
    """As it is shared."""
    values = np.asarray(values)
    return np.rint(np.ldexp(values, bits)) / 2.0**bits if values.dtype.kind == "f" else values
