"""Logistic, Poisson and Gamma regression beside float64, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest

from smpc.errors import ManifestError, ModelError
from tests.smpc.scored import assert_near, cancer, penalized, plain, progression, score, visits

DATA = {"logistic": cancer, "poisson": visits, "gamma": progression}
MOST_ROUNDS = 400  # of a logistic fit
SPLITS = [("rows", 3), ("columns", 2)]


def test_a_study():
    x, y = cancer()
    run = score("logistic", x, y)
    found, expected = run.results[0], plain("logistic", x, y)
    assert_near(run, expected.params, expected.bse)
    assert found.deviance == pytest.approx(expected.deviance, abs=0.01)
    assert run.results[1:] == [None, None]


@pytest.mark.parametrize(("split", "parties"), [*SPLITS, ("rows", 2), ("rows", 5)])
@pytest.mark.parametrize("model", DATA)
def test_all_that_a_statistician_reads(model, split, parties):
    x, y = DATA[model]()
    run, expected = score(model, x, y, split=split, parties=parties), plain(model, x, y)
    assert_near(run, expected.params, expected.bse)
    found = run.results[0]
    np.testing.assert_allclose(found.p_values, expected.pvalues, atol=1e-3, rtol=0.01)
    np.testing.assert_allclose(found.confidence_intervals, expected.conf_int(), atol=0.02 * expected.bse.max())
    assert found.deviance == pytest.approx(expected.deviance, abs=0.03)
    assert found.null_deviance == pytest.approx(expected.null_deviance, abs=0.07)
    assert found.aic == pytest.approx(expected.aic, abs=0.1)
    if model == "gamma":
        assert found.dispersion == pytest.approx(expected.scale, rel=1e-3)


@pytest.mark.parametrize(("split", "parties"), SPLITS)
def test_all_thirty_features_with_a_penalty(split, parties):
    x, y = cancer(range(30))
    run, expected = score("logistic", x, y, penalty=1.0, split=split, parties=parties), penalized(x, y, 1.0)
    assert_near(run, expected.coefficients, expected.errors)
    found, wanted = (
        1 / (1 + np.exp(-(b[0] + x @ b[1:]))) for b in (run.results[0].coefficients, expected.coefficients)
    )
    clear = np.abs(wanted - 0.5) > 1e-4
    assert ((found > 0.5) == (wanted > 0.5))[clear].all()
    assert run.parties[0].rounds <= MOST_ROUNDS


@pytest.mark.parametrize("columns", [(0, 1, 4, 9), (1, 4, 8)])
def test_the_same_decisions(columns):
    x, y = cancer(columns)
    found, wanted = score("logistic", x, y).results[0].coefficients, plain("logistic", x, y).params
    mine, theirs = (1 / (1 + np.exp(-(b[0] + x @ b[1:]))) for b in (found, wanted))
    clear = np.abs(theirs - 0.5) > 1e-4
    assert ((mine > 0.5) == (theirs > 0.5))[clear].all()


@pytest.mark.parametrize(("split", "parties"), SPLITS)
@pytest.mark.parametrize("model", DATA)
def test_weights_and_offsets(model, split, parties):
    x, y = DATA[model]()
    rng = np.random.default_rng(0)
    weights, offset = rng.integers(1, 5, len(y)).astype(float), rng.uniform(-0.5, 0.5, len(y))
    run = score(model, x, y, split=split, parties=parties, weights=weights, offset=offset, iterations=14)
    expected = plain(model, x, y, weights, offset)
    assert_near(run, expected.params, expected.bse)
    assert run.results[0].deviance == pytest.approx(expected.deviance, rel=1e-4)
    assert run.results[0].null_deviance is None


def test_rounds_of_a_fit_do_not_depend_on_rows():
    rng = np.random.default_rng(0)
    rounds = set()
    for rows in (100, 130, 2000):
        x = rng.normal(size=(rows, 3))
        run = score("logistic", x, (rng.uniform(size=rows) < 1 / (1 + np.exp(-x[:, 0]))).astype(float))
        rounds.add(run.parties[0].rounds)
    (found,) = rounds
    assert found <= MOST_ROUNDS


def test_perfect_separation():
    x = np.linspace(-1, 1, 60)[:, None] + np.zeros((60, 1))
    with pytest.raises(ModelError, match="separate the classes perfectly"):
        score_alone("logistic", np.column_stack([x, np.cos(20 * x)]), (x[:, 0] > 0.1).astype(float))


def test_separation_but_for_ties():
    """Both classes have rows at the border: the slope has no maximum, and nobody is on the wrong side."""
    x = np.repeat([-1.0, 0.0, 1.0], 20)
    y = np.concatenate([np.zeros(20), np.arange(20) % 2, np.ones(20)])
    with pytest.raises(ModelError, match="no result"):
        score_alone("logistic", np.column_stack([x, np.sin(np.arange(60))]), y)


def test_a_penalty_helps_what_is_separated():
    x = np.linspace(-1, 1, 60)[:, None]
    y = (x[:, 0] > 0.1).astype(float)
    expected = penalized(x, y, 1.0)
    assert_near(score("logistic", x, y, penalty=1.0), expected.coefficients, expected.errors)


@pytest.mark.parametrize(("split", "parties"), SPLITS)
@pytest.mark.parametrize("model", ["poisson", "gamma"])
@pytest.mark.parametrize("penalty", [1.0, 100.0])
def test_other_models_with_a_penalty(model, penalty, split, parties):
    x, y = DATA[model]()
    expected = penalized(x, y, penalty, model)
    assert_near(
        score(model, x, y, penalty=penalty, split=split, parties=parties), expected.coefficients, expected.errors
    )


@pytest.mark.parametrize("model", DATA)
def test_without_a_third_party(model):
    x, y = DATA[model]()
    expected = plain(model, x, y)
    found, dealt = (score(model, x, y, parties=2, preprocessing=kind) for kind in ("ot", "dealer"))
    assert_near(found, expected.params, expected.bse)
    assert_near(found, dealt.results[0].coefficients, expected.bse)


def test_features_that_are_a_combination_of_others():
    x, y = cancer()
    with pytest.raises(ModelError, match="ill-conditioned"):
        score_alone("logistic", np.column_stack([x, x[:, 0] + x[:, 1]]), y)


def test_too_few_iterations():
    x, y = cancer()
    with pytest.raises(ModelError, match="did not converge"):
        score_alone("logistic", x, y, iterations=3)


def test_the_distance_that_is_told():
    x, y = cancer()
    expected = plain("logistic", x, y)
    for iterations, low, high in ((7, 1e-3, 1), (10, 0, 1e-3)):
        found = score("logistic", x, y, convergence="step", iterations=iterations).results[0]
        assert low <= found.step <= high
        assert np.abs((found.coefficients - expected.params) / expected.bse).max() <= 1.2 * found.step + 1e-3


@pytest.mark.parametrize(
    ("model", "most", "message"),
    [("logistic", 2, r"range must be \[0, 1\]"), ("poisson", 0.5, "a count"), ("gamma", 0.5, None)],
)
def test_targets_that_cannot_be(model, most, message):
    x, y = np.random.default_rng(0).normal(size=(40, 2)), np.zeros(40)
    if model == "gamma":
        with pytest.raises(ManifestError, match="an amount"):
            score(model, x, y, most=most)
        return
    with pytest.raises(ManifestError, match=message):
        manifest_with(model, most)


def manifest_with(model, most):
    from smpc.prepared import geometry
    from tests.smpc.studies import manifest

    geometry(manifest(["a"], [(-1.0, 1.0), (0.0, most)], 2, model=model))


def score_alone(*args, **options):
    """Raises what all parties raised."""
    try:
        return score(*args, **options)
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from None
