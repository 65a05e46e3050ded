"""Parties as real processes, each in a folder of its own with its own key, data and copy of the manifest."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import statsmodels.api as sm

from smpc import identity, sample
from tests.smpc.network import free_port

ROOT = Path(__file__).parent.parent.parent
HANG = 30  # seconds after which a process that should have ended is a failure
STAGE = re.compile(
    r"smpc: (reading|rehearsing|connecting to|making|computing|waiting for the|dealing$|every party computes|"
    r"\d+ parties and)"
)


@dataclass(frozen=True)
class Ended:
    """How a process ended."""

    code: int
    stdout: str
    stderr: str
    seconds: float

    @property
    def error(self):
        """The one line on stderr that is not about progress."""
        (line,) = [line for line in self.stderr.splitlines() if line and not STAGE.match(line)]
        assert line.startswith("smpc: ")
        return line.removeprefix("smpc: ")

    @property
    def answer(self):
        return json.loads(self.stdout)


def smpc(*arguments, cwd=None, path=()):
    """A started `smpc` process; `path`: folders in which Python looks first."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, [*path, ROOT])), "COLUMNS": "80"}
    command = [sys.executable, "-W", "error", "-m", "smpc", *map(str, arguments)]
    return subprocess.Popen(
        command, cwd=cwd, env=environment, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def ended(process, started):
    try:
        stdout, stderr = process.communicate(timeout=HANG)
    finally:
        process.kill()
    return Ended(process.returncode, stdout, stderr, time.monotonic() - started)


def run(*arguments, cwd=None):
    """What `smpc` did."""
    return ended(smpc(*arguments, cwd=cwd), time.monotonic())


@dataclass
class Site:
    """One party: change what it has, then run it."""

    name: str
    folder: Path
    wait: float = 8
    options: list = field(default_factory=list)
    path: list = field(default_factory=list)
    command: str = "run"

    @property
    def study(self):
        return self.folder / "study.toml"

    @property
    def data(self):
        return self.folder / f"{self.name}.csv"

    @property
    def key(self):
        return self.folder / f"{self.name}.key"

    @property
    def out(self):
        return self.folder / "results" / self.name

    def start(self):
        arguments = [self.command, "study.toml", "--party", self.name, "--wait", self.wait, *self.options]
        return smpc(*arguments, cwd=self.folder, path=self.path)

    def edit(self, old, new):
        """Change this party's manifest."""
        text = self.study.read_text()
        assert text.count(old) >= 1
        self.study.write_text(text.replace(old, new, 1))


@dataclass(frozen=True)
class Sites:
    """All parties of a study by name, the owners first."""

    all: dict

    def __getitem__(self, name):
        return self.all[name]

    def __iter__(self):
        return iter(self.all.values())

    def edit(self, old, new):
        for site in self:
            site.edit(old, new)

    def run(self, *, without=()):
        """How each party's process ended, by name."""
        started = time.monotonic()
        processes = {site.name: site.start() for site in self if site.name not in without}
        with ThreadPoolExecutor(len(processes)) as pool:
            futures = {name: pool.submit(ended, process, started) for name, process in processes.items()}
        return {name: future.result() for name, future in futures.items()}


FEATURES = ("age", "bmi", "bp")


def sites(
    folder, *, owners=("north", "south"), to=("north",), wait=8.0, study="", release="", tables=None, dealer=True
):
    """A study on diabetes data, split by rows; `tables`: other rows of FEATURES and the target, by owner."""
    names = (*owners, "helper") if dealer else owners
    columns = (*FEATURES, sample.TARGET)
    if tables is None:
        whole = sample.diabetes()[:, [list(sample.RANGES).index(name) for name in columns]]
        tables = dict(zip(owners, sample.split_rows(whole, len(owners)), strict=True))
    everyone = {name: Site(name, folder / name, wait) for name in names}
    blocks = []
    for site in everyone.values():
        site.folder.mkdir(parents=True)
        own = identity.generate(site.name)
        identity.write(own, site.folder)
        blocks.append(party(site.name, free_port(), own.public.hex(), dealer=site.name == "helper"))
        if site.name in owners:
            sample.write_csv(site.data, columns, tables[site.name])
    for site in everyone.values():
        site.study.write_text(manifest(columns, to, study, release, dealer=dealer) + "".join(blocks))
    return Sites(everyone)


def manifest(columns, to, study="", release="", *, dealer=True):
    head = study or f'model = "linear"\nsplit = "rows"\ntarget = "{columns[-1]}"\nfeatures = {list(columns[:-1])!r}\n'
    text = f'[study]\nname = "progression"\n{head}\n[release]\nto = {list(to)!r}\n{release}\n'
    text += f'[security]\npreprocessing = "{"dealer" if dealer else "ot"}"\n'
    return text.replace("'", '"') + sample.columns_toml(columns)


def party(name, port, key, *, dealer=False):
    role = 'role = "dealer"\n' if dealer else ""
    return f'\n[[party]]\nname = "{name}"\n{role}address = "127.0.0.1:{port}"\npublic_key = "{key}"\n'


def pooled(everyone, owners):
    """All rows of all owners."""
    return np.concatenate([np.loadtxt(everyone[name].data, delimiter=",", skiprows=1, ndmin=2) for name in owners])


def assert_fit(answer, data, names=("intercept", *FEATURES), bound=1e-3):
    """The result within the promise: of the standard errors of the pooled fit."""
    theirs = sm.OLS(data[:, -1], sm.add_constant(data[:, :-1])).fit()
    found = {
        key: np.array([answer[key][name] for name in names]) for key in ("coefficients", "standard_errors", "p_values")
    }
    assert (np.abs(found["coefficients"] - theirs.params) < bound * theirs.bse).all()
    assert (np.abs(found["standard_errors"] - theirs.bse) < bound * theirs.bse).all()
    assert (np.abs(found["p_values"] - theirs.pvalues) < bound).all()
    assert answer["rows"] == len(data)
    assert answer["r_squared"] == pytest.approx(theirs.rsquared, abs=bound)


def files(folder):
    return {path.name for path in folder.iterdir()} if folder.exists() else set()
