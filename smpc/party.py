"""The party that a program sees: who it is, how it shares its data, what it may reveal.

Every party runs the same program and must call the same operations in the same order; only `party.rank` or
`party.name` decides what is shared by whom.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import count
from math import prod
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from protocols import fixedpoint, inputs, ring
from protocols.errors import MessageError
from protocols.prg import fresh_seed
from smpc.array import SecretArray
from smpc.checks import BEST, CHECKS
from smpc.errors import ModelError, RangeError, StoreError
from smpc.ranges import ASSUMED, Bounds, Headroom, Range, declared, exactly, of_words
from smpc.secret import Rounding, Secret
from smpc.vault import Kept, Vault

if TYPE_CHECKING:
    from protocols import party as protocols_party
    from protocols.shares import Share
    from smpc.config import Column
    from smpc.data import Table
    from smpc.release import Gate

ProtocolParty: TypeAlias = "protocols_party.Party"

DEFAULT_FRACTION_BITS = 20
_AXES = 8
_TRUTH = 1  # what is announced in place of a number of fraction bits
_MOST = 1 << 28  # elements of one shared array: 2 GiB


@dataclass(frozen=True, eq=False)
class Party:
    """One party of a running program.

    `data`: its own table, where the run was given one. `columns`: what the manifest declares of every party's.
    `headroom`: what came closest to the limits of the ring.
    """

    protocol: ProtocolParty = field(repr=False)
    gate: Gate = field(repr=False)
    fraction_bits: int = DEFAULT_FRACTION_BITS
    data: Table | None = field(default=None, repr=False)
    columns: Mapping[str, Column] = field(default_factory=dict, repr=False)
    rounding: Rounding = "random"
    headroom: Headroom = field(default_factory=Headroom, repr=False)
    vault: Vault | None = field(default=None, repr=False)
    _numbers: count[int] = field(default_factory=lambda: count(1), repr=False)

    @property
    def rank(self) -> int:
        return self.protocol.rank

    @property
    def count(self) -> int:
        return self.protocol.count

    @property
    def name(self) -> str:
        return self.gate.names[self.rank]

    @property
    def names(self) -> tuple[str, ...]:
        """All computing parties, in rank order."""
        return self.gate.names

    def share(self, values: ArrayLike | None, owner: int | str, bounds: Bounds | None = None) -> SecretArray:
        """A secret array of what `owner` (rank or name) passes; the other parties pass None.

        `bounds`: the least and the largest value that there may be, or one number for both signs; public, and the same
        at all parties. What is computed from the array is refused if within these bounds it could become too large.
        Without, it is 2^24 in units of the last place: 16 for reals with the usual 20 fraction bits, 16 million for
        integers. Integers stay exact, reals are rounded to 2^-fraction_bits, and truth values are what a comparison
        makes. Shape and type become known to all: one round. Raises ValueError at the owner for values that are
        missing, no numbers, not finite or out of bounds.
        """
        rank = self._rank_of(owner)
        mine = None if self.rank != rank else _encode(values, self.fraction_bits, bounds)
        kind, shape = self._announce(mine, rank, bounds)
        share = inputs.share(self.protocol, None if mine is None else mine[0], rank, shape or (1,))
        if kind == _TRUTH:
            return SecretArray(self, share, shape, 0, Range(0, 1), truth=True)
        return SecretArray(self, share, shape, kind, declared(bounds, kind))

    def bounds(self, column: str) -> tuple[float, float]:
        """The range that the manifest declares for a column, for `share`; of a category that of the levels' numbers.

        Raises ValueError if it declares none.
        """
        declared_of = self.columns.get(column)
        if declared_of is not None and declared_of.levels:
            return 0.0, len(declared_of.levels) - 1.0
        if declared_of is None or declared_of.range is None:
            raise ValueError(f"the manifest declares no range for a column {column!r}")
        low, high = declared_of.range
        return low, high

    def reveal(self, array: Secret, to: Sequence[str] | None = None) -> Any:
        """See SecretArray.reveal."""
        what = f"reveal {next(self._numbers)}"
        opened = self.gate.release({what: array.share}, to)
        if opened is None:
            return None
        values = ring.to_int(opened[what]) if array.bits == 0 else fixedpoint.decode(opened[what], array.bits)
        return values.reshape(array.shape).astype(array.dtype)[()]

    def keep(self, name: str, public: Any = None, **arrays: Secret) -> None:
        """Keep this party's shares of the arrays for later programs of the same parties, and what is `public` of them.

        Every party writes NAME.kept into its folder for results, encrypted with its own key. `public`: what msgpack can
        hold. Nothing is opened; one round. Raises StoreError if it cannot be written, ValueError without a folder.
        """
        drawn = self._told("keep", np.frombuffer(fresh_seed(), "<u8").astype(np.uint64))
        identity = sha256(np.concatenate(drawn).tobytes()).digest()
        kept = {what: Kept(one.share.values, one.shape, one.bits, one.range, one.truth) for what, one in arrays.items()}
        self._own_vault().write(name, identity, public, kept)

    def kept(self, name: str) -> tuple[Any, dict[str, SecretArray]]:
        """What `keep` kept as `name`, as fresh shares; one round. Nothing is opened.

        Raises StoreError if it is not there, or not of one and the same run at all parties.
        """
        identity, public, arrays = self._own_vault().read(name)
        for rank, theirs in enumerate(self._told("kept", np.frombuffer(identity, "<u8").astype(np.uint64))):
            if theirs.tobytes() != identity:
                raise StoreError(f"{name}.kept of {self.names[rank]} is of another run than that of {self.name}")
        return public, {
            what: SecretArray(
                self, inputs.total(self.protocol, one.words), one.shape, one.bits, one.range, truth=one.truth
            )
            for what, one in arrays.items()
        }

    def _own_vault(self) -> Vault:
        if self.vault is None:
            raise ValueError("nothing can be kept here: say where with --out (of smpc run and local), or folder=")
        return self.vault

    def _told(self, step: str, mine: NDArray[np.uint64]) -> list[NDArray[np.uint64]]:
        """What each party tells all others, by rank."""
        others = [rank for rank in range(self.count) if rank != self.rank]
        theirs = self.protocol.exchange(step, {p: [mine] for p in others}, {p: [mine.shape] for p in others})
        return [mine if rank == self.rank else theirs[rank][0] for rank in range(self.count)]

    def require(self, check: str, wrong: Share) -> None:
        """Open to everyone whether one of CHECKS holds: ⟨0⟩ if it does, ⟨1⟩ if not. Raises ModelError if not."""
        if self.gate.announce(**{check: wrong})[check].any():
            raise ModelError(f"no result: {CHECKS[check]}")

    def choose(self, place: Secret) -> int:
        """Open to everyone a place among public alternatives, ⟨i⟩, that the program goes on with. Leaks i to all."""
        return int(self.gate.announce(**{BEST: place.share})[BEST].reshape(-1)[0])

    def _rank_of(self, owner: int | str) -> int:
        if isinstance(owner, str) and owner in self.names:
            return self.names.index(owner)
        if isinstance(owner, str) or not 0 <= owner < self.count:
            known = ", ".join(self.names)
            raise ValueError(f"no party is {owner!r}: it is one of {known}, or a rank below {self.count}")
        return owner

    def _announce(
        self, mine: tuple[NDArray[np.uint64], int, tuple[int, ...]] | None, owner: int, bounds: Bounds | None
    ) -> tuple[int, tuple[int, ...]]:
        """Kind and shape of the owner's array, from the owner to all, who must have the same bounds for it."""
        step = f"shape, bounds {exactly(bounds)}"
        others = [peer for peer in range(self.count) if peer != owner]
        if mine is not None:
            _, kind, shape = mine
            header = np.array([kind, len(shape), *shape, *[0] * (_AXES - len(shape))], np.uint64)
            self.protocol.exchange(step, {peer: [header] for peer in others}, {})
            return kind, shape
        (header,) = self.protocol.exchange(step, {}, {owner: [(2 + _AXES,)]})[owner]
        kind, axes, *dimensions = (int(value) for value in header)
        shape = tuple(dimensions[:axes])
        if (
            kind not in (0, _TRUTH, self.fraction_bits)
            or axes > _AXES
            or prod(max(length, 1) for length in shape) > _MOST
            or any(dimensions[axes:])
        ):
            raise MessageError(f"{self.names[owner]} announced an impossible shape", frozenset({owner}))
        return kind, shape


def _encode(
    values: ArrayLike | None, fraction_bits: int, bounds: Bounds | None
) -> tuple[NDArray[np.uint64], int, tuple[int, ...]]:
    """Ring elements; how many fraction bits they have, or _TRUTH; and the shape."""
    if values is None:
        raise ValueError("the owner passes the values to share, the other parties None")
    numbers = np.asarray(values)
    if numbers.dtype.kind not in "biuf" or numbers.ndim > _AXES or numbers.size > _MOST:
        raise ValueError(f"an array of {numbers.dtype} with shape {numbers.shape} cannot be shared")
    if numbers.dtype.kind == "b":
        return fixedpoint.encode_integers(numbers), _TRUTH, numbers.shape
    if numbers.dtype.kind in "iu":
        words, bits = fixedpoint.encode_integers(numbers), 0
    else:
        words, bits = fixedpoint.encode(numbers, fraction_bits), fraction_bits
    found, within = of_words(words), declared(bounds, bits)
    if words.size and not within.low <= found.low <= found.high <= within.high:
        assumed = f"±{math.ldexp(ASSUMED, -bits):,g}, which holds where none are said"
        raise RangeError(f"a value is not within {assumed if bounds is None else bounds}: share it with wider bounds=")
    return words, bits, numbers.shape
