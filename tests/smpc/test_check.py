"""`smpc check` from inside: each line, when all is well and when something is wrong."""

from __future__ import annotations

import json
import re
import shutil

import pytest

from smpc import scaffold
from smpc.check import Finding, check, exit_code
from smpc.hello import CHECKING, PREPARING, library_version
from smpc.identity import generate, write
from smpc.run import Request
from tests.end_to_end.sites import ROOT, sites
from tests.end_to_end.spoilt import CANARY, cell, tables
from tests.smpc.network import DEALER, free_port, run, study, together
from tests.smpc.test_cli import main

ALL = ["manifest", "key", "data", "ranges", "store", "links"]


@pytest.fixture
def everyone(tmp_path):
    return sites(tmp_path, tables=tables())


def request(site, wait=8.0):
    return Request(site.study, site.name, site.key, site.data if site.data.exists() else None, None, wait)


def alone(site):
    """What a party finds that leaves out the links, by check."""
    return {one.check: one for one in check(request(site), links=False)}


def everywhere(everyone):
    """The findings of all parties, each in a thread."""
    names = [site.name for site in everyone]
    found = together(*(lambda n=name: list(check(request(everyone[n]))) for name in names))
    return dict(zip(names, found, strict=True))


def test_all_is_well(everyone):
    found = everywhere(everyone)
    assert [one.check for one in found["north"]] == ALL
    assert all(one.ok for one in found["north"])
    assert [exit_code(each) for each in found.values()] == [0, 0, 0]
    says = {one.check: one.says for one in found["north"]}
    assert re.fullmatch("study.toml: progression, for north, south and helper; SHA-256 [0-9a-f]{16}…", says["manifest"])
    assert re.fullmatch("north.key: the one in the manifest, fingerprint [a-z0-9-]{24}", says["key"])
    assert says["data"] == "north.csv: 30 rows, within the declared ranges"
    assert says["ranges"].startswith("linear: 4 columns, mapped to [-1, 1] by their ranges; ")
    assert says["store"] == "none: correlated randomness is made during the run"
    version = f"same manifest, same version, smpc {library_version()}"
    assert says["links"] == f"south and helper answered: {version}"
    assert [one.check for one in found[DEALER]] == ["manifest", "key", "links"]
    assert found[DEALER][-1].says == f"north and south answered: {version}"


def test_a_line_says_ok_or_no_or_not_done():
    lines = [Finding("key", ok, "x").line for ok in (True, False, None)]
    assert lines == ["ok  key       x", "no  key       x", "--  key       x"]


def test_nothing_is_made(everyone):
    before = {path for site in everyone for path in site.folder.rglob("*")}
    everywhere(everyone)
    assert {path for site in everyone for path in site.folder.rglob("*")} == before


def test_the_columns_of_a_party_are_named(tmp_path):
    everyone = sites(tmp_path, tables=tables())
    everyone.edit('split = "rows"', 'split = "columns"')
    site = everyone["north"]
    lines = [line.split(",")[:2] for line in site.data.read_text().splitlines()]
    site.data.write_text("\n".join(map(",".join, lines)) + "\n")
    assert alone(site)["data"].says == "north.csv: 30 rows of age and bmi, within the declared ranges"


# What is wrong at one party


def open_key(site):
    site.key.chmod(0o644)


def another_key(site):
    site.key.unlink()
    write(generate(site.name), site.folder)


def far_from_zero(site):
    site.edit("range = [0, 120]", "range = [1e6, 1000001]")


def few_rows(site):
    site.edit("[release]", "[release]\nminimum_rows = 31")


WRONG = {
    "no manifest": (lambda site: site.study.unlink(), "manifest", "^study.toml: no such file in "),
    "an unknown key": (lambda site: site.edit("[release]", "[release]\nx = 1"), "manifest", "has the unknown key x"),
    "another party": (lambda site: site.edit('name = "north"', 'name = "nord"'), "manifest", "which is no owner here"),
    "a range that no fit can have": (far_from_zero, "manifest", "half-widths away from zero: subtract a constant"),
    "no key": (lambda site: site.key.unlink(), "key", "make one with smpc keygen NAME$"),
    "an open key": (open_key, "key", "^north.key can be read by others: chmod 600 north.key$"),
    "another key": (another_key, "key", "^north.key is not the key of north: the manifest has a key with fingerprint"),
    "no data": (lambda site: site.data.unlink(), "data", "say where they are with --data FILE$"),
    "out of range": (cell(7, "bmi", CANARY), "data", '^north.csv: line 7, column "bmi": outside the declared range'),
    "no number": (cell(7, "bmi", f"{CANARY}kg"), "data", '^north.csv: line 7, column "bmi": text where a number'),
    "few rows": (few_rows, "data", "^north.csv has fewer rows than the study's minimum_rows, which is 31$"),
    "no store": (lambda site: (site.folder / "north.store").touch(mode=0o600), "store", "is damaged"),
    "an open store": (lambda site: (site.folder / "north.store").touch(mode=0o644), "store", "is open to others"),
}
AFTER = {"manifest": {"key", "data", "ranges", "store"}, "key": {"store"}}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said_and_the_rest_looked_at(case, everyone):
    change, which, says = WRONG[case]
    change(everyone["north"])
    found = alone(everyone["north"])
    assert list(found) == ALL[:-1]
    assert {one.check for one in found.values() if one.ok is False} == {which}
    assert re.search(says, found[which].says), found[which].says
    assert {one.check for one in found.values() if one.ok is None} == AFTER.get(which, set())
    assert all(found[one].says == f"not done: {which} first" for one in AFTER.get(which, ()))
    assert exit_code(list(found.values())) == 1
    assert not any(CANARY in one.line for one in found.values())


def test_links_wait_for_the_key_and_not_for_the_data(everyone):
    everyone["south"].data.unlink()
    found = everywhere(everyone)
    assert {one.check: one.ok for one in found["south"]}["links"] is True
    assert [exit_code(found[name]) for name in ("north", "south")] == [0, 1]
    another_key(everyone["north"])
    assert list(check(request(everyone["north"])))[-1] == Finding("links", None, "not done: key first")


def test_a_peers_fault_has_a_code_of_its_own(everyone):
    found = list(check(request(everyone["north"], wait=0.2)))
    assert [one.ok for one in found] == [True] * 5 + [False]
    assert "south is absent" in found[-1].says
    assert exit_code(found) == 3
    everyone["north"].data.unlink()
    assert exit_code(list(check(request(everyone["north"], wait=0.2)))) == 1  # what is to be done here comes first


# Programs


@pytest.fixture
def programmed(tmp_path):
    everyone = sites(tmp_path, tables=tables(), study='program = "work.py:main"\n')
    for site in everyone:
        body = 'print("loading")\ndef main(party):\n    x = party.share(party.data.columns["bmi"], 0, bounds=B)\n'
        (site.folder / "work.py").write_text(f"B = 50\n{body}    return (x * x).sum().reveal()\n")
    return everyone


def rewrite(site, old, new):
    path = site.folder / "work.py"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def test_a_program_is_rehearsed_for_the_rows_that_are_there(programmed, capsys):
    found = alone(programmed["north"])
    assert all(one.ok for one in found.values())
    assert re.match(
        r"work.py, for 30 rows in each table: \d+ bits to spare; closest to its limit is a \w+", found["ranges"].says
    )
    assert capsys.readouterr().out == ""  # what a program prints is not among the lines


def test_without_a_table_as_many_rows_as_the_study_asks_for(programmed):
    programmed["north"].data.unlink()
    found = alone(programmed["north"])
    assert found["data"].says == "none: the program gets no table here"
    assert found["ranges"].says.startswith("work.py, for 10 rows in each table: ")


def test_a_program_that_does_not_come_near_a_limit(programmed):
    rewrite(programmed["north"], "(x * x).sum().reveal()", "x.reveal()")
    assert alone(programmed["north"])["ranges"].says.endswith(": no operation could outgrow the ring")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("= 50", "= 1e7", "^a product of shape .* could reach 2.* say tighter bounds"),
        ("main", "other", "^work.py has no function main"),
        (
            "return",
            "raise ValueError(8675309);",
            "is stopped by ValueError in a rehearsal: smpc plan .*--rows 30 --de",
        ),
        ("return", "return ?", "is stopped by SyntaxError in a rehearsal"),
    ],
)
def test_a_program_that_cannot_run(old, new, says, programmed):
    rewrite(programmed["north"], old, new)
    found = alone(programmed["north"])
    assert [one.ok for one in found.values()] == [True, True, True, False, None]
    assert re.search(says, found["ranges"].says), found["ranges"].says
    assert "8675309" not in found["ranges"].says


def test_data_come_before_the_rehearsal(programmed):
    cell(7, "bmi", CANARY)(programmed["north"])
    found = alone(programmed["north"])
    assert found["ranges"] == Finding("ranges", None, "not done: data first")


def test_programs_are_compared(programmed):
    assert "same program" in everywhere(programmed)["north"][-1].says
    rewrite(programmed["south"], "50", "49")
    found = everywhere(programmed)
    assert all(exit_code(each) == 3 for each in found.values())
    assert any("south runs another work.py than this party" in found[name][-1].says for name in ("north", DEALER))


def test_a_program_that_one_party_lacks_is_said_at_all(programmed):
    (programmed["south"].folder / "work.py").unlink()
    found = everywhere(programmed)
    assert found["south"][3].says == "work.py: no such file beside the study"
    assert [exit_code(found[name]) for name in ("north", "south")] == [3, 1]


# Who checks meets nobody who does something else


@pytest.mark.parametrize("dealer", [True, False])
@pytest.mark.parametrize(("other", "verb"), [(b"", "runs"), (PREPARING, "prepares")])
def test_who_checks_and_who_does_not_tell_each_other(other, verb, dealer):
    two = study(2, dealer=dealer)
    purposes = {"north": CHECKING, "south": other, DEALER: CHECKING}
    results = together(*(lambda n=name: two.open(n, purpose=purposes[n]) for name in two.keys))
    said = " ".join(map(str, results))
    assert all(isinstance(result, Exception) for result in results)
    assert f"south {verb} the study, this party checks it: start the same command everywhere" in said
    assert re.search(f"(north|helper) checks the study, this party {verb} it|(north|helper) stopped: ", str(results[1]))


@pytest.mark.parametrize("owners", [CHECKING, b"", PREPARING])
def test_a_dealer_that_deals_and_one_that_checks(owners):
    two = study(2)
    dealing = b"" if owners == CHECKING else CHECKING
    purposes = {"north": owners, "south": owners, DEALER: dealing}
    results = together(*(lambda n=name: two.open(n, purpose=purposes[n]) for name in two.keys))
    assert all(isinstance(result, Exception) for result in results)
    assert "start the same command everywhere" in str(results[2])


def test_all_who_check_meet():
    results = run(study(3), lambda session: session.rounds, {DEALER: lambda session: 0}, purpose=CHECKING)
    assert set(results.values()) == {0}


# The command


def smpc(monkeypatch, capsys, site, *options):
    return main(monkeypatch, capsys, "check", site.study, "--party", site.name, "--no-links", *options)


def test_a_line_for_each(monkeypatch, capsys, everyone):
    code, out, _ = smpc(monkeypatch, capsys, everyone["north"])
    assert code == 0
    assert [line.split()[:2] for line in out.splitlines()] == [["ok", one] for one in ALL[:-1]]


def test_as_json(monkeypatch, capsys, everyone):
    everyone["north"].key.unlink()
    code, out, _ = smpc(monkeypatch, capsys, everyone["north"], "--json")
    assert code == 1
    found = json.loads(out)
    assert [(one["check"], one["ok"]) for one in found] == list(zip(ALL, [True, False, True, True, None], strict=False))
    assert found[-1]["says"] == "not done: key first"


def test_files_from_elsewhere(monkeypatch, capsys, everyone, tmp_path):
    site = everyone["north"]
    for path in (site.key, site.data):
        shutil.move(path, tmp_path / f"my{path.suffix}")
    code, out, _ = smpc(monkeypatch, capsys, site, "--key", tmp_path / "my.key", "--data", tmp_path / "my.csv")
    assert (code, "my.csv: 30 rows" in out) == (0, True)


def test_the_name_of_a_file_stays_on_its_line(monkeypatch, capsys, everyone, tmp_path):
    code, out, _ = smpc(monkeypatch, capsys, everyone["north"], "--data", tmp_path / "a\nb\x1b[31m.csv")
    assert (code, len(out.splitlines())) == (1, 5)
    assert "\x1b" not in out


# The document


def shape(line):
    """A line without what is another at every party and in every run."""
    return re.sub("[0-9a-f]{16}…|[a-z0-9]{4}(-[a-z0-9]{4}){4}|[0-9]+[.][0-9]+[.][0-9]+$|unknown$", "*", line)


def test_the_readme_shows_what_is_printed(tmp_path):
    study_file = scaffold.create(tmp_path / "study")[0]
    text = study_file.read_text()
    for port in ("7001", "7002", "7003"):
        text = text.replace(f":{port}", f":{free_port()}")
    study_file.write_text(text)
    requests = {
        name: Request(study_file, name, *(study_file.with_name(f"{name}.{end}") for end in ("key", "csv")), None, 8.0)
        for name in scaffold.OWNERS
    }
    lines = requests["north"].data.read_text().splitlines()
    lines[6] = "50,86.75309,100,100"
    requests["north"].data.write_text("\n".join(lines) + "\n")
    found = together(*(lambda one=one: [finding.line for finding in check(one)] for one in requests.values()))[0]
    _, shown, _ = (ROOT / "README.md").read_text(encoding="utf-8").split("<!-- check -->\n")
    assert list(map(shape, shown.splitlines()[1:-1])) == list(map(shape, found))


def test_a_statistic_of_few_rows_is_rehearsed_with_more(tmp_path):
    path, data = tmp_path / "study.toml", tmp_path / "a.csv"
    text = '[study]\nname = "s"\nmodel = "summary"\nfeatures = ["age"]\n[columns.age]\nrange = [0, 100]\n'
    text += '[release]\nto = ["a"]\nminimum_rows = 2\n'
    for rank, name in enumerate("ab"):
        text += f'[[party]]\nname = "{name}"\naddress = "127.0.0.1:{9000 + rank}"\npublic_key = "{str(rank) * 64}"\n'
    path.write_text(text)
    data.write_text("age\n1\n2\n3\n")
    found = {one.check: one for one in check(Request(path, "a", tmp_path / "a.key", data, None), links=False)}
    assert found["ranges"].ok
    assert found["ranges"].says.startswith("summary, for 10 rows in each table")
