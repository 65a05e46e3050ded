"""Correlated randomness by seeds and corrections."""

from typing import Any

import numpy as np
import pytest

from protocols import dealer, ring
from protocols.binary import WordTriple
from protocols.conversion import DaBits
from protocols.digits import DigitMasks
from protocols.flooring import FloorMasks
from protocols.party import assemble
from protocols.prg import Prg, derive
from protocols.segments import SegmentMasks
from protocols.selection import SelectionMasks
from protocols.shares import Share, combine, combine_bits
from protocols.sines import SineMasks
from protocols.truncation import TruncationMask
from tests.correlations import element_square, element_triple, matrix_triple, rescaled

SEED = bytes(range(32))
SHAPES = [(1,), (7,), (2, 3), (0,), (2, 0), (1, 1, 4)]


def streams(count):
    return [Prg(derive(SEED, "vector", bytes([rank]))) for rank in range(count)]


def dealt(correlation, rank, stream, correction):
    return assemble(correlation, rank, dealer.part(correlation, rank, stream, correction))


def deal(correlation, count):
    """Every party's part."""
    correction = dealer.correct(correlation, streams(count), {})
    return [
        dealt(correlation, rank, stream, correction if rank == dealer.RECEIVER else [])
        for rank, stream in enumerate(streams(count))
    ]


def whole(parts):
    """The secrets of which the parties have parts, in the clear."""
    columns = zip(*(part if isinstance(part, tuple) else (part,) for part in parts), strict=True)
    return [(combine if isinstance(column[0], Share) else combine_bits)(column) for column in columns]


def test_parts_make_a_triple():
    a, b, c = whole(deal(element_triple((4,)), 3))
    np.testing.assert_array_equal(a * b, c)


# What each correlation promises, from the paper and not from `compute`


def is_product(a, b, c):
    return (c == a * b).all()


def is_square(a, c):
    return (c == a * a).all()


def is_matrix_product(a, b, c):
    return (c == ring.matmul(a, b)).all()


def is_conjunction(a, b, c):
    return (c == a & b).all()


def has_its_digits(r, table):
    """Bit 16 (i mod 4) + j of word i // 4 tells if digit i is j."""
    for i in range(4 * table.shape[-1]):
        digit = r >> np.uint64(4 * i) & np.uint64(15)
        lanes = table[..., i // 4] >> np.uint64(16 * (i % 4)) & np.uint64(0xFFFF)
        if not (lanes == np.uint64(1) << digit).all():
            return False
    return True


def is_truncation_by(f):
    low = np.uint64(2**63 - 1)
    return lambda r, top, q: (top == r >> np.uint64(63)).all() and (q == (r & low) >> np.uint64(f)).all()


def is_floor_by(f):
    truncates = is_truncation_by(f)
    return lambda r, top, q, table: (
        truncates(r, top, q) and has_its_digits(r, table) and table.shape == (*r.shape, -(-f // 16))
    )


def is_selection(r, s, table, each, products):
    bits = np.concatenate([s >> np.uint64(i) & np.uint64(1) for i in range(64)]).reshape(64, -1).T.reshape(-1)
    return has_its_digits(r[0], table) and (each == bits[: each.size]).all() and (products == r * each).all()


def is_rescaled_by(f, product):
    return lambda a, b, s, top, q: is_truncation_by(f)(s - product(a, b), top, q)


def is_its_bits(s, each):
    return all((each[..., i] == s >> np.uint64(i) & np.uint64(1)).all() for i in range(each.shape[-1]))


def is_its_segment(bits):
    return lambda r, one_hot: all((row == (r >> np.uint64(64 - bits) == j)).all() for j, row in enumerate(one_hot))


def has_its_waves(r, waves):
    """With 14 fraction bits, of r to 16 bits."""
    terms = len(waves) // 2
    angles = np.arange(1, terms + 1).reshape(-1, *[1] * r.ndim) * (r.astype(float) * (2 * np.pi / 2**64))
    errors = ring.to_int(waves) - np.concatenate([np.cos(angles), np.sin(angles)]) * 2**14
    return (np.abs(errors) <= 0.5 + terms * np.pi / 4).all()


SIZES = [(2, 3, 4), (1, 1, 1), (0, 2, 3), (2, 0, 3)]
LAWS: list[tuple[Any, Any]] = [
    *[(element_triple(shape), is_product) for shape in SHAPES],
    *[(element_square(shape), is_square) for shape in SHAPES],
    *[(WordTriple(shape), is_conjunction) for shape in SHAPES],
    *[(WordTriple(shape, 3), is_conjunction) for shape in SHAPES],
    *[(DigitMasks(shape, words), has_its_digits) for shape in SHAPES for words in (1, 2, 3, 4)],
    *[(SelectionMasks(e, w, k), is_selection) for e in (0, 1, 7, 64, 65) for w in (1, 4) for k in (0, 2)],
    *[(FloorMasks(shape, f), is_floor_by(f)) for shape in SHAPES for f in (1, 20, 61)],
    *[(matrix_triple(*size, who), is_matrix_product) for size in SIZES for who in (None, (0, 1), (1, 0))],
    *[(TruncationMask(shape, f), is_truncation_by(f)) for shape in SHAPES for f in (1, 20, 61)],
    *[(rescaled(element_triple(shape), f), is_rescaled_by(f, np.multiply)) for shape in SHAPES for f in (1, 20, 61)],
    *[(rescaled(matrix_triple(*size), f), is_rescaled_by(f, ring.matmul)) for size in SIZES for f in (1, 61)],
    *[(DaBits(shape, bits), is_its_bits) for shape in SHAPES for bits in (1, 7, 64)],
    *[(SegmentMasks(shape, bits), is_its_segment(bits)) for shape in SHAPES for bits in (1, 4, 7)],
    *[(SineMasks(shape, terms), has_its_waves) for shape in SHAPES for terms in (1, 8)],
]


@pytest.mark.parametrize("count", [2, 3, 5])
@pytest.mark.parametrize(("correlation", "law"), LAWS, ids=[repr(correlation) for correlation, _ in LAWS])
def test_parts_fulfil_the_law_of_their_correlation(correlation, law, count):
    parts = deal(correlation, count)
    assert law(*whole(parts))
    secrets = [*correlation.drawn(), *correlation.derived()]
    for rank, part in enumerate(parts):
        for share, secret in zip(part, secrets, strict=True):
            assert (share.rank, share.shape, type(share)) == (rank, secret.shape, secret.kind)


@pytest.mark.parametrize("owners", [(0, 1), (1, 0), (2, 0), (1, 2)])
def test_an_owner_knows_its_mask_and_the_others_nothing_of_it(owners):
    parts = deal(matrix_triple(2, 3, 4, owners), 3)
    for rank in range(3):
        assert parts[rank].a.values.any() == (rank == owners[0])
        assert parts[rank].b.values.any() == (rank == owners[1])
        assert parts[rank].c.values.all()


@pytest.mark.parametrize("count", [2, 3, 5])
@pytest.mark.parametrize("correlation", [LAWS[i][0] for i in (1, 7, 13, 19, 25, -1)], ids=repr)
def test_the_dealer_sends_one_array_for_each_derived_secret(correlation, count):
    correction = dealer.correct(correlation, streams(count), {})
    assert [array.shape for array in correction] == [secret.shape for secret in correlation.derived()]


@pytest.mark.parametrize("count", [2, 3, 5])
def test_a_long_sequence_keeps_all_streams_in_step(count):
    """The dealer's copies of the streams stand where the parties' stand after every correlation."""
    theirs, mine = streams(count), streams(count)
    for correlation, law in LAWS:
        correction = dealer.correct(correlation, theirs, {})
        parts = [dealt(correlation, rank, mine[rank], [] if rank else correction) for rank in range(count)]
        assert law(*whole(parts))
        assert [stream.position for stream in theirs] == [stream.position for stream in mine]


def test_no_two_correlations_share_randomness():
    theirs, mine = streams(2), streams(2)
    masks = []
    for _ in range(50):
        correction = dealer.correct(element_triple((3,)), theirs, {})
        for rank in (0, 1):
            triple = dealt(element_triple((3,)), rank, mine[rank], [] if rank else correction)
            masks += [part.values for part in triple]
    assert len(np.unique(masks)) == 50 * 2 * 3 * 3


@pytest.mark.parametrize("wrong", [0, 2])
def test_a_receiver_refuses_a_correction_that_is_not_there_or_too_long(wrong):
    correction = dealer.correct(element_triple((3,)), streams(2), {})
    with pytest.raises(ValueError, match="zip"):
        dealt(element_triple((3,)), dealer.RECEIVER, streams(2)[0], correction * wrong)


@pytest.mark.parametrize("correlation", [element_triple((2,)), matrix_triple(1, 2, 3, (0, 1)), DaBits((4,), 7)])
def test_equal_requests_have_equal_representations(correlation):
    again = type(correlation)(**vars(correlation))
    assert again == correlation
    assert repr(again) == repr(correlation)


def test_frozen_vectors(vectors):
    correlations = {
        "ElementTriple": element_triple((2,)),
        "ElementSquare": element_square((2,)),
        "TruncationMask": TruncationMask((2,), 20),
        "WordTriple": WordTriple((2,)),
    }
    for name, runs in vectors("dealer").items():
        for vector in runs:
            parts = deal(correlations[name], len(vector["drawn"]))
            expected = [[*d, *c] for d, c in zip(vector["drawn"], vector["derived"], strict=True)]
            assert [[share.values.ravel().tolist() for share in part] for part in parts] == expected
