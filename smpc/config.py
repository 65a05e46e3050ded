"""The manifest: one study.toml, the same bytes at every party, nothing private in it.

Every error is a ManifestError of one line that starts with the file's name: pydantic finds what is wrong,
the words are ours.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from dataclasses import dataclass, field
from itertools import chain, combinations
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from smpc.errors import ManifestError
from smpc.names import clean, nearest
from smpc.sections import Column, Document, PartyEntry, Release, Section, Security, Study, repeated
from smpc.terms import Term, columns_of, terms

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

__all__ = [
    "Column", "Manifest", "PartyEntry", "Release", "Security", "Study",
    "difference", "load_manifest", "parse_manifest",
]  # fmt: skip

MAXIMUM_BYTES = 64 * 1024
_FARTHEST = 2.0**41  # a number of a statistic, which is shared with 20 fraction bits
MAXIMUM_LINE = 8 * 1024  # reading a dotted key takes time quadratic in its length


@dataclass(frozen=True)
class Manifest:
    """A checked manifest. `digest` is the SHA-256 of `text`, the file's bytes, the same at every party."""

    text: bytes = field(repr=False)
    digest: bytes = field(repr=False)
    study: Study
    columns: Mapping[str, Column]
    security: Security
    release: Release
    parties: tuple[PartyEntry, ...]

    @property
    def wanted(self) -> tuple[str, ...]:
        """The columns that the model is made of."""
        made_of = (columns_of(feature, self.columns) for feature in self.study.features)
        return tuple(dict.fromkeys([*chain.from_iterable(made_of), *self.study.others]))

    @property
    def terms(self) -> list[Term]:
        """What the features stand for."""
        return terms(self.study.features, self.columns)

    @property
    def owners(self) -> tuple[PartyEntry, ...]:
        """The computing parties; an owner's rank is its index here."""
        return tuple(party for party in self.parties if party.role == "owner")

    @property
    def dealer(self) -> PartyEntry | None:
        """The party that makes the correlated randomness, if the study has one."""
        return next((party for party in self.parties if party.role == "dealer"), None)

    def party(self, name: str) -> PartyEntry:
        """The party called `name`. Raises ManifestError, naming the parties there are."""
        for party in self.parties:
            if party.name == name:
                return party
        known = ", ".join(party.name for party in self.parties)
        raise ManifestError(f"study {self.study.name} has no party {clean(_text(name))}; its parties are {known}")


def load_manifest(path: Path, *, allow_incomplete: bool = False) -> Manifest:
    """The manifest at `path`; see `parse_manifest`. Raises ManifestError, also if it cannot be read."""
    try:
        with path.open("rb") as file:
            text = file.read(MAXIMUM_BYTES + 1)
    except FileNotFoundError:
        raise ManifestError(f"{path.name}: no such file in {path.absolute().parent}") from None
    except IsADirectoryError:
        raise ManifestError(f"{path.name}: is a folder; name the study.toml in it") from None
    except OSError as error:
        raise ManifestError(f"{path.name}: cannot be read: {error.strerror}") from None
    return parse_manifest(text, path.name, allow_incomplete=allow_incomplete)


def parse_manifest(text: bytes, source: str, *, allow_incomplete: bool = False) -> Manifest:
    """The manifest with the bytes `text`; `source` is its name in messages.

    With `allow_incomplete`, parties may lack public keys and addresses, for a run on one machine that makes
    them. Raises ManifestError: one line that names section and key.
    """
    table: dict[str, Any] = {}
    try:
        table = _toml(text)
        document = Document.model_validate(table)
        _check_parties(document.party, document.security.preprocessing)
        _check_columns(document)
        _check_receivers(document)
        if not allow_incomplete:
            _check_reachable(document.party)
    except ValidationError as error:
        raise ManifestError(f"{source}: {_sentence(error, table)}") from None
    except ValueError as error:
        raise ManifestError(f"{source}: {error}") from None
    return Manifest(
        text, hashlib.sha256(text).digest(), document.study, MappingProxyType(document.columns),
        document.security, document.release, document.party,
    )  # fmt: skip


def difference(ours: bytes, theirs: bytes) -> str | None:
    """The first field that differs between two manifests, with both values; None if the bytes are the same.

    Never raises: `theirs` comes from a peer, before anything is known about it.
    """
    if ours == theirs:
        return None
    try:
        here, there = _flat(ours, "here"), _flat(theirs, "there")
    except ValueError as error:
        return str(error)
    for name in (*here, *there):
        mine, peers = (clean(fields.get(name, "absent")) for fields in (here, there))
        if here.get(name) != there.get(name):
            return f"{clean(name)} is {peers} there and {mine} here"
    return "the texts differ (comments or layout)"


# Reading


def _toml(text: bytes) -> dict[str, Any]:
    """The content of `text`. Raises ValueError, and nothing else, whatever the bytes are."""
    if len(text) > MAXIMUM_BYTES:
        raise ValueError(f"larger than {MAXIMUM_BYTES // 1024} KiB")
    if len(max(text.split(b"\n"), key=len)) > MAXIMUM_LINE:
        raise ValueError(f"has a line longer than {MAXIMUM_LINE} bytes: break it")
    try:
        decoded = text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        raise ValueError(f"line {line}: not UTF-8 text; save the file as UTF-8") from None
    try:
        return tomllib.loads(decoded)
    except RecursionError:
        raise ValueError("not valid TOML: nested too deeply") from None
    except tomllib.TOMLDecodeError as error:
        raise ValueError(_toml_sentence(str(error), decoded)) from None
    except ValueError:  # from int(), for more digits than it takes
        raise ValueError("not valid TOML: a number has too many digits") from None


def _toml_sentence(message: str, text: str) -> str:
    what, _, where = message.partition(" (at ")
    found = re.match(r"line (\d+), column (\d+)", where)
    if found:
        return f"line {found[1]}, column {found[2]}: not valid TOML: {what}"
    if where:
        return f"line {text.rstrip().count(chr(10)) + 1}: not valid TOML: {what} when the file ends"
    return f"not valid TOML: {what}"


# What ties the sections together


def _check_parties(parties: Sequence[PartyEntry], preprocessing: str) -> None:
    for one, other in combinations(parties, 2):
        if one.name.lower() == other.name.lower():  # names become folders, on any file system
            raise ValueError(f'two [[party]] blocks have the name "{other.name}": each needs its own')
        for key in ("public_key", "address"):
            if getattr(one, key) is not None and getattr(one, key) == getattr(other, key):
                both = f'"{one.name}" and "{other.name}"'
                raise ValueError(f"[[party]] {both} have the same {key}: each needs its own")
    roles = [party.role for party in parties]
    owners, dealers = roles.count("owner"), roles.count("dealer")
    if owners < 2:
        raise ValueError(f"a study needs at least 2 parties with the role owner, and this one has {owners}")
    if preprocessing == "ot" and dealers:
        raise ValueError(
            'preprocessing = "ot" needs no dealer: remove the [[party]] with role = "dealer", or say '
            '[security] preprocessing = "dealer"'
        )
    if preprocessing == "dealer" and dealers != 1:
        raise ValueError(f'preprocessing = "dealer" needs one [[party]] with role = "dealer", not {dealers}')


def _check_columns(document: Document) -> None:
    study = document.study
    if not study.model:
        return
    made_of = [columns_of(feature, document.columns) for feature in study.features if not study.statistic]
    if study.statistic:
        made_of = [(feature,) for feature in study.features]
    for name in dict.fromkeys([*chain.from_iterable(made_of), *study.others]):
        column = document.columns.get(name)
        if column is None or (column.range is None and not column.levels):
            quoted = name if re.fullmatch(r"[\w-]+", name, re.ASCII) else json.dumps(name, ensure_ascii=False)
            near = "" if column else nearest(name, document.columns)
            raise ValueError(f"column '{name}' has no declared range: add [columns.{quoted}] range = [low, high]{near}")
        if column.missing == "drop" and study.split == "columns":
            raise ValueError(f'[columns.{name}] missing = "drop" is for rows split: where columns are, rows must stay')
        if name in study.others and column.levels:
            raise ValueError(f"column '{name}' is a category: target, weights and offset are numbers")
    if study.statistic:
        _check_statistic(document)
    else:
        _check_terms(study, terms(study.features, document.columns))


def _check_terms(study: Study, made: Sequence[Term]) -> None:
    """That each term has a name of its own, and none is made of the target."""
    names = [term.name for term in made]
    if (twice := repeated(names)) is not None:
        raise ValueError(f"[study] features make the term '{twice}' twice")
    for name in study.others:
        if name in names:
            raise ValueError(f"column '{name}' has the name of a term that features make: rename it")
    for term in made:
        if study.target in term.columns:
            raise ValueError(f"[study] features make the term '{term.name}' of the target")


def _check_statistic(document: Document) -> None:
    """That features are the categories which a statistic needs."""
    study = document.study
    levels = {name: len(document.columns[name].levels) for name in study.features}
    for name in (*study.features, *study.others):
        if max(map(abs, document.columns[name].range or (0.0, 0.0))) > _FARTHEST:
            raise ValueError(f'[columns.{name}] range must be within ± 2^41 for model = "{study.model}"')
    for name, count in levels.items():
        if count and name in ("numbers", "correlations"):
            raise ValueError(f"'{name}' is what results call a part of a summary: rename that column")
        if study.model != "summary" and not count:
            raise ValueError(f"column '{name}' must be a category for model = \"{study.model}\"")
        if study.model == "compare" and count != 2:
            raise ValueError(f"column '{name}' must have two levels for model = \"compare\"")
    if study.model in ("survival", "logrank"):
        event = document.columns[study.target]
        if event.type != "integer" or event.range != (0, 1):
            raise ValueError(f'[columns.{study.target}] must have type = "integer" and range = [0, 1]: 1 is an event')


def _check_receivers(document: Document) -> None:
    owners = [party.name for party in document.party if party.role == "owner"]
    for name in document.release.to:
        if name not in owners:
            raise ValueError(f'[release] to has "{name}", which is no owner here; the owners are {", ".join(owners)}')


def _check_reachable(parties: Sequence[PartyEntry]) -> None:
    for party in parties:
        if party.public_key is None:
            raise ValueError(f'[[party]] "{party.name}" lacks the key public_key: smpc keygen {party.name} makes one')
    for one, other in combinations(parties, 2):
        if one.address is None and other.address is None:
            raise ValueError(f'neither "{one.name}" nor "{other.name}" has an address: one of them needs one')


# Words


def _sentence(error: ValidationError, table: Mapping[str, Any]) -> str:
    """One line for the first of pydantic's findings; an unknown key first, as it explains a missing one."""
    found = min(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
    path, kind = found["loc"], found["type"]
    if len(path) == 1 and kind == "extra_forbidden":
        what = f"section [{clean(path[0])}]" if isinstance(table[str(path[0])], dict) else f"key {clean(path[0])}"
        return f"unknown {what}{nearest(str(path[0]), Document.model_fields)}"
    if len(path) == 1 and kind == "missing":
        return "lacks [[party]] blocks" if path[0] == "party" else f"lacks the section [{path[0]}]"
    section, model, rest = _place(path, table)
    if rest:
        return f"{section} {_key_sentence(kind, rest, model)}"
    if kind == "value_error":
        return f"{section} {found['ctx']['error']}"
    return f"{section} must be {Document.model_fields[str(path[0])].description}"


def _key_sentence(kind: str, path: Sequence[int | str], model: type[Section]) -> str:
    key = str(path[0])
    if key == "[key]":
        return "is no name for a column: one line of at most 200 characters, no space at its ends"
    if kind == "extra_forbidden":
        return f"has the unknown key {clean(key)}{nearest(key, model.model_fields)}"
    if kind == "missing" and len(path) == 1:
        return f"lacks the key {key}"
    return f"{key} must be {model.model_fields[key].description}"


def _place(path: Sequence[int | str], table: Mapping[str, Any]) -> tuple[str, type[Section], Sequence[int | str]]:
    """The section that `path` leads into, as a person calls it; its model; and the path inside it."""
    head = str(path[0])
    if head not in ("columns", "party"):
        models: dict[str, type[Section]] = {"study": Study, "security": Security, "release": Release}
        return f"[{head}]", models[head], path[1:]
    if len(path) == 1:
        return head, Document, ()
    if head == "columns":
        return f"[columns.{clean(path[1])}]", Column, path[2:]
    block = table["party"][path[1]]
    name = block.get("name") if isinstance(block, dict) else None
    return (
        f"[[party]] {clean(_text(name)) if isinstance(name, str) else f'number {int(path[1]) + 1}'}",
        PartyEntry,
        path[2:],
    )


def _flat(text: bytes, where: str) -> dict[str, str]:
    try:
        return dict(_fields(_toml(text), ""))
    except ValueError as error:
        raise ValueError(f"the manifest {where} cannot be read: {error}") from None
    except RecursionError:
        raise ValueError(f"the manifest {where} cannot be read: nested too deeply") from None


def _fields(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Every field of a TOML table as its dotted name and its value, as text; parties go by their names."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _fields(inner, f"{path}.{key}" if path else key)
    elif path == "party" and isinstance(value, list) and all(isinstance(block, dict) for block in value):
        yield "the list of parties", ", ".join(_text(block.get("name")) for block in value)
        for block in value:
            yield from _fields(block, f"party.{block.get('name')}")
    elif isinstance(value, list):
        for number, item in enumerate(value, start=1):
            yield from _fields(item, f"item {number} of {path}")
    else:
        yield path, _text(value)


def _text(value: Any) -> str:
    """A value much as TOML writes it."""
    return json.dumps(value, ensure_ascii=False, default=str)
