"""Products of matrices by compiled code against NumPy's: the kernel as numba compiles it, and as Python runs it."""

import subprocess
import sys
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import product as pairs

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from protocols import compiled, matrices
from protocols.compiled import HEIGHT, INNER, PAIR, WIDTH, add_product
from tests.protocols import test_matrices

Q = 2**64
EXTREMES = (0, 1, Q - 1, 2**63, 2**63 - 1, 2**32, 2**32 - 1, Q - 2**32)
words = st.sampled_from(EXTREMES) | st.integers(0, Q - 1)

LAYOUTS = {
    **test_matrices.LAYOUTS,
    "at an odd address": lambda x: np.frombuffer(b"." + x.tobytes(), np.uint64, x.size, offset=1).reshape(x.shape),
}


@pytest.fixture(scope="module")
def kernel():
    """As numba compiles it for this processor, whether or not the kernel is a fast one there."""
    pytest.importorskip("numba")
    return compiled._compile(on_disk=True)


def python(result, a, b):
    """The kernel in Python, whose integers of NumPy's warn where the compiled ones wrap around."""
    with np.errstate(over="ignore"):
        compiled.multiply_tiles(result, a, b)


def draw(*shape):
    x = np.random.default_rng(shape).integers(0, Q, shape, dtype=np.uint64)
    x.flags.writeable = False  # nobody writes to an operand
    return x


def expected(a, b):
    return np.einsum("ik,kj->ij", a, b)


def check(multiply, a, b, lay=np.ascontiguousarray):
    """Into a result that is not empty."""
    before = draw(len(a), b.shape[1])
    result = lay(before).copy(order="K")
    add_product(multiply, result, a, b)
    np.testing.assert_array_equal(result, before + expected(a, b))


# The kernel in Python: the same text, without numba


@pytest.mark.parametrize("blocks", [{}, {"INNER": 2, "COLUMNS": 2, "ROWS": 4}, {"INNER": 4, "COLUMNS": 6, "ROWS": 8}])
@given(data=st.data(), sizes=st.tuples(*[st.integers(0, 9)] * 3), layouts=st.tuples(*[st.sampled_from([*LAYOUTS])] * 2))
def test_products_are_those_of_integers_mod_2_64(blocks, data, sizes, layouts):
    m, k, p = sizes
    a, b = (data.draw(arrays(np.uint64, shape, elements=words)) for shape in ((m, k), (k, p)))
    left, right = (LAYOUTS[layout](x) for layout, x in zip(layouts, (a, b), strict=True))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ({"WIDTH": 2} | blocks).items():
            patch.setattr(compiled, name, value)
        check(python, left, right)


# Compiled


@pytest.mark.parametrize("m", [1, HEIGHT - 1, HEIGHT, HEIGHT + 1])
@pytest.mark.parametrize("k", [1, PAIR, PAIR + 1, INNER - 1, INNER, INNER + 1])
@pytest.mark.parametrize("p", [1, WIDTH - 1, WIDTH, WIDTH + 1, 2 * WIDTH + 7])
def test_edges_of_tiles(kernel, m, k, p):
    check(kernel, draw(m, k), draw(k, p))
    check(kernel, draw(k, p).T, draw(m, k).T)


@pytest.mark.parametrize("shape", [(2 * compiled.ROWS + 1, 9, compiled.ROWS + 3), (6, 2 * INNER + 3, 7), (5, 3, 2100)])
def test_blocks_fit_together(kernel, shape):
    m, k, p = shape
    check(kernel, draw(m, k), draw(k, p))


@pytest.mark.parametrize("shape", [(0, 3, 4), (3, 0, 4), (3, 4, 0), (0, 0, 0), (1, 1, 1)])
def test_nothing_and_one_word(kernel, shape):
    m, k, p = shape
    check(kernel, draw(m, k), draw(k, p))


@pytest.mark.parametrize("shape", [(40, 33, 70), (70, 33, 40)])
def test_layouts_make_no_difference(kernel, shape):
    m, k, p = shape
    for lay_a, lay_b in pairs(LAYOUTS.values(), repeat=2):
        check(kernel, lay_a(draw(m, k)), lay_b(draw(k, p)))


def test_the_result_may_lie_anywhere(kernel):
    a, b, wide = draw(30, 20), draw(20, 70), draw(61, 214).copy()
    before = wide.copy()
    add_product(kernel, wide[1::2, 3:213:3], a, b)
    add_product(kernel, wide[::2, 1:94:3].T, b.T[:31], b[:, :31])
    before[1::2, 3:213:3] += expected(a, b)
    before[::2, 1:94:3] += expected(b.T[:31], b[:, :31]).T
    np.testing.assert_array_equal(wide, before)


def test_an_operand_may_be_one_row_or_word_shown_many_times(kernel):
    row, one, b = draw(1, 40), draw(1, 1), draw(40, 90)
    check(kernel, np.broadcast_to(row, (45, 40)), b)
    check(kernel, b.T, np.broadcast_to(one, (40, 3)))
    check(kernel, b, b.T)  # both the same memory


@given(data=st.data(), sizes=st.tuples(*[st.integers(1, 9)] * 3))
def test_extreme_words(kernel, data, sizes):
    m, k, p = sizes
    a, b = (data.draw(arrays(np.uint64, shape, elements=words)) for shape in ((m, k), (k, p)))
    check(kernel, a, b)


def test_temporary_memory_is_bounded(kernel):
    a, b, result = draw(1500, 1100).T, draw(1500, 1300), np.zeros((1100, 1300), np.uint64)
    tracemalloc.start()
    add_product(kernel, result, a, b)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 << 20


# When it is taken


@pytest.fixture
def eager(monkeypatch, kernel):
    """Every product dense enough by the kernel, from the first on, whatever the processor."""
    monkeypatch.setattr(compiled, "PRICE", 0)
    monkeypatch.setattr(compiled, "kernel", lambda: kernel)
    monkeypatch.setattr(matrices, "COMPILER", compiled.Later())


def test_products_are_accumulated_by_the_kernel(monkeypatch, eager):
    monkeypatch.setattr(matrices, "_by_limbs", None)
    monkeypatch.setattr(matrices, "_by_loop", None)
    a, b, result = draw(150, 200), draw(200, 130), draw(150, 130).copy()
    matrices.add_product(result, a, b)
    np.testing.assert_array_equal(result, draw(150, 130) + expected(a, b))


@pytest.mark.parametrize("shape", [(10_000, 100, 1), (1, 100, 1000), (8, 8, 8), (99, 0, 99), (0, 0, 0)])
def test_few_multiplications_a_word_do_without(monkeypatch, eager, shape):
    m, k, p = shape
    monkeypatch.setattr(compiled, "add_product", None)
    np.testing.assert_array_equal(matrices.product(draw(m, k), draw(k, p)), expected(draw(m, k), draw(k, p)))


def test_products_do_without_until_there_were_enough(monkeypatch):
    monkeypatch.setattr(compiled, "kernel", lambda: python)
    later = compiled.Later()
    assert later.kernel(compiled.PRICE - 1) is None
    assert later.kernel(1) is python
    assert later.kernel(1) is python


def test_parties_that_are_threads_load_one_kernel(monkeypatch):
    loaded = []
    monkeypatch.setattr(compiled, "_multiplies_vectors", lambda: True)
    monkeypatch.setattr(compiled, "_compile", lambda on_disk: loaded.append(on_disk) or python)
    monkeypatch.setattr(compiled, "kernel", cache(compiled.kernel.__wrapped__))
    later = compiled.Later()
    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(later.kernel, [compiled.PRICE] * 40)) == {python}
    assert loaded == [True]


# Where there is none


@pytest.mark.parametrize("module", ["llvmlite", "numba"])
def test_without_numba_all_is_as_before(monkeypatch, module):
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setattr(compiled, "PRICE", 0)
    monkeypatch.setattr(compiled, "kernel", compiled.kernel.__wrapped__)
    monkeypatch.setattr(matrices, "COMPILER", compiled.Later())
    assert compiled.kernel() is None
    a, b = draw(150, 200), draw(200, 130)
    np.testing.assert_array_equal(matrices.product(a, b), expected(a, b))


def test_processors_without_the_instruction_have_none(monkeypatch):
    monkeypatch.setattr(compiled, "_multiplies_vectors", lambda: False)
    monkeypatch.setattr(compiled, "_compile", None)
    assert compiled.kernel.__wrapped__() is None


def test_nor_has_numba_that_does_not_compile(monkeypatch):
    numba = pytest.importorskip("numba")
    monkeypatch.setattr(numba.config, "DISABLE_JIT", True)
    assert compiled._compile(on_disk=True) is None


def test_a_disk_that_fails_costs_the_time_to_compile(monkeypatch):
    numba = pytest.importorskip("numba")

    def njit(signature, *, cache, nogil):
        if cache:
            raise RuntimeError("no locator available")
        return lambda function: python

    monkeypatch.setattr(numba, "njit", njit)
    monkeypatch.setattr(compiled, "_multiplies_vectors", lambda: True)
    assert compiled.kernel.__wrapped__() is python


def test_small_products_import_nothing():
    program = "import sys, numpy as np; from protocols.ring import matmul; matmul(*np.ones((2, 200, 200), np.uint64))"
    program += "; assert not {'numba', 'llvmlite'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True, cwd=matrices.__file__.rpartition("protocols")[0])
