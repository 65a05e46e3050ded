"""One party's run of a study: own files first, then the links, then the computation, then the results.

Whatever can be found wrong without a peer is found before the first connection.
"""

from __future__ import annotations

import hashlib
import resource
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from smpc import identity as keys
from smpc.checks import OPENED
from smpc.config import load_manifest
from smpc.errors import DataError, KeyFileError, LinkError, ReleaseRefused
from smpc.files import try_writing
from smpc.ledger import Ledger, verify
from smpc.party import Party
from smpc.programs import program_of, program_text
from smpc.release import Gate
from smpc.result import Cost
from smpc.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from smpc.config import Manifest
    from smpc.data import Stream, Table
    from smpc.identity import Identity
    from smpc.ledger import Entry
    from smpc.progress import Progress
    from smpc.result import Result
    from smpc.session import Session
    from smpc.store import Binding
    from smpc.study import Prepared

LEDGER = "ledger.jsonl"
RESULT = "result.json"
REPORT = "report.html"
WAIT = 7.0  # seconds to wait for a peer that is not there yet


@dataclass(frozen=True)
class Request:
    """What `smpc run` is told; `data` is None for a dealer, and may be for a program."""

    study: Path
    party: str
    key: Path
    data: Path | None
    out: Path | None
    wait: float = WAIT


@dataclass(frozen=True)
class Outcome:
    """How a run ended: `result` at the receivers of a model, `returned` of a program."""

    manifest: Manifest
    session: str
    cost: Cost
    opened: Sequence[Entry]
    result: Result | None = None
    returned: Any = None


Deliver: TypeAlias = "Callable[[Outcome], None]"


def run(request: Request, progress: Progress, deliver: Deliver) -> Outcome:
    """Be one party of a study. `progress` hears how it goes; `deliver` gets the outcome, to keep it.

    That is before the parties take leave of each other: what was released is not lost if one fails just then.
    Raises SmpcError.
    """
    limit_resources()
    manifest = load_manifest(request.study)
    identity = own_key(manifest, request)
    if manifest.party(request.party).role == "dealer":
        return deal(manifest, identity, request, progress)
    if manifest.study.programmed:
        return _run_program(manifest, identity, request, progress, deliver)
    return _run_model(manifest, identity, request, progress, deliver)


def limit_resources() -> None:
    """No memory of this process on disk if it crashes; as many connections as the system allows."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # some systems call the limit infinite and do not grant that
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def own_key(manifest: Manifest, request: Request) -> Identity:
    """The key file of this party. Raises KeyFileError unless it is the manifest's."""
    entry = manifest.party(request.party)
    identity = keys.read(request.key)
    if identity.public.hex() != entry.public_key:
        raise KeyFileError(
            f"{request.key.name} is not the key of {request.party}: the manifest has a key with fingerprint "
            f"{keys.fingerprint(bytes.fromhex(str(entry.public_key)))}, this file {keys.fingerprint(identity.public)}"
        )
    return identity


def deal(manifest: Manifest, identity: Identity, request: Request, progress: Progress) -> Outcome:
    """Be the dealer until the owners are done."""
    from smpc import helper
    from smpc.session import open_session

    progress.stage("waiting for the parties")
    started = monotonic()
    with open_session(manifest, identity, request.party, wait=request.wait) as session:
        progress.stage("dealing")
        helper.serve(session)
    return Outcome(manifest, session.id.hex(), _cost(session, manifest, started), ())


def _run_model(
    manifest: Manifest, identity: Identity, request: Request, progress: Progress, deliver: Deliver
) -> Outcome:
    from smpc import plan, study

    prepared = prepare_data(manifest, request, progress)
    _ready_folder(request.out)
    with _joined(manifest, identity, request, progress) as session:
        started = monotonic()
        gate = open_gate(manifest, session, request, study.PUBLIC)
        layout = study.agree(gate, manifest, prepared)
        if session.store is None:
            progress.stage("making correlated randomness")
            session.prepare(plan.rehearse_model(manifest, layout, session.rank).taken)
        progress.stage("computing")
        result = study.fit(gate, manifest, prepared, layout)
        outcome = Outcome(manifest, session.id.hex(), _cost(session, manifest, started), gate.ledger.entries, result)
        deliver(outcome)
    return outcome


def prepare_data(manifest: Manifest, request: Request, progress: Progress) -> Prepared:
    """This party's data, checked. Raises DataError, ManifestError or ReleaseRefused."""
    from smpc import study

    study.geometry(manifest)
    return study.prepare(manifest, _read(manifest, request, progress))


def _read(manifest: Manifest, request: Request, progress: Progress) -> Table | Stream:
    from smpc.data import read_table, stream_table

    if request.data is None:
        raise DataError(f"{request.party} needs its data: say where they are with --data FILE")
    progress.stage(f"reading {request.data.name}")
    wanted, split = manifest.wanted, manifest.study.split
    if manifest.study.in_pieces:
        return stream_table(request.data, manifest.columns, wanted, require="all")
    return read_table(request.data, manifest.columns, wanted, require="all" if split == "rows" else "some")


def _run_program(
    manifest: Manifest, identity: Identity, request: Request, progress: Progress, deliver: Deliver
) -> Outcome:
    program = program_of(manifest, request.study)
    data = read_for_program(manifest, request)
    _ready_folder(request.out)
    with _joined(manifest, identity, request, progress) as session:
        compare_programs(session, program.name, program.text)
        progress.stage("computing")
        started = monotonic()
        gate = open_gate(manifest, session, request, OPENED)
        bits, rounding = manifest.study.fraction_bits, manifest.study.rounding
        vault = _vault(manifest, identity, session, request)
        party = Party(session, gate, bits, data, manifest.columns, rounding, vault=vault)
        returned = program.function(party)
        outcome = Outcome(
            manifest, session.id.hex(), _cost(session, manifest, started), gate.ledger.entries, None, returned
        )
        deliver(outcome)
    return outcome


def _vault(manifest: Manifest, identity: Identity, session: Session, request: Request) -> Vault | None:
    """Where this party's program keeps secret arrays: in its folder for results."""
    if request.out is None:
        return None
    owners = [bytes.fromhex(str(party.public_key)) for party in manifest.owners]
    return Vault(request.out, identity.secret, owners, session.rank)


def read_for_program(manifest: Manifest, request: Request) -> Table | None:
    """This party's table, which a program gets as `party.data`; None if it has none.

    Raises DataError; of a statistic also if there are none, and ReleaseRefused for too few rows.
    """
    statistic = manifest.study.statistic
    if request.data is None:
        if statistic:
            raise DataError(f"{request.party} needs its data: say where they are with --data FILE")
        return None
    from smpc.data import read_table  # with pyarrow, which takes as long as all else together

    wanted = manifest.wanted if statistic else list(manifest.columns)
    table = read_table(request.data, manifest.columns, wanted, require="all" if statistic else "some")
    if statistic and table.rows < manifest.release.minimum_rows:
        least = manifest.release.minimum_rows
        raise ReleaseRefused(f"{table.name} has fewer rows than the study's minimum_rows, which is {least}")
    return table


@contextmanager
def _joined(manifest: Manifest, identity: Identity, request: Request, progress: Progress) -> Iterator[Session]:
    """This party's session, which takes from its store of correlated randomness if `smpc prepare` made one."""
    from smpc.session import open_session
    from smpc.store import open_store, standard_path

    progress.stage("connecting to " + peers_of(manifest, request.party))
    store = open_store(standard_path(request.study, request.party), identity.secret, binding(manifest, request))
    with (
        store or nullcontext(),
        open_session(
            manifest, identity, request.party, wait=request.wait, on_round=progress.round, store=store
        ) as session,
    ):
        yield session


def binding(manifest: Manifest, request: Request) -> Binding:
    """What a store belongs to: the study, its program, and how messages look."""
    from smpc import wire
    from smpc.store import Binding

    said = manifest.digest + wire.VERSION.to_bytes(4, "big")
    if manifest.study.program:
        said += hashlib.sha256(program_text(manifest, request.study)).digest()
    return Binding(hashlib.sha256(said).digest(), request.party)


def compare_programs(session: Session, name: str, text: bytes) -> None:
    """Raises LinkError unless all owners have the same file: different programs could open what none should."""
    compare(session, "program", text, f"{name} than this party: all must have the same file")


def compare(session: Session, step: str, data: bytes, what: str) -> None:
    """Raises LinkError, saying that a peer runs another `what`, unless `data` is the same at all owners. One round."""
    digest = np.frombuffer(hashlib.sha256(data).digest(), "<u8").astype(np.uint64)
    others = [rank for rank in range(session.count) if rank != session.rank]
    theirs = session.exchange(step, {p: [digest] for p in others}, {p: [digest.shape] for p in others})
    for rank in others:
        if not np.array_equal(theirs[rank][0], digest):
            name = session.names[rank]
            raise LinkError(f"{name} runs another {what}", name)


def open_gate(manifest: Manifest, session: Session, request: Request, public: frozenset[str]) -> Gate:
    """The gate of this run, with the ledger of its output folder."""
    path = None if request.out is None else request.out / LEDGER
    ledger = Ledger(manifest.study.name, session.id.hex(), path)
    return Gate(session, session.names, manifest.release.to, ledger, public)


def _ready_folder(out: Path | None) -> None:
    """A folder for results whose ledger, if there is one, can be continued. Raises DataError or LedgerError."""
    if out is None:
        return
    make_folder(out)
    if (out / LEDGER).exists():
        verify(out / LEDGER)
    for name in (RESULT, REPORT):
        try:
            try_writing(out, name)
        except OSError as error:
            raise DataError(f"{name} cannot be written into the folder for results: {error.strerror}") from None


def make_folder(out: Path) -> None:
    """The folder for results, readable by its owner alone. Raises DataError if it cannot be."""
    try:
        out.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"the folder for results, {out.name}, cannot be made: {error.strerror}") from None


def _cost(session: Session, manifest: Manifest, started: float) -> Cost:
    seconds = round(monotonic() - started, 3)
    source = manifest.security.preprocessing
    offline = session.offline_rounds, session.offline_bytes
    return Cost(session.rounds, session.bytes_sent, seconds, source, *offline)


def peers_of(manifest: Manifest, me: str) -> str:
    """The names of all other parties, for a person."""
    return ", ".join(party.name for party in manifest.parties if party.name != me)
