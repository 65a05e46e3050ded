"""NumPy's functions on secret arrays: which name of NumPy's stands for which method of SecretArray.

NumPy hands `np.add(x, 1)` and `array + x` over as ufuncs, `np.sum(x)` and `np.linalg.solve(a, b)` as functions. What is
not in these tables is a TypeError that lists what is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

UFUNCS: dict[np.ufunc, tuple[str, str]] = {  # secret on the left, secret on the right only
    np.add: ("__add__", "__radd__"),
    np.subtract: ("__sub__", "__rsub__"),
    np.multiply: ("__mul__", "__rmul__"),
    np.true_divide: ("__truediv__", "__rtruediv__"),
    np.matmul: ("__matmul__", "__rmatmul__"),
    np.power: ("__pow__", "__rpow__"),
    np.negative: ("__neg__", ""),
    np.positive: ("__pos__", ""),
    np.square: ("square", ""),
}

FUNCTIONS: dict[Callable[..., Any], str] = {
    np.sum: "sum",
    np.mean: "mean",
    np.reshape: "reshape",
    np.ravel: "ravel",
    np.transpose: "transpose",
    np.broadcast_to: "broadcast_to",
    np.diag: "diag",
    np.trace: "trace",
    np.concatenate: "concatenate",
    np.stack: "stack",
    np.vstack: "vstack",
    np.hstack: "hstack",
    np.dot: "dot",
    np.outer: "outer",
    np.linalg.solve: "solve",
    np.linalg.inv: "inv",
    np.shape: "get_shape",
    np.ndim: "get_ndim",
    np.size: "get_size",
}


def ufunc_methods(ufunc: np.ufunc, method: str, kwargs: Mapping[str, Any]) -> tuple[str, str]:
    """The methods that stand for `ufunc`, by the side of the secret operand. Raises TypeError if there are none."""
    if method != "__call__" or kwargs or ufunc not in UFUNCS:
        how = "" if method == "__call__" else f".{method}"
        with_what = f" with {', '.join(kwargs)}=" if kwargs else ""  # `array += secret` is np.add with out=
        raise TypeError(unsupported(f"np.{ufunc.__name__}{how}{with_what}"))
    return UFUNCS[ufunc]


def function_name(function: Callable[..., Any]) -> str:
    """The name of ours that stands for a NumPy function. Raises TypeError if there is none."""
    if function not in FUNCTIONS:
        raise TypeError(unsupported(f"np.{getattr(function, '__name__', function)}"))
    return FUNCTIONS[function]


def unsupported(what: str) -> str:
    """What to tell someone who asks for more than there is."""
    names = [f"np.{ufunc.__name__}" for ufunc in UFUNCS]
    for function in FUNCTIONS:
        module = "np.linalg" if function in (np.linalg.solve, np.linalg.inv) else "np"
        names.append(f"{module}.{function.__name__}")
    return (
        f"{what} is not supported on secret arrays. Supported: + - * @, / by public values, ** 2, indexing, .reveal(), "
        + ", ".join(names)
    )
