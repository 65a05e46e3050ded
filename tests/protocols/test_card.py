"""Every claim about cost, measured with 2, 3 and 5 parties."""

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import protocols
from protocols.card import Card, card, card_of
from protocols.local import LocalParty


@card("Ex00", adversary="semi-honest, all but one", rounds=2, elements=3)
def example() -> int:
    """A protocol without a message."""
    return 7


def test_a_card_leaves_the_function_as_it_is():
    assert example() == 7
    assert card_of(example) == Card("Ex00", "semi-honest, all but one", 2, 3, "element")


def test_a_function_without_claims_is_refused():
    with pytest.raises(ValueError, match="has no card"):
        card_of(test_a_function_without_claims_is_refused)


@pytest.mark.parametrize("count", [2, 3, 5])
def test_what_is_sent_is_what_the_card_says(case: Any, count: int):
    claims = card_of(case.protocol)
    parties = case.run(count)
    assert {party.rounds for party in parties} == {claims.rounds}
    expected = {pair: units * claims.elements for pair, units in case.units(count).items()}
    assert elements(parties) == {pair: n for pair, n in expected.items() if n}
    assert [party.elements for party in parties] == [
        sum(n for (sender, _), n in expected.items() if sender == party.rank) for party in parties
    ]


def test_every_protocol_with_a_card_is_measured(cases: dict[str, Any]):
    assert carded() - {case.protocol for case in cases.values()} == set()


def elements(parties: list[LocalParty]) -> dict[tuple[int, int], int]:
    """How many elements each party sent to each peer."""
    total: dict[tuple[int, int], int] = {}
    for party in parties:
        for message in party.sent:
            pair = message.sender, message.receiver
            total[pair] = total.get(pair, 0) + sum(array.size for array in message.arrays)
    return total


def carded() -> set[Any]:
    folder = Path(protocols.__path__[0])
    modules = [import_module(f"protocols.{path.stem}") for path in folder.glob("*.py")]
    return {f for module in modules for f in vars(module).values() if isinstance(getattr(f, "card", None), Card)}
