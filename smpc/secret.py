"""Fixed-point arithmetic on secret arrays, with public bounds: views, sums, products.

A `Secret` holds this party's share of an array of fixed-point numbers (reals at a scale of 2^-f) or of integers
(f = 0, exact). Sums, differences, views and products with public integers cost nothing; a product of two secrets,
or with a public real, takes rounds, and every party must reach it.

Range: every array has public bounds (see smpc.ranges), from where it is shared on. What could leave |x| < 2^(63-f), or
|xy| < 2^(62-2f) for a product of reals or a sum of such (4.2 million at the usual f = 20), is a RangeError before it
runs. So no result is wrong by having wrapped.
Error: with u = 2^-f the unit in the last place, an encoded real is within u/2 and sums are exact. A product of two
secrets is within u. A public real factor r is used to 2f fraction bits: a product with it is within u(3 + |x| u), a
sum of k such products within u(3 + k/2 + u Σ|x|).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, Protocol, Self, SupportsIndex, TypeAlias

import numpy as np
from numpy.typing import NDArray

from protocols import ring
from protocols.flooring import truncate_exactly
from protocols.party import Party
from protocols.rescaling import matmul_rescaled, multiply_rescaled
from protocols.shares import Share, public
from protocols.truncation import truncate
from smpc.operands import encoded, numeric, unsupported, words
from smpc.ranges import TRUNCATED_BITS, WORD_BITS, Headroom, Range, of_words, rounded_up

Index: TypeAlias = Any  # whatever NumPy takes between brackets
Shape: TypeAlias = tuple[int, ...]
Words: TypeAlias = NDArray[np.uint64]
# Of products: up or down at random, right on average (protocols.truncation), or down, exactly (protocols.flooring).
Rounding: TypeAlias = Literal["random", "down"]


class Host(Protocol):
    """What a secret array needs of the party that holds it: see smpc.party.Party."""

    @property
    def protocol(self) -> Party: ...

    @property
    def fraction_bits(self) -> int: ...

    @property
    def rounding(self) -> Rounding: ...

    @property
    def name(self) -> str: ...

    @property
    def headroom(self) -> Headroom: ...

    def reveal(self, array: Secret, to: Sequence[str] | None = None) -> Any: ...

    def require(self, check: str, wrong: Share) -> None: ...


class Secret:
    """An array that is secret-shared among all parties; `shape`, `bits` and `range` are public.

    `truth`: its values are 0 and 1, and stand for false and true.
    """

    __hash__ = None  # type: ignore[assignment]  # two secrets are not equal or unequal to anyone

    def __init__(
        self, party: Host, share: Share, shape: Shape, bits: int, within: Range, *, truth: bool = False
    ) -> None:
        self.party = party
        self.share = share  # a share has at least one axis, a secret number has none
        self.shape = tuple(shape)
        self.bits = bits
        self.range = within  # in units of 2^-bits
        self.truth = truth

    def __repr__(self) -> str:
        kind = f"{self.bits} fraction bits" if self.bits else "truth values" if self.truth else "integers"
        return f"SecretArray(shape={self.shape}, {kind}, at {self.party.name})"

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type that `reveal` gives."""
        return np.dtype(np.float64 if self.bits else np.bool if self.truth else np.int64)

    @property
    def bounds(self) -> tuple[float, float]:
        """The least and the largest that a value may be; public."""
        return -rounded_up(-self.range.low, self.bits), rounded_up(self.range.high, self.bits)

    def new(self, share: Share, shape: Shape, bits: int, within: Range, *, truth: bool = False) -> Self:
        """Another array of the same party."""
        return type(self)(self.party, share, shape, bits, within, truth=truth)

    def lift(self, value: Any, least_bits: int = 0) -> Self:
        """A secret array as it is; a public one as a sharing that hides nothing, with `least_bits` or more."""
        if isinstance(value, type(self)):
            return value
        numbers = numeric(value)
        bits = self.party.fraction_bits if numbers.dtype.kind == "f" else least_bits
        found = encoded(numbers, bits)
        truth = numbers.dtype.kind == "b"
        return self.new(public(self.party.protocol.rank, found), numbers.shape, bits, of_words(found), truth=truth)

    def aligned(self, value: Any) -> tuple[Self, Self]:
        """This array and another operand, with as many fraction bits each."""
        other = self.lift(value, self.bits)
        bits = max(self.bits, other.bits)
        return self.at_bits(bits), other.at_bits(bits)

    # Shape

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return ring.size(self.shape)

    @property
    def T(self) -> Self:
        return self.transpose()

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("a secret number has no length")
        return self.shape[0]

    def __iter__(self) -> Iterator[Self]:
        return map(self.__getitem__, range(len(self)))

    def __getitem__(self, index: Index) -> Self:
        return self.view(lambda values: values[index])

    def reshape(self, *shape: SupportsIndex | Sequence[SupportsIndex]) -> Self:
        wanted = shape[0] if len(shape) == 1 else shape
        return self.view(lambda values: values.reshape(wanted))

    def transpose(self, axes: int | Sequence[int] | None = None, *more: int) -> Self:
        return self.view(lambda values: values.transpose(axes, *more))

    def spread(self, shape: Shape) -> Self:
        """Broadcast to `shape`."""
        return self if shape == self.shape else self.view(lambda values: np.broadcast_to(values, shape))

    # Sums: no message

    def __add__(self, other: Any) -> Self:
        one, two = self.aligned(other)
        shape = np.broadcast_shapes(one.shape, two.shape)
        within = self.held(one.range + two.range, WORD_BITS, lambda: f"a sum of shape {shape}")
        return self.new(one.spread(shape).share + two.spread(shape).share, shape, one.bits, within)

    __radd__ = __add__

    def __neg__(self) -> Self:
        return self.new(-self.share, self.shape, self.bits, -self.range)

    def __pos__(self) -> Self:
        return self

    def __sub__(self, other: Any) -> Self:
        return self + -self.lift(other, self.bits).as_numbers()

    def __rsub__(self, other: Any) -> Self:
        negated: Self = -self.as_numbers() + other
        return negated

    def sum(self, axis: int | tuple[int, ...] | None = None, *, keepdims: bool = False) -> Self:
        found = self.view(lambda values: values.sum(axis=axis, dtype=np.uint64, keepdims=keepdims))
        return self.totalled(found, -(-self.size // max(1, found.size)))

    def trace(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Self:
        found = self.view(lambda values: values.trace(offset, axis1, axis2, dtype=np.uint64))
        terms = np.diagonal(np.broadcast_to(np.int8(0), self.shape), offset, axis1, axis2).shape[-1]
        return self.totalled(found, terms)

    def mean(self, axis: int | tuple[int, ...] | None = None, *, keepdims: bool = False) -> Self:
        """The sum times 1/n, a public real as in the module: two rounds, one for integers."""
        total = self.sum(axis, keepdims=keepdims)
        if total.size and not self.size:
            raise ValueError("the mean of an empty array")
        return total * (total.size / max(1, self.size))

    # Products

    def __mul__(self, other: Any) -> Self:
        if not isinstance(other, Secret):
            return self._times_public(other, lambda share, factor: share * factor, np.broadcast_shapes, _elementwise)
        shape = np.broadcast_shapes(self.shape, other.shape)
        within = self.range * other.range
        return self._product(multiply_rescaled, self.spread(shape), other.spread(shape), shape, within)

    __rmul__ = __mul__

    def square(self) -> Self:
        return self._product(multiply_rescaled, self, self, self.shape, self.range.square())

    def __matmul__(self, other: Any) -> Self:
        right = other if isinstance(other, Secret) else numeric(other)
        if max(self.ndim, right.ndim) > 2:
            raise TypeError(unsupported("a product of arrays with more axes than a matrix"))
        if min(self.ndim, right.ndim) < 1 or self.shape[-1] != right.shape[0]:
            raise ValueError(f"not a product of vectors or matrices: {self.shape} and {right.shape}")
        row, column = self.ndim == 1, right.ndim == 1
        matrix = right.reshape(-1, 1) if column else right
        return (self.reshape(1, -1) if row else self)._matrix_product(matrix)._without(row, column)

    def __rmatmul__(self, other: Any) -> Self:
        return (self.T @ numeric(other).T).T

    def _matrix_product(self, other: Secret | NDArray[Any]) -> Self:
        shape = (self.shape[0], other.shape[1])
        if not isinstance(other, Secret):
            return self._times_public(other, lambda share, factor: share @ factor, lambda *_: shape, Range.weighed)
        within = (self.range * other.range).times(self.shape[1])
        return self._product(matmul_rescaled, self, other, shape, within)

    # Inside

    def view(self, view: Callable[[Words], Any]) -> Self:
        """What NumPy makes of it by `view`, which only chooses and arranges elements. Raises TypeError for a type."""
        if isinstance(view, type) or not callable(view):
            raise TypeError(unsupported("a view as another type"))
        shape: Shape = ()

        def applied(values: Words) -> Words:
            nonlocal shape
            result = np.asarray(view(values.reshape(self.shape)), dtype=np.uint64)
            shape = result.shape
            return result

        share = self.share.view(applied)
        return self.new(share, shape, self.bits, self.range, truth=self.truth)

    def as_numbers(self) -> Self:
        """Truth values as integers, 0 and 1; numbers as they are."""
        return self.new(self.share, self.shape, self.bits, self.range) if self.truth else self

    def held(self, within: Range, bits: int, what: Callable[[], str]) -> Range:
        """`within`, if it is below 2^bits: the party keeps what came closest. Raises RangeError."""
        within.fits(bits, what)
        self.party.headroom.note(bits - within.largest.bit_length(), what)
        return within

    def totalled(self, found: Self, terms: int) -> Self:
        """`found`, of which each element is a sum of so many of these."""
        within = self.held(self.range.times(terms), WORD_BITS, lambda: f"a sum of {terms:,} numbers")
        return self.new(found.share, found.shape, self.bits, within)

    def at_bits(self, bits: int) -> Self:
        """The same numbers held with more fraction bits."""
        if bits == self.bits:
            return self
        raised = self.range.raised(bits - self.bits)
        within = self.held(raised, WORD_BITS, lambda: f"an array with {bits} fraction bits")
        return self.new(self.share * (1 << bits - self.bits), self.shape, bits, within)

    def _without(self, row: bool, column: bool) -> Self:  # noqa: FBT001
        return self.view(lambda values: values[0 if row else slice(None), ..., 0 if column else slice(None)])

    def _product(self, product: Callable[..., Share], x: Secret, y: Secret, shape: Shape, within: Range) -> Self:
        """x ∘ y, brought to f bits."""
        bits = x.bits + y.bits
        target = min(bits, self.party.fraction_bits)
        self.held(
            within,
            TRUNCATED_BITS if bits > target else WORD_BITS,
            lambda: f"a product of shape {shape}, of numbers within {x.bounds} and {y.bounds},",
        )
        lost = bits - target
        down = self.party.rounding == "down"
        share = product(self.party.protocol, x.share, y.share, 0 if down else lost)
        if down and lost:
            share = truncate_exactly(self.party.protocol, share, lost)
        return self.new(share.reshape(*(shape or (1,))), shape, target, within.truncated(lost))

    def rescaled(self, bits: int) -> Self:
        """With so many fraction bits or fewer: rounded down, or as the party's rounding is."""
        lost = max(0, self.bits - bits)
        self.held(self.range, TRUNCATED_BITS if lost else WORD_BITS, lambda: f"a product of shape {self.shape}")
        if not lost:
            return self
        rounded = truncate_exactly if self.party.rounding == "down" else truncate
        share = rounded(self.party.protocol, self.share, lost)
        return self.new(share, self.shape, self.bits - lost, self.range.truncated(lost))

    def _times_public(
        self,
        other: Any,
        product: Callable[[Share, Any], Share],
        shape_of: Callable[..., Shape],
        weighed: Callable[[Range, Words], Range],
    ) -> Self:
        """The product with a public operand: an integer as it is, a real in two words of f fraction bits each."""
        numbers = numeric(other)
        shape = shape_of(self.shape, numbers.shape)

        def times(x: Self, word: Words, bits: int) -> Self:
            word = word.reshape(numbers.shape or (1,))
            share = product(x.share.reshape(*(x.shape or (1,))), word).reshape(*(shape or (1,)))
            return self.new(share, shape, x.bits + bits, weighed(x.range, word))

        if numbers.dtype.kind != "f":
            return times(self, encoded(numbers, 0), 0).rescaled(self.bits)
        f = self.party.fraction_bits
        high, low, small = words(numbers, f)
        # Of a real's digits a small factor brings some below the last place.
        base = self.rescaled(self.bits - (small if self.bits else 0))
        result = times(base, high, f + small).rescaled(f)
        if not low.any():
            return result
        whole = base.rescaled(base.bits - self.bits)
        return result + times(whole, low, 2 * f + small).rescaled(f)


def _elementwise(x: Range, word: Words) -> Range:
    return x * of_words(word)
