"""The program of a study: the file that the manifest names, or a statistic that is built in."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from smpc.errors import ManifestError

if TYPE_CHECKING:
    from collections.abc import Callable

    from smpc.config import Manifest
    from smpc.party import Party


class Program(NamedTuple):
    """`text`: what must be the same at all parties; `name`: of the file, or of the statistic."""

    name: str
    text: bytes
    function: Callable[[Party], Any]


def program_name(manifest: Manifest) -> str:
    """What a person calls the program."""
    if manifest.study.statistic:
        return str(manifest.study.model)
    return Path(str(manifest.study.program).rpartition(":")[0]).name


def program_text(manifest: Manifest, study: Path) -> bytes:
    """What must be the same at all parties. Raises OSError if it cannot be read."""
    return b"" if manifest.study.statistic else _file(manifest, study)[0].read_bytes()


def program_of(manifest: Manifest, study: Path) -> Program:
    """The program of the study at that path. Raises ManifestError if there is none."""
    if manifest.study.statistic:
        from smpc.study_statistics import program  # with all of smpc.stats

        return Program(program_name(manifest), b"", program(manifest))
    path, name = _file(manifest, study)
    function = load_program(path, name)
    return Program(path.name, path.read_bytes(), function)


def _file(manifest: Manifest, study: Path) -> tuple[Path, str]:
    file, _, name = str(manifest.study.program).rpartition(":")
    return study.parent / file, name


def load_program(path: Path, name: str) -> Callable[[Party], Any]:
    """The function `name` of the file. Raises ManifestError if there is none."""
    if not path.is_file():
        raise ManifestError(f"{path.name}: no such file beside the study")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ManifestError(f"{path.name} is no Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    program = getattr(module, name, None)
    if not callable(program):
        raise ManifestError(f"{path.name} has no function {name}: a program is a function of one argument, the party")
    found: Callable[[Party], Any] = program
    return found
