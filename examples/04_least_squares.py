"""Least squares with NumPy's own words: one party knows the measurements, another one the outcome.

    python examples/04_least_squares.py
    smpc local examples/04_least_squares.py --parties 2

Only the weights are opened; xᵀx, which says how the measurements vary together, is not. `np.linalg.solve` tells all
parties one thing more, whether the matrix could be inverted well, and raises smpc.ModelError if not.

An entry of a product of reals has room up to 4 million (2^22, at the usual 20 fraction bits). Here columns have mean 0
and variance 1, and all values are below 16, as `share` takes for granted if no bounds are said: 200 rows fit. With too
many rows, or too wide bounds, the product is an smpc.RangeError, not a wrong number. For standard errors, and data in
any unit, there is `model = "linear"` in a study: see 05_three_hospitals.
"""

import numpy as np
from numpy.typing import NDArray

import smpc

ROWS = 200


def measurements() -> NDArray[np.float64]:
    """Party 0's: four columns, standardized."""
    raw = np.random.default_rng(1).gamma(3.0, size=(ROWS, 4))
    return (raw - raw.mean(axis=0)) / raw.std(axis=0)


def outcome() -> NDArray[np.float64]:
    """Party 1's. For this example it is made from party 0's; in life it is what happened."""
    noise = 0.5 * np.random.default_rng(2).standard_normal(ROWS)
    return measurements() @ np.array([1.5, -0.7, 0.0, 0.2]) + noise


def program(party: smpc.Party) -> NDArray[np.float64]:
    """The weights, which all parties learn."""
    x = party.share(measurements() if party.rank == 0 else None, owner=0)
    y = party.share(outcome() if party.rank == 1 else None, owner=1)
    return np.linalg.solve(x.T @ x, x.T @ y).reveal()


if __name__ == "__main__":
    print(np.round(smpc.simulate(program, parties=2)[0], 5))
