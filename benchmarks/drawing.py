"""The drawing of `speed.py --plot`: seconds against size, both in powers of ten."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from works import median

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Figures = Mapping[str, Any]


def points(rows: Sequence[Figures], kind: str, name: str) -> list[tuple[float, float]]:
    """Operations and seconds, by size, in powers of ten."""
    found = {
        row["operations"]: median(row, name) for row in rows if row["kind"] == kind and "masked" not in row["work"]
    }
    return [(math.log10(size), math.log10(seconds)) for size, seconds in sorted(found.items()) if seconds]


def drawing(rows: Sequence[Figures], title: str, peer_name: str | None) -> str:
    """An SVG: a colour for each work, a dash for each who did it, both axes in powers of ten."""
    dashes = {"smpc": "", "numpy": "2 4"} | ({peer_name: "8 3"} if peer_name else {})
    colours = {"product": "#1b6ca8", "matrix": "#b3541e", "sign": "#3a7d44"}
    parts = [text(70, 24, title), text(300, 492, "multiplications, or comparisons"), text(4, 36, "seconds")]
    for power in range(10):
        parts += [f'<path d="M{at(power, 0)[0]} 50V450" stroke="#ddd"/>', text(at(power, 0)[0] - 10, 470, f"1e{power}")]
    for power in range(-6, 3):
        parts += [f'<path d="M70 {at(0, power)[1]}H690" stroke="#ddd"/>', text(20, at(0, power)[1] + 4, f"1e{power}")]
    for row, (kind, colour) in enumerate(colours.items()):
        for column, (name, dash) in enumerate(dashes.items()):
            path = "M" + "L".join(f"{x} {y}" for x, y in (at(*point) for point in points(rows, kind, name)))
            style = f'fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"'
            parts += [f'<path d="{path}" {style}/>'] if path != "M" else []
            parts += [f'<path d="M{710} {60 + 54 * row + 16 * column}h30" {style}/>']
            parts += [text(746, 64 + 54 * row + 16 * column, f"{kind}, {name}")]
    body = "\n".join(parts)
    start = '<svg xmlns="http://www.w3.org/2000/svg" width="880" height="500" font-family="sans-serif" font-size="12">'
    return f'{start}\n<rect width="880" height="500" fill="white"/>\n{body}\n</svg>\n'


def at(size: float, seconds: float) -> tuple[float, float]:
    """Where powers of ten are drawn: 1 to 1e9 operations, a microsecond to a hundred seconds."""
    return round(70 + size * 620 / 9.2, 1), round(450 - (seconds + 6) * 400 / 8, 1)


def text(x: float, y: float, words: str) -> str:
    """A text that begins there."""
    return f'<text x="{x}" y="{y}">{words}</text>'
