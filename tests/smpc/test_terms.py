"""Categories, products of columns and missing values: from a file to a fit."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import statsmodels.formula.api as formulas

from smpc import study
from smpc.config import parse_manifest
from smpc.data import read_table
from smpc.errors import DataError, ManifestError
from tests.smpc.studies import NAMES, fit

COLUMNS = """
[columns.sex]
type = "category"
levels = ["f", "m"]
[columns.ward]
type = "category"
levels = [1, 2, 3]
missing = "drop"
[columns.age]
range = [0, 100]
missing = 50.0
[columns.bmi]
range = [10, 60]
[columns.y]
range = [-100, 300]
"""


def manifest(features='"sex", "age"', *, split="rows", parties=2, columns=COLUMNS, model="linear"):
    text = (
        f'[study]\nname = "s"\nmodel = "{model}"\nsplit = "{split}"\ntarget = "y"\nfeatures = [{features}]\n{columns}'
    )
    text += '[security]\npreprocessing = "dealer"\n[release]\nto = ["north"]\nminimum_rows = 1\n'
    text += "".join(f'[[party]]\nname = "{name}"\n' for name in NAMES[:parties])
    text += '[[party]]\nname = "helper"\nrole = "dealer"\n'
    return parse_manifest(text.encode(), "study.toml", allow_incomplete=True)


def read(source, wanted):
    return read_table(source, manifest().columns, wanted, require="all").columns


def test_a_file(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("sex,ward,age\n m ,1,30\nf,,40\nf,3,\n")
    found = read(path, ["sex", "ward", "age"])
    assert {name: column.tolist() for name, column in found.items()} == {"sex": [1, 0], "ward": [0, 2], "age": [30, 50]}


WARDS = [
    [3, 1, 2],
    ["3", " 1", "2 "],
    np.array([3.0, 1.0, 2.0]),
    pd.Series(["3", "1", "2"], dtype="category"),
    pa.array(["3", "1", "2"]),
    pa.array([3, 1, 2], pa.int8()),
]


@pytest.mark.parametrize("ward", WARDS, ids=range(len(WARDS)))
def test_levels_however_they_come(ward):
    assert read({"ward": ward}, ["ward"])["ward"].tolist() == [2, 0, 1]


GAPS = [
    [30.0, None, 40.0],
    np.array([30.0, np.nan, 40.0]),
    np.ma.array([30.0, 1.0, 40.0], mask=[0, 1, 0]),
    pd.Series([30, None, 40], dtype="Int64"),
    pa.array([30.0, None, 40.0]),
]


@pytest.mark.parametrize("age", GAPS, ids=range(len(GAPS)))
def test_gaps_however_they_come(age):
    assert read({"age": age}, ["age"])["age"].tolist() == [30, 50, 40]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("sex,age\nf,1\nx,2\n", 'line 3, column "sex": none of the declared levels'),
        ("sex,age\nf,1\n,2\n", 'line 3, column "sex": none of the declared levels'),
        ("sex,age\nf,1\nf,old\n", 'line 3, column "age": text where a number belongs'),
        ("sex,age\nf,\nf,101\n", 'line 3, column "age": outside the declared range'),
        ("sex,bmi\nf,20\nf,\n", 'line 3, column "bmi": empty where a number belongs'),
    ],
)
def test_cells_that_cannot_be(tmp_path, text, complaint):
    path = tmp_path / "a.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=complaint):
        read(path, text.split("\n", 1)[0].split(","))


def test_a_file_of_gaps_alone(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("ward,age\n,\n,\n")
    assert read(path, ["ward", "age"])["age"].tolist() == []


def people(rows=240, seed=0):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({
        "sex": rng.choice(["f", "m"], rows), "ward": rng.integers(1, 4, rows), "age": rng.uniform(20, 80, rows),
        "bmi": rng.uniform(15, 50, rows),
    })  # fmt: skip
    male = (frame.sex == "m").to_numpy(float)
    frame["y"] = 3 * male + 0.5 * frame.age + 0.02 * frame.age * frame.bmi * male + rng.normal(size=rows)
    frame["y"] += 2.0 * (frame.ward == 3)
    return frame


FORMULA = "y ~ C(sex) + C(ward) + age + bmi + C(sex):bmi + age:bmi"
FEATURES = '"sex", "ward", "age", "bmi", "sex:bmi", "age:bmi"'
NAMED = ("sex[m]", "ward[2]", "ward[3]", "age", "bmi", "sex[m]:bmi", "age:bmi")


def expected(frame):
    fitted = formulas.ols("y ~ C(sex) + C(ward) + age + bmi + C(sex):bmi + age:bmi", frame).fit()
    order = ["Intercept", "C(sex)[T.m]", "C(ward)[T.2]", "C(ward)[T.3]", "age", "bmi", "C(sex)[T.m]:bmi", "age:bmi"]
    return fitted.params[order].to_numpy(), fitted.bse[order].to_numpy()


@pytest.mark.parametrize("split", ["rows", "columns"])
def test_a_fit(split):
    frame = people()
    columns = COLUMNS.replace('"drop"', '"refuse"') if split == "columns" else COLUMNS
    parts = [frame[:100], frame[100:]] if split == "rows" else [frame[["sex", "age", "bmi"]], frame[["ward", "y"]]]
    run = fit(manifest(FEATURES, split=split, columns=columns), parts)
    coefficients, errors = expected(frame)
    assert run.results[0].names == ("intercept", *NAMED)
    assert np.abs((run.results[0].coefficients - coefficients) / errors).max() < 1e-3
    np.testing.assert_allclose(run.results[0].standard_errors, errors, rtol=1e-3)


def test_a_logistic_fit():
    frame = people()
    noisy = frame.y + 10 * np.random.default_rng(1).normal(size=len(frame))
    frame["y"] = (noisy > noisy.median()).astype(int)
    columns = COLUMNS.replace("[-100, 300]", '[0, 1]\ntype = "integer"')
    run = fit(manifest('"sex", "age", "sex:age"', columns=columns, model="logistic"), [frame[:100], frame[100:]])
    fitted = formulas.logit("y ~ C(sex) + age + C(sex):age", frame).fit(disp=0)
    found, order = run.results[0], ["Intercept", "C(sex)[T.m]", "age", "C(sex)[T.m]:age"]
    assert np.abs((found.coefficients - fitted.params[order]) / fitted.bse[order]).max() < 0.01


def test_factors_of_two_parties():
    frame = people()
    split = manifest('"sex", "age", "sex:age"', split="columns", columns=COLUMNS.replace('"drop"', '"refuse"'))
    table = read_table(frame[["sex", "y"]], split.columns, split.wanted, require="some")
    with pytest.raises(DataError, match="they belong together"):
        study.prepare(split, table)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('levels = ["f", "m"]', 'levels = ["f"]', r"\[columns.sex\] levels must be a list of at least two"),
        ('levels = ["f", "m"]', 'levels = ["f", "f"]', 'levels has "f" twice'),
        ('levels = ["f", "m"]', "range = [0, 1]", 'levels belong to type = "category"'),
        ('levels = ["f", "m"]', 'levels = ["f", "m"]\nrange = [0, 1]', "a category has levels instead"),
        ('levels = ["f", "m"]', 'levels = ["f", "m"]\nmissing = 0', 'missing of a category is "refuse" or "drop"'),
        ("missing = 50.0", "missing = 500.0", "the number is not within the range"),
        ("missing = 50.0", 'missing = "mean"', 'missing must be "refuse", "drop" or a number'),
    ],
)
def test_columns_that_cannot_be(old, new, message):
    with pytest.raises(ManifestError, match=message):
        manifest(columns=COLUMNS.replace(old, new, 1))


def test_features_that_cannot_be():
    with pytest.raises(ManifestError, match="column 'height' has no declared range"):
        manifest('"age:height"')
    with pytest.raises(ManifestError, match='features has "age:bmi" twice'):
        manifest('"age:bmi", "age:bmi"')
    with pytest.raises(ManifestError, match='missing = "drop" is for rows split'):
        manifest('"ward"', split="columns")


def test_levels_of_a_file_are_text(tmp_path):
    columns = COLUMNS.replace('levels = ["f", "m"]', 'levels = ["low", "1", "01", "1.5", "NaN", "2"]\nmissing = "drop"')
    path = tmp_path / "a.csv"
    path.write_text('sex,age\n1,5\n01,5\n"",5\n1.5,5\nNaN,5\n2.0,5\n')
    declared = manifest(columns=columns).columns
    assert read_table(path, declared, ["sex"], require="all").columns["sex"].tolist() == [1, 2, 3, 4, 5]
    numbers = {"sex": pa.array([2.0, None, np.nan])}
    assert read_table(numbers, declared, ["sex"], require="all").columns["sex"].tolist() == [5]
    with pytest.raises(DataError, match="none of the declared levels"):  # 1 or 01
        read_table({"sex": [1]}, declared, ["sex"], require="all")
    with pytest.raises(DataError, match="none of the declared levels"):  # not the first level that is no number
        read({"ward": pa.array([1.0, float("inf")])}, ["ward"])


SEXES = [
    pd.Series(["m", None, "f"], dtype="category"),
    pa.array(["m", None, " f"]).dictionary_encode(),
    pa.array(["m", " ", "f"], pa.string_view()),
    np.ma.array(["m", "x", "f"], mask=[0, 1, 0]),
]


@pytest.mark.parametrize("sex", SEXES, ids=range(len(SEXES)))
def test_gaps_in_categories(sex):
    declared = manifest(columns=COLUMNS.replace('"m"]', '"m"]\nmissing = "drop"')).columns
    assert read_table({"sex": sex}, declared, ["sex"], require="all").columns["sex"].tolist() == [1, 0]


ODD = [
    [b"f"],
    ["f", 1],
    [[1]],
    np.array([1j]),
    np.array(["2020-01-01"], "M8[D]"),
    [10**30],
    pa.array([{"a": 1}]),
    pd.Series([pd.Timestamp("2020")]),
]


@pytest.mark.parametrize("missing", ["refuse", "drop"])
@pytest.mark.parametrize("cells", ODD, ids=range(len(ODD)))
def test_cells_that_are_no_category(cells, missing):
    declared = manifest(columns=COLUMNS.replace('"m"]', f'"m"]\nmissing = "{missing}"')).columns
    with pytest.raises(DataError, match="none of the declared levels"):
        read_table({"sex": cells}, declared, ["sex"], require="all")


NUMBERS = [
    pd.Series([0.3, None], dtype="category"),
    pa.array([Decimal("0.3"), None]),
    [Fraction(3, 10), None],
    np.array([0.3, np.nan], ">f8"),
    np.ma.array([0.3, 1.0], mask=[0, 1]),
    pd.Series(pd.arrays.SparseArray([0.3, np.nan])),
    [0.3, ""],
]


@pytest.mark.parametrize("missing", ['"drop"', "0.5"])
@pytest.mark.parametrize("cells", NUMBERS, ids=range(len(NUMBERS)))
def test_gaps_in_a_narrow_range(cells, missing):
    declared = manifest(columns=COLUMNS.replace("[0, 100]\nmissing = 50.0", f"[0.2, 0.5]\nmissing = {missing}")).columns
    found = read_table({"age": cells}, declared, ["age"], require="all").columns["age"].tolist()
    assert found == ([0.3] if missing == '"drop"' else [0.3, 0.5])


def test_nan_in_a_file_is_a_gap_whatever_is_beside_it(tmp_path):
    path = tmp_path / "a.csv"
    for rest in ("", ",20\n"):
        path.write_text("age,bmi\nnan,20\n30,20\n" + rest)
        assert read(path, ["age", "bmi"])["age"].tolist() == [50, 30, *[50] * bool(rest)]


def test_terms_and_columns_of_one_name():
    other = COLUMNS + '[columns."sex[m]"]\nrange = [0, 3]\n'
    with pytest.raises(ManifestError, match=r"column 'sex\[m\]' has the name of a term"):
        manifest('"sex"]\nweights = "sex[m]"  #', columns=other, model="poisson")
    with pytest.raises(ManifestError, match="make the term 'age:y' of the target"):
        manifest('"age:y"')


@pytest.mark.parametrize(("bounds", "word"), [("[0, 1e200]", "wide"), ("[-1e-200, 1e-200]", "narrow")])
def test_products_beyond_what_there_is(bounds, word):
    wide = manifest('"age:age"', columns=COLUMNS.replace("[0, 100]\nmissing = 50.0", bounds))
    with pytest.raises(ManifestError, match=f"range of age:age is too {word}"):
        study.geometry(wide)


def test_a_fraction_for_whole_numbers():
    with pytest.raises(ManifestError, match=r"\[columns.bmi\] range: there is no whole number within it"):
        manifest(columns=COLUMNS.replace("range = [10, 60]", 'type = "integer"\nrange = [0.6, 0.9]'))
    with pytest.raises(ManifestError, match="a fraction in a column of whole numbers"):
        manifest(columns=COLUMNS.replace("missing = 50.0", 'missing = 50.5\ntype = "integer"'))


@pytest.mark.parametrize("scale", [0, 2, 5, 9, 15])
def test_whole_numbers_as_decimals(scale):
    declared = manifest(columns=COLUMNS.replace("range = [0, 100]", 'type = "integer"\nrange = [0, 100]')).columns
    whole = pa.array([Decimal(number) for number in range(101)]).cast(pa.decimal128(30, scale))
    assert read_table({"age": whole}, declared, ["age"], require="all").columns["age"].tolist() == list(range(101))
