"""Products of fixed-point numbers, rescaled: ⟨xy / 2^f⟩ from ⟨x⟩ and ⟨y⟩, for less than a product and a truncation.

[EGKRS20] D. Escudero et al., CRYPTO 2020, section 5.1 (see `truncation`), on top of [MZ17] (see `beaver`). That both
may share what is dealt is the idea of [MR18] P. Mohassel, P. Rindal, "ABY3", CCS 2018, section 5.1.2, for replicated
shares; the form for triples is our own composition.

A product needs ⟨c⟩ = ⟨a ∘ b⟩ and the truncation of the product z a mask ⟨r⟩; ⟨c⟩ and ⟨r⟩ appear in what is opened,
and nowhere else, as a sum. So the sum s is drawn, and r is *defined* by it:

    correlation   s uniform, r = s - a ∘ b;  ⟨t⟩ with t the top bit of r, ⟨q⟩ with q = (r mod 2^63) >> f
    open          E ∘ y + a ∘ D + s = x ∘ y + r
    result        as in `truncation`

Since s is uniform and independent of all else that is drawn, so is r; s is used once; and x ∘ y + r is the one value
that is opened beside masked operands. What is realised is `truncate` of the product, with its bounds.
A dealer sends two elements instead of three for each of the result, and nobody waits for them before this is opened.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from protocols.beaver import Products, ask, check_matrices, matmul, multiply
from protocols.card import card
from protocols.opening import open_masked
from protocols.party import Party, Secret
from protocols.ring import RingArray
from protocols.shares import Share
from protocols.truncation import TruncationMask, check_bits, finish


@dataclass(frozen=True)
class RescaledProducts(Products):
    """What products take, with r = s - a ∘ b instead of a ∘ b: s drawn after fresh masks, then ⟨t⟩ and ⟨q⟩ of r."""

    bits: int = 1

    @property
    def truncation(self) -> TruncationMask:
        return TruncationMask(self.shape, self.bits)

    def drawn(self) -> Sequence[Secret]:
        return [*super().drawn(), Secret(self.shape)]

    def derived(self) -> Sequence[Secret]:
        return self.truncation.derived()

    def compute(self, *drawn: RingArray) -> Sequence[RingArray]:
        *masks, s = drawn
        (product,) = super().compute(*masks)
        return self.truncation.compute(s - product)


@card("own composition", adversary="semi-honest, all but one", rounds=2, elements=3)
def multiply_rescaled(party: Party, x: Share, y: Share, bits: int, plus: Share | None = None) -> Share:
    """⟨(xy + z) / 2^bits⟩ from ⟨x⟩, ⟨y⟩ and ⟨z⟩ = `plus`: `multiply` and `truncate`, for |xy + z| < 2^62 and bits < 62.

    z, if there is one, has the shape of the product; it is opened in the sum only. One round if x and y have a mask.
    For no bits it is the product alone. Raises ValueError if the shapes do not fit, and for other `bits`.
    """
    shape = np.broadcast_shapes(x.shape, y.shape)
    if plus is not None and plus.shape != shape:
        raise ValueError(f"a sum of shapes {shape} and {plus.shape}")
    if not bits:
        product = multiply(party, x, y)
        return product if plus is None else product + plus
    return _rescaled(party, [(x, y, bits)], matrices=False, plus=plus)[0]


@card(
    "own composition", adversary="semi-honest, all but one", rounds=2, elements=1,
    per="element of both operands and of the result",
)  # fmt: skip
def matmul_rescaled(party: Party, x: Share, y: Share, bits: int) -> Share:
    """⟨xy / 2^bits⟩ from ⟨x⟩ (m×k) and ⟨y⟩ (k×p): `matmul` and `truncate`, for |xy| < 2^62 and bits < 62.

    One round if both have a mask. For no bits it is the product alone. Raises ValueError if the shapes do not fit, and
    for other `bits`.
    """
    return matmul_rescaled_each(party, (x, y, bits))[0] if bits else matmul(party, x, y)


def matmul_rescaled_each(party: Party, *products: tuple[Share, Share, int]) -> list[Share]:
    """`matmul_rescaled` of several independent pairs, side by side."""
    check_matrices((x, y) for x, y, _ in products)
    return _rescaled(party, products, matrices=True)


def _rescaled(
    party: Party, products: Sequence[tuple[Share, Share, int]], *, matrices: bool, plus: Share | None = None
) -> list[Share]:
    check_bits([bits for _, _, bits in products])
    kinds = [partial(RescaledProducts, matrices=matrices, bits=bits) for _, _, bits in products]
    asked = ask(party, [(x, y, kind) for (x, y, _), kind in zip(products, kinds, strict=True)])
    sums = [one.combine(one.order.draws[-1]) for one in asked]
    opened = open_masked(party, *(sums if plus is None else [one + plus for one in sums]))
    return [
        finish(c, one.order.parts()[-2:], bits, one.order.rank)
        for c, one, (_, _, bits) in zip(opened, asked, products, strict=True)
    ]
