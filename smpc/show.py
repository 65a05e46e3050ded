"""What the terminal shows at the end of a command."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from smpc import figures
from smpc.ledger import verify
from smpc.report import (
    print_account,
    print_done,
    print_result,
    print_table,
    print_whole,
    trust_statement,
)
from smpc.result import Cost
from smpc.result_glm import result_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from rich.console import Console

    from smpc.config import Manifest
    from smpc.demo import Demo
    from smpc.ledger import Entry
    from smpc.plan import Plan
    from smpc.run import Outcome


def print_outcome(console: Console, outcome: Outcome, party: str, out: Path | None) -> None:
    """What `smpc run` shows at the end."""
    manifest, study = outcome.manifest, outcome.manifest.study
    if manifest.party(party).role == "dealer":
        console.print(f"{study.name}: done; {party} dealt {outcome.cost.bytes_sent:,} bytes and saw shapes only")
        return
    statement = trust_statement(manifest)
    if outcome.result is not None:
        print_result(console, outcome.result, outcome.cost, statement, outcome.opened)
        if out is not None:
            console.print(f"Files: {out}/result.json, report.html, ledger.jsonl", markup=False, soft_wrap=True)
        return
    if study.statistic and outcome.returned is not None:
        console.print(str(outcome.returned) + "\n", markup=False, highlight=False, soft_wrap=True)
        print_account(console, outcome.cost, statement, outcome.opened)
        if out is not None:
            console.print(f"Files: {out}/result.json, report.html, ledger.jsonl", markup=False, soft_wrap=True)
        return
    if study.program:
        console.print(f"returned {outcome.returned!r}", markup=False, soft_wrap=True)
    print_done(console, study.name, outcome.cost, statement, outcome.opened, manifest.release.to)


def print_plan(console: Console, plan: Plan) -> None:
    """What `smpc plan` shows."""
    from smpc.plan import NETWORKS

    lines = [f"{plan.study}, for {plan.assumed}; correlated randomness from {plan.preprocessing}", ""]
    width = max(len(party.name) for party in plan.parties)
    lines.append(f"{'':{width}}  rounds     sends        for randomness beside")
    for party in plan.parties:
        beside = f"{party.offline.rounds:,} rounds, {_size(party.offline.sent)}"
        lines.append(f"{party.name:{width}}  {party.online.rounds:>6,}  {_size(party.online.sent):>8}        {beside}")
    lines += ["", f"{'correlation':16}  asked for  ring elements"]
    lines += [f"{kind:16}  {asked:>9,}  {elements:>13,}" for kind, (asked, elements) in sorted(plan.kinds.items())]
    lines += ["", f"memory for these about {_size(plan.memory)} a party", ""]
    if plan.headroom:
        lines += [f"closest to its limit: {plan.headroom.operation}, with {plan.headroom.bits} bits to spare", ""]
    lines += [f"{network.name:26}  about {plan.seconds(network):,.1f} s" for network in NETWORKS]
    console.print("\n".join(lines), markup=False, soft_wrap=True)


def _size(count: int) -> str:
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= size:
            return f"{count / size:,.1f} {unit}"
    return f"{count} B"


def print_answers(
    console: Console, manifest: Manifest, answers: Mapping[str, Mapping[str, Any]], results: Path
) -> None:
    """What `smpc local` shows: each party's return value of a program, or the result as a receiver sees it.

    `results` has the parties' folders.
    """
    receiver = manifest.release.to[0]
    answer, statement = answers[receiver], trust_statement(manifest)
    opened = _of_session(results / receiver, answer["session"])
    if manifest.study.statistic:
        console.print(f"As {figures.listed(manifest.release.to)} read{'s' * (len(manifest.release.to) == 1)} it:\n")
        console.print(answer["text"] + "\n", markup=False, highlight=False, soft_wrap=True)
        print_account(console, Cost(**answer["cost"]), statement, opened)
        return
    if manifest.study.program:
        for name, each in answers.items():
            console.print(f"{name} returned {each['returned']}", markup=False, soft_wrap=True)
        print_account(console, Cost(**answer["cost"]), statement, opened)
        return
    console.print(f"As {figures.listed(manifest.release.to)} read{'s' if len(manifest.release.to) == 1 else ''} it:\n")
    print_result(console, result_of(answer), Cost(**answer["cost"]), statement, opened)


def _of_session(folder: Path, session: str) -> list[Entry]:
    """What one run wrote to the ledger of a party's folder, which earlier runs may have begun."""
    path = folder / "ledger.jsonl"
    return [entry for entry in verify(path) if entry.session == session] if path.exists() else []


def print_demo(console: Console, demo: Demo, results: Path) -> None:
    """The joint fit beside the pooled one, and what the run cost, opened, and could have told whom."""
    result = result_of(demo.answer)
    owners = figures.listed(party.name for party in demo.manifest.owners)
    console.print(f"{owners} hold {result.rows} patients between them and fit one model without showing a row:\n")
    errors = demo.standard_errors.tolist()
    pooled = (figures.number(*pair, 3) for pair in zip(demo.plain_coefficients.tolist(), errors, strict=True))
    joint, error, _, _, t, p = figures.columns(result)
    columns = [
        figures.Column("joint fit", joint.cells),
        figures.Column("pooled fit", tuple(pooled)),
        figures.Column("std. error", error.cells),
        figures.Column(t.title, t.cells),
        figures.Column("p", p.cells),
    ]
    print_table(console, result.names, columns)
    console.print(
        f"\nLargest difference between the joint fit and the fit of the pooled data: {demo.largest_difference:.1e} "
        "standard errors.\n"
    )
    opened = _of_session(results / demo.manifest.release.to[0], demo.answer["session"])
    print_whole(console, result)
    print_account(console, Cost(**demo.answer["cost"]), trust_statement(demo.manifest), opened)
    console.print(f"\n{len(demo.manifest.parties)} processes, from their start to their end: {demo.seconds:.1f} s")
