"""Borrows of a subtraction, and equality, from digits that are compared: a tree, or all prefixes.

[GSV07] J. Garay, B. Schoenmakers, J. Villegas, "Practical and Secure Solutions for Integer Comparison", PKC 2007,
section 3 (the logarithmic circuit). For two neighbouring runs of digits, the higher one first,

    (lt, eq) ∘ (lt', eq') = (lt ⊕ eq ∧ lt', eq ∧ eq')

where lt says that the run of c is below that of r, so that c - r borrows from above, and eq that they are the same. One
mask hides eq in both products. Whether c = r needs eq only. All prefixes, by [Skl60] J. Sklansky, "Conditional-Sum
Addition Logic", IRE Trans. Electronic Computers EC-9(2), 1960.

Digits are rows, the lowest first; a row has the bits of all elements, eight to an octet. Rows are joined to words for
the products: of few elements no more than is needed to fill octets is wasted.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from protocols.binary import WordTriple, conjunction
from protocols.bits import Octets, from_octets, octets
from protocols.card import card
from protocols.party import Party
from protocols.shares import BitShare


@card("GSV07", adversary="semi-honest, all but one", rounds=4, elements=44, per="64 elements")
def borrow(party: Party, below: Octets, equal: Octets) -> Octets:
    """[c < r], one row, of 16 rows [cᵢ < rᵢ] and [cᵢ = rᵢ], or of another number of rows in log₂ as many rounds.

    Of an odd number the highest waits for the next round. Takes words of bit triples. Opens masked values only.
    """
    while len(below) > 1:
        paired = len(below) & ~1
        lower = below[:paired:2], equal[:paired:2]
        both = conjoin(party, equal[1:paired:2], np.stack(lower[: 1 if len(below) == 2 else 2]))
        below, equal = _next(below[1:paired:2] ^ both[0], below), _next(both[-1], equal)
    row: Octets = below[0]
    return row


def triples_of(rows: int, octets: int) -> Iterator[WordTriple]:
    """What `borrow` takes for rows of so many octets."""
    while rows > 1:
        words = -(-(rows // 2) * octets // 8)
        yield WordTriple((words,), 1 if rows == 2 else 2)
        rows -= rows // 2


@card("GSV07", adversary="semi-honest, all but one", rounds=4, elements=30, per="64 elements")
def conjunction_of_all(party: Party, rows: Octets) -> Octets:
    """[∧ bᵢ], one row, of 16 rows [bᵢ], or of another number of rows in log₂ as many rounds.

    Takes words of bit triples. Opens masked values only.
    """
    while len(rows) > 1:
        paired = len(rows) & ~1
        (both,) = conjoin(party, rows[1:paired:2], rows[None, :paired:2])
        rows = _next(both, rows)
    row: Octets = rows[0]
    return row


def _next(joined: Octets, rows: Octets) -> Octets:
    """The rows of the next round: the pairs, and what had no partner."""
    return np.concatenate([joined, rows[-1:]]) if len(rows) & 1 else joined


@card("GSV07", adversary="semi-honest, all but one", rounds=4, elements=77, per="64 elements")
def borrows(party: Party, below: Octets, equal: Octets) -> Octets:
    """[c mod 2^(4(i+1)) < r mod 2^(4(i+1))] for every row i, of up to 16 rows [cᵢ < rᵢ] and [cᵢ = rᵢ]."""
    rows = np.arange(len(below))
    below, equal = below.copy(), equal.copy()
    step = 1
    while step < len(rows):
        upper = rows[rows & step != 0]
        last = (upper & -(2 * step)) + step - 1  # of the run below
        needed = (below[last],) if 2 * step >= len(rows) else (below[last], equal[last])
        both = conjoin(party, equal[upper], np.stack(needed))
        below[upper] ^= both[0]
        equal[upper] = both[-1]
        step *= 2
    return below


def conjoin(party: Party, x: Octets, ys: Octets) -> Octets:
    """[x ∧ y] for each y of `ys`, octets of any shape, x's; x is opened once. A round, one word and one for each y."""
    words = np.stack([from_octets(row) for row in (x, *ys)])
    both = conjunction(party, BitShare(party.rank, words[0]), BitShare(party.rank, words[1:]))
    flat = octets(both.values.reshape(-1)).reshape(len(ys), -1)
    return flat[:, : x.size].reshape(ys.shape)
