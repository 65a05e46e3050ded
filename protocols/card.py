"""The claims a protocol makes, as data: the tests measure them, the table of protocols is made from them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class Card:
    """What a protocol costs and what it assumes.

    `elements`: ring elements that a party sends to each peer, for each element of `per` (the unit).
    """

    paper: str
    adversary: str
    rounds: int
    elements: int
    per: str


def card(
    paper: str, *, adversary: str, rounds: int, elements: int, per: str = "element"
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Note the claims of a protocol on it; the function itself is left as it is."""

    def note(function: Callable[P, R]) -> Callable[P, R]:
        function.card = Card(paper, adversary, rounds, elements, per)  # type: ignore[attr-defined]
        return function

    return note


def card_of(function: Callable[..., Any]) -> Card:
    """The claims of a protocol. Raises ValueError if it makes none."""
    found = getattr(function, "card", None)
    if not isinstance(found, Card):
        raise ValueError(f"{function.__qualname__} has no card")
    return found
