"""Secret arrays: NumPy's operators and functions on values that no party knows.

A SecretArray holds this party's share of an array of fixed-point numbers (reals at a scale of 2^-f) or of integers
(f = 0, exact). Sums, differences, views and products with public integers cost nothing; a product of two secrets,
or with a public real, takes rounds, and every party must reach it. Nothing is revealed but by `reveal`.

Domain: an array with f fraction bits holds |x| < 2^(63-f). A product of two such is right for |x|, |y| < 2^(62-f) and
|xy| < 2^(62-2f): 4.2 million at the usual f = 20. The same holds for each sum of products that @ makes.
Error: with u = 2^-f the unit in the last place, an encoded real is within u/2 and sums are exact. A product of two
secrets is within u. A public real factor r is used to 2f fraction bits: a product with it is within u(3 + |x| u), a
sum of k such products within u(3 + k/2 + u Σ|x|).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, SupportsIndex, TypeAlias

import numpy as np
from numpy.typing import NDArray

from protocols import linalg, ring
from protocols.party import Party
from protocols.rescaling import matmul_rescaled, multiply_rescaled
from protocols.shares import Share, public
from protocols.truncation import truncate
from smpc.dispatch import function_name, ufunc_methods, unsupported
from smpc.operands import encoded, numeric, words

Index: TypeAlias = Any  # whatever NumPy takes between brackets
Shape: TypeAlias = tuple[int, ...]


def _refused(what: str) -> Callable[..., Any]:
    """A method that says so."""

    def refuse(*_: object) -> Any:
        raise TypeError(unsupported(what))

    return refuse


class Host(Protocol):
    """What a secret array needs of the party that holds it: see smpc.party.Party."""

    @property
    def protocol(self) -> Party: ...

    @property
    def fraction_bits(self) -> int: ...

    @property
    def name(self) -> str: ...

    def reveal(self, array: SecretArray, to: Sequence[str] | None = None) -> Any: ...

    def require_sound(self, wrong: Share) -> None: ...


class SecretArray:
    """An array that is secret-shared among all parties; `shape` is public. Made by `party.share`."""

    __hash__ = None  # type: ignore[assignment]  # two secrets are not equal or unequal to anyone

    def __init__(self, party: Host, share: Share, shape: Shape, bits: int) -> None:
        self.party = party
        self.share = share  # a share has at least one axis, a secret number has none
        self.shape = tuple(shape)
        self.bits = bits

    def __repr__(self) -> str:
        kind = f"{self.bits} fraction bits" if self.bits else "integers"
        return f"SecretArray(shape={self.shape}, {kind}, at {self.party.name})"

    def reveal(self, to: str | Sequence[str] | None = None) -> Any:
        """The values, as a NumPy array (a number if there is no axis), to the parties `to`; None to the others.

        Without `to`: to all that the study releases results to. Leaks the values to them; goes through policy and
        ledger. Raises ReleaseRefused if one of `to` may not learn results. One round.
        """
        return self.party.reveal(self, [to] if isinstance(to, str) else to)

    # NumPy hands over `array + secret`, `np.sum(secret)`

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        left, right = ufunc_methods(ufunc, method, kwargs)
        if isinstance(inputs[0], SecretArray):
            return getattr(inputs[0], left)(*inputs[1:])
        return getattr(inputs[1], right)(inputs[0])

    def __array_function__(
        self, function: Callable[..., Any], types: Any, args: Sequence[Any], kwargs: dict[str, Any]
    ) -> Any:
        name = function_name(function)
        return (getattr(SecretArray, name, None) or _FUNCTIONS[name])(*args, **kwargs)

    def __array__(self, *_: Any, **__: Any) -> NDArray[Any]:
        raise TypeError("a secret array does not turn into a NumPy array: call .reveal()")

    def __bool__(self) -> bool:
        raise TypeError("a secret value cannot decide what the program does: call .reveal() first")

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _refused("a comparison")
    __float__ = __int__ = __round__ = _refused("conversion to a plain number")
    __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __divmod__ = __rdivmod__ = _refused("division with a remainder")
    __abs__ = _refused("abs()")
    __setitem__ = _refused("assignment to elements")

    # Shape

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return ring.size(self.shape)

    @property
    def T(self) -> SecretArray:
        return self.transpose()

    def get_shape(self) -> Shape:
        return self.shape

    def get_ndim(self) -> int:
        return self.ndim

    def get_size(self) -> int:
        return self.size

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("a secret number has no length")
        return self.shape[0]

    def __iter__(self) -> Iterator[SecretArray]:
        return (self[i] for i in range(len(self)))

    def __getitem__(self, index: Index) -> SecretArray:
        return self._view(lambda values: values[index])

    def reshape(self, *shape: SupportsIndex | Sequence[SupportsIndex]) -> SecretArray:
        wanted = shape[0] if len(shape) == 1 else shape
        return self._view(lambda values: values.reshape(wanted))

    def ravel(self) -> SecretArray:
        return self.reshape(-1)

    def transpose(self, axes: int | Sequence[int] | None = None, *more: int) -> SecretArray:
        return self._view(lambda values: values.transpose(axes, *more))

    def broadcast_to(self, shape: Shape) -> SecretArray:
        return self._view(lambda values: np.broadcast_to(values, shape))

    def diag(self, k: int = 0) -> SecretArray:
        return self._view(lambda values: np.diag(values, k))

    # Sums: no message

    def __add__(self, other: Any) -> SecretArray:
        one, two = _aligned(self, _secret(self.party, other, self.bits))
        shape = np.broadcast_shapes(one.shape, two.shape)
        return SecretArray(self.party, one._spread(shape) + two._spread(shape), shape, one.bits)

    __radd__ = __add__

    def __neg__(self) -> SecretArray:
        return SecretArray(self.party, -self.share, self.shape, self.bits)

    def __pos__(self) -> SecretArray:
        return self

    def __sub__(self, other: Any) -> SecretArray:
        return self + -_secret(self.party, other, self.bits)

    def __rsub__(self, other: Any) -> SecretArray:
        negated: SecretArray = -self + other
        return negated

    def sum(self, axis: int | tuple[int, ...] | None = None, *, keepdims: bool = False) -> SecretArray:
        return self._view(lambda values: values.sum(axis=axis, dtype=np.uint64, keepdims=keepdims))

    def trace(self, offset: int = 0) -> SecretArray:
        return self._view(lambda values: values.trace(offset, dtype=np.uint64))

    def mean(self, axis: int | tuple[int, ...] | None = None, *, keepdims: bool = False) -> SecretArray:
        """The sum times 1/n, a public real as in the module: two rounds, one for integers."""
        total = self.sum(axis, keepdims=keepdims)
        if self.size == 0:
            raise ValueError("the mean of an empty array")
        return total * (total.size / self.size)

    # Products

    def __mul__(self, other: Any) -> SecretArray:
        if not isinstance(other, SecretArray):
            return self._times_public(other, lambda share, factor: share * factor, np.broadcast_shapes)
        shape = np.broadcast_shapes(self.shape, other.shape)
        return self._product(
            multiply_rescaled, self._spread(shape), other._spread(shape), self.bits + other.bits, shape
        )

    __rmul__ = __mul__

    def square(self) -> SecretArray:
        return self._product(multiply_rescaled, self.share, self.share, 2 * self.bits, self.shape)

    def __pow__(self, exponent: Any) -> SecretArray:
        if np.ndim(exponent) or exponent not in (1, 2):
            raise TypeError(unsupported("a power other than 1 and 2"))
        return self if exponent == 1 else self.square()

    def __rpow__(self, _: Any) -> SecretArray:
        raise TypeError(unsupported("a secret exponent"))

    def __truediv__(self, other: Any) -> SecretArray:
        if isinstance(other, SecretArray):
            raise TypeError(unsupported("division by a secret array"))
        with np.errstate(divide="ignore", over="ignore"):  # what is not finite is refused as a factor
            return self * (1.0 / numeric(other))

    def __rtruediv__(self, _: Any) -> SecretArray:
        raise TypeError(unsupported("division by a secret array"))

    def __matmul__(self, other: Any) -> SecretArray:
        right = other if isinstance(other, SecretArray) else numeric(other)
        if max(self.ndim, right.ndim) > 2:
            raise TypeError(unsupported("a product of arrays with more axes than a matrix"))
        if min(self.ndim, right.ndim) < 1 or self.shape[-1] != right.shape[0]:
            raise ValueError(f"not a product of vectors or matrices: {self.shape} and {right.shape}")
        row, column = self.ndim == 1, right.ndim == 1
        matrix = right.reshape(-1, 1) if column else right
        return (self.reshape(1, -1) if row else self)._matrix_product(matrix)._without(row, column)

    def __rmatmul__(self, other: Any) -> SecretArray:
        return (self.T @ numeric(other).T).T

    def _matrix_product(self, other: SecretArray | NDArray[Any]) -> SecretArray:
        shape = (self.shape[0], other.shape[1])
        if not isinstance(other, SecretArray):
            return self._times_public(other, lambda share, factor: share @ factor, lambda *_: shape)
        return self._product(matmul_rescaled, self.share, other.share, self.bits + other.bits, shape)

    # Inside

    def _view(self, view: Callable[[NDArray[np.uint64]], Any]) -> SecretArray:
        shape: Shape = ()

        def applied(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
            nonlocal shape
            result = np.asarray(view(values.reshape(self.shape)), dtype=np.uint64)
            shape = result.shape
            return result

        return SecretArray(self.party, self.share.view(applied), shape, self.bits)

    def _spread(self, shape: Shape) -> Share:
        return self.share.reshape(*(self.shape or (1,))).broadcast_to(shape or (1,))

    def at_bits(self, bits: int) -> SecretArray:
        """The same numbers held with more fraction bits."""
        return SecretArray(self.party, self.share * (1 << bits - self.bits), self.shape, bits)

    def _without(self, row: bool, column: bool) -> SecretArray:  # noqa: FBT001
        return self._view(lambda values: values[0 if row else slice(None), ..., 0 if column else slice(None)])

    def _product(self, product: Callable[..., Share], x: Share, y: Share, bits: int, shape: Shape) -> SecretArray:
        """x ∘ y, which has so many bits, brought to f."""
        target = min(bits, self.party.fraction_bits)
        return SecretArray(self.party, product(self.party.protocol, x, y, bits - target), shape, target)

    def _rescaled(self, product: Share, shape: Shape, bits: int) -> SecretArray:
        target = min(bits, self.party.fraction_bits)
        if bits > target:
            product = truncate(self.party.protocol, product, bits - target)
        return SecretArray(self.party, product, shape, target)

    def _times_public(
        self, other: Any, product: Callable[[Share, Any], Share], shape_of: Callable[..., Shape]
    ) -> SecretArray:
        """The product with a public operand: an integer as it is, a real in two words of f fraction bits each."""
        numbers = numeric(other)
        shape = shape_of(self.shape, numbers.shape)
        base = self.share.reshape(*(self.shape or (1,)))

        def times(share: Share, word: NDArray[np.uint64]) -> Share:
            return product(share, word.reshape(numbers.shape or (1,))).reshape(*(shape or (1,)))

        if numbers.dtype.kind != "f":
            return SecretArray(self.party, times(base, encoded(numbers, 0)), shape, self.bits)
        f, protocol = self.party.fraction_bits, self.party.protocol
        high, low, small = words(numbers, f)
        lost = small if self.bits else 0  # of a real's digits those that a small factor brings below the last place
        if lost:
            base = truncate(protocol, base, lost)
        result = self._rescaled(times(base, high), shape, self.bits + f + small - lost)
        if not low.any():
            return result
        whole = truncate(protocol, base, self.bits) if self.bits else base
        rest = truncate(protocol, times(whole, low), f + small - lost)
        return SecretArray(self.party, result.share + rest, shape, f)


def _secret(party: Host, value: Any, least_bits: int = 0) -> SecretArray:
    """A secret array as it is; a public one as a sharing that hides nothing, with `least_bits` or more."""
    if isinstance(value, SecretArray):
        return value
    numbers = numeric(value)
    bits = party.fraction_bits if numbers.dtype.kind == "f" else least_bits
    return SecretArray(party, public(party.protocol.rank, encoded(numbers, bits)), numbers.shape, bits)


def _aligned(one: SecretArray, two: SecretArray) -> tuple[SecretArray, SecretArray]:
    bits = max(one.bits, two.bits)
    return one.at_bits(bits), two.at_bits(bits)


def concatenate(arrays: Sequence[Any], axis: int = 0) -> SecretArray:
    """np.concatenate of arrays of which at least one is secret."""
    return _joined(np.concatenate, arrays, axis)


def stack(arrays: Sequence[Any], axis: int = 0) -> SecretArray:
    """np.stack of arrays of which at least one is secret."""
    return _joined(np.stack, arrays, axis)


def vstack(arrays: Sequence[Any]) -> SecretArray:
    """np.vstack of arrays of which at least one is secret."""
    return _joined(np.vstack, arrays)


def hstack(arrays: Sequence[Any]) -> SecretArray:
    """np.hstack of arrays of which at least one is secret."""
    return _joined(np.hstack, arrays)


def dot(a: Any, b: Any) -> SecretArray:
    """np.dot for numbers, vectors and matrices, one of them secret."""
    product: SecretArray = a @ b if np.ndim(a) and np.ndim(b) else a * b
    return product


def outer(a: Any, b: Any) -> SecretArray:
    """np.outer, one of both secret."""
    column: Any = np.reshape(a, (-1, 1))
    product: SecretArray = column * np.reshape(b, (1, -1))
    return product


def solve(a: Any, b: Any) -> SecretArray:
    """x with ax = b, for a symmetric positive definite secret a (d×d); b secret or public, d or d×p.

    Error within 2^-16 of the largest entry of x's column, and a unit in the last place, for condition numbers (after
    scaling the diagonal to 1) up to 10^5. Opens to all parties whether a is symmetric to 2^-14, positive definite and
    well-conditioned and |x| < 2^17, as one entry of the ledger; raises ModelError if it is not. About 210 rounds.
    """
    if not isinstance(a, SecretArray):
        raise TypeError(unsupported("np.linalg.solve with a public matrix (use np.linalg.inv(a) @ b)"))
    if a.ndim != 2 or a.shape[0] != a.shape[1] or np.shape(b)[:1] != a.shape[:1] or np.ndim(b) > 2:
        raise ValueError(f"not a square system: {a.shape} and {np.shape(b)}")
    right = _secret(a.party, b)
    columns = right.reshape(a.shape[0], -1)
    bits = a.party.fraction_bits
    x, wrong = linalg.solve_scaled(a.party.protocol, a.at_bits(bits).share, columns.at_bits(bits).share, bits)
    a.party.require_sound(wrong)
    return SecretArray(a.party, x, columns.shape, bits).reshape(right.shape)


def inv(a: SecretArray) -> SecretArray:
    """The inverse of a symmetric positive definite secret matrix; see `solve`."""
    return solve(a, np.eye(len(a)))


_FUNCTIONS: dict[str, Callable[..., SecretArray]] = {
    "concatenate": concatenate,
    "stack": stack,
    "vstack": vstack,
    "hstack": hstack,
    "dot": dot,
    "outer": outer,
    "solve": solve,
    "inv": inv,
}


def _joined(join: Callable[..., Any], arrays: Sequence[Any], *axis: int) -> SecretArray:
    party = next(array.party for array in arrays if isinstance(array, SecretArray))
    secrets = [_secret(party, array) for array in arrays]
    bits = max(secret.bits for secret in secrets)
    values = join([secret.at_bits(bits).share.values.reshape(secret.shape) for secret in secrets], *axis)
    return SecretArray(party, Share(party.protocol.rank, values), values.shape, bits)
