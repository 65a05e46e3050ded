"""Linear regression by mini-batch gradient descent, step by step: where Beaver triples are used up.

    python examples/07_gradient_descent.py
    smpc local examples/07_gradient_descent.py --parties 2

Party 0 knows the features, party 1 the outcome; the weights stay secret until the end. In each step the batch times the
weights, and the transposed batch times the residual, are products of two secrets. The first product with `x` masks all
of it and opens the difference, once; later batches are views of it and open nothing. So a step costs three rounds and
8 (2 features + batch) bytes, however long x is. `smpc.models.sgd.SGDRegressor` is the same in a loop.

A sum over a batch must stay below 2^18 in its units: standardize first. For standard errors see 05_three_hospitals.
"""

import numpy as np
from numpy.typing import NDArray

import smpc
from smpc.models import SGDRegressor

ROWS, BATCH, STEP, STEPS = 512, 64, 0.25, 60


def features() -> NDArray[np.float64]:
    """Party 0's: three columns, standardized."""
    raw = np.random.default_rng(3).gamma(2.0, size=(ROWS, 3))
    return (raw - raw.mean(axis=0)) / raw.std(axis=0)


def outcome() -> NDArray[np.float64]:
    """Party 1's. For this example it is made from party 0's; in life it is what happened."""
    return features() @ np.array([0.8, -0.3, 0.1]) + 0.2 * np.random.default_rng(4).standard_normal(ROWS)


def in_the_clear() -> NDArray[np.float64]:
    """What the descent does, on data that somebody has in one place."""
    x, y, w = features(), outcome(), np.zeros(3)
    for step in range(STEPS):
        start = step % (ROWS // BATCH) * BATCH
        batch = slice(start, start + BATCH)
        w -= STEP / BATCH * x[batch].T @ (x[batch] @ w - y[batch])
    return w


def program(party: smpc.Party) -> NDArray[np.float64]:
    """The weights, which all parties learn."""
    x = party.share(features() if party.rank == 0 else None, owner=0)
    y = party.share(outcome() if party.rank == 1 else None, owner=1)
    return SGDRegressor(STEP, BATCH, STEPS).fit(x, y).coef_.reveal()


if __name__ == "__main__":
    print(np.round(smpc.simulate(program, parties=2)[0], 3))
