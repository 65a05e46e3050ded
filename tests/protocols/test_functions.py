"""Normalization, roots, scaling by a secret power: exact where it is claimed, within the stated error elsewhere."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols import local, ring
from protocols.functions import MANTISSA_BITS, ROOT_BITS, BoundedRandom, normalize, roots, scale_up, square_root
from protocols.prg import Prg, derive
from protocols.shares import Share, combine, split

SEED = bytes(range(32))
EDGES = [0, 1, 2, 3, 4, 2**30, 2**31 - 1, 2**60 - 1, 2**60, 2**61, 2**62 - 1]
RELATIVE_ERROR = 2.0**-22


def run(protocol, *values, count=2):
    dealt = [split(ring.from_int(value), count, Prg(derive(SEED, str(i)))) for i, value in enumerate(values)]
    return local.run(count, lambda p: protocol(p, *(shares[p.rank] for shares in dealt)), SEED)


def test_the_root_of_a_number():
    root = ring.to_int(combine(run(square_root, [49])))[0]
    assert root / 2.0**29 == pytest.approx(7, rel=RELATIVE_ERROR)


@pytest.mark.parametrize("count", [2, 3, 5])
def test_normalization_is_exact(count):
    every = [*EDGES, *(1 << i for i in range(62)), *(int(x) >> s for s, x in enumerate(Prg(SEED).ring((62,)), 2))]
    normals = run(normalize, every, count=count)
    mantissas = combine([normal.mantissa for normal in normals])
    shifts = combine([normal.power(lambda s: s) for normal in normals])
    for value, mantissa, power in zip(every, mantissas.tolist(), shifts.tolist(), strict=True):
        assert mantissa == value * power**2
        assert 2**60 <= mantissa < 2**62 or value == mantissa == power == 0


def test_reaches_tells_where_the_leading_bit_is():
    normals = run(normalize, EDGES)
    for position in (0, 30, 60, 61):
        reached = combine([normal.reaches(position) for normal in normals])
        assert reached.tolist() == [value >> position > 0 for value in EDGES]


@given(st.lists(st.integers(0, 2**62 - 1), min_size=1, max_size=20))
@settings(max_examples=30)
def test_square_roots_over_the_whole_range(values):
    got = ring.to_int(combine(run(square_root, values))) / 2.0**29
    exact = np.sqrt(np.array(values, dtype=np.longdouble)).astype(float)
    assert (np.abs(got - exact) <= RELATIVE_ERROR * exact).all()


@pytest.mark.parametrize("count", [2, 3])
def test_roots_over_a_dense_grid(count):
    mantissas = np.concatenate([np.linspace(0.25, 1, 20_000, endpoint=False), [1 - 2.0**-53]])
    both = run(roots, np.ldexp(mantissas, MANTISSA_BITS).astype(np.int64), count=count)
    root = ring.to_int(combine([one.root for one in both])) / 2.0**ROOT_BITS
    inverse = ring.to_int(combine([one.inverse for one in both])) / 2.0**ROOT_BITS
    assert np.abs(root / np.sqrt(mantissas) - 1).max() < RELATIVE_ERROR
    assert np.abs(inverse * np.sqrt(mantissas) - 1).max() < RELATIVE_ERROR


@pytest.mark.parametrize("exponent", [0, 1, 5, 16])
def test_scaling_is_right_to_the_last_place_of_the_operand(exponent):
    x = np.array([0, 1, -1, 12345, -(2**40)])
    factor = 1 << exponent
    parts = run(lambda p, a, b: scale_up(p, a, b, 16), x, np.full(5, factor))
    error = ring.to_int(combine(parts)) - x * factor
    assert (error >= 0).all()
    assert (error <= factor).all()


def test_what_is_scaled_does_not_end_in_the_zeros_of_its_factor():
    """The lowest bits are uniform: χ² over 8 bits of 4,096 copies of one number, alpha 1e-9."""
    n = 1 << 12
    parts = run(lambda p, a, b: scale_up(p, a, b, 16), np.full(n, 3), np.full(n, 1 << 8))
    counts = np.bincount(ring.to_int(combine(parts)) & 255, minlength=256)
    assert ((counts - n / 256) ** 2 / (n / 256)).sum() < 415


def test_bounded_randomness_fills_its_range():
    parts = local.run(3, lambda p: p.take(BoundedRandom((4096,), 3)), SEED)
    assert sorted(set(combine(parts).tolist())) == list(range(8))
    assert all(isinstance(part, Share) for part in parts)
