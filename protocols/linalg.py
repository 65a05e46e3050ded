"""Symmetric positive definite systems: the inverse square root of a matrix, and solutions by it.

[Hig08] N. Higham, "Functions of Matrices", SIAM 2008, section 6.3: the coupled Newton-Schulz iteration (stable,
products only); [CC14] J. Chen, E. Chow, "A Stable Scaling of Newton-Schulz for Improving the Sign Function
Computation of a Hermitian Matrix", preprint ANL/MCS-P5059-0114, 2014: scaled steps while small eigenvalues grow.

For A with eigenvalues λ in (0, 1], Y₀ = A, Z₀ = I and public α, γ for each step,

    T = αI - γZY,   Y ← YT,   Z ← TZ

keeps ZY a function of A whose eigenvalues x² follow x ← x(α - γx²); when all x are 1, Z = A^(-1/2). Why this
and not the inverse itself or a factorization: Z has the square root of the range of A^(-1), so that 64-bit
words suffice for condition numbers that occur; every value is a product of bounded matrices; and the number
of rounds does not depend on the size of A.

Two things make the result sure. E = I - ZᵀAZ is computed from the full-precision A, whatever the iteration
did: its norm tells whether Z is an inverse square root at all, and Z ← Z(I + E/2 + 3E²/8) removes what
rounding left. A solution is refined once with its residual, computed in double words.

Precision: a value with "f bits" is held as its 2^f-fold. A matrix C comes with 62 bits and its diagonal in
[1/4, 1), as `equilibrate` makes it; A = C/2^k with 2^k >= d, so that the trace and hence every λ is below 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from protocols import ring
from protocols.beaver import matmul, multiply, square
from protocols.conversion import negative
from protocols.functions import TOP, Normal, normalize
from protocols.party import Party
from protocols.rescaling import matmul_rescaled, matmul_rescaled_each
from protocols.ring import RingArray, Shape
from protocols.shares import Share, concatenate, public
from protocols.truncation import truncate, truncate_each

MATRIX_BITS = 62  # of C
ROOT_BITS = 24  # of Z when finished
SOLUTION_BITS = 30

# Smallest eigenvalue of C for which the iteration is designed: a correlation matrix with condition number
# 10^5 has λ >= 10^-5, and equilibration by powers of two costs at most a factor 4.
SMALLEST = 2.0**-19
# Accepted ‖E‖ (Frobenius), as ‖E‖ < 2^-DEVIATION_BITS: the refined Z is then right to 2^-16 in any direction.
DEVIATION_BITS = 5

_FINE, _COARSE = 58, 39  # bits of A in full, and of its high word
_Y, _Z, _T = 36, 22, 24  # bits inside the iteration: |Y| < 1.1, |T| < 2.5, |Z| < 2^14
_P, _E, _M = 38, 30, 26
_NORM = 16  # bits of E where it is squared
_EIGHTHS = 3  # α and γ are multiples of 1/8
_RAISE = 24  # a right-hand side is scaled up by at most 2^24
_ROOM = 10  # |b| < 2^-10 makes bᵀC⁻¹b <= 1 for all C whose eigenvalues reach SMALLEST


@dataclass(frozen=True)
class Factor:
    """⟨Z⟩ ≈ A^(-1/2), and what came with it. `a` has 58 bits, `deviation` = ‖E‖² has 32."""

    z: Share
    a: Share
    deviation: Share
    halvings: int  # k: A = C / 2^k


def equilibrate(party: Party, c: Share) -> tuple[Share, Normal]:
    """⟨C'⟩ with C'ⱼₗ = 2^(sⱼ + sₗ) Cⱼₗ and diagonal in [2^60, 2^62), and the secret shifts s.

    c: d×d symmetric positive definite, integers below 2^62; exact, since |Cⱼₗ|² <= CⱼⱼCₗₗ. 17 rounds. A row with
    a zero on the diagonal becomes zero; see Normal.reaches.
    """
    d = c.shape[0]
    normal = normalize(party, c[np.arange(d), np.arange(d)])
    shift = normal.power(lambda s: s).reshape(d, 1)
    return multiply(party, c, matmul(party, shift, shift.T)), normal


def inverse_root(party: Party, c: Share) -> Factor:
    """⟨Z⟩ with ZᵀCZ = 2^k I, for an equilibrated C (62 bits).

    Leaks nothing. `unsound` must be consulted before anything that follows from Z is used: it tells if C has an
    eigenvalue below SMALLEST or is not positive definite. 7 + 4 × iterations rounds.
    """
    d = c.shape[0]
    k = (d - 1).bit_length()
    a, y = truncate_each(party, (c, MATRIX_BITS + k - _FINE), (c, MATRIX_BITS + k - _Y))
    z = public(party.rank, _identity(d, _Z))
    for alpha, gamma in schedule(np.sqrt(SMALLEST / 2.0**k)):
        zy = matmul_rescaled(party, z, y, _Y + _Z - (_T - _EIGHTHS))
        t = _identity(d, _T - _EIGHTHS) * np.uint64(alpha) - zy * gamma
        y, z = matmul_rescaled_each(party, (y, t, _T), (t, z, _T))
    e = _deviation(party, a, z)
    corrected, norm = _correct(party, z, e)
    return Factor(corrected, a, norm, k)


def solve(party: Party, factor: Factor, b: Share) -> Share:
    """⟨β⟩ with Cβ = b, 30 bits, for b (d×p, 62 bits) with |b| < 1 and bᵀC⁻¹b <= 1 in each column.

    That holds for b = Xᵀy where [X y] has the equilibrated Gram matrix [C b; bᵀ c]. Then |βⱼ| <= √(C⁻¹)ⱼⱼ, and the
    error of βⱼ after refinement is a small multiple of 2^-30. 13 rounds.
    """
    k, z = factor.halvings, factor.z
    fine, short = truncate_each(party, (b, MATRIX_BITS + k - _FINE), (b, MATRIX_BITS + k - 36))
    q = matmul_rescaled(party, z.T, short, ROOT_BITS + 36 - 26)
    beta = matmul_rescaled(party, z, q, ROOT_BITS + 26 - SOLUTION_BITS)
    residual = _residual(party, factor.a, beta, fine)  # 54 bits
    q = matmul_rescaled(party, z.T, residual, ROOT_BITS + 54 - 38)
    return beta + matmul_rescaled(party, z, q, ROOT_BITS + 38 - SOLUTION_BITS)


def solve_scaled(party: Party, a: Share, b: Share, bits: int) -> tuple[Share, Share]:
    """⟨x⟩ with Ax = B, and ⟨1⟩ (one value) where it must not be used, ⟨0⟩ else.

    A: symmetric positive definite d×d, B: d×p, x: `bits` fraction bits each. The error of x is about 2^-18 of the
    largest entry of its column or 2^-24 · √(1/Aⱼⱼ), whichever is more. Not usable: A is not symmetric to 2^-14, not
    positive definite, or has an eigenvalue below 2^-17 once its diagonal is scaled to 1; an entry of B is too large
    for A, or one of x is 2^17 or more. 110 + 4 × iterations rounds.
    """
    d, p = b.shape
    c, normal = equilibrate(party, a)
    up = normal.power(lambda s: s).reshape(d, 1).broadcast_to((d, p))
    absolute = _absolute(party, b)
    large = TOP - 1 - d.bit_length() - _exponent(normal, lambda s: s, (d, 1), (d, p))
    wrong = [negative(party, large - _position(normalize(party, absolute)))]
    scaled = multiply(party, concatenate([up, up]), concatenate([b, absolute]))
    size = normalize(party, scaled[d:].sum(axis=0))
    raised = multiply(party, scaled[:d], _across(size.power(lambda s: min(2 * s, _RAISE)), (d, p)))
    factor = inverse_root(party, c)
    x = solve(party, factor, truncate(party, raised, _ROOM))
    grown = _exponent(normal, lambda s: s, (d, 1), (d, p))
    grown = grown + _exponent(size, lambda s: _RAISE - min(2 * s, _RAISE), (1, p), (d, p))
    position = _position(normalize(party, _absolute(party, x)))
    wrong.append(negative(party, TOP - 1 - position - grown))
    lowered = _across(size.power(lambda s: _RAISE - min(2 * s, _RAISE)), (d, p))
    back = multiply(party, x, multiply(party, up, lowered))
    wrong += [unsound(party, factor), _skew(party, c)]
    every = concatenate([flag.reshape(-1) for flag in wrong]).sum()
    return truncate(party, back, SOLUTION_BITS + _RAISE - _ROOM - bits), negative(party, -every)


def unsound(party: Party, factor: Factor) -> Share:
    """⟨1⟩ where ‖E‖ is out of bounds, in one of two values, else ⟨0⟩. 8 rounds."""
    return negative(party, margins(factor))


def margins(factor: Factor) -> Share:
    """Two values of which one is negative if ‖E‖ is out of bounds, for a caller with more to compare; local."""
    bound = 1 << 2 * (_NORM - DEVIATION_BITS)
    return concatenate([factor.deviation, bound - factor.deviation])


def schedule(smallest: float) -> list[tuple[int, int]]:
    """(α, γ) in eighths for every step, until x in [smallest, 1] has become 1 to within 2^-20.

    19/8 - 2x² multiplies small x by 2.375, keeps x = 1 at 3/8 (so that no eigenvalue loses its digits) and stays below
    1; 17/8 - 11x²/8 brings [3/8, 1] to [0.72, 1.02]; 12/8 - 4x²/8 is Newton's step.
    """
    steps = []
    while smallest < 3 / 8:
        smallest *= 19 / 8 - 2 * smallest**2
        steps.append((19, 16))
    return [*steps, (17, 11), *[(12, 4)] * 4]


def _deviation(party: Party, a: Share, z: Share) -> Share:
    """⟨E⟩ = ⟨I - ZᵀAZ⟩, 30 bits, with A in two words: a rounded A would be magnified by |A⁻¹|."""
    d = a.shape[0]
    high, low = _words(party, a)
    p = matmul(party, concatenate([high, low]), z)
    upper, lower = truncate_each(party, (p[:d], _COARSE + _Z - _P), (p[d:], _FINE + _Z - _P))
    return _identity(d, _E) - matmul_rescaled(party, z.T, upper + lower, _Z + _P - _E)


def _correct(party: Party, z: Share, e: Share) -> tuple[Share, Share]:
    """⟨Z(I + E/2 + 3E²/8)⟩ with 24 bits, (I - E)^(-1/2) to third order; and ⟨‖E‖²⟩ with 32.

    ‖E‖ from a copy of E with fewer bits: where the iteration failed, E is an arbitrary word, and its square must
    not wrap to something small.
    """
    d = e.shape[0]
    squared = matmul(party, e, e)
    half, three_eighths, short = truncate_each(party, (e, 1 + _E - _M), (squared * 3, 3 + 2 * _E - _M), (e, _E - _NORM))
    m = half + three_eighths + _identity(d, _M)
    norm = square(party, short).sum()
    return matmul_rescaled(party, z, m, _Z + _M - ROOT_BITS), norm


def _residual(party: Party, a: Share, beta: Share, b: Share) -> Share:
    """⟨b - Aβ⟩ with 54 bits, A and b given with 58. The difference is small, so that the high products may wrap."""
    high, low = _words(party, a)
    coarse = truncate(party, beta, SOLUTION_BITS - 20)
    d = a.shape[0]
    p = beta.shape[1]
    products = matmul(party, concatenate([high, low]), concatenate([beta, coarse], axis=1))
    bits = _COARSE + SOLUTION_BITS  # 69
    fine = truncate(party, products[d:, p:], _FINE + 20 - bits)
    return truncate(party, b * (1 << bits - _FINE) - products[:d, :p] - fine, bits - 54)


def _words(party: Party, a: Share) -> tuple[Share, Share]:
    """A = high · 2^19 + low: high with 39 bits, low with 58 bits and at most 19 of them used."""
    high = truncate(party, a, _FINE - _COARSE)
    return high, a - high * (1 << _FINE - _COARSE)


def _skew(party: Party, c: Share) -> Share:
    """⟨1⟩ where an equilibrated C is not symmetric to 2^-14, in one of two values, else ⟨0⟩."""
    short = truncate(party, c - c.T, MATRIX_BITS - 2 * _NORM + 1)
    norm = square(party, short).sum()
    return negative(party, concatenate([norm, (1 << 2 * (2 * _NORM - 15)) - norm]))


def _absolute(party: Party, x: Share) -> Share:
    """⟨|x|⟩, elementwise. 9 rounds."""
    return multiply(party, x, 1 - negative(party, x) * 2)


def _position(normal: Normal) -> Share:
    """⟨i⟩ for the leading bit 2^i of what was normalized, ⟨0⟩ for 0; local."""
    return (normal.bits * np.arange(normal.bits.shape[-1], dtype=np.uint64)).sum(axis=-1)


def _exponent(normal: Normal, exponent: Callable[[int], int], shape: Shape, across: Shape) -> Share:
    """⟨exponent(s)⟩ for the secret s of `normal`, spread over a matrix; local."""
    shifts = [exponent((TOP - position) // 2) for position in range(TOP + 1)]
    weighted = normal.bits[..., : TOP + 1] * np.array(shifts, np.uint64)
    return weighted.sum(axis=-1).reshape(*shape).broadcast_to(across)


def _across(row: Share, shape: Shape) -> Share:
    return row.reshape(1, shape[1]).broadcast_to(shape)


def _identity(d: int, bits: int) -> RingArray:
    return np.eye(d, dtype=np.uint64) * ring.element(1 << bits)
