"""What a run leaves behind: files in the result folder, and what the terminal shows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from smpc.report import print_done, print_result, trust_statement, write_report
from smpc.result import to_fields

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from rich.console import Console

    from smpc.config import Manifest
    from smpc.demo import Demo
    from smpc.run import Outcome


def write_outcome(outcome: Outcome, out: Path | None) -> dict[str, Any]:
    """Write result.json and report.html for a receiver of a model; return what `--json` prints."""
    opened = [{"what": e.what, "shape": list(e.shape), "to": list(e.to)} for e in outcome.opened]
    if outcome.result is None:
        fields = {"study": outcome.manifest.study.name, "returned": plain(outcome.returned)}
        return fields | {"cost": vars(outcome.cost), "opened": opened}
    fields = to_fields(outcome.result, outcome.cost, opened)
    if out is not None:
        text = json.dumps(fields, indent=2, ensure_ascii=False, allow_nan=False)
        (out / "result.json").write_text(text + "\n", encoding="utf-8")
        write_report(
            out / "report.html",
            outcome.result,
            outcome.cost,
            trust_statement(outcome.manifest),
            outcome.opened,
        )
    return fields


def plain(value: Any) -> Any:
    """A program's return value as JSON has it; what JSON has not, as its repr."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, dict):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return value if isinstance(value, str | int | float | bool | None) else repr(value)


def print_outcome(console: Console, outcome: Outcome, out: Path | None) -> None:
    """What `smpc run` shows at the end."""
    manifest, study = outcome.manifest, outcome.manifest.study
    statement = trust_statement(manifest)
    if outcome.result is not None:
        print_result(console, outcome.result, outcome.cost, statement, outcome.opened)
        if out is not None:
            console.print(f"Files: {out}/result.json, report.html, ledger.jsonl")
        return
    if study.program:
        console.print(f"returned {outcome.returned!r}")
    print_done(console, study.name, outcome.cost, statement, outcome.opened, manifest.release.to)


def print_answers(console: Console, manifest: Manifest, answers: Mapping[str, Mapping[str, Any]]) -> None:
    """What `smpc local` shows: each party's return value of a program, or the receivers' result."""
    if manifest.study.program:
        for name, answer in answers.items():
            console.print(f"[bold]{name}[/] returned {answer['returned']}")
        return
    receiver = manifest.release.to[0]
    print_fields(console, answers[receiver])
    console.print("Received by: " + ", ".join(manifest.release.to))


def print_fields(console: Console, answer: Mapping[str, Any]) -> None:
    raise NotImplementedError


def print_demo(console: Console, demo: Demo) -> None:
    raise NotImplementedError
