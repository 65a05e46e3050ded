"""Mini-batch gradient descent on secret data: the weights of the same descent in the clear."""

from itertools import pairwise

import numpy as np
import pytest

import smpc
from protocols import local
from protocols.prg import Prg
from protocols.shares import Share, combine, split
from smpc.models.sgd import Descent, SGDRegressor
from tests.smpc.network import DEALER, run, study

ROWS, FEATURES = 70, 5


def data():
    random = np.random.default_rng(5)
    x = random.standard_normal((ROWS, FEATURES))
    return x, x @ np.linspace(-1, 1, FEATURES) + 0.1 * random.standard_normal(ROWS)


def descent(x, y, step, batch, iterations):
    w = np.zeros(x.shape[1])
    for iteration in range(iterations):
        at = iteration % (len(x) // batch) * batch
        rows = slice(at, at + batch)
        w -= step / batch * x[rows].T @ (x[rows] @ w - y[rows])
    return w


def fitted(party, estimator):
    x, y = data()
    secret = tuple(
        party.share(values if party.rank == owner else None, owner, bounds=8) for owner, values in enumerate((x, y))
    )
    return estimator.fit(*secret), secret


@pytest.mark.parametrize("parties", [2, 3, 5])
def test_weights_are_those_of_the_descent_in_the_clear(parties):
    def program(party):
        return fitted(party, SGDRegressor(step=0.25, batch=16, iterations=150))[0].coef_.reveal()

    expected = descent(*data(), 0.25, 16, 150)
    for weights in smpc.simulate(program, parties):
        assert np.abs(weights - expected).max() < 1e-3
    assert np.abs(expected - np.linspace(-1, 1, FEATURES)).max() < 0.1


@pytest.mark.parametrize("fraction_bits", [8, 30])
def test_whatever_the_fraction_bits(fraction_bits):
    def program(party):
        return fitted(party, SGDRegressor(step=0.25, batch=16, iterations=100))[0].coef_.reveal()

    weights = smpc.simulate(program, 2, fraction_bits=fraction_bits)[0]
    assert np.abs(weights - descent(*data(), 0.25, 16, 100)).max() < max(1e-3, 2.0 ** (2 - fraction_bits))


def test_views_of_integers():
    def program(party):
        data = (np.eye(12, 4, dtype=int), 1), (np.arange(12), 12)
        x, y = (party.share(values if party.rank == 0 else None, 0, bounds=most) for values, most in data)
        return SGDRegressor(0.5, 4, 6).fit(x[:8, :3], y[:8]).coef_.reveal()

    expected = descent(np.eye(12, 4)[:8, :3], np.arange(8.0), 0.5, 4, 6)
    assert np.abs(smpc.simulate(program, 2)[0] - expected).max() < 1e-5


def test_predictions_are_secret_until_they_are_revealed():
    def program(party):
        model, (x, _) = fitted(party, SGDRegressor(step=0.25, batch=16, iterations=40))
        return model.predict(x).reveal(), model.coef_.reveal()

    predicted, weights = smpc.simulate(program, 2)[0]
    np.testing.assert_allclose(predicted, data()[0] @ weights, atol=1e-4)


@pytest.mark.parametrize("dealer", [True, False])
def test_over_encrypted_links(dealer):
    def program(session):
        x = Prg(bytes(32)).ring((8, 3)) >> np.uint64(52)
        shares = [split(value, 2, Prg(bytes(32)))[session.rank] for value in (x, x[:, 0] * np.uint64(1 << 13))]
        descent = Descent(session, *shares, 4, 20)
        weights, rounds = Share(session.rank, np.zeros(3, np.uint64)), []
        for iterations in (0, 1, 7):
            weights = descent.run(weights, iterations).last
            rounds.append(session.rounds)
        return weights.values, rounds

    results = run(study(2, dealer=dealer), program)
    weights = sum(result[0] for name, result in results.items() if name != DEALER)
    assert weights.shape == (3,)
    assert [two - one for one, two in pairwise(results["north"][1])] == [3, 21]


def test_what_is_asked_for_ahead_is_what_is_taken():
    """In the order of use, and nothing besides."""
    x = Prg(bytes(32)).ring((100, 4)) >> np.uint64(52)
    shares = [split(value, 2, Prg(bytes(32))) for value in (x, x[:, 0])]
    parties = local.parties(2, bytes(32))

    def program(party):
        w = Share(party.rank, np.zeros(4, np.uint64))
        return Descent(party, *(both[party.rank] for both in shares), 10, 20).run(w, 77).last

    weights = local.run_all(parties, program)
    assert combine(weights).shape == (4,)
    for party in parties:
        assert not any(party._ready.values())
        assert [one.rows.shape[0] for one in party.taken[1:]] == [10] * 7 + [7]  # never across the end of the data
        assert party.elements == 400 + 77 * (4 + 10 + 4)
    dealt = [correlation for correlation, _ in parties[0].ideal_dealer.dealt]
    assert dealt == parties[0].taken


@pytest.mark.parametrize(
    ("arguments", "shapes", "message"),
    [
        ({"step": 0.3, "batch": 16}, ((70, 5), (70,)), "no power of two"),
        ({"batch": 12}, ((70, 5), (70,)), "no power of two"),
        ({"step": 2.0**-60, "batch": 16}, ((70, 5), (70,)), "too small"),
        ({"step": 2.0**40, "batch": 16}, ((70, 5), (70,)), "too large"),
        ({"step": 5e-324, "batch": 16}, ((70, 5), (70,)), "too small"),
        ({"batch": 0}, ((70, 5), (70,)), "batches of 0 rows"),
        ({"batch": 16.0}, ((70, 5), (70,)), "no number of rows"),
        ({"batch": 16, "iterations": -1}, ((70, 5), (70,)), "-1 iterations"),
        ({}, ((70, 5), (70,)), "less than a batch of 128"),
        ({"batch": 16}, ((70, 5), (71,)), "not rows and their targets"),
        ({"batch": 16}, ((70,), (70,)), "not rows and their targets"),
    ],
)
def test_what_cannot_be_trained_is_refused(arguments, shapes, message):
    def program(party):
        x, y = (party.share(np.zeros(shape) if party.rank == 0 else None, 0) for shape in shapes)
        with pytest.raises(ValueError, match=message):
            SGDRegressor(**arguments).fit(x, y)

    smpc.simulate(program, 2)


def test_counts_of_numpy_wrap_no_bound():
    def program(party):
        def ranged(kind, bounds):
            x, y = (
                party.share(np.ones(shape) if party.rank == 0 else None, 0, bounds=bounds) for shape in ((32, 2), 32)
            )
            return SGDRegressor(2.0**-16, kind(16), kind(2)).fit(x, y).coef_.range

        one, other = ranged(int, 2.0), ranged(np.int64, 2.0)
        assert one == other
        assert {type(end) for end in (other.low, other.high)} == {int}
        with pytest.raises(smpc.RangeError, match="the gradient could leave the ring"):
            ranged(np.int64, 2.0**8)  # 2^64, of which an int64 has nothing left

    smpc.simulate(program, 2, fraction_bits=20)


def test_parameters():
    assert SGDRegressor(0.5, 8, 3).get_params() == {"step": 0.5, "batch": 8, "iterations": 3}


def test_a_training_that_diverges_is_an_error_and_no_wrong_number():
    """Also if it comes back into bounds by wrapping: what is first to leave is seen."""

    def program(party):
        with pytest.raises(smpc.ModelError, match="weights or residuals grew too large"):
            fitted(party, SGDRegressor(step=4.0, batch=16, iterations=400))

    smpc.simulate(program, 2)


def test_bounds_with_which_no_training_fits_are_refused_before_it_begins():
    def program(party):
        x, y = (party.share(np.zeros(shape) if party.rank == 0 else None, 0, bounds=2.0**20) for shape in ((16, 3), 16))
        before = party.protocol.rounds
        with pytest.raises(smpc.RangeError, match="say tighter bounds"):
            SGDRegressor(step=0.25, batch=16).fit(x, y)
        return party.protocol.rounds - before

    assert smpc.simulate(program, 2)[0] <= 2  # the rescaling of the data
