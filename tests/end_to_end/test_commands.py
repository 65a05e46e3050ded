"""The commands around a run: demo, init, keygen, help; as processes."""

from __future__ import annotations

import re
import resource
import signal
import stat
import time

import pytest

from smpc import sample
from tests.end_to_end.sites import assert_fit, ended, files, run, sites


def test_the_demo():
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    end = run("demo", "--json")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert end.code == 0, end.stderr
    assert_fit(end.answer, sample.diabetes(), ("intercept", *sample.FEATURES))
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 10  # of processor time
    cost = end.answer["cost"]
    assert cost["preprocessing"] == "ot"
    assert cost["bytes_sent"] - cost["offline_bytes"] < 2e6
    assert cost["offline_bytes"] < 4e7
    assert end.answer["cost"]["rounds"] < 300


def test_the_demo_says_what_matters(tmp_path):
    end = run("demo", "--parties", 2, "--out", "demo", cwd=tmp_path)
    assert end.code == 0, end.stderr
    for what in (
        "pooled",
        "Largest difference",
        "rounds",
        "MB",
        "Who could learn what",
        "What was opened",
        "oblivious",
    ):
        assert what in end.stdout
    assert "\x1b" not in end.stdout
    assert max(map(len, end.stdout.splitlines())) <= 80
    assert {"study.toml", "north.csv", "south.csv", "results"} <= files(tmp_path / "demo")
    assert files(tmp_path / "demo" / "results" / "south") == {"result.json", "report.html", "ledger.jsonl"}


def test_the_demo_of_a_logistic_model():
    end = run("demo", "--model", "logistic", "--parties", 2, "--dealer")
    assert end.code == 0, end.stderr
    assert "pseudo-R²" in end.stdout
    difference = re.search(r"pooled data: (\S+)\s+standard errors", end.stdout)
    assert float(difference[1]) < 0.01


def test_init_makes_no_study_over_another(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    end = run("init", tmp_path)
    assert end.code == 1
    assert "not empty" in end.error
    assert files(tmp_path) == {"notes.txt"}


def test_the_keys_of_init_are_private(tmp_path):
    assert run("init", tmp_path / "study").code == 0
    keys = list((tmp_path / "study").glob("*.key"))
    assert len(keys) == 3
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


COMMANDS = ["check", "demo", "init", "keygen", "local", "plan", "prepare", "run"]


def test_help_lists_every_command():
    end = run("--help")
    assert end.code == 0
    assert [line.split()[0] for line in end.stdout.split("Commands:")[1].splitlines() if line.startswith("  ")][
        : len(COMMANDS)
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
    [
        ["nothing"],
        ["run"],
        ["run", "study.toml"],
        ["check", "study.toml"],
        ["run", "study.toml", "--party", "north", "--wait", "0"],
        ["demo", "--parties", "1"],
        ["demo", "--no-such"],
        ["local"],
        ["local", "study.toml", "--data", "north"],
        ["keygen"],
    ],
)
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


def test_interrupted_while_waiting(tmp_path):
    process = sites(tmp_path, wait=20)["north"].start()
    assert any("connecting" in line for line in process.stderr)
    process.send_signal(signal.SIGINT)
    end = ended(process, time.monotonic())
    assert (end.code, end.error) == (130, "interrupted")
    assert end.seconds < 3
