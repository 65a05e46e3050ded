"""`smpc check` at all sites, as real processes: what each finds, and that nothing of a run is used up."""

from __future__ import annotations

import json
import re

import pytest

from smpc import identity
from tests.end_to_end.sites import files
from tests.end_to_end.spoilt import ABSENT, CANARY, assert_nothing_shown, cell, start

LINES = ["manifest", "key", "data", "ranges", "store", "links"]


@pytest.fixture
def everyone(tmp_path):
    everyone = start(tmp_path, wait=8)  # seconds, for a machine that is busy with other tests
    for site in everyone:
        site.command = "check"
    return everyone


def marks(end):
    """ok, no or -- of each line."""
    found = [line.split(maxsplit=2)[:2] for line in end.stdout.splitlines()]
    assert [name for _, name in found] in (LINES, ["manifest", "key", "links"])
    assert "Traceback" not in end.stderr
    return {name: mark for mark, name in found}


def line(end, name):
    (found,) = [line for line in end.stdout.splitlines() if line.split()[1] == name]
    return found


def test_all_check(everyone):
    ends = everyone.run()
    assert {name: end.code for name, end in ends.items()} == dict.fromkeys(ends, 0)
    assert all(set(marks(end).values()) == {"ok"} for end in ends.values())
    answered = "ok  links     north and helper answered: same manifest, same version, smpc "
    assert line(ends["south"], "links").startswith(answered)
    assert_nothing_shown(everyone, ends)
    assert all(files(site.folder) <= {"study.toml", f"{site.name}.key", f"{site.name}.csv"} for site in everyone)


def test_a_wrong_key(everyone):
    everyone["south"].key.unlink()
    identity.write(identity.generate("south"), everyone["south"].folder)
    for site in everyone:
        site.wait = 3
    ends = everyone.run()
    assert {name: end.code for name, end in ends.items()} == {"north": 3, "south": 1, "helper": 3}
    assert marks(ends["south"]) == dict(zip(LINES, ["ok", "no", "ok", "ok", "--", "--"], strict=True))
    assert "no  key       south.key is not the key of south: the manifest has" in ends["south"].stdout
    assert all(re.search(ABSENT, line(ends[name], "links")) for name in ("north", "helper"))
    assert_nothing_shown(everyone, ends)


@pytest.mark.parametrize("runs", ["south", "helper"])
def test_one_runs_while_the_others_check(runs, everyone):
    everyone[runs].command = "run"
    ends = everyone.run()
    assert {end.code for end in ends.values()} == {3}
    assert re.search("checks the study, this party runs it|runs the study, this party checks it", ends[runs].error)
    assert "start the same command everywhere" in ends[runs].error
    others = [line(end, "links") for name, end in ends.items() if name != runs]
    assert all("start the same command everywhere" in one and one.startswith("no  ") for one in others)
    assert files(everyone["south"].out) == set()  # no ledger, whoever ran
    assert_nothing_shown(everyone, ends)


def test_data_out_of_range_are_found_and_the_links_too(everyone):
    cell(7, "bmi", CANARY)(everyone["south"])
    ends = everyone.run()
    assert {name: end.code for name, end in ends.items()} == {"north": 0, "south": 1, "helper": 0}
    assert marks(ends["south"]) == dict(zip(LINES, ["ok", "ok", "no", "ok", "ok", "ok"], strict=True))
    assert line(ends["south"], "data").startswith('no  data      south.csv: line 7, column "bmi": outside the declared')
    assert_nothing_shown(everyone, ends)


def test_another_manifest(everyone):
    everyone["south"].edit("[release]", "[release]\nminimum_rows = 12")
    ends = everyone.run()
    assert {end.code for end in ends.values()} == {3}
    assert all("release.minimum_rows is" in line(end, "links") for end in ends.values())


def test_json(everyone):
    for site in everyone:
        site.options.append("--json")
    ends = everyone.run()
    assert [one["ok"] for one in ends["north"].answer] == [True] * 6
    assert [one["check"] for one in json.loads(ends["helper"].stdout)] == ["manifest", "key", "links"]


def test_one_alone(everyone):
    everyone["north"].options.append("--no-links")
    end = everyone.run(without=["south", "helper"])["north"]
    assert end.code == 0
    assert "links" not in end.stdout


def test_stores_are_compared_and_stay_as_they_are(everyone):
    for site in everyone:
        site.command = "prepare"
    assert {end.code for end in everyone.run().values()} == {0}
    stores = [everyone[name].folder / f"{name}.store" for name in ("north", "south")]
    before = [path.read_bytes() for path in stores]
    for site in everyone:
        site.command = "check"
    ends = everyone.run()
    assert {end.code for end in ends.values()} == {0}, ends
    assert "correlated randomness for 1 of 1 runs is left" in line(ends["north"], "store")
    assert [path.read_bytes() for path in stores] == before
    stores[1].unlink()
    ends = everyone.run()
    assert {end.code for end in ends.values()} == {3}
    assert "of correlated randomness and this party has" in line(ends["south"], "links")
