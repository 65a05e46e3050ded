"""How numbers are written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smpc import figures
from smpc.ledger import Entry
from smpc.result import Cost
from tests.smpc.results import fitted, ridge

SIZES = st.floats(1e-12, 1e12)


def test_a_table():
    columns = figures.columns(fitted())
    assert [column.title for column in columns] == [
        "coefficient", "std. error", "lower 95 %", "upper 95 %", "t", "p",
    ]  # fmt: skip
    assert [column.cells[3] for column in columns] == ["5.603", "0.717", "4.194", "7.012", "7.81", "<0.001"]


@pytest.mark.parametrize(
    ("value", "error", "expected"),
    [
        (-334.567, 67.455, "-334.6"),
        (67.455, 67.455, "67.5"),
        (-0.03636, 0.21704, "-0.036"),
        (-0.0001, 0.2, "0.000"),
        (0.0, 3.0, "0.00"),
        (123456.7, 4321.0, "123457"),
        (0.00012345, 0.000100, "0.000123"),
        (5.603e-9, 7.17e-10, "5.603e-09"),
        (7.17e-10, 7.17e-10, "7.17e-10"),
        (1.1168e9, 2.25e8, "1.117e+09"),
        (12345678.0, 0.001, "1.23457e+07"),
    ],
)
def test_a_number_beside_its_error(value, error, expected):
    assert figures.number(value, error, 3) == expected


@given(SIZES, SIZES, st.sampled_from([-1, 1]))
def test_what_is_written_is_near(size, error, sign):
    value = sign * size
    text = figures.number(value, error, 3)
    assert len(text) <= 14
    assert abs(float(text) - value) <= max(0.005 * error, 5e-6 * size) * (1 + 1e-9)


@given(SIZES)
def test_an_error_has_three_digits(error):
    assert float(figures.number(error, error, 3)) == pytest.approx(error, rel=0.0051)


@pytest.mark.parametrize(
    ("p", "expected"),
    [
        (0.0, "<0.001"),
        (0.00099999, "<0.001"),
        (0.001, "0.001"),
        (0.0496, "0.050"),
        (0.99951, ">0.999"),
        (1.0, ">0.999"),
    ],
)
def test_p(p, expected):
    assert figures.p_value(p) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.51774, "0.5177"), (0.0, "0.0000"), (-3e-9, "0.0000"), (0.999964, "0.999964"), (1.0, "1.0000")],
)
def test_r_squared_reads_as_one_only_if_it_is(value, expected):
    assert figures.share(value) == expected


def test_pads_put_the_points_in_line():
    column = figures.Column("x", ("-334.6", "0.036", "12", "<0.001"))
    assert column.pads == ("36", "", ".036", "")  # of no matter which digits: they are not shown


def test_degrees_of_freedom():
    assert [figures.degrees(value) for value in (431.0, 432.37)] == ["431", "432.4"]
    assert "df" not in [figure.short for figure in fitted(degrees_of_freedom=None).whole]


def test_the_headline():
    assert figures.headline(fitted()) == "linear regression of progression on 10 features, 442 rows"
    assert figures.headline(ridge(rows=300_000)).endswith("on 10 features, 300,000 rows")
    assert figures.headline(ridge()).startswith("ridge regression with penalty 10 of progression")
    assert figures.headline(fitted(names=("intercept", "x"))).endswith("on 1 feature, 442 rows")


def test_small_words():
    assert [figures.listed(names) for names in ("a", "ab", "abc")] == ["a", "a and b", "a, b and c"]
    assert [figures.percent(level) for level in (0.95, 0.999, 2 / 3)] == ["95 %", "99.9 %", "66.66666667 %"]
    assert [figures.values(shape) for shape in ((), (1,), (11,), (3, 4))] == [
        "1 value", "1 value", "11 values", "3 × 4 values",
    ]  # fmt: skip
    entry = Entry(0, "2026-01-02T03:04:05.678+00:00", "s", "", "rows", (1,), ("a",), "")
    assert figures.moment(entry) == "2026-01-02 03:04:05 UTC"


def test_cost():
    shown = [figure.value for figure in figures.cost(Cost(1234, 9_999, 1234.5, "dealer"))]
    assert shown == ["1,234", "9,999 bytes", "1,234.50 s", "dealer"]
