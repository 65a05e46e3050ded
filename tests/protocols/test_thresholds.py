"""Cells between powers of two, mantissas, and values brought back into a range."""

import numpy as np
import pytest

from protocols import local, ring
from protocols.prg import Prg, fresh_seed
from protocols.shares import combine, split
from protocols.thresholds import MANTISSA_BITS, below_each, cells_of, clip, filled, find_cell, mantissas
from tests.protocols.elementary import grid, run

RANGES = [(1, 1), (1, 100), (-5, 5), (0, 7), (-100, -3), (-(2**40), 2**45), (3, 2**61 - 1), (-4, 0)]


def test_a_value_is_clipped():
    assert run(lambda p, x: clip(p, x, -100, 100, -10, 20), [-100, 5, 30]).values.tolist() == [-10, 5, 20]


@pytest.mark.parametrize(("least", "most", "rounds"), [(-50, 60, 7), (-50, 200, 7), (-200, 60, 7), (-100, 100, 0)])
@pytest.mark.parametrize("count", [2, 3])
def test_all_values_are_clipped(least, most, rounds, count):
    x = np.arange(-100, 101)
    result = run(lambda p, s: clip(p, s, -100, 100, least, most), x, count=count)
    assert (result.values == np.clip(x, least, most)).all()
    assert {party.rounds for party in result.parties} == {rounds}


def test_several_thresholds_are_compared():
    x, thresholds = np.arange(-20, 20), [-7, 0, 3]
    assert (run(lambda p, s: below_each(p, s, thresholds), x).values == [x < t for t in thresholds]).all()


@pytest.mark.parametrize(("low", "high"), RANGES)
@pytest.mark.parametrize(("step", "phase"), [(1, 0), (2, 0), (2, 1)])
def test_cells_cover_a_range_in_order(low, high, step, phase):
    cells = cells_of(low, high, step, phase)
    assert cells[0].start <= low
    for x in grid(low, high, 200).tolist():
        cell = max((one for one in cells if one.start <= x), key=lambda one: one.start)
        assert cell.sign == np.sign(x)
        if x:
            assert (1 << cell.exponent) <= abs(x) << step < 1 << cell.exponent + step
            assert cell.exponent % step == phase


@pytest.mark.parametrize("count", [2, 3, 5])
@pytest.mark.parametrize(("low", "high"), RANGES)
@pytest.mark.parametrize("most", [MANTISSA_BITS, 34])
def test_mantissas_are_the_value_but_for_a_unit(low, high, most, count):
    x = grid(low, high, 200)
    dealt = split(ring.from_int(x), count, Prg(fresh_seed()))

    def program(p):
        found = find_cell(p, dealt[p.rank], low, high, most=most)
        return found, filled(found, mantissas(p, found, dealt[p.rank].reshape(1, -1), [found.mantissas.bits])[0])

    results = local.run(count, program)
    found = results[0][0]
    got = ring.to_int(combine([mantissa for _, mantissa in results]))
    exponents = np.array([abs(value).bit_length() for value in x.tolist()])
    if len(found.cells) == 1:
        exponents[:] = found.cells[0].exponent
    exact = np.where(x == 0, 0.5, np.abs(x).astype(np.longdouble) / 2.0**exponents) * 2.0**found.mantissas.bits
    assert np.abs(got - exact).max() <= 1
    assert got.min() >= found.mantissas.low
    assert got.max() <= found.mantissas.high


@pytest.mark.parametrize(("low", "high"), [(0, 1 << 61), (-(1 << 61), 0), (3, 2), (0, 0)])
def test_what_has_no_cells_is_refused(low, high):
    with pytest.raises(ExceptionGroup) as refused:
        run(lambda p, x: find_cell(p, x, low, high).mantissas, [0])
    assert refused.group_contains(ValueError)
