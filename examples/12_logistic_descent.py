"""Logistic regression by mini-batch gradient descent: a classifier trained on columns of two parties.

    python examples/12_logistic_descent.py
    smpc local examples/12_logistic_descent.py --parties 2

Party 0 knows the features, party 1 who fell ill; the weights stay secret until the end. As in 07_gradient_descent, but
probabilities are the logistic function of a batch times the weights, by a sine series. That takes one round more and no
comparison: four rounds and 16 (features + batch) bytes to the other party in a step, however many rows there are.

The series is off by 0.003 at most for scores within ±12 (`reach=26`: ±26); without a dealer, also by chance, by 1/64 at
most and on average not at all. One bit at the end says whether all scores were within. What is revealed are the weights
and how many of the rows are classified right.
"""

import numpy as np
from numpy.typing import NDArray

import smpc
from smpc.models import SGDClassifier

ROWS, BATCH, STEP, STEPS = 512, 64, 1.0, 60


def features() -> NDArray[np.float64]:
    """Party 0's: three columns, standardized, and one of ones for an intercept."""
    raw = np.random.default_rng(3).gamma(2.0, size=(ROWS, 3))
    return np.column_stack([(raw - raw.mean(axis=0)) / raw.std(axis=0), np.ones(ROWS)])


def outcome() -> NDArray[np.bool_]:
    """Party 1's. For this example it is made from party 0's; in life it is what happened."""
    return features() @ [1.6, -0.8, 0.4, -0.5] + np.random.default_rng(4).logistic(size=ROWS) > 0


def in_the_clear() -> NDArray[np.float64]:
    """What the descent does, on data that somebody has in one place; and the share of rows that are right."""
    x, y, w = features(), outcome(), np.zeros(4)
    for step in range(STEPS):
        start = step % (ROWS // BATCH) * BATCH
        batch = slice(start, start + BATCH)
        w -= STEP / BATCH * x[batch].T @ (1 / (1 + np.exp(-x[batch] @ w)) - y[batch])
    return np.append(w, np.mean((x @ w > 0) == y))


def program(party: smpc.Party) -> NDArray[np.float64]:
    """The weights and the share of rows that are classified right, which all parties learn."""
    x = party.share(features() if party.rank == 0 else None, owner=0)
    y = party.share(outcome() if party.rank == 1 else None, owner=1)
    model = SGDClassifier(STEP, BATCH, STEPS).fit(x, y)
    return np.append(model.coef_.reveal(), model.score(x, y).reveal())


if __name__ == "__main__":
    print(np.round(smpc.simulate(program, parties=2)[0], 3))
