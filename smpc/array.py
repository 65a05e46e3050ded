"""Secret arrays: NumPy's operators, functions and methods on values that no party knows.

A SecretArray is a `Secret` (smpc.secret: arithmetic, ranges, errors) with NumPy's face. `array + secret` and
`np.sum(secret)` come here from NumPy, and go to what smpc.dispatch has for them. Nothing is revealed but by `reveal`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smpc import dispatch
from smpc.operands import unsupported
from smpc.secret import Secret


def _method(function: Callable[..., Any]) -> Callable[..., Any]:
    """NumPy's function of this array."""

    def method(self: SecretArray, *args: Any, **kwargs: Any) -> Any:
        return function(self, *args, **kwargs)

    return method


def _reflected(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same of another operand and this array."""

    def method(self: SecretArray, other: Any) -> Any:
        return function(other, self)

    return method


def _refused(what: str) -> Callable[..., Any]:
    """A method that says so."""

    def refuse(*_: object) -> Any:
        raise TypeError(unsupported(what))

    return refuse


class SecretArray(Secret):
    """An array that is secret-shared among all parties; `shape` is public. Made by `party.share`."""

    __hash__ = None  # two secrets are not equal or unequal to anyone

    def reveal(self, to: str | Sequence[str] | None = None) -> Any:
        """The values, as a NumPy array (a number if there is no axis), to the parties `to`; None to the others.

        Without `to`: to all that the study releases results to. Leaks the values to them; goes through policy and
        ledger. Raises ReleaseRefused if one of `to` may not learn results. One round.
        """
        return self.party.reveal(self, [to] if isinstance(to, str) else to)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return dispatch.ufunc(ufunc, method, kwargs)(*inputs)

    def __array_function__(
        self, function: Callable[..., Any], types: Any, args: Sequence[Any], kwargs: dict[str, Any]
    ) -> Any:
        return dispatch.function(function, args, kwargs)(*args, **kwargs)

    def __array__(self, *_: Any, **__: Any) -> NDArray[Any]:
        raise TypeError("a secret array does not turn into a NumPy array: call .reveal()")

    def __bool__(self) -> bool:
        raise TypeError("a secret value cannot decide what the program does: call .reveal() first, or use np.where")

    # Operators

    __add__, __radd__ = _method(np.add), _reflected(np.add)
    __sub__, __rsub__ = _method(np.subtract), _reflected(np.subtract)
    __mul__, __rmul__ = _method(np.multiply), _reflected(np.multiply)
    __matmul__, __rmatmul__ = _method(np.matmul), _reflected(np.matmul)
    __truediv__, __rtruediv__ = _method(np.true_divide), _reflected(np.true_divide)
    __pow__, __rpow__ = _method(np.power), _reflected(np.power)
    __and__, __rand__ = _method(np.bitwise_and), _reflected(np.bitwise_and)
    __or__, __ror__ = _method(np.bitwise_or), _reflected(np.bitwise_or)
    __xor__, __rxor__ = _method(np.bitwise_xor), _reflected(np.bitwise_xor)
    __lt__, __le__, __gt__, __ge__ = (_method(one) for one in (np.less, np.less_equal, np.greater, np.greater_equal))
    __eq__, __ne__ = _method(np.equal), _method(np.not_equal)
    __neg__, __abs__, __invert__ = _method(np.negative), _method(np.absolute), _method(np.invert)

    __float__ = __int__ = __round__ = _refused("conversion to a plain number")
    __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = _refused("division with a remainder")
    __divmod__ = __rdivmod__ = _refused("division with a remainder")
    __setitem__ = _refused("assignment to elements")

    # Methods

    all, any = _method(np.all), _method(np.any)
    argmax, argmin, argsort = _method(np.argmax), _method(np.argmin), _method(np.argsort)
    max, min = _method(np.max), _method(np.min)
    cumsum, prod, std, var = _method(np.cumsum), _method(np.prod), _method(np.std), _method(np.var)
    astype, clip, round = _method(np.astype), _method(np.clip), _method(np.round)
    copy, flatten, ravel, squeeze = _method(np.copy), _method(np.ravel), _method(np.ravel), _method(np.squeeze)
    diagonal, repeat, swapaxes, take = (_method(f) for f in (np.diagonal, np.repeat, np.swapaxes, np.take))
    dot = _method(np.dot)
