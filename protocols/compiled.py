"""Products of matrices of words by code that numba compiles for this processor: the same numbers, in less time.

Optional twice over. Without numba, or where anything about it fails, there is no kernel, and nothing is lost but time.
Nor is there one on a processor that cannot multiply vectors of 64-bit words (`vpmullq` of AVX-512DQ): there the
products of limbs in `protocols.matrices` are faster.

What is compiled stays on disk: beside this file, or where that may not be written, in the user's cache folder. numba
trusts what it finds there as Python trusts its own `__pycache__`: who can write to either can run code as this user.

The kernel does the same instructions whatever the words are: no branch, no address depends on one.
"""

from collections.abc import Callable
from contextlib import suppress
from functools import cache
from itertools import product
from threading import Lock
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Words: TypeAlias = NDArray[np.uint64]
Kernel: TypeAlias = Callable[[Words, Words, Words], None]

# A tile of the result is HEIGHT × WIDTH words, which stay in the first cache, and takes PAIR terms at once.
HEIGHT, WIDTH, PAIR = 4, 64, 2
INNER = 512  # terms of a sum at once: a panel of the right operand, WIDTH columns, stays in the second cache
COLUMNS = 1024  # of the right operand at once: 4 MB
ROWS = 256  # of the left operand, and of the result, at once: 3 MB
# Multiplications that take as much longer without the kernel, 0.2 ns each, as importing numba and loading the kernel
# take, 0.5 s of processor time: until a process has asked for that many it does without, and so never loses much.
PRICE = 1 << 31


class Later:
    """The kernel, from the product on with which the multiplications asked for so far pay for loading it.

    That follows from shapes, which are public. Parties that are threads of one process wait for each other here.
    """

    def __init__(self) -> None:
        self._asked = 0
        self._lock = Lock()

    def kernel(self, multiplications: int) -> Kernel | None:
        """The kernel for a product of so many, or None: not yet, or never on this machine."""
        with self._lock:
            if self._asked < PRICE:
                self._asked += multiplications
            return kernel() if self._asked >= PRICE else None


@cache
def kernel() -> Kernel | None:
    """The compiled `multiply_tiles`, or None where there is none."""
    for on_disk in (True, False):
        # Not installed, not made for this NumPy, no folder to write to, a damaged file in it: no reason to fail.
        with suppress(Exception):
            return _compile(on_disk=on_disk) if _multiplies_vectors() else None
    return None


def _multiplies_vectors() -> bool:
    """Whether this processor has an instruction that multiplies vectors of 64-bit words."""
    from llvmlite import binding

    return bool(binding.get_host_cpu_features().get("avx512dq"))


def _compile(*, on_disk: bool) -> Kernel | None:
    import numba

    signature = "void(uint64[:, ::1], uint64[:, ::1], uint64[:, :, ::1])"
    compiled: Kernel = numba.njit(signature, cache=on_disk, nogil=True)(multiply_tiles)
    return None if compiled is multiply_tiles else compiled  # as NUMBA_DISABLE_JIT=1 leaves it


def multiply_tiles(result: Words, a: Words, b: Words) -> None:
    """result = a @ b for a of HEIGHT·r × PAIR·s words and b in panels of WIDTH columns, one after another in memory."""
    sums = np.empty((HEIGHT, WIDTH), np.uint64)
    for panel in range(b.shape[0]):
        for i in range(0, a.shape[0], HEIGHT):
            for row in range(HEIGHT):
                for j in range(WIDTH):
                    sums[row, j] = 0
            for t in range(0, a.shape[1], PAIR):
                a00, a01, a10, a11 = a[i, t], a[i, t + 1], a[i + 1, t], a[i + 1, t + 1]
                a20, a21, a30, a31 = a[i + 2, t], a[i + 2, t + 1], a[i + 3, t], a[i + 3, t + 1]
                for j in range(WIDTH):
                    b0, b1 = b[panel, t, j], b[panel, t + 1, j]
                    sums[0, j] += a00 * b0 + a01 * b1
                    sums[1, j] += a10 * b0 + a11 * b1
                    sums[2, j] += a20 * b0 + a21 * b1
                    sums[3, j] += a30 * b0 + a31 * b1
            for row in range(HEIGHT):
                for j in range(WIDTH):
                    result[i + row, panel * WIDTH + j] = sums[row, j]


def add_product(multiply: Kernel, result: Words, a: Words, b: Words) -> None:
    """result += a @ b, block by block; temporary memory does not grow with the operands."""
    if b.shape[1] < a.shape[0]:  # long rows fill the panels
        result, a, b = result.T, b.T, a.T
    (m, k), p = a.shape, b.shape[1]
    inner, columns, rows = _up(min(k, INNER), PAIR), _up(min(p, COLUMNS), WIDTH), _up(min(m, ROWS), HEIGHT)
    for_left, for_right, for_sums = (np.empty(n, np.uint64) for n in (rows * inner, inner * columns, rows * columns))
    for t, j in product(range(0, k, INNER), range(0, p, COLUMNS)):
        right = _panels(b[t : t + INNER, j : j + COLUMNS], for_right)
        for i in range(0, m, ROWS):
            left = _padded(a[i : i + ROWS, t : t + INNER], for_left)
            part = result[i : i + ROWS, j : j + COLUMNS]
            sums = for_sums[: len(left) * right.shape[0] * WIDTH].reshape(len(left), -1)
            multiply(sums, left, right)
            part += sums[: part.shape[0], : part.shape[1]]


def _up(length: int, step: int) -> int:
    """The next multiple of `step`."""
    return -(-length // step) * step


def _padded(x: Words, room: Words) -> Words:
    """x with rows of PAIR·s words, the last of them 0, and rows up to HEIGHT·r whose words do not matter."""
    m, k = x.shape
    rows, terms = _up(m, HEIGHT), _up(k, PAIR)
    block = room[: rows * terms].reshape(rows, terms)
    block[:m, :k] = x
    block[:, k:] = 0
    return block


def _panels(x: Words, room: Words) -> Words:
    """x in panels of WIDTH columns and PAIR·s rows, the last of them 0; columns beyond x's do not matter."""
    k, p = x.shape
    panels, terms, full = _up(p, WIDTH) // WIDTH, _up(k, PAIR), p // WIDTH
    block = room[: panels * terms * WIDTH].reshape(panels, terms, WIDTH)
    block[:full, :k] = x[:, : full * WIDTH].reshape(k, full, WIDTH).swapaxes(0, 1)
    if full < panels:
        block[full, :k, : p - full * WIDTH] = x[:, full * WIDTH :]
    block[:, k:] = 0
    return block
