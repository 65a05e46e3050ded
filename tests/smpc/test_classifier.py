"""Logistic regression by mini-batch gradient descent on secret data: that of the same descent in the clear."""

import numpy as np
import pytest

import smpc
from protocols import local, sines
from protocols.digits import DigitMasks
from protocols.prg import Prg
from protocols.shares import Share, combine, split
from smpc.models import classifier, sgd
from smpc.models.classifier import SGDClassifier, beyond
from smpc.models.sgd import Descent
from tests.smpc.network import DEALER, run, study

ROWS, FEATURES = 300, 5
SLOPES = np.linspace(-2, 2, FEATURES)


def data():
    random = np.random.default_rng(5)
    x = random.standard_normal((ROWS, FEATURES))
    return x, x @ SLOPES + random.logistic(size=ROWS) > 0


def sigma(z):
    return 1 / (1 + np.exp(-z))


def descent(x, y, step, batch, iterations):
    w = np.zeros(x.shape[1])
    for iteration in range(iterations):
        at = iteration % (len(x) // batch) * batch
        rows = slice(at, at + batch)
        w -= step / batch * x[rows].T @ (sigma(x[rows] @ w) - y[rows])
    return w


def shared(party, x, y, bounds=8):
    return (
        party.share(x if party.rank == 0 else None, 0, bounds=bounds),
        party.share(y if party.rank == 1 else None, 1),
    )


def fitted(party, estimator):
    x, y = shared(party, *data())
    return estimator.fit(x, y), x, y


@pytest.mark.parametrize("parties", [2, 3, 5])
def test_weights_are_those_of_the_descent_in_the_clear(parties):
    """But for the error of the series: 0.003 of each probability, twice for two iterations on one batch, and so on."""

    def program(party):
        before = party.protocol.rounds
        weights = fitted(party, SGDClassifier(step=0.5, batch=32, iterations=100))[0].coef_
        return weights.reveal(), party.protocol.rounds - before

    expected = descent(*data(), 0.5, 32, 100)
    for weights, rounds in smpc.simulate(program, parties):
        assert np.abs(weights - expected).max() < 5e-3
        assert 400 < rounds < 420
    assert np.abs(expected - SLOPES).max() < 0.5


@pytest.mark.parametrize("fraction_bits", [8, 30])
@pytest.mark.parametrize("reach", [12, 26.0])
def test_whatever_the_fraction_bits_and_the_reach(fraction_bits, reach):
    def program(party):
        return fitted(party, SGDClassifier(0.5, 32, 60, reach))[0].coef_.reveal()

    weights = smpc.simulate(program, 2, fraction_bits=fraction_bits)[0]
    assert np.abs(weights - descent(*data(), 0.5, 32, 60)).max() < max(1e-2, 2.0 ** (4 - fraction_bits))


def test_predictions_are_secret_until_they_are_revealed():
    def program(party):
        model, x, y = fitted(party, SGDClassifier(step=0.5, batch=32, iterations=40))
        revealed = [one.reveal() for one in (model.predict(x), model.predict_proba(x), model.score(x, y))]
        return model.coef_.reveal(), model.decision_function(x[:4]).reveal(), *revealed

    x, y = data()
    weights, scores, classes, probabilities, share = smpc.simulate(program, 2)[0]
    np.testing.assert_allclose(scores, x[:4] @ weights, atol=1e-4)
    np.testing.assert_array_equal(classes, x @ weights > 0)
    np.testing.assert_allclose(probabilities, np.column_stack([sigma(-x @ weights), sigma(x @ weights)]), atol=1e-4)
    assert share == pytest.approx(np.mean(classes == y), abs=1e-5)


def test_targets_may_be_truth_values_integers_or_reals():
    x, y = data()
    kinds = [(y, None), (y.astype(int), (0, 1)), (y.astype(float), (0, 1))]

    def program(party):
        secret = party.share(x if party.rank == 0 else None, 0, bounds=8)
        targets = [party.share(one if party.rank == 0 else None, 0, bounds=bounds) for one, bounds in kinds]
        return [SGDClassifier(0.5, 32, 3).fit(secret, one).coef_.reveal() for one in targets]

    for weights in smpc.simulate(program, 2)[0]:
        assert np.abs(weights - descent(x, y, 0.5, 32, 3)).max() < 1e-2


def test_views_of_integers():
    x, y = np.arange(36).reshape(12, 3) % 5 - 2, np.arange(12) % 3 == 0

    def program(party):
        rows = party.share(x if party.rank == 0 else None, 0, bounds=2)
        targets = party.share(y if party.rank == 0 else None, 0)
        return SGDClassifier(0.5, 4, 6).fit(rows[:8, :2], targets[:8]).coef_.reveal()

    assert np.abs(smpc.simulate(program, 2)[0] - descent(x[:8, :2], y[:8], 0.5, 4, 6)).max() < 1e-2


@pytest.mark.parametrize("dealer", [True, False])
def test_over_encrypted_links(dealer):
    """Eight rows, three features, with the randomness of a dealer and of transfers."""
    x, y = data()
    words = (np.rint(x[:8, :3] * 2**12).astype(np.int64).view(np.uint64), y[:8].astype(np.uint64) << np.uint64(32))

    def program(session):
        shares = [split(value, 2, Prg(bytes(32)))[session.rank] for value in words]
        descent = Descent(session, *shares, 4, 27)
        before = session.rounds
        path = descent.run(Share(session.rank, np.zeros(3, np.uint64)), 5, sines.Logistic(sines.NARROW, 32))
        assert session.rounds - before == 20
        assert [one.shape for one in path.predictors] == [(2, 4), (2, 4), (1, 4)]
        return path.last.values

    results = run(study(2, dealer=dealer), program)
    weights = sum(result for name, result in results.items() if name != DEALER).view(np.int64) / 2.0**20
    assert np.abs(weights - descent(x[:8, :3], y[:8], 0.5, 4, 5)).max() < (0.01 if dealer else 0.05)


@pytest.mark.parametrize(
    ("arguments", "x", "y", "message"),
    [
        ({"step": 0.3, "batch": 16}, (70, 5), {}, "no power of two"),
        ({"step": 2.0**-60, "batch": 16}, (70, 5), {}, "too small"),
        ({"step": 5e-324, "batch": 16}, (70, 5), {}, "too small"),
        ({"step": 2.0**40, "batch": 16}, (70, 5), {}, "too large"),
        ({"step": np.inf, "batch": 16}, (70, 5), {}, "no power of two"),
        ({"step": np.nan, "batch": 16}, (70, 5), {}, "no power of two"),
        ({"step": 0.5 + 2.0**-53, "batch": 16}, (70, 5), {}, "no power of two"),
        ({"batch": 0}, (70, 5), {}, "batches of 0 rows"),
        ({"batch": -16}, (70, 5), {}, "batches of -16 rows"),
        ({"batch": 16.0}, (70, 5), {}, "no number of rows"),
        ({"batch": 16, "iterations": -1}, (70, 5), {}, "-1 iterations"),
        ({"batch": 16, "iterations": 2.5}, (70, 5), {}, "no number of rows"),
        ({"batch": 16}, (70, 0), {}, "not rows and their targets"),
        ({}, (70, 5), {}, "less than a batch of 128"),
        ({"batch": 16}, (71, 5), {}, "not rows and their targets"),
        ({"batch": 16, "reach": 27}, (70, 5), {}, "a reach of 27: at most 26"),
        ({"batch": 16, "reach": 0}, (70, 5), {}, "a reach of 0"),
        ({"batch": 16}, (70, 5), {"bounds": (0, 2)}, "classes are 0 and 1"),
        ({"batch": 16}, (70, 5), {"bounds": 1}, "classes are 0 and 1"),
    ],
)
def test_what_cannot_be_trained_is_refused(arguments, x, y, message):
    def program(party):
        rows = party.share(np.zeros(x) if party.rank == 0 else None, 0)
        targets = party.share(np.zeros(70) if party.rank == 0 else None, 0, **({"bounds": (0, 1)} | y))
        with pytest.raises(ValueError, match=message):
            SGDClassifier(**arguments).fit(rows, targets)

    smpc.simulate(program, 2)


def test_parameters():
    expected = {"step": 0.5, "batch": 8, "iterations": 3, "reach": 12}
    assert SGDClassifier(0.5, 8, 3).get_params() == expected


def test_no_iteration_is_no_step():
    def program(party):
        return fitted(party, SGDClassifier(batch=32, iterations=0))[0].coef_.reveal()

    assert not smpc.simulate(program, 2)[0].any()


@pytest.mark.parametrize(("reach", "fine"), [(12, False), (26, True)])
def test_a_prediction_beyond_the_reach_is_an_error_and_no_wrong_number(reach, fine):
    """One row of many, in one iteration of many: its prediction is 16 once, which the narrow series takes for 0."""
    x, y = np.zeros((64, 2)), np.zeros(64, bool)
    x[:32, 0], y[:32], x[40, 0] = 1.0, True, 32.0

    def program(party):
        model = SGDClassifier(1.0, 32, 2, reach)
        if fine:
            return model.fit(*shared(party, x, y, 32)).coef_.reveal()
        with pytest.raises(smpc.ModelError, match="predictions grew too large"):
            model.fit(*shared(party, x, y, 32))
        return descent(x, y, 1.0, 32, 2)

    assert np.abs(smpc.simulate(program, 2)[0] - descent(x, y, 1.0, 32, 2)).max() < 0.01


@pytest.mark.parametrize("value", [-101, -100, -99, 99, 100, 101, 1 << 61, -(1 << 61)])
def test_beyond_is_exact(value):
    def program(party):
        words = np.zeros((2, 33), np.int64)
        words[1, 32] = value
        shares = split(words.view(np.uint64), 2, Prg(bytes(32)))[party.rank]
        return beyond(party.protocol, [shares[:1]] * 40 + [shares], 100).values

    assert sum(smpc.simulate(program, 2)) == (abs(value) > 100)


def test_bounds_with_which_no_training_fits_are_refused_before_it_begins():
    def program(party):
        x, y = shared(party, np.zeros((16, 3)), np.zeros(16, bool), 2.0**20)
        before = party.protocol.rounds
        with pytest.raises(smpc.RangeError, match="say tighter bounds"):
            SGDClassifier(step=0.25, batch=16).fit(x, y)
        return party.protocol.rounds - before

    assert smpc.simulate(program, 2)[0] <= 2  # the rescaling of the data


def test_counts_of_numpy_wrap_no_bound():
    """16 rows of 2^16: the gradient's bound is above 2^64, and as an int64 it was below 2^62. w came out as -w."""
    x, y = np.full((16, 1), 2.0**16), np.ones(16, bool)

    def program(party):
        with pytest.raises(smpc.RangeError, match="could leave the ring"):
            SGDClassifier(2.0**-30, np.int64(16), np.int64(1)).fit(*shared(party, x, y, 2.0**16))

    smpc.simulate(program, 2, fraction_bits=20)


def test_bounds_of_weights_are_exact_integers():
    """What is computed of the weights checks its bounds with them."""

    def program(party):
        bounds = [fitted(party, SGDClassifier(0.5, *map(kind, (32, 3))))[0].coef_.range for kind in (int, np.int64)]
        assert {type(end) for one in bounds for end in (one.low, one.high)} == {int}
        return bounds

    one, other = smpc.simulate(program, 2)[0]
    assert one == other


@pytest.mark.parametrize("place", [None, 0, 15, 16, 39])
def test_predictions_are_compared_in_pieces(monkeypatch, place):
    """However many there are: of 2^26 at once, a dealer had refused to send what it takes."""
    monkeypatch.setattr(classifier, "_TOGETHER", 16)
    words = np.zeros(40, np.int64)
    words[slice(0, 0) if place is None else place] = -101
    shares = split(words.reshape(5, 8).view(np.uint64), 2, Prg(bytes(32)))
    parties = local.parties(2)
    results = local.run_all(parties, lambda party: beyond(party, [shares[party.rank][:2], shares[party.rank][2:]], 100))
    assert combine(results) == (place is not None)
    asked = [one.shape for one in parties[0].taken if isinstance(one, DigitMasks)]
    assert asked[:3] == [(16,), (16,), (8,)]


def test_fewer_iterations_ahead_if_batches_are_large(monkeypatch):
    monkeypatch.setattr(sgd, "_ROWS_AHEAD", 64)

    def program(party):
        weights = fitted(party, SGDClassifier(0.5, 32, 21))[0].coef_
        masks = [one.shape for one in party.protocol.taken if isinstance(one, sines.SineMasks)]
        assert [batches for batches, _ in masks] == [2, 2, 2, 2, 1] * 2 + [2, 1]
        return weights.reveal()

    assert np.abs(smpc.simulate(program, 2)[0] - descent(*data(), 0.5, 32, 21)).max() < 5e-3
