"""Between which public thresholds a secret lies: powers of two, to normalize by, and the ends of a range, to clip at.

[CS10] O. Catrina, A. Saxena, "Secure Computation with Fixed-Point Numbers", FC 2010, normalizes by the leading bit,
found on all bits. Here thresholds are what the public range of x asks for and no more; they are compared side by side.

A cell is a set of x of one sign whose leading bits are next to each other: |x| in [2^(e-g), 2^e). Which cell x is in is
one-hot in differences of neighbouring comparisons, and what depends on the cell alone is a sum of public numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from protocols.beaver import multiply
from protocols.conversion import negative
from protocols.party import Party
from protocols.piecewise import Pieces, Real, finest
from protocols.rescaling import multiply_rescaled
from protocols.segments import MOST, Located, at_places
from protocols.shares import Share, concatenate
from protocols.truncation import truncate, truncate_each

MANTISSA_BITS = 31  # fraction bits of a mantissa m in [1/2, 1), or from 1/4 for g = 2
FINE_BITS = 34  # the most that a mantissa of one octave or two may have
_NARROW = 4  # a factor of 2^4 is dealt with without a comparison
_LARGEST = 61  # bits of what is normalized


class Cell(NamedTuple):
    """sign: of x, 0 for x = 0. exponent: |x| < 2^exponent. start: the smallest x."""

    sign: int
    exponent: int
    start: int


class Mantissas(NamedTuple):
    """The range of mantissas, in units of 2^-bits, and by what pieces a function with a pole at 0 is found on it.

    Segments of width w, from m on, have a relative error of 2^(1-d) (w/m)^d for degree d - 1, times a factor that is 1
    for 1/m: d = 4 and w/m = 2^-6 for an octave, 3 · 2^-7 for two; d = 8 and w/m = 1/7 for more.
    """

    low: int
    high: int
    bits: int
    segments: int
    degree: int

    @property
    def octaves(self) -> int:
        """The least k such that mantissas are 2^-k or more."""
        return self.bits - self.low.bit_length() + 1


class Cells(NamedTuple):
    """⟨1⟩ for the cell of x and ⟨0⟩ for the others, along a first axis; None if there is but one."""

    cells: tuple[Cell, ...]
    one_hot: Share | None
    mantissas: Mantissas

    def look_up(self, *tables: Sequence[int]) -> Share | None:
        """⟨tᵢ⟩ of each table of numbers, one for each cell, along a first axis; local."""
        if self.one_hot is None:
            return None
        return at_places(self.one_hot, tables)

    def pieces(self, function: Real, *, finer: int = 0) -> Pieces:
        """By which pieces a function of the mantissa is found, 2^finer times as many as are there for 26 bits."""
        low, high, fraction, segments, degree = self.mantissas
        return Pieces(function, low, high, fraction, min(MOST, segments + finer), degree)

    def straight(self, function: Real, bits: int, *, finer: int = 0) -> Pieces | None:
        """By which pieces the mantissa gives a function of x / 2^bits itself, with `bits` fraction bits.

        None unless there is one cell, of positive x, and they are precise enough (`finest`).
        """
        fraction = bits + self.mantissas.bits - self.cells[0].exponent
        if self.one_hot is not None or self.cells[0].sign < 0 or fraction < 0:
            return None
        return finest(self.pieces(function, finer=finer)._replace(bits=fraction), bits)


def below_each(party: Party, x: Share, thresholds: Sequence[int]) -> Share:
    """⟨[x < tᵢ]⟩ along a first axis; x: one axis. 6 rounds."""
    return negative(party, concatenate([(x - t).reshape(1, -1) for t in thresholds]))


def cells_of(low: int, high: int, step: int = 1, phase: int = 0) -> tuple[Cell, ...]:
    """The cells of [low, high] in order, `step` bits each, with exponents that are `phase` modulo `step`."""
    top = max(abs(low), abs(high)).bit_length()
    if low > high or top > _LARGEST:
        raise ValueError(f"from {low} to {high}: integers of up to {_LARGEST} bits are normalized")
    exponents = [e for e in range(1, top + step) if (e - phase) % step == 0]
    least = [-(-(1 << e) // (1 << step)) for e in exponents]
    positive = [Cell(1, e, start) for e, start in zip(exponents, least, strict=True)]
    minus = [Cell(-1, e, 1 - (1 << e)) for e in reversed(exponents)]
    ends = [*(-start + 1 for start in reversed(least)), 1, *(1 << e for e in exponents)]
    every = [*minus, Cell(0, 0, 0), *positive]
    return tuple(one for one, end in zip(every, ends, strict=True) if end > low and one.start <= high)


def find_cell(
    party: Party, x: Share, low: int, high: int, step: int = 1, phase: int = 0, most: int = MANTISSA_BITS
) -> Cells:
    """In which cell of [low, high] x is; x has one axis. 6 rounds.

    None if there is but one: if all x are positive and within a factor of 16, they are taken for one cell. Mantissas
    will have `most` bits if x has as many; in that case so many that also the smallest has 32.
    """
    cells = cells_of(low, high, step, phase)
    if not low and not high:
        raise ValueError("a range of nothing but zero")
    if low > 0 and high <= low << _NARROW and len(cells) > 1:
        return Cells(cells[-1:], None, _narrow(low, high, cells[-1].exponent))
    bits = min(max(MANTISSA_BITS, *(one.exponent for one in cells)), most)
    found = Mantissas(1 << bits - step, 1 << bits, bits, 5 + step, 3)
    if len(cells) == 1:
        return Cells(cells, None, found)
    below = below_each(party, x, [one.start for one in cells[1:]])
    return Cells(cells, concatenate([below[:1], below[1:] - below[:-1], 1 - below[-1:]]), found)


def _narrow(low: int, high: int, exponent: int) -> Mantissas:
    """Of low <= x <= high as one cell. A segment is narrower than a seventh of the least mantissa, below 2^30."""
    octaves = exponent - low.bit_length() + 1
    bits = max(MANTISSA_BITS, min(exponent, MANTISSA_BITS + octaves))
    least, largest = (end << bits >> exponent for end in (low, high))
    return Mantissas(least, largest + 1, bits, (7 * high // low + 1).bit_length(), 7)


def mantissas(party: Party, found: Cells, operands: Share, bits: Sequence[int]) -> Share:
    """⟨± y 2^(b-e)⟩ of each row y of `operands` and b of `bits`, with sign and exponent of x; 0 for x = 0.

    The caller sees to it that |y| 2^(b-e) <= 2^31, or <= 2^b. For x itself it is the mantissa, which is exact but for a
    unit if x has more bits; others are rounded to a unit. 2 rounds, 1 if nothing is lost; of one cell 1, or none.
    """
    top = max(one.exponent for one in found.cells)
    if found.one_hot is None:
        return _of_one_cell(party, found.cells[0], operands, bits)
    lost = max(0, *(top - b for b in bits))
    if lost + max(bits) > _LARGEST + 1:
        raise ValueError(f"operands with {bits} bits of {top} together have too wide a range")
    tables = [[one.sign * (1 << b + lost - one.exponent) for one in found.cells] for b in bits]
    return multiply_rescaled(party, operands, at_places(found.one_hot, tables), lost)


def _of_one_cell(party: Party, cell: Cell, operands: Share, bits: Sequence[int]) -> Share:
    """Each row by its own number of bits."""
    gained = [b - cell.exponent for b in bits]
    rows = [operands[i : i + 1] * (cell.sign << max(0, n)) for i, n in enumerate(gained)]
    places = [i for i, n in enumerate(gained) if n < 0]
    cut = truncate_each(party, *((rows[i], -gained[i]) for i in places)) if places else []
    return concatenate([cut[places.index(i)] if i in places else row for i, row in enumerate(rows)])


def shifted(party: Party, y: Share, located: Located | Cells, exponents: Sequence[int | None]) -> Share:
    """⟨y 2^e⟩ with the exponent of the segment or cell, 0 where it is None; |y| <= 2^31, one axis. 2 rounds.

    Large results have the precision of y, small ones are right to a unit. 31 bits of y and e < 31, so that products
    are below 2^62.
    """
    up = [1 << e if e is not None and e >= 0 else 0 for e in exponents]
    down = [1 << e + 31 if e is not None and -31 <= e < 0 else 0 for e in exponents]
    tables = [table for table in (down, up) if any(table)]
    weights = located.look_up(*tables)
    if weights is None:
        return y * up[0] if any(up) else truncate(party, y * down[0], 31)
    products = multiply(party, y.reshape(1, -1), weights)
    small = truncate(party, products[0], 31) if any(down) else products[0]
    return small + products[1] if len(tables) > 1 else small


def filled(found: Cells, mantissa: Share) -> Share:
    """The mantissa, and 1/2 instead of 0 for x = 0; local."""
    zeros = found.look_up([0 if one.sign else 1 << found.mantissas.bits - 1 for one in found.cells])
    return mantissa if zeros is None else mantissa + zeros[0]


def clip(party: Party, x: Share, low: int, high: int, least: int, most: int) -> Share:
    """⟨x⟩, or `least` or `most` if x is beyond; low <= x <= high. 7 rounds, none if that cannot be."""
    ends = [end for end, beyond in ((least, low < least), (most, high > most)) if beyond]
    if not ends:
        return x
    beyond = below_each(party, x, ends)
    if len(ends) == 2 or ends[0] == most:
        beyond = concatenate([beyond[:-1], 1 - beyond[-1:]])
    excess = concatenate([(end - x).reshape(1, -1) for end in ends])
    return x + multiply(party, beyond, excess).sum(axis=0)
