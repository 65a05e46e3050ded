"""All random tapes of a protocol in a tiny ring, and what every coalition sees on them. See test_privacy."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from math import prod
from typing import Any

import numpy as np

from protocols import local
from protocols.shares import BitShare, Share, add_up, combine, combine_bits

Known = tuple[tuple[int, ...], ...]  # what each party knows
Digit = tuple[tuple[int, ...], int]  # of a tape: the parties that hold the stream, and which of its elements


class Lanes:
    """Runs on different tapes side by side along an axis of the arrays."""

    most = 1 << 17

    def __init__(self, n: int) -> None:
        self.n = n

    def spread(self, columns: Sequence[Any], shape: tuple[int, ...]) -> Any:
        axis = shape.index(self.n)
        rest = shape[:axis] + shape[axis + 1 :]
        return np.moveaxis(np.reshape(columns, (*rest, self.n)), -1, axis)

    def columns(self, array: Any) -> Any:
        return np.moveaxis(array, array.shape.index(self.n), -1).reshape(-1, self.n)

    def each(self, shape: tuple[int, ...]) -> int:
        return prod(shape) // self.n


class Blocks(Lanes):
    """For matrices: the blocks of a block-diagonal matrix, which sums and products keep apart."""

    most = 64

    def spread(self, columns, shape):
        rows, cols = (size // self.n for size in shape)
        out = np.zeros((self.n, rows, self.n, cols), np.uint64)
        out[range(self.n), :, range(self.n), :] = np.transpose(columns).reshape(self.n, rows, cols)
        return out.reshape(shape)

    def columns(self, array):
        rows, cols = (size // self.n for size in array.shape)
        blocks = array.reshape(self.n, rows, self.n, cols)[range(self.n), :, range(self.n), :]
        return blocks.reshape(self.n, -1).T

    def each(self, shape):
        return prod(shape) // self.n**2


@dataclass
class Tape:
    """A stream whose j-th element is digit j of the tape, on every lane its own."""

    digit: Callable[[int], Any]
    lanes: Lanes
    position: int = 0

    def ring(self, shape):
        first = self.position
        self.position += self.lanes.each(shape)
        return self.lanes.spread([self.digit(j) for j in range(first, self.position)], shape)


@dataclass(frozen=True)
class Tiny:
    """A protocol over Z_{2^k}: `program(party, lanes, *columns)` with a column for each value the party knows.

    `secrets`: bits and shift of every secret of its one correlation, if not k bits without shift. `messages`: of the
    arrays that a party sends, in order, if not those of the first secret.
    """

    count: int
    k: int
    program: Callable[..., Any]
    secrets: Sequence[tuple[int, int]] = ()
    messages: Sequence[tuple[int, int]] = ()
    layout: type[Lanes] = Lanes

    def form(self, secret: int) -> tuple[int, int]:
        return self.secrets[secret] if self.secrets else (self.k, 0)

    def digits(self, known: Known) -> dict[Digit, tuple[int, int]]:
        """Bits and shift of every digit of a tape, from a run on zeros."""
        nothing = np.zeros(97, np.uint64)
        columns = [[nothing for _ in mine] for mine in known]
        parties, _ = self.run(columns, lambda digit: nothing, self.layout(97))
        streams = {(party.rank,): party.stream for party in parties}
        streams |= {(i, j): parties[i].common(j) for i, j in combinations(range(self.count), 2)}
        return {
            (holders, j): self.form(j) if len(holders) == 1 else (self.k, 0)
            for holders, stream in streams.items()
            for j in range(stream.position)
        }

    def run(self, columns, value: Callable[[Digit], Any], lanes: Lanes):
        """All parties with what they know, and their results; `value` of a digit is a column."""

        def stream(*holders: int) -> Tape:
            return Tape(lambda j: value((tuple(sorted(holders)), j)), lanes)

        parties = local.parties(self.count, bytes(32))
        parties[0].ideal_dealer.streams = [stream(rank) for rank in range(self.count)]
        for party in parties:
            party.stream = stream(party.rank)
            party.streams = {peer: stream(party.rank, peer) for peer in party.streams}
        return parties, local.run_all(parties, lambda p: self.program(p, lanes, *columns[p.rank]))

    def view(self, coalition, parties, results, digits, lanes):
        """(column, bits) of all that a coalition sees."""
        seen = [(column, bits) for (holders, _), (column, bits) in digits.items() if coalition & set(holders)]
        outside = [party for party in parties if party.rank not in coalition]
        sent = [[a for m in p.sent if m.receiver in coalition for a in m.arrays] for p in outside]
        arrays = [([a], self.messages[i] if self.messages else self.form(0)) for p in sent for i, a in enumerate(p)]
        if 0 in coalition:
            for correlation, corrections in parties[0].ideal_dealer.dealt:
                first = len(correlation.drawn())
                arrays += [([array], self.form(first + i)) for i, array in enumerate(corrections)]
        shares = [results[party.rank] for party in outside[1:]]
        arrays += [([x.values], self.form(-1)) for x in shares if isinstance(x, Share | BitShare)]
        for group, (bits, shift) in arrays:
            for array in group:
                seen += [(column >> np.uint64(shift), bits) for column in lanes.columns(array)]
        return seen


Check = Callable[[Any, Any, Any, Lanes], None]


def leaks(tiny: Tiny, known: Sequence[Known], learns=lambda coalition, mine: None, check: Check | None = None):
    """Coalitions, each with inputs under which its views are not distributed as under earlier ones.

    `learns`: what a coalition learns of given inputs. `check`: holds of all runs.
    """
    coalitions = [frozenset(c) for n in range(1, tiny.count) for c in combinations(range(tiny.count), n)]
    digits = tiny.digits(known[0])
    tape_bits = sum(bits for bits, _ in digits.values())
    total = len(known) << tape_bits
    codes = {c: np.empty(total, np.uint64) for c in coalitions}
    for first in range(0, total, tiny.layout.most):
        at = np.arange(first, min(first + tiny.layout.most, total))
        mine = [np.array([row[rank] for row in known], np.uint64)[at >> tape_bits].T for rank in range(tiny.count)]
        tape = _digits_of(at, digits)
        lanes = tiny.layout(len(at))
        shifted = {name: column << np.uint64(digits[name][1]) for name, (column, _) in tape.items()}
        parties, results = tiny.run(mine, shifted.__getitem__, lanes)
        if check:
            check(parties, results, mine, lanes)
        for c in coalitions:
            codes[c][at] = _code(tiny.view(c, parties, results, tape, lanes), len(at))
    return _differing(known, codes, learns)


def _digits_of(tape, digits):
    """(column, bits) of every digit, without its shift."""
    columns, low = {}, 0
    for name, (bits, _) in digits.items():
        columns[name] = ((tape >> low) & ((1 << bits) - 1)).astype(np.uint64), bits
        low += bits
    return columns


def _code(view, n):
    """One number for a view; different views have different numbers."""
    assert sum(bits for _, bits in view) <= 64
    code = np.zeros(n, np.uint64)
    for column, bits in view:
        code = code << np.uint64(bits) | column & np.uint64((1 << bits) - 1)
    return code


def _differing(known, codes, learns):
    found, compared, first = [], 0, {}
    for coalition, flat in codes.items():
        for row, mine in zip(np.sort(flat.reshape(len(known), -1)), known, strict=True):
            key = coalition, tuple(mine[rank] for rank in sorted(coalition)), learns(coalition, mine)
            compared += key in first
            if not np.array_equal(first.setdefault(key, row), row):
                found.append((sorted(coalition), mine))
    assert compared, "no two inputs were compared"
    return found


# Inputs


def owned(count: int, k: int, owners: Sequence[int]) -> list[Known]:
    """Every value of each operand, which its owner knows; the others hold zero as their share."""
    values = product(range(1 << k), repeat=len(owners))
    return [
        tuple(tuple(v if owner == rank else 0 for v, owner in zip(row, owners, strict=True)) for rank in range(count))
        for row in values
    ]


def all_shares(count: int, k: int, operands: int) -> list[Known]:
    """All shares of all operands at all parties."""
    return list(product(product(range(1 << k), repeat=operands), repeat=count))


def is_sharing_of(exact: Callable[..., Any], k: int) -> Check:
    """Shares of the result combine to `exact` of the operands, which are the sums of what the parties know."""

    def check(parties, results, mine, lanes):
        whole = [add_up(column) for column in zip(*mine, strict=True)]
        join = combine if isinstance(results[0], Share) else combine_bits
        for ours, expected in zip(lanes.columns(join(results)), np.atleast_2d(exact(*whole)), strict=True):
            assert not ((ours ^ expected) & np.uint64((1 << k) - 1)).any()

    return check
