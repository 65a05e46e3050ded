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
    from collections.abc import Callable, Iterable, Sequence

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
_GAP = r"^[ \t\n\v\f\r]*$"
_GAP_OF_NUMBERS = r"^[ \t\n\v\f\r]*([+-]?(?i:nan))?[ \t\n\v\f\r]*$"
_NO_ARROW = (ValueError, TypeError, OverflowError, pa.ArrowException)


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


def without_gaps(column: Any, *, numbers: bool) -> tuple[Any, NDArray[np.bool_]]:
    """The cells that have a value, and where there is none: null, NaN, empty or blank text, of `numbers` also "nan"."""
    if isinstance(column, np.ma.MaskedArray):
        where = np.ma.getmaskarray(column).copy()
        kept, gaps = without_gaps(column.compressed(), numbers=numbers)
        where[~where] = gaps
        return kept, where
    try:
        arrow = _as_arrow(column)
        if pa.types.is_null(arrow.type):
            return arrow.slice(0, 0), np.ones(len(arrow), np.bool_)
        gaps = pc.is_null(arrow, nan_is_null=True)
        if _is_text(arrow.type):
            gaps = pc.or_(gaps, pc.match_substring_regex(pc.fill_null(arrow, ""), _GAP_OF_NUMBERS if numbers else _GAP))
        where = np.array(gaps.to_pylist(), np.bool_)
        return (arrow.filter(pc.invert(gaps)) if where.any() else column), where
    except _NO_ARROW:  # of several types, or of one that Arrow has no name for
        cells = column.to_pylist() if isinstance(column, pa.Array | pa.ChunkedArray) else list(column)
        where = np.array([_is_gap(cell) for cell in cells], np.bool_)
        return [cell for cell, gap in zip(cells, where, strict=True) if not gap] if where.any() else column, where


def codes(column: Any, levels: Sequence[str | int]) -> Cells:
    """The places of cells among the levels, as numbers.

    Text is a level as it is written, with or without spaces around it; a whole number is the one level that is that
    number, whatever type it has (and 1.0 is, in text, too).
    """
    place = _places(levels)
    try:
        arrow = _as_arrow(column)
        encoded = (arrow.combine_chunks() if isinstance(arrow, pa.ChunkedArray) else arrow).dictionary_encode()
        distinct = [place(cell) for cell in encoded.dictionary.to_pylist()]
        found = np.array([*distinct, -1])[_floats(pc.fill_null(encoded.indices, len(distinct))).astype(np.intp)]
    except _NO_ARROW:
        found = np.array([place(cell) for cell in column])
    good = found >= 0
    bad = len(found) if good.all() else int(np.argmin(good))
    return Cells(found[:bad].astype(np.float64), None if bad == len(found) else _LEVEL)


def _places(levels: Sequence[str | int]) -> Callable[[Any], int]:
    """Which level a cell is, -1 for none. Levels that are one number, such as 1 and 01, are told apart only in text."""
    texts = {str(level): at for at, level in enumerate(levels)}
    whole = [int(text) if re.fullmatch(r"-?[0-9]+", text) else None for text in texts]
    once = [number for number in whole if number is not None and whole.count(number) == 1]
    numbers: dict[Any, int] = {number: whole.index(number) for number in once}

    def place(cell: Any) -> int:
        if isinstance(cell, str):
            text = cell.strip(" \t\n\v\f\r")
            of_number = re.fullmatch(r"(-?[0-9]{1,18})\.0*", text)
            return texts.get(text, numbers.get(int(of_number[1]), -1) if of_number else -1)
        return numbers.get(cell, -1) if isinstance(cell, Real | Decimal | np.bool_) else -1

    return place


def _as_arrow(column: Any) -> pa.Array | pa.ChunkedArray:
    """With the type of its values. Raises one of _NO_ARROW."""
    arrow = column if isinstance(column, pa.Array | pa.ChunkedArray) else pa.array(column, from_pandas=True)
    if pa.types.is_dictionary(arrow.type):
        arrow = pc.cast(arrow, arrow.type.value_type)
    return pc.cast(arrow, pa.large_string()) if pa.types.is_string_view(arrow.type) else arrow


def _is_gap(cell: Any) -> bool:
    if isinstance(cell, str):
        return not cell.strip()
    return _object_complaint(cell) == _EMPTY or (isinstance(cell, Real | Decimal) and cell != cell)  # noqa: PLR0124


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
    if pa.types.is_decimal(column.type):  # by way of text, as Arrow makes 3.0000000000000004 of 3.00000
        column = pc.cast(column, pa.string())
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
