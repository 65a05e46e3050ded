"""The logistic function by a sine series: right within its stated error, the same public numbers everywhere."""

import hashlib
import math

import numpy as np
import pytest

from protocols import local, ring, sines
from protocols.prg import Prg, fresh_seed
from protocols.shares import combine, split
from protocols.sines import FACTOR_BITS, FARTHEST, NARROW, RESULT_BITS, WIDE, Logistic, SineMasks, logistic

ERRORS = {NARROW: 0.0026, WIDE: 0.0032}
WEIGHTS = {NARROW: 0.01, WIDE: 0.001}  # of what is beyond L
ROUNDING = 2.0**-11


def found(z, series=NARROW, count=2, bits=20, preprocessing="dealer"):
    x = ring.from_int(np.rint(np.asarray(z) * 2.0**bits).astype(np.int64))
    dealt = split(x, count, Prg(fresh_seed()))
    results = local.run(
        count, lambda party: logistic(party, dealt[party.rank], bits, series), preprocessing=preprocessing
    )
    return ring.to_int(combine(results)) / 2.0**RESULT_BITS


def sigma(z):
    return 1 / (1 + np.exp(-z))


def waves_at(z, series):
    return np.sin(2 * np.pi / 2**series.period_bits * np.outer(z, np.arange(1, len(series.coefficients) + 1)))


def summed(z, series):
    return 0.5 + waves_at(z, series) @ np.array(series.coefficients) / 2.0**FACTOR_BITS


def test_a_probability_of_a_predictor():
    assert found([0.0, 2.0, -12.0]) == pytest.approx([0.5, 0.8808, 0.0], abs=ERRORS[NARROW] + ROUNDING)


@pytest.mark.parametrize("count", [2, 3, 5])
@pytest.mark.parametrize("bits", [0, 16, 32, 58])
@pytest.mark.parametrize("series", [NARROW, WIDE])
def test_within_the_reach_it_is_the_logistic_function(series, bits, count):
    largest = min(series.reach, 2.0 ** (62 - bits))
    z = np.rint(np.linspace(-largest, largest, 3000) * 2.0**bits) / 2.0**bits
    assert np.abs(found(z, series, count, bits) - sigma(z)).max() < ERRORS[series] + ROUNDING


@pytest.mark.parametrize("series", [NARROW, WIDE])
def test_beyond_it_is_periodic_and_bounded(series):
    period = 2.0**series.period_bits
    z = np.linspace(-2.5, 2.5, 5001) * period
    one = found(z, series)
    assert np.abs(one - summed(z, series)).max() < ROUNDING
    assert np.abs(one - 0.5).max() < FARTHEST
    assert np.abs(one - found(z + period, series)).max() < 2 * ROUNDING


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("series", [NARROW, WIDE])
def test_without_a_dealer_the_predictor_is_moved_a_little_and_on_average_not_at_all(series, count):
    z = np.linspace(-series.reach, series.reach, 2001)
    moved = 2.0**series.period_bits / 512
    errors = found(z, series, count, preprocessing="ot") - summed(z, series)
    assert moved / 8 < np.abs(errors).max() < moved / 4 + ROUNDING
    assert abs(errors.mean()) < 5 * np.abs(errors).max() / math.sqrt(3 * len(z))


@pytest.mark.parametrize(("series", "within", "beyond"), [(NARROW, 1 / 64, 1 / 64), (WIDE, 1 / 32, 1 / 28)])
def test_how_far_the_result_is_moved_without_a_dealer(series, within, beyond):
    """By what the docstring says, from the series alone: the wide one is steeper beyond its reach than in it."""
    period = 2.0**series.period_bits
    z = np.linspace(0, period / 2, 8001)
    by = period / 512
    each = np.stack([summed(z + step, series) - summed(z, series) for step in np.linspace(-by, by, 65)])
    largest, mean, inside = np.abs(each).max(axis=0), np.abs(each.mean(axis=0)), z <= series.reach
    assert 0.9 * within < largest[inside].max() < within
    assert 0.9 * beyond < largest.max() < beyond
    assert mean[inside].max() < 2.0**-11
    assert mean.max() < 2.0**-10


@pytest.mark.parametrize(("series", "most"), [(NARROW, 0.003), (WIDE, 0.0035)])
def test_the_error_that_is_stated_has_room_for_all_rounding(series, most):
    """Where the series is off most it is flat, so that rounding angles to 16 bits moves it little there."""
    z, moved = np.linspace(0, series.reach, 20001), 2.0 ** (series.period_bits - 16)
    terms = len(series.coefficients)
    rounding = math.sqrt(2) * sum(map(abs, series.coefficients)) / 2.0 ** (FACTOR_BITS + 15) + terms * 2.0**-FACTOR_BITS
    errors = [np.abs(summed(z + step, series) - sigma(z)).max() for step in np.linspace(-moved, moved, 9)]
    assert max(errors) + rounding < most


def test_shapes_and_what_is_taken():
    parties = local.parties(3)
    x = split(np.zeros((2, 0, 3), np.uint64), 3, Prg(bytes(32)))
    assert [one.shape for one in local.run_all(parties, lambda p: logistic(p, x[p.rank], 20))] == [(2, 0, 3)] * 3
    assert parties[0].taken == [SineMasks((2, 0, 3), 8)]
    one = split(np.zeros((2, 3, 1), np.uint64), 3, Prg(bytes(32)))
    assert local.run(3, lambda p: logistic(p, one[p.rank], 20, WIDE))[0].shape == (2, 3, 1)


@pytest.mark.parametrize("bits", [-1, 60])
def test_more_bits_than_there_is_room_for_are_refused(bits):
    (party,) = local.parties(1)
    with pytest.raises(ValueError, match="fraction bits in a period of 2"):
        logistic(party, split(np.zeros(3, np.uint64), 1, Prg(bytes(32)))[0], bits)
    assert not party.sent


@pytest.mark.parametrize("series", [NARROW, WIDE])
def test_coefficients_are_those_of_least_squares(series):
    z = np.linspace(0, 2 ** (series.period_bits - 1), 4001)
    weights = np.where(z <= series.reach, 1.0, WEIGHTS[series])
    fitted = np.linalg.lstsq(weights[:, None] * waves_at(z, series), weights * (sigma(z) - 0.5))[0]
    assert np.abs(np.array(series.coefficients) - fitted * 2**FACTOR_BITS).max() < 0.6
    errors = np.abs(summed(z, series) - sigma(z))[z <= series.reach]
    assert ERRORS[series] - 1e-4 < errors.max() < ERRORS[series]


def test_the_table_has_sines_and_is_the_same_on_every_machine():
    exact = np.sin(2 * np.pi * np.arange(1 << 16) / (1 << 16))
    assert np.abs(sines.sines() / 2.0**30 - exact).max() < 2 * 2.0**-30
    digest = hashlib.sha256(sines.sines().astype("<i8").tobytes()).hexdigest()
    assert digest == "c8c1a7ca4a36cba8385c62f2b04159ec778b7156bcad458ea901c6534ed60a9f"


def test_waves_are_cosines_and_sines_of_multiples():
    r = Prg(bytes(32)).ring((5, 7))
    angle = r.astype(float) * (2 * np.pi / 2**64)
    waves = ring.to_int(sines.waves(r, 3)) / 2.0**14
    for k in (1, 2, 3):
        assert np.abs(waves[k - 1] - np.cos(k * angle)).max() < 2.0**-15 + k * np.pi * 2.0**-16
        assert np.abs(waves[3 + k - 1] - np.sin(k * angle)).max() < 2.0**-15 + k * np.pi * 2.0**-16


def test_public_numbers_are_integers_of_the_angle_alone():
    """A share of waves times what C says: nothing that a machine could round in its own way."""
    opened = np.array([0, 1 << 62, 1 << 63, 3 << 62, (1 << 64) - 1], np.uint64)
    one = Logistic(NARROW, 20).values(opened, sines.waves(np.zeros(5, np.uint64), 8), 0)
    waves = np.rint(np.sin(np.outer([0, 1, 2, 3, 4], np.arange(1, 9)) * (np.pi / 2)))
    assert (ring.to_int(one) / 2.0**RESULT_BITS == 0.5 + waves @ np.array(NARROW.coefficients) / 2.0**FACTOR_BITS).all()
