"""Studies that are spoilt at one party, `south`, or at all.

Every party ends within ten seconds, with one line that says what is wrong, and no value in it.

What a party finds by itself it says before it connects (`refuse`); the others then miss it, which is the same whatever
the reason, and is seen in a case of each kind with all parties (`spoil`).
"""

from __future__ import annotations

import re

import numpy as np

from smpc import sample
from tests.end_to_end.sites import FEATURES, STAGE, sites

COLUMNS = (*FEATURES, sample.TARGET)
CANARY = "86.75309"  # stands in each bad cell, or near it
SECONDS = 10
WAIT = 3
AT_7 = '^south.csv: line 7, column "bmi": '
TOLD = "^((north|south|helper) (says that (north|south|helper) )?stopped: )?"  # by another party, perhaps
ABSENT = "south is absent: (nothing answered at 127.0.0.1:[0-9]+|it did not connect) in 3 s"


def tables(rows=30):
    """Numbers of so many digits that none is anywhere by chance."""
    low, high = np.array([sample.RANGES[name][:2] for name in COLUMNS]).T
    rng = np.random.default_rng(0)
    return {name: np.round(rng.uniform(low, high, size=(rows, 4)), 6) for name in ("north", "south")}


def start(folder, **options):
    return sites(folder, **({"to": ("north", "south"), "wait": WAIT, "tables": tables()} | options))


def secrets(everyone):
    """Every cell of every party's data, and every party's secret key."""
    found = {CANARY}
    for site in everyone:
        for path in site.folder.glob("*.csv"):
            if path.is_file():
                found |= set(re.findall(r"\d+\.\d{4,}", path.read_bytes().decode(errors="replace")))
        for path in site.folder.glob("*.key"):
            if path.is_file():
                found.add(path.read_text().split()[-1])
    return found


def assert_one_line(end, line, seconds=SECONDS):
    assert end.code in (1, 3)
    assert end.seconds < seconds
    assert end.stdout == ""
    assert re.search(line, end.error), end.error
    assert end.error.isprintable()
    assert len(end.error) < 500
    assert "Traceback" not in end.stderr


def assert_nothing_shown(everyone, ends):
    said = "\n".join(end.stdout + end.stderr for end in ends.values())
    for site in everyone:
        assert not [path for path in site.folder.rglob("result.json") if path.is_file()]
        said += "".join(path.read_text() for path in site.folder.rglob("ledger.jsonl"))
    assert not [secret for secret in secrets(everyone) if secret in said]


def spoil(everyone, *, without=(), seconds=SECONDS, **expected):
    """All parties' processes: each ends soon, by itself, with its line (`others` for those that are not named)."""
    ends = everyone.run(without=without)
    for name, end in ends.items():
        assert_one_line(end, expected.get(name) or expected["others"], seconds)
    assert_nothing_shown(everyone, ends)
    return ends


def refuse(site, everyone, line):
    """One party's process, which says what is wrong before it dials or opens a port."""
    end = everyone.run(without=[other.name for other in everyone if other is not site])[site.name]
    assert end.code == 1
    assert_one_line(end, line)
    assert not [
        stage for stage in end.stderr.splitlines() if STAGE.match(stage) and not stage.startswith("smpc: reading")
    ]
    assert_nothing_shown(everyone, {site.name: end})


def cell(line, column, text):
    """Put `text` into a cell, with lines counted as a person does."""

    def change(site):
        lines = site.data.read_text().splitlines()
        cells = lines[line - 1].split(",")
        cells[COLUMNS.index(column)] = text
        lines[line - 1] = ",".join(cells)
        site.data.write_text("\n".join(lines) + "\n")

    return change
