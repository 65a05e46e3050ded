"""Estimators on secret arrays beside statsmodels and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import r2_score, root_mean_squared_error

import smpc
from smpc.errors import ModelError
from smpc.models import metrics
from smpc.models.export import to_sklearn
from smpc.models.regression import GammaRegressor, LinearRegression, LogisticRegression, PoissonRegressor
from tests.smpc.scored import cancer, penalized, plain, progression, visits
from tests.smpc.studies import diabetes, ranges_of, ridge


def shared(party, x, y):
    """x of party 0 and y of party 1; whole numbers as integers."""
    whole = (y == np.floor(y)).all() and y.min() == 0
    low = 0 if whole else float(y.min()) / 2
    features = party.share(x if party.rank == 0 else None, 0, bounds=float(np.abs(ranges_of(x)).max()))
    mine = (y.astype(int) if whole else y) if party.rank == 1 else None
    return features, party.share(mine, 1, bounds=(low, float(y.max())))


def fitted(make, data, look, parties=2):
    """What `look` makes of a model that is fitted, its features and its target; at party 0."""
    x, y = data

    def program(party):
        features, target = shared(party, x, y)
        return look(make().fit(features, target, ranges=ranges_of(x)), features, target)

    return smpc.simulate(program, parties)[0]


def test_a_model():
    x, y = cancer()
    result, decisions = fitted(LogisticRegression, (x, y), lambda m, x, _: (m.reveal(), m.predict(x).reveal()))
    expected = plain("logistic", x, y)
    assert np.abs((result.coefficients - expected.params) / expected.bse).max() < 0.01
    clear = np.abs(expected.fittedvalues - 0.5) > 1e-4
    assert (decisions == (expected.fittedvalues > 0.5))[clear].all()


MODELS = [
    (LogisticRegression, cancer, "logistic"),
    (PoissonRegressor, visits, "poisson"),
    (GammaRegressor, progression, "gamma"),
]


@pytest.mark.parametrize("parties", [2, 3, 5])
@pytest.mark.parametrize(("make", "data", "model"), MODELS)
def test_generalized_linear_models(make, data, model, parties):
    x, y = data()
    expected = plain(model, x, y)

    def look(m, x, _):
        return m.coef_.reveal(), m.intercept_.reveal(), m.reveal(), m.predict(x).reveal()

    slopes, intercept, result, predicted = fitted(make, (x, y), look, parties)
    for found in (np.append(intercept, slopes), result.coefficients):
        assert np.abs((found - expected.params) / expected.bse).max() < 0.01
    np.testing.assert_allclose(result.standard_errors, expected.bse, rtol=0.01)
    if model != "poisson":
        np.testing.assert_allclose([result.deviance, result.aic], [expected.deviance, expected.aic], rtol=1e-4)
    if model != "logistic":
        np.testing.assert_allclose(predicted, expected.fittedvalues, rtol=1e-3)
    np.testing.assert_allclose(to_sklearn(result).predict(x), predicted, rtol=1e-3)


@pytest.mark.parametrize("penalty", [0.0, 2.0])
def test_linear_models(penalty):
    x, y, _ = diabetes()
    expected = ridge(x, y, penalty)

    def look(m, x, _):
        return m.coef_.reveal(), m.intercept_.reveal(), m.reveal(names=list("abcdefghij")), m.predict(x).reveal()

    slopes, intercept, result, predicted = fitted(lambda: LinearRegression(penalty), (x, y), look)
    for found in (np.append(intercept, slopes), result.coefficients):
        assert np.abs((found - expected.coefficients) / expected.errors).max() < 1e-3
    np.testing.assert_allclose(result.standard_errors, expected.errors, rtol=1e-3)
    assert result.r_squared == pytest.approx(expected.r_squared, abs=1e-4)
    assert result.names == ("intercept", *"abcdefghij")
    np.testing.assert_allclose(predicted, intercept + x @ slopes, atol=0.01)
    np.testing.assert_allclose(to_sklearn(result).predict(x), predicted, atol=0.01)


def test_probabilities_with_a_penalty():
    x, y = cancer()
    expected = penalized(x, y, 1.0).coefficients
    found = fitted(lambda: LogisticRegression(1.0, 10), (x, y), lambda m, x, _: m.predict_proba(x).reveal())
    np.testing.assert_allclose(found, 1 / (1 + np.exp(-expected[0] - x @ expected[1:])), atol=1e-4)


def test_a_result_prints_as_a_table():
    text = str(fitted(GammaRegressor, progression(), lambda m, *_: m.reveal(["age", "bmi", "bp", "s5"])))
    assert text.startswith("Gamma regression with a log link of y on 4 features, 442 rows")
    assert "std. error" in text
    assert "dispersion 0.15" in text
    assert len({len(line) for line in text.splitlines()[3:8]}) <= 2


def test_what_is_asked_for():
    assert LogisticRegression(2.0).get_params() == {"penalty": 2.0, "iterations": 9}
    assert LinearRegression().get_params() == {"penalty": 0.0}


@pytest.mark.parametrize(
    ("make", "data"), [(LinearRegression, progression), (GammaRegressor, progression), (PoissonRegressor, visits)]
)
def test_scores_are_those_of_scikit_learn(make, data):
    """Also where predictions could be so large that squares would not fit."""
    x, y = data()

    def look(model, x, y):
        return model.score(x, y).reveal(), metrics.rmse(y, model.predict(x)).reveal(), model.reveal()

    score, error, result = fitted(make, (x, y), look)
    predicted = to_sklearn(result).predict(x)
    assert score == pytest.approx(r2_score(y, predicted), abs=1e-3)
    assert error == pytest.approx(root_mean_squared_error(y, predicted), rel=1e-4)


def test_a_public_model_of_secret_rows():
    x, y = cancer()
    slopes, intercept = plain("logistic", x, y).params[1:], plain("logistic", x, y).params[0]

    def program(party):
        features, _ = shared(party, x, y)
        return smpc.sigmoid(features @ slopes + intercept).reveal()

    expected = 1 / (1 + np.exp(-x @ slopes - intercept))
    np.testing.assert_allclose(smpc.simulate(program, 2)[0], expected, atol=1e-3)


def test_the_score_of_classes_is_their_accuracy():
    x, y = cancer()
    score, result = fitted(LogisticRegression, (x, y), lambda m, x, y: (m.score(x, y).reveal(), m.reveal()))
    assert score == pytest.approx(to_sklearn(result).score(x, y), abs=1e-3)


def refused(make, x, y):
    with pytest.raises((ModelError, ValueError)) as caught:
        fitted(make, (x, y), lambda m, *_: m)
    return str(caught.value)


def test_fits_that_cannot_be_trusted():
    x, y = cancer()
    assert "the fit" not in refused(LogisticRegression, np.column_stack([x, x[:, 0]]), y)
    assert "did not converge" in refused(lambda: LogisticRegression(iterations=2), x, y)
    assert "no result" in refused(LogisticRegression, x, (x[:, 0] > 15).astype(float))


def test_arguments():
    x, y = cancer()
    assert "too few" in refused(LogisticRegression, x[:5], y[:5])
    assert "classes are 0 and 1" in refused(LogisticRegression, x, np.arange(len(y)) % 3.0)
    assert "not rows and their targets" in refused(LinearRegression, x, y[1:])
    assert "counts are integers" in refused(PoissonRegressor, x, y + 0.5)
