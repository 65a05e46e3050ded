"""What is going on, on stderr: a line that moves on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.progress import Progress as Bar


class Progress(Protocol):
    """Hears of the stages of a run, and of its rounds."""

    def stage(self, text: str) -> None:
        """Something new begins."""

    def round(self, number: int) -> None:
        """The parties have exchanged messages once more."""


class Lines:
    """One plain line a stage."""

    def stage(self, text: str) -> None:
        print(f"smpc: {text}", file=sys.stderr, flush=True)  # noqa: T201 - this is what is for printing

    def round(self, number: int) -> None:
        """Too many for lines."""


@contextmanager
def shown() -> Iterator[Progress]:
    """Progress that fits where stderr goes."""
    if not sys.stderr.isatty():
        yield Lines()
        return
    from rich.console import Console
    from rich.progress import Progress as Spinner
    from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn()
    with Spinner(*columns, console=Console(stderr=True), transient=True) as bar:
        yield _Moving(bar)


class _Moving:
    def __init__(self, bar: Bar) -> None:
        self._bar, self._text = bar, ""
        self._task = bar.add_task("")

    def stage(self, text: str) -> None:
        self._text = text
        self._bar.update(self._task, description=text)

    def round(self, number: int) -> None:
        self._bar.update(self._task, description=f"{self._text}, round {number}")
