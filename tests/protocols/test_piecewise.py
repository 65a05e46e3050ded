"""Polynomials whose coefficients are looked up: the same numbers everywhere, and no product too large."""

import hashlib
from decimal import Decimal

import numpy as np
import pytest

from protocols.division import reciprocal
from protocols.exponential import exp
from protocols.logarithm import log
from protocols.piecewise import Pieces, interpolated, piecewise, table
from protocols.roots import sqrt
from protocols.sigmoid import sigmoid
from tests.protocols.elementary import excess, grid, reals, run, units


def cube(x: Decimal) -> Decimal:
    return x * x * x / 8


def steep(x: Decimal) -> Decimal:
    return x * 10**15


def test_a_polynomial_is_itself():
    pieces = Pieces(cube, units(-2, 20), units(2, 20), 20, segments=3, degree=3)
    x = grid(pieces.low, pieces.high)
    result = run(lambda p, s: piecewise(p, s, pieces, 20), x)
    assert excess(result.values, reals(x, 20) ** 3 / 8, 20) < 1.01
    assert {party.rounds for party in result.parties} == {5}


@pytest.mark.parametrize("degree", [1, 3, 7])
def test_rounds_grow_with_the_logarithm_of_the_degree(degree):
    pieces = Pieces(cube, 0, 1000, 20, segments=2, degree=degree)
    result = run(lambda p, s: piecewise(p, s, pieces, 20), [1, 2])
    assert {party.rounds for party in result.parties} == {1 + 2 * (degree + 1).bit_length() - 2}


@pytest.mark.parametrize("bits", [16, 20, 30])
def test_the_factors_of_products_are_bounded(bits):
    for segments in (2, 5, 8):
        pieces = Pieces(lambda x: x.exp(), -(1 << bits), 1 << bits, bits, segments, 7)
        made = table(pieces, bits)
        assert max(sum(map(abs, column)) for column in zip(*made.rows[1:], strict=True)) <= 1 << 31
        assert made.bits <= 40


@pytest.mark.parametrize("bits", [4, 8, 12, 24])
@pytest.mark.parametrize("function", [sigmoid, exp, log, sqrt, reciprocal])
def test_any_number_of_fraction_bits(function, bits):
    low, high = 1, 6 << bits
    x = grid(low, high, 2000)
    exact = {
        sigmoid: lambda x: 1 / (1 + np.exp(-x)),
        exp: np.exp,
        log: np.log,
        sqrt: np.sqrt,
        reciprocal: lambda x: 1 / x,
    }
    result = run(function, x, bits=bits, low=low, high=high)
    assert excess(result.values, exact[function](reals(x, bits)), bits, 2.0**-27) <= 2


def test_a_function_that_is_too_steep_is_refused_before_anything_is_sent():
    with pytest.raises(ValueError, match="too far apart"):
        table(Pieces(steep, 0, 1 << 30, 20, 2, 3), 20)


def test_segments_that_are_too_wide_are_refused():
    with pytest.raises(ValueError, match="segments for"):
        table(Pieces(cube, 0, 1 << 40, 20, 4, 3), 20)


def test_tables_are_the_same_on_every_machine():
    """Parties with different numbers would multiply their shares by them: frozen, to be compared between machines."""
    made = table(Pieces(Decimal.exp, -(8 << 20), 4 << 20, 20, 5, 7), 20)
    digest = hashlib.sha256(repr(made).encode()).hexdigest()
    assert digest == "cbb31b3d8d77559ea7fae4ed481b4c81704232d15714c61cb2e825e3b09c8b39"


def test_interpolation_is_exact_for_polynomials_of_its_degree():
    nodes = [Decimal(x) / 8 for x in (-5, 1, 2, 7)]
    assert np.allclose([float(c) for c in interpolated(nodes, [3 - x + 2 * x**3 for x in nodes])], [3, -1, 0, 2])
