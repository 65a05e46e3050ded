"""Models on secret data: what each computes, what it opens, how exact it is.

Estimators have scikit-learn's habits and are here; `metrics`, `validation`, `saved` and `export` are modules beside.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from smpc.models.classifier import SGDClassifier
    from smpc.models.regression import GammaRegressor, LinearRegression, LogisticRegression, PoissonRegressor
    from smpc.models.sgd import SGDRegressor

__all__ = [
    "GammaRegressor",
    "LinearRegression",
    "LogisticRegression",
    "PoissonRegressor",
    "SGDClassifier",
    "SGDRegressor",
]

_HOMES = {"SGDClassifier": "smpc.models.classifier", "SGDRegressor": "smpc.models.sgd"}


def __getattr__(name: str) -> Any:
    """Names are looked up when they are first used: a study needs no estimators."""
    if name not in __all__:
        raise AttributeError(f"module 'smpc.models' has no attribute {name!r}")
    return getattr(import_module(_HOMES.get(name, "smpc.models.regression")), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
