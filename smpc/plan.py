"""What a study will cost, from its manifest alone: rounds, bytes, correlated randomness, memory, seconds.

Counts are those of a run (see `smpc.rehearsal`). Seconds are an estimate, for a network whose messages take `delay` and
whose lines carry `rate`, of the party that needs longest.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from protocols import local, ring
from protocols.party import secrets_of
from smpc import hello, rehearsal, requests, study, wire
from smpc.checks import OPENED
from smpc.data import Table
from smpc.errors import ManifestError
from smpc.figures import listed
from smpc.ledger import Ledger
from smpc.noise import SEAL_BYTES
from smpc.party import Party
from smpc.ranges import Headroom
from smpc.rehearsal import Rehearsal, RehearsalGate, Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from protocols.party import Correlation
    from smpc.config import Manifest


class Network(NamedTuple):
    """`delay`: seconds from a message's sending to its arrival. `rate`: bytes a second that a party can send."""

    name: str
    delay: float
    rate: float


NETWORKS = (
    Network("LAN (0.2 ms, 10 Gbit/s)", 0.0002, 10e9 / 8),
    Network("campus (2 ms, 1 Gbit/s)", 0.002, 1e9 / 8),
    Network("WAN (40 ms, 100 Mbit/s)", 0.04, 100e6 / 8),
)

# Measured on one core (benchmarks/oblivious_transfer.py); they matter little beside the network.
_ROUND = 0.0005  # seconds of a party's own work in a round
_TRANSFER = 80e-9  # seconds of a party's own work for a transfer
_SETUP = 0.06  # seconds of base transfers with a peer
_CONTROL = 2  # empty messages to each peer: ready, bye
_MOST_CELL = 1 << 16  # people in a cell of a rehearsal
_WORKING = 100 * 2**20  # bytes, about, while correlations are made


@dataclass(frozen=True)
class PartyPlan:
    """One party's part: `online` and `offline` count its rounds and bytes, `transfers` its oblivious transfers."""

    name: str
    online: Tally
    offline: Tally
    transfers: int
    requests: int

    def seconds(self, network: Network) -> float:
        waits = (self.online.rounds + self.offline.rounds + 2 * self.requests) * network.delay
        own = (self.online.rounds + self.requests) * _ROUND + self.transfers * _TRANSFER
        own += _SETUP * len(self.offline.bytes_to) * (self.transfers > 0)
        return waits + own + (self.online.sent + self.offline.sent) / network.rate


@dataclass(frozen=True)
class Plan:
    """A study's costs; `parties`: the owners by rank, then the dealer. `headroom`: of a program's numbers."""

    study: str
    preprocessing: str
    assumed: str
    correlations: Sequence[Correlation[Any]]
    parties: Sequence[PartyPlan]
    headroom: Headroom | None = None

    @property
    def kinds(self) -> dict[str, tuple[int, int]]:
        """For each kind of correlation how many are asked for, and how many ring elements a party gets with them."""
        found: dict[str, tuple[int, int]] = {}
        for one in self.correlations:
            asked, elements = found.get(type(one).__name__, (0, 0))
            more = sum(ring.size(secret.shape) for secret in secrets_of(one))
            found[type(one).__name__] = asked + 1, elements + more
        return found

    @property
    def memory(self) -> int:
        """Bytes of a party's correlated randomness, and what making it needs beside."""
        working = _WORKING if self.preprocessing == "ot" else 0
        return ring.BYTES * sum(elements for _, elements in self.kinds.values()) + working

    def seconds(self, network: Network) -> float:
        return max(party.seconds(network) for party in self.parties)

    def to_dict(self) -> dict[str, Any]:
        """For programs that read it: counts by party, estimates by network."""
        return {
            "study": self.study,
            "preprocessing": self.preprocessing,
            "assumed": self.assumed,
            "correlations": {
                kind: dict(zip(("requests", "elements"), n, strict=True)) for kind, n in self.kinds.items()
            },
            "memory": self.memory,
            "closest_to_its_limit": vars(self.headroom) if self.headroom else None,
            "parties": {
                party.name: {
                    "rounds": party.online.rounds,
                    "bytes_sent": party.online.sent,
                    "offline_rounds": party.offline.rounds,
                    "offline_bytes": party.offline.sent,
                }
                for party in self.parties
            },
            "seconds": {network.name: round(self.seconds(network), 3) for network in NETWORKS},
        }


def of_model(manifest: Manifest, layout: study.Layout) -> Plan:
    """The plan of a study with a model. Raises ModelError if there are too few rows."""
    parties = [rehearse_model(manifest, layout, rank) for rank in range(len(manifest.owners))]
    assumed = f"{layout.rows} rows"
    if layout.owners:
        names = [party.name for party in manifest.owners]
        columns = study.geometry(manifest).names
        held = [
            listed(c for c, owner in zip(columns, layout.owners, strict=True) if owner == r) for r in range(len(names))
        ]
        assumed += "; " + "; ".join(f"{name} has {what}" for name, what in zip(names, held, strict=True))
    asked = [(portion, list[int]()) for portion in requests.portions(parties[0].taken)]
    return _plan(manifest, parties, [parties[0].taken], asked, assumed)


def of_program(manifest: Manifest, program: Callable[[Party], Any], rows: int) -> Plan:
    """The plan of a program, run once by all parties on zeros; what it reveals is zeros, too.

    `party.data` has `rows` rows of the manifest's columns. Raises what the program raises.
    """
    headroom = Headroom()
    parties = rehearse_program(manifest, program, rows, headroom)
    assumed = f"{rows} rows in each table" if manifest.columns else "the shapes that the program shares"
    found = _plan(manifest, parties, parties[0].batches, parties[0].asked, assumed)
    return replace(found, headroom=headroom) if headroom.bits is not None else found


def rehearse_model(manifest: Manifest, layout: study.Layout, rank: int) -> Rehearsal:
    """One party's run on shapes alone."""
    party = Rehearsal(rank, len(manifest.owners))
    others = [peer for peer in range(party.count) if peer != rank]
    prepared = study.rehearsed(manifest, layout, rank)
    gate = _gate(party, manifest, study.PUBLIC, study.GOOD | {study.ROWS: layout.rows})
    if layout.owners:
        said = [np.zeros(1 + len(layout.owners), np.uint64)]
        party.exchange("columns", dict.fromkeys(others, said), {})
    else:
        study.agree(gate, manifest, prepared)
    study.fit(gate, manifest, prepared, layout)
    return party


def rehearse_program(
    manifest: Manifest, program: Callable[[Party], Any], rows: int, headroom: Headroom | None = None
) -> list[Rehearsal]:
    """All parties' runs on shapes alone, each in a thread. `headroom` hears of the first one's ranges."""

    def live(party: Rehearsal) -> None:
        others = [peer for peer in range(party.count) if peer != party.rank]
        digest = np.zeros(4, np.uint64)
        party.exchange("program", {peer: [digest] for peer in others}, {peer: [digest.shape] for peer in others})
        gate = _gate(party, manifest, OPENED, dict.fromkeys(OPENED, 0))
        mine = headroom if headroom is not None and party.rank == 0 else Headroom()
        table = _placeholder(manifest, rows)
        of_study = manifest.study
        program(Party(party, gate, of_study.fraction_bits, table, manifest.columns, of_study.rounding, mine))

    parties = rehearsal.everyone(len(manifest.owners))
    try:
        local.run_all(parties, live)
    except BaseExceptionGroup as group:
        if (cause := local.common_cause(group)) is not None:
            raise cause from None
        raise
    return parties


def _placeholder(manifest: Manifest, rows: int) -> Table | None:
    """A table with the manifest's columns, each value the middle of its range."""
    if not manifest.columns:
        return None
    middles = {name: sum(column.range or (0.0, 0.0)) / 2 for name, column in manifest.columns.items()}
    for name, column in manifest.columns.items():
        if column.type != "number":
            middles[name] = max(np.floor(middles[name]), np.ceil((column.range or (0.0, 0.0))[0]))
    return Table("rehearsal", rows, {name: np.full(rows, middle) for name, middle in middles.items()})


def _gate(party: Rehearsal, manifest: Manifest, public: frozenset[str], outcomes: Mapping[str, int]) -> RehearsalGate:
    names = tuple(entry.name for entry in manifest.owners)
    return RehearsalGate(party, names, manifest.release.to, Ledger(manifest.study.name, ""), public, outcomes)


def _plan(
    manifest: Manifest,
    parties: Sequence[Rehearsal],
    batches: Sequence[Sequence[Correlation[Any]]],
    asked: Sequence[tuple[Sequence[Correlation[Any]], list[int]]],
    assumed: str,
) -> Plan:
    """`batches`: what is made at once without a dealer; `asked`: what is in one request to a dealer."""
    count, taken = len(parties), parties[0].taken
    plans = []
    for party, entry in zip(parties, manifest.owners, strict=True):
        _greet(party.online, manifest, party.rank)
        if manifest.dealer is None:
            offline, transfers = rehearsal.without_dealer(party.rank, count, batches)
            plans.append(PartyPlan(entry.name, party.online, offline, transfers, 0))
        else:
            offline = rehearsal.from_dealer(party.rank, count, asked)
            plans.append(PartyPlan(entry.name, party.online, offline, 0, len(asked)))
    if manifest.dealer is not None:
        online = Tally()
        _greet(online, manifest, count)
        plans.append(PartyPlan(manifest.dealer.name, online, rehearsal.from_dealer(count, count, asked), 0, 0))
    return Plan(manifest.study.name, str(manifest.security.preprocessing), assumed, taken, plans)


def _greet(tally: Tally, manifest: Manifest, rank: int) -> None:
    """Hello, ready and bye to everybody."""
    everybody = [*manifest.owners, *([manifest.dealer] if manifest.dealer else [])]
    me = everybody[rank]
    greeting = hello.Hello(
        hello.library_version(), wire.VERSION, manifest.text, me.name, me.role, bytes(32), bytes(32), b""
    )
    for peer in range(len(everybody)):
        if peer != rank:
            tally.bytes_to[peer] += len(greeting.frame()) + SEAL_BYTES + _CONTROL * wire.message_bytes(0)


def least_rows(manifest: Manifest) -> int:
    """Rows of each table if none are said: what a statistic needs at least; 0 for another program."""
    if not manifest.study.statistic:
        return 0
    people = 4 * min(manifest.release.minimum_cell, _MOST_CELL)  # in all: of quartiles, and more than others ask for
    return max(manifest.release.minimum_rows, 2, -(-people // len(manifest.owners)))


def layout_of(manifest: Manifest, rows: int | None, columns: Mapping[str, Sequence[str]]) -> study.Layout:
    """What to assume of the data, where the manifest does not tell: rows in all, and who holds which column.

    Columns that nobody was given go around in the manifest's order, features first. Raises ManifestError.
    """
    names = study.geometry(manifest).names
    owners = [party.name for party in manifest.owners]
    least = max(
        manifest.release.minimum_rows * (1 if manifest.study.split == "columns" else len(owners)), len(names) + 1
    )
    chosen = least if rows is None else rows
    if manifest.study.split == "rows":
        if columns:
            raise ManifestError('--columns is for a study with split = "columns"')
        return study.Layout(chosen, parts=_evenly(chosen, len(owners)) if manifest.study.scored else ())
    holders = {}
    for owner, given in columns.items():
        for name in given:
            if owner not in owners or name not in names:
                raise ManifestError(
                    f"--columns names {owner if owner not in owners else name}, which the study has not"
                )
            holders[name] = owners.index(owner)
    rest = [name for name in names if name not in holders]
    for part, dealt in enumerate(np.array_split(np.arange(len(rest)), len(owners))):
        holders |= {rest[at]: part for at in dealt.tolist()}
    return study.Layout(chosen, tuple(holders[name] for name in names))


def _evenly(rows: int, owners: int) -> tuple[int, ...]:
    return tuple(rows // owners + (rank < rows % owners) for rank in range(owners))
