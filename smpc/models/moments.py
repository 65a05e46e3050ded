"""Secret means and covariances of data that are split by rows or by columns.

Every column is first mapped by its declared range to u = (x - centre) / half_width in [-1, 1]; that map is public.
With D columns (the features, then the target) and n rows in all, the result is, for both splits,

    mean   ⟨m⟩, the means of u, D values with 51 bits
    c      ⟨C'⟩, D×D: C'ⱼₗ = 2^(sⱼ + sₗ) Cⱼₗ with 62 bits, where C is the covariance of u over 4 and the secret integer
           sⱼ brings the diagonal into [1/4, 1)
    up     ⟨2^s⟩, D values;   down  ⟨2^(SPREAD - s)⟩

Rows split: G = UᵀU/n and m are sums of what each party computes from its own rows (see `sums`), and C = G - mmᵀ takes
one product, whose operand m is kept in two words: one word would leave C with half its digits.
Columns split: each owner centres and scales its own columns; only the blocks of C between two owners need products.

A column must fill its range: s is at most SPREAD = 10, which allows a declared range about 1,400 standard
deviations wide. A narrower (or constant) column is reported, never fitted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from protocols import fixedpoint, inputs, ring
from protocols.beaver import matmul, private_matmul
from protocols.functions import TOP
from protocols.linalg import equilibrate
from protocols.party import Party
from protocols.ring import RingArray
from protocols.shares import Share, concatenate
from protocols.truncation import truncate, truncate_each
from smpc.models import sums
from smpc.models.sums import Sums

Reals = NDArray[np.float64]

SPREAD = 10
MEAN_BITS = 51
BLOCK = 1 << 16  # rows in one private product: bounds memory and the length of a frame

_G = 60  # bits of second moments
_HIGH = 30  # bits of the high word of a mean
_PER_ROW, _FACTOR = 37, 12  # bits of 1/n, and of n next to a power of two
_UNIT = 31  # bits of a centred, scaled column: a product of two has 62


@dataclass(frozen=True)
class Moments:
    """Secret moments; see the module. `varies`: ⟨1⟩ for each column that fills its range, ⟨0⟩ else."""

    rows: int
    mean: Share
    c: Share
    up: Share
    down: Share
    varies: Share


def of_rows(party: Party, own: Sums, rows: int) -> Moments:
    """Moments of the rows of all parties; `own`: sums of this party's, `rows` the public total.

    3 + 17 rounds, whatever the number of rows.
    """
    second, first, low_bits = _own_means(party, own, rows)
    g, words = inputs.total(party, second), inputs.total(party, first)
    high, low = words[0], words[1]
    c = g - _outer(party, high, low, low_bits)
    mean = high * (1 << MEAN_BITS - _HIGH) + truncate(party, low, low_bits - MEAN_BITS)
    scaled, normal = equilibrate(party, c)
    up, down = normal.power(lambda s: s), normal.power(lambda s: SPREAD - s)
    return Moments(rows, mean, scaled, up, down, normal.reaches(TOP - 2 * SPREAD))


def of_columns(party: Party, u: Reals, owners: tuple[int, ...]) -> Moments:
    """Moments of columns held by different parties, rows in the same order everywhere.

    `u`: rows × own columns, in [-1, 1]; `owners`: the rank that holds each of the D columns; an owner's columns
    are in the order of `owners`. Raises ValueError if an own column does not fill its range: see `narrow`.
    One round a pair of owners and block of 65,536 rows.
    """
    rows, total = len(u), len(owners)
    mine = [j for j in range(total) if owners[j] == party.rank]
    means = u.mean(axis=0)
    shifts = _shifts(u)
    unit = fixedpoint.encode((u - means) * np.ldexp(0.5, shifts) / np.sqrt(rows), _UNIT)
    c = inputs.total(party, _own_block(unit, mine, total))
    present = sorted(set(owners))
    for left, right in [(a, b) for a in present for b in present if a < b]:
        c = _add_block(party, c, unit, owners, (left, right), rows)
    public = {
        "mean": fixedpoint.encode(means, MEAN_BITS),
        "up": _power(shifts),
        "down": _power(SPREAD - shifts),
    }
    spread = {name: inputs.total(party, _place(values, mine, total)) for name, values in public.items()}
    ones = inputs.total(party, _place(np.ones(len(mine), np.uint64), mine, total))
    return Moments(rows, spread["mean"], c, spread["up"], spread["down"], ones)


def of_shares(party: Party, u: Share, bits: int) -> Moments:
    """Moments of rows that are secret already: u, n×D, with `bits` fraction bits, 24 at most, n up to 2^22.

    8 + 17 rounds. Means are right to 2^-24 + n 2^-38, covariances to that squared and a common factor within 2^-13.
    """
    rows = u.shape[0]
    log = (rows - 1).bit_length()
    factor = round(2.0**_PER_ROW / rows)
    mean = truncate(party, u.sum(axis=0) * factor, _PER_ROW)
    centred, own = Share(u.rank, u.values - mean.values), min(bits, (61 - log) // 2)
    short = truncate(party, centred, bits - own) if own < bits else centred
    total = truncate(party, matmul(party, short.T, short), log)
    c = total * (round(2.0 ** (log + _FACTOR) / rows) << _G - 2 * own - _FACTOR)
    scaled, normal = equilibrate(party, c)
    up, down = normal.power(lambda s: s), normal.power(lambda s: SPREAD - s)
    return Moments(rows, mean * (1 << MEAN_BITS - bits), scaled, up, down, normal.reaches(TOP - 2 * SPREAD))


def narrow(u: Reals) -> NDArray[np.bool_]:
    """Which columns of `u` vary too little for their range, by the rule that the secret computation applies."""
    variances: Reals = u.var(axis=0)
    found: NDArray[np.bool_] = variances < 2.0 ** (TOP - 2 * SPREAD - _G)
    return found


def _own_means(party: Party, own: Sums, rows: int) -> tuple[RingArray, RingArray, int]:
    """Σuuᵀ / rows with 60 bits, and the words of Σu / rows: high with 30 bits, low with the returned number.

    Each value is rounded once, from the exact sum.
    """
    inner = [[_quotient(value, rows, _G - 2 * sums.BITS) for value in line] for line in own.second]
    bits = 59 - (party.count - 1).bit_length()
    low = np.array([_quotient(value, rows, bits - sums.BITS) for value in own.first])
    high = (low + (1 << bits - _HIGH - 1)) >> bits - _HIGH
    return ring.from_int(inner), ring.from_int([high, low - (high << bits - _HIGH)]), bits


def _quotient(numerator: int, denominator: int, bits: int) -> int:
    """numerator · 2^bits / denominator, rounded."""
    up, down = max(bits, 0), max(-bits, 0)
    return ((numerator << up + 1) // (denominator << down) + 1) >> 1


def _outer(party: Party, high: Share, low: Share, low_bits: int) -> Share:
    """⟨mmᵀ⟩ with 60 bits."""
    d = high.shape[0]
    words = concatenate([high, low]).reshape(2 * d, 1)
    products = matmul(party, words, words.T)
    mixed = products[:d, d:]
    cross, last = truncate_each(party, (mixed + mixed.T, _HIGH + low_bits - _G), (products[d:, d:], 2 * low_bits - _G))
    return products[:d, :d] + cross + last


def _shifts(u: Reals) -> NDArray[np.int64]:
    if narrow(u).any():
        message = "a column varies too little for its declared range"
        raise ValueError(message)
    # A hair more than the variance, so that the rounded column's norm stays below 1.
    _, exponents = np.frexp(np.ldexp(u.var(axis=0) * (1 + 2.0**-20), _G))
    shifts: NDArray[np.int64] = np.maximum(TOP + 1 - exponents.astype(np.int64), 0) // 2
    return shifts


def _own_block(unit: RingArray, mine: list[int], total: int) -> RingArray:
    """The Gram matrix of the rounded columns, at their places in the D×D matrix."""
    signed = np.ldexp(unit.view(np.int64).astype(np.float64), -_UNIT)
    block = np.zeros((total, total), np.uint64)
    block[np.ix_(mine, mine)] = fixedpoint.encode(signed.T @ signed, 2 * _UNIT - 1) * np.uint64(2)
    return block


def _add_block(
    party: Party, c: Share, unit: RingArray, owners: tuple[int, ...], pair: tuple[int, int], rows: int
) -> Share:
    """⟨C⟩ with the block between two owners added, rows in pieces."""
    places = [[j for j in range(len(owners)) if owners[j] == rank] for rank in pair]
    values = c.values.copy()
    for start in range(0, rows, BLOCK):
        piece = unit[start : start + BLOCK] if party.rank in pair else None
        length = min(BLOCK, rows - start)
        own = None if piece is None else piece.T if party.rank == pair[0] else piece
        block = private_matmul(party, own, pair, (len(places[0]), length), (length, len(places[1])))
        values[np.ix_(places[0], places[1])] += block.values
        values[np.ix_(places[1], places[0])] += block.values.T
    return Share(party.rank, values)


def _place(values: RingArray, mine: list[int], total: int) -> RingArray:
    whole = np.zeros(total, np.uint64)
    whole[mine] = values
    return whole


def _power(exponents: NDArray[np.int64]) -> RingArray:
    return np.uint64(1) << exponents.astype(np.uint64)
