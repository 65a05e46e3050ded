"""Reals in the ring, against exact fractions."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols import ring
from protocols.fixedpoint import LIMIT_BITS, decode, encode, encode_integers

bits = st.integers(0, 40)


def test_a_dyadic_number_is_exact():
    assert ring.to_int(encode([1.5, -0.25], 20)).tolist() == [3 << 19, -(1 << 18)]
    assert decode(encode([1.5, -0.25], 20), 20).tolist() == [1.5, -0.25]


@given(st.floats(-(2.0**21), 2.0**21), bits)
def test_the_error_is_at_most_half_a_unit(x, f):
    v = int(ring.to_int(encode(x, f))[0])
    assert abs(Fraction(v, 2**f) - Fraction(x)) <= Fraction(1, 2 ** (f + 1))


@given(st.floats(-(2.0**21), 2.0**21), st.floats(-(2.0**21), 2.0**21), bits)
def test_order_is_kept(x, y, f):
    v, w = ring.to_int(encode([min(x, y), max(x, y)], f)).tolist()
    assert v <= w


@given(st.integers(-(2**63), 2**63 - 1), bits)
def test_decoding_is_to_the_nearest_float(v, f):
    assert decode(ring.from_int(v), f)[0] == float(Fraction(v, 2**f))


@given(st.integers(-(2**53), 2**53), bits)
def test_what_fits_a_float_comes_back(v, f):
    assert encode(decode(ring.from_int(v), f), f)[0] == v % 2**64


@pytest.mark.parametrize("f", [0, 8, 20, 30])
def test_the_limit_is_exclusive(f):
    limit = 2.0 ** (LIMIT_BITS - f)
    inside = np.nextafter(limit, 0)
    assert abs(ring.to_int(encode([inside, -inside], f))).max() < 2**LIMIT_BITS
    for x in (limit, -limit):
        with pytest.raises(ValueError, match=f"2\\^{LIMIT_BITS - f} or more"):
            encode([0.0, x], f)


@pytest.mark.parametrize("shape", [(), (0,), (1,), (2, 0, 3), (2, 1, 3)])
def test_the_shape_is_kept_with_at_least_one_axis(shape):
    v = encode(np.ones(shape), 3)
    assert v.shape == (shape or (1,))
    assert (v == 8).all()


@pytest.mark.parametrize("kind", [np.int64, np.uint64, np.int8, np.uint8, np.bool_])
def test_integers_of_every_type_are_taken_as_they_are(kind):
    x = np.array([[0, 1], [100, 127]]).astype(kind)
    np.testing.assert_array_equal(encode_integers(x), x.astype(np.uint64))
    assert encode_integers(kind(1)).tolist() == [1]


@given(st.lists(st.integers(1 - 2**LIMIT_BITS, 2**LIMIT_BITS - 1), min_size=1))
def test_integers_are_exact(values):
    assert ring.to_int(encode_integers(values)).tolist() == values


@pytest.mark.parametrize("value", [2**LIMIT_BITS, -(2**LIMIT_BITS), -(2**63), 2**63 - 1, 2**63, 2**64 - 1])
def test_the_limit_of_integers_is_exclusive(value):
    x = np.array([value], np.uint64 if value > 2**63 - 1 else np.int64)
    with pytest.raises(ValueError, match=f"an integer is 2\\^{LIMIT_BITS} or more"):
        encode_integers(x)


@pytest.mark.parametrize("values", [[0.5], [1j], ["1"], [2**64], [None]])
def test_what_is_no_integer_is_refused(values):
    with pytest.raises(ValueError, match="not an array of integers"):
        encode_integers(values)


def test_frozen_vectors(vectors):
    for vector in vectors("fixedpoint")["good"]:
        v = encode(float.fromhex(vector["x"]), vector["fraction_bits"])
        assert v.tolist() == [vector["v"]]


def test_frozen_vectors_to_refuse(vectors):
    for vector in vectors("fixedpoint")["reject"]:
        with pytest.raises(ValueError, match=r"not a finite number|2\^\d+ or more"):
            encode([0.5, float.fromhex(vector["x"])], vector["fraction_bits"])


@pytest.mark.parametrize("x", [float("nan"), float("inf"), 12345.678e300])
def test_an_error_does_not_tell_the_value(x):
    with pytest.raises(ValueError, match=r"not a finite number|2\^\d+ or more") as info:
        encode(x, 20)
    assert "12345" not in str(info.value)
