"""What an owner may ask of the dealer: a closed list of correlations, and their form in a message.

A request is [name, parameters...]. The dealer builds nothing that is not on the list, and nothing too large.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from math import prod
from typing import Any, TypeAlias, get_type_hints

from protocols import ring
from protocols.beaver import ElementSquare, ElementTriple, MatrixTriple
from protocols.binary import WordTriple
from protocols.conversion import DaBits
from protocols.digits import DigitMasks
from protocols.functions import BoundedRandom
from protocols.party import Correlation
from protocols.ring import Shape
from protocols.truncation import TruncationMask
from smpc import wire

LARGEST = 2**31  # bytes of all arrays of one correlation
MOST_WORK = 2**36  # products of one matrix correlation: minutes

_KNOWN: Mapping[str, type[Any]] = {
    kind.__name__: kind
    for kind in (
        ElementTriple,
        ElementSquare,
        MatrixTriple,
        TruncationMask,
        WordTriple,
        DigitMasks,
        DaBits,
        BoundedRandom,
    )
}

_Owners: TypeAlias = tuple[int, int] | None


def encode(correlation: Correlation[Any]) -> bytes:
    """The request for `correlation`. Raises ValueError if a dealer would not answer it."""
    kind = type(correlation)
    if _KNOWN.get(kind.__name__) is not kind:
        raise ValueError(f"the dealer does not know {kind.__name__}")
    _check(correlation)
    return wire.pack([kind.__name__, *(getattr(correlation, field.name) for field in fields(kind))])


def decode(body: wire.Buffer) -> Correlation[Any]:
    """The correlation that is asked for. Raises ValueError, and nothing else, for any other bytes."""
    message = wire.unpack(body)
    if not isinstance(message, list) or not message or not isinstance(message[0], str):
        raise ValueError("no request")
    name, *values = message
    kind = _KNOWN.get(name)
    if kind is None or len(values) != len(fields(kind)):
        raise ValueError("no request that is known")
    types = get_type_hints(kind)
    parameters = {
        field.name: _read(types[field.name], value) for field, value in zip(fields(kind), values, strict=True)
    }
    correlation: Correlation[Any] = kind(**parameters)
    _check(correlation)
    return correlation


def _read(kind: object, value: object) -> object:
    if kind is int and _is_count(value):
        return value
    if kind == Shape and isinstance(value, list) and len(value) <= 8 and all(map(_is_count, value)):
        return tuple(value)
    if kind == _Owners and value is None:
        return None
    if kind == _Owners and isinstance(value, list) and len(value) == 2 and all(map(_is_count, value)):
        return tuple(value)
    raise ValueError("a parameter of another type")


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value < LARGEST


def _check(correlation: Correlation[Any]) -> None:
    if getattr(correlation, "bits", 0) > ring.BITS:
        raise ValueError(f"{correlation}: a ring element has {ring.BITS} bits")
    secrets = [*correlation.drawn(), *correlation.derived()]
    sizes = [prod(max(length, 1) for length in secret.shape) for secret in secrets]
    work = prod((correlation.m, correlation.k, correlation.p)) if isinstance(correlation, MatrixTriple) else 0
    if sum(sizes) * ring.BYTES > LARGEST or work > MOST_WORK:
        raise ValueError(f"{correlation} is larger than {LARGEST >> 30} GiB: ask for it in parts")
