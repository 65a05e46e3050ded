"""`smpc demo`: the main job on real data, with every party a process and every link as in production."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from smpc import sample
from smpc.launch import run_locally
from smpc.oracle import logistic_regression, ordinary_least_squares

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from typing import Any

    from numpy.typing import NDArray

    from smpc.config import Manifest

    Reals = NDArray[np.float64]

NAMES = ("north", "south", "east", "west")


class Job(NamedTuple):
    """A model on real data: `columns` has features, then the target, with range and unit."""

    study: str
    columns: Mapping[str, tuple[float, float, str]]
    table: Callable[[], Reals]
    plain: Callable[[Reals, Reals], tuple[Reals, Reals]]


JOBS = {
    "linear": Job("diabetes", sample.RANGES, sample.diabetes, ordinary_least_squares),
    "logistic": Job("tumours", sample.TUMOURS, sample.tumours, logistic_regression),
}


@dataclass(frozen=True, eq=False)
class Demo:
    """What came out, beside the pooled fit in the clear."""

    manifest: Manifest
    answer: dict[str, Any]  # the first receiver's result.json
    coefficients: Reals
    standard_errors: Reals
    plain_coefficients: Reals
    plain_errors: Reals
    seconds: float

    @property
    def largest_difference(self) -> float:
        """Between joint and pooled coefficients, in units of the coefficient's own standard error."""
        return float(np.abs((self.coefficients - self.plain_coefficients) / self.plain_errors).max())


def party_names(parties: int) -> tuple[str, ...]:
    """north, south, …, then numbers."""
    return (*NAMES[:parties], *(f"site{number}" for number in range(len(NAMES) + 1, parties + 1)))


def run_demo(parties: int, folder: Path, *, dealer: bool = False, model: str = "linear") -> Demo:
    """Write a study and one CSV a party into `folder`, run it, fit the pooled data in the clear.

    `model`: one of JOBS. Results stay in `folder`/results/NAME.
    """
    job = JOBS[model]
    table, columns = job.table(), tuple(job.columns)
    names = party_names(parties)
    study = write_study(folder, names, dealer=dealer, model=model)
    for name, rows in zip(names, sample.split_rows(table, parties), strict=True):
        sample.write_csv(folder / f"{name}.csv", columns, rows)
    started = monotonic()
    manifest, exits = run_locally(study, {}, folder / "results")
    seconds = monotonic() - started
    answer = exits[names[0]].answer
    order = ("intercept", *columns[:-1])
    joint, errors = (np.array([answer[key][name] for name in order]) for key in ("coefficients", "standard_errors"))
    plain, plain_errors = job.plain(table[:, :-1], table[:, -1])
    return Demo(manifest, answer, joint, errors, plain, plain_errors, seconds)


def write_study(folder: Path, names: tuple[str, ...], *, dealer: bool = False, model: str = "linear") -> Path:
    """study.toml of the demo, without keys and addresses."""
    job = JOBS[model]
    *inputs, target = job.columns
    quoted = ", ".join(f'"{name}"' for name in names)
    features = ", ".join(f'"{name}"' for name in inputs)
    owners = "\n".join(f'[[party]]\nname = "{name}"\n' for name in names)
    preprocessing, helper = "ot", ""
    if dealer:
        preprocessing, helper = "dealer", '\n[[party]]\nname = "helper"\nrole = "dealer"\n'
    path = folder / "study.toml"
    path.write_text(
        f'[study]\nname = "{job.study}"\nmodel = "{model}"\nsplit = "rows"\ntarget = "{target}"\n'
        f'features = [{features}]\n\n[security]\npreprocessing = "{preprocessing}"\n\n[release]\nto = [{quoted}]\n\n'
        f"{sample.columns_toml(tuple(job.columns), job.columns)}\n{owners}{helper}",
        encoding="utf-8",
    )
    return path
