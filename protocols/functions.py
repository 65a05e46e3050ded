"""Normalization by a secret power of two, square roots, and multiplication by a secret power of two.

normalize: the leading bit of v is found on bits ([CS10] O. Catrina, A. Saxena, "Secure Computation with
           Fixed-Point Numbers", FC 2010, protocol Norm); v is then scaled by an exact power of four.
roots:     Goldschmidt's coupled iteration for √m and 1/√m, [Ito97] M. Ito, N. Takagi, S. Yajima, "Efficient
           Initial Approximation for Multiplicative Division and Square Root by a Multiplication with
           Operand Modification", IEEE Trans. Computers 46(4), 1997. From a linear guess that is right
           within 10 % the relative error e becomes 3/2 e² in each step.

Nothing is opened but masked values.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, cast

import numpy as np

from protocols import ring
from protocols.beaver import multiply
from protocols.binary import leading_one
from protocols.card import card
from protocols.conversion import from_bits, to_bits
from protocols.party import Correlation, Part, Party, Secret
from protocols.rescaling import multiply_rescaled
from protocols.ring import RingArray, Shape
from protocols.shares import BitShare, Share, concatenate
from protocols.truncation import truncate

TOP = 61  # normalized values have their leading bit at 60 or 61: v·4^s lies in [2^60, 2^62)
MANTISSA_BITS = 62  # fraction bits of a normalized value: it stands for a real in [1/4, 1)
ROOT_BITS = 30
SQUARE_ROOT_BITS = 29

_COARSE = 28  # fraction bits of the mantissa inside the iteration
_STEPS = 3


class Normal(NamedTuple):
    """What `normalize` found; `bits` is one-hot along a last axis: the position of the leading bit."""

    mantissa: Share
    bits: Share

    def power(self, exponent: Callable[[int], int]) -> Share:
        """⟨2^exponent(s)⟩ for the secret s of v·4^s (0 for v = 0, or where the exponent is negative); local."""
        return _weigh(self.bits, exponent)

    def reaches(self, position: int) -> Share:
        """⟨1⟩ where the leading bit of v is at `position` or above, else ⟨0⟩; local."""
        return self.bits[..., position : TOP + 1].sum(axis=-1)


@card("CS10", adversary="semi-honest, all but one", rounds=14, elements=1176, per="64 elements")
def normalize(party: Party, v: Share) -> Normal:
    """⟨4^s v⟩ in [2^60, 2^62) with the secret s, for integers 0 <= v < 2^62; exact.

    v: one axis or more. For v = 0 the mantissa and all one-hot bits are zero.
    """
    bits = from_bits(party, leading_one(party, to_bits(party, v)))
    return Normal(multiply(party, v, _weigh(bits, lambda s: 2 * s)), bits)


def _weigh(bits: Share, exponent: Callable[[int], int]) -> Share:
    exponents = [exponent((TOP - position) // 2) for position in range(TOP + 1)]
    weights = np.array([1 << e if e >= 0 else 0 for e in exponents], np.uint64)
    return (bits[..., : TOP + 1] * weights).sum(axis=-1)


class Roots(NamedTuple):
    """⟨√m⟩ with 30 fraction bits and ⟨1/√m⟩ with 30."""

    root: Share
    inverse: Share


@card("Ito97", adversary="semi-honest, all but one", rounds=15, elements=30)
def roots(party: Party, m: Share) -> Roots:
    """⟨√m⟩ and ⟨1/√m⟩ for m in [1/4, 1), given with 62 fraction bits.

    Results: m's shape, 30 fraction bits each, relative error below 2^-22. All intermediate values are below
    4 in absolute value, products have at most 61 bits.
    """
    m = truncate(party, m, MANTISSA_BITS - _COARSE)
    guess = 69 * (1 << 25) - m * 5  # 2.15625 - 1.25 m with 30 fraction bits
    g = multiply_rescaled(party, m, guess, _COARSE)  # → √m, 30 fraction bits
    h = guess  # → 1/(2√m), 31 fraction bits
    for _ in range(_STEPS):
        r = truncate(party, (1 << 60) - multiply(party, g, h), 31)  # 1/2 - gh, 30 fraction bits
        both = concatenate([g, h])
        step = multiply_rescaled(party, both, concatenate([r, r]), 30)
        to_g, to_h = _split_in_two(step)
        g, h = g + to_g, h + to_h
    return Roots(g, h)  # 1/(2√m) with 31 fraction bits is 1/√m with 30


@card("Ito97", adversary="semi-honest, all but one", rounds=30, elements=3224, per="64 elements")
def square_root(party: Party, v: Share) -> Share:
    """⟨√v · 2^29⟩ for integers 0 <= v < 2^62, with a relative error below 2^-22; 0 for v = 0.

    For a v with f fraction bits the result has 29 + f/2. It is below 2^60.
    """
    normal = normalize(party, v)
    return multiply(party, roots(party, normal.mantissa).root, normal.power(lambda s: ROOT_BITS - s))


@dataclass(frozen=True)
class BoundedRandom(Correlation[Share]):
    """Uniform integers in [0, 2^bits), one for each element of `shape`: the lowest bits of random words."""

    shape: Shape
    bits: int

    def drawn(self) -> Sequence[Secret]:
        return (Secret(self.shape, BitShare),)

    def derived(self) -> Sequence[Secret]:
        return (Secret(self.shape),)

    def compute(self, *drawn: RingArray) -> Sequence[RingArray]:
        return (drawn[0] & ring.element((1 << self.bits) - 1),)

    def assemble(self, *parts: Part) -> Share:
        return cast("Share", parts[1])


@card("own composition", adversary="semi-honest, all but one", rounds=2, elements=5)
def scale_up(party: Party, x: Share, factor: Share, bits: int) -> Share:
    """⟨(x + ρ) · factor⟩ for secret factors that are powers of two in [1, 2^bits], ρ uniform in [0, 1).

    x, factor, result: one shape, with |x · factor| < 2^63. The plain product would end in as many zeros as
    the factor has, and who sees it when it is released would read the factor there. ρ, random bits below
    the last place of x, fills them: for a factor 2^e the lowest e bits of the result are uniform whatever x
    is, and the result is x · factor to within the factor, x's own last place. Raises ValueError unless 0 < bits < 31.
    """
    if not 0 < bits < 31:
        raise ValueError(f"random bits below the last place: 1 to 30, not {bits}")
    low = party.take(BoundedRandom(x.shape, bits))
    high, fill = _split_in_two(multiply(party, concatenate([x, low]), concatenate([factor, factor])))
    return high + truncate(party, fill, bits)


def _split_in_two(x: Share) -> tuple[Share, Share]:
    half = x.shape[0] // 2
    return x[:half], x[half:]
