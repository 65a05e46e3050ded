"""Rescaling: never off by more than a unit, right on average, without a rare large error."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from protocols import local, ring
from protocols.prg import Prg, derive
from protocols.shares import combine, split
from protocols.truncation import truncate, truncate_each

SEED = bytes(range(32))
LIMIT = 2**62 - 1  # at 2^62 the docstring promises nothing
EDGES = (0, 1, -1, 2, 12345, -12345, 2**31, -(2**31), LIMIT, -LIMIT, LIMIT - 1, 1 - LIMIT)
ALL_BITS = range(1, 62)


def run(x, bits, count=3, seed=SEED):
    dealt = split(ring.from_int(x), count, Prg(SEED))
    return ring.to_int(combine(local.run(count, lambda p: truncate(p, dealt[p.rank], bits), seed)))


def test_a_number_is_divided_by_a_power_of_two():
    assert run([5 << 20, -(5 << 20)], 20).tolist() == [5, -5]


@pytest.mark.parametrize("count", [2, 3, 5])
@pytest.mark.parametrize("bits", ALL_BITS)
def test_the_error_is_zero_or_one_unit_for_edge_values(count, bits):
    unit = 1 << bits
    x = np.array([*EDGES, unit - 1, -unit, 1 - unit, *(k * unit for k in (1, -1))], np.int64).repeat(20)
    error = run(x, bits, count) - (x >> bits)
    assert set(error.tolist()) <= {0, 1}
    assert not error[x % unit == 0].any()


@settings(max_examples=40)
@given(st.data(), array_shapes(min_dims=1, max_dims=3, min_side=0), st.integers(1, 61), st.integers(2, 5))
def test_the_error_is_zero_or_one_unit(data, shape, bits, count):
    x = data.draw(arrays(np.int64, shape, elements=st.integers(-LIMIT, LIMIT)))
    y = run(x, bits, count)
    assert y.shape == shape
    assert set((y - (x >> bits)).ravel().tolist()) <= {0, 1}


def test_no_error_is_large_among_many_uniform_values():
    """The truncation of shares by each party for itself would fail here in a quarter of all cases."""
    x = ring.to_int(Prg(SEED).ring((1 << 18,))) >> 1
    error = run(x, 20) - (x >> 20)
    assert set(error.tolist()) == {0, 1}


@pytest.mark.parametrize("count", [2, 3, 5])
@pytest.mark.parametrize("fraction", [1, 1 << 4, 77, 128, 255])
@pytest.mark.parametrize("whole", [0, -1, 2**53, -(2**54)])
def test_rounding_up_is_as_likely_as_the_fraction(count, fraction, whole):
    n, bits = 1 << 14, 8
    x = np.full(n, (whole << bits) + fraction, np.int64)
    p = fraction / (1 << bits)
    ups = int((run(x, bits, count) - whole).sum())
    assert abs(ups - n * p) < 4 * (n * p * (1 - p)) ** 0.5


def test_the_mean_error_of_uniform_values_is_none():
    """A bias of the rounding would pile up in a training run. One rounding has variance (x mod 1)(1 - x mod 1)."""
    n, bits = 1 << 18, 20
    x = ring.to_int(Prg(derive(SEED, "mean")).ring((n,))) >> 1
    error = (run(x, bits) - (x >> bits)) - (x % (1 << bits)) / (1 << bits)
    assert abs(error.sum()) < 4 * (n / 6) ** 0.5


def test_several_arrays_go_in_one_round():
    x = [ring.from_int(v) for v in ([40, -40], [[1 << 30]], np.zeros((0, 2), np.int64))]
    dealt = [split(v, 3, Prg(SEED)) for v in x]
    parties = local.parties(3, SEED)
    results = local.run_all(
        parties, lambda p: truncate_each(p, *zip((parts[p.rank] for parts in dealt), (3, 10, 61), strict=True))
    )
    whole = [ring.to_int(combine(column)).tolist() for column in zip(*results, strict=True)]
    assert whole == [[5, -5], [[1 << 20]], []]
    assert {party.rounds for party in parties} == {1}


def test_every_truncation_takes_a_fresh_mask():
    dealt = split(np.zeros(5, np.uint64), 2, Prg(SEED))
    parties = local.parties(2, SEED)
    local.run_all(parties, lambda p: [truncate(p, dealt[p.rank], 20) for _ in range(10)])
    first, second = ([m.arrays[0] for m in party.sent] for party in parties)
    opened = [a + b for a, b in zip(first, second, strict=True)]
    assert len(np.unique(opened)) == 50


@pytest.mark.parametrize("operands", [[-1], [0], [62], [63], [64], [20, 0], [20, 62]])
def test_other_numbers_of_bits_are_refused_before_anything_is_sent(operands):
    x = split(np.ones(2, np.uint64), 2, Prg(SEED))
    parties = local.parties(2, SEED)
    with pytest.raises(ExceptionGroup) as info:
        local.run_all(parties, lambda p: truncate_each(p, *((x[p.rank], bits) for bits in operands)))
    assert {str(error) for error in info.value.exceptions} == {f"truncation by {operands} bits: 1 to 61 is possible"}
    assert not any(party.sent or party.taken for party in parties)


# Frozen vectors: the mask is given, so that the result is exact


class Given:
    """A stream of values chosen by the test."""

    def __init__(self, first):
        self.values, self.position = [np.array(first, np.uint64)], 0

    def ring(self, shape):
        self.position += ring.size(shape)
        return self.values.pop() if self.values else np.zeros(shape, np.uint64)


@pytest.mark.parametrize("count", [2, 3])
def test_frozen_vectors(vectors, count):
    good = vectors("truncation")["good"]
    for bits in sorted({vector["bits"] for vector in good}):
        x, r, opened, y = ([v[name] for v in good if v["bits"] == bits] for name in ("x", "r", "opened", "y"))
        parties = local.parties(count, SEED)
        dealers = [Given(r), *(Given(np.zeros(len(r))) for _ in range(count - 1))]
        parties[0].ideal_dealer.streams = dealers
        for party, copy in zip(parties, (Given(r), *(Given(np.zeros(len(r))) for _ in dealers[1:])), strict=True):
            party.stream = copy
        dealt = split(ring.from_int(x), count, Prg(SEED))
        shares = local.run_all(parties, lambda p, d=dealt, b=bits: truncate(p, d[p.rank], b))
        assert ring.to_int(combine(shares)).tolist() == y
        assert (sum(p.sent[0].arrays[0] for p in parties) + np.uint64(1 << 62)).tolist() == opened


def test_frozen_vectors_to_refuse(vectors):
    x = split(np.ones(2, np.uint64), 2, Prg(SEED))
    for vector in vectors("truncation")["reject"]:
        with pytest.raises(ExceptionGroup) as info:
            local.run(2, lambda p, bits=vector["bits"]: truncate(p, x[p.rank], bits), SEED)
        assert {type(error) for error in info.value.exceptions} == {ValueError}
