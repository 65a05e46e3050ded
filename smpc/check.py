"""`smpc check`: what a run would find wrong, looked for before it, with a line on each thing.

The checks are those of a run, in its order, by the same functions. Nothing of a run is used up: no portion of a store
is reserved, no folder or ledger is touched, and all that a peer gets is a hello, a program's digest and a bye.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack, redirect_stdout, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from protocols.errors import ProtocolError
from smpc import identity as keys
from smpc import plan, study
from smpc import run as running
from smpc.config import load_manifest
from smpc.errors import LinkError, SmpcError
from smpc.figures import listed
from smpc.hello import CHECKING, library_version
from smpc.programs import program_name, program_of, program_text
from smpc.progress import shown
from smpc.ranges import Headroom
from smpc.session import open_session
from smpc.store import open_store, standard_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from smpc.config import Manifest
    from smpc.identity import Identity
    from smpc.progress import Progress
    from smpc.run import Request
    from smpc.store import Store

PATIENCE = 30.0  # seconds that a peer that is there may be silent: nobody computes here

# What comes first; for a program more, see `_Site.needs`. A store that is not as it should be is compared as none.
_NEEDS = {
    "manifest": (),
    "key": ("manifest",),
    "data": ("manifest",),
    "ranges": ("manifest",),
    "store": ("manifest", "key"),
    "links": ("manifest", "key"),
}
_OF_OWNERS = {"data", "ranges", "store"}


@dataclass(frozen=True)
class Finding:
    """What came of one check. `ok`: None if it was not done. `by_peer`: whether a peer or its link is at fault."""

    check: str
    ok: bool | None
    says: str
    by_peer: bool = False

    @property
    def line(self) -> str:
        """For a person."""
        mark = "--" if self.ok is None else "ok" if self.ok else "no"
        return f"{mark}  {self.check:8}  {self.says}"

    def to_dict(self) -> dict[str, Any]:
        """For programs that read it."""
        return {"check": self.check, "ok": self.ok, "says": self.says}


def check(request: Request, *, links: bool = True) -> Iterator[Finding]:
    """Look at one thing after the other; without `links`, at what this party has alone.

    What is wrong is found, not raised. `request.wait`: seconds for the peers to come.
    """
    running.limit_resources()
    failed: set[str] = set()
    with _Site(request) as site:
        for name, needs in _NEEDS.items():
            if (site.deals and name in _OF_OWNERS) or (name == "links" and not links):
                continue
            lacking = [one for one in (*needs, *site.needs(name)) if one in failed]
            found = Finding(name, None, f"not done: {lacking[0]} first") if lacking else _look(site, name)
            if not found.ok:
                failed.add(name)
            yield found


def exit_code(findings: Sequence[Finding]) -> int:
    """0 if all is well, 3 if nothing is wrong but with peers, 1 else."""
    bad = [one for one in findings if not one.ok]
    return 0 if not bad else 3 if all(one.by_peer for one in bad) else 1


def _look(site: _Site, name: str) -> Finding:
    try:
        with shown() as progress:
            return Finding(name, ok=True, says=getattr(site, name)(progress))
    except (LinkError, ProtocolError) as error:
        return Finding(name, ok=False, says=str(error), by_peer=True)
    except SmpcError as error:
        return Finding(name, ok=False, says=str(error))


class _Site:
    """What this party has, as far as it was looked at; a method for each check, which says what it found."""

    _manifest: Manifest
    _identity: Identity

    def __init__(self, request: Request) -> None:
        self._request = request
        self.deals, self._programmed = False, False
        self._rows: int | None = None
        self._store: Store | None = None
        self._open = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def needs(self, name: str) -> tuple[str, ...]:
        """A program is rehearsed for as many rows as there are, and a store belongs to it."""
        return {"ranges": ("data",), "store": ("ranges",)}.get(name, ()) if self._programmed else ()

    def manifest(self, _: Progress) -> str:
        path, me = self._request.study, self._request.party
        self._manifest = manifest = load_manifest(path)
        self.deals = manifest.party(me).role == "dealer"
        self._programmed = manifest.study.programmed
        if not self._programmed:
            study.geometry(manifest)
        everybody = listed(party.name for party in manifest.parties)
        return f"{path.name}: {manifest.study.name}, for {everybody}; SHA-256 {manifest.digest.hex()[:16]}…"

    def key(self, _: Progress) -> str:
        self._identity = running.own_key(self._manifest, self._request)
        fingerprint = keys.fingerprint(self._identity.public)
        return f"{self._request.key.name}: the one in the manifest, fingerprint {fingerprint}"

    def data(self, progress: Progress) -> str:
        manifest, request, which = self._manifest, self._request, ""
        if self._programmed:
            if (table := running.read_for_program(manifest, request)) is None:
                return "none: the program gets no table here"
            self._rows = table.rows
        else:
            prepared = running.prepare_data(manifest, request, progress)
            self._rows = prepared.rows
            which = f" of {listed(prepared.names)}" if manifest.study.split == "columns" else ""
        name = request.data.name if request.data else ""
        return f"{name}: {self._rows:,} row{'s' * (self._rows != 1)}{which}, within the declared ranges"

    def ranges(self, progress: Progress) -> str:
        if self._programmed:
            return self._rehearsed(progress)
        columns = f"{self._manifest.study.model}: {len(study.geometry(self._manifest).names)} columns"
        return f"{columns}, mapped to [-1, 1] by their ranges; a fit that would outgrow the ring is refused"

    def _rehearsed(self, progress: Progress) -> str:
        """The program's ranges depend on shapes and public bounds, as `smpc plan` finds them too."""
        name = program_name(self._manifest)
        rows = self._manifest.release.minimum_rows if self._rows is None else self._rows
        rows = max(rows, plan.least_rows(self._manifest))  # others may have more
        options = f" --rows {rows}" if self._manifest.columns else ""
        progress.stage(f"rehearsing {name}")
        headroom = Headroom()
        try:
            with redirect_stdout(sys.stderr):  # what a program prints is not found
                program = program_of(self._manifest, self._request.study)
                plan.rehearse_program(self._manifest, program.function, rows, headroom)
        except SmpcError:
            raise
        except Exception as error:  # noqa: BLE001 - the program's own: its text is not for us to quote
            where = f"smpc plan {self._request.study}{options} --debug shows where"
            raise SmpcError(f"{name} is stopped by {type(error).__name__} in a rehearsal: {where}") from None
        where = f"{name}, for {rows:,} rows in each table" if options else name
        if headroom.bits is None:
            return f"{where}: no operation could outgrow the ring"
        return f"{where}: {headroom.bits} bits to spare; closest to its limit is {headroom.operation}"

    def store(self, _: Progress) -> str:
        path = standard_path(self._request.study, self._request.party)
        store = open_store(path, self._identity.secret, running.binding(self._manifest, self._request))
        if store is None:
            return "none: correlated randomness is made during the run"
        self._store = self._open.enter_context(store)
        left = f"correlated randomness for {store.left} of {store.runs} runs is left"
        return f"{path.name}: {left if store.left else 'used up, correlated randomness is made during the run'}"

    def links(self, progress: Progress) -> str:
        manifest, me, wait, store = self._manifest, self._request.party, self._request.wait, self._store
        progress.stage("connecting to " + running.peers_of(manifest, me))
        with open_session(
            manifest, self._identity, me, wait=wait, patience=PATIENCE, store=store, purpose=CHECKING
        ) as session:
            if self._programmed and not self.deals:
                text = b""
                with suppress(OSError):  # whoever lacks the file has another one
                    text = program_text(manifest, self._request.study)
                running.compare_programs(session, program_name(manifest), text)
        peers = listed(party.name for party in manifest.parties if party.name != me)
        program = ", same program" if self._programmed and not self.deals else ""
        return f"{peers} answered: same manifest{program}, same version, smpc {library_version()}"
