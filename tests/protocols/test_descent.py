"""Iterations of gradient descent: right, private by the law of their correlation, three rounds each."""

import numpy as np
import pytest

from protocols import local, ring
from protocols.beaver import Masks, open_once
from protocols.descent import DescentMasks, descend, descend_logistic
from protocols.masks import Factor
from protocols.prg import Prg
from protocols.shares import combine, split
from protocols.sines import NARROW, RESULT_BITS, Logistic, SineMasks
from tests.protocols.test_uniformity import assert_uniform

SEED = bytes(range(32))
ROWS, BATCH, WEIGHTS = 12, 4, 3
VIEWS = {
    "three batches": Factor(0, (3, BATCH, WEIGHTS), 0, (BATCH * WEIGHTS, WEIGHTS, 1)),
    "the last one": Factor(0, (1, BATCH, WEIGHTS), 2 * BATCH * WEIGHTS, (0, WEIGHTS, 1)),
    "none": Factor(0, (0, BATCH, WEIGHTS), 0, (0, WEIGHTS, 1)),
}


def descended(party, x, y, w, length, bits):
    """From the first batch on, in two stretches."""
    cuts = [slice(0, BATCH), slice(BATCH, length * BATCH)]
    stretches = [(x[cut].reshape(-1, BATCH, WEIGHTS), y[cut].reshape(-1, BATCH)) for cut in cuts]
    return descend(party, stretches, w, bits).last


@pytest.mark.parametrize("preprocessing", ["dealer", "ot"])
@pytest.mark.parametrize("count", [2, 3, 5])
def test_an_iteration_on_each_batch(count, preprocessing):
    """Numbers whose gradients are multiples of 2^bits: then nothing is rounded, and the result is exact."""
    random = np.random.default_rng(0)
    x, y = random.integers(-9, 9, (ROWS, WEIGHTS)), random.integers(-99, 99, ROWS) << 10
    w = random.integers(-5, 5, WEIGHTS) << 10
    dealt = [split(ring.from_int(value), count, Prg(SEED)) for value in (x, y, w)]

    def program(party):
        mine = [parts[party.rank] for parts in dealt]
        open_once(party, mine[0])
        before = party.rounds
        return descended(party, *mine, 3, 10), party.rounds - before

    results = local.run(count, program, SEED, preprocessing)
    assert {rounds for _, rounds in results} == {9}
    found = ring.to_int(combine([share for share, _ in results]))
    for batch in range(3):
        rows = slice(batch * BATCH, (batch + 1) * BATCH)
        exact = w - (x[rows].T @ (x[rows] @ w - y[rows]) / 2**10)
        assert (exact == np.rint(exact)).all() or batch
        w = exact
    assert np.abs(found - w).max() <= 200  # a unit of each truncation, and what it grows to


@pytest.mark.parametrize("preprocessing", ["dealer", "ot"])
@pytest.mark.parametrize("count", [2, 3, 5])
def test_an_iteration_of_logistic_regression_on_each_batch(count, preprocessing):
    random = np.random.default_rng(0)
    x, y, w = random.uniform(-1, 1, (ROWS, WEIGHTS)), random.integers(0, 2, ROWS), random.uniform(-2, 2, WEIGHTS)
    words = [np.rint(x * 2.0**12), y * 2.0**RESULT_BITS, np.rint(w * 2.0**20)]
    dealt = [split(ring.from_int(value.astype(np.int64)), count, Prg(SEED)) for value in words]

    def program(party):
        x, y, w = (parts[party.rank] for parts in dealt)
        open_once(party, x)
        stretches = [
            (x[cut].reshape(-1, BATCH, WEIGHTS), y[cut].reshape(-1, BATCH)) for cut in (slice(4), slice(4, 12))
        ]
        before = party.rounds
        path = descend_logistic(party, stretches, w, 12 + RESULT_BITS - 20 + 1, Logistic(NARROW, 32))
        kinds = [type(one) for one in party.taken[1:]]
        return path.last, path.predictors, party.rounds - before, kinds

    results = local.run(count, program, SEED, preprocessing)
    assert {rounds for *_, rounds, _ in results} == {12}
    assert results[0][3] == [DescentMasks, SineMasks] * 2  # of both stretches before the first is done
    predictors = np.concatenate([combine(part) for part in zip(*(one for _, one, *_ in results), strict=True)])
    for batch in range(3):
        rows = slice(batch * BATCH, (batch + 1) * BATCH)
        z = x[rows] @ w
        assert np.abs(ring.to_int(predictors[batch]) / 2.0**32 - z).max() < 0.01 + 0.1 * (preprocessing == "ot")
        w = w - x[rows].T @ (1 / (1 + np.exp(-z)) - y[rows]) / 2
    found = ring.to_int(combine([share for share, *_ in results])) / 2.0**20
    assert np.abs(found - w).max() < 0.02 + 0.1 * (preprocessing == "ot")


def test_more_fraction_bits_than_the_period_leaves_are_refused_before_anything_is_sent():
    x, y, w = (
        split(np.zeros(shape, np.uint64), 2, Prg(SEED)) for shape in ((2 * BATCH, WEIGHTS), (2, BATCH), (WEIGHTS,))
    )

    def program(party):
        rows = x[party.rank]
        open_once(party, rows)
        stretches, sent = [(rows.reshape(2, BATCH, WEIGHTS), y[party.rank])], len(party.sent)
        with pytest.raises(ValueError, match="fraction bits in a period of 2"):
            descend_logistic(party, stretches, w[party.rank], 20, Logistic(NARROW, 60))
        return len(party.sent) - sent

    assert local.run(2, program) == [0, 0]


@pytest.mark.parametrize("preprocessing", ["dealer", "ot"])
@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("view", VIEWS)
def test_parts_fulfil_the_law(view, count, preprocessing):
    def program(party):
        return [
            party.take(Masks(0, (ROWS, WEIGHTS))),
            *(one.values for one in party.take(DescentMasks(VIEWS[view], 1, 20))),
        ]

    parts = local.run(count, program, SEED, preprocessing)
    mask, b, e, s, c, top, quotient = (sum(column, 0 * column[0]) for column in zip(*parts, strict=True))
    a = VIEWS[view].of(np.ascontiguousarray(mask))
    np.testing.assert_array_equal(c, np.einsum("tij,tj->ti", a, b))
    r = s - np.einsum("tij,ti->tj", a, e)
    np.testing.assert_array_equal(top, r >> np.uint64(63))
    np.testing.assert_array_equal(quotient, (r & np.uint64(2**63 - 1)) >> np.uint64(20))


@pytest.mark.parametrize("sigma", [None, Logistic(NARROW, 32)], ids=["linear", "logistic"])
@pytest.mark.parametrize("count", [2, 3])
def test_what_is_sent_and_opened_is_uniform(count, sigma):
    """All secrets and their shares are zero: what is sent is a mask and nothing else."""
    length, batch, weights = 4, 512, 512
    parties = local.parties(count, SEED)
    zeros = [np.zeros(shape, np.uint64) for shape in ((length * batch, weights), (length * batch,), (weights,))]

    def program(party):
        x, y, w = (split(value, 1, Prg(SEED))[0] for value in zeros)
        x, y, w = (type(one)(party.rank, one.values) for one in (x, y, w))
        open_once(party, x)
        rows = x.reshape(length, batch, weights)
        stretches = [(rows, y.reshape(length, batch))]
        return (descend_logistic(party, stretches, w, 20, sigma) if sigma else descend(party, stretches, w, 20)).last

    results, each = local.run_all(parties, program), 4 if sigma else 3
    for party in parties:
        for name in range(each):  # w, perhaps its angle, residual, gradient, of all iterations
            messages = [message.arrays[0] for message in party.sent if message.receiver == (party.rank == 0)][1:]
            assert_uniform(np.concatenate(messages[name::each]))
    for step in range(1, 4 * each + 1):
        opened = [[m for m in party.sent if m.receiver == (party.rank == 0)][step].arrays[0] for party in parties]
        assert len(np.unique(sum(opened, 0 * opened[0]))) == opened[0].size  # no value twice: it is masked
    for _, corrections in parties[0].ideal_dealer.dealt[1:]:
        for array in corrections:
            assert_uniform(array)
    assert len(np.unique(results[0].values)) == weights


@pytest.mark.parametrize(
    ("rows", "targets", "weights", "bits", "message"),
    [
        ((2, 4, 3), (2, 4), (3,), 0, "truncation by"),
        ((2, 4, 3), (2, 1), (3,), 10, "no iterations"),
        ((2, 4, 3), (3, 4), (3,), 10, "no iterations"),
        ((2, 4, 3), (2, 4), (1,), 10, "no iterations"),
        ((8, 3), (8,), (3,), 10, "no iterations"),
        ((2, 4, 3), (2, 4), (3,), 10, "not opened under a mask"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_sent(rows, targets, weights, bits, message):
    (party,) = local.parties(1, SEED)
    shares = [split(np.zeros(shape, np.uint64), 1, Prg(SEED))[0] for shape in (rows, targets, weights)]
    with pytest.raises(ValueError, match=message):
        descend(party, [tuple(shares[:2])], shares[2], bits)
    assert not party.sent
