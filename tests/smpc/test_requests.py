"""Requests to the dealer: all that are known come back, and nothing else is accepted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.beaver import ElementSquare, ElementTriple, MatrixTriple
from protocols.binary import WordTriple
from protocols.conversion import DaBits
from protocols.digits import DigitMasks
from protocols.functions import BoundedRandom
from protocols.truncation import TruncationMask
from smpc import requests, wire


def test_a_request_comes_back():
    triple = MatrixTriple(2, 3, 4, owners=(0, 1))
    assert requests.decode(requests.encode(triple)) == triple


shapes = st.lists(st.integers(0, 20), min_size=1, max_size=4).map(tuple)
lengths, bits = st.integers(0, 1000), st.integers(0, 64)
correlations = (
    st.builds(MatrixTriple, lengths, lengths, lengths, st.none() | st.tuples(st.integers(0, 9), st.integers(0, 9)))
    | st.one_of(*(st.builds(kind, shapes) for kind in (ElementTriple, ElementSquare, WordTriple, DigitMasks)))
    | st.builds(WordTriple, shapes, lengths)
    | st.one_of(*(st.builds(kind, shapes, bits) for kind in (TruncationMask, DaBits, BoundedRandom)))
)


@given(correlations)
def test_every_correlation_comes_back_equal_and_prints_equal(correlation):
    decoded = requests.decode(requests.encode(correlation))
    assert decoded == correlation
    assert repr(decoded) == repr(correlation)


BAD = {
    "no message": b"\xc1",
    "nothing": wire.pack([]),
    "text": wire.pack("ElementTriple"),
    "number": wire.pack([1, [2]]),
    "unknown": wire.pack(["Share", 0, [1]]),
    "no parameter": wire.pack(["ElementTriple"]),
    "one too many": wire.pack(["ElementTriple", [2], [2]]),
    "length for shape": wire.pack(["ElementTriple", 2]),
    "shape for length": wire.pack(["MatrixTriple", [2], 2, 2, None]),
    "negative": wire.pack(["ElementTriple", [-1, -1]]),
    "real": wire.pack(["ElementTriple", [2.0]]),
    "truth": wire.pack(["ElementTriple", [True]]),
    "text in a shape": wire.pack(["ElementTriple", ["2"]]),
    "many axes": wire.pack(["ElementTriple", [1] * 33]),
    "one owner": wire.pack(["MatrixTriple", 2, 2, 2, [0]]),
    "three owners": wire.pack(["MatrixTriple", 2, 2, 2, [0, 1, 2]]),
    "many bits": wire.pack(["TruncationMask", [2], 65]),
    "bits of a bounded random": wire.pack(["BoundedRandom", [2], 100]),
    "too large": wire.pack(["ElementTriple", [2**28 // 3 + 1]]),
    "too large when derived": wire.pack(["DaBits", [2**23], 64]),
    "far too large": wire.pack(["MatrixTriple", 2**30, 2**30, 2**30, None]),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_request_is_refused(name):
    with pytest.raises(ValueError):  # noqa: PT011 - the dealer's error names the asking party
        requests.decode(BAD[name])


@given(st.binary(max_size=40))
def test_no_bytes_do_more_than_raise_value_error(data):
    try:
        correlation = requests.decode(data)
    except ValueError:
        return
    assert requests.encode(correlation) == data


def test_what_a_dealer_would_refuse_is_refused_at_home():
    with pytest.raises(ValueError, match="is larger than 2 GiB: ask for it in parts"):
        requests.encode(ElementTriple((2**30,)))
