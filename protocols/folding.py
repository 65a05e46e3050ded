"""Random words known to all parties together, from bits to arithmetic shares and one-hot digits: one party at a time.

[RW19] D. Rotaru, T. Wood, "MArBled Circuits", INDOCRYPT 2019; [EGKRS20] D. Escudero et al., "Improved Primitives for
MPC over Mixed Arithmetic-Binary Circuits", CRYPTO 2020, section 4: s ⊕ β = s + β - 2sβ. With ⟨s⟩ among the parties
before, and β the bit of the one that joins, sβ takes one transfer from each of them with the choice β; the same
transfer moves the shares of one-hot digits (`onehot`). The first party begins with its own bits and digits.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

import numpy as np

from protocols.bits import unpack
from protocols.digits import TABLE_WORDS, one_hot
from protocols.ring import BITS, RingArray
from protocols.shares import add_up, xor_up
from protocols.transfers import BitProducts, Job


class Folding:
    """Words s = ⊕ sⁱ of which each party has one summand.

    `order`: the parties, in the order in which they join. `words`: this party's summand, one axis. Arrays are elements
    × bits, or elements × words of one-hot digits if `digits` are wanted.
    """

    def __init__(self, rank: int, order: Sequence[int], words: RingArray, *, digits: bool) -> None:
        self.rank, self.order, self.words, self.digits = rank, order, words, digits
        first = rank == order[0]
        self.bits = np.ascontiguousarray(unpack(words if first else np.zeros_like(words), BITS).T).T
        self.table = one_hot(words) if first else np.zeros((words.size, TABLE_WORDS), np.uint64)

    def all_bits(self) -> Generator[Sequence[Job], Any, RingArray]:
        """⟨sᵢ⟩, elements × 64."""
        for turn in range(1, len(self.order)):
            yield from self._fold(turn)
        return self.bits

    def number(self) -> Generator[Sequence[Job], Any, RingArray]:
        """⟨s⟩ = ⟨Σ 2^i sᵢ⟩, elements; the last turn takes half of the bytes."""
        for turn in range(1, len(self.order) - 1):
            yield from self._fold(turn)
        before = weighted(self.bits, 0, BITS)
        both = yield from self._joined(len(self.order) - 1, summed=True)
        return before - both[:, 0] * np.uint64(2) + (self.words if self.rank == self.order[-1] else np.uint64(0))

    def _fold(self, turn: int) -> Generator[Sequence[Job], Any, None]:
        both = yield from self._joined(turn, summed=False)
        self.bits = self.bits - both * np.uint64(2)
        if self.rank == self.order[turn]:
            self.bits = self.bits + unpack(self.words, BITS)

    def _joined(self, turn: int, *, summed: bool) -> Generator[Sequence[Job], Any, RingArray]:
        """Products of bits so far with those of the party whose turn it is, which also move the digits."""
        joining, rank = self.order[turn], self.rank
        columns = 1 if summed else BITS
        jobs = [
            BitProducts(
                before, joining, self.words.size, summed, self.digits,
                self.bits if rank == before else None,
                self.table if rank == before and self.digits else None,
                self.words if rank == joining else None,
            )
            for before in self.order[:turn]
        ]  # fmt: skip
        shares = [share for share in (yield jobs) if share is not None]
        if not shares:
            return np.zeros((self.words.size, columns), np.uint64)
        if self.digits:
            self.table = xor_up([share[:, columns:] for share in shares])
        return add_up([share[:, :columns] for share in shares])


def scaled(folding: Folding, values: RingArray) -> Generator[Sequence[Job], Any, RingArray]:
    """⟨sᵢv⟩ of shares ⟨v⟩, arrays × words × 64, an element for each bit of the words s of `folding`.

    When β comes in, (s ⊕ β) v = sv + β (v - 2sv): a transfer from each other party moves its share of v - 2sv.
    """
    rank, order, words = folding.rank, folding.order, folding.words
    total = np.zeros_like(values)
    for joining in order:
        rest = values - total * np.uint64(2)
        jobs = [
            BitProducts(
                sender, joining, words.size, x=x if rank == sender else None, y=words if rank == joining else None
            )
            for sender in order for x in rest if sender != joining
        ]  # fmt: skip
        shares = [share for share in (yield jobs) if share is not None]
        for number in range(len(values)):
            total[number] += sum(shares[number :: len(values)], np.uint64(0))
        if rank == joining:
            total += unpack(words, BITS) * rest
    return total


def weighted(bits: RingArray, start: int, stop: int, shift: int = 0) -> RingArray:
    """Σ 2^(i - shift) bᵢ for i from start to stop, elements × bits."""
    total = np.zeros(len(bits), np.uint64)
    for i in range(start, stop):
        total += bits[:, i] << np.uint64(i - shift)
    return total


def truncation_parts(bits: RingArray, by: int) -> list[RingArray]:
    """⟨r⟩, of its bits (elements × 64), its top bit, and (r mod 2^63) >> by."""
    return [weighted(bits, 0, BITS), bits[:, BITS - 1], weighted(bits, by, BITS - 1, by)]
