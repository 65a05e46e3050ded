"""The same models on pooled data in the clear, in float64: what the demo compares with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

_NEWTON_STEPS = 30

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Reals = NDArray[np.float64]


def ordinary_least_squares(x: Reals, y: Reals) -> tuple[Reals, Reals]:
    """Coefficients and standard errors, the intercept first, by a QR factorization of [1 x]."""
    design = np.column_stack([np.ones(len(x)), x])
    q, r = np.linalg.qr(design)
    coefficients: Reals = np.linalg.solve(r, q.T @ y)
    residual = y - design @ coefficients
    variance = residual @ residual / (len(x) - design.shape[1])
    inverse = np.linalg.inv(r)
    errors: Reals = np.sqrt(variance * (inverse**2).sum(axis=1))
    return coefficients, errors


def logistic_regression(x: Reals, y: Reals) -> tuple[Reals, Reals]:
    """Coefficients and standard errors, the intercept first, by Newton's method on standardized features."""
    mean, spread = x.mean(axis=0), x.std(axis=0)
    design = np.column_stack([np.ones(len(x)), (x - mean) / spread])
    beta, information = np.zeros(design.shape[1]), np.eye(design.shape[1])
    for _ in range(_NEWTON_STEPS):
        mu = 1 / (1 + np.exp(-design @ beta))
        information = design.T @ ((mu * (1 - mu))[:, None] * design)
        beta += np.linalg.solve(information, design.T @ (y - mu))
    back = np.vstack([np.append(1.0, -mean / spread), np.column_stack([np.zeros(len(mean)), np.diag(1 / spread)])])
    errors: Reals = np.sqrt(np.diag(back @ np.linalg.inv(information) @ back.T))
    return back @ beta, errors
