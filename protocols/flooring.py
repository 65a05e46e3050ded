"""Exact division by a power of two, rounded down: ⟨⌊x / 2^f⌋⟩ from ⟨x⟩.

[EGKRS20] D. Escudero et al., CRYPTO 2020, section 5.1 (see `truncation`), corrected by comparing what is dropped.

`truncation` opens C = x + r, and rounds up if γ = C mod 2^f is below x mod 2^f. As x = C - r, this is so exactly if
C mod 2^f < r mod 2^f: then C - r borrows at bit f. That borrow is looked up in the digits of r (`digits`), of which
the highest may count in part, and is subtracted:

    correlation   r uniform; ⟨t⟩ its top bit, ⟨q⟩ with q = (r mod 2^63) >> f; tables of its lowest ⌈f / 4⌉ digits
    open          x + r, once, for the quotient and for the borrow
    result        ⟨y⟩ of `truncation`, less ⟨[C mod 2^f < r mod 2^f]⟩

Functionality realised: for |x| < 2^62 the parties hold fresh shares of ⌊x / 2^f⌋, which is a function of x. What else
they see is uniform and independent of x: C, since r is uniform, and operands of products under masks. So whoever learns
the result learns it and nothing beyond, while a result of `truncation` and γ say on which side of γ the dropped bits
were. (r is used once. That its quotient and its digits are both shared says nothing of it: all parts are fresh shares.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from protocols.bits import Octets, planes
from protocols.card import card
from protocols.comparison import borrow
from protocols.conversion import BELOW, EQUAL, in_rows, numbers
from protocols.digits import DIGIT_BITS, chosen, digits_of, look_up, look_up_one, one_hot, words_of
from protocols.opening import open_masked
from protocols.party import Correlation, Part, Party, Secret
from protocols.ring import RingArray, Shape
from protocols.shares import BitShare, Share
from protocols.truncation import TruncationMask, check_bits, finish

# Of a digit of which the lowest 1, 2, 3 bits count
_BELOW = [chosen(lambda c, j, m=1 << bits: c % m < j % m) for bits in range(1, DIGIT_BITS)]  # type: ignore[misc]
_EQUAL = [chosen(lambda c, j, m=1 << bits: c % m == j % m) for bits in range(1, DIGIT_BITS)]  # type: ignore[misc]


@dataclass(frozen=True)
class FloorMasks(Correlation[tuple[Part, ...]]):
    """A truncation mask with the digits of its dropped bits: ⟨r⟩, ⟨t⟩, ⟨q⟩, and the table of r mod 2^bits."""

    shape: Shape
    bits: int

    @property
    def truncation(self) -> TruncationMask:
        return TruncationMask(self.shape, self.bits)

    @property
    def words(self) -> int:
        return words_of(digits_of(self.bits))

    def drawn(self) -> Sequence[Secret]:
        return self.truncation.drawn()

    def derived(self) -> Sequence[Secret]:
        return *self.truncation.derived(), Secret((*self.shape, self.words), BitShare)

    def compute(self, *drawn: RingArray) -> Sequence[RingArray]:
        return *self.truncation.compute(*drawn), one_hot(drawn[0], self.words)

    def assemble(self, *parts: Part) -> tuple[Part, ...]:
        return parts


@card("EGKRS20", adversary="semi-honest, all but one", rounds=5, elements=76, per="64 elements, by 20 bits")
def truncate_exactly(party: Party, x: Share, bits: int) -> Share:
    """⟨⌊x / 2^bits⌋⟩ for |x| < 2^62 and 0 < bits < 62; of x + 2^(bits-1): x / 2^bits to the nearest, halves up.

    x and the result: one shape. Takes floor masks of that shape (16 bytes from a dealer, and 8 for every 16 bits that
    are dropped), bit triples, and a word of daBits for 64 elements. 2 rounds, and log₂ ⌈bits / 4⌉ more. Raises
    ValueError for other `bits`.
    """
    check_bits([bits])
    order = party.order(FloorMasks(x.shape, bits))
    (opened,) = open_masked(party, x + cast("Share", order.drawn[0]))
    *derived, table = order.parts()[1:]
    rounded = finish(opened, derived, bits, order.rank)
    digits = BitShare(order.rank, table.reshape(-1, table.shape[-1]))
    return rounded - numbers(party, _borrow(party, opened.reshape(-1), digits, bits), x.shape)


def _borrow(party: Party, c: RingArray, table: BitShare, bits: int) -> Octets:
    """[c mod 2^bits < r mod 2^bits], one row."""
    digits, rest = digits_of(bits), bits % DIGIT_BITS
    rows = [in_rows(look_up(table, c, entries), digits) for entries in (BELOW, EQUAL)]
    if rest:
        for row, entries in zip(rows, (_BELOW, _EQUAL), strict=True):
            row[-1] = look_up_one(table, c, entries[rest - 1], digits - 1)
    return borrow(party, *(planes(row) for row in rows))
