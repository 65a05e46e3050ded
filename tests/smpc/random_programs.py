"""Random programs on secret arrays beside the same on NumPy arrays, which carry how far off the secret ones may be.

Every operation is one text for both. Beside it stands its error: of what is exact the operands' own, else the bound
that docs/numpy.md states, from the magnitudes that NumPy sees. Operations that jump (comparisons, rounding, places) are
applied to exact operands only.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import smpc

F = 20
U = 2.0**-F
SHAPES = [(), (0,), (1,), (3,), (2, 3), (1, 3), (2, 1), (0, 3), (2, 0), (3, 2, 1), (1, 1), (4, 3)]
REFUSED = (ValueError, TypeError, IndexError)  # NumPy's errors, and ours
Operation = tuple[Callable[..., Any], float]


@dataclass
class Node:
    """A value of both worlds, of which ours may be off by `error`."""

    secret: Any
    value: Any
    error: float = 0.0

    @property
    def real(self) -> bool:
        return bool(np.asarray(self.value).dtype.kind == "f")

    @property
    def most(self) -> float:
        return float(np.abs(np.asarray(self.value, np.float64)).max(initial=0)) + self.error

    @property
    def length(self) -> int:
        return max(1, int(np.size(self.value)))


@dataclass
class Outcome:
    """What became of programs: `checked` results, programs that were refused for their range, and what was wrong."""

    checked: int = 0
    refused: int = 0
    wrong: list[str] = field(default_factory=list)


def leaf(random: np.random.Generator, party: smpc.Party, owner: int) -> Node:
    """Values with some at their bounds."""
    shape = SHAPES[random.integers(len(SHAPES))]
    kind = random.integers(4)
    if kind == 0:
        value = np.asarray(random.integers(0, 2, shape), bool)
        bounds: Any = None
    elif kind == 1:
        most = int(random.choice([1, 5, 300]))
        value, bounds = np.asarray(random.integers(-most, most + 1, shape)), most
    else:
        most = int(random.choice([1, 4, 16, 2000]))
        value, bounds = np.asarray(random.integers(-most << 4, (most << 4) + 1, shape) / 16), most
    if kind and random.integers(2):
        value, bounds = abs(value), (0, bounds)
    return Node(party.share(value if party.rank == owner else None, owner, bounds), value)


def public(random: np.random.Generator, shape: tuple[int, ...]) -> Any:
    """A number or an array that fits."""
    shape = shape if random.integers(2) else ()
    kind = random.integers(4)
    if kind == 0:
        return random.integers(-9, 10, shape)
    if kind == 1:
        return random.integers(0, 2, shape).astype(bool)
    return random.integers(-40, 41, shape) / 8


# Operations on one value or two; None where they do not apply


def arithmetic(random: np.random.Generator, a: Node, b: Node) -> Operation | None:
    product = a.error * b.most + b.error * a.most + U * (a.real and b.real)
    k = np.shape(a.value)[-1] if np.ndim(a.value) else 1
    c = public(random, np.shape(a.value))
    factor = a.error * float(np.abs(c).max(initial=0)) + 2 * U * (3 + a.most * U)
    return [
        (lambda x, y: x + y, a.error + b.error),
        (lambda x, y: x - y, a.error + b.error),
        (lambda x, y: y * x, product),
        (lambda x, y: x @ y.T, k * product + U),
        (lambda x, y: np.where(y, x, c), a.error) if not b.error else None,
        (np.maximum, a.error + b.error),
        (lambda x, y: np.minimum(y, x), a.error + b.error),
        (lambda x, y: np.clip(x, y, 2), a.error + b.error),
        (np.outer, product),
        (lambda x, y: np.concatenate([x, y]), max(a.error, b.error)),
        (lambda x, y: np.stack([x, y], -1), max(a.error, b.error)),
        (lambda x, _: c + x, a.error),
        (lambda x, _: c - x, a.error),
        (lambda x, _: x * c, factor),
        (lambda x, _: np.maximum(c, x), a.error),
        (lambda x, _: x / 4, a.error / 4 + 2 * U),
        (lambda x, _: x / 3, a.error / 3 + U * (3 + a.most * U)),
        (lambda x, _: x**2, 2 * a.most * a.error + U * a.real),
        (lambda x, _: abs(x), a.error),
        (lambda x, _: -x, a.error),
    ][random.integers(20)]


def logic(random: np.random.Generator, a: Node, b: Node) -> Operation | None:
    if a.error or b.error:
        return None
    c = public(random, np.shape(a.value))
    limits = np.sort(random.integers(-40, 41, random.integers(1, 5)) / 8)
    return [
        (lambda x, y: x < y, 0),
        (lambda x, y: x >= y, 0),
        (lambda x, y: x == y, 0),
        (lambda x, y: x != y, 0),
        (lambda x, y: x <= c, 0),
        (lambda x, y: c > x, 0),
        (lambda x, y: x == c, 0),
        (np.logical_and, 0),
        (lambda x, y: np.logical_or(x, c), 0),
        (np.logical_xor, 0),
        (lambda x, y: (x > 0) | (y > 1), 0),
        (lambda x, y: ~(x > 0) & (y != 1), 0),
        (lambda x, y: np.floor(x) if x.dtype == np.float64 else x, 0),
        (lambda x, y: np.ceil(x) if x.dtype == np.float64 else x, 0),
        (lambda x, y: np.trunc(x) if x.dtype == np.float64 else x, 0),
        (lambda x, y: np.rint(x * 0.5) if x.dtype == np.float64 else x, 0),
        (lambda x, y: np.sign(x) if x.dtype != np.bool else x, 0),
        (lambda x, y: np.searchsorted(limits, x), 0),
        (lambda x, y: np.digitize(x, limits[::-1], right=True), 0),
        (lambda x, y: np.histogram(x, np.unique([*limits, 9]))[0] if x.dtype != np.bool else x, 0),
        (lambda x, y: np.select([x > 0, y > 0], [1, x], c) if np.ndim(x) else x, 0),
        (lambda x, y: x.astype(int), 0),
        (lambda x, y: x.astype(bool), 0),
        (lambda x, y: np.count_nonzero(x, axis=0), 0) if np.ndim(a.value) else None,
        (lambda x, y: np.argsort(x, kind="stable"), 0) if np.ndim(a.value) else None,
        (lambda x, y: np.argsort(x, axis=0, kind="stable"), 0) if np.ndim(a.value) else None,
    ][random.integers(26)]


def along(random: np.random.Generator, a: Node, _: Node) -> Operation | None:
    axes = [None, *range(-np.ndim(a.value), np.ndim(a.value)), tuple(range(np.ndim(a.value)))[:2], 5]
    axis, keep = axes[random.integers(len(axes))], bool(random.integers(2))
    n = a.length
    mean = a.error + U * (3 + n * a.most * U)
    jumps = None if a.error else 0.0
    one_axis = isinstance(axis, int) or axis is None
    rows: list[tuple[Callable[..., Any], float | None]] = [
        (lambda x, _: np.sum(x, axis, keepdims=keep), n * a.error),
        (lambda x, _: x.sum(axis=axis, keepdims=keep), n * a.error),
        (lambda x, _: np.mean(x, axis=axis, keepdims=keep), mean),
        (lambda x, _: np.max(x, axis=axis, keepdims=keep), a.error),
        (lambda x, _: np.min(x, axis, keepdims=keep), a.error),
        (lambda x, _: np.any(x, axis=axis, keepdims=keep), jumps),
        (lambda x, _: np.all(x, axis=axis, keepdims=keep), jumps),
        (lambda x, _: np.argmax(x, axis=axis, keepdims=keep), jumps if one_axis else None),
        (lambda x, _: np.argmin(x, axis=axis, keepdims=keep), jumps if one_axis else None),
        (lambda x, _: np.cumsum(x, axis=axis), n * a.error if one_axis else None),
        (lambda x, _: np.diff(x, axis=axis), 2 * a.error if isinstance(axis, int) else None),
        (lambda x, _: np.sort(x, axis=axis), a.error if one_axis else None),
        (lambda x, _: np.median(x, axis=axis, keepdims=keep), mean if np.asarray(a.value).dtype != bool else None),
        (
            lambda x, _: np.quantile(x.astype(float), [0.25, 0.8], axis=axis, keepdims=keep),
            2 * mean if np.size(a.value) else None,  # of empty ones NumPy has errors of several kinds
        ),
        (lambda x, _: np.prod(x, axis=axis, keepdims=keep), None if a.real else 0),
    ]
    call, error = rows[random.integers(len(rows))]
    return None if error is None else (call, error)


def arranged(random: np.random.Generator, a: Node, _: Node) -> Operation | None:
    ndim = np.ndim(a.value)
    axis = int(random.integers(-ndim - 1, ndim + 1))
    k = int(random.integers(-2, 3))
    return [
        (lambda x, _: x.T, a.error),
        (lambda x, _: x[..., None], a.error),
        (lambda x, _: x[::-1], a.error),
        (lambda x, _: x[k:], a.error),
        (lambda x, _: x[axis], a.error),
        (lambda x, _: x.reshape(-1), a.error),
        (lambda x, _: np.squeeze(x), a.error),
        (lambda x, _: np.expand_dims(x, axis), a.error),
        (lambda x, _: np.roll(x, k), a.error),
        (lambda x, _: np.flip(x, axis), a.error),
        (lambda x, _: np.tile(x, 2), a.error),
        (lambda x, _: np.repeat(x, 2, axis), a.error),
        (lambda x, _: np.broadcast_to(x, (2, *np.shape(x))), a.error),
        (lambda x, _: np.diag(x, k), a.error),
        (lambda x, _: np.tril(x, k), a.error),
        (lambda x, _: np.moveaxis(x, axis, 0), a.error),
        (lambda x, _: np.trace(x, k), a.length * a.error),
        (lambda x, _: np.append(x, [1.5, k]), a.error),
        (lambda x, _: np.pad(x, 1), a.error),
        (lambda x, _: np.delete(x, 0, axis), a.error),
    ][random.integers(20)]


def elementary(random: np.random.Generator, a: Node, b: Node) -> Operation | None:
    if a.error or b.error or np.asarray(a.value).dtype == bool:
        return None
    return [
        (lambda x, _: np.tanh(x), 2 * U),
        (lambda x, _: np.exp(np.clip(x, -5, 3)), 3 * U),
        (lambda x, _: np.log(np.maximum(abs(x), 0.5)), 2 * U),
        (lambda x, _: np.sqrt(abs(x)), 2 * U + a.most * 2.0**-28),
        (lambda x, y: x / (abs(y) + 1), 2 * U),
        (lambda x, _: np.maximum(x, 2.0) ** -1, 2 * U),
        (lambda x, _: np.clip(x, -2.0, 3.0) ** 3, 20 * U),
    ][random.integers(7)]


KINDS = (arithmetic, arithmetic, logic, logic, along, arranged, elementary)


def applied(operation: Operation, a: Node, b: Node) -> Node:
    """The result. Raises RangeError, or AssertionError if only one of both worlds has one."""
    call, error = operation
    expected, refusal = None, None
    with np.errstate(all="ignore"):
        try:
            expected = call(np.asarray(a.value), np.asarray(b.value))
        except REFUSED as found:
            refusal = found
    if expected is not None and np.asarray(expected).dtype.kind == "f" and not np.isfinite(expected).all():
        refusal = ValueError("not finite")  # the mean of nothing
    try:
        found = call(a.secret, b.secret)
    except smpc.RangeError:
        raise
    except REFUSED as ours:
        if refusal is None and "more axes than a matrix" not in str(ours):
            raise AssertionError(f"{ours!r} where NumPy has {expected!r}") from ours
        raise
    assert refusal is None, f"no error where NumPy has {refusal!r}"
    assert found.shape == np.shape(expected), f"{found.shape} for {np.shape(expected)}"
    if np.asarray(expected).dtype == np.int8:  # a power of truth values; there is one type of integers
        expected = np.asarray(expected, np.int64)
    wanted = np.asarray(expected).dtype
    assert found.dtype == wanted, f"{found.dtype} for {wanted}"
    rounding = float(np.abs(np.asarray(expected, np.float64)).max(initial=0)) * 2.0**-48
    return Node(found, expected, error + (rounding if error else 0))


def run(party: smpc.Party, seed: int, programs: int, outcome: Outcome) -> None:
    """So many programs, the same at all parties; what differs from NumPy goes to `outcome`."""
    for number in range(programs):
        random = np.random.default_rng([seed, number])
        nodes = [leaf(random, party, owner % party.count) for owner in range(3)]
        try:
            for _ in range(random.integers(2, 6)):
                nodes.append(step(random, nodes))
        except smpc.RangeError:
            outcome.refused += 1
        except AssertionError as error:
            outcome.wrong.append(f"[{seed}, {number}]: {error}")
        for node in nodes[3:]:
            check(node, outcome, f"[{seed}, {number}]")


def step(random: np.random.Generator, nodes: list[Node]) -> Node:
    """What a random operation that applies makes of two of the nodes, most often the last."""
    while True:
        a = nodes[-1 if random.integers(3) else random.integers(len(nodes))]
        others = [one for one in nodes if fits(a, one)] or nodes
        b = others[random.integers(len(others))]
        operation = KINDS[random.integers(len(KINDS))](random, a, b)
        if operation is not None:
            try:
                return applied(operation, a, b)
            except smpc.RangeError:
                raise
            except REFUSED:
                continue
            except AssertionError as error:
                text = inspect.getsource(operation[0]).strip() if inspect.isfunction(operation[0]) else operation[0]
                raise AssertionError(f"{error}: {text} of {a.value!r} and {b.value!r}") from None


def fits(a: Node, b: Node) -> bool:
    try:
        np.broadcast_shapes(np.shape(a.value), np.shape(b.value))
    except ValueError:
        return False
    return True


def check(node: Node, outcome: Outcome, name: str) -> None:
    """Reveal a node, and compare."""
    found, low, high = node.secret.reveal(), *node.secret.bounds
    outcome.checked += 1
    difference = np.abs(np.asarray(found, np.float64) - np.asarray(node.value, np.float64)).max(initial=0)
    if np.shape(found) != np.shape(node.value) or difference > node.error:
        outcome.wrong.append(f"{name}: {found} for {node.value}, off by {difference} and not {node.error}")
    if np.size(found) and not (low <= np.min(found) and np.max(found) <= high):
        outcome.wrong.append(f"{name}: {found} is not within {low} and {high}")
