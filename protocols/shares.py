"""Shares of arrays: additive over Z_{2^64} (`Share`), and exclusive-or of 64-bit words (`BitShare`).

⟨x⟩: x = Σ xᵢ mod 2^64, party i holds xᵢ.   [x]: x = ⊕ xᵢ, bit by bit.
Only operators that need no message are defined: sums, products with public values, views. A product of two
shares is a named protocol that takes a party. Where a public value is added, rank 0 alone adds it.

A share is never changed. So what was opened of it under a mask stays true, and it keeps its mask (`masks`): the share
itself and its views, but nothing that is computed from it. What is no view of another share is contiguous, at all
parties alike, however they came by their values.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from protocols import ring
from protocols.prg import Prg
from protocols.ring import RingArray, Shape


@dataclass(frozen=True, eq=False)
class Share:
    """One party's summand of a secret array."""

    rank: int
    values: RingArray = field(repr=False)
    source: Share | None = field(default=None, repr=False)  # what this is a view of
    mask: Any = field(default=None, init=False, repr=False)  # see `masks`

    __array_ufunc__ = None  # numpy leaves `array * share` to us

    def __post_init__(self) -> None:
        ring.check(self.values)
        if self.source is None:
            object.__setattr__(self, "values", np.ascontiguousarray(self.values))

    def __repr__(self) -> str:
        return f"{type(self).__name__}(rank={self.rank}, shape={self.shape})"

    @property
    def shape(self) -> Shape:
        return self.values.shape

    @property
    def T(self) -> Share:
        return self.view(lambda values: values.T)

    def view(self, view: Callable[[RingArray], Any]) -> Share:
        """The share of what NumPy makes by `view`, which only chooses and arranges elements."""
        values = np.atleast_1d(view(self.values))
        source = self.source or self
        return Share(self.rank, values, source if np.may_share_memory(values, source.values) else None)

    def __add__(self, other: Share | RingArray | int) -> Share:
        if isinstance(other, Share):
            return Share(self.rank, self.values + other.values)
        public = _public(other, self.shape)
        return Share(self.rank, self.values + public if self.rank == 0 else self.values)

    __radd__ = __add__

    def __neg__(self) -> Share:
        return Share(self.rank, np.uint64(0) - self.values)

    def __sub__(self, other: Share | RingArray | int) -> Share:
        if isinstance(other, Share):
            return Share(self.rank, self.values - other.values)
        public = _public(other, self.shape)
        return Share(self.rank, self.values - public if self.rank == 0 else self.values)

    def __rsub__(self, other: RingArray | int) -> Share:
        return -self + other

    def __mul__(self, public: RingArray | int) -> Share:
        if isinstance(public, Share | BitShare):
            return NotImplemented
        return Share(self.rank, self.values * _element(public))

    __rmul__ = __mul__

    def __matmul__(self, public: RingArray) -> Share:
        if isinstance(public, Share | BitShare):
            return NotImplemented
        return Share(self.rank, ring.matmul(self.values, ring.check(public)))

    def __rmatmul__(self, public: RingArray) -> Share:
        return Share(self.rank, ring.matmul(ring.check(public), self.values))

    def __getitem__(self, key: Any) -> Share:
        return self.view(lambda values: values[key])

    def reshape(self, *shape: int) -> Share:
        return self.view(lambda values: values.reshape(shape))

    def broadcast_to(self, shape: Shape) -> Share:
        return self.view(lambda values: np.broadcast_to(values, shape))

    def sum(self, axis: int | None = None) -> Share:
        return Share(self.rank, np.atleast_1d(self.values.sum(axis=axis, dtype=np.uint64)))


@dataclass(frozen=True, eq=False)
class BitShare:
    """One party's part of an array of secret 64-bit words, combined by exclusive or."""

    rank: int
    values: RingArray = field(repr=False)

    __array_ufunc__ = None

    def __post_init__(self) -> None:
        ring.check(self.values)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(rank={self.rank}, shape={self.shape})"

    @property
    def shape(self) -> Shape:
        return self.values.shape

    def __xor__(self, other: BitShare | RingArray | int) -> BitShare:
        if isinstance(other, BitShare):
            return BitShare(self.rank, self.values ^ other.values)
        public = _public(other, self.shape)
        return BitShare(self.rank, self.values ^ public) if self.rank == 0 else self

    __rxor__ = __xor__

    def __invert__(self) -> BitShare:
        return self ^ (ring.MODULUS - 1)

    def __and__(self, public: RingArray | int) -> BitShare:
        if isinstance(public, Share | BitShare):
            return NotImplemented
        return BitShare(self.rank, self.values & _element(public))

    __rand__ = __and__

    def __lshift__(self, bits: int) -> BitShare:
        return BitShare(self.rank, self.values << np.uint64(bits))

    def __rshift__(self, bits: int) -> BitShare:
        return BitShare(self.rank, self.values >> np.uint64(bits))

    def __getitem__(self, key: Any) -> BitShare:
        return BitShare(self.rank, np.atleast_1d(self.values[key]))


def _public(value: RingArray | int, shape: Shape) -> RingArray | np.uint64:
    """A public summand; it must not change the shape, for only rank 0 adds it."""
    if isinstance(value, int):
        return ring.element(value)
    ring.check(value)
    if np.broadcast_shapes(value.shape, shape) != shape:
        raise ValueError(f"a public value of shape {value.shape} does not fit a share of shape {shape}")
    return value


def _element(value: RingArray | int) -> RingArray | np.uint64:
    return ring.element(value) if isinstance(value, int) else ring.check(value)


def concatenate(shares: Sequence[Share], axis: int = 0) -> Share:
    """The shares of the arrays joined along an existing axis."""
    return Share(shares[0].rank, np.concatenate([share.values for share in shares], axis=axis))


def public(rank: int, x: RingArray) -> Share:
    """⟨x⟩ of a public x: rank 0 holds it, the others hold zero. It hides nothing."""
    return Share(rank, x if rank == 0 else np.zeros_like(x))


def split(x: RingArray, parties: int, prg: Prg) -> list[Share]:
    """⟨x⟩ among `parties`; any `parties - 1` of the shares are uniform."""
    masks = [prg.ring(x.shape) for _ in range(parties - 1)]
    last = x - sum(masks, np.zeros_like(x))
    return [Share(rank, values) for rank, values in enumerate([*masks, last])]


def combine(shares: Sequence[Share]) -> RingArray:
    """x of all its additive shares."""
    return add_up([share.values for share in shares])


def combine_bits(shares: Sequence[BitShare]) -> RingArray:
    """x of all its exclusive-or shares."""
    return xor_up([share.values for share in shares])


def add_up(values: Sequence[RingArray]) -> RingArray:
    """The sum of one array or more, mod 2^64; a new array."""
    total = values[0].copy()
    for other in values[1:]:
        total += other
    return total


def xor_up(values: Sequence[RingArray]) -> RingArray:
    """The exclusive or of one array or more; a new array."""
    total = values[0].copy()
    for other in values[1:]:
        total ^= other
    return total
