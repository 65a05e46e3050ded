"""What a receiver reads of a study with statistics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Results:
    """Statistics by what they are of, each with `to_dict` and a table as its text."""

    parts: Mapping[str, Any]

    def __str__(self) -> str:
        return "\n\n".join(f"{name}\n\n{part}" for name, part in self.parts.items())

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {name: part.to_dict() for name, part in self.parts.items()}
