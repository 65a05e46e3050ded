"""Functions of a bounded secret, by pieces: the coefficients are looked up, the polynomial is evaluated on shares.

Own composition, not peer-reviewed; pieces of polynomials for MPC are in [MZ17] P. Mohassel, Y. Zhang, "SecureML", IEEE
S&P 2017, section 5.3; the order of evaluation is [Est60] G. Estrin, "Organization of Computer Systems: The Fixed Plus
Variable Structure Computer", Western Joint Computer Conference 1960: (c₀ + c₁z) + z² (c₂ + c₃z), and so on.

`segments` finds a segment next to x and ⟨x - e⟩ of its edge e. Each segment has a polynomial in z = 2^-p (x - e), with
|z| <= 1, that is good on both sides of e. Its coefficients are public numbers, which segment counts is secret: ⟨cᵢ⟩ is
a sum over segments, local. A level opens z and the odd coefficients; makes z², the pairs c₂ + c₃z, c₆ + c₇z that it is
multiplied by, and, in the ring and unopened, c₀ + c₁z, c₄ + c₅z that are only added to; then it goes on with these.

Precision: z and its powers have P fraction bits, at least as many as x - e has, so that z is exact. Odd coefficients
have v, sums P + v. A factor that is made is rounded once, as a sum. c₀, rounded to the bits of the result, is added
last, and what was rounded off is one of the sums. They are below Σ |cᵢ| 2^(P+v) <= 2^62, as `rescaling` asks for. For
degree d, the errors of (d+1)/2 coefficients and (d-1)/2 rounded factors are 2^-(v+1) and 2^-v, and that of zⁱ is
i - h(i) times 2^-P, with h(i) the number of ones in i (z² has one, z⁴ two of z² and one, z⁶ those of both). So beside a
unit of the last rounding and the error of the polynomials that of the result is at most

    (3d - 1)/4 · 2^-v + 2^-P Σ (i - h(i)) |cᵢ|         and what is 2^-10 of it, for products of errors.

P and v are those for which that is least; few bits of x - e leave many for coefficients.

Coefficients must be the same at all parties, to the last bit: a share times two different numbers is noise. NumPy's and
the C library's functions differ from machine to machine in the last place. So functions are given in decimal numbers
(`decimal` is exact by its specification), interpolated in Chebyshev's nodes, and rounded once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from protocols.beaver import multiply, open_once
from protocols.party import Party
from protocols.rescaling import multiply_rescaled
from protocols.segments import MOST, Located, grid, locate, reach
from protocols.shares import Share, concatenate

Real: TypeAlias = Callable[[Decimal], Decimal]

_VARIABLE_BITS = 16, 30  # of z: the least, the most
_SUM_BITS = 62
_MOST_LOST = 56  # bits of the last truncation
_GOOD = Decimal("0.3")  # units that products may add to the error
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
    def variable_bits(self) -> int:
        """The bits of x - e: z = 2^-p (x - e). Raises ValueError if there are too many."""
        bits = (reach(self.low, self.high, self.segments) - 1).bit_length()
        if bits > _VARIABLE_BITS[1]:
            raise ValueError(f"{1 << self.segments} segments for {self.high - self.low} units")
        return bits


class Table(NamedTuple):
    """Rows with one number for each segment: c₀ with the bits of the result; c₁, c₃, ...; the rest of c₀, c₂, ...

    `variable` and `bits`: P and v. `error`: the bound above, in units of the result.
    """

    rows: tuple[tuple[int, ...], ...]
    variable: int
    bits: int
    error: Decimal

    @property
    def sum_bits(self) -> int:
        """The fraction bits of sums."""
        return self.variable + self.bits


def piecewise(party: Party, x: Share, pieces: Pieces, bits: int) -> Share:
    """⟨f(x)⟩ with `bits` fraction bits; x has one axis.

    5 rounds and 9 elements for degree 3, 7 and 17 for 7.
    """
    return evaluate(party, locate(party, x, pieces.low, pieces.high, pieces.segments), pieces, bits)


def finest(pieces: Pieces, bits: int, doubled: int = 2) -> Pieces | None:
    """With twice as many segments, so often, that products add 0.3 units at most; None if that is not enough."""
    for segments in range(pieces.segments, min(MOST, pieces.segments + doubled) + 1):
        finer = pieces._replace(segments=segments)
        with suppress(ValueError):
            if table(finer, bits).error <= _GOOD:
                return finer
    return None


def evaluate(party: Party, located: Located, pieces: Pieces, bits: int, rest: Share | None = None) -> Share:
    """⟨Σ cᵢ zⁱ⟩ with `bits` fraction bits, of an x that was located among the segments of `pieces`.

    `rest`: something to be added, of half a unit at most, with as many fraction bits as sums have.
    """
    made = table(pieces, bits)
    looked_up = located.look_up(*made.rows)
    half = len(made.rows) // 2
    z = (located.offset * (1 << made.variable - pieces.variable_bits)).reshape(1, -1)
    factors, sums = concatenate([z, looked_up[1 : half + 1]]), looked_up[half + 1 :]
    if rest is not None:
        sums = concatenate([sums[:1] + rest.reshape(1, -1), sums[1:]])
    while sums.shape[0] > 1:
        open_once(party, factors)
        added = concatenate([z * 0, sums[1::2]])
        sums = sums[::2] + multiply(party, factors[1::2], factors[:1])
        factors = multiply_rescaled(party, factors[::2], factors[:1], made.variable, added)
    last = multiply_rescaled(party, factors[1:], factors[:1], made.sum_bits - bits, sums)
    return looked_up[0] + last.reshape(-1)


@lru_cache(maxsize=_TABLES)
def table(pieces: Pieces, bits: int) -> Table:
    """The coefficients, rounded. Raises ValueError if they are too large."""
    edges, _ = grid(pieces.low, pieces.high, pieces.segments)
    with localcontext(EXACT):
        columns = [
            _split_first([c / Decimal(2) ** exponent for c in _polynomial(pieces, edge)], bits)
            for edge, exponent in zip(edges, pieces.exponents or (0,) * len(edges), strict=True)
        ]
        error, variable, fraction = _split(pieces, [column[1:] for column in columns], bits)
        first, *others = zip(*columns, strict=True)
        sizes = [(first, bits)]
        sizes += [(row, fraction) for row in others[1::2]] + [(row, fraction + variable) for row in others[::2]]
        rows = tuple(tuple(_rounded(c, n) for c in row) for row, n in sizes)
    return Table(rows, variable, fraction, error)


def _split(pieces: Pieces, columns: Sequence[Sequence[Decimal]], bits: int) -> tuple[Decimal, int, int]:
    """The least bound, and P and v that give it."""
    largest = max(sum(map(abs, column)) for column in columns)
    powers = max(sum((i - i.bit_count()) * abs(c) for i, c in enumerate(column)) for column in columns)
    roundings = Decimal(3 * pieces.degree - 1) / 4 * (1 + Decimal(2) ** -10)
    found = []
    for variable in range(max(_VARIABLE_BITS[0], pieces.variable_bits), _VARIABLE_BITS[1] + 1):
        # 2^56 less, since sums are wrong, too, and for `rest`
        room = (1 << _SUM_BITS - variable) - (1 << _SUM_BITS - 6 - variable) - pieces.degree
        possible = range(bits + _MOST_LOST - variable, max(-1, bits - variable), -1)
        if (fraction := next((n for n in possible if largest * (1 << n) <= room), None)) is not None:
            error = roundings / (1 << fraction) + powers * (1 + Decimal(2) ** -10) / (1 << variable)
            found.append((error * (1 << bits), variable, fraction))
    if not found:
        raise ValueError(f"{pieces} has values too far apart")
    return min(found)


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
    scale = Decimal(1 << pieces.variable_bits)
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
