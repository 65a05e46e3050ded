"""At the limits of the linear model a run gives an exact result or refuses; each case was once accepted and wrong."""

import numpy as np
import pytest

from smpc.errors import ModelError
from tests.smpc import studies

ACCURACY = 1e-3


def collinear(rows, noise, eps=0.008, slope=125.0, features=3):
    """Two features that hardly differ, and a target that depends on the difference."""
    rng = np.random.default_rng(0)
    first = rng.normal(size=rows)
    second = first + eps * rng.normal(size=rows)
    x = np.column_stack([first, second, rng.normal(size=(rows, features - 2))])
    return x, slope * (first - second) + noise * rng.normal(size=rows)


def ranges_of(table, width, position):
    """Ranges `width` standard deviations wide, with the data at `position` of the room that is left."""
    low, high, spread = table.min(axis=0), table.max(axis=0), table.std(axis=0)
    room = np.maximum(width * spread - (high - low), 0)
    return list(zip((low - room * position).tolist(), (high + room * (1 - position)).tolist(), strict=True))


def exact(x, y, penalty):
    """Coefficients and standard errors with extended precision, the intercept first."""
    x, y = x.astype(np.longdouble), y.astype(np.longdouble)
    rows, d = x.shape
    mean, level = x.mean(axis=0), y.mean()
    scale = np.sqrt(((x - mean) ** 2).mean(axis=0))
    z = (x - mean) / scale
    gram = z.T @ z
    inverse = np.linalg.inv((gram + penalty * np.eye(d)).astype(float)).astype(np.longdouble)
    for _ in range(3):
        inverse = inverse @ (2 * np.eye(d) - (gram + penalty * np.eye(d)) @ inverse)
    slopes = inverse @ (z.T @ (y - level))
    residual = y - level - z @ slopes
    variance = residual @ residual / (rows - 1 - np.trace(inverse @ gram))
    covariance = variance * inverse @ gram @ inverse
    at = mean / scale
    errors = np.concatenate([[np.sqrt(variance / rows + at @ covariance @ at)], np.sqrt(covariance.diagonal()) / scale])
    return np.concatenate([[level - slopes @ at], slopes / scale]), errors


def fits_or_refuses(x, y, *, width, position, split="rows", penalty=None):
    table = np.column_stack([x, y])
    names = [f"x{j}" for j in range(x.shape[1])]
    manifest = studies.manifest(names, ranges_of(table, width, position), 2, split=split, penalty=penalty)
    columns = dict(zip([*names, "y"], table.T, strict=True))
    parts = [
        {name: values[rank::2] for name, values in columns.items()}
        if split == "rows"
        else dict(list(columns.items())[rank::2])
        for rank in range(2)
    ]
    try:
        result = studies.fit(manifest, parts).results[0]
    except BaseExceptionGroup as group:
        if group.split(ModelError)[1] is not None:
            raise
        return False
    coefficients, errors = exact(x, y, penalty or 0.0)
    assert (np.abs(result.coefficients - coefficients) / errors).max() < ACCURACY
    assert np.abs(result.standard_errors / errors - 1).max() < ACCURACY
    return True


def test_an_ordinary_fit():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(200, 3))
    assert fits_or_refuses(x, x @ [1.0, 2.0, 3.0] + rng.normal(size=200), width=10, position=0.5)


@pytest.mark.parametrize("split", ["rows", "columns"])
@pytest.mark.parametrize("noise", [1.0, 0.02, 0.005])
@pytest.mark.parametrize(("rows", "width", "position"), [(2000, 1300, 1.0), (2000, 1300, 0.0), (20_000, 10, 0.5)])
def test_coefficients_that_cancel(rows, width, position, noise, split):
    fits_or_refuses(*collinear(rows, noise), width=width, position=position, split=split)


@pytest.mark.parametrize("penalty", [1e-5, 1e-3, 1.0, 100.0, 1e5])
@pytest.mark.parametrize("split", ["rows", "columns"])
def test_ridge_with_features_that_hardly_differ(penalty, split):
    x, y = collinear(5000, 0.02)
    fits_or_refuses(x, y + x[:, 2], width=10, position=0.5, split=split, penalty=penalty)


@pytest.mark.parametrize("penalty", [2.7e-3, 0.03, 0.1, 1.0, 10.0])
def test_ridge_with_a_feature_given_twice(penalty):
    rng = np.random.default_rng(1)
    x = rng.normal(size=(1000, 3))
    x[:, 2] = x[:, 0]
    fits_or_refuses(x, x[:, 1] + 3 * rng.normal(size=1000), width=20, position=0.5, penalty=penalty)


@pytest.mark.parametrize("features", [8, 9, 12, 16, 17, 40])
@pytest.mark.parametrize("eps", [3e-3, 1e-3, 6e-4, 3e-4])
def test_near_the_limit_of_collinearity(features, eps):
    x, y = collinear(500, 1.0, eps=eps, slope=1.0, features=features)
    fits_or_refuses(x, y, width=10, position=0.5)


@pytest.mark.parametrize("distance", [0, 10, 100, 250])
def test_a_range_far_from_zero(distance):
    rng = np.random.default_rng(2)
    x = rng.normal(size=(3000, 2))
    assert fits_or_refuses(x + 5 * distance, x @ [1.0, -1.0] + rng.normal(size=3000), width=10, position=0.5)
