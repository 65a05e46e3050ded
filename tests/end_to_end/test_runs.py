"""Studies and programs as their users run them: processes, TCP, real keys, files."""

from __future__ import annotations

import json
import os
import re
import stat

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from smpc import ledger, sample
from tests.end_to_end.sites import FEATURES, pooled, run, sites

NAMES = ("intercept", *FEATURES)


def assert_fit(answer, data, names=NAMES, bound=1e-3):
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
    assert "coefficients" not in json.dumps(end.answer["north"].get("coefficients", {}))
    assert files(out / "south") == {"result.json", "report.html", "ledger.jsonl"}
    assert files(out / "north") == {"ledger.jsonl"}
    assert json.loads((out / "south" / "result.json").read_text()) == end.answer["south"]


def test_local_finds_files_beside_the_study_and_prints_the_table(tmp_path):
    study = tmp_path / "study"
    assert run("init", study).code == 0
    before = files(study)
    end = run("local", study / "study.toml")
    assert end.code == 0, end.stderr
    assert all(name in end.stdout for name in (*NAMES, "north", "south", "east", "helper"))
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
    x = party.share([8675309.0] if party.rank == 0 else None, 0)
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
            "    ages = [party.share(mine if party.rank == owner else None, owner) for owner in range(party.count)]\n"
            "    return sum(age.sum() for age in ages).reveal()\n"
        )
    for name in ("north", "south"):
        everyone[name].options.append("--json")
    ends = everyone.run()
    assert {end.code for end in ends.values()} == {0}
    assert ends["north"].answer["returned"] == pooled(everyone, ["north", "south"])[:, 0].sum()
    assert ends["south"].answer["returned"] is None


# smpc demo, init, keygen, help


def test_the_demo():
    end = run("demo", "--json")
    assert end.code == 0, end.stderr
    assert_fit(end.answer, sample.diabetes(), ("intercept", *sample.FEATURES))
    assert end.seconds < 10
    assert end.answer["cost"]["bytes_sent"] < 2e6
    assert end.answer["cost"]["rounds"] < 300


def test_the_demo_says_what_matters(tmp_path):
    end = run("demo", "--parties", 2, "--out", tmp_path / "demo")
    assert end.code == 0, end.stderr
    for what in ("pooled", "Largest difference", "rounds", "MB", "Who could learn what", "What was opened", "dealer"):
        assert what in end.stdout
    assert "\x1b" not in end.stdout
    assert max(map(len, end.stdout.splitlines())) <= 100
    assert {"study.toml", "north.csv", "south.csv", "results"} <= files(tmp_path / "demo")
    assert files(tmp_path / "demo" / "results" / "south") == {"result.json", "report.html", "ledger.jsonl"}


def test_init_makes_no_study_over_another(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    end = run("init", tmp_path)
    assert end.code == 1
    assert "not empty" in end.error
    assert files(tmp_path) == {"notes.txt"}


def test_the_keys_of_init_are_private(tmp_path):
    assert run("init", tmp_path / "study").code == 0
    keys = list((tmp_path / "study").glob("*.key"))
    assert len(keys) == 4
    assert {stat.S_IMODE(key.stat().st_mode) for key in keys} == {0o600}
    text = (tmp_path / "study" / "study.toml").read_text()
    assert not any(key.read_text().splitlines()[-1].split()[-1] in text for key in keys)


def test_keygen_never_overwrites(tmp_path):
    first = run("keygen", "north", "--dir", tmp_path)
    assert first.code == 0
    kept = {name: (tmp_path / name).read_bytes() for name in files(tmp_path)}
    assert set(kept) == {"north.key", "north.pub"}
    public = kept["north.pub"].decode().strip()
    assert re.fullmatch("[0-9a-f]{64}", public)
    assert public in first.stdout
    secret = kept["north.key"].decode().split()[-1]
    assert secret not in first.stdout + first.stderr
    second = run("keygen", "north", "--dir", tmp_path)
    assert second.code == 1
    assert "north.key exists and stays as it is" in second.error
    assert {name: (tmp_path / name).read_bytes() for name in files(tmp_path)} == kept


@pytest.mark.parametrize("name", ["../north", "", "a b", "north.key/x", "-"])
def test_a_name_that_is_no_name(tmp_path, name):
    end = run("keygen", "--dir", tmp_path, "--", name)
    assert end.code == 1
    assert "name must be letters, digits" in end.error
    assert files(tmp_path) == set()


COMMANDS = ["demo", "init", "keygen", "local", "run"]


def test_help_lists_every_command():
    end = run("--help")
    assert end.code == 0
    assert [line.split()[0] for line in end.stdout.split("Commands:")[1].splitlines() if line.startswith("  ")][
        :5
    ] == COMMANDS
    assert max(map(len, end.stdout.splitlines())) <= 80


@pytest.mark.parametrize("flag", ["--help", "-h"])
@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_every_command(command, flag):
    end = run(command, flag)
    assert (end.code, end.stderr) == (0, "")
    assert end.stdout.startswith(f"Usage: smpc {command} ")
    assert max(map(len, end.stdout.splitlines())) <= 80


def test_the_version():
    end = run("--version")
    assert (end.code, end.stderr) == (0, "")
    assert re.fullmatch(r"smpc (\d+\.\d+\.\d+|unknown)\n", end.stdout)


@pytest.mark.parametrize(
    "arguments",
    [["nothing"], ["run"], ["run", "study.toml"], ["demo", "--parties", "1"], ["demo", "--no-such"], ["local"], ["keygen"],
     ["local", "x.toml", "--data", "north"], ["run", "x.toml", "--party", "north", "--wait", "0"]],
)  # fmt: skip
def test_wrong_arguments(arguments, tmp_path):
    end = run(*arguments, cwd=tmp_path)
    assert end.code == 2
    assert end.stdout == ""
    assert "Error: " in end.stderr
    assert "Traceback" not in end.stderr


def test_debug_shows_where(tmp_path):
    end = run("run", "missing.toml", "--party", "north", "--debug", cwd=tmp_path)
    assert end.code == 1
    assert "Traceback" in end.stderr
    assert end.stderr.splitlines()[-1].startswith("smpc: missing.toml: no such file")


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_interrupted_while_waiting(tmp_path):
    import signal

    from tests.end_to_end.sites import ended

    process = sites(tmp_path, wait=20)["north"].start()
    for line in process.stderr:
        if "connecting" in line:
            break
    import time

    process.send_signal(signal.SIGINT)
    end = ended(process, time.monotonic())
    assert end.code == 130
    assert end.error == "interrupted"
    assert end.seconds < 3
