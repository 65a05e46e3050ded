"""What the documents show is so: the table of protocols, the programs, the first protocol, the links."""

import re
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from protocols import local, ring
from protocols.card import card_of
from protocols.prg import Prg
from protocols.shares import split
from tests import protocol_table

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *(p for d in ("docs", "examples", "protocols") for p in (ROOT / d).rglob("*.md"))]
)


def test_the_table_of_protocols_is_what_the_cards_say():
    text = protocol_table.README.read_text(encoding="utf-8")
    assert protocol_table.between_marks(text) == protocol_table.table(), "python -m tests.protocol_table --write"


def test_the_table_is_replaced_and_nothing_else():
    text = "before\n<!-- protocols -->\nold\n<!-- protocols -->\nafter\n"
    new = protocol_table.with_table(text)
    assert new.startswith("before\n")
    assert new.endswith("\nafter\n")
    assert protocol_table.between_marks(new) == protocol_table.table()
    assert protocol_table.with_table(new) == new


def code(document: str, mark: str) -> str:
    """The Python between two marks of a document."""
    _, inside, _ = (ROOT / document).read_text(encoding="utf-8").split(f"<!-- {mark} -->\n")
    return inside.removeprefix("```python\n").removesuffix("```\n")


def test_the_program_of_the_readme_runs(capsys: pytest.CaptureFixture[str]):
    exec(compile(code("README.md", "program"), "README.md", "exec"), {"__name__": "__main__"})
    printed = [float(number) for number in re.findall(r"-?\d+\.\d*", capsys.readouterr().out)]
    np.testing.assert_allclose(np.reshape(printed, (3, 3)), [[1.0, -2.0, 0.5]] * 3, atol=2**-16)


def test_the_start_in_the_package_s_docstring_runs(capsys: pytest.CaptureFixture[str]):
    import smpc

    shown = re.search(r"\n\n((?:    .*\n|\n)+)", smpc.__doc__ or "")
    assert shown
    program = "\n".join(line[4:] for line in shown[1].splitlines())
    exec(compile(program, "smpc/__init__.py", "exec"), {"__name__": "__main__"})
    assert capsys.readouterr().out.count("153.0") == 3


# The first protocol of CONTRIBUTING.md


def module(name: str, source: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    made = ModuleType(name)
    monkeypatch.setitem(sys.modules, name, made)
    exec(compile(source, name, "exec"), vars(made))
    return made


@pytest.fixture
def cube(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    return module("protocols.cube", code("CONTRIBUTING.md", "cube"), monkeypatch)


@pytest.mark.parametrize("count", [2, 3, 5])
def test_the_first_protocol_costs_what_its_card_says(cube: ModuleType, count: int):
    card = card_of(cube.cube)
    shares = split(ring.from_int([[1, 2, 3], [4, 5, 6]]), count, Prg(bytes(32)))
    parties = local.parties(count)
    local.run_all(parties, lambda party: cube.cube(party, shares[party.rank]))
    assert {(p.rounds, p.elements) for p in parties} == {(card.rounds, 6 * card.elements * (count - 1))}


@pytest.mark.usefixtures("cube")
def test_the_test_of_the_first_protocol_passes(monkeypatch: pytest.MonkeyPatch):
    tests = module("test_cube", code("CONTRIBUTING.md", "cube test"), monkeypatch)
    for count in (2, 3, 5):
        tests.test_a_cube(count)
    tests.test_a_cube_shows_nothing(2, 3)


def test_the_test_of_the_first_protocol_sees_a_missing_mask(monkeypatch: pytest.MonkeyPatch):
    source = code("CONTRIBUTING.md", "cube")
    assert source.count("x - mask.a)") == 1
    module("protocols.cube", source.replace("x - mask.a)", "x)"), monkeypatch)
    tests = module("test_cube", code("CONTRIBUTING.md", "cube test"), monkeypatch)
    with pytest.raises(AssertionError):
        tests.test_a_cube_shows_nothing(2, 3)


# Links


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path):
    for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text(encoding="utf-8")):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        file = (document.parent / path).resolve() if path else document
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), target


def anchors(document: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
