"""The sections of a manifest: each key's type, limits and default, declared once.

A key's description completes the sentence "KEY must be …": `smpc.config` words errors with it. What a
section can check alone is checked here; what ties sections together, in `smpc.config`.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, TypeAlias, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from smpc.names import IDENTIFIER, IDENTIFIER_WORDS, INTERCEPT

if TYPE_CHECKING:
    from collections.abc import Sequence

Model: TypeAlias = Literal[
    "linear", "ridge", "logistic", "poisson", "gamma", "summary", "crosstab", "compare", "survival", "logrank"
]
MODELS: tuple[Model, ...] = get_args(Model)
SCORED = ("logistic", "poisson", "gamma")  # generalized linear models, by Fisher scoring
STATISTICS = ("summary", "crosstab", "compare", "survival", "logrank")  # see smpc.study_statistics

Output: TypeAlias = Literal["coefficients", "standard_errors", "fit"]
OUTPUTS: tuple[Output, ...] = ("coefficients", "standard_errors", "fit")

_PROGRAM = r"([\w-][\w.-]*/)*[\w-][\w.-]*\.py:[A-Za-z_]\w*"  # no leading dot or slash: it stays in the folder
_ADDRESS = r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):([1-9][0-9]{0,4})"


def repeated(names: Sequence[str]) -> str | None:
    """The first of `names` that occurs again, or None."""
    return next((name for name, count in Counter(names).items() if count > 1), None)


def _require(condition: bool, otherwise: str) -> None:  # noqa: FBT001
    if not condition:
        raise ValueError(otherwise)


def _matching(pattern: str) -> AfterValidator:
    def check(text: str) -> str:
        _require(re.fullmatch(pattern, text, re.ASCII) is not None, "does not match")
        return text

    return AfterValidator(check)


def _one_line(text: str) -> str:
    _require(0 < len(text) <= 200 and text.isprintable() and text == text.strip(), "not a plain line")
    return text


def _interval(ends: tuple[float, float]) -> tuple[float, float]:
    _require(ends[0] < ends[1] and math.isfinite(ends[1] - ends[0]), "not an interval")
    return ends


def _valid_port(address: str) -> str:
    _require(int(address.rpartition(":")[2]) <= 65535, "no such port")
    return address


Line: TypeAlias = Annotated[str, AfterValidator(_one_line)]
Level: TypeAlias = Line | int
Identifier: TypeAlias = Annotated[str, _matching(IDENTIFIER)]
Program: TypeAlias = Annotated[str, _matching(_PROGRAM)]
Finite: TypeAlias = Annotated[float, Field(allow_inf_nan=False)]
# TOML has arrays and no tuples, so that these two, unlike all else, take a list for what they are.
Interval: TypeAlias = Annotated[tuple[Finite, Finite], Field(strict=False), AfterValidator(_interval)]
PublicKey: TypeAlias = Annotated[str, _matching(r"[0-9A-Fa-f]{64}"), AfterValidator(str.lower)]
Address: TypeAlias = Annotated[str, _matching(_ADDRESS), AfterValidator(_valid_port), AfterValidator(str.lower)]


def key(description: str, default: Any = ..., **limits: Any) -> Any:
    """A field whose `description` completes the message "KEY must be …"."""
    return Field(default, description=description, **limits)


class Section(BaseModel):
    """What all sections have in common: frozen, and no key, type or conversion beyond the declared."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


OF_PROGRAMS = {"fraction_bits", "rounding"}
OF_SCORED = ("weights", "offset", "iterations", "convergence")


class Study(Section):
    """[study]: what is computed. Exactly one of `model` and `program` is set."""

    name: Identifier = key(IDENTIFIER_WORDS)
    model: Model | None = key(", ".join(f'"{name}"' for name in MODELS[:-1]) + f' or "{MODELS[-1]}"', None)
    program: Program | None = key('"file.py:function", the file in the folder of the manifest or below', None)
    split: Literal["rows", "columns"] = key('"rows" or "columns"', "rows")
    target: Line = key("the name of a column", "")
    features: tuple[Line, ...] = key("a list of names of columns, at least one", (), min_length=1, strict=False)
    penalty: Finite = key("a number above 0", 0.0, gt=0)
    weights: Line = key("the name of a column", "")
    offset: Line = key("the name of a column", "")
    iterations: int = key("a whole number from 2 to 100", 9, ge=2, le=100)
    convergence: Literal["check", "step"] = key('"check" or "step"', "check")
    time: Line = key("the name of a column", "")
    grid: tuple[Finite, ...] = key("a list of ascending numbers", (), min_length=1, strict=False)
    confidence_level: Finite = key("a number between 0 and 1, such as 0.95", 0.95, gt=0, lt=1)
    fraction_bits: int = key("a whole number from 8 to 30", 20, ge=8, le=30)
    rounding: Literal["random", "down"] = key('"random" or "down"', "random")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        _require((self.model is None) != (self.program is None), "needs either model or program, not both")
        mine, other = ("model", "program") if self.model else ("program", "model")
        common = {"name", mine}
        allowed = common | (OF_PROGRAMS if self.program else set(Study.model_fields) - OF_PROGRAMS)
        for extra in sorted(self.model_fields_set - allowed):
            raise ValueError(f"{extra} is for a study with a {other}, and this one has a {mine}: remove it")
        if self.statistic:
            self._whole_statistic()
        elif self.model:
            self._whole_model()
        return self

    @property
    def scored(self) -> bool:
        """Whether the model is a generalized linear one."""
        return self.model in SCORED

    @property
    def statistic(self) -> bool:
        """Whether the model is a statistic, whose program is built in."""
        return self.model in STATISTICS

    @property
    def programmed(self) -> bool:
        """Whether the study runs a program, its own or one that is built in."""
        return self.program is not None or self.statistic

    @property
    def in_pieces(self) -> bool:
        """Whether sums over a party's rows are all that is needed of them."""
        return self.split == "rows" and not (self.scored or self.statistic)

    @property
    def others(self) -> tuple[str, ...]:
        """The columns of the model that are no features, the target first."""
        return tuple(name for name in (self.target, self.weights, self.offset, self.time) if name)

    def _whole_statistic(self) -> None:
        needs, takes = {
            "summary": (("features",), (1, 128)),
            "crosstab": (("features",), (2, 2)),
            "compare": (("target", "features"), (1, 1)),
            "survival": (("time", "target", "grid"), (0, 1)),
            "logrank": (("time", "target", "grid", "features"), (1, 1)),
        }[str(self.model)]
        for needed in needs:
            _require(needed in self.model_fields_set, f'lacks the key {needed}, which model = "{self.model}" needs')
        for extra in sorted(self.model_fields_set - {"name", "model", "split", "features", *needs}):
            raise ValueError(f'{extra} is not for model = "{self.model}": remove it')
        _require(self.split == "rows", f'model = "{self.model}" is for split = "rows"')
        low, high = takes
        wanted = f"{low}" if low == high else f"{low} to {high}"
        _require(low <= len(self.features) <= high, f'model = "{self.model}" has {wanted} features')
        twice = repeated((*self.features, *self.others))
        _require(twice is None, f'"{twice}" is named twice')
        _require(list(self.grid) == sorted(set(self.grid)), "grid must be a list of ascending numbers")

    def _whole_model(self) -> None:
        ridge = ("penalty",) if self.model == "ridge" else ()
        for needed in ("split", "target", "features", *ridge):
            _require(needed in self.model_fields_set, f'lacks the key {needed}, which model = "{self.model}" needs')
        _require(
            self.model != "linear" or "penalty" not in self.model_fields_set,
            'penalty is for every regression but model = "linear": remove it',
        )
        for extra in OF_SCORED:
            _require(
                self.scored or extra not in self.model_fields_set,
                f'{extra} is for model = "logistic", "poisson" or "gamma": remove it',
            )
        for extra in ("time", "grid"):
            _require(extra not in self.model_fields_set, f'{extra} is for model = "survival" or "logrank": remove it')
        _require((twice := repeated(self.features)) is None, f'features has "{twice}" twice')
        _require(self.target not in self.features, f'"{self.target}" is the target and also one of the features')
        twice = repeated((*self.features, *self.others))
        _require(twice is None, f'"{twice}" has two parts in the model: of features, target, weights and offset, one')
        _require(
            INTERCEPT not in (*self.features, *self.others),
            f'"{INTERCEPT}" is what results call the constant term: rename that column',
        )


class Column(Section):
    """[columns.NAME]: what the owner checks in its data. `range` is inclusive, in the column's own unit.

    `levels`: of a category, the first of which models take for the reference. `missing`: what becomes of a row without
    a value: an error, it is left out, or the value is taken to be a number.
    """

    type: Literal["number", "integer", "category"] = key('"number", "integer" or "category"', "number")
    unit: Line | None = key('text, such as "kg/m2"', None)
    range: Interval | None = key("[low, high]: two finite numbers, low below high", None)
    levels: tuple[Level, ...] = key(
        "a list of at least two lines of text or whole numbers", (), min_length=2, strict=False
    )
    missing: Literal["refuse", "drop"] | Finite = key('"refuse", "drop" or a number', "refuse")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        category, number = self.type == "category", not isinstance(self.missing, str)
        _require(bool(self.levels) == category, 'levels belong to type = "category", and it needs them')
        _require((twice := repeated(list(map(str, self.levels)))) is None, f'levels has "{twice}" twice')
        _require(not category or self.range is None, "range: a category has levels instead")
        _require(not (category and number), 'missing of a category is "refuse" or "drop"')
        if number and self.range is not None:
            low, high = self.range
            _require(low <= float(self.missing) <= high, "missing: the number is not within the range")
        if self.type == "integer" and self.range is not None:
            _require(math.ceil(self.range[0]) <= self.range[1], "range: there is no whole number within it")
        whole = not number or self.type != "integer" or float(self.missing).is_integer()
        _require(whole, "missing: a fraction in a column of whole numbers")
        return self


class Security(Section):
    """[security]: against whom, and where the correlated randomness comes from."""

    adversary: Literal["semi-honest"] = key('"semi-honest"', "semi-honest")
    preprocessing: Literal["ot", "dealer"] = key('"ot" or "dealer"', "ot")

    @model_validator(mode="before")
    @classmethod
    def _promised_for_later(cls, section: Any) -> Any:
        if isinstance(section, dict) and section.get("adversary") == "malicious":
            raise ValueError('adversary = "malicious" is not available in this version; use "semi-honest"')
        return section


class Release(Section):
    """[release]: who learns what, and from how many rows at least, in total and per party."""

    to: tuple[Identifier, ...] = key("a list of names of parties, at least one", min_length=1, strict=False)
    minimum_rows: int = key("a whole number, at least 1", 10, ge=1, lt=2**53)
    minimum_cell: int = key("a whole number, at least 1", 5, ge=1, lt=2**31)
    outputs: tuple[Output, ...] = key(
        "a list of some of " + ", ".join(f'"{name}"' for name in OUTPUTS), OUTPUTS, min_length=1, strict=False
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        for name, values in (("to", self.to), ("outputs", self.outputs)):
            _require((twice := repeated(values)) is None, f'{name} has "{twice}" twice')
        _require(
            "coefficients" in self.outputs or "standard_errors" not in self.outputs,
            'outputs: "standard_errors" needs "coefficients" beside it',
        )
        return self


class PartyEntry(Section):
    """[[party]]: who takes part. `public_key` is 64 lower-case hex digits; None in an incomplete manifest."""

    name: Identifier = key(IDENTIFIER_WORDS)
    role: Literal["owner", "dealer"] = key('"owner" or "dealer"', "owner")
    address: Address | None = key('"host:port", an IPv6 host in [brackets]', None)
    public_key: PublicKey | None = key("the 64 hex digits that smpc keygen printed", None)


class Document(Section):
    """The whole file, as TOML names it."""

    study: Study = key("a section [study]")
    columns: dict[Line, Column] = key("sections [columns.NAME]", {})
    security: Security = key("a section [security]", Security())
    release: Release = key("a section [release]")
    party: tuple[PartyEntry, ...] = key("blocks [[party]] (double brackets), one for each party", strict=False)
