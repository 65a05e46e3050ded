"""What a person reads: the terminal at 80 columns, and the page, whatever was released and however it is named."""

from __future__ import annotations

import dataclasses
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from rich.cells import cell_len
from rich.console import Console

from smpc import figures
from smpc.forest import forest, round_values
from smpc.report import print_done, print_result, write_report
from smpc.trust import trust_statement
from tests.smpc.results import COST, OWNERS, SUBSETS, entries, fitted, manifest, released, ridge

HOSTILE = (
    "intercept", "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7 * 7 }}", "&lt;b&gt;",
    "[bold]bp[/bold]", "a name so long that it leaves no room beside it for any of its numbers", "收缩压 (mmHg)",
    "' onload='alert(1)", "-->", "]]>",
)  # fmt: skip


def terminal(result, width=80, statement=("one",), opened=(), **options):
    console = Console(file=io.StringIO(), width=width, **options)
    print_result(console, result, COST, statement, opened)
    return console.file.getvalue()


def page(folder, result, statement=("one",), opened=()):
    path = folder / "report.html"
    write_report(path, result, COST, statement, opened)
    return path.read_text(encoding="utf-8")


def test_both(tmp_path):
    result, study = fitted(), manifest()
    for text in (
        terminal(result, 120, trust_statement(study), entries()),
        Page(page(tmp_path, result, trust_statement(study), entries())).text.replace("−", "-"),
    ):
        assert "inear regression of progression on 10 features, 442 rows" in text
        for expected in ("-334.6", "67.5", "0.867", "<0.001", "0.5177", "54.15", "431", "F(10, 431)", "46.27"):
            assert expected in text
        assert "helper is the dealer" in text
        assert "check: every column varies" in text
        assert "1.93 MB" in text


# The terminal


def table_lines(text, names):
    """For each name what its line says; a name on a line of its own has its numbers on the next."""
    lines = text.splitlines()
    found = []
    for name in names:
        at = next(index for index, line in enumerate(lines) if line == name or line.startswith(f"{name}  "))
        found.append(lines[at + 1] if lines[at] == name else lines[at][len(name) :])
    return found


def wild(names=HOSTILE):
    """Numbers of all sizes, under names that mean harm."""
    result = fitted()
    size = np.array([1, 1e-9, 1e9, 1e-3, 1e5, 1, 1, 1, 1e3, 1e-6, 1])
    return dataclasses.replace(
        result,
        names=names,
        coefficients=result.coefficients * size,
        standard_errors=result.standard_errors * size,
    )


@pytest.mark.parametrize("result", [fitted(), wild(), ridge()])
@pytest.mark.parametrize("width", [40, 80, 132])
def test_no_number_is_cut_or_wrapped(result, width):
    lines = table_lines(terminal(result, width), result.names)
    rows = zip(*(column.cells for column in figures.columns(result)), strict=True)
    assert [line.split() for line in lines] == [list(row) for row in rows]


@pytest.mark.parametrize("result", [fitted(), wild(), ridge()])
def test_eighty_columns_are_enough(result):
    text = terminal(result, 80, trust_statement(manifest()), entries())
    assert max(cell_len(line) for line in text.splitlines()) <= 80
    assert not [line for line in text.splitlines() if line != line.rstrip()]


def test_decimal_points_are_in_line():
    rows = terminal(fitted()).splitlines()[3:14]
    places = [[point.start() for point in re.finditer(r"\.", row)] for row in rows]
    assert len(places[0]) == 6
    assert places == [places[0]] * 11


def test_no_colour_where_there_is_no_terminal():
    assert "\x1b" not in terminal(fitted())


def test_colour_changes_no_character():
    coloured = terminal(fitted(), statement=["a [b] c"], force_terminal=True, color_system="truecolor")
    assert "\x1b[1m" in coloured
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == terminal(fitted(), statement=["a [b] c"])


@pytest.mark.parametrize("subset", SUBSETS)
def test_the_terminal_shows_what_was_released_and_no_more(subset):
    text = terminal(released(fitted(), subset))
    assert ("-334." in text) == ("coefficients" in subset)
    assert ("std. error" in text) == ("standard_errors" in subset)
    assert ("R²" in text) == ("fit" in subset)
    assert "None" not in text


def test_what_was_opened_is_all_listed():
    lines = terminal(fitted(), opened=entries(to=("north",))).splitlines()
    assert lines[lines.index("What was opened") + 1 :] == [
        "rows                           1 value    to north, south and east",
        "check: every column varies     11 values  to north, south and east",
        "check: the fit can be trusted  4 values   to north, south and east",
        "coefficients                   11 values  to north",
        "standard_errors                11 values  to north",
        "fit                            2 values   to north",
    ]


def test_nothing_opened():
    assert terminal(fitted()).endswith("\nWhat was opened\nnothing\n")


def test_a_party_that_is_no_receiver():
    console = Console(file=io.StringIO(), width=80)
    print_done(console, "diabetes", COST, ["one", "two"], entries(to=("north", "east")), ("north", "east"))
    text = console.file.getvalue()
    assert text.startswith("diabetes: done; the result is with north and east\n")
    assert "rounds 199   sent 1.93 MB   time 2.31 s   randomness from dealer\n" in text
    assert "- one\n- two\n" in text
    assert "coefficients                   11 values  to north and east\n" in text


# The page

VOID = {"meta", "rect", "line", "circle", "br", "img"}


class Page(HTMLParser):
    """The elements, attributes and text of a page; fails where an element is not closed."""

    def __init__(self, source):
        super().__init__()
        self.open, self.elements, self.attributes, self.pieces, self.table = [], [], [], [], []
        self.feed(source)
        self.close()
        assert not self.open

    @property
    def text(self):
        return " ".join("".join(self.pieces).split())

    def handle_starttag(self, tag, attrs):
        self.elements.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)
        if tag == "tr":
            self.table.append([])
        if tag in ("td", "th"):
            self.table[-1].append("")

    def handle_startendtag(self, tag, attrs):
        self.elements.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.pieces.append(data)
        if {"td", "th"} & set(self.open):
            self.table[-1][-1] += data


@pytest.mark.parametrize("result", [fitted(), ridge(), wild(), *(released(fitted(), some) for some in SUBSETS)])
def test_the_page_stands_alone(tmp_path, result):
    source = page(tmp_path, result, trust_statement(manifest()), entries())
    parsed = Page(source)
    assert not {"script", "link", "img", "iframe", "object", "base", "a"} & set(parsed.elements)
    assert not [name for name, _ in parsed.attributes if name.startswith("on") or name in ("src", "href", "style")]
    assert not re.search(r"://|url\(|@import", source)
    assert "default-src 'none'" in source
    assert not re.search(r"\b(nan|inf|None|Undefined)\b", source)


def test_hostile_names_are_text_and_nothing_else(tmp_path):
    statement = ["<b>bold</b> & {{ claims }}"]
    harmless = wild(names=("intercept", *(f"x{number}" for number in range(1, 11))))
    bad = Page(page(tmp_path, dataclasses.replace(wild(), target="<i>y</i>"), statement, entries()))
    good = Page(page(tmp_path, harmless, ["a claim"], entries()))
    assert bad.elements == good.elements
    assert [name for name, _ in bad.attributes] == [name for name, _ in good.attributes]
    assert [row[0] for row in bad.table[1:12]] == list(HOSTILE)
    assert "regression of <i>y</i> on" in bad.text
    assert statement[0] in bad.text


def test_the_table_has_every_number(tmp_path):
    result = fitted()
    header, *rows = Page(page(tmp_path, result)).table
    columns = figures.columns(result)
    assert header == ["name", *(column.title.replace(" %", "\xa0%") for column in columns)]
    cells = zip(result.names, *(column.cells for column in columns), strict=True)
    assert rows == [[name, *(cell.replace("-", "−") for cell in row)] for name, *row in cells]


def test_the_ledger_is_in_the_page(tmp_path):
    opened = entries(to=("north",))
    rows = Page(page(tmp_path, fitted(), opened=opened)).table[-len(opened) :]
    assert [row[:3] for row in rows][0::3] == [
        ["rows", "1 value", "north, south and east"],
        ["coefficients", "11 values", "north"],
    ]
    assert rows[0][3] == opened[0].time[:10] + " " + opened[0].time[11:19] + " UTC"


@pytest.mark.parametrize("subset", SUBSETS)
def test_the_page_says_what_was_not_released(tmp_path, subset):
    parsed = Page(page(tmp_path, released(fitted(), subset)))
    assert ("svg" in parsed.elements) == ("standard_errors" in subset)
    assert ("Coefficients are not among" in parsed.text) == ("coefficients" not in subset)
    without = "coefficients" in subset and "standard_errors" not in subset
    assert ("Standard errors, and with them" in parsed.text) == without
    assert ("R² and residual standard error are not among" in parsed.text) == ("fit" not in subset)


def test_ridge_is_explained(tmp_path):
    assert "take no account of the bias" in Page(page(tmp_path, ridge())).text
    assert "take no account of the bias" not in Page(page(tmp_path, fitted())).text


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(OSError, match="No such file"):
        write_report(tmp_path / "absent" / "report.html", fitted(), COST, [], [])


# The plot


@pytest.mark.parametrize("result", [fitted(), wild(), ridge(), fitted(confidence_level=0.5)])
def test_the_plot_is_true_to_t(result):
    plot = forest(result)
    scale, zero = np.polyfit(result.statistics[1:], [bar.middle for bar in plot.bars], 1)
    assert zero == pytest.approx(plot.zero, abs=0.1)
    ends = (result.confidence_intervals / result.standard_errors[:, None])[1:]
    drawn = [[bar.low, bar.high] for bar in plot.bars]
    np.testing.assert_allclose(drawn, zero + scale * ends, atol=0.2)
    assert plot.left <= min(bar.low for bar in plot.bars) <= max(bar.high for bar in plot.bars) <= plot.width
    assert [bar.y for bar in plot.bars] == sorted({bar.y for bar in plot.bars})


def test_a_bar_says_its_numbers_in_its_own_unit():
    assert forest(fitted()).bars[0].text == "age: -0.036, 95 % interval -0.463 to 0.390, p 0.867"


def test_a_long_name_is_shortened_in_the_plot_only():
    bar = forest(wild()).bars[5]
    assert bar.label == "a name so long that…"
    assert bar.text.startswith(HOSTILE[6])


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (-5.9, 9.8, [-4, -2, 0, 2, 4, 6, 8]),
        (0, 4.5, [0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5]),
        (-3000, 40, [-3000, -2500, -2000, -1500, -1000, -500, 0]),
    ],
)
def test_ticks_are_round(low, high, expected):
    assert round_values(low, high) == expected


# The trust statement


def said(**study):
    return "\n".join(trust_statement(manifest(**study)))


def test_the_statement_of_a_study():
    text = said(to=("south",))
    assert text.startswith("north, south and east own the data and compute together.\n")
    for expected in (
        "no row, sum or intermediate value of anyone leaves its owner in the clear",
        "Released only to south: coefficients, standard errors, R² and residual standard error.",
        "Every owner learns the number of rows in total",
        "helper is the dealer",
        "Alone it sees only shapes.",
        "It must not collude: together with any one owner it could reconstruct what the others put in",
        "(semi-honest), even if all owners but one pool what they see",
        "It does not hold against one that departs from the protocol",
        "sizes and times of messages",
    ):
        assert expected in text


def test_two_owners_are_warned():
    two = said(owners=("a", "b"))
    assert "can learn a lot about the other's" in two
    assert "pool what they see" not in two
    assert "can learn a lot about the other's" not in said()


def test_columns_tell_more_than_rows():
    rows, columns = said(), said(study='model = "linear"\nsplit = "columns"')
    assert "here sums, squares and products over all their rows" in rows
    assert "here their columns, row by row" in columns
    assert "Every owner learns the number of rows and the names of the columns that each owner has" in columns


@pytest.mark.parametrize(
    ("outputs", "expected"),
    [
        ('["coefficients"]', "coefficients"),
        ('["fit", "coefficients"]', "coefficients, R², residual standard error and effective degrees of freedom"),
    ],
)
def test_only_what_is_released_is_named(outputs, expected):
    text = said(study='model = "ridge"\nsplit = "rows"\npenalty = 2', release=f"outputs = {outputs}")
    assert f"Released only to north, south and east: {expected}.\n" in text


def test_a_program_is_named():
    text = said(study='program = "mean.py:main"')
    assert "Released only to north, south and east: what the program mean.py:main reveals" in text
    assert "could reconstruct what every owner puts in." in text


@pytest.mark.parametrize("owners", [("a", "b"), OWNERS])
@pytest.mark.parametrize("split", ["rows", "columns"])
def test_every_sentence_is_whole(owners, split):
    for sentence in trust_statement(manifest(study=f'model = "linear"\nsplit = "{split}"', owners=owners)):
        assert sentence.endswith(".")
        assert sentence.isprintable()
