"""The trust statement: who could learn what from a study, in sentences for a person.

It follows from the manifest alone, so that it can be read before a byte is sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from smpc.figures import listed

if TYPE_CHECKING:
    from smpc.config import Manifest

_OUTPUTS = {
    "coefficients": ["coefficients"],
    "standard_errors": ["standard errors"],
    "fit": ["R²", "residual standard error"],
}
_STATISTICS = {
    "summary": "counts, means, standard deviations and quartiles of columns, correlations, and frequencies",
    "crosstab": "a table of counts, and a test of independence if no count is hidden",
    "compare": "the difference of two means, its standard error and degrees of freedom",
    "survival": "numbers at risk and of events over time, rounded",
    "logrank": "the log-rank statistic of groups",
}
_HIDDEN_CELLS = (
    "Counts below {} are hidden inside the computation. Every owner learns the number of rows that each owner has, and "
    "whether there are enough people for what is released."
)
_DEVIANCE = ["deviance", "AIC", "total of the target and of functions of it"]
_HIDDEN = (
    "But for what the next points name, no row, sum or intermediate value of anyone leaves its owner in the "
    "clear: what is sent is hidden by random numbers that its receiver does not know, over encrypted, "
    "authenticated links."
)


def trust_statement(manifest: Manifest) -> list[str]:
    """Plain sentences: who takes part, what stays hidden from whom, what is released, what must be assumed."""
    return [
        f"{listed(party.name for party in manifest.owners)} own the data and compute together.",
        _HIDDEN,
        *_released(manifest),
        *_dealer(manifest),
        _adversary(manifest),
        _not_hidden(manifest),
        _results(manifest),
    ]


def _released(manifest: Manifest) -> list[str]:
    to = "only to " + listed(manifest.release.to)
    if manifest.study.statistic:
        return [
            f"Released {to}: {_STATISTICS[str(manifest.study.model)]}.",
            _HIDDEN_CELLS.format(manifest.release.minimum_cell),
        ]
    if manifest.study.program:
        shapes = "Every owner learns the shapes of what is shared, and whether the program's checks hold."
        return [f"Released {to}: what the program {manifest.study.program} reveals, and nothing else.", shapes]
    named = _OUTPUTS | ({"fit": _DEVIANCE} if manifest.study.scored else {})
    outputs = [text for name in named if name in manifest.release.outputs for text in named[name]]
    if manifest.study.model == "gamma" and "standard_errors" in manifest.release.outputs:
        outputs.append("dispersion")
    if manifest.study.convergence == "step":
        outputs.append("distance to the optimum")
    if manifest.study.model == "poisson" and "fit" in manifest.release.outputs:
        outputs.append("by these totals, how often each count occurs")
    if manifest.study.model == "ridge" and set(manifest.release.outputs) != {"coefficients"}:
        outputs.append("effective degrees of freedom")
    return [f"Released {to}: {listed(outputs)}.", _public(manifest)]


def _public(manifest: Manifest) -> str:
    number = "three" if manifest.study.scored else "four"
    checks = f"whether each column varies and whether the fit passed its {number} checks"
    if manifest.study.scored and manifest.study.split == "rows":
        return f"Every owner learns the number of rows that each owner has, {checks}."
    if manifest.study.split == "rows":
        return f"Every owner learns the number of rows in total, {checks}."
    return f"Every owner learns the number of rows and the names of the columns that each owner has, and {checks}."


def _dealer(manifest: Manifest) -> list[str]:
    if manifest.dealer is None:
        made = "the random numbers that the computation uses up come from oblivious transfer between the parties"
        return [f"There is no third party: {made} themselves."]
    name = manifest.dealer.name
    if manifest.study.program:
        inputs = "what every owner puts in"
    elif manifest.study.in_pieces:
        inputs = "what the others put in: here sums, squares and products over all their rows"
    else:
        columns = "their columns, row by row" if manifest.study.split == "columns" else "their rows"
        inputs = f"what the others put in: here {columns}"
    role = f"{name} is the dealer: it makes the random numbers that the computation uses up. Alone it sees only shapes."
    return [f"{role} It must not collude: together with any one owner it could reconstruct {inputs}."]


def _adversary(manifest: Manifest) -> str:
    pooled = ", even if all owners but one pool what they see" if len(manifest.owners) > 2 else ""
    return (
        "All this holds against parties that follow the protocol and try to learn from what they see "
        f"(semi-honest){pooled}. It does not hold against one that departs from the protocol: that could learn "
        "more, or falsify the result, and might not be noticed."
    )


def _not_hidden(manifest: Manifest) -> str:
    known = (
        "the study file and the program" if manifest.study.program else "the study file, with its columns and ranges"
    )
    return (
        f"Not hidden: from the parties, {known}; from whoever watches the network, who takes part, and the sizes "
        "and times of messages."
    )


def _results(manifest: Manifest) -> str:
    if len(manifest.owners) == 2:
        return (
            "A result says something about the data. With two owners, one that receives it and knows its own "
            "data can learn a lot about the other's."
        )
    return (
        "A result says something about the data. An owner that receives it and knows its own data learns something "
        "about the others' taken together; results of studies that differ in a few rows can tell about these rows."
    )
