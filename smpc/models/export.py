"""A released fit as a plain scikit-learn estimator, which predicts for whoever has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from smpc.result import LinearResult
from smpc.result_glm import GlmResult

if TYPE_CHECKING:
    from smpc.result import Result

_LOGISTIC = "logistic"


def to_sklearn(result: Result) -> Any:
    """scikit-learn's LinearRegression, Ridge, LogisticRegression, PoissonRegressor or GammaRegressor, fitted.

    For arrays whose columns are the features in the order of `result.names`. Raises ValueError if no coefficients were
    released.
    """
    from sklearn import linear_model

    if result.coefficients is None:
        raise ValueError("no coefficients were released")
    kinds = {
        "linear": linear_model.LinearRegression,
        "ridge": linear_model.Ridge,
        "poisson": linear_model.PoissonRegressor,
        "gamma": linear_model.GammaRegressor,
    }
    intercept, slopes = float(result.coefficients[0]), result.coefficients[1:]
    if result.model == _LOGISTIC:
        made: Any = linear_model.LogisticRegression()
        made.classes_, made.coef_, made.intercept_ = np.array([0, 1]), slopes[None, :], np.array([intercept])
    else:
        made = kinds[result.model]()
        made.coef_, made.intercept_ = slopes, intercept
    if isinstance(result, GlmResult) and result.model != _LOGISTIC:
        made._base_loss = made._get_loss()  # noqa: SLF001 - what its fit would have left for predict
    elif isinstance(result, LinearResult):
        made.rank_ = len(slopes)
    made.n_features_in_ = len(slopes)
    return made
