"""Borrows of a subtraction, from digits that are compared: a tree, or all prefixes.

[GSV07] J. Garay, B. Schoenmakers, J. Villegas, "Practical and Secure Solutions for Integer Comparison", PKC 2007,
section 3 (the logarithmic circuit). For two neighbouring runs of digits, the higher one first,

    (lt, eq) ∘ (lt', eq') = (lt ⊕ eq ∧ lt', eq ∧ eq')

where lt says that the run of c is below that of r, so that c - r borrows from above, and eq that they are the same. One
mask hides eq in both products. All prefixes, by [Skl60] J. Sklansky, "Conditional-Sum Addition Logic", IRE Trans.
Electronic Computers EC-9(2), 1960.

Digits are rows, the lowest first; a row has the bits of all elements, eight to an octet. Rows are joined to words for
the products: of few elements no more than is needed to fill octets is wasted.
"""

from __future__ import annotations

import numpy as np

from protocols.binary import conjunction
from protocols.bits import Octets, from_octets, octets
from protocols.card import card
from protocols.party import Party
from protocols.shares import BitShare


@card("GSV07", adversary="semi-honest, all but one", rounds=4, elements=44, per="64 elements")
def borrow(party: Party, below: Octets, equal: Octets) -> Octets:
    """[c < r], one row, of 2^k rows [cᵢ < rᵢ] and [cᵢ = rᵢ].

    Takes words of bit triples. Opens masked values only. Raises ValueError for another number of rows.
    """
    if len(below) & len(below) - 1:
        raise ValueError(f"{len(below)} digits are no power of two")
    while len(below) > 1:
        needed = (below[::2],) if len(below) == 2 else (below[::2], equal[::2])
        both = conjoin(party, equal[1::2], np.stack(needed))
        below, equal = below[1::2] ^ both[0], both[-1]
    row: Octets = below[0]
    return row


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
