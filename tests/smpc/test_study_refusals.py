"""Studies without a result to trust: one line that says why, the same at every party, and no number."""

from __future__ import annotations

import numpy as np
import pytest

from smpc import study
from smpc.data import read_table
from smpc.errors import DataError, ManifestError, ModelError, ReleaseRefused
from tests.smpc.studies import NAMES, correlated, divided, fit, fit_data, manifest, ridge

CANARY = 8.675309
ILL = "no result: the features are ill-conditioned: one is nearly a combination of others"


def normal(rows, columns, seed=0):
    return np.random.default_rng(seed).normal(size=(rows, columns))


def refusal(call):
    """The error that all parties raised."""
    with pytest.raises(ExceptionGroup) as caught:
        call()
    errors = caught.value.exceptions
    assert len({str(error) for error in errors}) == 1
    assert {type(error) for error in errors} == {ModelError}
    return str(errors[0])


def model_error(x, y, **options):
    text = refusal(lambda: fit_data(x, y, **options))
    assert "8.675" not in text
    return text


def prepare(a_manifest, table):
    wanted = [*a_manifest.study.features, a_manifest.study.target]
    require = "some" if a_manifest.study.split == "columns" else "all"
    return study.prepare(a_manifest, read_table(table, a_manifest.columns, wanted, require=require))


def test_a_refusal():
    x = normal(50, 2)
    assert model_error(np.column_stack([x, x[:, 0]]), x[:, 1]) == ILL


# Ill-conditioned


@pytest.mark.parametrize(("split", "parties"), [("rows", 3), ("columns", 2)])
@pytest.mark.parametrize("features", [2, 5, 20])
@pytest.mark.parametrize("condition", [1e9, 1e12])
def test_condition_numbers_beyond_the_limit(condition, features, split, parties):
    x = correlated(400, features, condition)
    assert model_error(x, x.sum(axis=1) + normal(400, 1)[:, 0], split=split, parties=parties) == ILL


@pytest.mark.parametrize("split", ["rows", "columns"])
@pytest.mark.parametrize("weights", [[1.0, 0.0], [1.0, 1.0], [1e3, -1e-3], [-CANARY, 2.0]])
def test_a_feature_that_is_a_combination_of_others(weights, split):
    x = normal(100, 2)
    assert model_error(np.column_stack([x, x @ weights + 3]), normal(100, 1, 1)[:, 0], split=split) == ILL


def test_one_column_for_each_of_three_groups_and_an_intercept():
    groups = np.eye(3)[np.arange(90) % 3]
    assert model_error(groups, normal(90, 1)[:, 0], ranges=[(0.0, 1.0)] * 3 + [(-5.0, 5.0)]) == ILL


@pytest.mark.parametrize("condition", [10**5.2, 1e6, 1e7, 1e8])
def test_between_the_promise_and_the_limit_it_is_right_or_refused(condition):
    """Never a wrong number: what is not refused keeps the promise."""
    x = correlated(300, 4, condition, seed=1)
    y = x.sum(axis=1) + normal(300, 1)[:, 0]
    try:
        result = fit_data(x, y, parties=2).results[0]
    except ExceptionGroup:
        assert model_error(x, y, parties=2) == ILL
        return
    expected = ridge(x, y, 0)
    assert (np.abs(result.coefficients - expected.coefficients) / expected.errors).max() < 1e-3
    assert np.abs(result.standard_errors / expected.errors - 1).max() < 1e-3


def test_a_penalty_helps_what_is_ill_conditioned():
    x = normal(100, 2)
    x = np.column_stack([x, x[:, 0]])
    result = fit_data(x, normal(100, 1, 1)[:, 0], penalty=1.0).results[0]
    assert abs(result.coefficients[1] - result.coefficients[3]) < 1e-4 * result.standard_errors[1]


# Columns that do not vary


@pytest.mark.parametrize("column", [0, 1, 2])
@pytest.mark.parametrize("parties", [2, 3])
def test_a_column_that_is_constant_over_all_parties(column, parties):
    data = normal(60, 3)
    data[:, column] = CANARY
    name = ["x0", "x1", "y"][column]
    text = model_error(data[:, :2], data[:, 2], parties=parties, ranges=[(-10.0, 10.0)] * 3)
    assert text.startswith(f'no result: column "{name}" is constant, or its declared range is over a thousand times ')


def test_the_first_of_several_constant_columns_is_named():
    data = np.full((30, 3), CANARY)
    assert 'column "x0"' in model_error(data[:, :2], data[:, 2], ranges=[(-10.0, 10.0)] * 3)


def test_a_constant_column_is_seen_by_its_owner_alone_where_columns_are_split():
    data = normal(60, 3)
    data[:, 1] = CANARY
    a_manifest = manifest(["x0", "x1"], [(-10.0, 10.0)] * 3, 2, split="columns")
    first, second = divided(data, ["x0", "x1", "y"], 2, "columns")
    with pytest.raises(DataError, match=r'<table>: column "x1" is constant, or its declared range') as caught:
        prepare(a_manifest, first)
    assert "8.675" not in str(caught.value)
    assert prepare(a_manifest, second).names == ("y",)


@pytest.mark.parametrize("split", ["rows", "columns"])
def test_a_range_thousands_of_times_as_wide_as_the_data(split):
    data = np.clip(normal(60, 3), -2, 2)
    ranges = [(-3000.0, 3000.0), (-3.0, 3.0), (-3.0, 3.0)]
    if split == "columns":
        with pytest.raises(DataError, match='column "x0" is constant, or its declared range is over a thousand times'):
            fit_data(data[:, :2], data[:, 2], split=split, ranges=ranges, parties=2)
    else:
        assert 'column "x0" is constant, or its declared range' in model_error(data[:, :2], data[:, 2], ranges=ranges)


# Too few rows, too good a fit


@pytest.mark.parametrize(("split", "parties"), [("rows", 3), ("columns", 2)])
@pytest.mark.parametrize("rows", [3, 5, 6])
def test_more_columns_than_rows(rows, split, parties):
    data = normal(rows, 6)
    text = model_error(data[:, :5], data[:, 5], split=split, parties=parties, minimum_rows=1)
    assert text == f"{rows} rows are too few for 5 features and an intercept: at least 7 are needed"


@pytest.mark.parametrize("split", ["rows", "columns"])
def test_fewer_rows_than_the_study_allows(split):
    data = normal(29, 3)
    with pytest.raises(
        ReleaseRefused, match="<table> has fewer rows than the study's minimum_rows, which is 30"
    ) as caught:
        fit_data(data[:, :2], data[:, 2], parties=2, split=split, minimum_rows=30)
    assert "29" not in str(caught.value)


@pytest.mark.parametrize(("split", "parties"), [("rows", 3), ("columns", 2)])
@pytest.mark.parametrize("rest", [0.0, 1e-9, 1e-4])
def test_a_perfect_fit(rest, split, parties):
    x = normal(100, 3)
    y = x @ [1.0, CANARY, -2.0] + rest * normal(100, 1, 1)[:, 0]
    text = model_error(x, y, split=split, parties=parties)
    assert text == "no result: the features explain the target almost exactly: no standard errors can be given"


def test_the_target_among_the_features_by_another_name():
    x = normal(100, 2)
    assert "explain the target almost exactly" in model_error(x, x[:, 1])


# Ranges and penalties out of bounds


def test_an_origin_too_far_away():
    a_manifest = manifest(["year"], [(1e6, 1e6 + 100), (0.0, 1.0)], 2)
    with pytest.raises(ManifestError, match=r"\[columns.year\] range is more than 255 half-widths away from zero"):
        study.geometry(a_manifest)


def test_an_origin_too_many_standard_deviations_away():
    """In the direction in which the features hardly vary; each alone is within its 255 half-widths."""
    x = correlated(100, 2, 1e5)
    far = 1e5 * np.array([1.0, -np.sign(np.corrcoef(x.T)[0, 1])])
    y = x[:, 0] + normal(100, 1, 1)[:, 0]
    text = model_error(x + far, y, ranges=[*((float(c - 450), float(c + 450)) for c in far), (-9.0, 9.0)])
    assert text == "no result: the origin of the features is too many standard deviations away for an intercept"


def test_a_penalty_beyond_measure():
    data = normal(40, 2)
    for penalty in (1e-9, 1e7):
        text = model_error(data[:, :1], data[:, 1], penalty=penalty)
        assert text.startswith("[study] penalty must be between 2^-30 and 128 times the number of rows, which is 40")


# Columns that make no study


def columns_study(tables):
    names = ("a", "b")
    return fit(manifest(names, [(-9.0, 9.0)] * 3, 2, split="columns"), tables)


def data_error(tables):
    with pytest.raises(ExceptionGroup) as caught:
        columns_study(tables)
    assert {type(error) for error in caught.value.exceptions} == {DataError}
    (text,) = {str(error) for error in caught.value.exceptions}
    return text


def test_a_column_that_two_parties_have():
    a, b, y = normal(50, 3).T
    text = data_error([{"a": a, "b": b}, {"b": b, "y": y}])
    assert text == ('column "b" is in the files of north and south: with split = "columns" it belongs in exactly one')


def test_a_column_that_nobody_has():
    a, _, y = normal(50, 3).T
    text = data_error([{"a": a}, {"y": y}])
    assert text == 'column "b" is in no party\'s file: with split = "columns" it belongs in exactly one'


def test_different_numbers_of_rows():
    a, b, y = normal(50, 3).T
    text = data_error([{"a": a, "b": b}, {"y": y[:-1]}])
    assert text == (
        'south has 49 rows and north has 50: with split = "columns" every party has the same people in the same order'
    )


def test_a_party_without_any_column_of_the_study():
    a, b, y = normal(50, 3).T
    with pytest.raises(DataError, match="<table>"):
        columns_study([{"a": a, "b": b, "y": y}, {"other": y}])


def test_a_result_that_is_refused_is_refused_at_every_party():
    x = np.ones((50, 1))
    for parties in (2, 3, 5):
        with pytest.raises(ExceptionGroup) as caught:
            fit_data(x, normal(50, 1)[:, 0], parties=parties, ranges=[(0.0, 2.0), (-5.0, 5.0)], to=NAMES[:1])
        assert [type(error) for error in caught.value.exceptions] == [ModelError] * parties
