"""Two institutes fit three regressions on the same people: one has the features, the other the target.

    python examples/14_regressions.py
    smpc local examples/14_regressions.py --parties 2

Estimators have the habits of scikit-learn's. What they learn is secret until `reveal`, and can be computed on: a score
is that of secret predictions, and nothing else of them is opened. `print(fit.reveal())` prints all that a paper needs.
A fit takes about 400 rounds, however many rows there are. See docs/regression.md.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer, load_diabetes, load_linnerud

import smpc
from smpc.models import GammaRegressor, LogisticRegression, PoissonRegressor

MODELS = {"logistic": LogisticRegression, "poisson": PoissonRegressor, "gamma": GammaRegressor}
FEATURES = {"logistic": [(5, 30), (5, 45)], "poisson": [(100, 260), (25, 50)], "gamma": [(15, 45), (3, 7)]}
TARGET = {"logistic": (0, 1), "poisson": (0, 20), "gamma": (20, 400)}


def table(model: str) -> tuple[NDArray[np.float64], NDArray[Any]]:
    """Features and target, which the owners would read from files."""
    if model == "logistic":  # radius and texture of a tumour; if it is benign
        data = load_breast_cancer()
        return data.data[:, :2], data.target
    if model == "poisson":  # weight and waist of men in a fitness club; how many chin-ups they do
        data = load_linnerud()
        return data.target[:, :2], data.data[:, 0].astype(int)
    data = load_diabetes(scaled=False)  # body mass index and a lipid; how far the disease went on
    return data.data[:, [2, 8]], data.target


def program(party: smpc.Party) -> list[float]:
    """Of each model: its intercept and coefficients, their standard errors, the score."""
    found: list[float] = []
    for name, model in MODELS.items():
        features, target = table(name)
        x = party.share(features if party.rank == 0 else None, 0, bounds=512)
        y = party.share(target if party.rank == 1 else None, 1, bounds=TARGET[name])
        fit = model().fit(x, y, ranges=FEATURES[name])
        result = fit.reveal()
        found += [*result.coefficients, *result.standard_errors, float(fit.score(x, y).reveal())]
    return found


if __name__ == "__main__":
    figures = smpc.simulate(program, parties=2)[0]
    for name in MODELS:
        (*coefficients, score), figures = figures[:7], figures[7:]
        print(f"{name}:", *(f"{number:.5f}" for number in coefficients), f"score {score:.4f}")
