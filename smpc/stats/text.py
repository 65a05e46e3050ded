"""Results as plain tables."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np


def number(value: Any) -> str:
    """Six digits; a count in full."""
    if not math.isfinite(value):
        return "-"
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else f"{float(value):.6g}"


def p_text(value: float) -> str:
    """A p-value as it is printed."""
    return "-" if math.isnan(value) else "<0.001" if value < 0.001 else f"{value:.3f}"


def plain(value: Any) -> Any:
    """A number, an array or a list as JSON has it: None for what is not a finite number."""
    found = value.tolist() if isinstance(value, np.ndarray | np.generic) else value
    if isinstance(found, list | tuple):
        return [plain(one) for one in found]
    return None if isinstance(found, float) and not math.isfinite(found) else found


def rows_of(named: Mapping[str, Iterable[Any]]) -> list[tuple[str, ...]]:
    """Lines of a table, with their names first."""
    return [(name, *map(number, values)) for name, values in named.items()]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as they need, the first one to the left, numbers to the right."""
    lines = [head, *rows]
    widths = [max(len(line[at]) for line in lines) for at in range(len(head))]
    return "\n".join(
        "  ".join(
            (word.ljust if not at else word.rjust)(width)
            for at, (word, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )
