"""A fitted model as a receiver has it, and the account of its run."""

from __future__ import annotations

import dataclasses
from itertools import combinations

import numpy as np

from smpc import sample
from smpc.config import parse_manifest
from smpc.ledger import Ledger
from smpc.oracle import ordinary_least_squares
from smpc.result import Cost, LinearResult

OWNERS = ("north", "south", "east")
COST = Cost(rounds=199, bytes_sent=1_934_112, seconds=2.314, preprocessing="dealer")
PARTS = {
    "coefficients": ("coefficients",),
    "standard_errors": ("standard_errors",),
    "fit": ("r_squared", "residual_standard_error"),
}
# What [release] outputs may be: standard errors only beside coefficients.
SUBSETS = [
    subset
    for size in (1, 2, 3)
    for subset in combinations(PARTS, size)
    if "coefficients" in subset or "standard_errors" not in subset
]

DEALT = '[security]\npreprocessing = "dealer"\n'


def fitted(**changes) -> LinearResult:
    """Ordinary least squares on the diabetes data, in float64."""
    table = sample.diabetes()
    x, y = table[:, :-1], table[:, -1]
    coefficients, errors = ordinary_least_squares(x, y)
    residual = y - coefficients[0] - x @ coefficients[1:]
    freedom = len(y) - len(coefficients)
    names = ("intercept", *sample.FEATURES)
    squares = float(residual @ residual)
    result = LinearResult(
        "diabetes", "linear", sample.TARGET, names, len(y), 0.95, coefficients, errors, float(freedom),
        1 - squares / float(((y - y.mean()) ** 2).sum()), float(np.sqrt(squares / freedom)),
    )  # fmt: skip
    return dataclasses.replace(result, **changes)


def ridge(**changes) -> LinearResult:
    return fitted(**{"model": "ridge", "penalty": 10.0, "degrees_of_freedom": 432.37, **changes})


def released(result, subset) -> LinearResult:
    """`result` with nothing but the parts that [release] names."""
    missing = {field: None for part in PARTS if part not in subset for field in PARTS[part]}
    if set(subset) == {"coefficients"}:
        missing["degrees_of_freedom"] = None
    return dataclasses.replace(result, **missing)


def entries(owners=OWNERS, to=OWNERS):
    ledger = Ledger("diabetes", "8f" * 32)
    for what, count in (("rows", 1), ("check: every column varies", 11), ("check: the fit can be trusted", 4)):
        ledger.record(what, (count,), owners)
    for what, count in (("coefficients", 11), ("standard_errors", 11), ("fit", 2)):
        ledger.record(what, (count,), to)
    return ledger.entries


def manifest(study='model = "linear"\nsplit = "rows"', owners=OWNERS, to=None, release=""):
    """A study of the diabetes data; `study` and `release` are further lines of these sections."""
    features = ", ".join(f'"{name}"' for name in sample.FEATURES)
    variables = "" if "program" in study else f'target = "{sample.TARGET}"\nfeatures = [{features}]\n'
    receivers = ", ".join(f'"{name}"' for name in to or owners)
    parties = "\n".join(f'[[party]]\nname = "{name}"' for name in owners)
    text = (
        f'[study]\nname = "diabetes"\n{study}\n{variables}[release]\nto = [{receivers}]\n{release}\n'
        f'{sample.columns_toml(tuple(sample.RANGES))}\n{DEALT}{parties}\n[[party]]\nname = "helper"\nrole = "dealer"\n'
    )
    return parse_manifest(text.encode(), "study.toml", allow_incomplete=True)
