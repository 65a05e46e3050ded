"""Numbers as a statistician writes them: the cells that the terminal and the page both show.

A coefficient, its standard error and its interval have the same number of decimals, chosen so that the standard
error has three significant digits: more would claim a precision that the data do not have. result.json has them all.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, log10
from typing import TYPE_CHECKING

import numpy as np

from smpc.results import Figure

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from smpc.ledger import Entry
    from smpc.results import Cost, Result

_ERROR_DIGITS = 3  # of a standard error, and so of all that stands beside it
_LONE_DIGITS = 5  # of a coefficient without a standard error
_SMALLEST, _LARGEST = -4, 7  # powers of ten between which a number is written without an exponent


@dataclass(frozen=True)
class Column:
    """One column of the coefficient table: a cell for each name, and what puts the decimal points in line.

    `pads`: for each cell the characters that it lacks after its last one.
    """

    title: str
    cells: tuple[str, ...]

    @property
    def pads(self) -> tuple[str, ...]:
        tails = [cell[len(cell.partition(".")[0]) :] for cell in self.cells]
        longest = max(tails, key=len)
        return tuple(longest[len(tail) :] for tail in tails)


def columns(result: Result) -> list[Column]:
    """The coefficient table without its first column, the names. Empty if no coefficients were released."""
    if result.coefficients is None:
        return []
    errors, intervals = result.standard_errors, result.confidence_intervals
    if errors is None or intervals is None:
        cells = (number(value, value, _LONE_DIGITS) for value in result.coefficients.tolist())
        return [Column("coefficient", tuple(cells))]
    level = percent(result.confidence_level)
    parts = {
        "coefficient": result.coefficients,
        "std. error": errors,
        f"lower {level}": intervals[:, 0],
        f"upper {level}": intervals[:, 1],
    }
    found = [
        Column(title, tuple(number(*pair, _ERROR_DIGITS) for pair in zip(part, errors, strict=True)))
        for title, part in parts.items()
    ]
    t_cells = tuple(number(t, 1.0, _ERROR_DIGITS) for t in np.asarray(result.statistics).tolist())
    p_cells = tuple(p_value(p) for p in np.asarray(result.p_values).tolist())
    return [*found, Column(result.statistic, t_cells), Column("p", p_cells)]


def model(result: Result) -> str:
    """The kind of model, in words."""
    kind = {
        "logistic": "logistic regression",
        "poisson": "Poisson regression",
        "gamma": "Gamma regression with a log link",
        "ridge": "ridge regression",
    }.get(result.model, "linear regression")
    return kind if result.penalty is None else f"{kind} with penalty {result.penalty:.6g}"


def headline(result: Result) -> str:
    """What was fitted to what, on how many rows."""
    features = len(result.names) - 1
    plural = "" if features == 1 else "s"
    return f"{model(result)} of {result.target} on {features} feature{plural}, {result.rows:,} rows"


def as_text(result: Result) -> str:
    """The fit as a table, for who prints it."""
    table, width = columns(result), max(map(len, result.names))
    cells = [[column.title, *(cell + " " * len(pad) for cell, pad in _padded(column))] for column in table]
    widths = [max(map(len, column)) for column in cells]
    lines = [
        f"{name:{width}}" + "".join(f"  {cell:>{room}}" for cell, room in zip(row, widths, strict=True))
        for name, *row in zip(["", *result.names], *cells, strict=True)
    ]
    whole = "   ".join(f"{figure.short} {figure.value}" for figure in result.whole)
    return "\n".join(line.rstrip() for line in [headline(result), "", *(lines if table else []), "", whole])


def _padded(column: Column) -> Iterator[tuple[str, str]]:
    return zip(column.cells, column.pads, strict=True)


def number(value: float, beside: float, digits: int) -> str:
    """`value` with as many decimals as give `beside` that many significant digits."""
    size = _power(beside)
    if size >= _SMALLEST and abs(value) < 10.0**_LARGEST:
        return f"{value:z.{max(digits - 1 - size, 0)}f}"
    mantissa = min(max(_power(value) - size, 0) + digits - 1, 2 * digits - 1)
    return f"{value:z.{mantissa}e}"


def significant(value: float, digits: int = 4) -> str:
    """A number that stands alone."""
    return number(value, value, digits)


def share(value: float) -> str:
    """R²: four decimals, and more where they would read as 1."""
    return f"{value:z.{max(4, 1 - _power(1 - value))}f}"


def p_value(p: float) -> str:
    """Three decimals, as journals ask for."""
    if p < 0.001:
        return "<0.001"
    return f"{p:.3f}" if p < 0.9995 else ">0.999"


def degrees(value: float) -> str:
    """Degrees of freedom: whole, but for a ridge model's."""
    return f"{value:.1f}".removesuffix(".0")


def percent(level: float) -> str:
    """0.95 as 95 %."""
    return f"{100 * level:.10g} %"


def cost(spent: Cost) -> list[Figure]:
    """What the run took at this party."""
    source = spent.preprocessing
    if spent.offline_bytes:
        source += f" ({_size(spent.offline_bytes)})"
    return [
        Figure("Rounds of messages", "rounds", f"{spent.rounds:,}"),
        Figure("Sent to all peers together", "sent", _size(spent.bytes_sent)),
        Figure("Time", "time", f"{spent.seconds:,.2f} s"),
        Figure("Correlated randomness from", "randomness from", source),
    ]


def _size(count: int) -> str:
    return f"{count / 1e6:,.2f} MB" if count >= 10_000 else f"{count:,} bytes"


def values(shape: Sequence[int]) -> str:
    """How much an entry of the ledger opened."""
    if len(shape) <= 1:
        count = shape[0] if shape else 1
        return f"{count} value{'' if count == 1 else 's'}"
    return " × ".join(str(length) for length in shape) + " values"


def moment(entry: Entry) -> str:
    """When it was opened, to the second."""
    return entry.time[:19].replace("T", " ") + " UTC"


def listed(names: Iterable[str]) -> str:
    """A, B and C."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def _power(value: float) -> int:
    """The power of ten of the first digit; 0 for 0."""
    return floor(log10(abs(value))) if value else 0
