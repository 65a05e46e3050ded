"""Correlated randomness from a trusted dealer, by seeds and corrections.

The technique is folklore since [DPSZ12] I. Damgård, V. Pastro, N. Smart, S. Zakarias, "Multiparty
Computation from Somewhat Homomorphic Encryption", CRYPTO 2012; the form with pseudorandom shares is in
[BCGIKS19] E. Boyle et al., "Efficient Pseudorandom Correlation Generators", CRYPTO 2019, section 1.

The dealer and party i hold a seed sᵢ. A drawn secret a is *defined* as Σ PRG(sᵢ): nobody is told anything.
For a derived secret c the parties i > 0 draw their shares too, and the dealer sends party 0 the one that
remains, c - Σ_{i>0} PRG(sᵢ): uniform to party 0, since another party's draw hides it (n >= 2).
A dealer who colludes with any one party learns everything; alone it sees shapes.

Cost: 8 bytes to party 0 for each element of each derived secret, nothing to the others.
"""

from collections.abc import MutableMapping, Sequence
from typing import Any, TypeVar

import numpy as np

from protocols.masks import remember
from protocols.party import Correlation, Secret, Stream
from protocols.ring import RingArray
from protocols.shares import Share, add_up, xor_up

C = TypeVar("C")

RECEIVER = 0  # the party that gets the corrections


def part(correlation: Correlation[C], rank: int, stream: Stream, correction: Sequence[RingArray]) -> list[RingArray]:
    """Party `rank`'s part; `correction` is empty but for the party that receives one."""
    (mine,) = parts([correlation], rank, stream)
    return [*mine, *correction]


def parts(correlations: Sequence[Correlation[Any]], rank: int, stream: Stream) -> list[list[RingArray]]:
    """Party `rank`'s part of each, from one stream; the receiver's lack what is derived, which the dealer sends."""
    return [[*_drawn(one, rank, stream), *(() if rank == RECEIVER else _pads(one, stream))] for one in correlations]


def correct(
    correlation: Correlation[C], streams: Sequence[Stream], masks: MutableMapping[int, RingArray]
) -> list[RingArray]:
    """What the dealer, who holds every party's stream, sends to the receiver.

    `masks`: those that are kept, by number; what `correlation` keeps is added. Raises KeyError if one is not there,
    ValueError if a number is taken or a view is not inside.
    """
    drawn = [_drawn(correlation, rank, stream) for rank, stream in enumerate(streams)]
    pads = [_pads(correlation, stream) for rank, stream in enumerate(streams) if rank != RECEIVER]
    whole = [_join(s, list(column)) for s, column in zip(correlation.drawn(), zip(*drawn, strict=True), strict=True)]
    targets = correlation.compute(*(masks[number] for number in correlation.kept()), *whole)
    remember(masks, correlation.keeps(), whole)
    rows = zip(correlation.derived(), targets, zip(*pads, strict=True), strict=True)
    return [_remainder(secret, target, list(column)) for secret, target, column in rows]


def _drawn(correlation: Correlation[C], rank: int, stream: Stream) -> list[RingArray]:
    return [
        stream.ring(secret.shape) if secret.owner in (None, rank) else np.zeros(secret.shape, np.uint64)
        for secret in correlation.drawn()
    ]


def _pads(correlation: Correlation[C], stream: Stream) -> list[RingArray]:
    return [stream.ring(secret.shape) for secret in correlation.derived()]


def _join(secret: Secret, values: Sequence[RingArray]) -> RingArray:
    return add_up(values) if secret.kind is Share else xor_up(values)


def _remainder(secret: Secret, target: RingArray, pads: Sequence[RingArray]) -> RingArray:
    return target - add_up(pads) if secret.kind is Share else target ^ xor_up(pads)
