"""Functions of a bounded secret, by pieces: the coefficients are looked up, the polynomial is evaluated on shares.

Own composition, not peer-reviewed; pieces of polynomials for MPC are in [MZ17] P. Mohassel, Y. Zhang, "SecureML", IEEE
S&P 2017, section 5.3; the order of evaluation is [Est60] G. Estrin, "Organization of Computer Systems: The Fixed Plus
Variable Structure Computer", Western Joint Computer Conference 1960: (c₀ + c₁z) + z² (c₂ + c₃z), and so on.

`segments` finds a segment next to x and ⟨x - e⟩ of its edge e. Each segment has a polynomial in z = 2^k (x - e), with
|z| <= 1, that is good on both sides of e. Its coefficients are public numbers, which segment counts is secret: ⟨cᵢ⟩ is
a sum over segments, local. z² and all cᵢz take one product, z being opened once; then z⁴, and so on.

Precision: z has 30 fraction bits. c₀, rounded to the bits of the result, is added last. What was rounded off, and the
other coefficients, are held with v fraction bits, so many that Σ |cᵢ| <= 2^31 units in every segment: factors are at
most 2^30 and 2^31, products below 2^62 as `rescaling` asks for, and so is the last sum. With 2^-b the unit of the
result, its error is a unit of the last rounding, 2^(b-v) units for each product before, and that of the polynomials.

Coefficients must be the same at all parties, to the last bit: a share times two different numbers is noise. NumPy's and
the C library's functions differ from machine to machine in the last place. So functions are given in decimal numbers
(`decimal` is exact by its specification), interpolated in Chebyshev's nodes, and rounded once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from protocols.beaver import multiply
from protocols.party import Party
from protocols.rescaling import multiply_rescaled
from protocols.segments import Located, grid, locate, reach
from protocols.shares import Share, concatenate
from protocols.truncation import truncate

Real: TypeAlias = Callable[[Decimal], Decimal]

_VARIABLE_BITS = 30  # fraction bits of z
_SUM_BITS = 31  # of all coefficients but c₀
_MOST_BITS = 40  # fraction bits of coefficients
_TABLES = 256  # that are kept

EXACT = Context(prec=40, rounding=ROUND_HALF_EVEN)  # for decimal numbers, whatever a program has set for its own


class Pieces(NamedTuple):
    """How a function is approximated on low <= x <= high, which stand for x / 2^bits.

    `degree`: one less than a power of two. `segments`: 2^segments of them. `exponents`: if there are any, f is divided
    by 2 to the power of that of the segment which x is taken for.
    """

    function: Real
    low: int
    high: int
    bits: int
    segments: int
    degree: int
    exponents: tuple[int, ...] = ()

    @property
    def shift(self) -> int:
        """k with z = 2^k (x - e). Raises ValueError if x has too many bits."""
        shift = _VARIABLE_BITS - (reach(self.low, self.high, self.segments) - 1).bit_length()
        if shift < 0:
            raise ValueError(f"{1 << self.segments} segments for {self.high - self.low} units")
        return shift


class Table(NamedTuple):
    """Rows with one number for each segment: c₀ with the bits of the result; then its rest and c₁, ... with `bits`."""

    rows: tuple[tuple[int, ...], ...]
    bits: int


def piecewise(party: Party, x: Share, pieces: Pieces, bits: int) -> Share:
    """⟨f(x)⟩ with `bits` fraction bits; x has one axis.

    5 rounds and 10 elements for degree 3, 7 and 20 for 7.
    """
    return evaluate(party, locate(party, x, pieces.low, pieces.high, pieces.segments), pieces, bits)


def evaluate(party: Party, located: Located, pieces: Pieces, bits: int) -> Share:
    """⟨Σ cᵢ zⁱ⟩ with `bits` fraction bits, of an x that was located among the segments of `pieces`."""
    made = table(pieces, bits)
    looked_up = located.look_up(*made.rows)
    power = (located.offset * (1 << pieces.shift)).reshape(1, -1)
    rest = looked_up[1:]
    while rest.shape[0] > 2:
        factors = concatenate([power, rest[1::2]])
        products = multiply_rescaled(party, factors, factors[:1].broadcast_to(factors.shape), _VARIABLE_BITS)
        power, rest = products[:1], rest[::2] + products[1:]
    last = multiply(party, power, rest[1:]) + rest[:1] * (1 << _VARIABLE_BITS)
    return looked_up[0] + truncate(party, last, _VARIABLE_BITS + made.bits - bits).reshape(-1)


@lru_cache(maxsize=_TABLES)
def table(pieces: Pieces, bits: int) -> Table:
    """The coefficients, rounded. Raises ValueError if they are too large."""
    edges, _ = grid(pieces.low, pieces.high, pieces.segments)
    with localcontext(EXACT):
        columns = [
            _split_first([c / Decimal(2) ** exponent for c in _polynomial(pieces, edge)], bits)
            for edge, exponent in zip(edges, pieces.exponents or (0,) * len(edges), strict=True)
        ]
        largest = max(sum(map(abs, column[1:])) for column in columns)
        # Rounded, each may be larger by half a unit
        most = min(_MOST_BITS, bits + _SUM_BITS)  # the last truncation is by 61 bits or less
        fitting = (n for n in range(most, -1, -1) if largest * (1 << n) + pieces.degree <= 1 << _SUM_BITS)
        if (more := next(fitting, None)) is None:
            raise ValueError(f"{pieces} has values too far apart")
        rows = [[_rounded(c, more if i else bits) for c in row] for i, row in enumerate(zip(*columns, strict=True))]
    return Table(tuple(map(tuple, rows)), more)


def _split_first(coefficients: Sequence[Decimal], bits: int) -> list[Decimal]:
    """c₀ rounded, what was rounded off, and the others."""
    first, *others = coefficients
    rounded = Decimal(_rounded(first, bits)) / (1 << bits)
    return [rounded, first - rounded, *others]


def _rounded(x: Decimal, bits: int) -> int:
    return int((x * (1 << bits)).to_integral_value())


def _polynomial(pieces: Pieces, edge: int) -> list[Decimal]:
    """c₀, c₁, ... of the polynomial in z that is f at Chebyshev's nodes, of the two segments that meet at an edge."""
    width = reach(pieces.low, pieces.high, pieces.segments)
    start, stop = max(edge - width, pieces.low), min(edge + width, pieces.high)
    scale = Decimal(1 << _VARIABLE_BITS - pieces.shift)
    nodes = [(start - edge + (stop - start) * place) / scale for place in _places(pieces.degree + 1)]
    return interpolated(nodes, [pieces.function((edge + z * scale) / (1 << pieces.bits)) for z in nodes])


def _places(count: int) -> list[Decimal]:
    """Chebyshev's nodes in [0, 1], rounded to 20 bits, where no two machines differ."""
    cosines = [math.cos(math.pi * (2 * i + 1) / (2 * count)) for i in range(count)]
    return [Decimal(round((1 + c) * (1 << 19))) / (1 << 20) for c in cosines]


def interpolated(nodes: Sequence[Decimal], values: Sequence[Decimal]) -> list[Decimal]:
    """The coefficients of Newton's polynomial; a constant where nodes are one."""
    if len(set(nodes)) < len(nodes):
        return [values[0], *[Decimal(0)] * (len(nodes) - 1)]
    differences = list(values)
    for order in range(1, len(nodes)):
        for i in range(len(nodes) - 1, order - 1, -1):
            differences[i] = (differences[i] - differences[i - 1]) / (nodes[i] - nodes[i - order])
    result = [Decimal(0)] * len(nodes)
    for node, difference in zip(reversed(nodes), reversed(differences), strict=True):
        shifted = [Decimal(0), *result[:-1]]
        result = [up - node * here for up, here in zip(shifted, result, strict=True)]
        result[0] += difference
    return result
