"""What a run leaves behind: files in the result folder, and its end as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from smpc.errors import SmpcError
from smpc.files import write_whole
from smpc.result import to_fields
from smpc.result_statistics import Results
from smpc.run import REPORT, RESULT

if TYPE_CHECKING:
    from pathlib import Path

    from smpc.run import Outcome


def write_outcome(outcome: Outcome, out: Path | None) -> dict[str, Any]:
    """Write result.json and report.html for a receiver of a model; return what `--json` prints.

    Raises SmpcError if they cannot be written.
    """
    opened = [{"what": e.what, "shape": list(e.shape), "to": list(e.to)} for e in outcome.opened]
    if isinstance(outcome.returned, Results):
        return _write_statistics(outcome, outcome.returned, opened, out)
    if outcome.result is None:
        fields = {"study": outcome.manifest.study.name, "returned": plain(outcome.returned)}
        return fields | {"session": outcome.session, "cost": vars(outcome.cost), "opened": opened}
    fields = to_fields(outcome.result, outcome.cost, opened) | {"session": outcome.session}
    if out is not None:
        text = json.dumps(fields, indent=2, ensure_ascii=False, allow_nan=False)
        from smpc.report import trust_statement, write_report  # with rich and jinja2, which a program does not need

        statement = trust_statement(outcome.manifest)
        try:
            write_whole(out / RESULT, text + "\n")
            write_report(out / REPORT, outcome.result, outcome.cost, statement, outcome.opened)
        except OSError as error:
            raise SmpcError(f"the result cannot be written: {error.strerror}: mend that and run again") from None
    return fields


def _write_statistics(
    outcome: Outcome, results: Results, opened: list[dict[str, Any]], out: Path | None
) -> dict[str, Any]:
    """The same for statistics, whose page has their tables as they print."""
    study = outcome.manifest.study
    fields: dict[str, Any] = {
        "study": study.name,
        "model": study.model,
        "results": results.to_dict(),
        "text": str(results),
    }
    fields |= {"cost": vars(outcome.cost), "opened": opened, "session": outcome.session}
    if out is not None:
        from smpc.report import trust_statement, write_tables

        try:
            write_whole(out / RESULT, json.dumps(fields, indent=2, ensure_ascii=False) + "\n")
            write_tables(
                out / REPORT, study.name, results, outcome.cost, trust_statement(outcome.manifest), outcome.opened
            )
        except OSError as error:
            raise SmpcError(f"the result cannot be written: {error.strerror}: mend that and run again") from None
    return fields


def plain(value: Any) -> Any:
    """A program's return value as JSON has it; what JSON has not, as its repr."""
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.astype(np.float64).tolist() if value.dtype.kind == "f" else value.tolist())
    if isinstance(value, dict):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    known = isinstance(value, str | int | None) or (isinstance(value, float) and np.isfinite(value))
    return value if known else repr(value)
