"""The README's table of protocols, made from their cards; test_readme holds the two together.

    python -m tests.protocol_table            print it
    python -m tests.protocol_table --write    put it into README.md

It stands there between two marks.
"""

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import protocols
from protocols.card import Card, card_of

README = Path(__file__).parent.parent / "README.md"
MARK = "<!-- protocols -->"
HEAD = ("protocol", "what", "source", "rounds", "elements to each peer", "secure against")


def carded() -> list[Any]:
    """Every function with a card, in the order of the package's list of modules."""
    order = [line.split(" ")[0].strip(",") for line in (protocols.__doc__ or "").splitlines()]
    names = sorted((path.stem for path in Path(protocols.__path__[0]).glob("*.py")), key=lambda n: _place(n, order))
    modules = [import_module(f"protocols.{name}") for name in names if name != "__init__"]
    return [
        found
        for module in modules
        for found in vars(module).values()
        if isinstance(getattr(found, "card", None), Card) and found.__module__ == module.__name__
    ]


def table() -> str:
    """The table in Markdown, without the marks."""
    rows = [HEAD, tuple("---" for _ in HEAD), *map(_row, carded())]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def between_marks(text: str) -> str:
    """What stands between the two marks of README.md."""
    _, inside, _ = text.split(MARK)
    return inside.strip("\n")


def with_table(text: str) -> str:
    """README.md with the table as it is now."""
    before, _, after = text.split(MARK)
    return f"{before}{MARK}\n{table()}\n{MARK}{after}"


def _place(name: str, order: list[str]) -> tuple[int, str]:
    return (order.index(name) if name in order else len(order), name)


def _row(protocol: Any) -> tuple[str, ...]:
    card = card_of(protocol)
    module = protocol.__module__.removeprefix("protocols.")
    cost = f"{card.elements} per {card.per}" if card.elements else "0"
    what = protocol.__doc__.splitlines()[0].split(". ")[0].rstrip(".").replace("|", "\\|")
    return (
        f"[`{module}.{protocol.__name__}`](protocols/{module}.py)",
        what,
        card.paper,
        str(card.rounds),
        cost,
        card.adversary,
    )


def main() -> None:
    """Print the table, or write it."""
    if "--write" in sys.argv:
        README.write_text(with_table(README.read_text(encoding="utf-8")), encoding="utf-8")
    else:
        print(table())  # noqa: T201


if __name__ == "__main__":
    main()
