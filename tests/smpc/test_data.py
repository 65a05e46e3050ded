"""A party's table: what may come in, and the line that names file, row and column of what may not."""

from __future__ import annotations

import datetime as dt
import gzip
import io
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smpc.data import constant_columns, read_table
from tests.smpc.tables import (
    AGE,
    BMI,
    BOOLEAN,
    CANARY,
    COLUMNS,
    CSV,
    EMPTY,
    INFINITE,
    NAN,
    OTHER,
    RANGE,
    TEXT,
    WANTED,
    csv_refusal,
    read,
    refusal,
    save,
)


def assert_expected(table):
    assert table.rows == 3
    assert list(table.columns) == WANTED
    np.testing.assert_array_equal(table.matrix(WANTED), np.column_stack([AGE, BMI]), strict=True)
    assert not np.signbit(table.columns["age"]).any()


def test_a_csv_file(tmp_path):
    table = read_table(save(tmp_path, CSV), COLUMNS, ["age", "bmi"], require="all")
    assert table.name == "north.csv"
    assert_expected(table)


# Every kind of source


def arrow_table():
    return pa.table({"other": ["x", None, "y"], "bmi": BMI, "age": AGE})


def arrow_file(folder, name, writer):
    with writer(str(folder / name), arrow_table().schema) as file:
        file.write_table(arrow_table())
    return folder / name


def parquet_file(folder):
    pa.parquet.write_table(arrow_table(), folder / "north.parquet")
    return folder / "north.parquet"


def feather_file(folder):
    pa.feather.write_feather(arrow_table(), str(folder / "north.feather"), compression="lz4")
    return folder / "north.feather"


class Stream:
    """What a data frame of another library is: something that hands out an Arrow stream, and no more."""

    def __arrow_c_stream__(self, requested_schema=None):
        return arrow_table().__arrow_c_stream__(requested_schema)


class Batch:
    """The same for a single Arrow array of structs."""

    def __arrow_c_array__(self, requested_schema=None):
        return arrow_table().to_batches()[0].__arrow_c_array__(requested_schema)


def mixed_frame():
    mixed = pd.Series([1, "x", None], dtype=object)  # not wanted, and without a type in Arrow
    return pd.DataFrame({"mixed": mixed, "bmi": BMI, "age": AGE})


def structured():
    rows = list(zip(["x", "y", "z"], BMI, AGE, strict=True))
    return np.array(rows, dtype=[("other", "U1"), ("bmi", "f8"), ("age", "f4")])


SOURCES = {
    "str": lambda folder: str(save(folder, CSV)),
    "capitals": lambda folder: save(folder, CSV, "NORTH.CSV"),
    "csv.gz": lambda folder: save(folder, gzip.compress(CSV.encode()), "north.csv.gz"),
    "crlf": lambda folder: save(folder, CSV.replace("\n", "\r\n")),
    "crlf without the last": lambda folder: save(folder, CSV.replace("\n", "\r\n").removesuffix("\r\n")),
    "no end of line": lambda folder: save(folder, CSV.rstrip("\n")),
    "empty lines at the end": lambda folder: save(folder, CSV + "\n\r\n\n"),
    "bom": lambda folder: save(folder, "\ufeff" + CSV),
    "quotes": lambda folder: save(folder, '"age","bmi"\n"71",22.25\n35.5,"-1e3"\n-0.0,"30"\n'),
    "spaces": lambda folder: save(folder, " age , bmi\n 71, 22.25 \n35.5 ,-1e3\n-0.0,\t30\n"),
    "spellings": lambda folder: save(folder, "age,bmi\n+71,2225e-2\n35.50,-1E+3\n-.0,30.\n"),
    "other columns": lambda folder: save(
        folder,
        'x,bmi,,é,age,\n"a ""b"", c",22.25,NaN,1,71,\n,-1e3,,inf,35.5,1_0\n0x10,30,,True,-0.0,"1,5"\n',
    ),
    "parquet": parquet_file,
    "arrow": lambda folder: arrow_file(folder, "north.arrow", pa.ipc.new_file),
    "arrow stream": lambda folder: arrow_file(folder, "north.arrow", pa.ipc.new_stream),
    "feather": feather_file,
    "pa.Table": lambda _: arrow_table(),
    "pa.RecordBatch": lambda _: arrow_table().to_batches()[0],
    "pa.RecordBatchReader": lambda _: arrow_table().to_reader(max_chunksize=2),
    "arrow stream capsule": lambda _: Stream(),
    "arrow array capsule": lambda _: Batch(),
    "pandas": lambda _: mixed_frame(),
    "pandas with an index": lambda _: mixed_frame().set_index("mixed").iloc[::-1].iloc[::-1],
    "pandas nullable": lambda _: pd.DataFrame({"age": AGE, "bmi": BMI}).convert_dtypes(),
    "pandas categories": lambda _: pd.DataFrame({"age": pd.Categorical(AGE), "bmi": BMI}),
    "pandas objects": lambda _: pd.DataFrame({"age": pd.Series(AGE, dtype=object), "bmi": BMI}),
    "mapping": lambda _: {"age": np.array(AGE), "bmi": BMI, "other": None},
    "mapping of all sorts": lambda _: {"age": pa.array(AGE), "bmi": pd.Series(BMI)},
    "mapping of numbers": lambda _: {
        "age": [71, Fraction(71, 2), -0.0],
        "bmi": [Decimal("22.25"), -1000, 30],
    },
    "mapping of small types": lambda _: {"age": np.float16(AGE), "bmi": np.ma.array(BMI, mask=False)},
    "structured": lambda _: structured(),
    "array": lambda _: np.column_stack([AGE, BMI]),
    "array of objects": lambda _: np.array([AGE, BMI], dtype=object).T,
}


@pytest.mark.parametrize("make", SOURCES.values(), ids=SOURCES.keys())
def test_one_source_is_as_good_as_another(tmp_path, make):
    assert_expected(read(make(tmp_path)))


@pytest.mark.parametrize(
    "kind",
    [
        pa.int8(),
        pa.uint64(),
        pa.int64(),
        pa.float16(),
        pa.float32(),
        pa.decimal128(22, 2),
    ],
)
def test_any_arrow_number_is_a_number(kind):
    table = read(pa.table({"age": pa.array([1, 2, 3]).cast(kind)}), ["age"])
    np.testing.assert_array_equal(table.columns["age"], [1.0, 2.0, 3.0], strict=True)
    encoded = read({"age": pa.array([1, 2, 3]).cast(kind).dictionary_encode()}, ["age"])
    np.testing.assert_array_equal(encoded.columns["age"], table.columns["age"], strict=True)


def test_the_source_is_not_touched_and_the_table_cannot_be():
    source = np.array([[-0.0, 1.0]])
    table = read(source)
    assert np.signbit(source[0, 0])
    with pytest.raises(ValueError, match="read-only"):
        table.columns["age"][0] = 1.0
    with pytest.raises(TypeError):
        table.columns["age"] = source[0]
    source[0, 1] = 5.0
    assert table.columns["bmi"][0] == 1.0


def test_the_repr_shows_no_value():
    assert repr(read(np.full((2, 2), 7.5))) == "Table('<table>', rows=2, columns=['age', 'bmi'])"


def test_a_matrix_has_the_columns_in_the_order_asked_for():
    table = read(np.array([[1.0, 2.0], [3.0, 4.0]]))
    np.testing.assert_array_equal(table.matrix(["bmi", "age"]), [[2.0, 1.0], [4.0, 3.0]], strict=True)
    assert table.matrix([]).shape == (2, 0)
    with pytest.raises(ValueError, match="has no column 'weight'"):
        table.matrix(["weight"])


def test_constant_columns(tmp_path):
    assert constant_columns(read(save(tmp_path, "age,bmi\n1,1\n1.0,2\n"))) == ["age"]
    assert constant_columns(read(save(tmp_path, "age,bmi\n1,1\n"))) == WANTED


def test_some_of_the_columns(tmp_path):
    path = save(tmp_path, "bmi,count\n1,2\n")
    assert list(read(path, ["age", "bmi", "count"], "some").columns) == ["bmi", "count"]
    line = csv_refusal(tmp_path, f"agee,x\n1,{CANARY}\n", ["age", "bmi"], "some")
    assert line == 'none of the study\'s columns is there: "age", "bmi"'


def test_a_column_that_is_not_declared_has_no_range(tmp_path):
    assert read(save(tmp_path, "free\n1e300\n"), ["free"]).columns["free"][0] == 1e300


def test_of_another_kind():
    for source in (None, 3, [[1.0]], io.StringIO(CSV)):
        with pytest.raises(TypeError, match="a table is a path"):
            read(source)


# Files


def test_files_that_are_none(tmp_path):
    assert refusal(tmp_path / "absent.csv") == f"absent.csv: no such file in {tmp_path}"
    (tmp_path / "folder.csv").mkdir()
    assert refusal(tmp_path / "folder.csv").startswith("folder.csv: is a folder or a device: name a file (.csv, ")
    assert refusal("/dev/null").startswith("null: is a folder or a device")
    assert refusal(save(tmp_path, CSV, "north.xlsx")).startswith("north.xlsx: unknown kind of file: ")
    assert refusal(tmp_path / "north.xlsx" / "x.csv").startswith("x.csv: ")
    (tmp_path / "loop.csv").symlink_to(tmp_path / "loop.csv")
    assert refusal(tmp_path / "loop.csv").startswith("loop.csv: ")


def test_a_file_that_cannot_be_read(tmp_path, monkeypatch):
    path = save(tmp_path, CSV)

    def denied(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(path), "open", denied)  # root may read anything, so modes do not show it
    assert refusal(path) == "north.csv: cannot be read: Permission denied"


@pytest.mark.parametrize("name", ["north.parquet", "north.arrow", "north.feather", "north.csv.gz"])
@pytest.mark.parametrize("content", [b"", CANARY.encode() * 9, b"PAR1" * 9, b"ARROW1\0\0" * 9, b"\x1f\x8b\x08\0\0"])
def test_damaged_files(tmp_path, name, content):
    assert refusal(save(tmp_path, content, name)).startswith(f"{name}: is ")


def test_truncated_files(tmp_path):
    for path in (parquet_file(tmp_path), feather_file(tmp_path), SOURCES["csv.gz"](tmp_path)):
        path.write_bytes(path.read_bytes()[:-9])
        assert refusal(path).startswith(f"{path.name}: is ")


# Names of columns


def test_names_that_are_wrong_elsewhere():
    assert refusal({"age": [1.0], "bim": [2.0]}) == '<table>: no column "bmi"; did you mean bim?'
    twice = pa.table([pa.array([1.0])] * 3, names=["age", "bmi", "age"])
    assert refusal(twice) == '<table>: columns 1 and 3 have the same name "age"'
    frame = pd.DataFrame([[1.0, 2.0, 3.0]], columns=["age", "bmi", "bmi"])
    assert refusal(frame) == '<table>: columns 2 and 3 have the same name "bmi"'
    assert refusal(pd.DataFrame([[1.0, 2.0]])).startswith('<table>: no column "age", "bmi"')


# Cells


class Opaque:
    """Neither number nor text; must not be asked how it looks."""

    def __repr__(self):
        return CANARY


BAD_COLUMNS = {
    "null": (lambda: pa.array([1.0, 2.0, None]), 3, EMPTY),
    "all null": (lambda: pa.nulls(3), 1, EMPTY),
    "arrow text": (lambda: pa.array(["1", "2", CANARY]), 1, TEXT),
    "arrow dictionary of text": (lambda: pa.array(["1", "2", CANARY]).dictionary_encode(), 1, TEXT),
    "arrow true and false": (lambda: pa.array([True, False, True]), 1, BOOLEAN),
    "arrow dates": (lambda: pa.array([dt.date(2020, 1, 1)] * 3), 1, OTHER),
    "arrow nan": (lambda: pa.array([1.0, float("nan"), 2.0]), 2, NAN),
    "arrow chunks": (lambda: pa.chunked_array([[1.0, 2.0], [float("inf")]]), 3, INFINITE),
    "arrow range": (lambda: pa.array([1, 2, 86753091]), 3, RANGE),
    "pandas missing": (lambda: pd.Series([1.0, np.nan, 2.0]), 2, EMPTY),
    "pandas NA": (lambda: pd.Series([1, None, 2], dtype="Int64"), 2, EMPTY),
    "pandas NA in objects": (lambda: pd.Series([1, 2, pd.NA], dtype=object), 3, EMPTY),
    "pandas text": (lambda: pd.Series(["1", "2", CANARY]), 1, TEXT),
    "pandas mixed": (lambda: pd.Series([1, 2, "x" + CANARY], dtype=object), 3, TEXT),
    "pandas opaque": (lambda: pd.Series([1, Opaque(), 2], dtype=object), 2, OTHER),
    "numpy nan": (lambda: np.array([1.0, 2.0, np.nan]), 3, NAN),
    "numpy infinity": (lambda: np.array([-np.inf, 2.0, np.nan]), 1, INFINITE),
    "numpy wide": (lambda: np.array([1, 2, np.longdouble("1e400")]), 3, INFINITE),
    "numpy text": (lambda: np.array(["1", "2", CANARY]), 1, TEXT),
    "numpy new text": (lambda: np.array(["1", "2", CANARY], dtype=np.dtypes.StringDType()), 1, TEXT),
    "numpy bytes": (lambda: np.array([b"1", b"2", CANARY.encode()]), 1, TEXT),
    "numpy true and false": (lambda: np.array([True, False, True]), 1, BOOLEAN),
    "numpy complex": (lambda: np.array([1j, 2, 3]), 1, OTHER),
    "numpy dates": (lambda: np.array(["2020-01-01"] * 3, dtype="M8[D]"), 1, OTHER),
    "numpy masked": (lambda: np.ma.array([1, 86753091, 3], mask=[False, True, False]), 2, EMPTY),
    "None in a list": (lambda: [1, None, 3], 2, EMPTY),
    "text in a list": (lambda: [1, 2, "x" + CANARY], 3, TEXT),
    "truth in objects": (lambda: np.array([1, True, 3], dtype=object), 2, BOOLEAN),
    "opaque in a list": (lambda: [1, 2, Opaque()], 3, OTHER),
    "a huge integer": (lambda: [1, 2, 10**400], 3, INFINITE),
    "lists in a list": (lambda: [1, [2], 3], 2, OTHER),
}


@pytest.mark.parametrize(("make", "row", "complaint"), BAD_COLUMNS.values(), ids=BAD_COLUMNS.keys())
def test_columns_that_are_no_numbers(make, row, complaint):
    line = refusal({"age": [1.0, 2.0, 3.0], "bmi": make()})
    assert line == f'<table>: row {row}, column "bmi": {complaint}'


def test_a_bad_cell_in_a_parquet_file(tmp_path):
    path = tmp_path / "north.parquet"
    pa.parquet.write_table(pa.table({"bmi": [1.0, None], "age": [1.0, 2.0]}), path)
    assert refusal(path) == f'north.parquet: row 2, column "bmi": {EMPTY}'


def test_shapes():
    assert refusal({"age": [1.0, 2.0], "bmi": [1.0]}) == '<table>: column "age" has 2 rows and column "bmi" has 1'
    assert refusal({"age": [], "bmi": []}) == "<table>: has no rows"
    assert refusal(arrow_table().slice(0, 0)) == "<table>: has no rows"
    assert refusal({"age": np.zeros((2, 2)), "bmi": [1.0, 2.0]}) == '<table>: column "age" has 2 axes, not one'
    for array in (np.zeros(3), np.zeros((3, 3)), np.zeros((3, 2, 1))):
        assert refusal(array).startswith("<table>: an array of shape (3")


# Laws

finite = st.floats(-1e7, 1e7, allow_nan=False).map(lambda x: x + 0.0)


@given(st.lists(finite, min_size=1, max_size=20))
def test_all_sources_agree(tmp_path_factory, values):
    arrow = pa.table({"bmi": values})
    path = tmp_path_factory.getbasetemp() / "law.parquet"
    pa.parquet.write_table(arrow, path)
    for source in (path, arrow, {"bmi": values}, pd.DataFrame({"bmi": values}), np.array(values)[:, None]):
        np.testing.assert_array_equal(read(source, ["bmi"]).columns["bmi"], values, strict=True)
