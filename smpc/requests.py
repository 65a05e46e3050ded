"""What an owner may ask of the dealer: a closed list of correlations, and their form in a message.

A request is [masks that are used no more, [name, parameters...], ...]. The dealer builds nothing that is not on the
list, and nothing too large.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from math import prod
from typing import Any, TypeAlias, cast, get_type_hints

from protocols import ring
from protocols.beaver import Masks, PrivateTriple, Products
from protocols.binary import WordTriple
from protocols.conversion import DaBits
from protocols.descent import DescentMasks
from protocols.digits import TABLE_WORDS, DigitMasks
from protocols.flooring import FloorMasks
from protocols.functions import BoundedRandom
from protocols.masks import Factor
from protocols.party import Correlation, secrets_of
from protocols.rescaling import RescaledProducts
from protocols.ring import Shape
from protocols.segments import MOST, SegmentMasks
from protocols.selection import SelectionMasks
from protocols.sines import MOST_TERMS, SineMasks
from protocols.truncation import TruncationMask
from smpc import wire

LARGEST = 2**31  # bytes of all arrays of one correlation
MOST_WORK = 2**36  # products of one matrix correlation: minutes

_KNOWN: Mapping[str, type[Any]] = {
    kind.__name__: kind
    for kind in (
        Products,
        RescaledProducts,
        DescentMasks,
        PrivateTriple,
        Masks,
        TruncationMask,
        WordTriple,
        DigitMasks,
        FloorMasks,
        SelectionMasks,
        DaBits,
        BoundedRandom,
        SegmentMasks,
        SineMasks,
    )
}

_PARAMETERS: Mapping[str, list[tuple[str, object]]] = {
    name: [(one.name, get_type_hints(kind)[one.name]) for one in fields(kind)] for name, kind in _KNOWN.items()
}

_Owners: TypeAlias = tuple[int, int]
_AXES = 8
_ITERATIONS = 1 << 10  # of a descent, one by one
_MOST = 256  # correlations in one request
_MOST_ELEMENTS = 2**22  # of all arrays, and products for each hundred of them, in one request; but for its last part


def portions(correlations: Sequence[Correlation[Any]]) -> Iterator[list[Correlation[Any]]]:
    """What goes into one request each: bounded in number, and in what the dealer sends, but for what is large alone."""
    portion: list[Correlation[Any]] = []
    elements = 0
    for one in correlations:
        portion.append(one)
        elements += _elements(one)
        if len(portion) == _MOST or elements > _MOST_ELEMENTS:
            yield portion
            portion, elements = [], 0
    if portion:
        yield portion


def answer_elements(correlations: Sequence[Correlation[Any]]) -> int:
    """How many ring elements the dealer sends for them."""
    return sum(prod(secret.shape) for one in correlations for secret in one.derived())


def kept_elements(correlations: Sequence[Correlation[Any]]) -> int:
    """How many ring elements of masks are kept for later."""
    return sum(prod(secret.shape) for one in correlations for _, secret in zip(one.keeps(), one.drawn(), strict=False))


def encode(correlations: Sequence[Correlation[Any]], forgotten: Sequence[int] = ()) -> bytes:
    """The request for `correlations`; `forgotten`: masks that are used no more.

    Raises ValueError if a dealer would not answer it.
    """
    return wire.pack([list(forgotten), *map(_listed, correlations)])


def decode(body: wire.Buffer) -> tuple[list[Correlation[Any]], list[int]]:
    """The correlations asked for, and what is forgotten. Raises ValueError, and nothing else, for other bytes."""
    message = wire.unpack(body)
    if not isinstance(message, list) or not 1 < len(message) <= 1 + _MOST:
        raise ValueError("no request")
    forgotten, *asked = message
    if not isinstance(forgotten, list) or not all(map(_is_count, forgotten)):
        raise ValueError("no request")
    correlations = [_read_one(one) for one in asked]
    if len(correlations) > 1 and sum(map(_elements, correlations[:-1])) > _MOST_ELEMENTS:
        raise ValueError("too much at once")
    return correlations, forgotten


def _listed(correlation: Correlation[Any]) -> list[Any]:
    kind = type(correlation)
    if _KNOWN.get(kind.__name__) is not kind:
        raise ValueError(f"the dealer does not know {kind.__name__}")
    _check(correlation)
    return [kind.__name__, *(_plain(getattr(correlation, name)) for name, _ in _parameters(kind))]


def _parameters(kind: type[Any]) -> list[tuple[str, object]]:
    """Names and types, in their order."""
    return _PARAMETERS[kind.__name__]


def _read_one(message: object) -> Correlation[Any]:
    if not isinstance(message, list) or not message or not isinstance(message[0], str):
        raise ValueError("no request")
    name, *values = message
    kind = _KNOWN.get(name)
    if kind is None or len(values) != len(_parameters(kind)):
        raise ValueError("no request that is known")
    parameters = {name: _read(of, value) for (name, of), value in zip(_parameters(kind), values, strict=True)}
    correlation: Correlation[Any] = kind(**parameters)
    _check(correlation)
    return correlation


def _plain(value: object) -> object:
    return list(value) if isinstance(value, Factor) else value


def _read(kind: object, value: object) -> object:
    if (kind is int and _is_count(value)) or (kind is bool and isinstance(value, bool)):
        return value
    if kind == Shape and isinstance(value, list) and len(value) <= _AXES and all(map(_is_count, value)):
        return tuple(value)
    if kind is Factor and isinstance(value, list) and len(value) == len(Factor._fields):
        return _read_factor(*value)
    if kind == _Owners and isinstance(value, list) and len(value) == 2 and all(map(_is_count, value)):
        return tuple(value)
    raise ValueError("a parameter of another type")


def _read_factor(number: object, shape: object, offset: object, strides: object, fresh: object) -> Factor:
    if not isinstance(strides, list) or not all(type(one) is int and abs(one) < LARGEST for one in strides):
        raise ValueError("strides of another type")
    factor = Factor(
        cast("int", _read(int, number)), cast("Shape", _read(Shape, shape)), cast("int", _read(int, offset)),
        tuple(strides), None if fresh is None else cast("Shape", _read(Shape, fresh)),
    )  # fmt: skip
    if len(strides) != len(factor.shape) or (factor.fresh is not None and not factor.fits(prod(factor.fresh))):
        raise ValueError("a view of nothing")
    return factor


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value < LARGEST


def _check(correlation: Correlation[Any]) -> None:
    if not 1 <= getattr(correlation, "words", 1) <= TABLE_WORDS:
        raise ValueError(f"{correlation}: a table has 1 to {TABLE_WORDS} words")
    if getattr(correlation, "bits", 0) > ring.BITS:
        raise ValueError(f"{correlation}: a ring element has {ring.BITS} bits")
    if isinstance(correlation, SegmentMasks) and not 0 < correlation.bits <= MOST:
        raise ValueError(f"{correlation}: 1 to {MOST} bits are one-hot")
    if isinstance(correlation, SineMasks) and not 0 < correlation.terms <= MOST_TERMS:
        raise ValueError(f"{correlation}: 1 to {MOST_TERMS} terms")
    if isinstance(correlation, Products) and correlation.matrices:
        left, right = correlation.left.shape, correlation.right.shape
        if len(left) != 2 or len(right) != 2 or left[1] != right[0]:
            raise ValueError("no matrix product")
    if isinstance(correlation, DescentMasks):
        rows = correlation.rows
        if len(rows.shape) != 3 or rows.fresh is not None or not all(rows.shape) or rows.shape[0] > _ITERATIONS:
            raise ValueError("no iterations on rows")
    elements = sum(_spread(secret.shape) for secret in secrets_of(correlation))
    if elements * ring.BYTES > LARGEST or correlation.work() > MOST_WORK:
        raise ValueError(f"{correlation} is larger than {LARGEST >> 30} GiB: ask for it in parts")


def _elements(correlation: Correlation[Any]) -> int:
    return sum(_spread(secret.shape) for secret in secrets_of(correlation)) + correlation.work() // 100


def _spread(shape: Shape) -> int:
    """Elements of an array, and for one that has none what it takes to loop over it."""
    return prod(max(length, 1) for length in shape)
