"""How to read a result, in sentences for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smpc.figures import percent
from smpc.result import LinearResult
from smpc.result_glm import GlmResult

if TYPE_CHECKING:
    from smpc.result import Result

_MEANING = {
    "logistic": "the logarithm of the odds of {} = 1",
    "poisson": "the logarithm of the expected {}",
    "gamma": "the logarithm of the expected {}",
}
_EXPONENTIAL = {"logistic": "an odds ratio", "poisson": "a rate ratio", "gamma": "a ratio of means"}


def not_released(result: Result) -> str:
    """What describes a fit as a whole and is not there, if so."""
    if isinstance(result, LinearResult) and result.r_squared is None:
        return "R² and residual standard error are not among what this study releases."
    if isinstance(result, GlmResult) and result.deviance is None:
        return "Deviance and AIC are not among what this study releases."
    return ""


def sentences(result: Result) -> list[str]:
    """What the numbers mean, as far as they were released."""
    found = []
    if result.coefficients is not None:
        found.append(_coefficients(result))
    if result.standard_errors is not None:
        level = percent(result.confidence_level).replace(" ", "\N{NO-BREAK SPACE}")
        found.append(
            "The standard error says how far the coefficient would vary from sample to sample; of intervals made in "
            f"this way, {level} hold the true value. p is the probability of a coefficient at least this far from zero "
            "if its true value were zero. All of this supposes that the assumptions of the model hold."
        )
    found += _whole(result)
    if result.penalty is not None:
        found.append(_shrunken(result, result.penalty))
    return [
        *found,
        (
            "The numbers are those of a fit to all rows in one table, which nobody had. They show association; whether "
            "it is cause and effect, they cannot tell."
        ),
    ]


def _coefficients(result: Result) -> str:
    what = _MEANING.get(result.model, "the expected {}").format(result.target)
    said = (
        f"A coefficient is the change in {what} that goes with one more unit of that variable, all other variables "
        "being equal; the intercept is what is expected where all of them are zero."
    )
    ratio = _EXPONENTIAL.get(result.model)
    return f"{said} The exponential of a coefficient is {ratio}." if ratio else said


def _whole(result: Result) -> list[str]:
    if isinstance(result, LinearResult) and result.r_squared is not None:
        said = f"R² is the share of the variance of {result.target} that the model accounts for"
        f = "; F compares it with a model that has the intercept alone" if result.f_statistic is not None else ""
        return [f"{said}{f}."]
    if isinstance(result, GlmResult) and result.pseudo_r_squared is not None:
        said = (
            "Deviance is twice what the likelihood lacks to that of a model that fits every row; pseudo-R² is the "
            "share of it that the variables take away from a model with the intercept alone. AIC compares models of "
            "the same rows: less is better."
        )
        return [said]
    return []


def _shrunken(result: Result, penalty: float) -> str:
    name = "Ridge regression" if isinstance(result, LinearResult) else "The penalty"
    said = (
        f"{name} draws the coefficients towards zero, here with a penalty of {penalty:.6g} on standardized variables."
    )
    if result.standard_errors is None:
        return said
    return (
        f"{said} Standard errors, intervals and p describe how the shrunken coefficients vary; they take no account of "
        "the bias that shrinking brings, and are no tests of unshrunken effects."
    )
