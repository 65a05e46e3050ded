"""The same model on pooled data in the clear, in float64: what the demo compares with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

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
