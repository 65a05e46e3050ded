"""All parties started by one command: nothing of the folder runs, nothing stays behind."""

import os
import signal
import subprocess
import sys

import pytest

from tests.end_to_end.sites import ROOT, run

SUM = """
def program(party):
    return party.share(1 if party.rank == 0 else None, 0).reveal()
"""
WAITS = """
from pathlib import Path

def program(party):
    Path({path!r}, str(party.rank)).touch()
    while True:
        party.share(1 if party.rank == 0 else None, 0).reveal()
"""


def test_a_program_runs_at_every_party(tmp_path):
    (tmp_path / "sum.py").write_text(SUM)
    done = run("local", tmp_path / "sum.py", "--parties", 2, "--json")
    assert {name: answer["returned"] for name, answer in done.answer.items()} == {"party0": 1, "party1": 1}


def test_modules_in_the_folder_are_not_imported(tmp_path):
    (tmp_path / "sum.py").write_text(SUM)
    (tmp_path / "json.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-P", "-m", "smpc", "local", "sum.py", "--parties", "2"]
    subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_children_and_keys_go_with_the_parent(tmp_path, number, code):
    seen, scratch = tmp_path / "seen", tmp_path / "scratch"
    seen.mkdir()
    scratch.mkdir()
    (tmp_path / "waits.py").write_text(WAITS.format(path=str(seen)))
    environment = os.environ | {"PYTHONPATH": str(ROOT), "TMPDIR": str(scratch)}
    command = [sys.executable, "-m", "smpc", "local", str(tmp_path / "waits.py"), "--parties", "2"]
    parent = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    while len(list(seen.iterdir())) < 2:
        assert parent.poll() is None
        os.sched_yield()
    parent.send_signal(number)
    parent.communicate(timeout=20)
    assert parent.returncode == code
    assert not list(scratch.iterdir())
