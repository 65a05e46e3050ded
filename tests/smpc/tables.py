"""Tables for tests: the columns they should have, and a refusal that must show no value."""

from __future__ import annotations

import pytest

from smpc.config import Column
from smpc.data import read_table
from smpc.errors import DataError

CANARY = "8675309"  # stands in every bad cell or near it, and in no message
COLUMNS = {
    "age": Column(range=(0.0, 120.0), unit="years"),
    "bmi": Column(range=(-1e7, 1e7)),
    "count": Column(type="integer", range=(-1e7, 1e7)),
}
WANTED = ["age", "bmi"]
AGE, BMI = [71.0, 35.5, 0.0], [22.25, -1e3, 30.0]
CSV = "age,bmi\n71,22.25\n35.5,-1e3\n-0.0,30\n"


def save(folder, content, name="north.csv"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def read(source, wanted=WANTED, require="all"):
    return read_table(source, COLUMNS, wanted, require=require)


def refusal(source, wanted=WANTED, require="all"):
    with pytest.raises(DataError) as caught:
        read(source, wanted, require)
    line = str(caught.value)
    assert CANARY not in line
    assert line.isprintable()
    error = caught.value
    while error is not None:  # a traceback must not show it either
        assert CANARY not in str(error)
        error = error.__cause__ or error.__context__
    return line


def csv_refusal(folder, content, wanted=WANTED, require="all"):
    line = refusal(save(folder, content), wanted, require)
    assert line.startswith("north.csv: ")
    return line.removeprefix("north.csv: ")


# What is said of a cell

TEXT = "text where a number belongs"
EMPTY = "empty where a number belongs"
NAN = "NaN where a number belongs"
INFINITE = "an infinite number"
COMMA = "a comma in a number: write decimals with a point, and thousands without a mark"
BOOLEAN = "true or false where a number belongs"
OTHER = "something else than a number"
RANGE = "outside the declared range [-10000000, 10000000]"
