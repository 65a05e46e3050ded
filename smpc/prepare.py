"""`smpc prepare`: a study's correlated randomness, made ahead of its runs, into each owner's store.

All owners find the same list of correlations on their own (see `smpc.plan`), compare it, and make it with each other
or with the dealer. No data are read but, where columns are split, to see who has which and how many rows there are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from smpc import plan, requests, study
from smpc import run as running
from smpc.config import load_manifest
from smpc.errors import DataError
from smpc.hello import PREPARING
from smpc.programs import program_of
from smpc.session import open_session
from smpc.store import standard_path, write

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from typing import Any

    from protocols.party import Correlation
    from protocols.ring import RingArray
    from smpc.config import Manifest
    from smpc.progress import Progress
    from smpc.run import Request
    from smpc.session import Session


def prepare(request: Request, runs: int, rows: int | None, progress: Progress) -> Path | None:
    """Make what `runs` runs will take; the store's path, None for a dealer. A store that was there is replaced.

    `rows`: in total, where the plan depends on it (ridge), or in each table of a program. Raises SmpcError.
    """
    running.limit_resources()
    manifest = load_manifest(request.study)
    identity = running.own_key(manifest, request)
    if manifest.party(request.party).role == "dealer":
        running.deal(manifest, identity, request, progress)
        return None
    whole = manifest.study.model is not None and not manifest.study.in_pieces  # how much it takes follows from the data
    mine = running.prepare_data(manifest, request, progress) if whole else None
    binding = running.binding(manifest, request)
    path = standard_path(request.study, request.party)
    progress.stage("connecting to " + running.peers_of(manifest, request.party))
    with open_session(manifest, identity, request.party, wait=request.wait, purpose=PREPARING) as session:
        correlations = _correlations(manifest, request, session, mine, rows)
        listed = b"".join(requests.encode([one]) for one in correlations)
        running.compare(
            session, "plan", listed, "plan of this study than this party: give --rows the same value everywhere"
        )
        progress.stage(f"making {len(correlations)} correlations for {runs} run{'s' * (runs > 1)}")
        write(path, identity.secret, binding, session.id, correlations, _portions(session, correlations, runs), runs)
    return path


def _correlations(
    manifest: Manifest, request: Request, session: Session, mine: study.Prepared | None, rows: int | None
) -> list[Correlation[Any]]:
    if manifest.study.programmed:
        if manifest.columns and rows is None:
            raise DataError("how much a program takes depends on the rows of its tables: say --rows N")
        program = program_of(manifest, request.study).function
        return plan.rehearse_program(manifest, program, rows or 0)[session.rank].taken
    if mine is not None:
        gate = running.open_gate(manifest, session, request, study.PUBLIC)
        layout = study.agree(gate, manifest, mine)
    else:
        layout = plan.layout_of(manifest, rows, {})
    return plan.rehearse_model(manifest, layout, session.rank).taken


def _portions(session: Session, correlations: Sequence[Correlation[Any]], runs: int) -> Iterator[list[list[RingArray]]]:
    for _ in range(runs):
        yield session.make(correlations)
        for number in (number for one in correlations for number in one.keeps()):
            session.forget(number)  # the next run has masks of its own under the same numbers
