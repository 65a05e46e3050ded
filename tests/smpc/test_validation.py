"""Cross-validation and the choice of a penalty, beside the same in float64."""

from __future__ import annotations

import numpy as np
import pytest

import smpc
from smpc.models import metrics
from smpc.models.regression import LinearRegression, LogisticRegression
from smpc.models.validation import choose_penalty, cross_validate
from tests.smpc.scored import cancer, penalized
from tests.smpc.studies import ranges_of


def shared(party, x, y, whole):
    features = party.share(x if party.rank == 0 else None, 0, bounds=float(np.abs(ranges_of(x)).max()))
    mine = (y.astype(int) if whole else y) if party.rank == 1 else None
    return features, party.share(mine, 1, bounds=(0, 1) if whole else float(np.abs(y).max()))


def loss(model, x, y):
    return -metrics.log_loss(y, model.predict_proba(x))


def test_accuracy_in_folds():
    x, y = cancer((1, 4, 8))
    x, y = x[:240], y[:240]

    def program(party):
        features, target = shared(party, x, y, whole=True)
        found = cross_validate(
            LogisticRegression, features, target, lambda m, x, y: metrics.accuracy(y, m.predict(x)), 3, ranges_of(x)
        )
        return found.reveal()

    expected = []
    for fold in range(3):
        inside = np.arange(len(y)) % 3 == fold
        beta = penalized(x[~inside], y[~inside], 0.0).coefficients
        expected.append(np.mean((beta[0] + x[inside] @ beta[1:] > 0) == y[inside]))
    np.testing.assert_allclose(smpc.simulate(program, 2)[0], expected, atol=1e-5)


def test_a_penalty_is_chosen():
    x, y = cancer((0, 1, 4, 9))
    x, y, penalties = x[:150], y[:150], [0.5, 5.0, 30.0]

    def program(party):
        features, target = shared(party, x, y, whole=True)
        best, scores = choose_penalty(LogisticRegression, penalties, features, target, loss, 2, ranges_of(x))
        return best, scores.reveal()

    expected = np.zeros(3)
    for at, penalty in enumerate(penalties):
        for fold in range(2):
            inside = np.arange(len(y)) % 2 == fold
            beta = penalized(x[~inside], y[~inside], penalty).coefficients
            p = 1 / (1 + np.exp(-beta[0] - x[inside] @ beta[1:]))
            expected[at] += np.log(np.where(y[inside] == 1, p, 1 - p)).mean() / 2
    for best, scores in smpc.simulate(program, 3):
        np.testing.assert_allclose(scores, expected, atol=1e-3)
        assert best == penalties[int(np.argmax(expected))]


def test_arguments():
    def program(party):
        features, target = shared(party, np.ones((4, 1)), np.ones(4), whole=False)
        with pytest.raises(ValueError, match="1 folds of 4 rows"):
            cross_validate(LinearRegression, features, target, loss, 1)
        with pytest.raises(ValueError, match="no penalties"):
            choose_penalty(LinearRegression, [], features, target, loss)

    smpc.simulate(program, 2)


def test_arguments_that_cannot_be():
    def program(party):
        features, target = shared(party, np.linspace(0, 1, 8).reshape(-1, 1), np.arange(8.0), whole=False)
        for penalty in (-1.0, np.nan, np.inf):
            with pytest.raises(ValueError, match="it is a number from 0 on"):
                LinearRegression(penalty).fit(features, target)
        classes = party.share(np.arange(8) % 2 if party.rank == 1 else None, 1, (0, 1))
        with pytest.raises(ValueError, match="a penalty of -1"):
            LogisticRegression(-1.0).fit(features, classes)
        with pytest.raises(ValueError, match="not rows and their targets"):
            cross_validate(LinearRegression, features, target[:5], loss)

    smpc.simulate(program, 2)
