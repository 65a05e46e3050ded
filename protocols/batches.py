"""Correlations in pieces of bounded size, which are made side by side and joined: see `dealerless`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from protocols import ring
from protocols.beaver import Masks, PrivateTriple, Products, work_of
from protocols.binary import WordTriple
from protocols.party import Correlation, secrets_of
from protocols.rescaling import RescaledProducts
from protocols.ring import BITS, RingArray
from protocols.segments import SegmentMasks
from protocols.selection import SelectionMasks

Arrays: TypeAlias = list[RingArray]

_GROUP = 1 << 23  # transfers, about, of correlations that are made side by side
_PIECE = 1 << 12  # elements of a correlation that are made at once
_WHOLE = (Products, PrivateTriple, Masks)


def pieces_of(correlation: Any) -> Iterator[Any]:
    """What is elementwise, in pieces of one axis; products as they are, since they may share masks."""
    if isinstance(correlation, RescaledProducts):
        yield Products(correlation.left, correlation.right, correlation.matrices)
        yield from pieces_of(correlation.truncation)
        return
    if isinstance(correlation, _WHOLE):
        yield correlation
        return
    if isinstance(correlation, SelectionMasks):
        step = -(-_PIECE // BITS) * BITS  # whole words of bits
        for start in range(0, correlation.elements, step):
            yield replace(correlation, elements=min(step, correlation.elements - start))
        return
    count = ring.size(correlation.shape)
    for start in range(0, count, _PIECE):
        yield replace(correlation, shape=(min(_PIECE, count - start),))


def join(correlation: Correlation[Any], parts: Sequence[Arrays]) -> Arrays:
    """A correlation of the parts of its pieces, in their order."""
    secrets = secrets_of(correlation)
    if isinstance(correlation, RescaledProducts):  # s = ab + r
        (*drawn, c), *masks = parts
        r, *derived = join(correlation.truncation, masks)
        return [*drawn, c + r, *derived]
    if isinstance(correlation, _WHOLE):
        return parts[0]
    if not parts:
        return [np.zeros(secret.shape, np.uint64) for secret in secrets]
    along = [0] * len(secrets)
    if isinstance(correlation, WordTriple | SegmentMasks):  # factors and segments come first
        along = [-1] * len(secrets)
    if isinstance(correlation, SelectionMasks):  # others come first, and words of a table last
        along = [1, 0, 0, 0, 1]
    return [
        np.concatenate(column, axis=axis).reshape(secret.shape)
        for secret, axis, column in zip(secrets, along, zip(*parts, strict=True), strict=True)
    ]


def groups(pieces: Sequence[tuple[int, Any]]) -> Iterator[list[tuple[int, Any]]]:
    """Pieces in their order, so many at a time that memory stays bounded."""
    group: list[tuple[int, Any]] = []
    size = 0
    for number, piece in pieces:
        group.append((number, piece))
        size += BITS * (sum(ring.size(secret.shape) for secret in secrets_of(piece)) + work_of(piece))
        if size >= _GROUP:
            yield group
            group, size = [], 0
    if group:
        yield group
