"""Products of matrices mod 2^64 against Python's integers and NumPy's integer product."""

import math
import tracemalloc
from contextlib import contextmanager
from itertools import product as pairs

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from protocols import matrices
from protocols.matrices import product

Q = 2**64

NEVER = math.inf
# Every way that a product is computed, by the limits that lead there.
WAYS = {
    "as it comes": {},
    "loop": {"COMPILED": NEVER, "DENSE": NEVER},
    "loop in blocks": {"COMPILED": NEVER, "DENSE": NEVER, "LONG": 2, "FEW": 1, "STRETCH": 17, "PATCH": 200},
    "limbs": {"COMPILED": NEVER, "DENSE": 0},
    "limbs in blocks": {"COMPILED": NEVER, "DENSE": 0, "INNER": 17, "COLUMNS": 16, "TILE": 200},
}
TINY = {
    "loop in tiny blocks": {"COMPILED": NEVER, "DENSE": NEVER, "LONG": 2, "FEW": 1, "STRETCH": 2, "PATCH": 6},
    "limbs in tiny blocks": {"COMPILED": NEVER, "DENSE": 0, "INNER": 3, "COLUMNS": 2, "TILE": 6},
    "limbs word by word": {"COMPILED": NEVER, "DENSE": 0, "INNER": 1, "COLUMNS": 1, "TILE": 1},
}

# The same matrix in other places.
LAYOUTS = {
    "rows": np.ascontiguousarray,
    "columns": np.asfortranarray,
    "every other row, backwards": lambda x: np.repeat(x, 2, axis=0)[::-2][::-1],
    "a part of wider rows": lambda x: np.pad(x, ((1, 1), (2, 3)))[1 : 1 + len(x), 2 : 2 + x.shape[1]],
    "every third column, backwards": lambda x: np.repeat(x[:, ::-1], 3, axis=1)[:, ::-3],
}


def word(low, middle, high):
    return (low + (middle << 22) + (high << 42)) % Q


LEAST, MOST = word(-(2**21), -(2**19), -(2**21)), word(2**21 - 1, 2**19 - 1, 2**21 - 1)
EXTREMES = (
    *(word(*limbs) for limbs in pairs((-(2**21), 2**21 - 1), (-(2**19), 2**19 - 1), (-(2**21), 2**21 - 1))),
    *(Q - 1, 2**63, 2**63 - 1, Q // 3, Q // 3 * 2, 1),
)
words = st.sampled_from(EXTREMES) | st.integers(0, Q - 1)


@contextmanager
def way(name):
    with pytest.MonkeyPatch.context() as patch:
        for limit, value in (WAYS | TINY)[name].items():
            patch.setattr(matrices, limit, value)
        yield


def draw(*shape):
    x = np.random.default_rng(shape).integers(0, Q, shape, dtype=np.uint64)
    x.flags.writeable = False  # nobody writes to an operand
    return x


def exact(a, b):
    """By Python's integers."""
    columns = b.T.tolist()
    rows = [[sum(map(int.__mul__, row, column)) % Q for column in columns] for row in a.tolist()]
    return np.array(rows, np.uint64).reshape(len(a), len(columns))


def check(result, expected):
    assert result.dtype == np.uint64
    assert result.flags.c_contiguous
    assert result.shape == expected.shape
    np.testing.assert_array_equal(result, expected)


# Every way, every layout


@pytest.mark.parametrize("name", WAYS | TINY)
@given(data=st.data(), sizes=st.tuples(*[st.integers(0, 5)] * 3), layouts=st.tuples(*[st.sampled_from([*LAYOUTS])] * 2))
def test_products_are_those_of_integers_mod_2_64(name, data, sizes, layouts):
    m, k, p = sizes
    a, b = (data.draw(arrays(np.uint64, shape, elements=words)) for shape in ((m, k), (k, p)))
    left, right = (LAYOUTS[layout](x) for layout, x in zip(layouts, (a, b), strict=True))
    left.flags.writeable = right.flags.writeable = False
    with way(name):
        check(product(left, right), exact(a, b))
        check(product(right.T, left.T), exact(a, b).T)


@pytest.mark.parametrize("name", WAYS)
@pytest.mark.parametrize("shape", [(40, 3, 50), (50, 3, 40), (3, 40, 50), (50, 40, 3), (40, 50, 35), (1, 60, 1)])
def test_layouts_make_no_difference(name, shape):
    m, k, p = shape
    a, b = draw(m, k), draw(k, p)
    expected = np.matmul(a, b)
    with way(name):
        for lay_a, lay_b in pairs(LAYOUTS.values(), repeat=2):
            check(product(lay_a(a), lay_b(b)), expected)


@pytest.mark.parametrize("name", WAYS)
def test_an_operand_may_be_one_row_or_word_shown_many_times(name):
    row, one, b = draw(1, 40), draw(1, 1), draw(40, 50)
    with way(name):
        check(product(np.broadcast_to(row, (45, 40)), b), np.repeat(np.matmul(row, b), 45, axis=0))
        check(product(b.T, np.broadcast_to(one, (40, 3))), np.matmul(b.T, np.repeat(np.repeat(one, 40, 0), 3, 1)))
        check(product(b, b.T), np.matmul(b, b.T.copy()))  # both the same memory


# The bounds of floating point


@pytest.mark.parametrize("k", [matrices.INNER + more for more in (-1, 0, 1)] + [2 * matrices.INNER, 4097])
def test_the_largest_limbs_at_the_limit_of_a_block(k):
    a, b = (np.repeat(np.array([EXTREMES], np.uint64).T, k, axis=1) for _ in range(2))
    expected = np.array([[k * x * y % Q for y in EXTREMES] for x in EXTREMES], np.uint64)
    with way("limbs"):
        check(product(a, b.T), expected)


@pytest.mark.parametrize("k", [matrices.INNER, matrices.INNER + 1, 2 * matrices.INNER + 1])
def test_sums_near_the_bound_that_are_odd(k):
    a, b = (np.full(shape, LEAST, np.uint64) for shape in ((2, k), (k, 2)))
    a[:, k // 2], b[k // 2, 0] = word(-1, 1, -2), word(-2, 1, -1)
    a[0, k - 1] = b[0, 1] = MOST
    with way("limbs"):
        check(product(a, b), exact(a, b))


def test_the_bound_is_sharp(monkeypatch):
    k = matrices.INNER + 1
    a, b = (np.full(shape, word(-(2**21), 0, -(2**21)), np.uint64) for shape in ((1, k + 1), (k + 1, 1)))
    a[0, k], b[k, 0] = word(-1, 0, 0), word(0, 0, -1)
    with way("limbs"):
        check(product(a, b), exact(a, b))
        monkeypatch.setattr(matrices, "INNER", k + 1)
        assert product(a, b) != exact(a, b)


@given(arrays(np.uint64, (2, 3), elements=words))
def test_limbs_are_small_and_make_up_the_word(x):
    low, middle, high, both = limbs = np.empty((4, 2, 3))
    matrices._cut(x, *limbs)
    for limb, bits in ((low, 22), (middle, 20), (high, 22)):
        assert (-(2 ** (bits - 1)) <= limb).all()
        assert (limb < 2 ** (bits - 1)).all()
    low, middle, high = (limb.astype(np.int64).astype(object) for limb in (low, middle, high))
    assert (word(low, middle, high) == x.astype(object)).all()
    assert (both == low + middle).all()


# Large ones, and where they are computed


@pytest.mark.parametrize("shape", [(300, 1025, 64), (60, 2049, 300), (300, 70, 1030), (2700, 100, 110)])
def test_blocks_of_full_size_fit_together(shape):
    m, k, p = shape
    a, b = draw(m, k), draw(k, p)
    with way("limbs"):
        check(product(a, b), np.matmul(a, np.asfortranarray(b)))


def test_many_multiplications_a_word_take_limbs(monkeypatch):
    a, b = draw(300, 320), draw(320, 300)
    monkeypatch.setattr(matrices, "COMPILED", NEVER)
    monkeypatch.setattr(matrices, "_by_loop", None)
    check(product(a, b), np.matmul(a, np.asfortranarray(b)))


@pytest.mark.parametrize("shape", [(10_000, 100, 1), (1, 100, 1000), (1000, 100, 9), (9, 9, 9), (99, 0, 99), (0, 0, 0)])
def test_few_multiplications_a_word_take_the_loop(monkeypatch, shape):
    m, k, p = shape
    a, b = draw(m, k), draw(k, p)
    monkeypatch.setattr(matrices, "COMPILED", NEVER)
    monkeypatch.setattr(matrices, "_by_limbs", None)
    check(product(a, b), np.matmul(a, b))


@pytest.mark.parametrize(("shape", "limit"), [((400, 1024, 1024), 46), ((3, 1_500_000, 2), 2), ((2000, 2, 2000), 18)])
def test_temporary_memory_is_bounded(monkeypatch, shape, limit):
    m, k, p = shape
    a, b = draw(k, m).T, draw(k, p)
    monkeypatch.setattr(matrices, "COMPILED", NEVER)
    tracemalloc.start()
    result = product(a, b)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak - result.nbytes < limit << 20


@pytest.mark.parametrize("name", WAYS)
@pytest.mark.parametrize(
    "shapes", [((2, 3), (2, 3)), ((2, 1), (3, 2)), ((2, 3), (1, 2)), ((3,), (3, 2)), ((2, 3), (3,))]
)
def test_shapes_that_do_not_fit_are_refused(name, shapes):
    a, b = (np.ones(shape, np.uint64) for shape in shapes)
    with way(name), pytest.raises(ValueError, match=r"not a matrix product|unpack"):
        product(a, b)
