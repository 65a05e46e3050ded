"""Products from preprocessed triples.

[Bea91] D. Beaver, "Efficient Multiparty Protocols Using Circuit Randomization", CRYPTO 1991; for matrices
[MZ17] P. Mohassel, Y. Zhang, "SecureML", IEEE S&P 2017, section 4.1.

A triple is ⟨a⟩, ⟨b⟩, ⟨c⟩ with a, b uniform and c = a ∘ b, for ∘ elementwise or the matrix product. The
parties open E = x - a and D = y - b, which are uniform whatever x and y are, and then

    x ∘ y = E ∘ D + E ∘ b + a ∘ D + c

needs no further message. `private_matmul` is the case in which one party knows x and another y: a and b are
then known to these two, each sends its difference to the other only, and

    x ∘ y = E ∘ y + a ∘ D + c,   the first term at y's owner, the second at x's.

Scales of fixed-point operands add up; truncation is the caller's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, cast

from protocols import ring
from protocols.card import card
from protocols.opening import open_masked
from protocols.party import Part, Party, Secret
from protocols.ring import RingArray, Shape
from protocols.shares import Share


class Triple(NamedTuple):
    """⟨a⟩, ⟨b⟩ and ⟨c⟩ = ⟨a ∘ b⟩."""

    a: Share
    b: Share
    c: Share


@dataclass(frozen=True)
class ElementTriple:
    """One triple for the elementwise product of arrays of `shape`."""

    shape: Shape

    def drawn(self) -> Sequence[Secret]:
        return Secret(self.shape), Secret(self.shape)

    def derived(self) -> Sequence[Secret]:
        return (Secret(self.shape),)

    def compute(self, *drawn: RingArray) -> Sequence[RingArray]:
        a, b = drawn
        return (a * b,)

    def assemble(self, *parts: Part) -> Triple:
        return Triple(*cast("tuple[Share, Share, Share]", parts))


@dataclass(frozen=True)
class MatrixTriple:
    """One triple for the product of an m×k and a k×p matrix.

    `owners`: the ranks that know a and b, where the operands are private values of these two.
    """

    m: int
    k: int
    p: int
    owners: tuple[int, int] | None = None

    def drawn(self) -> Sequence[Secret]:
        left, right = self.owners or (None, None)
        return Secret((self.m, self.k), owner=left), Secret((self.k, self.p), owner=right)

    def derived(self) -> Sequence[Secret]:
        return (Secret((self.m, self.p)),)

    def compute(self, *drawn: RingArray) -> Sequence[RingArray]:
        a, b = drawn
        return (ring.matmul(a, b),)

    def assemble(self, *parts: Part) -> Triple:
        return Triple(*cast("tuple[Share, Share, Share]", parts))


class Square(NamedTuple):
    """⟨a⟩ and ⟨a²⟩."""

    a: Share
    c: Share


@dataclass(frozen=True)
class ElementSquare:
    """One pair for squaring an array of `shape`."""

    shape: Shape

    def drawn(self) -> Sequence[Secret]:
        return (Secret(self.shape),)

    def derived(self) -> Sequence[Secret]:
        return (Secret(self.shape),)

    def compute(self, *drawn: RingArray) -> Sequence[RingArray]:
        return (drawn[0] * drawn[0],)

    def assemble(self, *parts: Part) -> Square:
        return Square(*cast("tuple[Share, Share]", parts))


@card("Bea91", adversary="semi-honest, all but one", rounds=1, elements=2)
def multiply(party: Party, x: Share, y: Share) -> Share:
    """⟨xy⟩ from ⟨x⟩ and ⟨y⟩, elementwise.

    x, y, result: one shape. Takes one triple of that shape. Raises ValueError if the shapes differ.
    """
    if x.shape != y.shape:
        raise ValueError(f"shapes differ: {x.shape} and {y.shape}")
    a, b, c = party.take(ElementTriple(x.shape))
    e, d = open_masked(party, x - a, y - b)
    return c + b * e + a * d + e * d


@card("MZ17", adversary="semi-honest, all but one", rounds=1, elements=1, per="element of both operands")
def matmul(party: Party, x: Share, y: Share) -> Share:
    """⟨xy⟩ from ⟨x⟩ (m×k) and ⟨y⟩ (k×p), the matrix product.

    Takes one matrix triple. Raises ValueError if the shapes do not fit.
    """
    return matmul_each(party, (x, y))[0]


def matmul_each(party: Party, *pairs: tuple[Share, Share]) -> list[Share]:
    """`matmul` of several independent pairs in one round."""
    for x, y in pairs:
        if len(x.shape) != 2 or len(y.shape) != 2 or x.shape[1] != y.shape[0]:
            raise ValueError(f"not a matrix product: {x.shape} and {y.shape}")
    triples = [party.take(MatrixTriple(x.shape[0], x.shape[1], y.shape[1])) for x, y in pairs]
    masked = [(x - t.a, y - t.b) for (x, y), t in zip(pairs, triples, strict=True)]
    opened = open_masked(party, *(share for both in masked for share in both))
    rows = zip(triples, opened[::2], opened[1::2], strict=True)
    return [t.c + e @ t.b + t.a @ d + ring.matmul(e, d) for t, e, d in rows]


@card("Bea91", adversary="semi-honest, all but one", rounds=1, elements=1)
def square(party: Party, x: Share) -> Share:
    """⟨x²⟩ from ⟨x⟩, elementwise. Takes one square pair of that shape."""
    a, c = party.take(ElementSquare(x.shape))
    (e,) = open_masked(party, x - a)
    return c + a * (e + e) + e * e


@card("MZ17", adversary="semi-honest, all but one", rounds=1, elements=1, per="element of one's own operand")
def private_matmul(party: Party, mine: RingArray | None, owners: tuple[int, int], left: Shape, right: Shape) -> Share:
    """⟨xy⟩ of x (shape `left`) that owners[0] knows and y (shape `right`) that owners[1] knows.

    The owners pass their matrix, the others None. Takes one matrix triple with these owners. Only the two
    owners send. Raises ValueError if the shapes do not fit or an owner brings another shape.
    """
    there = all(0 <= owner < party.count for owner in owners) and owners[0] != owners[1]
    if not there or len(left) != 2 or len(right) != 2 or left[1] != right[0]:
        raise ValueError(f"not a product of two owners: {left} and {right}, owners {owners}")
    a, b, c = party.take(MatrixTriple(*left, right[1], owners))
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
