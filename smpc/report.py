"""What a person reads at the end: the terminal's table, and report.html for a receiver.

The page is one file: no script, nothing loaded from elsewhere (its own policy forbids it), all text escaped.
"""

from __future__ import annotations

import textwrap
from importlib import resources
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len
from rich.text import Text

from smpc import figures, reading
from smpc.files import write_whole
from smpc.forest import forest
from smpc.hello import library_version
from smpc.trust import trust_statement

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from rich.console import Console

    from smpc.figures import Column
    from smpc.ledger import Entry
    from smpc.result_statistics import Results
    from smpc.results import Cost, Figure, Result

__all__ = [
    "print_account", "print_done", "print_result", "print_table", "print_whole", "trust_statement", "write_report",
]  # fmt: skip

_GAP = "  "
_NARROWEST_NAMES = 10


# The terminal


def print_result(
    console: Console, result: Result, cost: Cost, statement: Sequence[str], opened: Sequence[Entry]
) -> None:
    """What a receiver sees: the fit, what it cost, who could learn what, what was opened."""
    _print_title(console, result.study, figures.headline(result))
    if result.coefficients is not None:
        print_table(console, result.names, figures.columns(result))
        console.print()
    print_whole(console, result)
    print_account(console, cost, statement, opened)


def print_whole(console: Console, result: Result) -> None:
    """What describes the fit as a whole, as far as it was released."""
    if whole := result.whole:
        _print_figures(console, whole)
        console.print()


def print_done(
    console: Console,
    study: str,
    cost: Cost,
    statement: Sequence[str],
    opened: Sequence[Entry],
    receivers: Sequence[str],
) -> None:
    """What a party sees that is no receiver: that it is done, who has the result, and the account of it."""
    _print_title(console, study, f"done; the result is with {figures.listed(receivers)}")
    print_account(console, cost, statement, opened)


def print_table(console: Console, names: Sequence[str], columns: Sequence[Column]) -> None:
    """A row for each name, decimal points in line where the width allows it.

    A name that leaves too little room for its numbers gets a line of its own; a number is never cut or wrapped.
    """
    cells = [_block(column, aligned=True) for column in columns]
    if _width(cells) + _NARROWEST_NAMES > console.width:
        cells = [_block(column, aligned=False) for column in columns]
    room = max(console.width - _width(cells), _NARROWEST_NAMES)
    first = min(max(cell_len(name) for name in names), room)
    header, *rows = zip(*cells, strict=True)
    _print_line(console, " " * first + _joined(header), style="bold")
    for name, row in zip(names, rows, strict=True):
        if cell_len(name) > first:
            _print_line(console, name)
        own = name if cell_len(name) <= first else ""
        _print_line(console, own + " " * (first - cell_len(own)) + _joined(row))


def _block(column: Column, *, aligned: bool) -> list[str]:
    """The title and the cells of a column, of one width."""
    pads = column.pads if aligned else [""] * len(column.cells)
    cells = [cell + " " * len(pad) for cell, pad in zip(column.cells, pads, strict=True)]
    width = max(map(len, [column.title, *cells]))
    return [text.rjust(width) for text in [column.title, *cells]]


def _width(cells: Sequence[Sequence[str]]) -> int:
    return sum(len(_GAP) + len(column[0]) for column in cells)


def _joined(cells: Iterable[str]) -> str:
    return "".join(_GAP + cell for cell in cells)


def _print_title(console: Console, study: str, text: str) -> None:
    lines = Text("\n".join(textwrap.wrap(f"{study}: {text}", console.width, break_on_hyphens=False)))
    lines.stylize("bold", 0, len(study))
    console.print(lines, highlight=False, soft_wrap=True)
    console.print()


def _print_line(console: Console, text: str, style: str = "") -> None:
    console.print(Text(text.rstrip(), style=style), highlight=False, soft_wrap=True)


def _print_figures(console: Console, found: Sequence[Figure]) -> None:
    """Name and value of each, on one line or more, no pair parted."""
    pairs = [_together(f"{figure.short} {figure.value}") for figure in found]
    for line in textwrap.wrap("   ".join(pairs), console.width, break_long_words=False, break_on_hyphens=False):
        _print_line(console, line.replace("\N{NO-BREAK SPACE}", " "))


def _together(text: str) -> str:
    """`text` that no line break parts."""
    return text.replace(" ", "\N{NO-BREAK SPACE}")


def print_account(console: Console, cost: Cost, statement: Sequence[str], opened: Sequence[Entry]) -> None:
    """Cost, statement and ledger."""
    _print_figures(console, figures.cost(cost))
    _print_heading(console, "Who could learn what")
    for sentence in statement:
        _print_hanging(console, "- ", sentence)
    _print_heading(console, "What was opened")
    if not opened:
        _print_line(console, "nothing")
    counts = [figures.values(entry.shape) for entry in opened]
    widths = [max(map(len, cells), default=0) for cells in ([entry.what for entry in opened], counts)]
    for entry, count in zip(opened, counts, strict=True):
        first = f"{entry.what:<{widths[0]}}{_GAP}{count:<{widths[1]}}{_GAP}"
        _print_hanging(console, first, "to " + figures.listed(entry.to))


def _print_hanging(console: Console, first: str, text: str) -> None:
    """`first`, and `text` beside it on as many lines as it takes."""
    width = max(console.width - len(first), _NARROWEST_NAMES)
    begin, indent = first, " " * len(first)
    for line in textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False):
        _print_line(console, begin + line)
        begin = indent


def _print_heading(console: Console, text: str) -> None:
    console.print()
    console.print(Text(text, style="bold"))


# The page


def write_report(path: Path, result: Result, cost: Cost, statement: Sequence[str], opened: Sequence[Entry]) -> None:
    """Write the page. Raises OSError if `path` cannot be written."""
    from jinja2 import Environment, StrictUndefined  # only who gets a result needs it

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    environment.filters["minus"] = _minus
    source = resources.files("smpc").joinpath("report.html.j2").read_text(encoding="utf-8")
    page = environment.from_string(source).render(_content(result, cost, statement, opened))
    write_whole(path, page)


def write_tables(
    path: Path, study: str, results: Results, cost: Cost, statement: Sequence[str], opened: Sequence[Entry]
) -> None:
    """A page of tables as they print. Raises OSError if `path` cannot be written."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    source = resources.files("smpc").joinpath("tables.html.j2").read_text(encoding="utf-8")
    page = environment.from_string(source).render(
        study=study, parts={name: str(part) for name, part in results.parts.items()}, statement=statement,
        cost=figures.cost(cost), opened=opened, figures=figures, version=library_version(),
    )  # fmt: skip
    write_whole(path, page)


def _content(result: Result, cost: Cost, statement: Sequence[str], opened: Sequence[Entry]) -> dict[str, Any]:
    """What the template is given."""
    columns = figures.columns(result)
    return {
        "result": result,
        "headline": figures.headline(result),
        "level": _together(figures.percent(result.confidence_level)),
        "titles": [column.title.replace(" %", "\N{NO-BREAK SPACE}%") for column in columns],
        "rows": _rows(result.names, columns),
        "whole": result.whole,
        "forest": forest(result),
        "not_released": reading.not_released(result),
        "reading": reading.sentences(result),
        "statement": statement,
        "cost": figures.cost(cost),
        "opened": opened,
        "session": opened[-1].session if opened else "",
        "when": figures.moment(opened[-1]) if opened else "",
        "figures": figures,
        "version": library_version(),
    }


def _rows(names: Sequence[str], columns: Sequence[Column]) -> list[tuple[str, list[tuple[str, str]]]]:
    """For each name its cells, each with what it lacks after its last character."""
    pairs = [zip(column.cells, column.pads, strict=True) for column in columns]
    return [(name, list(cells)) for name, *cells in zip(names, *pairs, strict=True)] if columns else []


def _minus(number: str) -> str:
    """A number with the sign that is read as one."""
    return number.replace("-", "\N{MINUS SIGN}")
