"""`smpc plan` and `smpc prepare`, and runs that take from stores: as real processes."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pytest

from tests.end_to_end.sites import assert_fit, pooled, sites

OWNERS = ("north", "south", "east")


def smpc(*arguments):
    command = [sys.executable, "-P", "-m", "smpc", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def everywhere(everyone, command, *options, names=OWNERS, study=None):
    """Run a command of every party at once; exits by name."""
    processes = {}
    for name in names:
        site = everyone[name]
        key = site.folder / f"{name}.key"
        arguments = [command, study or site.study, "--party", name, "--key", key, "--wait", "8", *options]
        line = [sys.executable, "-P", "-m", "smpc", *map(str, arguments)]
        if command == "run":
            line += ["--data", str(site.data), "--out", str(site.out), "--json"]
        processes[name] = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return {name: (*process.communicate(timeout=60), process.returncode) for name, process in processes.items()}


def store(everyone, name):
    return everyone[name].study.parent / f"{name}.store"


def prepared(folder, *options, dealer=False, owners=OWNERS, **study):
    everyone = sites(folder, owners=owners, to=owners, dealer=dealer, **study)
    names = (*owners, "helper") if dealer else owners
    ends = everywhere(everyone, "prepare", *options, names=names)
    assert [code for *_, code in ends.values()] == [0] * len(names), ends
    return everyone


def test_a_run_takes_from_its_store_and_makes_the_next_on_the_fly(tmp_path):
    everyone = prepared(tmp_path)
    first, second = (everywhere(everyone, "run") for _ in range(2))
    for ends in (first, second):
        assert [code for *_, code in ends.values()] == [0, 0, 0], ends
        assert_fit(json.loads(ends["south"][0]), pooled(everyone, OWNERS))
    costs = [json.loads(ends["south"][0])["cost"] for ends in (first, second)]
    assert costs[0]["offline_bytes"] == 0
    assert costs[1]["offline_bytes"] > 10**5
    assert costs[0]["rounds"] == costs[1]["rounds"]
    predicted = json.loads(smpc("plan", everyone["north"].study, "--json").stdout)["parties"]["south"]
    assert costs[1]["rounds"] == predicted["rounds"]
    assert costs[1]["offline_rounds"] == predicted["offline_rounds"]
    assert costs[1]["offline_bytes"] == pytest.approx(predicted["offline_bytes"], rel=0.05)
    assert costs[0]["bytes_sent"] == pytest.approx(predicted["bytes_sent"], rel=0.05)


def test_a_dealer_fills_stores(tmp_path):
    everyone = prepared(tmp_path, dealer=True)
    ends = everywhere_with_dealer(everyone)
    assert_fit(json.loads(ends["north"][0]), pooled(everyone, OWNERS))
    assert json.loads(ends["north"][0])["cost"]["offline_bytes"] == 0


def everywhere_with_dealer(everyone):
    site = everyone["helper"]
    line = [sys.executable, "-P", "-m", "smpc", "run", str(site.study), "--party", "helper"]
    line += ["--key", str(site.folder / "helper.key")]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as helper:
        ends = everywhere(everyone, "run")
        helper.communicate(timeout=30)
    assert helper.returncode == 0
    return ends


def test_a_copied_back_store_is_refused_before_anything_is_used(tmp_path):
    everyone = prepared(tmp_path, "--runs", "2")
    old = tmp_path / "copy"
    shutil.copy2(store(everyone, "north"), old)
    assert {code for *_, code in everywhere(everyone, "run").values()} == {0}
    shutil.copy2(old, store(everyone, "north"))
    before = {name: store(everyone, name).read_bytes() for name in OWNERS}
    for _, stderr, code in everywhere(everyone, "run").values():
        assert code == 3
        assert "used 0 portions" in stderr or "used 1 portions" in stderr
        assert "smpc prepare at every party" in stderr.splitlines()[-1]
    assert {name: store(everyone, name).read_bytes() for name in OWNERS} == before


@pytest.mark.parametrize("missing", ["north", "east"])
def test_a_store_that_one_party_lacks_is_refused(tmp_path, missing):
    everyone = prepared(tmp_path)
    store(everyone, missing).unlink()
    ends = everywhere(everyone, "run")
    assert {code for *_, code in ends.values()} == {3}
    assert "of correlated randomness" in ends[missing][1].splitlines()[-1]


def test_stores_of_different_preparations_do_not_mix(tmp_path):
    everyone = prepared(tmp_path)
    shutil.copy2(store(everyone, "south"), tmp_path / "first")
    assert {code for *_, code in everywhere(everyone, "prepare").values()} == {0}
    shutil.copy2(tmp_path / "first", store(everyone, "south"))
    ends = everywhere(everyone, "run")
    assert {code for *_, code in ends.values()} == {3}
    assert any("another store" in stderr for _, stderr, _ in ends.values())


def test_preparing_and_running_do_not_meet(tmp_path):
    everyone = sites(tmp_path, owners=OWNERS, dealer=False)
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "smpc", "prepare", str(everyone["north"].study), "--party", "north", "--key",
         str(everyone["north"].folder / "north.key"), "--wait", "8"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as preparing:  # fmt: skip
        ends = everywhere(everyone, "run", names=("south", "east"))
        _, stderr = preparing.communicate(timeout=30)
    assert preparing.returncode == 3
    assert "start the same command everywhere" in stderr
    assert {code for *_, code in ends.values()} == {3}
    assert not store(everyone, "north").exists()


def test_a_run_that_stops_before_it_meets_the_others_uses_nothing(tmp_path):
    everyone = prepared(tmp_path)
    before = {name: store(everyone, name).read_bytes() for name in OWNERS}
    ends = everywhere(everyone, "run", names=("north", "south"))
    assert {code for *_, code in ends.values()} == {3}
    assert {name: store(everyone, name).read_bytes() for name in OWNERS} == before
    assert {code for *_, code in everywhere(everyone, "run").values()} == {0}


def test_a_plan_prints_what_a_person_asks(tmp_path):
    everyone = sites(tmp_path, owners=OWNERS, dealer=False)
    done = smpc("plan", everyone["north"].study)
    assert done.returncode == 0, done.stderr
    for what in ("rounds", "Products", "memory", "LAN", "campus", "WAN", "north", "east"):
        assert what in done.stdout


def test_a_plan_of_a_program_file(tmp_path):
    program = tmp_path / "small.py"
    program.write_text("def program(party):\n    return party.share([1.5] if party.rank == 0 else None, 0).reveal()\n")
    done = smpc("plan", program, "--parties", "2", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["parties"]["party0"]["rounds"] == 3  # the file's digest, the shape, the opening
