"""A column of cells, whatever it came as, to float64: whole arrays where it has a type, one by one where not.

What is wrong with a cell is said without repeating what is in it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from numbers import Real
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

Floats: TypeAlias = "NDArray[np.float64]"

_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
_EMPTY = "empty where a number belongs"
_NAN = "NaN where a number belongs"
_INFINITE = "an infinite number"
_TEXT = "text where a number belongs"
_COMMA = "a comma in a number: write decimals with a point, and thousands without a mark"
_BOOLEAN = "true or false where a number belongs"
_OTHER = "something else than a number"
_LEVEL = "none of the declared levels"


@dataclass(frozen=True, eq=False)
class Cells:
    """The finite numbers before the first cell that is none, and what is wrong with that, if there is one."""

    values: Floats = field(repr=False)
    complaint: str | None


def from_text(column: pa.ChunkedArray) -> Cells:
    """Numbers from text: in decimal or scientific notation, with spaces around them."""
    trimmed = pc.ascii_trim_whitespace(column)
    bad = pc.index(pc.match_substring_regex(trimmed, pattern=_NUMBER), value=False).as_py()
    complaint = None
    if bad >= 0:
        complaint = _text_complaint(trimmed[bad].as_py())
        trimmed = trimmed.slice(0, bad)
    return _finite(_floats(trimmed), complaint)


def from_csv(column: pa.ChunkedArray) -> Cells:
    """Numbers from text, or from what a parser already took for such."""
    return from_text(column) if pa.types.is_string(column.type) else _from_arrow(column)


def without_gaps(column: Any, filler: str | int) -> tuple[Any, NDArray[np.bool_]]:
    """The column with `filler` where it has no value (null, NaN, an empty or blank text), and where that is."""
    if isinstance(column, pa.Array | pa.ChunkedArray):
        arrow = column
    else:
        try:
            arrow = pa.array(np.ma.filled(column, np.nan) if np.ma.is_masked(column) else column, from_pandas=True)
        except (
            ValueError,
            TypeError,
            pa.ArrowException,
        ):  # of several types: it is judged as it is
            return column, np.zeros(len(column), np.bool_)
    if pa.types.is_null(arrow.type):
        return pa.array([filler] * len(arrow)), np.ones(len(arrow), np.bool_)
    gaps = pc.is_null(arrow, nan_is_null=True)
    if _is_text(arrow.type):
        gaps = pc.or_(gaps, pc.equal(pc.fill_null(pc.ascii_trim_whitespace(arrow), ""), ""))
        filler = str(filler)
    where = np.array(gaps.to_pylist(), np.bool_)
    if not where.any() or isinstance(filler, str) != _is_text(arrow.type):
        return column, where
    return pc.if_else(gaps, pa.scalar(filler).cast(arrow.type), arrow), where


def codes(column: Any, levels: Sequence[str | int]) -> Cells:
    """The places of cells among the levels, as numbers; text with spaces around it is as good as without."""
    arrow = column if isinstance(column, pa.Array | pa.ChunkedArray) else pa.array(column, from_pandas=True)
    if pa.types.is_dictionary(arrow.type):
        arrow = pc.cast(arrow, arrow.type.value_type)
    if _is_text(arrow.type):
        found = pc.index_in(pc.ascii_trim_whitespace(arrow), value_set=pa.array([str(level) for level in levels]))
    else:
        numbers = [float(level) if str(level).lstrip("-").isdecimal() else np.nan for level in levels]
        found = pc.index_in(pc.cast(arrow, pa.float64(), safe=False), value_set=pa.array(numbers, pa.float64()))
    bad = pc.index(pc.is_null(found), value=True).as_py()
    return Cells(_floats(found if bad < 0 else found.slice(0, bad)), None if bad < 0 else _LEVEL)


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def from_any(column: Any) -> Cells:
    """Numbers from what a frame, an Arrow table or a mapping has for a column. Text is no number here."""
    if isinstance(column, pa.Array | pa.ChunkedArray):
        return _from_arrow(column)
    if isinstance(column, list | tuple):
        return _from_objects(column)
    if not hasattr(column, "__arrow_c_stream__"):
        return _from_numpy(column)
    try:
        arrow = pa.chunked_array(column)
    except (ValueError, TypeError):  # objects of several types: Arrow has no name for that
        return _from_objects(column)
    return _from_arrow(arrow)


def _from_arrow(column: pa.Array | pa.ChunkedArray) -> Cells:
    if pa.types.is_dictionary(column.type):
        column = pc.cast(column, column.type.value_type)
    kind = column.type
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
        return Cells(np.empty(0), _kind_complaint(kind))
    complaint = None
    if column.null_count:
        complaint = _EMPTY
        column = column.slice(0, pc.index(pc.is_null(column), value=True).as_py())
    return _finite(_floats(column), complaint)


def _floats(column: pa.Array | pa.ChunkedArray) -> Floats:
    """A column without nulls. Not by its own `to_numpy`, as that imports pandas wherever it is installed."""
    floats = pc.cast(column, pa.float64(), safe=False)
    chunks = floats.chunks if isinstance(floats, pa.ChunkedArray) else [floats]
    return np.concatenate([np.empty(0), *(np.from_dlpack(chunk) for chunk in chunks)])


def _from_numpy(column: Any) -> Cells:
    array = column if isinstance(column, np.ma.MaskedArray) else np.asarray(column)
    complaint = None
    if np.ma.is_masked(array):
        complaint = _EMPTY
        array = array[: int(np.argmax(np.ma.getmaskarray(array)))]
    kind = array.dtype.kind
    if kind == "O":
        return _from_objects(array)
    if kind not in "iuf":
        return Cells(np.empty(0), {"U": _TEXT, "S": _TEXT, "T": _TEXT, "b": _BOOLEAN}.get(kind, _OTHER))
    with np.errstate(all="ignore"):  # what a wider type overflows to is infinite, and said to be
        return _finite(np.asarray(array, dtype=np.float64), complaint)


def _from_objects(column: Iterable[Any]) -> Cells:
    floats, complaint = [], None
    for cell in column:
        if (complaint := _object_complaint(cell)) is not None:
            break
        try:
            floats.append(float(cell))
        except OverflowError:
            floats.append(np.inf)
    return _finite(np.array(floats, dtype=np.float64), complaint)


def _finite(floats: Floats, complaint: str | None) -> Cells:
    """`floats` up to the first that is not finite; `complaint` is about the cell after the last."""
    good = np.isfinite(floats)
    if not good.all():
        bad = int(np.argmin(good))
        floats, complaint = floats[:bad], _NAN if np.isnan(floats[bad]) else _INFINITE
    return Cells(floats + 0.0, complaint)  # -0 becomes 0, and the array is ours


def _text_complaint(text: str) -> str:
    if not text:
        return _EMPTY
    if re.fullmatch(r"[+-]?nan", text, re.IGNORECASE):
        return _NAN
    if re.fullmatch(r"[+-]?inf(inity)?", text, re.IGNORECASE):
        return _INFINITE
    return _COMMA if re.fullmatch(r"[+-]?[0-9.]*,[0-9.,]*", text) else _TEXT


def _kind_complaint(kind: pa.DataType) -> str:
    if _is_text(kind):
        return _TEXT
    if pa.types.is_null(kind):
        return _EMPTY
    return _BOOLEAN if pa.types.is_boolean(kind) else _OTHER


def _object_complaint(cell: Any) -> str | None:
    if cell is None or cell is np.ma.masked or type(cell).__name__ in ("NAType", "NaTType"):  # pandas' own two
        return _EMPTY
    if isinstance(cell, str | bytes):
        return _TEXT
    if isinstance(cell, bool | np.bool_):
        return _BOOLEAN
    return None if isinstance(cell, Real | Decimal) else _OTHER
