"""Names in messages: which may name a party, how any text prints on one line, what may have been meant."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

IDENTIFIER = r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}"
INTERCEPT = "intercept"  # the constant term in results, and so no column's name
IDENTIFIER_WORDS = "letters, digits, - and _ (at most 64, the first a letter or digit)"


def is_identifier(name: str) -> bool:
    """Whether `name` can name a party or a study: it is safe in a path, a command and a message."""
    return re.fullmatch(IDENTIFIER, name) is not None


def clean(text: object) -> str:
    """`text` on one line of bounded length, without characters that could act on a terminal."""
    short = str(text)[:200]
    return short if short.isprintable() else ascii(short)


def nearest(name: str, known: Iterable[str]) -> str:
    """'; did you mean KNOWN?', or nothing if nothing known looks like `name`."""
    lowered = {other.lower(): other for other in known}
    near = difflib.get_close_matches(name[:100].lower(), list(lowered), n=1)
    return f"; did you mean {clean(lowered[near[0]])}?" if near else ""
