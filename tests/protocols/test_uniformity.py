"""All that leaves a party is uniform: every byte and every bit of masks, corrections, messages and fresh shares.

All secrets are zero and all their shares too, so that a message is its mask and nothing else. The seeds are
fixed: a test passes always or never. Bounds: a χ² over 256 byte values (255 degrees of freedom) is above 415 once in
10^9 times, and the count of a bit is 6.5 standard deviations off once in 10^10 times.
"""

import numpy as np
import pytest

from protocols import (
    beaver,
    binary,
    comparison,
    conversion,
    flooring,
    functions,
    inputs,
    local,
    opening,
    relations,
    segments,
    selection,
    sorting,
    truncation,
)
from protocols.bits import from_octets
from protocols.division import reciprocal
from protocols.exponential import exp
from protocols.logarithm import log
from protocols.prg import Prg
from protocols.shares import BitShare, Share, split
from protocols.sigmoid import sigmoid
from protocols.sines import logistic

SEED = bytes(range(32))
N = 1 << 14
ZEROS = np.zeros(N, np.uint64)
SQUARE = np.zeros((128, 128), np.uint64)

ROWS = np.zeros((2, 16, 1 << 14), np.uint8)

PROGRAMS = {
    "zero": lambda p, x, w: inputs.zero(p, (N,)),
    "share": lambda p, x, w: inputs.share(p, ZEROS if p.rank == 1 else None, 1, (N,)),
    "total": lambda p, x, w: inputs.total(p, ZEROS),
    "disclose": lambda p, x, w: opening.disclose(p, range(p.count), x),
    "multiply": lambda p, x, w: beaver.multiply(p, x, x),
    "square": lambda p, x, w: beaver.square(p, x),
    "matmul": lambda p, x, w: beaver.matmul(p, x.reshape(128, 128), x.reshape(128, 128)),
    "private_matmul": lambda p, x, w: beaver.private_matmul(
        p, SQUARE if p.rank < 2 else None, (0, 1), SQUARE.shape, SQUARE.shape
    ),
    "truncate": lambda p, x, w: truncation.truncate(p, x, 20),
    "conjunction": lambda p, x, w: binary.conjunction(p, w, w),
    "conjunctions": lambda p, x, w: binary.conjunction(p, w, BitShare(w.rank, np.stack([w.values, w.values]))),
    "leading_one": lambda p, x, w: binary.leading_one(p, w),
    "to_bits": lambda p, x, w: conversion.to_bits(p, x),
    "from_bits": lambda p, x, w: conversion.from_bits(p, w, 2),
    "borrow": lambda p, x, w: BitShare(p.rank, from_octets(comparison.borrow(p, *ROWS))),
    "borrows": lambda p, x, w: BitShare(p.rank, from_octets(comparison.borrows(p, *ROWS))),
    "negative": lambda p, x, w: conversion.negative(p, x),
    "negative of 16 bits": lambda p, x, w: conversion.negative(p, x, 16),
    "is_zero": lambda p, x, w: relations.is_zero(p, x),
    "equal_each": lambda p, x, w: relations.equal_each(p, x, [0, 3], 16),
    "below_each": lambda p, x, w: relations.below_each(p, x, [0, 3], 16),
    "one_hot": lambda p, x, w: relations.one_hot(p, x, 3),
    "where_negative": lambda p, x, w: selection.where_negative(p, x, 20, x),
    "sort": lambda p, x, w: sorting.sort(p, x.reshape(-1, 4), 20),
    "maximum": lambda p, x, w: sorting.maximum(p, x.reshape(-1, 8), 20),
    "truncate_exactly": lambda p, x, w: flooring.truncate_exactly(p, x, 20),
    "scale_up": lambda p, x, w: functions.scale_up(p, x, x, 20),
    "locate": lambda p, x, w: segments.locate(p, x, -1000, 1000, 3).segments,
    "sigmoid": lambda p, x, w: sigmoid(p, x, 20, -(8 << 20), 8 << 20),
    "logistic": lambda p, x, w: logistic(p, x, 20),
    "exp": lambda p, x, w: exp(p, x, 20, -(8 << 20), 9 << 20),
    "reciprocal": lambda p, x, w: reciprocal(p, x, 20, -8, 8 << 20),
    "log": lambda p, x, w: log(p, x, 20, 0, 8 << 20),
}
# The last step of these is local and makes bits or words of which a part is public.
NOT_FRESH = {"disclose", "borrows", "leading_one", "to_bits"}


def run(name, count):
    parties = local.parties(count, SEED)
    shares = local.run_all(parties, lambda p: PROGRAMS[name](p, Share(p.rank, ZEROS), BitShare(p.rank, ZEROS)))
    return parties, shares


def test_a_stream_is_uniform():
    assert_uniform(Prg(SEED).ring((1 << 20,)))


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("name", PROGRAMS)
def test_what_a_party_sends_gets_and_holds_is_uniform(name, count):
    parties, results = run(name, count)
    for party in parties:
        for message in party.sent:
            for array in message.arrays:
                assert_uniform(array)
    for _, corrections in parties[0].ideal_dealer.dealt:
        for array in corrections:
            assert_uniform(array)
    if name not in NOT_FRESH:
        for share in (one for result in results for one in (result if isinstance(result, list) else [result])):
            assert_uniform(share.values)


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("name", sorted(PROGRAMS.keys() - {"zero", "share", "total", "disclose", "private_matmul"}))
def test_what_is_opened_is_uniform(name, count):
    parties, _ = run(name, count)
    first = [[message for message in p.sent if message.receiver == (p.rank == 0)] for p in parties]
    for messages in zip(*first, strict=True):
        for column in zip(*(message.arrays for message in messages), strict=True):
            assert_uniform(sum(column, np.zeros_like(column[0])))
            assert_uniform(np.bitwise_xor.reduce(column))


@pytest.mark.parametrize("count", [2, 3, 5])
def test_the_shares_of_a_split_are_uniform(count):
    for share in split(ZEROS, count, Prg(SEED)):
        assert_uniform(share.values)


def assert_uniform(array):
    words = np.ascontiguousarray(array).ravel()
    counts = np.bincount(words.view(np.uint8), minlength=256)
    expected = words.nbytes / 256
    assert ((counts - expected) ** 2).sum() / expected < 415, "bytes"
    for values in (words, words[1:] ^ words[:-1]):  # each bit, and each bit with the same one of the next word
        ones = np.unpackbits(values.view(np.uint8).reshape(-1, 8), axis=1).sum(axis=0, dtype=np.int64)
        assert np.abs(ones - values.size / 2).max() < 6.5 * (values.size / 4) ** 0.5, "bits"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda words: words >> np.uint64(1),
        lambda words: words << np.uint64(1),
        lambda words: words & np.uint64(0x0101010101010101),
        lambda words: words | np.uint64(1 << 40) & np.roll(words, 1),
        lambda words: words & (np.roll(words, 1) | ~np.uint64(1)),
        lambda words: np.repeat(words[::2], 2),
    ],
)
def test_a_spoilt_mask_is_caught(spoil):
    with pytest.raises(AssertionError, match=r"bytes|bits"):
        assert_uniform(spoil(Prg(SEED).ring((N,))))
