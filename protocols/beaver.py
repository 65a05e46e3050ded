"""Products from preprocessed triples, whose masks stay with the operands.

[Bea91] D. Beaver, "Efficient Multiparty Protocols Using Circuit Randomization", CRYPTO 1991; for matrices, and masks
that are used again, [MZ17] P. Mohassel, Y. Zhang, "SecureML", IEEE S&P 2017, section 4.1.

A triple is ⟨a⟩, ⟨b⟩, ⟨c⟩ with a, b uniform and c = a ∘ b, for ∘ elementwise or the matrix product. The
parties open E = x - a and D = y - b, which are uniform whatever x and y are, and then

    x ∘ y = E ∘ y + a ∘ D + c

needs no further message. An operand that was opened before (`masks`) is not opened again: only c is new.
`private_matmul` is the case in which one party knows x and another y: a and b are then known to these two, each sends
its difference to the other only; the first term is at y's owner, the second at x's.

Scales of fixed-point operands add up; truncation is the caller's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import numpy as np

from protocols import ring
from protocols.card import card
from protocols.masks import Factor, Mask, Operand, keep, mask_of
from protocols.party import Correlation, Order, Part, Party, Secret
from protocols.ring import RingArray, Shape
from protocols.shares import Share


@dataclass(frozen=True)
class Products(Correlation[tuple[Share, ...]]):
    """⟨a ∘ b⟩ of two masks or views of such, elementwise with broadcasting, or the product of `matrices`.

    Fresh masks come first.
    """

    left: Factor
    right: Factor
    matrices: bool = False

    @property
    def shape(self) -> Shape:
        if self.matrices:
            return self.left.shape[0], self.right.shape[1]
        return np.broadcast_shapes(self.left.shape, self.right.shape)

    def drawn(self) -> Sequence[Secret]:
        return [Secret(shape) for shape in self._fresh.values()]

    def keeps(self) -> Sequence[int]:
        return list(self._fresh)

    def kept(self) -> Sequence[int]:
        return [number for number in dict.fromkeys((self.left.number, self.right.number)) if number not in self._fresh]

    def derived(self) -> Sequence[Secret]:
        return (Secret(self.shape),)

    def compute(self, *drawn: RingArray) -> Sequence[RingArray]:
        a, b = self.views(dict(zip((*self.kept(), *self.keeps()), drawn, strict=True)))
        return (ring.matmul(a, b) if self.matrices else a * b,)

    def work(self) -> int:
        return ring.size((*self.left.shape, self.right.shape[1])) if self.matrices else 0

    def views(self, masks: Mapping[int, RingArray]) -> tuple[RingArray, RingArray]:
        """a and b of whole masks, by number."""
        return self.left.of(masks[self.left.number]), self.right.of(masks[self.right.number])

    def assemble(self, *parts: Part) -> tuple[Share, ...]:
        return cast("tuple[Share, ...]", parts)

    @property
    def _fresh(self) -> dict[int, Shape]:
        return {one.number: one.fresh for one in (self.left, self.right) if one.fresh is not None}


@dataclass(frozen=True)
class PrivateTriple(Correlation["Private"]):
    """One triple for the product of an m×k and a k×p matrix that are private values of the ranks `owners`."""

    m: int
    k: int
    p: int
    owners: tuple[int, int]

    def drawn(self) -> Sequence[Secret]:
        return Secret((self.m, self.k), owner=self.owners[0]), Secret((self.k, self.p), owner=self.owners[1])

    def derived(self) -> Sequence[Secret]:
        return (Secret((self.m, self.p)),)

    def compute(self, *drawn: RingArray) -> Sequence[RingArray]:
        a, b = drawn
        return (ring.matmul(a, b),)

    def work(self) -> int:
        return self.m * self.k * self.p

    def assemble(self, *parts: Part) -> Private:
        return Private(*cast("tuple[Share, Share, Share]", parts))


@dataclass(frozen=True)
class Masks(Correlation[RingArray]):
    """A mask by itself, for what will be a factor of many products."""

    number: int
    shape: Shape

    def drawn(self) -> Sequence[Secret]:
        return (Secret(self.shape),)

    def derived(self) -> Sequence[Secret]:
        return ()

    def compute(self, *_: RingArray) -> Sequence[RingArray]:
        return ()

    def keeps(self) -> Sequence[int]:
        return (self.number,)

    def assemble(self, *parts: Part) -> RingArray:
        return parts[0].values


class Private(NamedTuple):
    """a at its owner, b at its owner, and ⟨c⟩ = ⟨ab⟩."""

    a: Share
    b: Share
    c: Share


@card("Bea91", adversary="semi-honest, all but one", rounds=1, elements=2)
def multiply(party: Party, x: Share, y: Share) -> Share:
    """⟨xy⟩ from ⟨x⟩ and ⟨y⟩, elementwise, broadcast against each other as NumPy does.

    Opens what has no mask yet, each once; if both have one, there is no round. Raises ValueError if the shapes do not
    fit.
    """
    return multiply_each(party, (x, y))[0]


def multiply_each(party: Party, *pairs: tuple[Share, Share]) -> list[Share]:
    """`multiply` of several independent pairs in one round."""
    for x, y in pairs:
        np.broadcast_shapes(x.shape, y.shape)
    return _products(party, pairs, matrices=False)


@card("MZ17", adversary="semi-honest, all but one", rounds=1, elements=1, per="element of both operands")
def matmul(party: Party, x: Share, y: Share) -> Share:
    """⟨xy⟩ from ⟨x⟩ (m×k) and ⟨y⟩ (k×p), the matrix product.

    Opens what has no mask yet; if both have one, there is no round. Raises ValueError if the shapes do not fit.
    """
    return matmul_each(party, (x, y))[0]


def matmul_each(party: Party, *pairs: tuple[Share, Share]) -> list[Share]:
    """`matmul` of several independent pairs in one round."""
    check_matrices(pairs)
    return _products(party, pairs, matrices=True)


@card("Bea91", adversary="semi-honest, all but one", rounds=1, elements=1)
def square(party: Party, x: Share) -> Share:
    """⟨x²⟩ from ⟨x⟩, elementwise: the product with itself, opened once."""
    return multiply(party, x, x)


@card("MZ17", adversary="semi-honest, all but one", rounds=1, elements=1)
def open_once(party: Party, *shares: Share) -> None:
    """Mask each share that has no mask, and open it: later products with it, or with its views, open nothing for it."""
    new = [x for x in dict.fromkeys(Operand(x).holder for x in shares) if mask_of(party, x) is None]
    numbers = [party.number() for _ in new]
    drawn = [party.take(Masks(number, x.shape)) for number, x in zip(numbers, new, strict=True)]
    keep(party, list(zip(new, numbers, drawn, strict=True)))


def check_matrices(pairs: Iterable[tuple[Share, Share]]) -> None:
    """Raises ValueError unless they have matrix products."""
    for x, y in pairs:
        if len(x.shape) != 2 or len(y.shape) != 2 or x.shape[1] != y.shape[0]:
            raise ValueError(f"not a matrix product: {x.shape} and {y.shape}")


def _products(party: Party, pairs: Sequence[tuple[Share, Share]], *, matrices: bool) -> list[Share]:
    """x ∘ y of each pair."""
    asked = ask(party, [(x, y, lambda left, right: Products(left, right, matrices)) for x, y in pairs])
    return [one.combine(one.order.parts()[-1]) for one in asked]


class Asked(NamedTuple):
    """A product x ∘ y of which both operands are opened, and the correlation that was ordered for it."""

    products: Products
    masks: tuple[Mask, Mask]
    y: Share
    order: Order[Any]

    def combine(self, c: RingArray) -> Share:
        """E ∘ y + a ∘ D + c."""
        left, right = self.masks
        e, a = self.products.left.of(left.opened), self.products.left.of(left.share)
        d, y = self.products.right.of(right.opened), self.y.values
        add = ring.sum_of_matrix_products if self.products.matrices else ring.sum_of_products
        return Share(self.y.rank, add(((e, y), (a, d)), c))


def ask(party: Party, products: Sequence[tuple[Share, Share, Callable[[Factor, Factor], Products]]]) -> list[Asked]:
    """Order what each x ∘ y takes, as said of its factors, and open all that has no mask, in one round."""
    new: dict[Share, int] = {}
    masks: list[tuple[Share, int, RingArray]] = []
    ordered = []
    for x, y, correlation in products:
        operands, factors, before = [], [], len(new)
        for one in (x, y):
            operands.append(Operand(one, new))
            factors.append(_factor(party, operands[-1], new))
        wanted = correlation(factors[0], factors[1])
        order = party.order(wanted)
        masks += [(*added, a) for added, a in zip(list(new.items())[before:], order.draws, strict=False)]
        ordered.append((wanted, operands, y, order))
    keep(party, masks)
    return [Asked(wanted, (one.holder.mask, other.holder.mask), y, order) for wanted, (one, other), y, order in ordered]


def _factor(party: Party, operand: Operand, new: dict[Share, int]) -> Factor:
    """`new`: the shares that are about to get a mask, and its number."""
    if (mask := mask_of(party, operand.holder)) is not None:
        return operand.factor(mask.number, fresh=False)
    if operand.holder in new:
        return operand.factor(new[operand.holder], fresh=False)
    new[operand.holder] = party.number()
    return operand.factor(new[operand.holder], fresh=True)


@card("MZ17", adversary="semi-honest, all but one", rounds=1, elements=1, per="element of one's own operand")
def private_matmul(party: Party, mine: RingArray | None, owners: tuple[int, int], left: Shape, right: Shape) -> Share:
    """⟨xy⟩ of x (shape `left`) that owners[0] knows and y (shape `right`) that owners[1] knows.

    The owners pass their matrix, the others None. Takes one matrix triple with these owners. Only the two
    owners send. Raises ValueError if the shapes do not fit or an owner brings another shape.
    """
    there = all(0 <= owner < party.count for owner in owners) and owners[0] != owners[1]
    if not there or len(left) != 2 or len(right) != 2 or left[1] != right[0]:
        raise ValueError(f"not a product of two owners: {left} and {right}, owners {owners}")
    a, b, c = party.take(PrivateTriple(*left, right[1], owners))
    step = "private product"
    if party.rank not in owners:
        party.exchange(step, {}, {})
        return c
    is_left = party.rank == owners[0]
    mask, shape, theirs = (a, left, right) if is_left else (b, right, left)
    if mine is None or mine.shape != shape:
        raise ValueError(f"this owner's matrix has shape {shape}")
    peer = owners[1] if is_left else owners[0]
    (difference,) = party.exchange(step, {peer: [mine - mask.values]}, {peer: [theirs]})[peer]
    local = ring.matmul(mask.values, difference) if is_left else ring.matmul(difference, mine)
    return Share(party.rank, c.values + local)
