"""A study with a model, from a party's checked data to a released result.

`prepare` (see `smpc.prepared`) looks at the party's own data before any connection is made; `agree` and `fit` run on
the connected parties. What is particular to a kind of model is in `smpc.study_linear` and `smpc.study_glm`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from protocols import inputs, ring
from smpc import study_glm, study_linear
from smpc.errors import DataError
from smpc.opened import FREEDOM, PARTS, PUBLIC, ROWS, SOUND, VARY
from smpc.prepared import Geometry, Layout, Prepared, geometry, prepare

if TYPE_CHECKING:
    from smpc.config import Manifest
    from smpc.release import Gate
    from smpc.result import Result

__all__ = [
    "FREEDOM",
    "GOOD",
    "PUBLIC",
    "ROWS",
    "SOUND",
    "VARY",
    "Layout",
    "Prepared",
    "agree",
    "fit",
    "geometry",
    "prepare",
]

GOOD = {VARY: 1, SOUND: 0}  # how checks end in a run that has a result


def agree(gate: Gate, manifest: Manifest, prepared: Prepared) -> Layout:
    """The layout of everybody's data; one round. With split = "rows", opens the number of rows to every party, in total
    or, of a generalized linear model, of each.

    Raises DataError if columns are split in a way that makes no study.
    """
    if manifest.study.split == "columns":
        return Layout(prepared.rows, _owners(gate, geometry(manifest), prepared))
    if manifest.study.scored:
        parts = _announced(gate, PARTS, [prepared.rows * (rank == gate.party.rank) for rank in range(gate.party.count)])
        return Layout(sum(parts), parts=tuple(parts))
    return Layout(_announced(gate, ROWS, [prepared.rows])[0])


def fit(gate: Gate, manifest: Manifest, prepared: Prepared, layout: Layout) -> Result | None:
    """The result at a receiver, None elsewhere.

    Opens to every party two checks; to the receivers what [release] names. Raises ModelError if there is no result to
    trust.
    """
    if manifest.study.scored:
        return study_glm.fit(gate, manifest, prepared, layout)
    return study_linear.fit(gate, manifest, prepared, layout)


def rehearsed(manifest: Manifest, layout: Layout, rank: int) -> Prepared:
    """Data of the right shape for a rehearsal; they vary, as a party that holds columns checks of its own."""
    names = geometry(manifest).names
    mine = tuple(name for at, name in enumerate(names) if not layout.owners or layout.owners[at] == rank)
    others = manifest.study.others if manifest.study.scored else ()
    rows = layout.rows if layout.owners else layout.parts[rank] if layout.parts else 2
    u = np.ones((rows, len([name for name in mine if name not in others])))
    u[::2] = -1
    return Prepared(u, mine, {name: np.ones(rows) for name in mine if name in others})


def _announced(gate: Gate, what: str, own: list[int]) -> list[int]:
    """The sums over all parties."""
    share = inputs.total(gate.party, ring.from_int(own))
    return [int(value) for value in gate.announce(**{what: share})[what]]


def _owners(gate: Gate, shape: Geometry, prepared: Prepared) -> tuple[int, ...]:
    """The rank that holds each column. Tells every owner this party's number of rows and which columns it has.

    Raises DataError if the rows differ in number, or a column is not in exactly one file.
    """
    mine = ring.from_int([prepared.rows, *(name in prepared.names for name in shape.names)])
    others = [rank for rank in range(gate.party.count) if rank != gate.party.rank]
    theirs = gate.party.exchange("columns", {p: [mine] for p in others}, {p: [mine.shape] for p in others})
    everybody = [mine if rank not in theirs else theirs[rank][0] for rank in range(gate.party.count)]
    rows = [int(said[0]) for said in everybody]
    for name, count in zip(gate.names, rows, strict=True):
        if count != rows[0]:
            raise DataError(
                f'{name} has {count} rows and {gate.names[0]} has {rows[0]}: with split = "columns" every party has '
                "the same people in the same order"
            )
    return tuple(
        _holder(gate, column, [int(said[1 + at]) for said in everybody]) for at, column in enumerate(shape.names)
    )


def _holder(gate: Gate, column: str, said: list[int]) -> int:
    holders = [rank for rank, has in enumerate(said) if has]
    if len(holders) != 1:
        names = [gate.names[rank] for rank in holders]
        where = "the files of " + " and ".join(names) if names else "no party's file"
        raise DataError(f'column "{column}" is in {where}: with split = "columns" it belongs in exactly one')
    return holders[0]
