"""Studies with generalized linear models among threads of this process, and what float64 says of the same data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import statsmodels.api as sm
from sklearn.datasets import load_breast_cancer, load_diabetes

from tests.smpc.studies import SEED, divided, fit, manifest, ranges_of

FAMILIES = {
    "logistic": sm.families.Binomial(),
    "poisson": sm.families.Poisson(),
    "gamma": sm.families.Gamma(sm.families.links.Log()),
}
FEW = (0, 1, 4, 9)  # mean radius, texture, smoothness, fractal dimension


def score(
    model, x, y, *,
    parties=3, split="rows", most=None, weights=None, offset=None, seed=SEED, preprocessing="dealer", **options,
):  # fmt: skip
    """The study of x0, x1, … and y; `most`: the largest y that is declared. Weights and offset are with y."""
    names = [*(f"x{number}" for number in range(x.shape[1])), "y"]
    low = {"logistic": 0, "poisson": 0}.get(model, float(y.min()) / 2)
    ranges = [*ranges_of(x), (low, 1 if model == "logistic" else float(y.max()) if most is None else most)]
    columns = [x, y]
    for name, values in (("weights", weights), ("offset", offset)):
        if values is not None:
            options[name], names = name, [*names, name]
            ranges.append((0.0, float(values.max())) if name == "weights" else ranges_of(values[:, None])[0])
            columns.append(values)
    a_manifest = manifest(names[: x.shape[1]], ranges, parties, split=split, model=model, **options)
    tables = divided(np.column_stack(columns), names, parties, split)
    return fit(a_manifest, tables, seed=seed, preprocessing=preprocessing)


@dataclass(frozen=True)
class Expected:
    """A fit in float64, the intercept first."""

    coefficients: np.ndarray
    errors: np.ndarray


def plain(model, x, y, weights=None, offset=None):
    """What statsmodels says."""
    found = sm.GLM(y, sm.add_constant(x), family=FAMILIES[model], offset=offset, freq_weights=weights)
    return found.fit(tol=1e-13, maxiter=200)


def penalized(x, y, penalty, model="logistic"):
    """A fit with half the squares of standardized coefficients penalized, the likelihood at a dispersion of 1."""
    family, rows, d = FAMILIES[model], *x.shape
    spread = x.std(axis=0)
    design = np.column_stack([np.ones(rows), (x - x.mean(axis=0)) / spread])
    ridge, beta = np.diag([0.0, *[penalty] * d]), np.append(family.link(y.mean()), np.zeros(d))
    for _ in range(60):
        mu = family.fitted(design @ beta)
        weights = family.weights(mu)
        inner = design.T @ (weights[:, None] * design)
        working = weights * family.link.deriv(mu) * (y - mu)
        beta += np.linalg.solve(inner + ridge, design.T @ working - ridge @ beta)
    inverse = np.linalg.inv(inner + ridge)
    back = np.vstack([np.append(1.0, -x.mean(axis=0) / spread), np.column_stack([np.zeros(d), np.diag(1 / spread)])])
    dispersion = np.sum((y - mu) ** 2 / mu**2) / (rows - d - 1) if model == "gamma" else 1.0
    return Expected(back @ beta, np.sqrt(dispersion * np.diag(back @ inverse @ inner @ inverse @ back.T)))


def assert_near(run, expected, errors, *, bound=0.01):
    """Coefficients within so much of their own standard errors, standard errors within one in a hundred."""
    (found, *_) = run.results
    assert np.abs((found.coefficients - expected) / errors).max() <= bound
    assert np.abs(found.standard_errors / errors - 1).max() <= 0.01


def cancer(columns=FEW):
    """Features and target of 569 tumours; benign is 1."""
    data = load_breast_cancer()
    return data.data[:, columns], data.target.astype(float)


def visits():
    """Numbers of visits to a doctor of 1,000 people, of the RAND health insurance experiment."""
    data = sm.datasets.randhie.load_pandas()
    return data.exog.to_numpy(float)[:1000, :6], data.endog.to_numpy(float)[:1000]


def progression():
    """How far the diabetes of 442 people went on: an amount."""
    data, target = load_diabetes(scaled=False, return_X_y=True)
    return data[:, [0, 2, 3, 8]], target
