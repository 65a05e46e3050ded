"""A fitted regression that stays secret: kept by each party as its shares, and taken up by a later program.

    keep(party, "model", LogisticRegression().fit(x, y))      # in one run
    load(party, "model").predict(x)                           # in another one, of the same parties

See `Party.keep`. What is public of a model is kept beside: its kind, and the ranges of its features.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from smpc.models.regression import GammaRegressor, LinearRegression, LogisticRegression, PoissonRegressor

if TYPE_CHECKING:
    from smpc.party import Party

Regression = LinearRegression | LogisticRegression | PoissonRegressor | GammaRegressor

_KINDS = {kind.__name__: kind for kind in (LinearRegression, LogisticRegression, PoissonRegressor, GammaRegressor)}


def keep(party: Party, name: str, model: Regression) -> None:
    """Keep a fitted model as `name`. One round. Raises what `Party.keep` raises."""
    public, secret = model.state()
    party.keep(name, [type(model).__name__, public], **secret)


def load(party: Party, name: str) -> Regression:
    """The model that was kept as `name`: it predicts, and has `coef_` and `intercept_`. Raises as `Party.kept`."""
    (kind, public), secret = party.kept(name)
    model: Regression = _KINDS[kind]()
    model.restore(public, secret)
    return model
