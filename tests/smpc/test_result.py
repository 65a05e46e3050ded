"""What is computed from released numbers, against statsmodels; and result.json."""

from __future__ import annotations

import json

import numpy as np
import pytest

from smpc import sample
from smpc.result import LinearResult, to_fields
from tests.smpc.results import COST, SUBSETS, fitted, released, ridge

ENTRIES = [{"what": "rows", "shape": [1], "to": ["north"]}]


def test_a_result():
    result = fitted()
    fields = json.loads(json.dumps(to_fields(result, COST, ENTRIES), allow_nan=False))
    assert fields["coefficients"]["bmi"] == result.coefficients[3]
    assert fields["p_values"]["age"] == pytest.approx(0.867, abs=0.0005)
    assert fields["rows"] == 442


# Against statsmodels


@pytest.fixture(scope="module")
def reference():
    import statsmodels.api as sm

    table = sample.diabetes()
    return sm.OLS(table[:, -1], sm.add_constant(table[:, :-1])).fit()


@pytest.fixture(scope="module")
def result(reference):
    """The reference's own coefficients and errors, so that only what is made from them is compared."""
    return fitted(
        coefficients=np.asarray(reference.params),
        standard_errors=np.asarray(reference.bse),
        r_squared=float(reference.rsquared),
    )


def test_t_and_p(result, reference):
    np.testing.assert_allclose(result.statistics, reference.tvalues, rtol=1e-14)
    np.testing.assert_allclose(result.p_values, reference.pvalues, rtol=1e-11)


@pytest.mark.parametrize("level", [0.5, 0.9, 0.95, 0.999])
def test_intervals(reference, level):
    result = fitted(
        coefficients=np.asarray(reference.params),
        standard_errors=np.asarray(reference.bse),
        confidence_level=level,
    )
    np.testing.assert_allclose(result.confidence_intervals, reference.conf_int(alpha=1 - level), rtol=1e-11)


def test_f(result, reference):
    assert result.f_statistic == pytest.approx(reference.fvalue, rel=1e-12)
    assert result.f_p_value == pytest.approx(reference.f_pvalue, rel=1e-10)


def test_whole_fit_of_the_oracle(reference):
    ours = fitted()
    np.testing.assert_allclose(ours.coefficients, reference.params, rtol=1e-9)
    np.testing.assert_allclose(ours.standard_errors, reference.bse, rtol=1e-9)
    assert ours.r_squared == pytest.approx(reference.rsquared, rel=1e-12)
    assert ours.residual_standard_error == pytest.approx(np.sqrt(reference.scale), rel=1e-12)
    assert ours.degrees_of_freedom == reference.df_resid


def test_f_of_one_feature_is_the_square_of_t():
    x, y = np.arange(12.0), np.array([1.0, 3, 2, 5, 4, 6, 9, 7, 8, 11, 10, 12])
    r_squared = np.corrcoef(x, y)[0, 1] ** 2
    t = np.sqrt(r_squared * 10 / (1 - r_squared))
    one = fitted(
        names=("intercept", "x"), rows=12, degrees_of_freedom=10.0, r_squared=float(r_squared),
        coefficients=np.array([0.0, t]), standard_errors=np.ones(2),
    )  # fmt: skip
    assert one.f_statistic == pytest.approx(one.statistics[1] ** 2, rel=1e-12)
    assert one.f_p_value == pytest.approx(one.p_values[1], rel=1e-10)


def test_a_model_that_explains_nothing():
    nothing = fitted(r_squared=-3e-9)  # what rounding may leave of zero
    assert (nothing.f_statistic, nothing.f_p_value) == (0.0, 1.0)


def test_ridge_has_no_f():
    assert ridge().f_statistic is None
    assert ridge().f_p_value is None
    assert ridge().p_values is not None


# result.json

ALWAYS = {"study", "model", "target", "features", "rows", "cost", "opened"}
OF_PART = {
    "coefficients": {"coefficients"},
    "standard_errors": {
        "standard_errors", "t_values", "p_values", "confidence_level", "confidence_intervals", "degrees_of_freedom",
    },
    "fit": {"degrees_of_freedom", "r_squared", "residual_standard_error", "f_statistic", "f_p_value"},
}  # fmt: skip


@pytest.mark.parametrize("subset", SUBSETS)
def test_json_has_what_was_released_and_no_more(subset):
    fields = to_fields(released(fitted(), subset), COST, ENTRIES)
    assert set(fields) == ALWAYS.union(*(OF_PART[part] for part in subset))
    assert json.loads(json.dumps(fields, allow_nan=False)) == fields


@pytest.mark.parametrize("subset", SUBSETS)
def test_json_of_a_ridge_model(subset):
    fields = to_fields(released(ridge(), subset), COST, ENTRIES)
    assert set(fields) == ALWAYS.union({"penalty"}, *(OF_PART[part] for part in subset)) - {"f_statistic", "f_p_value"}
    assert json.loads(json.dumps(fields, allow_nan=False)) == fields


@pytest.mark.parametrize("make", [fitted, ridge])
@pytest.mark.parametrize("subset", SUBSETS)
def test_a_result_is_read_back_whole(make, subset):
    fields = released(make(), subset).to_dict()
    again = LinearResult.from_fields(json.loads(json.dumps(fields)))
    assert again.names == make().names
    assert again.to_dict() == fields


def test_mappings_are_by_name_and_in_order():
    fields = to_fields(fitted(), COST, ENTRIES)
    names = ["intercept", *sample.FEATURES]
    for key in ("coefficients", "standard_errors", "t_values", "p_values", "confidence_intervals"):
        assert list(fields[key]) == names
    low, high = fields["confidence_intervals"]["s5"]
    assert low < fields["coefficients"]["s5"] < high
    cost = {"rounds": 199, "bytes_sent": 1_934_112, "seconds": 2.314, "preprocessing": "dealer"}
    assert fields["cost"] == cost | {"offline_rounds": 0, "offline_bytes": 0}
    assert fields["opened"] == ENTRIES
