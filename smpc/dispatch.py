"""NumPy's functions on secret arrays: what stands for each.

NumPy hands `np.add(x, 1)` and `array + x` over as ufuncs, `np.sum(x)` and `np.linalg.solve(a, b)` as functions. What is
not in these tables is a TypeError that says where they are listed.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from smpc import algebra, arrange, counting, elementary, order, quantiles, reductions, rounding
from smpc.operands import unsupported
from smpc.secret import Secret

Function: TypeAlias = Callable[..., Any]


def _arithmetic(apply: Function, reflected: Function, of_truths: Function) -> Function:
    """With operands of which one at least is secret; NumPy's arithmetic of truth values is that of logic."""

    def operator(x: Any, y: Any) -> Secret:
        if order.are_truths(x, y):
            found: Secret = of_truths(x, y)
        else:
            found = apply(x, y) if isinstance(x, Secret) else reflected(y, x)
        return found

    return operator


def _no_logic(*_: object) -> Any:
    raise TypeError("differences of truth values are not supported, as in NumPy: use ^, ~ or .astype(int)")


def _negative(x: Secret) -> Secret:
    found: Secret = _no_logic() if x.truth else Secret.__neg__(x)
    return found


def _some_product(x: Any, y: Any) -> Secret:
    """Of matrices of truth values: whether one of the products is true."""
    one, two = arrange.lifted(x, y)
    return order.not_equal(one.as_numbers() @ two.as_numbers(), 0)


UFUNCS: Mapping[np.ufunc, Function] = {
    np.add: _arithmetic(Secret.__add__, Secret.__add__, order.logical_or),
    np.subtract: _arithmetic(Secret.__sub__, Secret.__rsub__, _no_logic),
    np.multiply: _arithmetic(Secret.__mul__, Secret.__mul__, order.logical_and),
    np.matmul: _arithmetic(Secret.__matmul__, Secret.__rmatmul__, _some_product),
    np.vecdot: algebra.vecdot,
    np.true_divide: elementary.divide,
    np.power: elementary.power,
    np.float_power: elementary.float_power,
    np.reciprocal: elementary.np_reciprocal,
    np.sqrt: elementary.sqrt,
    np.hypot: elementary.hypot,
    np.exp: elementary.exp,
    np.expm1: elementary.expm1,
    np.log: elementary.log,
    np.log2: elementary.log2,
    np.log10: elementary.log10,
    np.log1p: elementary.log1p,
    np.tanh: elementary.tanh,
    np.negative: _negative,
    np.positive: Secret.__pos__,
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
    np.bitwise_and: order.of_truths(order.logical_and),
    np.bitwise_or: order.of_truths(order.logical_or),
    np.bitwise_xor: order.of_truths(order.logical_xor),
    np.invert: order.of_truths(order.logical_not),
    np.maximum: order.maximum,
    np.minimum: order.minimum,
    np.fmax: order.maximum,
    np.fmin: order.minimum,
    np.absolute: order.absolute,
    np.fabs: order.fabs,
    np.sign: order.sign,
    np.floor: rounding.floor,
    np.ceil: rounding.ceil,
    np.trunc: rounding.trunc,
    np.rint: rounding.rint,
}


FUNCTIONS: Mapping[Function, Function] = {
    **{one: arrange.viewed(one) for one in arrange.VIEWS},
    **{one: arrange.padded(one) for one in arrange.PADDED},
    **{one: arrange.listed(one) for one in arrange.LISTS},
    **{one: arrange.joined(one) for one in arrange.JOINED},
    **{one: arrange.like(one) for one in arrange.LIKE},
    **{one: arrange.inquiry(one) for one in arrange.INQUIRIES},
    np.append: arrange.append,
    np.pad: arrange.pad,
    np.broadcast_arrays: arrange.broadcast_arrays,
    np.sum: algebra.total,
    np.trace: algebra.trace,
    np.mean: algebra.mean,
    np.average: algebra.average,
    np.cumsum: algebra.cumsum,
    np.diff: algebra.diff,
    np.var: algebra.var,
    np.std: algebra.std,
    np.cov: algebra.cov,
    np.corrcoef: algebra.corrcoef,
    np.dot: algebra.dot,
    np.vdot: algebra.vdot,
    np.inner: algebra.inner,
    np.outer: algebra.outer,
    np.tensordot: algebra.tensordot,
    np.kron: algebra.kron,
    np.linalg.matmul: np.matmul,
    np.linalg.vecdot: algebra.vecdot,
    np.linalg.outer: algebra.outer,
    np.linalg.tensordot: algebra.tensordot,
    np.linalg.norm: algebra.norm,
    np.linalg.solve: algebra.solve,
    np.linalg.inv: algebra.inv,
    np.where: order.where,
    np.select: order.select,
    np.clip: order.clip,
    np.fix: rounding.trunc,
    np.round: rounding.rounded,
    np.around: rounding.rounded,
    np.astype: rounding.astype,
    np.max: reductions.largest,
    np.amax: reductions.largest,
    np.min: reductions.smallest,
    np.amin: reductions.smallest,
    np.ptp: reductions.ptp,
    np.prod: reductions.prod,
    np.any: reductions.any_of,
    np.all: reductions.all_of,
    np.count_nonzero: reductions.count_nonzero,
    np.argmax: reductions.argmax,
    np.argmin: reductions.argmin,
    np.sort: quantiles.sort,
    np.argsort: quantiles.argsort,
    np.median: quantiles.median,
    np.quantile: quantiles.quantile,
    np.percentile: quantiles.percentile,
    np.searchsorted: counting.searchsorted,
    np.digitize: counting.digitize,
    np.histogram: counting.histogram,
    np.bincount: counting.bincount,
}


def ufunc(one: np.ufunc, method: str, options: Mapping[str, Any]) -> Function:
    """What stands for a call of it. Raises TypeError if nothing does."""
    if method != "__call__" or options or one not in UFUNCS:
        how = "" if method == "__call__" else f".{method}"
        with_what = f" with {', '.join(options)}=" if options else ""  # `array += secret` is np.add with out=
        raise TypeError(unsupported(f"np.{one.__name__}{how}{with_what}"))
    return UFUNCS[one]


def function(one: Function, args: Sequence[Any], options: Mapping[str, Any]) -> Function:
    """What stands for a function. Raises TypeError if nothing does, or if it does not take these arguments."""
    if one not in FUNCTIONS:
        raise TypeError(unsupported(name_of(one)))
    found = FUNCTIONS[one]
    try:
        inspect.signature(found).bind(*args, **options)
    except TypeError as error:
        raise TypeError(unsupported(f"{name_of(one)} with these arguments ({error})")) from None
    return found


def name_of(one: Function) -> str:
    """As one writes it."""
    module = "np" if getattr(np, one.__name__, None) is one else "np.linalg"
    return f"{module}.{one.__name__}"
