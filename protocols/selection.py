"""What has a negative sign, and zero elsewhere: ⟨b⟩, ⟨bx⟩, ⟨bv⟩ with b = [x < 0], for a round less than the product.

Own composition, not peer-reviewed, of [EGKRS20] D. Escudero et al., CRYPTO 2020 (the sign, see `conversion`), [RW19] D.
Rotaru, T. Wood, INDOCRYPT 2019 (daBits) and [Bea91] D. Beaver, CRYPTO 1991. A sign is followed by a product: maximum,
absolute value, a step of a sorting network. The mask under which x is opened is a factor of that product, and the daBit
that hides the sign is the other one, so that whoever makes both can make their product:

    correlation   r₀, r₁ … uniform, s uniform bits; the digits of r₀; ⟨s⟩; ⟨s rᵢ⟩
    open          C₀ = x + r₀, Cᵢ = vᵢ + rᵢ           in one round, then the tree of `comparison`, to [b]
                  o = b ⊕ s                           64 to a word
    result        ⟨b⟩ = o + (1 - 2o)⟨s⟩;   ⟨b rᵢ⟩ = o⟨rᵢ⟩ + (1 - 2o)⟨s rᵢ⟩;   ⟨b vᵢ⟩ = Cᵢ⟨b⟩ - ⟨b rᵢ⟩

All opened values are uniform and independent of each other and of x and v, since each has a mask of its own that is
used once: Cᵢ has rᵢ, o has s, operands of bit products have theirs. What is dealt, ⟨s⟩ and ⟨s rᵢ⟩, is fresh shares.
A party sends an element for x and each v, the tree, and a bit; with daBits and triples b and x would be opened again,
in another round.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from protocols.bits import Octets, from_octets, unpack
from protocols.card import card
from protocols.comparison import triples_of
from protocols.conversion import signs
from protocols.digits import digits_of, one_hot, words_of
from protocols.opening import open_masked
from protocols.party import Correlation, Order, Part, Party, Secret
from protocols.ring import BITS, RingArray
from protocols.shares import BitShare, Share


@dataclass(frozen=True)
class SelectionMasks(Correlation[tuple[Part, ...]]):
    """Masks r of `elements` and of `others` alike; bits s, 64 to a word; a table of `words` for each r₀; ⟨s⟩; ⟨s r⟩."""

    elements: int
    words: int
    others: int = 0

    def drawn(self) -> Sequence[Secret]:
        return Secret((1 + self.others, self.elements)), Secret((-(-self.elements // BITS),), BitShare)

    def derived(self) -> Sequence[Secret]:
        table = Secret((self.elements, self.words), BitShare)
        return table, Secret((self.elements,)), Secret((1 + self.others, self.elements))

    def compute(self, *drawn: RingArray) -> Sequence[RingArray]:
        r, words = drawn
        s = in_elements(words, self.elements)
        return one_hot(r[0], self.words), s, s * r

    def assemble(self, *parts: Part) -> tuple[Part, ...]:
        return parts


@card("own composition", adversary="semi-honest, all but one", rounds=6, elements=173, per="64 elements, of x and v")
def where_negative(party: Party, x: Share, bits: int, *values: Share) -> list[Share]:
    """⟨b⟩, ⟨bx⟩ and ⟨bv⟩ of each v, with b = [x < 0], for |x| < 2^(bits-1); see `conversion.negative` for fewer bits.

    x, v, results: one shape. Takes selection masks of x's elements, and bit triples. Raises ValueError if the shapes
    differ, for no `bits` and for more than 64.
    """
    if any(one.shape != x.shape for one in values):
        raise ValueError(f"shapes differ: {[one.shape for one in (x, *values)]}")
    flat = np.stack([one.values.reshape(-1) for one in (x, *values)])
    sign, products = select(party, Share(party.rank, flat), bits)
    return [one.reshape(*x.shape) for one in (sign, *(products[i] for i in range(len(flat))))]


def select(party: Party, x: Share, bits: int) -> tuple[Share, Share]:
    """⟨b⟩ and ⟨bx⟩, for the sign b of the first row of x."""
    digits, (rows, elements) = digits_of(bits), x.shape
    order = party.order(SelectionMasks(elements, words_of(digits), rows - 1))
    (c,) = open_masked(party, x + cast("Share", order.drawn[0]))
    row = signs(party, c[0], BitShare(party.rank, order.parts()[2]), digits)
    return _finish(party, c, row, order)


def taken_by_select(rows: int, elements: int, bits: int) -> list[Correlation[Any]]:
    """What `select` takes, to be made ahead."""
    digits = digits_of(bits)
    masks = SelectionMasks(elements, words_of(digits), rows - 1)
    return [masks, *triples_of(digits, -(-elements // 8))]


def _finish(party: Party, c: RingArray, signs_of: Octets, order: Order[tuple[Part, ...]]) -> tuple[Share, Share]:
    """⟨b⟩ and ⟨bx⟩ of C = x + r, in the clear, and [b]."""
    r, s, _, each, products = order.parts()
    (masked,) = open_masked(party, BitShare(party.rank, from_octets(signs_of) ^ s))
    o = in_elements(masked, c.shape[1])
    turn = np.uint64(1) - (o + o)
    sign = turn * each
    if party.rank == 0:
        sign += o
    result = np.empty(c.shape, np.uint64)
    for row in range(len(c)):  # one after the other, in cache
        result[row] = c[row] * sign - o * r[row] - turn * products[row]
    return Share(party.rank, sign), Share(party.rank, result)


def in_elements(words: RingArray, elements: int) -> RingArray:
    """The bits of words, one an element."""
    return unpack(words, BITS).reshape(-1)[:elements]
