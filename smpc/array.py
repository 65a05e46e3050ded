"""Secret arrays: NumPy's operators and functions on values that no party knows.

A SecretArray is a `Secret` (smpc.secret: arithmetic, ranges, errors) with NumPy's face. `array + secret` and
`np.sum(secret)` come here from NumPy, and go to what smpc.dispatch has for them. Nothing is revealed but by `reveal`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smpc import dispatch, order
from smpc.secret import Secret


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
        return dispatch.function(function)(*args, **kwargs)

    def __array__(self, *_: Any, **__: Any) -> NDArray[Any]:
        raise TypeError("a secret array does not turn into a NumPy array: call .reveal()")

    def __bool__(self) -> bool:
        raise TypeError("a secret value cannot decide what the program does: call .reveal() first, or use np.where")

    # Operators beyond arithmetic

    __lt__, __le__, __gt__, __ge__ = order.less, order.less_equal, order.greater, order.greater_equal
    __abs__ = order.absolute

    def __eq__(self, other: object) -> SecretArray:  # type: ignore[override]
        return order.equal(self, other)

    def __ne__(self, other: object) -> SecretArray:  # type: ignore[override]
        return order.not_equal(self, other)
