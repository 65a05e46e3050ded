"""How far the joint linear model is from the float64 fit of the pooled data: worst of 20 runs a case.

    make bench

All parties run as threads of this process; masks, and so rounding, are fresh in every run. Differences of coefficients
are in units of the coefficient's own standard error, of standard errors relative, of p-values absolute.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special
from scipy.stats import random_correlation

from protocols import local
from smpc import sample, study
from smpc.config import Manifest, parse_manifest
from smpc.data import read_table
from smpc.ledger import Ledger
from smpc.oracle import ordinary_least_squares
from smpc.release import Gate
from smpc.result import LinearResult

Reals = NDArray[np.float64]
RUNS = 20


class Case(NamedTuple):
    """Pooled data, the target last, and a declared range for each column."""

    name: str
    table: Reals
    low: Reals
    high: Reals


def diabetes() -> Case:
    """442 patients, ten features, the ranges of `smpc demo`."""
    ranges = np.array([entry[:2] for entry in sample.RANGES.values()])
    return Case("diabetes, 442 × 10", sample.diabetes(), ranges[:, 0], ranges[:, 1])


def synthetic(rows: int, features: int, condition: float, spread: float) -> Case:
    """Normal features whose correlation matrix has this condition number, on scales from 1 to `spread`."""
    rng = np.random.default_rng(1)
    eigenvalues = np.geomspace(1, 1 / condition, features)
    correlation = random_correlation.rvs(eigenvalues * features / eigenvalues.sum(), random_state=1, tol=1e-8)
    x = rng.normal(size=(rows, features)) @ np.linalg.cholesky(correlation).T
    y = x @ rng.normal(size=features) + rng.normal(size=rows)
    table = np.column_stack([x * np.geomspace(1, spread, features), y])
    mean, wide = table.mean(axis=0), 10 * table.std(axis=0)
    name = f"synthetic, {rows:,} × {features}, condition number {condition:,.0f}"
    name += f", scales up to {spread:,.0f}" if spread > 1 else ""
    return Case(name, table, mean - wide, mean + wide)


def manifest_of(case: Case, split: str, parties: int) -> Manifest:
    """A study of the case's columns, x0 … and y."""
    names = names_of(case)
    columns = "\n".join(
        f"[columns.{name}]\nrange = [{low!r}, {high!r}]"
        for name, low, high in zip(names, case.low.tolist(), case.high.tolist(), strict=True)
    )
    owners = "\n".join(f'[[party]]\nname = "p{rank}"' for rank in range(parties))
    text = (
        f'[study]\nname = "accuracy"\nmodel = "linear"\nsplit = "{split}"\ntarget = "y"\nfeatures = {names[:-1]}\n'
        f'[release]\nto = ["p0"]\n{columns}\n{owners}\n[[party]]\nname = "d"\nrole = "dealer"\n'
    )
    return parse_manifest(text.encode(), "accuracy", allow_incomplete=True)


def names_of(case: Case) -> list[str]:
    """x0, x1, …, y."""
    return [*(f"x{j}" for j in range(case.table.shape[1] - 1)), "y"]


def tables_of(case: Case, split: str, parties: int) -> list[dict[str, Reals]]:
    """What each party has: every n-th row, or every n-th column."""
    columns = dict(zip(names_of(case), case.table.T, strict=True))
    if split == "rows":
        return [{name: values[rank::parties] for name, values in columns.items()} for rank in range(parties)]
    return [dict(list(columns.items())[rank::parties]) for rank in range(parties)]


def worst(case: Case, split: str, parties: int) -> tuple[float, float, float]:
    """The largest difference of a coefficient, a standard error, a p-value in RUNS runs."""
    manifest = manifest_of(case, split, parties)
    require = "all" if split == "rows" else "some"
    prepared = [
        study.prepare(manifest, read_table(table, manifest.columns, names_of(case), require=require))
        for table in tables_of(case, split, parties)
    ]
    names = tuple(owner.name for owner in manifest.owners)
    coefficients, errors = ordinary_least_squares(case.table[:, :-1], case.table[:, -1])
    p_values = 2 * special.stdtr(len(case.table) - len(coefficients), -np.abs(coefficients / errors))

    def program(party: local.LocalParty) -> LinearResult | None:
        gate = Gate(party, names, manifest.release.to, Ledger("accuracy", ""), study.PUBLIC)
        mine = prepared[party.rank]
        return study.fit(gate, manifest, mine, study.agree(gate, manifest, mine))

    found = np.zeros((RUNS, 3))
    for run in range(RUNS):
        result = local.run(parties, program)[0]
        found[run] = (
            np.abs((result.coefficients - coefficients) / errors).max(),
            np.abs(result.standard_errors / errors - 1).max(),
            np.abs(result.p_values - p_values).max(),
        )
    return tuple(found.max(axis=0).tolist())


def main() -> None:
    """Print a row a case, as Markdown."""
    print("| data | split | coefficients | standard errors | p-values |\n| --- | --- | --- | --- | --- |")
    for case in (
        diabetes(),
        synthetic(1000, 10, 1e5, 1),
        synthetic(1000, 10, 1e5, 1e6),
        synthetic(100_000, 20, 1e5, 1),
    ):
        for split, parties in (("rows", 3), ("columns", 2)):
            row = " | ".join(f"{value:.0e}" for value in worst(case, split, parties))
            print(f"| {case.name} | {split}, {parties} parties | {row} |", flush=True)


if __name__ == "__main__":
    main()
