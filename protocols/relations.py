"""What a secret has to do with public constants: below, equal, one-hot; many of them from one opening.

[NO07] T. Nishide, K. Ohta, "Multiparty Computation for Interval, Equality, and Comparison Without Bit-Decomposition
Protocol", PKC 2007 (x = 0 if a public x + r has all bits of r); [EGKRS20] D. Escudero et al., CRYPTO 2020; both with
the mask's digits as tables (`digits`).

    open    C = x + r                              once for each element, however many constants there are
    below   x < t  ⇔  x - t = (C - t) - r < 0      the sign of `conversion`, with C - t in place of C
    equal   x = v  ⇔  (C - v)ᵢ = rᵢ for all i       looked up, and joined by products

C - t is public as C is, and what it has to do with r is again looked up without a message. So one mask serves all t: r
hides one value, x, and all that is opened beside C are operands of products, under masks of their own. C is uniform,
hence so is the view, whatever x is and however many constants are asked about.

Digits are taken of what is needed: of the lowest `bits` bits, in steps of four. Within 4 bits all that is looked up is
the result, and no product is needed: an index below 16 is spread over its 16 places in two rounds. A vector of places
times a public table is the table at a secret index, without a message more.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from protocols import ring
from protocols.bits import planes
from protocols.card import card
from protocols.comparison import conjunction_of_all
from protocols.conversion import EQUAL, in_rows, numbers, open_digits, signs
from protocols.digits import digits_of, look_up
from protocols.party import Party
from protocols.ring import BITS, RingArray
from protocols.shares import BitShare, Share


@card("NO07", adversary="semi-honest, all but one", rounds=6, elements=95, per="64 elements")
def is_zero(party: Party, x: Share, bits: int = BITS) -> Share:
    """⟨1⟩ where x = 0 and ⟨0⟩ elsewhere; x's shape. Of x - y: whether they are equal.

    Takes digit masks of x's shape, bit triples, and a word of daBits for 64 elements. `bits`: |x| < 2^bits; of 16, 4
    rounds are enough, and 2 of 4. Raises ValueError for no `bits` and for more than 64.
    """
    each = equal_each(party, x, [0], bits)
    return each.reshape(*x.shape)


@card("NO07", adversary="semi-honest, all but one", rounds=6, elements=188, per="64 elements, of 4 values")
def equal_each(party: Party, x: Share, values: Sequence[int], bits: int = BITS) -> Share:
    """⟨[x = vᵢ]⟩ of public integers vᵢ, along a new last axis.

    x is opened once. `bits`: |x - vᵢ| < 2^bits, as it is if none is negative and all are below 2^bits. Takes digit
    masks of x's shape; bit triples, and a word of daBits for 64, of the result's. Raises ValueError as `is_zero` does.
    """
    digits = digits_of(bits)
    c, table = _open(party, x, values, digits)
    row = conjunction_of_all(party, planes(in_rows(look_up(table, c, EQUAL), digits)))
    return numbers(party, row, (*x.shape, len(values)))


@card("EGKRS20", adversary="semi-honest, all but one", rounds=6, elements=244, per="64 elements, of 4 thresholds")
def below_each(party: Party, x: Share, thresholds: Sequence[int], bits: int = BITS) -> Share:
    """⟨[x < tᵢ]⟩ of public integers tᵢ, along a new last axis.

    x is opened once. `bits`: -2^(bits-1) <= x - tᵢ < 2^(bits-1). Differences of neighbours tell between which two
    thresholds x is, so that a sum of them, with weights, is any step function of x; for 0 and 1 they are its sign and
    whether it is zero. Takes digit masks of x's shape; bit triples, and a word of daBits for 64, of the result's.
    Raises ValueError for no `bits` and for more than 64.
    """
    digits = digits_of(bits)
    c, table = _open(party, x, thresholds, digits)
    return numbers(party, signs(party, c, table, digits), (*x.shape, len(thresholds)))


@card("NO07", adversary="semi-honest, all but one", rounds=2, elements=80, per="64 elements, of 16 places")
def one_hot(party: Party, x: Share, places: int) -> Share:
    """⟨[x = j]⟩ for j from 0 to places - 1, along a new last axis; 0 <= x < places.

    x is opened once; takes what `equal_each` takes. Up to 16 places there is no product, up to 256 one for each place.
    For another x the result says nothing: it may have a one at a wrong place. Raises ValueError for no place.
    """
    if places < 1:
        raise ValueError(f"{places} places: at least one")
    return equal_each(party, x, range(places), max(1, (places - 1).bit_length()))


def _open(party: Party, x: Share, constants: Sequence[int], digits: int) -> tuple[RingArray, BitShare]:
    """C - t for each constant t, elements × constants, and the digits of r, which are the same for all."""
    shifts = np.array([ring.element(int(one)) for one in constants], np.uint64)
    c, table = open_digits(party, x, digits)
    return c[:, None] - shifts, BitShare(table.rank, table.values[:, None])
