"""NumPy's functions on secret arrays: what stands for each.

NumPy hands `np.add(x, 1)` and `array + x` over as ufuncs, `np.sum(x)` and `np.linalg.solve(a, b)` as functions. What is
not in these tables is a TypeError that says where they are listed.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np

from smpc import algebra, arrange, order, reductions
from smpc.operands import unsupported
from smpc.secret import Secret

Function: TypeAlias = Callable[..., Any]

_REFLECTED = {
    operator.add: "__radd__",
    operator.sub: "__rsub__",
    operator.mul: "__rmul__",
    operator.truediv: "__rtruediv__",
    operator.matmul: "__rmatmul__",
    operator.pow: "__rpow__",
}


def _operator(of: Callable[[Any, Any], Any]) -> Function:
    """The operator of the operand that is secret, which NumPy's own would hand back to us."""

    def apply(left: Any, right: Any) -> Any:
        return of(left, right) if isinstance(left, Secret) else getattr(right, _REFLECTED[of])(left)

    return apply


UFUNCS: Mapping[np.ufunc, Function] = {  # with operands of which one at least is secret
    np.add: _operator(operator.add),
    np.subtract: _operator(operator.sub),
    np.multiply: _operator(operator.mul),
    np.true_divide: _operator(operator.truediv),
    np.matmul: _operator(operator.matmul),
    np.power: _operator(operator.pow),
    np.float_power: _operator(operator.pow),
    np.negative: operator.neg,
    np.positive: operator.pos,
    np.square: Secret.square,
    np.less: order.less,
    np.less_equal: order.less_equal,
    np.greater: order.greater,
    np.greater_equal: order.greater_equal,
    np.equal: order.equal,
    np.not_equal: order.not_equal,
    np.logical_and: order.logical_and,
    np.logical_or: order.logical_or,
    np.logical_xor: order.logical_xor,
    np.logical_not: order.logical_not,
    np.maximum: order.maximum,
    np.minimum: order.minimum,
    np.fmax: order.maximum,
    np.fmin: order.minimum,
    np.absolute: order.absolute,
    np.sign: order.sign,
    np.floor: order.floor,
    np.ceil: order.ceil,
    np.trunc: order.trunc,
}


FUNCTIONS: Mapping[Function, Function] = {
    **{one: arrange.viewed(one) for one in arrange.VIEWS},
    **{one: arrange.padded(one) for one in arrange.PADDED},
    **{one: arrange.listed(one) for one in arrange.LISTS},
    **{one: arrange.joined(one) for one in arrange.JOINED},
    **{one: arrange.like(one) for one in arrange.LIKE},
    **{one: arrange.inquiry(one) for one in arrange.INQUIRIES},
    np.append: arrange.append,
    np.sum: algebra.total,
    np.trace: algebra.trace,
    np.mean: algebra.mean,
    np.average: algebra.average,
    np.cumsum: algebra.cumsum,
    np.diff: algebra.diff,
    np.var: algebra.var,
    np.cov: algebra.cov,
    np.dot: algebra.dot,
    np.vdot: algebra.vdot,
    np.inner: algebra.inner,
    np.outer: algebra.outer,
    np.tensordot: algebra.tensordot,
    np.kron: algebra.kron,
    np.linalg.solve: algebra.solve,
    np.linalg.inv: algebra.inv,
    np.where: order.where,
    np.clip: order.clip,
    np.fix: order.trunc,
    np.max: reductions.largest,
    np.min: reductions.smallest,
    np.amax: reductions.largest,
    np.amin: reductions.smallest,
    np.ptp: reductions.ptp,
    np.prod: reductions.prod,
    np.any: reductions.any_of,
    np.all: reductions.all_of,
    np.count_nonzero: reductions.count_nonzero,
    np.argmax: reductions.argmax,
    np.argmin: reductions.argmin,
    np.searchsorted: reductions.searchsorted,
    np.digitize: reductions.digitize,
    np.histogram: reductions.histogram,
    np.bincount: reductions.bincount,
}


def ufunc(one: np.ufunc, method: str, options: Mapping[str, Any]) -> Function:
    """What stands for a call of it. Raises TypeError if nothing does."""
    if method != "__call__" or options or one not in UFUNCS:
        how = "" if method == "__call__" else f".{method}"
        with_what = f" with {', '.join(options)}=" if options else ""  # `array += secret` is np.add with out=
        raise TypeError(unsupported(f"np.{one.__name__}{how}{with_what}"))
    return UFUNCS[one]


def function(one: Function) -> Function:
    """What stands for a function. Raises TypeError if nothing does."""
    if one not in FUNCTIONS:
        raise TypeError(unsupported(name_of(one)))
    return FUNCTIONS[one]


def name_of(one: Function) -> str:
    """As one writes it."""
    module = "np.linalg" if getattr(np.linalg, one.__name__, None) is one and not hasattr(np, one.__name__) else "np"
    return f"{module}.{one.__name__}"
