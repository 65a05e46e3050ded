"""How the manifests of two parties differ: the first field, with both values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smpc.config import difference
from tests.smpc.manifests import GOOD, KEYS, changed

RELEASE = 'to = ["north"]'
RANGE = "range = [10, 80.5]"


def test_a_difference():
    theirs = changed(RELEASE, RELEASE + "\nminimum_rows = 20").encode()
    ours = changed(RELEASE, RELEASE + "\nminimum_rows = 50").encode()
    assert difference(ours, theirs) == "release.minimum_rows is 20 there and 50 here"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (RELEASE, RELEASE + "\nminimum_rows = 20", "release.minimum_rows is 20 there and absent here"),
        ('"linear"', '"ridge"', 'study.model is "ridge" there and "linear" here'),
        (RELEASE, 'to = ["south"]', 'item 1 of release.to is "south" there and "north" here'),
        (RANGE, "range = [10, 81]", "item 2 of columns.bmi.range is 81 there and 80.5 here"),
        (
            KEYS["south"],
            "d4" * 32,
            f'party.south.public_key is "{"d4" * 32}" there and "{KEYS["south"]}" here',
        ),
        (
            'name = "helper"',
            'name = "h\\u001b"',
            'the list of parties is "north", "h\\u001b", "south" there and "north", "helper", "south" here',
        ),
        ("[study]", "# ours\n[study]", "the texts differ (comments or layout)"),
        ("[study]", "[study", "the manifest there cannot be read: line 1, column 7: not valid TOML"),
    ],
)
def test_the_first_difference_is_named(old, new, said):
    told = difference(GOOD.encode(), changed(old, new).encode())
    assert told is not None
    assert told.startswith(said)


def test_equal_bytes_do_not_differ():
    assert difference(GOOD.encode(), GOOD.encode()) is None
    assert difference(b"\xff", b"\xff") is None


def test_a_long_value_is_compared_whole_and_shown_short():
    here, there = (f'[study]\nname = "{"x" * 1000}{end}"'.encode() for end in "ab")
    told = difference(here, there)
    assert told is not None
    assert told.startswith("study.name is ")
    assert len(told) < 500


HOSTILE = [
    b"",
    b"\0",
    b"\xff\xfe",
    b"x = " + b"[" * 8000,
    b"x = " + b"{a=" * 2000,
    b"a" + b".a" * 4000 + b" = 1",
    b"party = [1]",
    b"party = [[]]",
    b"[[party]]\nname = nan",
    b"[[party]]\nname = 1979-05-27T07:32:00Z",
    b'"\\u001b" = 1',
    b"x" * 100_000,
]


@pytest.mark.parametrize("theirs", HOSTILE)
def test_a_hostile_manifest_is_only_described(theirs):
    for one, other in [(GOOD.encode(), theirs), (theirs, GOOD.encode())]:
        told = difference(one, other)
        assert told is not None
        assert told.isprintable()


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_difference_never_raises(ours, theirs):
    assert (difference(ours, theirs) is None) == (ours == theirs)
