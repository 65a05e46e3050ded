"""Data that are not what the manifest declares, or have no result together, at real processes; see `spoilt`."""

from __future__ import annotations

import pytest

from smpc import sample
from tests.end_to_end.spoilt import ABSENT, AT_7, CANARY, COLUMNS, cell, refuse, spoil, start, tables


@pytest.fixture
def everyone(tmp_path):
    return start(tmp_path)


def test_a_missing_file(everyone):
    everyone["south"].data.unlink()
    spoil(everyone, south="^south needs its data: say where they are with --data FILE$", others=ABSENT)


# A party's data


def content(change):
    return lambda site: site.data.write_bytes(change(site.data.read_bytes()))


def given(name, content=None):
    def change(site):
        if content is not None:
            (site.folder / name).write_bytes(content)
        site.options += ["--data", name]

    return change


def folder_instead(site):
    site.data.unlink()
    site.data.mkdir()


DATA = {  # as the case that it is, at one party of three running ones
    "missing": (given("souht.csv"), "^souht.csv: no such file in "),
    "wrong column name": (
        content(lambda b: b.replace(b"bmi", b"BMI")),
        '^south.csv: no column "bmi"; did you mean BMI?',
    ),
    "text": (cell(7, "bmi", f"{CANARY}kg"), AT_7 + "text where a number belongs$"),
    "NaN": (cell(7, "bmi", "nan"), AT_7 + "NaN where a number belongs$"),
    "infinity": (cell(7, "bmi", "-Infinity"), AT_7 + "an infinite number$"),
    "outside its range": (cell(7, "bmi", CANARY), AT_7 + r"outside the declared range \[10, 60\] kg/m2$"),
    "empty": (content(lambda _: b""), "^south.csv: is empty"),
    "ragged": (content(lambda b: b + b"86.75309,1\n"), "^south.csv: line 32: 2 cells, and the header has 4$"),
}
MORE_DATA = {
    "a folder": (folder_instead, "^south.csv: is a folder"),
    "no such column": (content(lambda b: b.replace(b"bmi", b"weight")), '^south.csv: no column "bmi"$'),
    "a column twice": (
        content(lambda b: b.replace(b"bmi", b"age")),
        '^south.csv: columns 1 and 2 have the same name "age"$',
    ),
    "an empty cell": (cell(7, "bmi", ""), AT_7 + "empty where a number belongs$"),
    "too large to be finite": (cell(7, "bmi", "8675309e999"), AT_7 + "an infinite number$"),
    "a decimal comma": (cell(7, "bmi", '"86,75309"'), AT_7 + "a comma in a number"),
    "the last line": (
        cell(31, "progression", "-86.75309"),
        '^south.csv: line 31, column "progression": outside the declared',
    ),
    "the first line": (cell(2, "age", "x" * 10_000), '^south.csv: line 2, column "age": text where a number belongs$'),
    "a header only": (content(lambda b: b.splitlines(keepends=True)[0]), "^south.csv: has a header and no rows$"),
    "a cell too many": (
        content(lambda b: b + b"86.75309,1,2,3,4\n"),
        "^south.csv: line 32: 5 cells, and the header has 4$",
    ),
    "an open quotation mark": (cell(7, "bmi", '"86.75309'), "^south.csv: line 7: a quotation mark that is not closed"),
    "another encoding": (content(lambda b: b.replace(b"bmi", b"bm\xef")), "^south.csv: line 1: not UTF-8 text"),
    "bytes": (content(lambda b: b + b"86.75309\0,,,\n"), "^south.csv: line 32: not UTF-8 text"),
    "a line break in a name": (content(lambda b: b.replace(b"bmi", b'"b\nmi"')), "^south.csv: "),
    "an unknown kind": (given("south.key"), "^south.key: unknown kind of file"),
    "a damaged Parquet file": (given("a.parquet", b"PAR1 86.75309"), "^a.parquet: is no Arrow table, or is damaged$"),
    "a damaged archive": (given("a.csv.gz", b"\x1f\x8b86.75309"), "^a.csv.gz: "),
    "fewer rows than allowed": (
        content(lambda b: b"".join(b.splitlines(keepends=True)[:10])),
        "^south.csv has fewer rows than the study's minimum_rows, which is 10$",
    ),
}


@pytest.mark.parametrize("case", DATA)
def test_data_seen_by_all(case, everyone):
    change, line = DATA[case]
    change(everyone["south"])
    spoil(everyone, south=line, others=ABSENT)


@pytest.mark.parametrize("case", MORE_DATA)
def test_data(case, everyone):
    change, line = MORE_DATA[case]
    change(everyone["south"])
    refuse(everyone["south"], everyone, line)


# All parties' data together: every party says it, and says the same


def every_table(change):
    changed = tables()
    for table in changed.values():
        change(table)
    return changed


def constant(table):
    table[:, 1] = float(CANARY) - 50


def combination(table):
    table[:, 1] = 10 + table[:, 0] / 3


@pytest.mark.parametrize(
    ("case", "line"),
    [
        (
            lambda: every_table(constant),
            'no result: column "bmi" is constant, or its declared range is over a thousand',
        ),
        (
            lambda: every_table(combination),
            "no result: the features are ill-conditioned: one is nearly a combination of",
        ),
        (lambda: tables(rows=2), "^4 rows are too few for 3 features and an intercept: at least 5 are needed$"),
    ],
    ids=["constant", "ill-conditioned", "more columns than rows"],
)
def test_data_that_have_no_result_together(case, line, tmp_path):
    everyone = start(tmp_path, tables=case(), release="minimum_rows = 1")
    ends = spoil(
        everyone,
        north=line,
        south=line,
        helper="^((north|south) says that )?(north|south) stopped: " + line.removeprefix("^"),
    )
    assert {name: end.code for name, end in ends.items()} == {"north": 1, "south": 1, "helper": 3}


def test_a_column_that_is_constant_at_one_party_is_fine(tmp_path):
    changed = tables()
    constant(changed["south"])
    ends = start(tmp_path, tables=changed).run()
    assert {end.code for end in ends.values()} == {0}


COLUMN_STUDY = 'model = "linear"\nsplit = "columns"\ntarget = "progression"\nfeatures = ["age", "bmi", "bp"]\n'


@pytest.mark.parametrize(
    ("north", "south", "rows", "line"),
    [
        (
            [0, 1],
            [2, 3],
            29,
            'south has 29 rows and north has 30: with split = "columns" every party has the same people',
        ),
        (
            [0, 1],
            [1, 2, 3],
            30,
            'column "bmi" is in the files of north and south: with split = "columns" it belongs in',
        ),
        ([0, 1], [3], 30, 'column "bp" is in no party\'s file: with split = "columns" it belongs in exactly one'),
    ],
    ids=["other rows", "a column twice", "a column nowhere"],
)
def test_columns_that_make_no_study(north, south, rows, line, tmp_path):
    everyone = start(tmp_path, study=COLUMN_STUDY)
    for name, columns, length in (("north", north, 30), ("south", south, rows)):
        table = tables()[name][:length, columns]
        sample.write_csv(everyone[name].data, [COLUMNS[column] for column in columns], table)
    spoil(everyone, others=line)
