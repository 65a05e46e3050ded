"""Measures of predictions beside scikit-learn's."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from sklearn import metrics as theirs

import smpc
from smpc.models import metrics


def measured(measure, y, predicted, parties=2, bounds=1.0):
    def program(party):
        target = party.share(y if party.rank == 0 else None, 0, bounds=(0, 1) if y.dtype.kind == "i" else bounds)
        guess = party.share(predicted if party.rank == 1 else None, 1, bounds=bounds)
        found = measure(target, guess)
        return [one.reveal() for one in found] if isinstance(found, tuple) else found.reveal()

    return smpc.simulate(program, parties)[0]


def classes(n=200, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    return y, np.round(np.clip(0.3 * y + rng.uniform(0, 0.7, n), 0.01, 0.99), 2)  # rounded: with ties


def test_an_area():
    y, score = classes()
    assert measured(metrics.roc_auc, y, score) == pytest.approx(theirs.roc_auc_score(y, score), abs=1e-5)


@pytest.mark.parametrize("parties", [2, 3, 5])
@pytest.mark.parametrize("n", [2, 3, 17, 64])
def test_areas_of_few_rows(n, parties):
    y, score = classes(n, n)
    y[:2] = 0, 1
    assert measured(metrics.roc_auc, y, score, parties) == pytest.approx(theirs.roc_auc_score(y, score), abs=1e-4)


def test_an_area_of_equal_scores_or_one_class():
    assert measured(metrics.roc_auc, np.array([0, 1, 1, 0]), np.full(4, 0.5)) == pytest.approx(0.5, abs=1e-5)
    assert measured(metrics.roc_auc, np.array([1, 1, 1, 1]), np.full(4, 0.5)) == pytest.approx(0.0, abs=1e-5)


def test_rates_and_losses():
    y, score = classes()
    assert measured(metrics.log_loss, y, score) == pytest.approx(theirs.log_loss(y, score), abs=1e-4)
    decided = (score > 0.5).astype(int)
    assert measured(metrics.accuracy, y, decided) == pytest.approx(np.mean(y == decided), abs=1e-5)


@pytest.mark.parametrize("scale", [1.0, 100.0])
def test_errors_of_amounts(scale):
    rng = np.random.default_rng(0)
    y = scale * rng.uniform(-1, 1, 300)
    predicted = 0.7 * y + scale * rng.uniform(-0.2, 0.2, 300)
    found = measured(metrics.rmse, y, predicted, bounds=scale * 1.5)
    assert found == pytest.approx(theirs.root_mean_squared_error(y, predicted), abs=1e-4 * scale)
    found = measured(metrics.r_squared, y, predicted, bounds=scale * 1.5)
    assert found == pytest.approx(theirs.r2_score(y, predicted), abs=1e-4)


def test_a_prediction_that_is_worse_than_the_mean():
    y = np.linspace(-1, 1, 50)
    assert measured(metrics.r_squared, y, -y) == pytest.approx(-3.0, abs=1e-3)


def test_a_calibration():
    y, score = classes()
    rows, ones, expected = measured(lambda y, p: metrics.calibration(y, p, 5), y, score)
    for k in range(5):
        there = np.digitize(np.rint(score * 2**20), np.rint(np.arange(1, 5) / 5 * 2**20)) == k
        assert (rows[k], ones[k]) == (there.sum(), y[there].sum())
        assert expected[k] == pytest.approx(score[there].sum(), abs=1e-4)


def test_shapes_that_do_not_fit():
    with pytest.raises(ValueError, match="not targets and what was predicted"):
        measured(metrics.accuracy, np.array([0, 1]), np.array([0.5, 0.5, 0.5]))


@pytest.mark.parametrize("measure", [metrics.roc_auc, metrics.log_loss, metrics.calibration])
def test_targets_that_are_no_classes(measure):
    score = np.array([0.1, 0.9])
    for y, bounds in ((np.array([-1, 1]), (-1, 1)), (np.array([0.0, 1.0]), (0, 1))):
        with pytest.raises(ValueError, match="classes are 0 and 1"):
            smpc.simulate(partial(measured_at, measure=measure, y=y, bounds=bounds, score=score), 2)


def measured_at(party, measure, y, bounds, score):
    own = party.rank == 0
    return measure(party.share(y if own else None, 0, bounds), party.share(score if own else None, 0, 1.0))


def test_one_bin():
    with pytest.raises(ValueError, match="1 bins of probabilities"):
        measured(lambda y, p: metrics.calibration(y, p, 1), *classes(10))
