"""CSV as it comes: accepted spellings, and the line number of every mistake."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smpc import lines
from smpc.errors import DataError
from tests.smpc.tables import (
    CANARY,
    COMMA,
    CSV,
    EMPTY,
    INFINITE,
    NAN,
    RANGE,
    TEXT,
    WANTED,
    csv_refusal,
    read,
    refusal,
    save,
)


def test_a_mistake_has_its_line(tmp_path):
    path = save(tmp_path, "age,bmi\n71,22.25\n35.5,many\n")
    assert refusal(path) == 'north.csv: line 3, column "bmi": text where a number belongs'


# Lines


@pytest.mark.parametrize("content", ["", "\n", "\r\n\r\n", "\ufeff", " \n "])
def test_empty(tmp_path, content):
    assert csv_refusal(tmp_path, content) == "is empty: it needs a line with the columns' names, and rows"


@pytest.mark.parametrize("content", ["age,bmi", "age,bmi\n", "age,bmi\r\n\r\n"])
def test_header_only(tmp_path, content):
    assert csv_refusal(tmp_path, content) == "has a header and no rows"


TEXT_MISTAKES = [
    ("age,bmi\n1,2\n1,2,8675309\n", "line 3: 3 cells, and the header has 2"),
    ("age,bmi\n1,2\n8675309\n1,2\n", "line 3: 1 cells, and the header has 2"),
    ("age,x,bmi\n1,2,3\n1,1,5,8675309\n", "line 3: 4 cells, and the header has 3"),
    ("age,bmi\n1,2\n\n8675309,2\n", "line 3: is empty"),
    ("age,bmi\r\n1,2\r\n\r\n8675309,2\r\n", "line 3: is empty"),
    ("\nage,bmi\n1,2\n", "line 1: is empty"),
    ("age,bmi\n1,2\n  \n", "line 3: 1 cells, and the header has 2"),
    ('age,bmi,x\n1,2,3\n1,2,"8675309\n"\n', "line 3: a quotation mark that is not closed on its line"),
    ('age,bmi,x\n1,2,8675309"\n1,2,"3"\n', "line 2: a quotation mark that is not closed on its line"),
    ('age,"bmi\n"\n1,2\n', "line 1: a quotation mark that is not closed on its line"),
    ('age,bmi\n8","7\n5,3\n1,2,3\n', "line 2: 1 cells, and the header has 2"),
    ('age,bmi\nx"y,z",8675309\n5,3\n', "cannot be split into rows and cells: check its quotation marks"),
    ("age,bmi\n1,2\n3,\x008675309\n", "line 3: not UTF-8 text: save the file as CSV in UTF-8"),
    (b"age,bmi,x\n1,2,3\n1,2,8675309\xe9\n", "line 3: not UTF-8 text: save the file as CSV in UTF-8"),
    (CSV.encode("utf-16"), "line 1: not UTF-8 text: save the file as CSV in UTF-8"),
    ("age,bmi\n1,2\r8675309,2\n", "line 2: a lone carriage return: lines end with LF or CRLF"),
    ("age,bmi\r1,2\r", "line 1: a lone carriage return: lines end with LF or CRLF"),
]


@pytest.mark.parametrize("piece", [lines.PIECE, 12])
@pytest.mark.parametrize(("content", "line"), TEXT_MISTAKES)
def test_mistakes_in_the_text(tmp_path, monkeypatch, content, line, piece):
    monkeypatch.setattr(lines, "PIECE", piece)
    assert csv_refusal(tmp_path, content) == line


@pytest.mark.parametrize("piece", [lines.PIECE, 1])
def test_an_empty_line_under_a_single_column_is_an_empty_cell(tmp_path, monkeypatch, piece):
    monkeypatch.setattr(lines, "PIECE", piece)
    for content in ("age\n1\n\n2\n", "age\n1\n\n"):
        assert csv_refusal(tmp_path, content, ["age"]) == "line 3: is empty"


@pytest.mark.parametrize("piece", [lines.PIECE, 8, 1])
@pytest.mark.parametrize("end", ["", "\n", "\n\n\n\n", "\r\n\r\n"])
def test_empty_lines_at_the_end_in_pieces(tmp_path, monkeypatch, piece, end):
    monkeypatch.setattr(lines, "PIECE", piece)
    np.testing.assert_array_equal(read(save(tmp_path, "age,bmi\n1,2\n3,4" + end)).matrix(WANTED), [[1, 2], [3, 4]])
    if end.count("\n") > 1:
        assert csv_refusal(tmp_path, f"age,bmi\n1,2\n3,4{end}{CANARY},5") == "line 4: is empty"


def test_line_numbers_hold_in_a_long_file(tmp_path):
    rows = [f"{number % 100},{number}.5,{'x' * 200}" for number in range(100_000)]  # several of the parser's blocks
    rows[98_765] = f"1,{CANARY} ,x,x"
    assert csv_refusal(tmp_path, "\n".join(["age,bmi,x", *rows])) == "line 98767: 4 cells, and the header has 3"
    rows[98_765] = f"1,x{CANARY},x"
    assert csv_refusal(tmp_path, "\n".join(["age,bmi,x", *rows])) == f'line 98767, column "bmi": {TEXT}'


def test_lines_longer_than_the_parser_takes_at_a_time(tmp_path):
    path = save(tmp_path, f"age,x,bmi\n1,{'x' * 17_000_000},2\n3,,4\n")
    np.testing.assert_array_equal(read(path).matrix(WANTED), [[1, 2], [3, 4]])


def test_a_file_without_ends_of_lines_is_not_read_to_its_end(tmp_path, monkeypatch):
    monkeypatch.setattr(lines, "PIECE", 8)
    monkeypatch.setattr(lines, "LONGEST", 1 << 20)
    content = "age,bmi\n1,2\n3," + CANARY * 200_000
    assert csv_refusal(tmp_path, content) == "line 3: is over 1 MiB long: lines end with LF or CRLF"
    assert csv_refusal(tmp_path, content.replace("\n", " ")).startswith("line 1: is over 1 MiB long")


def test_very_many_columns(tmp_path):
    names = [f"c{number}" for number in range(100_000)]
    path = save(tmp_path, ",".join(["age", *names, "bmi"]) + "\n" + ",".join(["1", *["x"] * len(names), "2"]))
    np.testing.assert_array_equal(read(path).matrix(WANTED), [[1.0, 2.0]])


# Names of columns

HEADERS = [
    ("age,bim\n1,8675309\n", 'no column "bmi"; did you mean bim?'),
    ("Age,BMI\n1,8675309\n", 'no column "age"; did you mean Age?'),
    ("x,y\n1,8675309\n", 'no column "age", "bmi"'),
    ("71,8675309\n35,2\n", 'no column "age", "bmi": line 1 has numbers where the columns\' names belong'),
    ("8675309,8675309\n35,2\n", "columns 1 and 2 have the same name"),
    ("age;bmi\n1;8675309\n", "its cells are separated by semicolons or tabs: save the file with commas"),
    ("age\tbmi\n1\t8675309\n", "its cells are separated by semicolons or tabs: save the file with commas"),
    ("age,x,bmi,age\n1,2,3,8675309\n", 'columns 1 and 4 have the same name "age"'),
    ("age,x, x,bmi\n1,2,3,8675309\n", "columns 2 and 3 have the same name"),
]


@pytest.mark.parametrize(("content", "line"), HEADERS)
def test_names_that_are_wrong(tmp_path, content, line):
    assert csv_refusal(tmp_path, content) == line


# Cells

CELLS = [
    ("x8675309", TEXT),
    ("8675309x", TEXT),
    ("86 75309", TEXT),
    ("0x8675309", TEXT),
    ("8_675_309", TEXT),
    ("True", TEXT),
    ("NA", TEXT),
    ("-", TEXT),
    ("+-5", TEXT),
    (".", TEXT),
    ("1e", TEXT),
    ("e5", TEXT),
    ("8675309f", TEXT),
    ("\u0668\u0666", TEXT),  # digits, of Arabic
    ("\u22128675309", TEXT),  # a minus sign that is none
    ("1\u00a0000", TEXT),
    ('"1,5"', COMMA),
    ('"8,675,309.5"', COMMA),
    ('"8.675.309,5"', COMMA),
    ("", EMPTY),
    ('""', EMPTY),
    ("  ", EMPTY),
    ("nan", NAN),
    ("NaN", NAN),
    ("inf", INFINITE),
    ("-Infinity", INFINITE),
    ("8675309e999", INFINITE),
    ("9" * 400, INFINITE),
    ("86753091", RANGE),
    ("-1.8675309e7", RANGE),
    ("10000000.01", RANGE),
]


@pytest.mark.parametrize(("cell", "complaint"), CELLS)
def test_cells_that_are_no_number(tmp_path, cell, complaint):
    rows = f"age,bmi\n1,2\n8,8\n1,{cell}\n1,{CANARY}x\n"
    assert csv_refusal(tmp_path, rows) == f'line 4, column "bmi": {complaint}'


def test_a_range_has_its_unit(tmp_path):
    line = csv_refusal(tmp_path, "age,bmi\n120.5,1\n")
    assert line == 'line 2, column "age": outside the declared range [0, 120] years'


def test_the_ends_of_a_range_are_in_it(tmp_path):
    assert read(save(tmp_path, "age,bmi\n0,1e7\n120,-1e7\n")).rows == 2


def test_whole_numbers(tmp_path):
    assert read(save(tmp_path, "count\n3\n-4.0\n5e2\n"), ["count"]).rows == 3
    line = csv_refusal(tmp_path, "count\n3\n3.5\n", ["count"])
    assert line == 'line 3, column "count": a fraction in a column of whole numbers'


def test_spaces_that_only_the_careful_reading_takes_for_such(tmp_path, monkeypatch):
    monkeypatch.setattr(lines, "PIECE", 1)  # the line before is parsed as numbers, this one is looked at as text
    table = read(save(tmp_path, "age,bmi\n1, 2\t\n\f3,\v4\n"))
    np.testing.assert_array_equal(table.matrix(WANTED), [[1, 2], [3, 4]])


def test_the_first_of_several_bad_cells_is_named_whatever_its_column(tmp_path):
    assert csv_refusal(tmp_path, f"age,bmi\n1,2\n1,{CANARY}x\n{CANARY}x,2\n") == f'line 3, column "bmi": {TEXT}'
    assert csv_refusal(tmp_path, f"age,bmi\n1,2\n121,{CANARY}x\n").startswith('line 3, column "age": outside')


# Laws

finite = st.floats(-1e7, 1e7, allow_nan=False).map(lambda x: x + 0.0)
spellings = st.sampled_from(["{!r}", " {!r} ", '"{!r}"', "{:.17e}", "{:+.17g}", "{:.17G}"])


pieces = st.sampled_from([1, 30, lines.PIECE])


@given(st.lists(st.tuples(finite, spellings), min_size=1, max_size=30), st.sampled_from(["\n", "\r\n"]), pieces)
def test_a_number_is_read_exactly_as_it_was_written(tmp_path_factory, cells, end, piece):
    rows = ["x,bmi", *("a," + spelling.format(value) for value, spelling in cells)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "PIECE", piece)
        table = read(save(tmp_path_factory.getbasetemp(), end.join(rows), "law.csv"), ["bmi"])
    np.testing.assert_array_equal(table.columns["bmi"], [value for value, _ in cells], strict=True)


@given(st.integers(2, 60), pieces, st.data())
def test_the_first_bad_row_is_named(tmp_path_factory, rows, piece, data):
    bad = data.draw(st.sets(st.integers(0, rows - 1), min_size=1))
    text = "\n".join(["age,bmi", *("1,x" if row in bad else "1,2" for row in range(rows))])
    path = save(tmp_path_factory.getbasetemp(), text, "law.csv")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "PIECE", piece)
        line = refusal(path)
    assert line == f'law.csv: line {min(bad) + 2}, column "bmi": {TEXT}'


TEXT_OF_CELLS = st.text(alphabet="0189+-.eExn_ inf", max_size=8)


@given(st.lists(TEXT_OF_CELLS, min_size=1, max_size=4))
def test_all_at_once_or_as_text_a_cell_is_the_same_number(tmp_path_factory, cells):
    """A last line with what only text can have makes a piece be read as text."""
    rows = "".join(f"0,{cell}\n" for cell in cells)
    found = [
        outcome(save(tmp_path_factory.getbasetemp(), f"age,bmi\n{rows}{last}", "cells.csv"))
        for last in ("0,0", "0,\v0")
    ]
    assert found[0] == found[1]


def outcome(path):
    try:
        return read(path).columns["bmi"].tolist()
    except DataError as error:
        return str(error)


@given(st.binary(max_size=120) | st.text(alphabet='ab1.,"\n\r \0;é', max_size=60).map(str.encode), pieces)
def test_any_bytes_below_a_header_are_rows_or_a_data_error(tmp_path_factory, content, piece):
    path = save(tmp_path_factory.getbasetemp(), b"age,bmi\n" + content, "any.csv")
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(lines, "PIECE", piece)
            table = read(path)
    except DataError:
        return
    assert table.rows == len(content.rstrip(b"\r\n").split(b"\n"))
