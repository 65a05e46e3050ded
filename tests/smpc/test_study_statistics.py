"""Studies with statistics, which a manifest names: beside NumPy, SciPy and statsmodels."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats as theirs
from sklearn.datasets import load_diabetes
from statsmodels.duration.survfunc import survdiff

from protocols import local
from smpc import plan
from smpc.checks import CHECKS
from smpc.config import parse_manifest
from smpc.data import read_table
from smpc.errors import ManifestError, ModelError
from smpc.ledger import Ledger
from smpc.party import Party
from smpc.release import Gate
from smpc.study_statistics import program
from tests.smpc.studies import NAMES

COLUMNS = """
[columns.age]
range = [0, 120]
[columns.bmi]
range = [10, 60]
[columns.sex]
type = "category"
levels = ["f", "m"]
[columns.ward]
type = "category"
levels = ["a", "b", "c", "d"]
[columns.months]
range = [0, 60]
[columns.died]
type = "integer"
range = [0, 1]
"""


def manifest(study, parties=3, columns=COLUMNS, to=("north",), cell=5):
    text = f'[study]\nname = "s"\n{study}\n{columns}[security]\npreprocessing = "dealer"\n'
    text += f"[release]\nto = {list(to)}\nminimum_rows = 1\nminimum_cell = {cell}\n".replace("'", '"')
    text += "".join(f'[[party]]\nname = "{name}"\n' for name in NAMES[:parties])
    text += '[[party]]\nname = "helper"\nrole = "dealer"\n'
    return parse_manifest(text.encode(), "study.toml", allow_incomplete=True)


def people(rows=200):
    data, rng = load_diabetes(scaled=False).data[:rows], np.random.default_rng(0)
    return pd.DataFrame({
        "age": data[:, 0], "bmi": data[:, 2], "sex": np.where(data[:, 1] == 1, "f", "m"),
        "ward": np.array(["a", "b", "c", "d"])[np.minimum(rng.geometric(0.5, rows) - 1, 3)],
        "months": np.ceil(rng.exponential(20, rows)).clip(1, 60), "died": rng.integers(0, 2, rows),
    })  # fmt: skip


def results(a_manifest, frame):
    """What each party has, of rows dealt out to all."""
    names = tuple(party.name for party in a_manifest.owners)
    tables = [
        read_table(frame[rank :: len(names)], a_manifest.columns, a_manifest.wanted, require="all")
        for rank in range(len(names))
    ]

    def run(protocol):
        gate = Gate(protocol, names, a_manifest.release.to, Ledger("s", ""), frozenset(CHECKS))
        return program(a_manifest)(Party(protocol, gate, data=tables[protocol.rank], columns=a_manifest.columns))

    return local.run_all(local.parties(len(names)), run)


@pytest.mark.parametrize("parties", [2, 3, 5])
def test_a_summary(parties):
    frame = people()
    run = results(manifest('model = "summary"\nfeatures = ["age", "bmi", "sex", "ward"]', parties), frame)
    assert run[1:] == [None] * (parties - 1)
    found = run[0].to_dict()
    wanted = frame[["age", "bmi"]].describe()
    for name in ("age", "bmi"):
        numbers = found["numbers"][name]
        assert "min" not in numbers
        np.testing.assert_allclose(list(numbers.values()), wanted[name].drop(["min", "max"]), rtol=1e-5)
    np.testing.assert_allclose(found["correlations"]["correlation"], frame[["age", "bmi"]].corr(), atol=1e-5)
    assert found["sex"] == frame.sex.value_counts().to_dict()
    assert "25%" in str(run[0])


def test_small_cells_are_hidden():
    frame = people(60)
    frame.loc[frame.ward == "d", "ward"] = "a"
    frame.loc[:1, "ward"] = "d"
    found = results(manifest('model = "summary"\nfeatures = ["ward"]'), frame)[0]
    assert found.to_dict()["ward"]["d"] is None
    assert list(found.to_dict()["ward"].values()).count(None) >= 2
    assert "d" in str(found)


def test_a_table_of_two_categories():
    frame = people()
    found = results(manifest('model = "crosstab"\nfeatures = ["sex", "ward"]', cell=1), frame)[0]
    counts = pd.crosstab(frame.sex, frame.ward)
    (table,) = found.parts.values()
    np.testing.assert_array_equal(table.counts, counts)
    assert table.test.p_value == pytest.approx(theirs.chi2_contingency(counts, correction=False).pvalue, abs=1e-5)


def test_two_groups_compared():
    frame = people()
    found = results(manifest('model = "compare"\ntarget = "bmi"\nfeatures = ["sex"]'), frame)[0]
    ((name, test),) = found.parts.items()
    assert name == "bmi, sex m less f"
    wanted = theirs.ttest_ind(*(group.bmi for _, group in frame.groupby("sex")), equal_var=False)
    assert test.statistic == pytest.approx(-wanted.statistic, rel=1e-4)  # of f less m
    assert test.p_value == pytest.approx(wanted.pvalue, abs=1e-5)


def test_survival_of_groups():
    study = 'model = "survival"\ntime = "months"\ntarget = "died"\nfeatures = ["sex"]\ngrid = [6, 12, 24, 36, 60]'
    found = results(manifest(study), people())[0]
    (curve,) = found.parts.values()  # and no test: both together would tell small counts
    assert curve.survival.shape == (2, 5)
    alone = results(manifest(study.replace('features = ["sex"]\n', "")), people())[0]
    assert list(alone.parts) == ["survival"]


def test_survival_of_groups_compared():
    frame, grid = people(), [6, 12, 24, 36, 60]
    study = f'model = "logrank"\ntime = "months"\ntarget = "died"\nfeatures = ["sex"]\ngrid = {grid}'
    (test,) = results(manifest(study), frame)[0].parts.values()
    binned = np.array(grid)[np.searchsorted(grid, frame.months)]
    wanted, p_value = survdiff(binned, frame.died, frame.sex)
    assert test.statistic == pytest.approx(wanted, abs=1e-4)
    assert test.p_value == pytest.approx(p_value, abs=1e-4)


def test_too_few_people():
    with pytest.raises(BaseExceptionGroup) as caught:
        results(manifest('model = "compare"\ntarget = "bmi"\nfeatures = ["sex"]'), people(6))
    assert {type(error) for error in caught.value.exceptions} == {ModelError}


@pytest.mark.parametrize(
    ("study", "message"),
    [
        ('model = "summary"', "lacks the key features"),
        ('model = "summary"\nfeatures = ["age"]\nsplit = "columns"', 'is for split = "rows"'),
        ('model = "summary"\nfeatures = ["age"]\ntarget = "bmi"', "target is not for"),
        ('model = "crosstab"\nfeatures = ["sex"]', "has 2 features"),
        ('model = "crosstab"\nfeatures = ["sex", "age"]', "'age' must be a category"),
        ('model = "compare"\ntarget = "age"\nfeatures = ["ward"]', "must have two levels"),
        ('model = "survival"\ntime = "age"\ntarget = "bmi"\ngrid = [1]', r"range = \[0, 1\]: 1 is an event"),
        ('model = "survival"\ntime = "age"\ntarget = "died"\ngrid = [2, 1]', "ascending numbers"),
        ('model = "linear"\nsplit = "rows"\nfeatures = ["age"]\ntarget = "bmi"\ngrid = [1]', "grid is for"),
    ],
)
def test_studies_that_cannot_be(study, message):
    with pytest.raises(ManifestError, match=message):
        manifest(study)


def test_levels_have_their_names():
    frame = people()
    frame["sex"] = np.where(frame.sex == "f", 2, 1)
    columns = COLUMNS.replace('["f", "m"]', "[1, 2]") + '[columns.numbers]\ntype = "category"\nlevels = ["x", "y"]\n'
    for study, groups in (
        ('model = "crosstab"\nfeatures = ["sex", "ward"]', lambda found: found["rows"]),
        (
            'model = "survival"\ntime = "months"\ntarget = "died"\nfeatures = ["sex"]\ngrid = [12, 60]',
            lambda found: list(map(int, found["groups"])),
        ),
        ('model = "summary"\nfeatures = ["sex", "age"]', lambda _: [1, 2]),
    ):
        found = results(manifest(study, columns=columns), frame)[0]
        first = next(iter(found.to_dict().values()))
        assert groups(first) == [1, 2]
    assert found.to_dict()["sex"] == {"1": (frame.sex == 1).sum(), "2": (frame.sex == 2).sum()}
    with pytest.raises(ManifestError, match="'numbers' is what results call a part"):
        manifest('model = "summary"\nfeatures = ["numbers"]', columns=columns)


def test_a_range_beyond_what_is_shared():
    with pytest.raises(ManifestError, match=r"\[columns.age\] range must be within ± 2\^41"):
        manifest('model = "summary"\nfeatures = ["age"]', columns="[columns.age]\nrange = [0, 1e18]\n")


@pytest.mark.parametrize("cell", [1, 5, 12])
@pytest.mark.parametrize(
    "study",
    [
        'model = "summary"\nfeatures = ["age", "sex"]',
        'model = "compare"\ntarget = "age"\nfeatures = ["sex"]',
        'model = "survival"\ntime = "months"\ntarget = "died"\nfeatures = ["sex"]\ngrid = [12, 60]',
    ],
)
def test_a_plan_of_as_few_rows_as_there_may_be(study, cell):
    columns = COLUMNS.replace("[0, 60]", '[0.9, 1.05]\ntype = "integer"')
    planned = manifest(study, columns=columns, cell=cell)
    assert plan.of_program(planned, program(planned), plan.least_rows(planned)).correlations
