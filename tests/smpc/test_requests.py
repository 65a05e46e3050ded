"""Requests to the dealer: all that are known come back, and nothing else is accepted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.beaver import Masks, Products
from protocols.binary import WordTriple
from protocols.conversion import DaBits
from protocols.descent import DescentMasks
from protocols.digits import DigitMasks
from protocols.flooring import FloorMasks
from protocols.functions import BoundedRandom
from protocols.masks import Factor
from protocols.segments import SegmentMasks
from protocols.selection import SelectionMasks
from protocols.sines import SineMasks
from protocols.truncation import TruncationMask
from smpc import requests, wire
from tests.correlations import element_square, element_triple, matrix_triple, rescaled


def test_a_request_comes_back():
    triple = matrix_triple(2, 3, 4, owners=(0, 1))
    assert requests.decode(requests.encode([triple])) == ([triple], [])
    assert requests.decode(requests.encode([triple, triple], [3, 1])) == ([triple, triple], [3, 1])


shapes = st.lists(st.integers(0, 20), min_size=1, max_size=4).map(tuple)
lengths, bits = st.integers(0, 1000), st.integers(0, 64)
SHAPE, STRIDES = st.just((3, 0, 2)), st.tuples(*[st.integers(-99, 99)] * 3)
correlations = (
    st.builds(matrix_triple, lengths, lengths, lengths, st.none() | st.tuples(st.integers(0, 9), st.integers(0, 9)))
    | st.one_of(*(st.builds(kind, shapes) for kind in (element_triple, element_square, WordTriple, DigitMasks)))
    | st.builds(lambda shape, bits: rescaled(element_triple(shape), bits), shapes, bits)
    | st.builds(Masks, lengths, shapes)
    | st.builds(lambda view: Products(view, view), st.builds(Factor, lengths, SHAPE, lengths, STRIDES, st.none()))
    | st.builds(
        DescentMasks, st.builds(Factor, lengths, st.just((3, 1, 2)), lengths, STRIDES, st.none()), lengths, bits
    )
    | st.builds(WordTriple, shapes, lengths)
    | st.builds(DigitMasks, shapes, st.integers(1, 4))
    | st.builds(FloorMasks, shapes, st.integers(1, 61))
    | st.builds(SelectionMasks, lengths, st.integers(1, 4), st.integers(0, 9))
    | st.one_of(*(st.builds(kind, shapes, bits) for kind in (TruncationMask, DaBits, BoundedRandom)))
    | st.builds(SegmentMasks, shapes, st.integers(1, 8))
    | st.builds(SineMasks, shapes, st.integers(1, 32))
)


@given(correlations)
def test_every_correlation_comes_back_equal_and_prints_equal(correlation):
    (decoded,), _ = requests.decode(requests.encode([correlation]))
    assert decoded == correlation
    assert repr(decoded) == repr(correlation)


BAD = {
    "no message": b"\xc1",
    "nothing": wire.pack([]),
    "no kind": wire.pack([[]]),
    "a name alone": wire.pack([[], "DigitMasks"]),
    "an empty list": wire.pack([[], []]),
    "too many": wire.pack([[], *[["DigitMasks", [2], 4]] * 257]),
    "nothing to forget": wire.pack([None, ["Masks", 0, [2]]]),
    "a negative mask to forget": wire.pack([[-1], ["Masks", 0, [2]]]),
    "text": wire.pack("DigitMasks"),
    "number": wire.pack([[], [1, [2]]]),
    "unknown": wire.pack([[], ["Share", 0, [1]]]),
    "no parameter": wire.pack([[], ["DigitMasks"]]),
    "one too many": wire.pack([[], ["DigitMasks", [2], 4, [2]]]),
    "length for shape": wire.pack([[], ["DigitMasks", 2, 4]]),
    "shape for length": wire.pack([[], ["PrivateTriple", [2], 2, 2, [0, 1]]]),
    "negative": wire.pack([[], ["DigitMasks", [-1, -1], 4]]),
    "real": wire.pack([[], ["DigitMasks", [2.0], 4]]),
    "truth": wire.pack([[], ["DigitMasks", [True], 4]]),
    "text in a shape": wire.pack([[], ["DigitMasks", ["2"], 4]]),
    "many axes": wire.pack([[], ["DigitMasks", [1] * 33, 4]]),
    "one owner": wire.pack([[], ["PrivateTriple", 2, 2, 2, [0]]]),
    "three owners": wire.pack([[], ["PrivateTriple", 2, 2, 2, [0, 1, 2]]]),
    "many bits": wire.pack([[], ["TruncationMask", [2], 65]]),
    "no segments": wire.pack([[], ["SegmentMasks", [2], 0]]),
    "too many segments": wire.pack([[], ["SegmentMasks", [2], 9]]),
    "no waves": wire.pack([[], ["SineMasks", [2], 0]]),
    "too many waves": wire.pack([[], ["SineMasks", [2], 33]]),
    "bits of a bounded random": wire.pack([[], ["BoundedRandom", [2], 100]]),
    "more digits than there are": wire.pack([[], ["DigitMasks", [2], 5]]),
    "a selection by more digits than there are": wire.pack([[], ["SelectionMasks", 2, 5, 0]]),
    "a selection of too many others": wire.pack([[], ["SelectionMasks", 2**10, 1, 2**20]]),
    "no digits": wire.pack([[], ["DigitMasks", [2], 0]]),
    "a floor of no bits": wire.pack([[], ["FloorMasks", [2], 0]]),
    "a floor of many bits": wire.pack([[], ["FloorMasks", [2], 65]]),
    "too large": wire.pack([[], ["DigitMasks", [2**28 // 3 + 1], 4]]),
    "too large when derived": wire.pack([[], ["DaBits", [2**23], 64]]),
    "no view": wire.pack([[], ["Products", 1, [0, [2], 0, [1], None], False]]),
    "a view without a stride": wire.pack([[], ["Products", [0, [2], 0, [], [2]], [1, [2], 0, [1], [2]], False]]),
    "a view beyond its mask": wire.pack([[], ["Products", [0, [2], 1, [1], [2]], [1, [2], 0, [1], [2]], False]]),
    "shapes that do not fit": wire.pack([[], ["Products", [0, [2], 0, [1], [2]], [1, [3], 0, [1], [3]], False]]),
    "matrices of one axis": wire.pack([[], ["Products", [0, [2], 0, [1], [2]], [1, [2], 0, [1], [2]], True]]),
    "matrices that do not fit": wire.pack(
        [[], ["Products", [0, [2, 3], 0, [3, 1], [2, 3]], [1, [2, 3], 0, [3, 1], [2, 3]], True]]
    ),
    "iterations on fresh rows": wire.pack([[], ["DescentMasks", [0, [1, 1, 1], 0, [0, 0, 0], [1]], 1, 20]]),
    "endless iterations": wire.pack([[], ["DescentMasks", [0, [44_000_000, 1, 1], 0, [0, 0, 0], None], 1, 20]]),
    "iterations on nothing": wire.pack([[], ["DescentMasks", [0, [9, 0, 1], 0, [0, 0, 0], None], 1, 20]]),
    "iterations on a matrix": wire.pack([[], ["DescentMasks", [0, [1, 1], 0, [0, 0], None], 1, 20]]),
    "a truth of another type": wire.pack([[], ["Products", [0, [2], 0, [1], [2]], [1, [2], 0, [1], [2]], 1]]),
    "far too large": wire.pack([[], ["PrivateTriple", 2**30, 2**30, 2**30, [0, 1]]]),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_request_is_refused(name):
    with pytest.raises(ValueError):  # noqa: PT011 - the dealer's error names the asking party
        requests.decode(BAD[name])


@given(st.binary(max_size=40))
def test_no_bytes_do_more_than_raise_value_error(data):
    try:
        asked = requests.decode(data)
    except ValueError:
        return
    assert requests.encode(*asked) == data


def test_what_a_dealer_would_refuse_is_refused_at_home():
    with pytest.raises(ValueError, match="is larger than 2 GiB: ask for it in parts"):
        requests.encode([element_triple((2**30,))])
