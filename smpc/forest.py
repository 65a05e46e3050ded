"""The plot of coefficients: one scale for all, though each has a unit of its own.

Each coefficient is drawn in units of its own standard error, so that a dot's distance from zero is its t value and
all intervals have one width: what crosses the line at zero crosses it in the coefficient's own unit too. The
intercept, which may lie anywhere, is left out. Lengths are in pixels of the drawing, which the page scales.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, log10
from typing import TYPE_CHECKING

import numpy as np
from rich.cells import cell_len, set_cell_size

from smpc.figures import columns, percent

if TYPE_CHECKING:
    from smpc.result import Result

WIDTH = 560
_ROW = 26
_TOP = 8
_AXIS = 46  # below the last row: ticks and what they count
_MARGIN = 18
_LETTER = 8.4  # about the width of one
_LONGEST = 20  # letters of a name; the whole is in its tooltip
_TICKS = 9


@dataclass(frozen=True)
class Bar:
    """One coefficient: dot at `middle`, interval from `low` to `high`; `text` says it in its own unit."""

    label: str
    text: str
    y: float
    low: float
    middle: float
    high: float


@dataclass(frozen=True)
class Tick:
    """A mark on the axis."""

    x: float
    label: str


@dataclass(frozen=True)
class Forest:
    """Everything that the template draws."""

    height: float
    left: float
    bottom: float
    zero: float
    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]
    width: float = WIDTH


def forest(result: Result) -> Forest | None:
    """The plot, or None without standard errors."""
    errors, t, intervals = result.standard_errors, result.statistics, result.confidence_intervals
    if errors is None or t is None or intervals is None:
        return None
    names = result.names[1:]
    drawn = np.column_stack([intervals[:, 0] / errors, t, intervals[:, 1] / errors])[1:]
    low, high = min(float(drawn.min()), 0.0), max(float(drawn.max()), 0.0)
    left = _MARGIN + _LETTER * min(max(cell_len(name) for name in names), _LONGEST)
    scale = (WIDTH - _MARGIN - left) / (high - low)
    places = np.round(left + (drawn - low) * scale, 1).tolist()
    middles = [_TOP + _ROW * (row + 0.5) for row in range(len(names))]
    rows = zip(names, _texts(result), middles, places, strict=True)
    bars = tuple(Bar(_short(name), text, y, *place) for name, text, y, place in rows)
    ticks = tuple(Tick(round(left + (value - low) * scale, 1), f"{value:z.6g}") for value in round_values(low, high))
    bottom = _TOP + _ROW * len(names)
    return Forest(bottom + _AXIS, left, bottom, round(left - low * scale, 1), bars, ticks)


def round_values(low: float, high: float) -> list[float]:
    """At most about nine multiples of 1, 2 or 5 times a power of ten, from `low` to `high`."""
    least = (high - low) / _TICKS
    power = 10.0 ** floor(log10(least))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least)
    return [index * step for index in range(ceil(low / step), floor(high / step) + 1)]


def _short(name: str) -> str:
    return name if cell_len(name) <= _LONGEST else set_cell_size(name, _LONGEST - 1).rstrip() + "…"


def _texts(result: Result) -> list[str]:
    """Each coefficient in its own unit, for who points at it or listens."""
    coefficient, _, lower, upper, _, p = (column.cells[1:] for column in columns(result))
    level = percent(result.confidence_level)
    rows = zip(result.names[1:], coefficient, lower, upper, p, strict=True)
    return [f"{name}: {b}, {level} interval {low} to {high}, p {p}" for name, b, low, high, p in rows]
