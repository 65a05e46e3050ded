"""A manifest for a run on one machine: the study's own, with keys and loopback addresses made for this run."""

from __future__ import annotations

import json
import os
import socket
from itertools import islice
from typing import TYPE_CHECKING, Any

from smpc import identity as keys

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from smpc.config import Manifest


_LOWEST_PORT, _PORTS = 10_240, 11_000  # of the run: the last one is below 32,768


def complete(manifest: Manifest, folder: Path) -> Path:
    """Write study.toml and NAME.key for every party into `folder`; return the path of study.toml.

    Keys and addresses that the manifest may have are replaced: they belong to other machines.
    """
    ports = _free_ports(len(manifest.parties))
    blocks = []
    for party, port in zip(manifest.parties, ports, strict=True):
        identity = keys.generate(party.name)
        keys.write(identity, folder)
        block = party.model_dump(exclude_none=True)
        blocks.append(block | {"address": f"127.0.0.1:{port}", "public_key": identity.public.hex()})
    path = folder / "study.toml"
    path.write_text(_document(manifest, blocks), encoding="utf-8")
    return path


def for_program(file: str, name: str, parties: int, preprocessing: str) -> str:
    """The text of an incomplete manifest that runs a program among `parties` parties, all of whom learn results."""
    names = [f"party{rank}" for rank in range(parties)]
    sections: dict[str, Mapping[str, Any]] = {
        "study": {"name": "program", "program": f"{file}:{name}"},
        "security": {"preprocessing": preprocessing},
        "release": {"to": names},
    }
    blocks: list[Mapping[str, Any]] = [{"name": name} for name in names]
    if preprocessing == "dealer":
        blocks.append({"name": "dealer", "role": "dealer"})
    return _toml(sections, blocks)


def _document(manifest: Manifest, blocks: Sequence[Mapping[str, Any]]) -> str:
    sections: dict[str, Mapping[str, Any]] = {
        "study": manifest.study.model_dump(exclude_unset=True),
        "security": manifest.security.model_dump(exclude_unset=True),
        "release": manifest.release.model_dump(exclude_unset=True),
    }
    for name, column in manifest.columns.items():
        sections[f"columns.{json.dumps(name, ensure_ascii=False)}"] = column.model_dump(
            exclude_unset=True, exclude_none=True
        )
    return _toml(sections, blocks)


def _toml(sections: Mapping[str, Mapping[str, Any]], blocks: Sequence[Mapping[str, Any]]) -> str:
    """Strings, numbers and lists of these are written the same in TOML and in JSON."""
    lines = []
    headed = [(f"[{name}]", section) for name, section in sections.items()]
    for head, section in [*headed, *(("[[party]]", block) for block in blocks)]:
        lines += [head, *(f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in section.items()), ""]
    return "\n".join(lines)


def _free_ports(count: int) -> list[int]:
    """Ports that nothing listens on just now, all different.

    Below those that the system gives to outgoing connections, which could take one before its party opens it; runs that
    start at the same time look in different places.
    """
    first = _LOWEST_PORT + os.getpid() * 24 % _PORTS
    free = (port for port in range(first, first + _PORTS) if _is_free(port))
    return list(islice(free, count))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
