"""Exact sums over rows: the same whatever pieces the rows come in.

A value u in [-1, 1] counts as the integer k = round(2^54 u). Sums of such integers and of their products do not depend
on order or grouping. They are formed by products of float64 matrices, which are fast, and exact while all numbers in
them are integers up to 2^53: k = 2^36 a + 2^18 b + c with |a| <= 2^18, |b| <= 2^17 and |c| <= 2^17, so that a product
of two digits is at most 2^36 and the sum of 2^17 of these at most 2^53. Sums of more rows are Python's integers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]
Integers = NDArray[Any]  # of dtype object: Python's integers

BITS = 54
_DIGIT = 18
_PLACES = (2 * _DIGIT, _DIGIT, 0)  # bits below a digit
_DIGITS = len(_PLACES)
_MOST = 1 << 53 - 2 * _DIGIT  # rows in one exact sum
_BLOCK = 1 << 13  # rows at a time: fits a processor's cache; divides _MOST
_TILE = 1 << 18  # multiplications in a matrix product: so few are one thread's, which waits for no other


@dataclass(frozen=True, eq=False, repr=False)
class Sums:
    """Of `rows` rows of D columns: `first` is Σk, D values with BITS fraction bits, `second` Σkkᵀ, D×D, with 2 BITS."""

    rows: int
    first: Integers
    second: Integers


def add_up(pieces: Iterable[Reals], columns: int) -> Sums:
    """The sums over all rows of `pieces`, each any number of rows × `columns`, with values in [-1, 1]."""
    size = _DIGITS * columns + 1
    total, recent, room = np.full((size, size), 0, dtype=object), np.zeros((size, size)), _MOST
    for block in _blocks(pieces):
        if len(block) > room:
            total += _integers(recent)
            recent[:], room = 0.0, _MOST
        tiles = _digits(block)
        recent += (tiles @ tiles.swapaxes(1, 2)).sum(axis=0)
        room -= len(block)
    return _assembled(total + _integers(recent), columns)


def _blocks(pieces: Iterable[Reals]) -> Iterator[Reals]:
    for piece in pieces:
        for start in range(0, len(piece), _BLOCK):
            yield piece[start : start + _BLOCK]


def _digits(u: Reals) -> Reals:
    """The digits of k, tiles × (3D + 1) × rows of a tile: all a, all b, all c, and ones, to sum the digits themselves.

    The last tile is filled up with rows of zeros, which add nothing.
    """
    size = _DIGITS * u.shape[1] + 1
    rows = _TILE // size**2
    if rows < 32:  # nothing is gained by tiles so small
        rows = len(u)
    digits = np.zeros((size, -(-len(u) // rows) * rows))
    rest = np.rint(u.T * 2.0**BITS)
    for place, digit in zip(_PLACES, np.split(digits[:-1, : len(u)], _DIGITS), strict=True):
        np.rint(rest * 2.0**-place, out=digit)
        rest -= digit * 2.0**place
    digits[-1, : len(u)] = 1.0
    return digits.reshape(size, -1, rows).swapaxes(0, 1)


def _integers(exact: Reals) -> Integers:
    return exact.astype(np.int64).astype(object)


def _assembled(total: Integers, columns: int) -> Sums:
    """The sums of k from those of its digits."""
    of_digits = total[-1, :-1].reshape(_DIGITS, columns)
    of_products = total[:-1, :-1].reshape(_DIGITS, columns, _DIGITS, columns)
    first, second = np.full(columns, 0, dtype=object), np.full((columns, columns), 0, dtype=object)
    for i, place in enumerate(_PLACES):
        first += of_digits[i] << place
        for j, other in enumerate(_PLACES):
            second += of_products[i, :, j] << place + other
    return Sums(int(total[-1, -1]), first, second)
