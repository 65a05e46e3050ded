"""A call or more of every NumPy function that secret arrays have: the same text for NumPy and for us.

A case is a function of `Data`, and by how many units in the last place what we reveal may differ from what NumPy makes
of the shared values. The first case of a function is the one whose rounds docs/numpy.md shows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

UNIT = 2.0**-20


@dataclass(frozen=True)
class Data:
    """x, y: reals below 4 and multiples of 1/16, 3×4; i, j: integers up to 5; a, b: truth values; p: from 0.5 to 4;
    s: 3×3, symmetric and positive definite.
    """

    x: Any
    y: Any
    i: Any
    j: Any
    a: Any
    b: Any
    p: Any
    s: Any


BOUNDS = {"x": None, "y": None, "i": 5, "j": 5, "a": None, "b": None, "p": (0.5, 4), "s": None}


def data(seed: int) -> Data:
    """Values of these kinds."""
    random = np.random.default_rng(seed)
    x, y = random.integers(-64, 65, (2, 3, 4)) / 16
    i, j = random.integers(-5, 6, (2, 3, 4))
    a, b = random.integers(0, 2, (2, 3, 4)).astype(bool)
    q = random.integers(-16, 17, (3, 3)) / 16
    return Data(x, y, i, j, a, b, random.integers(8, 65, (3, 4)) / 16, q @ q.T + 2 * np.eye(3))


def share(party: Any, values: Data) -> Data:
    """Shared by the parties in turn, as a program does it."""
    shared = {}
    for number, (name, value) in enumerate(vars(values).items()):
        owner = number % party.count
        shared[name] = party.share(value if party.rank == owner else None, owner, bounds=BOUNDS[name])
    return Data(**shared)


Case = tuple[Callable[[Data], Any], float]


def exact(*calls: Callable[[Data], Any]) -> list[Case]:
    return [(call, 0) for call in calls]


def within(units: float, *calls: Callable[[Data], Any]) -> list[Case]:
    return [(call, units) for call in calls]


UFUNCS: dict[Any, list[Case]] = {
    np.add: exact(lambda d: np.add(d.x, d.y), lambda d: d.i + d.x, lambda d: 1 + d.i, lambda d: d.a + d.b),
    np.subtract: exact(lambda d: np.subtract(d.x, d.y), lambda d: 0.5 - d.i, lambda d: d.i - d.b),
    np.multiply: [
        *within(1, lambda d: np.multiply(d.x, d.y)),
        *within(3.1, lambda d: d.x * 0.3),
        *exact(lambda d: d.i * d.j, lambda d: d.x * d.i, lambda d: 3 * d.x, lambda d: d.a * d.b),
    ],
    np.matmul: [
        *within(1, lambda d: np.matmul(d.x, d.y.T), lambda d: d.x[0] @ d.y[1]),
        *exact(lambda d: d.i @ d.j.T, lambda d: [1, 2, 3] @ d.x, lambda d: d.a @ d.b.T),
    ],
    np.vecdot: [*within(4, lambda d: np.vecdot(d.x, d.y)), *exact(lambda d: np.vecdot(d.i, d.j))],
    np.true_divide: [
        *within(3.1, lambda d: np.true_divide(d.x, 3), lambda d: d.i / 7.5),
        *within(2, lambda d: d.x / d.p, lambda d: 1 / d.p, lambda d: d.i / (d.p + 1), lambda d: [2, 1, 0.5, 3] / d.p),
        *exact(lambda d: d.x / 2, lambda d: d.i / np.array([1, 2, 4, 0.5])),
    ],
    np.power: [
        *within(70, lambda d: np.power(d.x, 3)),
        *within(1, lambda d: d.x**2),
        *within(20, lambda d: d.p**-1, lambda d: d.p**-2, lambda d: (d.p + 1) ** -3.0, lambda d: d.p**1.5),
        *exact(lambda d: d.i**5, lambda d: d.i**0, lambda d: d.x**1, lambda d: d.i**2.0),
    ],
    np.float_power: [*within(1, lambda d: np.float_power(d.x, 2)), *exact(lambda d: np.float_power(d.i, 3))],
    np.reciprocal: within(2, lambda d: np.reciprocal(d.p)),
    np.sqrt: within(2, lambda d: np.sqrt(d.p), lambda d: np.sqrt(d.i**2), lambda d: d.p**0.5),
    np.hypot: within(300, lambda d: np.hypot(d.p, d.p), lambda d: np.hypot(d.i, 3)),
    np.exp: within(3, lambda d: np.exp(d.p), lambda d: np.exp(d.i), lambda d: np.exp(np.clip(d.x, None, 1))),
    np.expm1: within(3, lambda d: np.expm1(d.p)),
    np.log: within(2, lambda d: np.log(d.p), lambda d: np.log(np.maximum(d.i, 1))),
    np.log2: within(3, lambda d: np.log2(d.p)),
    np.log10: within(2, lambda d: np.log10(d.p)),
    np.log1p: within(2, lambda d: np.log1p(d.p), lambda d: np.log1p(abs(d.i))),
    np.tanh: within(2, lambda d: np.tanh(d.x), lambda d: np.tanh(d.i)),
    np.negative: exact(lambda d: np.negative(d.x), lambda d: -d.i),
    np.positive: exact(lambda d: np.positive(d.x), lambda d: +d.i),
    np.square: [*within(1, lambda d: np.square(d.x)), *exact(lambda d: np.square(d.i))],
    np.less: exact(lambda d: np.less(d.x, d.y), lambda d: d.i < 2, lambda d: np.array(0.5) < d.i, lambda d: d.a < d.b),
    np.less_equal: exact(lambda d: np.less_equal(d.x, d.y), lambda d: d.i <= 2.5, lambda d: d.x <= np.inf),
    np.greater: exact(lambda d: np.greater(d.x, d.y), lambda d: d.i > d.x, lambda d: d.x > 1e30),
    np.greater_equal: exact(lambda d: np.greater_equal(d.x, d.y), lambda d: d.i >= d.j),
    np.equal: exact(lambda d: np.equal(d.x, d.y), lambda d: d.i == d.j, lambda d: d.i == 2, lambda d: d.x == 99),
    np.not_equal: exact(lambda d: np.not_equal(d.x, d.y), lambda d: d.i != d.j, lambda d: d.a != d.b),
    np.logical_and: exact(lambda d: np.logical_and(d.a, d.b), lambda d: np.logical_and(d.i, d.a)),
    np.logical_or: exact(lambda d: np.logical_or(d.a, d.b), lambda d: np.logical_or([0, 0.5, 1, 0], d.a)),
    np.logical_xor: exact(lambda d: np.logical_xor(d.a, d.b), lambda d: np.logical_xor(d.a, True)),
    np.logical_not: exact(lambda d: np.logical_not(d.a), lambda d: np.logical_not(d.i)),
    np.bitwise_and: exact(lambda d: d.a & d.b, lambda d: d.a & True),
    np.bitwise_or: exact(lambda d: d.a | d.b, lambda d: np.array([True, False] * 2) | d.a),
    np.bitwise_xor: exact(lambda d: d.a ^ d.b),
    np.invert: exact(lambda d: ~d.a),
    np.maximum: exact(lambda d: np.maximum(d.x, d.y), lambda d: np.maximum(d.i, 0.5), lambda d: np.maximum(d.a, d.b)),
    np.minimum: exact(lambda d: np.minimum(d.x, d.y), lambda d: np.minimum(2, d.i), lambda d: np.minimum(d.x, np.inf)),
    np.fmax: exact(lambda d: np.fmax(d.x, d.y)),
    np.fmin: exact(lambda d: np.fmin(d.x, d.y)),
    np.absolute: exact(lambda d: np.absolute(d.x), lambda d: abs(d.i), lambda d: abs(d.a)),
    np.fabs: exact(lambda d: np.fabs(d.x), lambda d: np.fabs(d.i)),
    np.sign: exact(lambda d: np.sign(d.x), lambda d: np.sign(d.i)),
    np.floor: exact(lambda d: np.floor(d.x), lambda d: np.floor(d.i)),
    np.ceil: exact(lambda d: np.ceil(d.x), lambda d: np.ceil(d.i)),
    np.trunc: exact(lambda d: np.trunc(d.x), lambda d: np.trunc(d.p), lambda d: np.trunc(d.i)),
    np.rint: exact(lambda d: np.rint(d.x), lambda d: np.rint(d.x + 0.5), lambda d: np.rint(d.p)),
}

ARRANGED: dict[Any, list[Case]] = {
    np.reshape: exact(lambda d: np.reshape(d.x, (4, -1)), lambda d: d.a.reshape(2, 6)),
    np.ravel: exact(lambda d: np.ravel(d.x), lambda d: d.i.T.ravel(), lambda d: d.i.flatten()),
    np.transpose: exact(lambda d: np.transpose(d.x), lambda d: d.i[None].transpose(2, 0, 1), lambda d: d.b.T),
    np.matrix_transpose: exact(lambda d: np.matrix_transpose(d.x[None])),
    np.linalg.matrix_transpose: exact(lambda d: np.linalg.matrix_transpose(d.x)),
    np.swapaxes: exact(lambda d: np.swapaxes(d.x, 0, 1), lambda d: d.x[None].swapaxes(0, -1)),
    np.moveaxis: exact(lambda d: np.moveaxis(d.x[None], 0, -1)),
    np.rollaxis: exact(lambda d: np.rollaxis(d.x[None], 2)),
    np.expand_dims: exact(lambda d: np.expand_dims(d.x, (0, -1))),
    np.squeeze: exact(lambda d: np.squeeze(d.x[None]), lambda d: d.i[:, :1].squeeze(axis=1)),
    np.broadcast_to: exact(lambda d: np.broadcast_to(d.x, (2, 3, 4))),
    np.broadcast_arrays: exact(lambda d: np.broadcast_arrays(d.x, d.i[0])),
    np.diagonal: exact(lambda d: np.diagonal(d.x, 1), lambda d: d.i.diagonal()),
    np.repeat: exact(lambda d: np.repeat(d.x, 2, axis=0), lambda d: d.i.repeat([1, 0, 2], 0)),
    np.tile: exact(lambda d: np.tile(d.x, (2, 1, 2))),
    np.roll: exact(lambda d: np.roll(d.x, 2, axis=1), lambda d: np.roll(d.i, (1, 2), (0, 1))),
    np.flip: exact(lambda d: np.flip(d.x), lambda d: np.flip(d.i, 1)),
    np.fliplr: exact(lambda d: np.fliplr(d.x)),
    np.flipud: exact(lambda d: np.flipud(d.x)),
    np.rot90: exact(lambda d: np.rot90(d.x), lambda d: np.rot90(d.x, 3)),
    np.take: exact(lambda d: np.take(d.x, [0, 5, 5]), lambda d: d.i.take([[0, 1]], axis=1)),
    np.take_along_axis: exact(lambda d: np.take_along_axis(d.x, np.array([[0], [1], [3]]), 1)),
    np.delete: exact(lambda d: np.delete(d.x, 1, axis=0)),
    np.copy: exact(lambda d: np.copy(d.x), lambda d: d.a.copy()),
    np.atleast_1d: exact(lambda d: np.atleast_1d(d.x[0, 0])),
    np.atleast_2d: exact(lambda d: np.atleast_2d(d.x[0])),
    np.atleast_3d: exact(lambda d: np.atleast_3d(d.x)),
    np.diag: exact(lambda d: np.diag(d.x), lambda d: np.diag(d.p[0], 1), lambda d: np.diag(d.a[0])),
    np.diagflat: exact(lambda d: np.diagflat(d.x)),
    np.tril: exact(lambda d: np.tril(d.x), lambda d: np.tril(d.p, -1)),
    np.triu: exact(lambda d: np.triu(d.x), lambda d: np.triu(d.p, 1)),
    np.resize: exact(lambda d: np.resize(d.x, (5, 5)), lambda d: np.resize(d.p[:0], 3)),
    np.pad: exact(lambda d: np.pad(d.p, 1), lambda d: np.pad(d.x, ((1, 0), (0, 2)), mode="edge")),
    np.split: exact(lambda d: np.split(d.x, 3), lambda d: np.split(d.i, [1, 3], axis=1)),
    np.array_split: exact(lambda d: np.array_split(d.x, 2)),
    np.hsplit: exact(lambda d: np.hsplit(d.x, 2)),
    np.vsplit: exact(lambda d: np.vsplit(d.x, 3)),
    np.dsplit: exact(lambda d: np.dsplit(d.x[None], 2)),
    np.unstack: exact(lambda d: np.unstack(d.x)),
    np.concatenate: exact(
        lambda d: np.concatenate([d.x, d.y]),
        lambda d: np.concatenate([d.i, d.x, [[7], [8], [9]]], axis=1),
        lambda d: np.concatenate([d.a, d.b], axis=None),
        lambda d: np.concatenate([d.a, d.i]),
    ),
    np.stack: exact(lambda d: np.stack([d.x, d.i]), lambda d: np.stack([d.x[0, 0], 3])),
    np.vstack: exact(lambda d: np.vstack([d.x, d.x[0]])),
    np.hstack: exact(lambda d: np.hstack([d.x[0], 5, d.i[1, 1]])),
    np.dstack: exact(lambda d: np.dstack([d.x, d.y])),
    np.column_stack: exact(lambda d: np.column_stack([d.x[0], d.y[0]])),
    np.append: exact(lambda d: np.append(d.x, d.y, axis=1), lambda d: np.append(d.i, 7)),
    np.zeros_like: exact(lambda d: np.zeros_like(d.x), lambda d: np.zeros_like(d.a)),
    np.ones_like: exact(lambda d: np.ones_like(d.i)),
    np.full_like: exact(lambda d: np.full_like(d.x, 2.5)),
    np.empty_like: exact(lambda d: np.empty_like(d.x).shape),
    np.shape: exact(lambda d: np.shape(d.x)),
    np.ndim: exact(lambda d: np.ndim(d.x)),
    np.size: exact(lambda d: np.size(d.x), lambda d: np.size(d.x, 1)),
    np.astype: exact(
        lambda d: np.astype(d.x, np.int64), lambda d: d.a.astype(int), lambda d: d.i.astype(float),
        lambda d: d.i.astype(bool), lambda d: d.x.astype(bool),
    ),
}  # fmt: skip

SUMS: dict[Any, list[Case]] = {
    np.sum: exact(lambda d: np.sum(d.x), lambda d: d.i.sum(axis=-1, keepdims=True), lambda d: d.a.sum((0, 1))),
    np.trace: exact(lambda d: np.trace(d.x), lambda d: np.trace(d.i[None], 1, 1, 2), lambda d: d.b.trace()),
    np.mean: within(4, lambda d: np.mean(d.x), lambda d: d.i.mean(0), lambda d: d.a.mean(axis=1, keepdims=True)),
    np.average: within(
        16, lambda d: np.average(d.x, axis=1), lambda d: np.average(d.i, 0, [1, 2, 5]),
        lambda d: np.average(d.x, weights=np.arange(12).reshape(3, 4), keepdims=True),
        lambda d: np.average(d.x, (1, 0), np.arange(12).reshape(4, 3)),
    ),
    np.cumsum: exact(lambda d: np.cumsum(d.x), lambda d: d.i.cumsum(axis=1), lambda d: np.cumsum(d.a, 0)),
    np.diff: exact(lambda d: np.diff(d.x), lambda d: np.diff(d.i, 2, axis=0), lambda d: np.diff(d.a)),
    np.var: within(300, lambda d: np.var(d.x), lambda d: d.i.var(axis=0, ddof=1), lambda d: np.var(d.a)),
    np.std: within(300, lambda d: np.std(d.x), lambda d: d.i.std(axis=0, ddof=1)),
    np.corrcoef: within(64, lambda d: np.corrcoef(d.x), lambda d: np.corrcoef(d.i, rowvar=False)),
    np.linalg.norm: [
        *within(64, lambda d: np.linalg.norm(d.x), lambda d: np.linalg.norm(d.x, axis=1, keepdims=True)),
        *exact(lambda d: np.linalg.norm(d.x, 1, axis=0), lambda d: np.linalg.norm(d.i, np.inf, axis=-1)),
    ],
    np.cov: within(300, lambda d: np.cov(d.x), lambda d: np.cov(d.i, rowvar=False), lambda d: np.cov(d.x[0], ddof=0)),
    np.dot: [*within(1, lambda d: np.dot(d.x, d.y.T)), *exact(lambda d: np.dot(3, d.x), lambda d: d.i.dot(d.j[0]))],
    np.vdot: [*within(1, lambda d: np.vdot(d.x, d.y)), *exact(lambda d: np.vdot(d.i, d.j))],
    np.inner: [*within(1, lambda d: np.inner(d.x, d.y)), *exact(lambda d: np.inner(d.i, d.j[0]))],
    np.outer: [*within(1, lambda d: np.outer(d.x, d.y)), *exact(lambda d: np.outer([1, 2], d.i))],
    np.tensordot: [
        *within(1, lambda d: np.tensordot(d.x, d.y, 2), lambda d: np.tensordot(d.x, d.y, ([0], [0]))),
        *exact(lambda d: np.tensordot(d.i, d.j.T, 1), lambda d: np.tensordot(d.i, d.j, 0)),
    ],
    np.kron: [*within(1, lambda d: np.kron(d.x, d.y)), *exact(lambda d: np.kron(np.eye(2, dtype=int), d.i))],
    np.linalg.matmul: within(1, lambda d: np.linalg.matmul(d.x, d.y.T)),
    np.linalg.vecdot: within(4, lambda d: np.linalg.vecdot(d.x, d.y)),
    np.linalg.outer: within(1, lambda d: np.linalg.outer(d.x[0], d.y[0])),
    np.linalg.tensordot: within(1, lambda d: np.linalg.tensordot(d.x, d.y, axes=([1], [1]))),
    np.linalg.solve: within(64, lambda d: np.linalg.solve(d.s, d.x), lambda d: np.linalg.solve(d.s, [1, 2, 3])),
    np.linalg.inv: within(64, lambda d: np.linalg.inv(d.s)),
}  # fmt: skip

CHOICES: dict[Any, list[Case]] = {
    np.where: exact(
        lambda d: np.where(d.a, d.x, d.y), lambda d: np.where(d.x > d.y, 1, d.i), lambda d: np.where(d.i, 2, 0.5),
        lambda d: np.where([True, False, True, False], d.x, 0), lambda d: np.where(d.a, d.b, True),
    ),
    np.select: exact(lambda d: np.select([d.a, d.b], [d.x, 7], -1), lambda d: np.select([d.i > 2], [d.i])),
    np.clip: exact(
        lambda d: np.clip(d.x, -1, 1.5), lambda d: d.i.clip(0), lambda d: np.clip(d.x, None, d.y),
        lambda d: np.clip(d.x, 0, np.inf), lambda d: np.clip(d.x, min=2, max=1),
    ),
    np.fix: exact(lambda d: np.fix(d.x)),
    np.round: exact(lambda d: np.round(d.x), lambda d: np.round(d.i, 2), lambda d: d.x.round()),
    np.around: exact(lambda d: np.around(d.x)),
    np.max: exact(lambda d: np.max(d.x), lambda d: d.i.max(axis=0), lambda d: d.a.max((0, 1), keepdims=True)),
    np.amax: exact(lambda d: np.amax(d.x, axis=1)),
    np.amin: exact(lambda d: np.amin(d.x, axis=0)),
    np.min: exact(lambda d: np.min(d.x), lambda d: d.i.min(axis=(-1,), keepdims=True), lambda d: d.p.min(1)),
    np.ptp: exact(lambda d: np.ptp(d.x), lambda d: np.ptp(d.i, axis=0)),
    np.prod: [*within(300, lambda d: np.prod(d.x[:, :3], axis=1)), *exact(lambda d: d.i.prod(0), lambda d: d.a.prod())],
    np.any: exact(lambda d: np.any(d.a), lambda d: (d.i > 3).any(axis=0), lambda d: np.any(d.x, 1, keepdims=True)),
    np.all: exact(lambda d: np.all(d.a), lambda d: (d.i > -4).all(axis=0), lambda d: np.all(d.i)),
    np.count_nonzero: exact(lambda d: np.count_nonzero(d.a), lambda d: np.count_nonzero(d.i, axis=1)),
    np.argmax: exact(lambda d: np.argmax(d.x), lambda d: d.i.argmax(axis=0), lambda d: d.a.argmax(1, keepdims=True)),
    np.argmin: exact(lambda d: np.argmin(d.x), lambda d: d.i.argmin(axis=1), lambda d: d.i.argmin(keepdims=True)),
    np.sort: exact(lambda d: np.sort(d.x), lambda d: np.sort(d.i, axis=0), lambda d: np.sort(d.a, axis=None)),
    np.argsort: exact(
        lambda d: np.argsort(d.x, kind="stable"), lambda d: np.argsort(d.i, axis=0, stable=True),
        lambda d: d.i.argsort(axis=None, kind="stable"),
    ),
    np.median: within(4, lambda d: np.median(d.x), lambda d: np.median(d.i, axis=0), lambda d: np.median(d.x, (0, 1))),
    np.quantile: within(
        4, lambda d: np.quantile(d.x, 0.25), lambda d: np.quantile(d.i, [0, 0.3, 1], axis=1, keepdims=True),
    ),
    np.percentile: within(4, lambda d: np.percentile(d.x, 90), lambda d: np.percentile(d.i, [50, 75], axis=0)),
    np.searchsorted: exact(
        lambda d: np.searchsorted([-1, 0, 1.5], d.x), lambda d: np.searchsorted([-1, 0, 0, 2.5], d.i, side="right"),
        lambda d: np.searchsorted([], d.i),
    ),
    np.digitize: exact(
        lambda d: np.digitize(d.x, [-1, 0, 1.5]), lambda d: np.digitize(d.i, [3, 1, 0, -2]),
        lambda d: np.digitize(d.i, [3, 1, 0, -2], right=True), lambda d: np.digitize(d.i, [0.5, 2], right=True),
    ),
    np.histogram: exact(
        lambda d: np.histogram(d.x, [-3, -1, 0.5, 4])[0], lambda d: np.histogram(d.i, 4, range=(-4, 4))[0],
        lambda d: np.histogram(d.x, bins=[-np.inf, 0, 4])[0],
    ),
    np.bincount: exact(lambda d: np.bincount(abs(d.i).ravel(), minlength=6), lambda d: np.bincount(d.a[0], None, 3)),
}  # fmt: skip

CASES: dict[Any, list[Case]] = {**UFUNCS, **ARRANGED, **SUMS, **CHOICES}
