"""Correlations in pieces of bounded size, and pieces in groups that are made side by side: for `dealerless`.

What is elementwise is cut; what refers to masks by their number is made whole. A product that is rescaled, and
iterations of descent, are cut into products and truncation masks r, and s = ab + r: whoever makes both by themselves
needs no other way to make them together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from protocols import ring
from protocols.beaver import Masks, PrivateTriple, Products
from protocols.binary import WordTriple
from protocols.descent import DescentMasks
from protocols.party import Correlation, secrets_of
from protocols.rescaling import RescaledProducts
from protocols.ring import BITS, RingArray
from protocols.segments import SegmentMasks
from protocols.selection import SelectionMasks
from protocols.sines import SineMasks

Arrays: TypeAlias = list[RingArray]

_GROUP = 1 << 23  # transfers, about, of correlations that are made side by side
_PIECE = 1 << 12  # elements of a correlation that are made at once
_WHOLE = (Products, PrivateTriple, Masks, DescentMasks)


def pieces_of(correlation: Any) -> Iterator[Any]:
    """What is elementwise, in pieces of one axis; products as they are, since they may share masks."""
    if isinstance(correlation, RescaledProducts):
        yield Products(correlation.left, correlation.right, correlation.matrices)
        yield from pieces_of(correlation.truncation)
    elif isinstance(correlation, DescentMasks):
        yield correlation
        yield from pieces_of(correlation.truncation)
    elif isinstance(correlation, _WHOLE):
        yield correlation
    elif isinstance(correlation, SelectionMasks):
        step = -(-_PIECE // BITS) * BITS  # whole words of bits
        for start in range(0, correlation.elements, step):
            yield replace(correlation, elements=min(step, correlation.elements - start))
    else:
        count = ring.size(correlation.shape)
        for start in range(0, count, _PIECE):
            yield replace(correlation, shape=(min(_PIECE, count - start),))


def joined(correlation: Correlation[Any], parts: Sequence[Arrays]) -> Arrays:
    """The part of a correlation, of the parts of its pieces."""
    secrets = secrets_of(correlation)
    if isinstance(correlation, RescaledProducts):
        (*drawn, c), *masks = parts
        r, *derived = joined(correlation.truncation, masks)
        return [*drawn, c + r, *derived]
    if isinstance(correlation, DescentMasks):
        (b, e, gradient, c), *masks = parts
        r, *derived = joined(correlation.truncation, masks)
        return [b, e, gradient + r, c, *derived]
    if isinstance(correlation, _WHOLE):
        return parts[0]
    if not parts:
        return [np.zeros(secret.shape, np.uint64) for secret in secrets]
    along = [0] * len(secrets)
    if isinstance(correlation, WordTriple | SegmentMasks | SineMasks):  # factors, segments and waves come first
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
        size += BITS * (sum(ring.size(secret.shape) for secret in secrets_of(piece)) + piece.work())
        if size >= _GROUP:
            yield group
            group, size = [], 0
    if group:
        yield group
