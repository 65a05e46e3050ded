"""Manifests, keys, folders, peers and programs that are wrong, at real processes; see `spoilt`."""

from __future__ import annotations

import re
import shutil

import pytest

from smpc import __version__, identity
from smpc.run import WAIT
from tests.end_to_end.sites import run
from tests.end_to_end.spoilt import (
    ABSENT,
    AT_7,
    CANARY,
    SECONDS,
    TOLD,
    assert_nothing_shown,
    assert_one_line,
    cell,
    refuse,
    spoil,
    start,
)


@pytest.fixture
def everyone(tmp_path):
    return start(tmp_path)


def test_an_unknown_key(everyone):
    everyone.edit("[release]", "[release]\nmin_rows = 3")
    spoil(everyone, others=r"^study.toml: \[release\] has the unknown key min_rows; did you mean minimum_rows[?]$")


# The manifest, the same at all


def same_key(everyone):
    one, other = (identity.read(everyone[name].key).public.hex() for name in ("north", "south"))
    everyone.edit(other, one)


def same_address(everyone):
    one, other, _ = re.findall(r'address = "(.*)"', everyone["north"].study.read_text())
    everyone.edit(other, one)


def edit(old, new):
    return lambda everyone: everyone.edit(old, new)


MANIFEST = {
    "an unknown section": (
        edit("[release]", "[releases]\nx = 1\n[release]"),
        r"unknown section \[releases\]; did you mean",
    ),
    "a missing key": (edit('target = "progression"\n', ""), r"\[study\] lacks the key target"),
    "a missing section": (edit("[release]", "[secrecy]"), r"unknown section \[secrecy\]|lacks the section"),
    "one name twice": (edit('name = "south"', 'name = "north"'), r'two \[\[party\]\] blocks have the name "north"'),
    "one key twice": (same_key, r'\[\[party\]\] "north" and "south" have the same public_key'),
    "one address twice": (same_address, r'\[\[party\]\] "north" and "south" have the same address'),
    "no TOML": (edit("[release]", "[release"), r"line \d+, column \d+: not valid TOML"),
    "a range that is none": (edit("[10, 60]", "[60, 10]"), r"\[columns.bmi\] range must be \[low, high\]"),
    "no range": (edit("[columns.bmi]", "[columns.bmj]"), r"column 'bmi' has no declared range: add \[columns.bmi\]"),
    "a receiver that is nobody": (edit('"south"]', '"paris"]'), r'\[release\] to has "paris", which is no owner here'),
    "not there yet": (edit("[security]", '[security]\nadversary = "malicious"'), '.* use "semi-honest"$'),
}


@pytest.mark.parametrize("case", MANIFEST)
def test_manifest(case, everyone):
    change, line = MANIFEST[case]
    change(everyone)
    if case == "a missing key":
        spoil(everyone, others="^study.toml: " + line)
    else:
        refuse(everyone["north"], everyone, "^study.toml: " + line)


def test_no_manifest(everyone):
    everyone["south"].study.unlink()
    refuse(everyone["south"], everyone, "^study.toml: no such file in ")


def test_a_party_that_the_manifest_has_not(everyone):
    everyone["south"].options += ["--party", "paris"]
    line = '^study progression has no party "paris"; its parties are north, south, helper$'
    refuse(everyone["south"], everyone, line)


# Keys and folders


def another_key(site):
    site.key.unlink()
    return identity.write(identity.generate(site.name), site.folder)


def folder_for_key(site):
    site.key.unlink()
    site.key.mkdir()


KEYS = {
    "readable by others": (
        lambda site: site.key.chmod(0o644),
        "^south.key can be read by others: chmod 600 south.key$",
    ),
    "readable by a group": (
        lambda site: site.key.chmod(0o640),
        "^south.key can be read by others: chmod 600 south.key$",
    ),
    "another": (
        another_key,
        "^south.key is not the key of south: the manifest has a key with fingerprint [a-z0-9-]{24}, this",
    ),
    "missing": (lambda site: site.key.unlink(), "^south.key: no such key file in .*: make one with smpc keygen NAME$"),
    "cut off": (
        lambda site: site.key.write_text(site.key.read_text()[:-9]),
        "^south.key is no smpc key file or is damaged",
    ),
    "a folder": (folder_for_key, "^south.key is no plain file"),
}


@pytest.mark.parametrize("case", KEYS)
def test_keys(case, everyone):
    change, line = KEYS[case]
    change(everyone["south"])
    if case == "another":
        spoil(everyone, south=line, others=ABSENT)
    else:
        refuse(everyone["south"], everyone, line)


def test_the_key_of_another_party(everyone):
    shutil.copy(everyone["north"].key, everyone["south"].key)
    refuse(everyone["south"], everyone, "^south.key is not the key of south")


def test_a_file_in_the_place_of_the_folder_for_results(everyone):
    everyone["south"].out.parent.write_text("mine")
    refuse(everyone["south"], everyone, "^the folder for results, south, cannot be made: ")


def test_a_ledger_that_was_altered(everyone):
    everyone["south"].out.mkdir(parents=True)
    (everyone["south"].out / "ledger.jsonl").write_text('{"number":0}\n')
    refuse(everyone["south"], everyone, "^ledger.jsonl: line 1 does not continue the chain: the ledger was altered$")


def test_a_result_that_could_not_be_written(everyone):
    (everyone["south"].out / "result.json").mkdir(parents=True)
    line = "^result.json cannot be written into the folder for results: Is a directory$"
    refuse(everyone["south"], everyone, line)


# Peers


def test_another_manifest(everyone):
    everyone["south"].edit("[release]", "[release]\nminimum_rows = 12")
    values = "(is 12 there and absent here|is absent there and 12 here)"  # as seen by who found it
    spoil(everyone, others=f"{TOLD}(north|south|helper) has another manifest: release.minimum_rows {values}$")


def test_another_layout_of_the_manifest(everyone):
    everyone["south"].edit("[release]", "[release]  # mine")
    spoil(everyone, others=r"has another manifest: the texts differ \(comments or layout\)$")


def test_another_version(everyone):
    """South's Python finds another smpc installed before the one that it runs."""
    installed = everyone["south"].folder / "lib" / "smpc-9.9.9.dist-info"
    installed.mkdir(parents=True)
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: smpc\nVersion: 9.9.9\n")
    everyone["south"].path.append(installed.parent)
    values = "(9.9.9, here it is 0.1.0|0.1.0, here it is 9.9.9)".replace("0.1.0", re.escape(__version__))
    spoil(everyone, others=f"{TOLD}(north|south|helper) runs smpc {values}: install the same version at all parties$")


def test_a_key_that_the_others_do_not_know(everyone):
    old = identity.read(everyone["south"].key).public.hex()
    new = identity.read(another_key(everyone["south"])).public.hex()
    everyone["south"].edit(old, new)
    spoil(
        everyone,
        south="^north refuses our key: is the public_key of south in north's manifest that of the key file used here",
        others="does not have south's key: is the address|key was refused here|refuses our key: is the public_key",
    )


@pytest.mark.parametrize("absent", ["north", "south", "helper"])
def test_a_peer_that_is_absent(absent, everyone):
    spoil(
        everyone,
        without=[absent],
        others=f"{TOLD}{absent} is absent: .* in 3 s; start all parties within that time, or give more with --wait$",
    )


def test_a_peer_that_is_absent_for_as_long_as_one_waits_if_nothing_is_said(tmp_path):
    everyone = start(tmp_path, wait=WAIT)
    # two seconds more, for a machine that is busy with other tests
    ends = spoil(everyone, without=["south"], seconds=SECONDS + 2, others=f"south is absent: .* in {WAIT:g} s;")
    assert min(end.seconds for end in ends.values()) > WAIT


def test_a_port_that_is_in_use(everyone):
    """A second process as north: the first has the port and never meets its peers."""
    first = everyone["north"].start()
    try:
        assert any("connecting" in line for line in first.stderr)
        end = everyone.run(without=["south", "helper"])["north"]
        assert_one_line(end, "^port [0-9]+ of this machine is in use: is north running already[?]$")
    finally:
        first.kill()
        first.communicate()


# Programs, and smpc local


def test_another_program(tmp_path):
    everyone = start(tmp_path, study='program = "work.py:main"\n')
    for site in everyone:
        (site.folder / "work.py").write_text(f"def main(party):\n    return None  # {site.name}\n")
    ends = spoil(everyone, others="(north|south) runs another work.py than this party: all must have the same file$")
    assert ends["north"].code == 3


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (None, "^work.py: no such file beside the study$"),
        ("x = 1\n", "^work.py has no function main: a program is a function of one argument, the party$"),
        ("main = 3\n", "^work.py has no function main"),
        ("def main(party:\n", "^stopped by SyntaxError; run the command again with --debug to see where$"),
        ("raise ValueError(86.75309)\n", "^stopped by ValueError; run the command again with --debug to see where$"),
    ],
)
def test_a_program_that_is_none(text, line, tmp_path):
    everyone = start(tmp_path, study='program = "work.py:main"\n')
    if text is not None:
        (everyone["south"].folder / "work.py").write_text(text)
    refuse(everyone["south"], everyone, line)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["missing.toml"], "^missing.toml: no such file in "),
        (["missing.py"], "^missing.py: no such file in "),
        (["missing.py:main"], "^missing.py: no such file in "),
        (["."], "is a folder; name the study.toml in it$"),
        (["study.toml", "--data", "paris=x.csv"], "^--data names paris, which is no owner of data in this study$"),
        (["study.toml", "--data", "south=souht.csv"], "^south: souht.csv: no such file in "),
    ],
)
def test_local(arguments, line, everyone):
    end = run("local", *arguments, cwd=everyone["north"].folder)
    assert_one_line(end, line)


def test_local_says_whose_cell_it_is(everyone):
    cell(7, "bmi", f"{CANARY}kg")(everyone["south"])
    data = [part for name in ("north", "south") for part in ("--data", f"{name}={everyone[name].data}")]
    end = run("local", everyone["north"].study, *data, "--out", everyone["north"].folder / "results")
    assert_one_line(end, "^south: " + AT_7.removeprefix("^") + "text where a number belongs$")
    assert_nothing_shown(everyone, {"local": end})
