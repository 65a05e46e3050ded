"""Polynomials whose coefficients are looked up: the same numbers everywhere, and no product too large."""

import hashlib
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import pytest

from protocols.division import reciprocal
from protocols.exponential import exp
from protocols.logarithm import log
from protocols.piecewise import Pieces, evaluate, finest, interpolated, piecewise, table
from protocols.roots import sqrt
from protocols.segments import locate
from protocols.shares import public
from protocols.sigmoid import sigmoid
from tests.protocols.elementary import excess, grid, reals, run, units


def cube(x: Decimal) -> Decimal:
    return x * x * x / 8


@dataclass(frozen=True)
class Steep:
    degree: int
    factor: int

    def __call__(self, x: Decimal) -> Decimal:
        return (x / 2) ** self.degree * self.factor / 3


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


@pytest.mark.parametrize("bits", [4, 16, 20, 30])
@pytest.mark.parametrize("degree", [1, 3, 7])
def test_sums_are_bounded(bits, degree):
    for segments in (3, 5, 8):
        pieces = Pieces(Decimal.exp, -(1 << bits), 1 << bits, bits, segments, degree)
        made = table(pieces, bits)
        odd, sums = made.rows[1 : len(made.rows) // 2 + 1], made.rows[len(made.rows) // 2 + 1 :]
        assert len(odd) == len(sums) == (degree + 1) // 2
        largest = max(
            sum(abs(c) << made.variable for c in factors) + sum(map(abs, others))
            for *factors, others in zip(*odd, zip(*sums, strict=True), strict=True)
        )
        assert largest < (1 << 62) - (1 << 55)  # with half a unit more, and 56 bits to be rounded off
        assert pieces.variable_bits <= made.variable <= 30
        assert 0 < made.sum_bits - bits <= 56


@pytest.mark.parametrize("degree", [1, 3, 7])
@pytest.mark.parametrize("steepness", [1, 2**8, 2**14])
def test_the_error_is_within_what_the_table_says(degree, steepness):
    """Polynomials of the degree, so that theirs is none; steep ones leave few bits for coefficients."""
    function = Steep(degree, steepness)
    pieces = Pieces(function, -(2 << 30), 2 << 30, 30, segments=6, degree=degree)
    x = grid(pieces.low, pieces.high, 50_000)
    result = run(lambda p, s: piecewise(p, s, pieces, 30), x)
    error = excess(result.values, reals(x, 30) ** degree * steepness / 2**degree / 3, 30)
    bound = float(table(pieces, 30).error)
    assert error <= 1 + bound
    assert error >= bound / 16  # and it says no more than is needed


@pytest.mark.parametrize("bits", [5, 30])
def test_a_rest_is_added_before_the_last_rounding(bits):
    pieces = Pieces(cube, -(2 << bits), 2 << bits, bits, segments=5, degree=3)
    x = grid(pieces.low, pieces.high)

    def program(party, s):
        half = public(party.rank, np.full(s.shape, 1 << table(pieces, bits).sum_bits - bits - 1, np.uint64))
        return evaluate(party, locate(party, s, pieces.low, pieces.high, 5), pieces, bits, half)

    assert excess(run(program, x).values, reals(x, bits) ** 3 / 8 + 0.5 / (1 << bits), bits) < 1.3


def test_segments_are_added_until_products_are_precise():
    pieces = Pieces(Decimal.exp, -(10 << 30), 0, 30, 5, 7)
    finer = finest(pieces, 30)
    assert finer is not None
    assert table(finer, 30).error < Decimal("0.3") < table(pieces, 30).error
    assert finest(pieces._replace(high=9 << 30), 30) is None


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
    assert excess(result.values, exact[function](reals(x, bits)), bits, 2.0**-28) <= 1.8


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
    assert digest == "499c9cf1d99292d9abdb77eeb5dde1d272a3a6a24ed8033d59116a2c16fc6d74"


def test_interpolation_is_exact_for_polynomials_of_its_degree():
    nodes = [Decimal(x) / 8 for x in (-5, 1, 2, 7)]
    assert np.allclose([float(c) for c in interpolated(nodes, [3 - x + 2 * x**3 for x in nodes])], [3, -1, 0, 2])
