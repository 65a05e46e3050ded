"""Masks that stay with their operand.

[MZ17] P. Mohassel, Y. Zhang, "SecureML", IEEE S&P 2017, section 4.1 (a data matrix is masked once for a whole
training); [PSSY21] A. Patra, T. Schneider, A. Suresh, H. Yalame, "ABY2.0", USENIX Security 2021, for all operands.

A share ⟨x⟩ that was opened as E = x - a keeps E and ⟨a⟩. Later products with x, or with a view of it, open nothing for
it; what they need is ⟨a ∘ b⟩ of masks that exist, or of one that does and a fresh one. Who makes correlations knows
masks by their number, and a view by its place in the mask's memory.

One mask hides one value: a share is never changed (its memory is locked when it gets a mask), a number is used once,
and what is computed from x is another share. E is uniform and is opened once; that it is used often says nothing new.
"""

from __future__ import annotations

import weakref
from collections.abc import Container, MutableMapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from protocols.opening import open_masked
from protocols.party import Party
from protocols.ring import BYTES, RingArray, Shape, size
from protocols.shares import Share


@dataclass(frozen=True, eq=False)
class Mask:
    """E = x - a, in the clear, and ⟨a⟩, of a whole share. Contiguous."""

    number: int
    opened: RingArray
    share: RingArray
    party: Party  # of whose run the number is

    def __repr__(self) -> str:
        return f"Mask({self.number}, shape={self.opened.shape})"


class Factor(NamedTuple):
    """A view of mask `number`: where it begins and its strides, in elements.

    `fresh`: the shape of the whole mask if it is drawn for this product, None if it is there.
    """

    number: int
    shape: Shape
    offset: int
    strides: tuple[int, ...]
    fresh: Shape | None = None

    def of(self, whole: RingArray) -> RingArray:
        """This view of a whole mask. Raises ValueError if it is not inside."""
        if not self.fits(whole.size):
            raise ValueError(f"{self} is no view of a mask of {whole.size} elements")
        if not size(self.shape):
            return np.empty(self.shape, np.uint64)
        steps = [stride * BYTES for stride in self.strides]
        return np.ndarray(self.shape, np.uint64, whole, self.offset * BYTES, steps)

    def fits(self, elements: int) -> bool:
        """Whether all of this view is in a mask of so many elements."""
        if not size(self.shape):
            return len(self.shape) == len(self.strides)
        low = high = self.offset
        for length, stride in zip(self.shape, self.strides, strict=True):
            if stride > 0:
                high += (length - 1) * stride
            else:
                low += (length - 1) * stride
        return low >= 0 and high < elements


def whole(number: int, shape: Shape, *, fresh: bool) -> Factor:
    """All of a mask of `shape`."""
    strides, step = [], 1
    for length in reversed(shape):
        strides.append(step)
        step *= length
    return Factor(number, shape, 0, _plain(shape, strides[::-1]), shape if fresh else None)


def remember(masks: MutableMapping[int, RingArray], numbers: Sequence[int], drawn: Sequence[RingArray]) -> None:
    """Keep fresh masks. Raises ValueError if a number is that of another one that is kept."""
    for number, mask in zip(numbers, drawn, strict=False):
        if number in masks:
            raise ValueError(f"mask {number} is kept already")
        masks[number] = mask


class Operand:
    """A share as a factor of products. `holder`: the share that has the mask, or is about to get one, as `new` are."""

    def __init__(self, x: Share, new: Container[Share] = ()) -> None:
        self.holder = self._x = x
        # A view of all of it may as well mask the source; for a part, a mask of its own is cheaper.
        if (source := x.source) is not None and (
            source.mask is not None or source in new or _moving(x) >= source.values.size
        ):
            self.holder = source

    def factor(self, number: int, *, fresh: bool) -> Factor:
        """`number`: of the holder's mask."""
        values, within = self._x.values, self.holder.values
        if self.holder is self._x or not values.size:
            factor = whole(number, values.shape, fresh=False)
            return factor._replace(fresh=within.shape) if fresh else factor
        offset, rest = divmod(_address(values) - _address(within), BYTES)
        if rest:
            raise ValueError("a view of ring elements that begins inside of one")
        strides = _plain(values.shape, [stride // BYTES for stride in values.strides])
        return Factor(number, values.shape, offset, strides, within.shape if fresh else None)


def masked_view(party: Party, x: Share) -> tuple[Mask, Factor]:
    """The mask of x, and which part of it is x's. Raises ValueError if x was not opened in this run."""
    operand = Operand(x)
    mask = mask_of(party, operand.holder)
    if mask is None:
        raise ValueError("a share that was not opened under a mask")
    return mask, operand.factor(mask.number, fresh=False)


def mask_of(party: Party, x: Share) -> Mask | None:
    """The mask that x has. Raises ValueError if it is another run's: there its number is that of another mask."""
    mask: Mask | None = x.mask
    if mask is not None and mask.party is not party:
        raise ValueError("a share that was opened under a mask in another run")
    return mask


def keep(party: Party, masks: Sequence[tuple[Share, int, RingArray]]) -> None:
    """Open each share under its mask a (this party's part), and let it keep it. One round, none for no masks."""
    if not masks:
        return
    opened = open_masked(party, *(Share(x.rank, x.values - a) for x, _, a in masks))
    for (x, number, a), e in zip(masks, opened, strict=True):
        attach(party, x, number, e, a)


def attach(party: Party, x: Share, number: int, opened: RingArray, share: RingArray) -> None:
    """Let a whole share keep the mask under which it was opened, all of mask `number`."""
    for locked in (x.values, opened, share):
        locked.flags.writeable = False
    mask = Mask(number, opened, share, party)
    object.__setattr__(x, "mask", mask)
    weakref.finalize(mask, party.forget, number).atexit = False


def _plain(shape: Shape, strides: Sequence[int]) -> tuple[int, ...]:
    """Strides of axes of length 1 mean nothing, and NumPy sets them as it likes: zero, the same at all parties."""
    return tuple(stride if length > 1 else 0 for length, stride in zip(shape, strides, strict=True))


def _moving(x: Share) -> int:
    """The number of elements, those that a broadcast repeats counted once."""
    return size(tuple(length for length, stride in zip(x.shape, x.values.strides, strict=True) if stride))


def _address(values: RingArray) -> int:
    address: int = values.__array_interface__["data"][0]
    return address
