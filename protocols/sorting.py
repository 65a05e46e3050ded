"""Sorting, and extremes: which values are exchanged is secret, which places are compared is not.

[Bat68] K. Batcher, "Sorting Networks and Their Applications", AFIPS Spring Joint Computer Conference 1968: odd-even
merge sort; in the form for any number of values of [Knu98] D. Knuth, "The Art of Computer Programming", vol. 3, 2nd ed.
1998, section 5.2.2, algorithm M. For n values it has t(t+1)/2 stages with t = ⌈log₂ n⌉, and about n t² / 4 exchanges:
153 stages and 6.7 million exchanges for 10^5.

A stage compares places i and i + d for many i, no place twice. With b = [x_(i+d) < x_i] and m = b (x_(i+d) - x_i), x_i
becomes x_i + m and x_(i+d) becomes x_(i+d) - m: one product, which comes with the sign (`selection`). What is carried
moves likewise, by the same b. All exchanges of a stage go side by side. The extremes are a tournament: neighbours are
compared, those that win go on.

Places and stages follow from the length alone; nothing is opened but what `selection` opens. What a difference may be
says which bits are compared: keys of k bits have differences of k + 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, pairwise
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from protocols.card import card
from protocols.party import Party
from protocols.ring import BITS, RingArray, size
from protocols.selection import select, taken_by_select
from protocols.shares import Share, public

Places: TypeAlias = npt.NDArray[np.intp]


@card("Bat68", adversary="semi-honest, all but one", rounds=18, elements=545, per="64 rows of 4 keys")
def sort(party: Party, keys: Share, bits: int, *carried: Share) -> list[Share]:
    """The keys in ascending order along the last axis, and what is carried in the order of the keys.

    keys: signed integers of `bits` bits, that is -2^(bits-1) <= k < 2^(bits-1), any shape. carried: of the keys' shape
    each. Equal keys come in any order: `distinct` makes them different. 6 rounds for each stage with 64-bit
    differences, fewer with fewer, as for `conversion.negative`. Takes selection masks and bit triples for each stage.
    Raises ValueError if a shape differs, and unless 1 <= bits <= 63.
    """
    moving = _moving(keys, bits, carried)
    for lower, distance in _ahead(party, moving, bits):
        upper = lower + distance
        low, high = moving[..., lower], moving[..., upper]
        move = _exchanged(party, high - low, bits)
        moving[..., lower] = low + move
        moving[..., upper] = high - move
    return [Share(party.rank, values) for values in moving]


def argsort(party: Party, keys: Share, bits: int) -> Share:
    """⟨places⟩: the indices that sort the keys along the last axis, equal ones in their order, as NumPy's stable sort.

    `sort` of `distinct` keys, which carry their place. Raises ValueError if these have more than 63 bits.
    """
    different, more = distinct(keys, bits)
    _, places = sort(party, different, more, _indices(keys))
    return places


def distinct(keys: Share, bits: int) -> tuple[Share, int]:
    """⟨k 2^w + i⟩ for the place i along the last axis, of up to 2^w, and the bits of that; local.

    They sort as the keys do, and equal keys by their place. Raises ValueError if they have more than 63 bits.
    """
    width = max(0, keys.shape[-1] - 1).bit_length()
    if bits + width >= BITS:
        raise ValueError(f"keys of {bits} bits and {keys.shape[-1]} places are more than {BITS - 1} bits")
    places = np.broadcast_to(np.arange(keys.shape[-1], dtype=np.uint64), keys.shape)
    return keys * (1 << width) + places, bits + width


@card("own composition", adversary="semi-honest, all but one", rounds=12, elements=327, per="64 rows of 4 keys")
def minimum(party: Party, keys: Share, bits: int, *carried: Share) -> list[Share]:
    """The least key along the last axis, which is gone, and what is carried by it: the first of equal ones.

    keys, carried, errors: as for `sort`, with one key at least. log₂ of their number of steps, of 6 rounds each. Of one
    axis the result has one element, since shares have an axis.
    """
    return _tournament(party, keys, bits, carried, least=True)


@card("own composition", adversary="semi-honest, all but one", rounds=12, elements=327, per="64 rows of 4 keys")
def maximum(party: Party, keys: Share, bits: int, *carried: Share) -> list[Share]:
    """The greatest key along the last axis, which is gone, and what is carried by it: the first of equal ones.

    As `minimum`.
    """
    return _tournament(party, keys, bits, carried, least=False)


def argmin(party: Party, keys: Share, bits: int) -> Share:
    """⟨i⟩ of the first of the least keys along the last axis, as NumPy's; see `minimum`."""
    return minimum(party, keys, bits, _indices(keys))[1]


def argmax(party: Party, keys: Share, bits: int) -> Share:
    """⟨i⟩ of the first of the greatest keys along the last axis, as NumPy's; see `maximum`."""
    return maximum(party, keys, bits, _indices(keys))[1]


def stages(length: int) -> Iterator[tuple[Places, int]]:
    """Algorithm M for so many values: of each stage the places i that are compared with i + d, and d."""
    places = np.arange(length)
    p = top = 1 << (length - 1).bit_length() - 1 if length > 1 else 0
    while p:
        q, rest, distance = top, 0, p
        while distance:
            lower = places[: length - distance]
            yield lower[lower & p == rest], distance
            q, rest, distance = q >> 1, p, q - p
        p >>= 1


def _ahead(party: Party, moving: RingArray, bits: int) -> Iterator[tuple[Places, int]]:
    """Stages, of which what the next one takes is made while the parties are at one."""
    for stage, following in pairwise(chain([None], stages(moving.shape[-1]), [None])):
        if following is not None:
            exchanges = size(moving.shape[1:-1]) * len(following[0])
            party.prepare(taken_by_select(len(moving), exchanges, bits + 1))
        if stage is not None:
            yield stage


def _tournament(party: Party, keys: Share, bits: int, carried: Sequence[Share], *, least: bool) -> list[Share]:
    moving = _moving(keys, bits, carried)
    if not keys.shape[-1]:
        raise ValueError("of no keys there is no first")
    while (length := moving.shape[-1]) > 1:
        paired = length & ~1
        left, right = moving[..., :paired:2], moving[..., 1:paired:2]
        party.prepare(taken_by_select(len(moving), left[0].size, bits + 1))
        first, second = (left, right) if least else (right, left)
        move = _exchanged(party, second - first, bits)  # to the right
        moving = np.concatenate([left + move if least else left - move, moving[..., paired:]], axis=-1)
    return [Share(party.rank, np.atleast_1d(values[..., 0])) for values in moving]


def _exchanged(party: Party, difference: RingArray, bits: int) -> RingArray:
    """⟨bx⟩ of all x, for the signs b of the keys, which come first."""
    _, moved = select(party, Share(party.rank, difference.reshape(len(difference), -1)), bits + 1)
    return moved.values.reshape(difference.shape)


def _moving(keys: Share, bits: int, carried: Sequence[Share]) -> RingArray:
    """This party's shares of keys and of what they carry, an array each, along a first axis; a copy."""
    if not 1 <= bits < BITS:
        raise ValueError(f"keys of {bits} bits: 1 to {BITS - 1}, so that their differences fit")
    if any(one.shape != keys.shape for one in carried):
        raise ValueError(f"shapes differ: {[one.shape for one in (keys, *carried)]}")
    return np.stack([one.values for one in (keys, *carried)])


def _indices(keys: Share) -> Share:
    """⟨i⟩ along the last axis."""
    return public(keys.rank, np.broadcast_to(np.arange(keys.shape[-1], dtype=np.uint64), keys.shape))
