"""Products of matrices of words, exact mod 2^64: where it pays, from exact products of their limbs in floating point.

[DGP08] J.-G. Dumas, P. Giorgi, C. Pernet, "Dense Linear Algebra over Word-Size Prime Fields: the FFLAS and FFPACK
Packages", ACM TOMS 35(3), 2008: a sum of products of integers is exact in float64 while it cannot leave ±2^53, so a
numerical BLAS multiplies matrices of small integers exactly; [KO63] A. Karatsuba, Y. Ofman, "Multiplication of
Multidigit Numbers on Automata", Soviet Physics Doklady 7, 1963: a product less.

A word is x₀ + 2^22 x₁ + 2^42 x₂ mod 2^64, its limbs signed numbers of 22, 20 and 22 bits: |x₀|, |x₂| <= 2^21 and
|x₁| <= 2^19. As the weights of limbs 1 and 2 multiply to 2^64, which is 0 here, nine products of limbs come down to

    xy = x₀y₀ + 2^22 (x₀y₁ + x₁y₀) + 2^44 x₁y₁ + 2^42 (x₀y₂ + x₂y₀),
    x₀y₁ + x₁y₀ = (x₀ + x₁)(y₀ + y₁) - x₀y₀ - x₁y₁:

five of matrices, in four calls, the last pair being one product [x₀ x₂] [y₂; y₀]. Each is exact for K <= 1024 terms,
whatever the order in which a BLAS adds them, fused or not: terms are integers, and any sum of some of them is at most

    x₀y₀   K · 2^42,    x₁y₁   K · 2^38,    (x₀ + x₁)(y₀ + y₁)   K · (5/4)² · 2^42,    x₀y₂ + x₂y₀   2K · 2^42 <= 2^53.
"""

import itertools
from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Words: TypeAlias = NDArray[np.uint64]
Floats: TypeAlias = NDArray[np.float64]

# First bit of a limb, the bit after its last, and what carries into it: half of every limb below, which are signed.
LIMBS = ((0, 22, 0), (22, 42, 1 << 21), (42, 64, (1 << 21) + (1 << 41)))
# What the products weigh, mod 2^64: of limb 0, of both pairs of limbs 0 and 2, of limb 1, of the sums of limbs 0 and 1.
WEIGHTS = tuple(w % (1 << 64) for w in (1 - (1 << 22), 1 << 42, (1 << 44) - (1 << 22), 1 << 22))

INNER = 1024  # terms of a sum: the bound above
COLUMNS = 1024  # of the right operand, in limbs at once: at most 32 MB
TILE = 1 << 18  # words of the left operand, and of the result, at once: at most 12 MB with what is made of them
LONG = 32  # elements along which a loop of NumPy's is at its full speed
FEW = 4  # rows, or columns, for which the other operand, however large, may be copied
STRETCH = 1 << 13  # terms, and columns, of the loop at once
PATCH = 1 << 20  # words of its left operand, and of its result, at once: copies of at most 18 MB
# Multiplications for each word of operands and result from which limbs pay. One thread alone wins from 48 on, little at
# first; the threads of a BLAS on cores that are busy wait for each other, and then little products take the longest.
DENSE = 64


def product(a: Words, b: Words) -> Words:
    """a @ b mod 2^64 for 2-d arrays of any layout, in C order. Raises ValueError if the shapes do not fit."""
    (m, _), (_, p) = a.shape, b.shape
    result = np.zeros((m, p), np.uint64)
    add_product(result, a, b)
    return result


def add_product(result: Words, a: Words, b: Words) -> None:
    """result += a @ b. Raises ValueError if the shapes do not fit."""
    (m, k), (inner, p) = a.shape, b.shape
    if k != inner or result.shape != (m, p):
        raise ValueError(f"not a matrix product: {a.shape} and {b.shape}")
    if not result.size or not k:
        return
    if dense(m, k, p):
        _by_limbs(result, a, b)
    else:
        _by_loop(result, a, b)


def dense(m: int, k: int, p: int) -> bool:
    """Whether m×k by k×p has so many multiplications that cutting all words into limbs is little beside them."""
    return m * k * p > DENSE * (m * k + k * p + m * p)


def _by_loop(result: Words, a: Words, b: Words) -> None:
    """By NumPy's integer loop, in blocks that are only there to keep its copies small."""
    (m, k), p = a.shape, b.shape[1]
    rows = PATCH // max(1, min(STRETCH, max(k, p)))
    if m <= rows and max(k, p) <= STRETCH:
        result += _loop(a, b)
        return
    for down, terms, across in itertools.product(_blocks(m, rows), _blocks(k, STRETCH), _blocks(p, STRETCH)):
        result[down, across] += _loop(a[down, terms], b[terms, across])


def _loop(a: Words, b: Words) -> Words:
    """The loop runs along what is contiguous: an operand is copied if that would be short and the copy pays."""
    (m, k), p = a.shape, b.shape[1]
    if k < LONG and min(m, p) >= FEW:
        lay = np.ascontiguousarray if m <= p else np.asfortranarray
        a, b = lay(a), lay(b)
    else:
        a = a if m >= LONG else np.ascontiguousarray(a)
        b = b if p >= LONG else np.asfortranarray(b)
    product: Words = np.einsum("ik,kj->ij", a, b)
    return product


def _by_limbs(result: Words, a: Words, b: Words) -> None:
    """Block by block, the limbs of a block of b serving all of a; temporary memory does not grow with the operands."""
    (m, k), p = a.shape, b.shape[1]
    inner, columns = min(k, INNER), min(p, COLUMNS)
    rows = min(m, TILE // max(inner, columns))
    # One allocation: the allocator keeps such a one for the next product, with its pages in place.
    sizes = (4 * rows * inner, 4 * inner * columns, rows * columns, rows * columns)
    for_left, for_right, sums, integers = np.split(np.empty(sum(sizes)), np.cumsum(sizes[:-1]))
    for terms in _blocks(k, inner):
        for across in _blocks(p, columns):
            right = _right(b[terms, across], for_right)
            for down in _blocks(m, rows):
                _add_product(result[down, across], _left(a[down, terms], for_left), right, sums, integers)


def _blocks(length: int, most: int) -> Iterator[slice]:
    """The fewest blocks of at most `most`, none more than one longer than another."""
    count = -(-length // most)
    return (slice(length * i // count, length * (i + 1) // count) for i in range(count))


def _left(x: Words, room: Floats) -> tuple[Floats, ...]:
    """The left operands of the products, in the order of WEIGHTS."""
    m, k = x.shape
    parts = room[: 4 * x.size].reshape(m, 4, k)
    low, high, middle, both = parts.swapaxes(0, 1)
    _cut(x, low, middle, high, both)
    return low, parts.reshape(m, 4 * k)[:, : 2 * k], middle, both


def _right(x: Words, room: Floats) -> tuple[Floats, ...]:
    """The right operands of the products, in the order of WEIGHTS."""
    k, p = x.shape
    parts = room[: 4 * x.size].reshape(4, k, p)
    high, low, middle, both = parts
    _cut(x, low, middle, high, both)
    return low, parts[:2].reshape(2 * k, p), middle, both


def _cut(x: Words, low: Floats, middle: Floats, high: Floats, both: Floats) -> None:
    """The limbs of x, and the sum of the lower two."""
    words, bits = high.view(np.uint64), both.view(np.uint64)  # scratch until their turn comes
    words[...] = x  # the only pass over x, whose layout may be a slow one
    for limb, (start, stop, carry) in zip((low, middle, high), LIMBS, strict=True):
        np.add(words, carry, out=bits)
        np.left_shift(bits, 64 - stop, out=bits)  # what is above the limb falls out, then what is below it
        np.right_shift(bits.view(np.int64), 64 - stop + start, out=limb)
    np.add(low, middle, out=both)


def _add_product(
    result: Words, left: tuple[Floats, ...], right: tuple[Floats, ...], room: Floats, more_room: Floats
) -> None:
    """result += the product of the words that `left` and `right` are made of."""
    sums = room[: result.size].reshape(result.shape)
    words = more_room[: result.size].reshape(result.shape).view(np.uint64)
    for x, y, weight in zip(left, right, WEIGHTS, strict=True):
        with np.errstate(all="ignore"):  # Accelerate on some Macs raises flags without a cause
            np.matmul(x, y, out=sums)
        np.copyto(words.view(np.int64), sums, casting="unsafe")  # integers all
        words *= weight
        result += words
