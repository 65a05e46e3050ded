"""Every example runs as it says in its first lines, and its numbers are NumPy's."""

import csv
import importlib.util
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm
from numpy.typing import NDArray
from scipy.stats import chi2_contingency, ttest_ind
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score
from sklearn.preprocessing import StandardScaler
from statsmodels.datasets import heart
from statsmodels.duration.survfunc import SurvfuncRight, survdiff

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"
PARTIES = {
    "01_sum": 3,
    "02_product": 2,
    "03_average_salary": 3,
    "04_least_squares": 2,
    "07_gradient_descent": 2,
    "08_statistics": 3,
    "12_logistic_descent": 2,
    "14_regressions": 2,
}


FAMILIES = {
    "logistic": sm.families.Binomial(),
    "poisson": sm.families.Poisson(),
    "gamma": sm.families.Gamma(sm.families.links.Log()),
}


def run(*arguments: str | Path) -> str:
    """What `python ...` prints, in the folder that a clone has."""
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env={"PYTHONPATH": "."}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def total(example: ModuleType) -> Any:
    return sum(example.own_number(rank) for rank in range(3))


def product(example: ModuleType) -> Any:
    return example.needs() @ example.prices()


def averages(example: ModuleType) -> Any:
    pay, group = (np.concatenate(part) for part in zip(*map(example.own_staff, range(3)), strict=True))
    return [pay[group == 0].mean(), pay[group == 1].mean()]


def least_squares(example: ModuleType) -> Any:
    return np.linalg.lstsq(example.measurements(), example.outcome())[0]


def statistics(example: ModuleType) -> Any:
    sex, bmi, worse = (np.concatenate([example.own_patients(r)[name] for r in range(3)]) for name in example.BOUNDS)
    counts = np.array([[np.sum((sex == s) & (worse == w)) for w in (0, 1)] for s in (0, 1)])
    test = ttest_ind(bmi[sex == 1], bmi[sex == 0], equal_var=False)
    difference = bmi[sex == 1].mean() - bmi[sex == 0].mean()
    p_value = chi2_contingency(counts, correction=False).pvalue
    return [*counts.ravel(), p_value, difference, difference / test.statistic, test.pvalue]


def regressions(example: ModuleType) -> Any:
    found: list[float] = []
    for name, family in FAMILIES.items():
        x, y = example.table(name)
        fit = sm.GLM(y, sm.add_constant(x), family=family).fit(tol=1e-12, maxiter=100)
        told = fit.fittedvalues
        score = np.mean((told > 0.5) == y) if name == "logistic" else r2_score(y, told)
        found += [*fit.params, *fit.bse, score]
    return found


# The right answer, and how far from it rounding may lead: reals have 20 fraction bits.
Expected = tuple[Callable[[ModuleType], Any], float]
EXPECTED: dict[str, Expected] = {
    "01_sum": (total, 0),
    "02_product": (product, 239 * 2.0**-21 + 2.0**-20),  # 239 items at a rounded price, one truncation
    "03_average_salary": (averages, 1e-6),
    "04_least_squares": (least_squares, 2.0**-16 * 1.6),  # the error that solve states, of the largest weight
    "07_gradient_descent": (lambda example: example.in_the_clear(), 2.0**-11),  # features have 12 fraction bits
    "08_statistics": (statistics, 1e-6),
    "12_logistic_descent": (lambda example: example.in_the_clear(), 2.0**-7),  # the series, step by step; two rows
    "14_regressions": (regressions, 1e-3),
}
PRINTED = {  # to how many digits, where these are fewer than NumPy's
    "03_average_salary": 0.005,
    "04_least_squares": 5e-6,
    "07_gradient_descent": 5e-4,
    "08_statistics": 5e-5,
    "12_logistic_descent": 5e-4,
}


def test_every_program_is_here():
    assert {path.stem for path in EXAMPLES.glob("*.py")} == set(PARTIES) == set(EXPECTED)
    assert all(len(path.read_text().splitlines()) <= 60 for path in EXAMPLES.glob("*.py"))


@pytest.mark.parametrize("name", PARTIES)
def test_a_program_by_itself(name: str):
    printed = [float(number) for number in re.findall(r"-?\d+(?:\.\d*)?", run(EXAMPLES / f"{name}.py"))]
    answer, error = EXPECTED[name]
    expected = np.ravel(answer(load(name)))
    if name == "01_sum":
        expected = np.repeat(expected, 3)  # it prints what each party learnt
    np.testing.assert_allclose(printed, expected, rtol=0, atol=error + PRINTED.get(name, 5e-9))


@pytest.mark.parametrize("name", PARTIES)
def test_a_program_as_processes(name: str):
    command = ["-m", "smpc", "local", EXAMPLES / f"{name}.py", "--parties", str(PARTIES[name]), "--json"]
    answers = json.loads(run(*command))
    answer, error = EXPECTED[name]
    expected = answer(load(name))
    assert len(answers) == PARTIES[name]
    for party in answers.values():
        np.testing.assert_allclose(party["returned"], expected, rtol=0, atol=error)


# Studies


def diabetes() -> tuple[list[str], NDArray[np.float64], NDArray[np.float64]]:
    data = load_diabetes(scaled=False)
    return data.feature_names, data.data, data.target


def table(path: Path) -> dict[str, NDArray[np.float64]]:
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}


def numbers(result: dict[str, Any], key: str) -> NDArray[np.float64]:
    return np.array([result[key][name] for name in ("intercept", *diabetes()[0])])


def study(name: str, out: Path) -> dict[str, dict[str, Any]]:
    """result.json of every receiver."""
    run("-m", "smpc", "local", EXAMPLES / name / "study.toml", "--out", out)
    return {path.parent.name: json.loads(path.read_text()) for path in out.glob("*/result.json")}


def test_the_files_of_three_hospitals_are_the_diabetes_data():
    names, features, target = diabetes()
    for start, hospital in enumerate(("north", "south", "east")):
        own = table(EXAMPLES / "05_three_hospitals" / f"{hospital}.csv")
        np.testing.assert_array_equal(np.column_stack([own[name] for name in names]), features[start::3])
        np.testing.assert_array_equal(own["progression"], target[start::3])


def test_the_files_of_two_registries_are_the_diabetes_data():
    names, features, target = diabetes()
    clinic, laboratory = (table(EXAMPLES / "06_two_registries" / f"{name}.csv") for name in ("clinic", "laboratory"))
    assert not set(clinic) & set(laboratory)
    both = clinic | laboratory
    np.testing.assert_array_equal(np.column_stack([both[name] for name in names]), features)
    np.testing.assert_array_equal(both["progression"], target)


def test_three_hospitals(tmp_path: Path):
    results = study("05_three_hospitals", tmp_path)
    assert set(results) == {"north", "south", "east"}
    _, features, target = diabetes()
    x = np.column_stack([np.ones(len(target)), features])
    inverse = np.linalg.inv(x.T @ x)
    coefficients = np.linalg.lstsq(x, target)[0]
    residuals = target - x @ coefficients
    errors = np.sqrt(residuals @ residuals / (len(x) - x.shape[1]) * np.diag(inverse))
    for result in results.values():
        assert result["rows"] == len(target)
        assert np.abs((numbers(result, "coefficients") - coefficients) / errors).max() < 1e-3
        np.testing.assert_allclose(numbers(result, "standard_errors"), errors, rtol=1e-3)
    rounds = results["north"]["cost"]["rounds"]
    assert f"{rounds} rounds for ten features" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_two_registries(tmp_path: Path):
    results = study("06_two_registries", tmp_path)
    assert set(results) == {"clinic"}
    _, features, target = diabetes()
    scaler = StandardScaler().fit(features)
    fitted = Ridge(alpha=10).fit(scaler.transform(features), target)
    slopes = fitted.coef_ / scaler.scale_
    coefficients = np.array([fitted.intercept_ - slopes @ scaler.mean_, *slopes])
    errors = numbers(results["clinic"], "standard_errors")
    assert np.abs((numbers(results["clinic"], "coefficients") - coefficients) / errors).max() < 1e-3
    np.testing.assert_allclose(errors[1:], ridge_errors(features, target, 10.0), rtol=1e-3)


SCORED = {
    "09_tumours": ("logistic", ("north", "south", "east"), "benign"),
    "10_doctor_visits": ("poisson", ("insurer", "clinic"), "visits"),
    "11_progression": ("gamma", ("north", "south"), "progression"),
}


@pytest.mark.parametrize("name", SCORED)
def test_generalized_linear_models(name: str, tmp_path: Path):
    """Against statsmodels on the files put together."""
    model, parties, target = SCORED[name]
    tables = [table(EXAMPLES / name / f"{party}.csv") for party in parties]
    split = set(tables[0]) == set(tables[1])
    whole = {one: np.concatenate([part[one] for part in tables]) for one in tables[0]} if split else {}
    whole = whole or {one: column for part in tables for one, column in part.items()}
    for result in study(name, tmp_path).values():
        x = np.column_stack([whole[one] for one in result["features"]])
        fitted = sm.GLM(whole[target], sm.add_constant(x), family=FAMILIES[model]).fit(tol=1e-12, maxiter=100)
        names = ("intercept", *result["features"])
        found, errors = (np.array([result[key][one] for one in names]) for key in ("coefficients", "standard_errors"))
        assert np.abs((found - fitted.params) / fitted.bse).max() < 0.01
        np.testing.assert_allclose(errors, fitted.bse, rtol=0.01)
        np.testing.assert_allclose([result["deviance"], result["aic"]], [fitted.deviance, fitted.aic], rtol=1e-4)


def ridge_errors(features: NDArray[np.float64], target: NDArray[np.float64], penalty: float) -> NDArray[np.float64]:
    """The formulas of docs/linear-model.md."""
    n, d = features.shape
    scale = features.std(axis=0)
    z = (features - features.mean(axis=0)) / scale
    y = target - target.mean()
    r = z.T @ z / n
    inverse = np.linalg.inv(r + penalty / n * np.eye(d))
    residuals = y - z @ inverse @ z.T @ y / n
    freedom = n - 1 - np.trace(inverse @ r)
    variance = residuals @ residuals / freedom
    return np.sqrt(variance / n * np.diag(inverse @ r @ inverse)) / scale  # type: ignore[no-any-return]


def test_table_one(tmp_path: Path):
    results = study("13_table_one", tmp_path)
    assert set(results) == {"north", "south", "east"}
    tables = [(EXAMPLES / "13_table_one" / f"{name}.csv").read_text().splitlines()[1:] for name in results]
    rows = [line.split(",") for lines in tables for line in lines]
    ages = np.array([float(row[1]) for row in rows])
    for result in results.values():
        numbers = result["results"]["numbers"]["age"]
        assert numbers["count"] == len(rows) == 442
        np.testing.assert_allclose([numbers["mean"], numbers["std"]], [ages.mean(), ages.std(ddof=1)], rtol=1e-6)
        assert result["results"]["sex"] == {sex: sum(row[0] == sex for row in rows) for sex in ("female", "male")}
    assert (tmp_path / "north" / "report.html").stat().st_size > 2000


def test_transplants(tmp_path: Path):
    results = study("15_transplants", tmp_path)
    assert set(results) == {"north", "south"}
    lines = [line for name in results for line in (EXAMPLES / "15_transplants" / f"{name}.csv").read_text().split()[1:]]
    days, died, age = (np.array(column) for column in zip(*(line.split(",") for line in lines), strict=True))
    patients = heart.load_pandas().data
    assert sorted(days.astype(int)) == sorted(patients.survival)
    assert sorted(age) == sorted(np.where(patients.age < 45, "younger", "older"))
    curves = results["north"]["results"]["survival by age"]
    grid = np.array(curves["times"])
    binned = np.append(grid, 2000.0)[np.searchsorted(grid, days.astype(float))]
    for group, curve in curves["groups"].items():
        exact = SurvfuncRight(binned[age == group], died[age == group].astype(int))
        steps = np.append(1.0, exact.surv_prob)[np.searchsorted(exact.surv_times, grid, side="right")]
        told = np.array(curve["survival"], float)  # nan where nothing is told
        assert np.sum(~np.isnan(told)) >= 6
        assert np.nanmax(np.abs(told - steps)) < 3 / np.sum(age == group)  # counts are rounded to multiples of three
    run("-m", "smpc", "local", EXAMPLES / "15_transplants" / "test.toml", "--out", tmp_path / "test")
    test = json.loads((tmp_path / "test" / "north" / "result.json").read_text())["results"]["survival by age"]
    statistic, p_value = survdiff(binned, died.astype(int), age)
    np.testing.assert_allclose([test["statistic"], test["p_value"]], [statistic, p_value], atol=1e-5)
