"""Studies and programs as their users run them: processes, TCP, real keys, files."""

from __future__ import annotations

import json
import re
import stat

import numpy as np
import pandas as pd
import pytest

from smpc import ledger, sample
from tests.end_to_end.sites import FEATURES, assert_fit, files, pooled, run, sites

NAMES = ("intercept", *FEATURES)


def opened(path):
    """A verified ledger, without the clock's part of it."""
    return [(e.number, e.study, e.session, e.what, e.shape, e.to) for e in ledger.verify(path)]


def test_a_study(tmp_path):
    everyone = sites(tmp_path)
    ends = everyone.run()
    assert {name: end.code for name, end in ends.items()} == {"north": 0, "south": 0, "helper": 0}
    assert_fit(json.loads((everyone["north"].out / "result.json").read_text()), pooled(everyone, ["north", "south"]))


# Three hospitals and a dealer


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    everyone = sites(tmp_path_factory.mktemp("study"), owners=("north", "south", "east"), to=("north", "south"))
    everyone["south"].options.append("--json")
    return everyone, everyone.run()


def test_every_party_succeeds(study):
    _, ends = study
    assert {name: end.code for name, end in ends.items()} == dict.fromkeys(["north", "south", "east", "helper"], 0)
    assert all(line.startswith("smpc: ") for end in ends.values() for line in end.stderr.splitlines())


def test_only_receivers_have_the_result(study):
    everyone, ends = study
    for name in ("north", "south"):
        assert files(everyone[name].out) == {"result.json", "report.html", "ledger.jsonl"}
    assert files(everyone["east"].out) == {"ledger.jsonl"}
    assert files(everyone["helper"].out) == set()
    result = json.loads((everyone["north"].out / "result.json").read_text())
    numbers = [
        f"{value:.4g}" for values in (result["coefficients"], result["standard_errors"]) for value in values.values()
    ]
    assert any(number in ends["north"].stdout for number in numbers)
    for name in ("east", "helper"):
        assert not any(number in ends[name].stdout for number in numbers)


def test_the_result_is_that_of_the_pooled_data(study):
    everyone, ends = study
    north, south = (json.loads((everyone[name].out / "result.json").read_text()) for name in ("north", "south"))
    assert_fit(north, pooled(everyone, ["north", "south", "east"]))
    assert ends["south"].answer == south
    local = {"cost"}  # seconds and bytes are each party's own
    assert {key: value for key, value in north.items() if key not in local} == {
        key: value for key, value in south.items() if key not in local
    }
    assert north["cost"]["rounds"] == south["cost"]["rounds"] > 0
    assert north["cost"]["bytes_sent"] > 0
    assert north["cost"]["preprocessing"] == "dealer"


def test_the_page_names_all_and_loads_nothing(study):
    everyone, _ = study
    page = (everyone["north"].out / "report.html").read_text()
    assert all(name in page for name in ("north", "south", "east", "helper", *FEATURES))
    assert not re.search(r"""(src|href|action)\s*=|url\(|@import""", page)


def test_ledgers_are_equal_everywhere(study):
    everyone, _ = study
    north, south, east = (opened(everyone[name].out / "ledger.jsonl") for name in ("north", "south", "east"))
    assert north == south == east
    owners, receivers = ("north", "south", "east"), ("north", "south")
    assert [(what, to) for *_, what, _, to in north] == [
        ("rows", owners),
        ("check: every column varies", owners),
        ("check: the fit can be trusted", owners),
        ("coefficients", receivers),
        ("standard_errors", receivers),
        ("fit", receivers),
    ]
    result = json.loads((everyone["north"].out / "result.json").read_text())
    assert [(one["what"], tuple(one["to"])) for one in result["opened"]] == [(what, to) for *_, what, _, to in north]


def test_what_is_written_is_its_owners_alone(study):
    everyone, _ = study
    assert stat.S_IMODE(everyone["north"].out.stat().st_mode) == 0o700
    assert stat.S_IMODE((everyone["east"].out / "ledger.jsonl").stat().st_mode) == 0o600


def test_another_run_continues_the_ledger(tmp_path):
    everyone = sites(tmp_path)
    sessions = []
    for runs in (1, 2):
        assert {end.code for end in everyone.run().values()} == {0}
        entries = ledger.verify(everyone["south"].out / "ledger.jsonl")
        assert len(entries) == 6 * runs
        sessions.append(entries[-1].session)
    assert sessions[0] != sessions[1]


def test_ridge_by_columns_and_some_outputs(tmp_path):
    columns = (*FEATURES, sample.TARGET)
    head = (
        'model = "ridge"\npenalty = 2.0\nsplit = "columns"\ntarget = "progression"\nfeatures = ["age", "bmi", "bp"]\n'
    )
    everyone = sites(tmp_path, to=("south",), study=head, release='outputs = ["coefficients"]')
    whole = pd.DataFrame(sample.diabetes(), columns=list(sample.RANGES))[list(columns)]
    whole[["bmi", "progression"]].to_parquet(everyone["north"].folder / "north.parquet")
    whole[["age", "bp"]].to_csv(everyone["south"].data, index=False)
    everyone["north"].options += ["--data", "north.parquet"]
    assert {end.code for end in everyone.run().values()} == {0}
    assert files(everyone["north"].out) == {"ledger.jsonl"}
    result = json.loads((everyone["south"].out / "result.json").read_text())
    assert {"standard_errors", "p_values", "r_squared"}.isdisjoint(result)
    x, y = whole[list(FEATURES)].to_numpy(), whole["progression"].to_numpy()
    z = (x - x.mean(axis=0)) / x.std(axis=0)
    slopes = np.linalg.solve(z.T @ z + 2 * np.eye(3), z.T @ y) / x.std(axis=0)
    np.testing.assert_allclose([result["coefficients"][name] for name in FEATURES], slopes, rtol=1e-5)


# smpc local


def test_local_on_a_study_with_files_from_elsewhere(tmp_path):
    everyone = sites(tmp_path / "sites", owners=("north", "south", "east"), to=("south",))
    data = [part for name in ("north", "south", "east") for part in ("--data", f"{name}={everyone[name].data}")]
    out = tmp_path / "out"
    end = run("local", everyone["north"].study, *data, "--json", "--out", out)
    assert end.code == 0, end.stderr
    assert set(end.answer) == {"north", "south", "east"}
    assert_fit(end.answer["south"], pooled(everyone, ["north", "south", "east"]))
    assert "coefficients" not in end.answer["north"]
    assert files(out / "south") == {"result.json", "report.html", "ledger.jsonl"}
    assert files(out / "north") == {"ledger.jsonl"}
    assert json.loads((out / "south" / "result.json").read_text()) == end.answer["south"]


def test_local_finds_files_beside_the_study_and_prints_the_table(tmp_path):
    study = tmp_path / "study"
    assert run("init", study).code == 0
    before = files(study)
    end = run("local", study / "study.toml")
    assert end.code == 0, end.stderr
    assert all(name in end.stdout for name in (*NAMES, "north", "south", "east"))
    assert max(map(len, end.stdout.splitlines())) <= 80
    assert files(study) == before  # nothing is left that nobody asked for


PROGRAM = """
import numpy as np

print("loading")

def program(party):
    x = party.share(np.arange(4) + 0.5 if party.rank == 0 else None, owner=0)
    y = party.share([2, 3, 4, 5] if party.rank == 1 else None, owner=1)
    print("computing at", party.name)
    return {"dot": (x @ y).reveal(), "n": party.count, "first": x[:2].reveal(to=party.names[0])}

def other(party):
    return party.share([[1, 2]] if party.rank == 1 else None, 1).reveal()

def failing(party):
    x = party.share([8675309.0] if party.rank == 0 else None, 0, bounds=1e7)
    if party.rank == 1:
        raise ValueError("8675309")
    return x.reveal()

def unsupported(party):
    return np.exp(party.share([1.0] if party.rank == 0 else None, 0))

def dying(party):
    import os, signal
    x = party.share([1.0] if party.rank == 0 else None, 0)
    if party.rank == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return x.reveal()

def beyond(party):
    return party.share([8675309.0] if party.rank == 0 else None, 0).reveal()

def odd(party):
    return {"set": {1}, "nan": float("nan"), "array": np.array([1 + 2j]), 3: None}
"""


@pytest.fixture
def program(tmp_path):
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    return path


def test_local_on_a_program(program, tmp_path):
    end = run("local", program, "--json", "--out", tmp_path / "out")
    assert end.code == 0, end.stderr
    returned = {name: answer["returned"] for name, answer in end.answer.items()}
    dot = float(np.dot(np.arange(4) + 0.5, [2, 3, 4, 5]))
    expected = {"dot": dot, "n": 3, "first": None}
    assert returned == {"party0": expected | {"first": [0.5, 1.5]}, "party1": expected, "party2": expected}
    assert [(one["what"], one["to"]) for one in end.answer["party2"]["opened"]] == [
        ("reveal 1", ["party0", "party1", "party2"]),
        ("reveal 2", ["party0"]),
    ]
    assert all(files(tmp_path / "out" / name) == {"ledger.jsonl"} for name in returned)


def test_another_function_of_a_program(program):
    end = run("local", f"{program.name}:other", "--parties", 2, cwd=program.parent)
    assert end.code == 0, end.stderr
    for party in ("party0", "party1"):
        assert f"{party} returned [[1, 2]]" in end.stdout
    assert "party2" not in end.stdout
    assert files(program.parent) == {"program.py"}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("missing", "program.py has no function missing"),
        ("failing", "party1: stopped by ValueError; run the command again with --debug to see where"),
        ("beyond", "party0: a value is not within ±16, which holds where none are said: share it with wider bounds="),
        ("dying", "party1"),
    ],
)
def test_a_program_that_fails(program, name, said):
    end = run("local", f"{program}:{name}")
    assert end.code != 0
    assert said in end.error
    assert "8675309" not in end.stdout + end.stderr
    assert end.seconds < 10


def test_a_program_whose_result_json_has_not(program):
    end = run("local", f"{program}:odd", "--json", "--parties", 2)
    assert end.code == 0, end.stderr
    assert json.loads(end.stdout, parse_constant=lambda text: pytest.fail(f"{text} is no JSON"))


def test_a_program_of_a_study_that_is_run_at_each_site(tmp_path):
    everyone = sites(tmp_path, study='program = "sub/work.py:main"\n')
    for site in everyone:
        (site.folder / "sub").mkdir()
        (site.folder / "sub" / "work.py").write_text(
            "def main(party):\n"
            "    mine = party.data.columns['age']\n"
            "    owners, bounds = range(party.count), party.bounds('age')\n"
            "    ages = [party.share(mine if party.rank == owner else None, owner, bounds) for owner in owners]\n"
            "    return sum(age.sum() for age in ages).reveal()\n"
        )
    for name in ("north", "south"):
        everyone[name].options.append("--json")
    ends = everyone.run()
    assert {end.code for end in ends.values()} == {0}
    assert ends["north"].answer["returned"] == pooled(everyone, ["north", "south"])[:, 0].sum()
    assert ends["south"].answer["returned"] is None
