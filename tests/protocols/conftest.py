"""What several files need: words shared by exclusive or, frozen vectors, a small run of every protocol."""

import json
from collections.abc import Callable
from itertools import permutations
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from protocols import (
    beaver,
    binary,
    comparison,
    conversion,
    descent,
    division,
    exponential,
    flooring,
    functions,
    inputs,
    local,
    logarithm,
    opening,
    powers,
    relations,
    rescaling,
    roots,
    segments,
    selection,
    sigmoid,
    sines,
    softmax,
    sorting,
    truncation,
)
from protocols.bits import Octets, from_octets, octets
from protocols.prg import Prg, derive
from protocols.ring import RingArray
from protocols.shares import BitShare, Share, split, xor_up

SEED = bytes(range(32))
Elements = dict[tuple[int, int], int]


class Operands:
    """One party's shares of fixed values; equal calls in one order give shares of one value at all parties."""

    def __init__(self, party: local.LocalParty) -> None:
        self.party = party
        self.prg = Prg(derive(SEED, "operands"))

    def share(self, *shape: int, bits: int = 64) -> Share:
        x = self.prg.ring(shape) >> np.uint64(64 - bits)
        return split(x, self.party.count, self.prg)[self.party.rank]

    def word(self, *shape: int) -> BitShare:
        return _split_bits(self.prg.ring(shape), self.party.count, self.prg)[self.party.rank]

    def octets(self, *shape: int) -> Octets:
        """Bits that parties share by exclusive or, eight to an octet; the last axis is a multiple of eight."""
        return octets(self.word(*shape[:-1], shape[-1] // 8).values.reshape(-1)).reshape(shape)

    def public(self, *shape: int) -> RingArray:
        return self.prg.ring(shape)


class Case(NamedTuple):
    """A run of one protocol, and how many of its units each party sends to which peer."""

    protocol: Callable[..., Any]
    program: Callable[[local.LocalParty, Operands], Any]
    units: Callable[[int], Elements]

    def run(self, count: int) -> list[local.LocalParty]:
        """Deterministic, byte by byte."""
        parties = local.parties(count, SEED)
        local.run_all(parties, lambda party: self.program(party, Operands(party)))
        return parties


def _all(units: int) -> Callable[[int], Elements]:
    return lambda count: dict.fromkeys(permutations(range(count), 2), units)


def _to_first(units: int) -> Callable[[int], Elements]:
    return lambda count: {(sender, 0): units for sender in range(1, count)}


def _owned(party: local.LocalParty, x: RingArray, owner: int) -> RingArray | None:
    return x if party.rank == owner else None


def _packed(party: local.LocalParty, row: Octets) -> BitShare:
    return BitShare(party.rank, from_octets(row))


def _keys(own: Operands) -> Share:
    return own.share(64, 4, bits=62)


def _private(party: local.LocalParty, own: Operands) -> Share:
    x, y = own.public(2, 3), own.public(3, 4)
    return beaver.private_matmul(party, {0: x, 1: y}.get(party.rank), (0, 1), (2, 3), (3, 4))


def _of(function: Callable[..., Share], low: float = -8, high: float = 8, **more: Any) -> Case:
    """A function of six numbers from 1/2 to 3/2 with 20 fraction bits, in a public range."""

    def run(p: local.LocalParty, o: Operands) -> Share:
        x = o.share(6, bits=20) + (1 << 19)
        return function(p, x, bits=20, low=int(low * (1 << 20)), high=int(high * (1 << 20)), **more)

    return Case(function, run, _all(6))


def _quotient(p: local.LocalParty, o: Operands) -> Share:
    a, b = o.share(6, bits=22), o.share(6, bits=20) + (1 << 19)
    return division.divide(p, a, b, 20, 1 << 19, 3 << 19, 1 << 22)


def _descend(party: local.LocalParty, own: Operands) -> Share:
    """One iteration, without the opening of the rows."""
    x, y, w = own.share(4, 3, bits=8), own.share(4, bits=8), own.share(3, bits=8)
    beaver.open_once(party, x)
    party.rounds = party.elements = 0
    party.sent.clear()
    rows = x.reshape(1, 4, 3)
    return descent.descend(party, [(rows, y.reshape(1, 4))], w, 10).last


def _descend_logistic(party: local.LocalParty, own: Operands) -> Share:
    """One iteration, without the opening of the rows."""
    x, y, w = own.share(4, 3, bits=8), own.share(4, bits=8), own.share(3, bits=8)
    beaver.open_once(party, x)
    party.rounds = party.elements = 0
    party.sent.clear()
    sigma = sines.Logistic(sines.NARROW, 8)
    return descent.descend_logistic(party, [(x.reshape(1, 4, 3), y.reshape(1, 4))], w, 30, sigma).last


CASES = {
    "zero": Case(inputs.zero, lambda p, o: inputs.zero(p, (2, 3)), _all(6)),
    "share": Case(inputs.share, lambda p, o: inputs.share(p, _owned(p, o.public(2, 3), 1), 1, (2, 3)), _all(6)),
    "total": Case(inputs.total, lambda p, o: inputs.total(p, o.public(2, 3)), _all(6)),
    "open_masked": Case(opening.open_masked, lambda p, o: opening.open_masked(p, o.share(2, 3), o.word(5)), _all(11)),
    "disclose": Case(
        opening.disclose, lambda p, o: opening.disclose(p, range(p.count), o.share(2, 3), o.share(5)), _all(11)
    ),
    "disclose_to_one": Case(opening.disclose, lambda p, o: opening.disclose(p, [0], o.share(2, 3)), _to_first(6)),
    "multiply": Case(beaver.multiply, lambda p, o: beaver.multiply(p, o.share(2, 3), o.share(2, 3)), _all(6)),
    "matmul": Case(beaver.matmul, lambda p, o: beaver.matmul(p, o.share(2, 3), o.share(3, 4)), _all(18)),
    "open_once": Case(beaver.open_once, lambda p, o: beaver.open_once(p, *2 * [o.share(2, 3)]), _all(6)),
    "square": Case(beaver.square, lambda p, o: beaver.square(p, o.share(2, 3)), _all(6)),
    "private_matmul": Case(beaver.private_matmul, _private, lambda count: {(0, 1): 6, (1, 0): 12}),
    "truncate": Case(truncation.truncate, lambda p, o: truncation.truncate(p, o.share(2, 3, bits=62), 20), _all(6)),
    "multiply_rescaled": Case(
        rescaling.multiply_rescaled,
        lambda p, o: rescaling.multiply_rescaled(p, o.share(2, 3, bits=30), o.share(2, 3, bits=31), 20),
        _all(6),
    ),
    "matmul_rescaled": Case(
        rescaling.matmul_rescaled,
        lambda p, o: rescaling.matmul_rescaled(p, o.share(2, 3, bits=30), o.share(3, 4, bits=30), 20),
        _all(26),
    ),
    "descend": Case(descent.descend, _descend, _all(4 + 2 * 3)),
    "descend_logistic": Case(descent.descend_logistic, _descend_logistic, _all(4 + 3)),
    "conjunction": Case(binary.conjunction, lambda p, o: binary.conjunction(p, o.word(6), o.word(6)), _all(6)),
    "conjunctions": Case(binary.conjunction, lambda p, o: binary.conjunction(p, o.word(4), o.word(3, 4)), _all(8)),
    "leading_one": Case(binary.leading_one, lambda p, o: binary.leading_one(p, o.word(6)), _all(6)),
    "to_bits": Case(conversion.to_bits, lambda p, o: conversion.to_bits(p, o.share(8, 8)), _all(1)),
    "from_bits": Case(conversion.from_bits, lambda p, o: conversion.from_bits(p, o.word(2, 3), 7), _all(6)),
    "borrow": Case(comparison.borrow, lambda p, o: _packed(p, comparison.borrow(p, *o.octets(2, 16, 8))), _all(1)),
    "borrows": Case(comparison.borrows, lambda p, o: _packed(p, comparison.borrows(p, *o.octets(2, 15, 8))), _all(1)),
    "negative": Case(conversion.negative, lambda p, o: conversion.negative(p, o.share(8, 8)), _all(1)),
    "conjunction_of_all": Case(
        comparison.conjunction_of_all,
        lambda p, o: _packed(p, comparison.conjunction_of_all(p, o.octets(16, 8))),
        _all(1),
    ),
    "is_zero": Case(relations.is_zero, lambda p, o: relations.is_zero(p, o.share(8, 8)), _all(1)),
    "equal_each": Case(
        relations.equal_each, lambda p, o: relations.equal_each(p, o.share(8, 8), [0, 5, -5, 1 << 63]), _all(1)
    ),
    "below_each": Case(
        relations.below_each, lambda p, o: relations.below_each(p, o.share(8, 8), [0, 5, -5, 1 << 62]), _all(1)
    ),
    "one_hot": Case(relations.one_hot, lambda p, o: relations.one_hot(p, o.share(8, 8, bits=4), 16), _all(1)),
    "truncate_exactly": Case(
        flooring.truncate_exactly, lambda p, o: flooring.truncate_exactly(p, o.share(8, 8, bits=62), 20), _all(1)
    ),
    "where_negative": Case(
        selection.where_negative, lambda p, o: selection.where_negative(p, o.share(8, 8), 64, o.share(8, 8)), _all(1)
    ),
    "sort": Case(sorting.sort, lambda p, o: sorting.sort(p, _keys(o), 63), _all(1)),
    "minimum": Case(sorting.minimum, lambda p, o: sorting.minimum(p, _keys(o), 63), _all(1)),
    "maximum": Case(sorting.maximum, lambda p, o: sorting.maximum(p, _keys(o), 63), _all(1)),
    "normalize": Case(functions.normalize, lambda p, o: functions.normalize(p, o.share(64, bits=60)), _all(1)),
    "roots": Case(functions.roots, lambda p, o: functions.roots(p, o.share(6, bits=61) + (1 << 61)), _all(6)),
    "square_root": Case(functions.square_root, lambda p, o: functions.square_root(p, o.share(64, bits=60)), _all(1)),
    "scale_up": Case(
        functions.scale_up, lambda p, o: functions.scale_up(p, o.share(6, bits=30), o.share(6, bits=5), 16), _all(6)
    ),
    "locate": Case(segments.locate, lambda p, o: segments.locate(p, o.share(6, bits=20), 0, 1 << 20, 5)[:2], _all(6)),
    "reciprocal": _of(division.reciprocal, 1 / 2, 3 / 2),
    "divide": Case(division.divide, _quotient, _all(6)),
    "exp": _of(exponential.exp, -8, 4),
    "log": _of(logarithm.log, 1 / 2, 3 / 2),
    "log1p": _of(logarithm.log1p, 1 / 2, 3 / 2),
    "sqrt": _of(roots.sqrt, 1 / 2, 3 / 2),
    "rsqrt": _of(roots.rsqrt, 1 / 2, 3 / 2),
    "sigmoid": _of(sigmoid.sigmoid),
    "logistic": Case(sines.logistic, lambda p, o: sines.logistic(p, o.share(6, bits=20), 20), _all(6)),
    "tanh": _of(sigmoid.tanh),
    "erf": _of(sigmoid.erf),
    "power": _of(powers.power, -2, 2, exponent=3),
    "real_power": _of(powers.real_power, 1 / 2, 3 / 2, exponent=1.5),
    "largest": Case(softmax.largest, lambda p, o: softmax.largest(p, o.share(64, 4, bits=20)), _all(1)),
    "softmax": Case(softmax.softmax, lambda p, o: softmax.softmax(p, o.share(6, 4, bits=21), 20, 0, 1 << 21), _all(6)),
}


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]


@pytest.fixture(scope="session")
def cases() -> dict[str, Case]:
    return CASES


@pytest.fixture(scope="session")
def split_bits() -> Callable[[RingArray, int], list[BitShare]]:
    return lambda x, count: _split_bits(x, count, Prg(SEED))


@pytest.fixture(scope="session")
def vectors() -> Callable[[str], Any]:
    """The frozen vectors of a name."""
    folder = Path(__file__).parent.parent / "vectors"
    return lambda name: json.loads((folder / f"{name}.json").read_text())


def _split_bits(x: RingArray, count: int, prg: Prg) -> list[BitShare]:
    masks = [prg.ring(x.shape) for _ in range(count - 1)]
    return [BitShare(rank, values) for rank, values in enumerate([*masks, xor_up([x, *masks])])]
