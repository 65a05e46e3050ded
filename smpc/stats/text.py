"""Results as plain tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any


def number(value: Any) -> str:
    """Six digits; a count in full; nothing for what is not there."""
    if isinstance(value, str) or value is None:
        return value or ""
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else f"{float(value):.6g}"


def p_text(value: float) -> str:
    """A p-value as it is printed."""
    return "<0.001" if value < 0.001 else f"{value:.3f}"


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
