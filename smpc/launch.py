"""All parties of a study as processes on this machine, with links as in production."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smpc.config import load_manifest
from smpc.errors import DataError, LinkError, SmpcError
from smpc.local_manifest import complete

if TYPE_CHECKING:
    from collections.abc import Iterator

    from smpc.config import Manifest

LINK_FAILED = 3  # exit code of a party whose peer is at fault
GRACE = 10.0  # seconds for the others to stop by themselves after that: one of them is the cause
CAUSE_GRACE = 2.0  # seconds for the others when the cause is known


@dataclass(frozen=True)
class Exit:
    """How one party's process ended."""

    party: str
    code: int
    stdout: str
    stderr: str

    @property
    def printed(self) -> list[str]:
        """What a program said beside its result."""
        return [line for line in self.stderr.splitlines() if not line.startswith("smpc: ")]

    @property
    def answer(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.stdout)
        return found


def run_locally(study: Path, data: Mapping[str, Path], out: Path) -> tuple[Manifest, dict[str, Exit]]:
    """Run every party of `study` here; the manifest that was used, and each party's exit.

    `data`: files by party, else NAME.csv beside the study. Keys and addresses are made for this run and thrown away;
    results stay in `out`/NAME. Raises SmpcError with the words of the party at fault.
    """
    manifest = load_manifest(study, allow_incomplete=True)
    unknown = sorted(set(data) - {party.name for party in manifest.owners})
    if unknown:
        raise DataError(f"--data names {unknown[0]}, which is no owner of data in this study")
    with tempfile.TemporaryDirectory(prefix="smpc-") as folder:
        completed = complete(manifest, Path(folder))
        if manifest.study.program:
            file = str(manifest.study.program).rpartition(":")[0]
            (Path(folder) / file).parent.mkdir(parents=True, exist_ok=True)
            _copy_program(study.parent / file, Path(folder) / file)
        commands = {
            party.name: _command(completed, manifest, party.name, _data(manifest, study, party.name, data), out)
            for party in manifest.parties
        }
        return load_manifest(completed), _run_all(commands)


def _copy_program(source: Path, target: Path) -> None:
    if not source.is_file():
        raise DataError(f"{source.name}: no such program beside the study")
    shutil.copyfile(source, target)


def _data(manifest: Manifest, study: Path, party: str, data: Mapping[str, Path]) -> Path | None:
    if manifest.party(party).role == "dealer":
        return None
    beside = study.parent / f"{party}.csv"
    if party in data:
        return data[party]
    if manifest.study.program and not beside.exists():
        return None
    return beside


def _command(study: Path, manifest: Manifest, party: str, data: Path | None, out: Path) -> list[str]:
    command = [sys.executable, "-P", "-m", "smpc", "run", str(study), "--party", party, "--json", "--wait", "30"]
    command += ["--key", str(study.parent / f"{party}.key")]
    if data is not None:
        command += ["--data", str(data)]
    if manifest.party(party).role != "dealer":
        command += ["--out", str(out / party)]
    return command


def _run_all(commands: Mapping[str, list[str]]) -> dict[str, Exit]:
    exits: dict[str, Exit] = {}
    killed: set[str] = set()
    with ThreadPoolExecutor(len(commands)) as pool, _processes(commands) as processes:
        futures = [pool.submit(_finish, name, process) for name, process in processes.items()]
        timers: list[threading.Timer] = []
        try:
            for future in as_completed(futures):
                done = future.result()
                exits[done.party] = done
                if done.code != 0:
                    grace = GRACE if done.code == LINK_FAILED else CAUSE_GRACE
                    timers.append(threading.Timer(grace, _give_up, [processes, killed]))
                    timers[-1].start()
        finally:
            for timer in timers:
                timer.cancel()
    if failed := [one for one in exits.values() if one.code != 0]:
        raise _failure(failed, killed)
    return exits


@contextmanager
def _processes(commands: Mapping[str, list[str]]) -> Iterator[dict[str, subprocess.Popen[str]]]:
    """Started processes; whatever happens, none outlives the block."""
    processes: dict[str, subprocess.Popen[str]] = {}
    # Parties share the cores: were each to use them all, BLAS threads would wait for each other.
    threads = max(1, (os.cpu_count() or 1) // len(commands))
    shared = ["/usr/bin/env", f"OPENBLAS_NUM_THREADS={threads}", f"OMP_NUM_THREADS={threads}"]
    try:
        for name, command in commands.items():
            processes[name] = subprocess.Popen(  # noqa: S603 - this program itself
                [*shared, *command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
        yield processes
    finally:
        for process in processes.values():
            process.kill()


def _give_up(processes: Mapping[str, subprocess.Popen[str]], killed: set[str]) -> None:
    """End those that are still there, and remember that it was not their own doing."""
    for name, process in processes.items():
        if process.poll() is None:
            killed.add(name)
            process.kill()


def _finish(party: str, process: subprocess.Popen[str]) -> Exit:
    stdout, stderr = process.communicate()
    return Exit(party, process.returncode, stdout, stderr)


def _failure(failed: list[Exit], killed: set[str]) -> SmpcError:
    """The error of the party that is the cause: one that did not just lose a peer, if there is one."""
    cause = min(failed, key=lambda one: (one.party in killed, one.code == LINK_FAILED))
    text = f"{cause.party}: {_last_words(cause)}"
    return LinkError(text, cause.party) if cause.code == LINK_FAILED else SmpcError(text)


def _last_words(ended: Exit) -> str:
    if ended.code < 0:
        return f"its process was ended from outside, by signal {-ended.code}"
    lines = ended.stderr.strip().splitlines()
    return lines[-1].removeprefix("smpc: ") if lines else f"its process ended with code {ended.code}"
