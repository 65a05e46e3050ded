"""Linear studies among threads of this process, from tables to results, and what they should say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from protocols import local
from smpc import sample, study
from smpc.config import parse_manifest
from smpc.data import read_table
from smpc.ledger import Ledger
from smpc.release import Gate

NAMES = ("north", "south", "east", "west", "mid")
SEED = bytes(range(32))  # of all masks: what rounding makes of a result is the same in every run of the tests


def manifest(
    features, ranges, parties, *, split="rows", penalty=None, to=("north",), outputs=None, minimum_rows=2, model=None,
    **others,
):  # fmt: skip
    """A manifest without keys; `ranges`: the features', then the target's, whose name is y, then of weights and offset.

    `others`: further keys of [study].
    """
    model = model or ("linear" if penalty is None else "ridge")
    named = [*features, "y", *(others[key] for key in ("weights", "offset") if key in others)]
    columns = "".join(
        f'[columns."{name}"]\nrange = [{low!r}, {high!r}]\n'
        + ('type = "integer"\n' if name == "y" and model in ("logistic", "poisson") else "")
        for name, (low, high) in zip(named, ranges, strict=True)
    )
    text = (
        f'[study]\nname = "small"\nmodel = "{model}"\nsplit = "{split}"\n'
        f'target = "y"\nfeatures = {list(features)!r}\n'.replace("'", '"')
        + ("" if penalty is None else f"penalty = {penalty!r}\n")
        + "".join(f"{key} = {value!r}\n".replace("'", '"') for key, value in others.items())
        + columns
        + f"[release]\nto = {list(to)!r}\nminimum_rows = {minimum_rows}\n".replace("'", '"')
        + ("" if outputs is None else f"outputs = {list(outputs)!r}\n".replace("'", '"'))
        + "".join(f'[[party]]\nname = "{name}"\n' for name in NAMES[:parties])
        + '[security]\npreprocessing = "dealer"\n[[party]]\nname = "helper"\nrole = "dealer"\n'
    )
    return parse_manifest(text.encode(), "study.toml", allow_incomplete=True)


@dataclass(frozen=True)
class Run:
    results: list  # by rank
    parties: list
    ledgers: list


def fit(a_manifest, tables, ledgers=None, seed=SEED, preprocessing="dealer"):
    """The study on one mapping (from column to values) a party. Raises what the parties raised."""
    wanted = a_manifest.wanted
    require = "some" if a_manifest.study.split == "columns" else "all"
    prepared = [
        study.prepare(a_manifest, read_table(table, a_manifest.columns, wanted, require=require)) for table in tables
    ]
    names = tuple(party.name for party in a_manifest.owners)
    ledgers = ledgers or [Ledger("small", "5e55") for _ in names]
    everyone = local.parties(len(names), seed, preprocessing=preprocessing)

    def program(party):
        gate = Gate(party, names, a_manifest.release.to, ledgers[party.rank], study.PUBLIC)
        mine = prepared[party.rank]
        return study.fit(gate, a_manifest, mine, study.agree(gate, a_manifest, mine))

    return Run(local.run_all(everyone, program), everyone, ledgers)


def ranges_of(data):
    """Ranges a bit wider than the data."""
    low, high = data.min(axis=0), data.max(axis=0)
    room = (high - low) / 3 + 1e-3 * (high == low)
    return list(zip((low - room).tolist(), (high + room).tolist(), strict=True))


def fit_data(x, y, *, parties=3, split="rows", ranges=None, seed=SEED, **options):
    """The study of the columns x0, x1, … and y, divided evenly. Ranges a bit wider than the data if not said."""
    names = [f"x{number}" for number in range(x.shape[1])]
    data = np.column_stack([x, y])
    ranges = ranges_of(data) if ranges is None else ranges
    a_manifest = manifest(names, ranges, parties, split=split, **options)
    return fit(a_manifest, divided(data, [*names, "y"], parties, split), seed=seed)


def divided(data, names, parties, split="rows"):
    """One mapping a party."""
    if split == "rows":
        return [dict(zip(names, part.T, strict=True)) for part in np.array_split(data, parties)]
    return [
        {names[number]: data[:, number] for number in numbers}
        for numbers in np.array_split(np.arange(len(names)), parties)
    ]


# Real and synthetic data


def diabetes():
    """x and y, and the ranges that were declared for them."""
    data = sample.diabetes()
    return data[:, :-1], data[:, -1], [(low, high) for low, high, _ in sample.RANGES.values()]


def correlated(rows, features, condition, seed=0):
    """Columns whose correlation matrix, as observed, has exactly that condition number."""
    rng = np.random.default_rng(seed)
    eigenvalues = np.logspace(0, -np.log10(condition), features)
    wanted = stats.random_correlation.rvs(eigenvalues * features / eigenvalues.sum(), random_state=seed, tol=1e-8)
    q, _ = np.linalg.qr(np.column_stack([np.ones(rows), rng.normal(size=(rows, features))]))
    return q[:, 1:] @ np.linalg.cholesky(wanted).T * np.sqrt(rows)


# What it should be


@dataclass(frozen=True)
class Fit:
    coefficients: np.ndarray
    errors: np.ndarray
    p_values: np.ndarray
    freedom: float
    r_squared: float
    residual_error: float


def ridge(x, y, penalty):
    """The fit in float64: penalty on standardized features, the intercept free; variance of the estimator."""
    rows = len(y)
    centre, scale = x.mean(axis=0), x.std(axis=0)
    z, centred = (x - centre) / scale, y - y.mean()
    gram = z.T @ z
    inverse = np.linalg.inv(gram + penalty * np.eye(x.shape[1]))
    slopes = inverse @ z.T @ centred / scale
    intercept = y.mean() - centre @ slopes
    residual = y - intercept - x @ slopes
    freedom = rows - 1 - np.trace(inverse @ gram)
    variance = residual @ residual / freedom
    spread = variance * (inverse @ gram @ inverse) / np.outer(scale, scale)
    errors = np.sqrt(np.concatenate([[variance / rows + centre @ spread @ centre], np.diag(spread)]))
    coefficients = np.concatenate([[intercept], slopes])
    p_values = 2 * stats.t.sf(np.abs(coefficients / errors), freedom)
    r_squared = 1 - residual @ residual / (centred @ centred)
    return Fit(coefficients, errors, p_values, freedom, r_squared, np.sqrt(variance))
