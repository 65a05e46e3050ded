"""Every correlation without a third party: what a dealer would compute, from transfers between every two parties.

A sum over parties is local; what is not are products of one party's value with another's, and those are `Product` and
`Conjunction` of `transfers` ([Gil99] for the ring, [GMW87] for bits). With aᵢ, bᵢ the uniform shares that parties draw:

    products     ab = Σ aᵢbᵢ + Σ_{i≠j} aᵢbⱼ, elementwise, bit by bit, or of matrices. A matrix product takes a transfer
                 for each bit of the smaller side, with messages as long as the other side
    squares      a² = Σ aᵢ² + 2 Σ_{i<j} aᵢaⱼ
    private      a known to one party and b to another: the one product of these two
    random bits  each party draws a bit, s is their exclusive or; ⟨s⟩ comes by folding in one party after another,
                 s ⊕ β = s + β - 2sβ, where sβ takes one transfer from each party before ([RW19], [EGKRS20])
    r, its top bit, r >> f: weighted sums of such bits, local
    segments     of two digits, one-hot as below, products of bits, which become numbers as random bits do
    sines        of r as if it were in the middle of its segment, of 2^8: weighted sums of one-hot segments, local
    digits       one-hot digits are moved by each party's digit when its bits are folded in, by the same transfers

Every part that is not a party's own draw is then refreshed by a sharing of zero from streams that each two parties
hold in common, so that shares are uniform whatever was sent. Semi-honest, all but one; see `ot_roy22` for what nothing
notices.

A maker is a generator: it yields jobs, and is sent this party's shares of their results. Makers of many correlations
run side by side, so that their jobs share rounds.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from itertools import combinations, cycle, permutations
from typing import Any, Protocol, TypeAlias

import numpy as np

from protocols import ring
from protocols.beaver import Masks, PrivateTriple, Products
from protocols.binary import WordTriple
from protocols.conversion import DaBits
from protocols.descent import DescentMasks, each
from protocols.digits import TABLE_WORDS, DigitMasks
from protocols.flooring import FloorMasks
from protocols.folding import Folding, scaled, truncation_parts, weighted
from protocols.functions import BoundedRandom
from protocols.inputs import zero
from protocols.masks import remember
from protocols.party import Correlation, Stream
from protocols.pieces import Arrays, groups, joined, pieces_of
from protocols.rescaling import RescaledProducts
from protocols.ring import BITS, RingArray, Shape
from protocols.segments import MOST, SegmentMasks, factors
from protocols.selection import SelectionMasks
from protocols.shares import xor_up
from protocols.sines import SineMasks, waves_of_middles
from protocols.transfers import Conjunction, Job, Product
from protocols.truncation import TruncationMask

Maker: TypeAlias = Generator[Sequence[Job], Sequence[RingArray | None], Arrays]

_PRODUCTS = 1 << 16  # products of numbers in a matrix product that are made at once
_LONGEST = 1 << 12  # ring elements in one message


class Runner(Protocol):
    """What makes jobs: `transfers.Transfers`, or a count of their cost."""

    @property
    def rank(self) -> int: ...

    @property
    def count(self) -> int: ...

    def run(self, jobs: Sequence[Job]) -> list[RingArray | None]: ...


class Dealerless:
    """Makes correlations. `own`: a stream of nobody else's; `common`: for each peer the one that both hold.

    `masks`: this party's parts of those that are kept, by number.
    """

    def __init__(
        self, runner: Runner, own: Stream, common: Mapping[int, Stream], masks: dict[int, RingArray] | None = None
    ) -> None:
        self._runner, self._own, self._common = runner, own, common
        self.rank, self.count = runner.rank, runner.count
        self.masks = {} if masks is None else masks
        self._turns = cycle(range(self.count))

    def make(self, correlations: Sequence[Correlation[Any]]) -> list[Arrays]:
        """This party's part of each. Raises ValueError for a kind that has no maker."""
        pieces = [(number, piece) for number, one in enumerate(correlations) for piece in pieces_of(one)]
        for one in correlations:  # before anything is sent
            if not isinstance(one, RescaledProducts):  # which is cut into others
                _maker(one)
        made: list[list[Arrays]] = [[] for _ in correlations]
        self._turns = cycle(range(self.count))  # what is asked for alone says whose turn it is
        for group in groups(pieces):
            parts = self._side_by_side([_maker(piece)(self, piece) for _, piece in group])
            for (number, _), part in zip(group, parts, strict=True):
                made[number].append(part)
        return [joined(one, parts) for one, parts in zip(correlations, made, strict=True)]

    def _side_by_side(self, makers: Sequence[Maker]) -> list[Arrays]:
        done: dict[int, Arrays] = {}
        wanted: dict[int, Sequence[Job]] = {}
        answers: dict[int, Sequence[RingArray | None] | None] = dict.fromkeys(range(len(makers)))
        while answers:
            for number, answer in answers.items():
                try:
                    wanted[number] = makers[number].send(answer)  # type: ignore[arg-type]  # None begins
                except StopIteration as stop:
                    done[number] = stop.value
            results = iter(self._runner.run([job for jobs in wanted.values() for job in jobs]) if wanted else ())
            answers = {number: [next(results) for _ in jobs] for number, jobs in wanted.items()}
            wanted = {}
        return [done[number] for number in range(len(makers))]

    # What makers use

    def common(self, peer: int) -> Stream:
        return self._common[peer]

    def draw(self, shape: Shape) -> RingArray:
        return self._own.ring(shape)

    def fresh(self, values: RingArray) -> RingArray:
        """`values` plus a share of zero."""
        return values + zero(self, values.shape).values

    def fresh_words(self, values: RingArray) -> RingArray:
        """`values` with a share of zero under exclusive or."""
        values = values.copy()
        for stream in self._common.values():
            values ^= stream.ring(values.shape)
        return values

    def fold(self, words: RingArray, *, digits: bool = False) -> Folding:
        """Another party comes first in each call, so that the work of all is alike."""
        first = next(self._turns)
        order = [(first + rank) % self.count for rank in range(self.count)]
        return Folding(self.rank, order, words.reshape(-1), digits=digits)

    def pairs(self) -> list[tuple[int, int]]:
        return list(permutations(range(self.count), 2))

    def product(
        self, sender: int, receiver: int, x: RingArray, y: RingArray
    ) -> Generator[Sequence[Job], Sequence[RingArray | None], RingArray]:
        """This party's share of xy for the sender's x (E×m) and the receiver's y (E); zero if it is neither."""
        total = np.zeros(x.shape, np.uint64)
        cuts = range(0, x.shape[1], _LONGEST)
        mine_x, mine_y = self.rank == sender, self.rank == receiver
        jobs = [
            Product(
                sender, receiver, len(x), min(_LONGEST, x.shape[1] - at),
                x[:, at : at + _LONGEST] if mine_x else None, y if mine_y else None,
            )
            for at in cuts
        ]  # fmt: skip
        for at, share in zip(cuts, (yield jobs), strict=True):
            if share is not None:
                total[:, at : at + _LONGEST] = share
        return total

    def together(self, makers: Sequence[Generator[Sequence[Job], Any, RingArray]]) -> Any:
        """The sum of what several makers return, their jobs in the same rounds; each yields once."""
        found = yield from self.apart(makers)
        return sum(found)

    def apart(self, makers: Sequence[Generator[Sequence[Job], Any, RingArray]]) -> Any:
        """What several makers return, their jobs in the same rounds; each yields once."""
        asked = [next(maker) for maker in makers]
        results = iter((yield [job for jobs in asked for job in jobs]))
        found: list[RingArray] = []
        for maker, jobs in zip(makers, asked, strict=True):
            try:
                maker.send([next(results) for _ in jobs])
            except StopIteration as stop:
                found.append(stop.value)
            else:
                raise ValueError("a maker among others yields once")
        return found


# Makers, one a kind


def _products(us: Dealerless, of: Products) -> Maker:
    drawn = [us.draw(secret.shape) for secret in of.drawn()]
    remember(us.masks, of.keeps(), drawn)
    a, b = of.views(us.masks)
    same = of.left[:-1] == of.right[:-1]  # but for what is fresh
    make = _matrices if of.matrices else _squares if same else _elements
    c = yield from make(us, a, b)
    return [*drawn, us.fresh(c)]


def _elements(us: Dealerless, a: RingArray, b: RingArray) -> Generator[Sequence[Job], Any, RingArray]:
    a, b = np.broadcast_arrays(a, b)
    x, y = a.reshape(-1, 1), b.reshape(-1)
    cross = yield from us.together([us.product(i, j, x, y) for i, j in us.pairs()])
    return np.asarray(a * b + cross.reshape(a.shape))


def _squares(us: Dealerless, a: RingArray, _: RingArray) -> Generator[Sequence[Job], Any, RingArray]:
    flat = a.reshape(-1)
    each = [us.product(i, j, flat.reshape(-1, 1), flat) for i, j in combinations(range(us.count), 2)]
    cross = yield from us.together(each)
    return np.asarray(a * a + cross.reshape(a.shape) * np.uint64(2))


def _matrices(us: Dealerless, a: RingArray, b: RingArray) -> Generator[Sequence[Job], Any, RingArray]:
    cross = yield from _matrix_crosses(us, a, b, us.pairs())
    return np.asarray(ring.matmul(a, b) + cross)


def _private_triple(us: Dealerless, of: PrivateTriple) -> Maker:
    a, b = (
        us.draw(secret.shape) if secret.owner == us.rank else np.zeros(secret.shape, np.uint64) for secret in of.drawn()
    )
    cross = yield from _matrix_crosses(us, a, b, [of.owners])
    return [a, b, us.fresh(cross)]


def _masks(us: Dealerless, of: Masks) -> Maker:
    drawn = [us.draw(of.shape)]
    remember(us.masks, of.keeps(), drawn)
    yield ()
    return drawn


def _matrix_crosses(
    us: Dealerless, a: RingArray, b: RingArray, ways: Sequence[tuple[int, int]]
) -> Generator[Sequence[Job], Any, RingArray]:
    """Shares of the products of one party's a and another's b, added up; in pieces of the sum over k."""
    (m, k), p = a.shape, b.shape[1]
    total = np.zeros((m, p), np.uint64)
    step = max(1, _PRODUCTS // max(1, m * p))
    for at in range(0, k, step):
        piece = a[:, at : at + step], b[at : at + step]
        total += yield from us.together([_matrix_cross(us, *piece, i, j) for i, j in ways])
    return total


def _matrix_cross(
    us: Dealerless, a: RingArray, b: RingArray, left: int, right: int
) -> Generator[Sequence[Job], Any, RingArray]:
    """A share of the product of party `left`'s a and party `right`'s b: transfers for the bits of the smaller one."""
    (m, k), p = a.shape, b.shape[1]
    if p <= m:
        x = np.broadcast_to(a.T[:, None, :], (k, p, m)).reshape(k * p, m)
        cross = yield from us.product(left, right, x, b.reshape(-1))
        return np.asarray(cross.reshape(k, p, m).sum(axis=0, dtype=np.uint64).T)
    x = np.broadcast_to(b[:, None, :], (k, m, p)).reshape(k * m, p)
    cross = yield from us.product(right, left, x, a.T.reshape(-1))
    return np.asarray(cross.reshape(k, m, p).sum(axis=0, dtype=np.uint64))


def _descent_masks(us: Dealerless, of: DescentMasks) -> Maker:
    """b, e, and products: A_Bᵀ e, to which a truncation mask is added to make s, and c. Some iterations at once."""
    b, e, _ = (us.draw(secret.shape) for secret in of.drawn())
    remember(us.masks, of.keeps(), [b])
    a = of.rows.of(us.masks[of.rows.number])
    c, gradient = each(a, b), each(a.swapaxes(1, 2), e)
    step = max(1, _PRODUCTS // max(1, ring.size(a.shape[1:])))
    for start in range(0, len(a), step):
        some = range(start, min(start + step, len(a)))
        products = [(a[at], b[at], c[at]) for at in some] + [(a[at].T, e[at], gradient[at]) for at in some]
        ways = [_matrix_cross(us, x, y[:, None], i, j) for x, y, _ in products for i, j in us.pairs()]
        crosses = yield from us.apart(ways)
        for at, cross in enumerate(crosses):
            total = products[at // len(us.pairs())][2]
            total += cross[:, 0]
    return [b, e, us.fresh(gradient), us.fresh(c)]


def _word_triple(us: Dealerless, of: WordTriple) -> Maker:
    a, b = us.draw(of.shape), us.draw((of.factors, *of.shape))
    x, y = b.reshape(of.factors, a.size).T, a.reshape(-1)
    jobs = [
        Conjunction(i, j, y.size, of.factors, x if us.rank == i else None, y if us.rank == j else None)
        for i, j in us.pairs()
    ]
    c = a & b
    for share in (yield jobs):
        if share is not None:
            c ^= share.T.reshape(c.shape)
    return [a, b, us.fresh_words(c)]


def _truncation_mask(us: Dealerless, of: TruncationMask) -> Maker:
    parts = truncation_parts((yield from us.fold(us.draw(of.shape)).all_bits()), of.bits)
    return [us.fresh(part.reshape(of.shape)) for part in parts]


def _digit_masks(us: Dealerless, of: DigitMasks) -> Maker:
    number, table = yield from _digits(us, ring.size(of.shape), of.words)
    return [us.fresh(number.reshape(of.shape)), us.fresh_words(table.reshape(*of.shape, of.words))]


def _digits(us: Dealerless, elements: int, words: int) -> Generator[Sequence[Job], Any, tuple[RingArray, RingArray]]:
    """⟨r⟩ and tables of `words`. A word that is folded has the digits of two or four elements if these need so few.

    The bits of r above are each party's own draws, as nobody asks for them one by one.
    """
    together = TABLE_WORDS // words
    folded = us.fold(us.draw((-(-elements // together),)), digits=True)
    if together == 1:
        number = yield from folded.number()
    else:
        bits = BITS // together
        each = yield from folded.all_bits()
        number = weighted(each.reshape(-1, bits), 0, bits)[:elements] + (us.draw((elements,)) << np.uint64(bits))
    return number, folded.table[:, : words * together].reshape(-1, words)[:elements]


def _floor_masks(us: Dealerless, of: FloorMasks) -> Maker:
    folded = us.fold(us.draw(of.shape), digits=True)
    parts = truncation_parts((yield from folded.all_bits()), of.bits)
    table = np.ascontiguousarray(folded.table[:, : of.words]).reshape(*of.shape, of.words)
    return [*(us.fresh(part.reshape(of.shape)) for part in parts), us.fresh_words(table)]


def _selection_masks(us: Dealerless, of: SelectionMasks) -> Maker:
    number, table = yield from _digits(us, of.elements, of.words)
    r = np.concatenate([number[None], us.draw((of.others, of.elements))])
    folded = us.fold(us.draw((-(-of.elements // BITS),)))
    bits = yield from folded.all_bits()
    padded = np.zeros((len(r), folded.words.size * BITS), np.uint64)
    padded[:, : of.elements] = r
    products = yield from scaled(folded, padded.reshape(len(r), -1, BITS))
    parts = (part.reshape(*part.shape[:-2], -1)[..., : of.elements] for part in (bits, products))
    r[0] = us.fresh(number)
    return [r, folded.words, us.fresh_words(table), *map(us.fresh, parts)]


def _da_bits(us: Dealerless, of: DaBits) -> Maker:
    words = us.draw(of.shape)
    bits = yield from us.fold(words).all_bits()
    return [words, us.fresh(bits[:, : of.bits].reshape(*of.shape, of.bits))]


def _segment_masks(us: Dealerless, of: SegmentMasks) -> Maker:
    return [us.fresh(part) for part in (yield from _segments(us, of))]


def _segments(us: Dealerless, of: SegmentMasks) -> Maker:
    count = ring.size(of.shape)
    folded = us.fold(us.draw((count,)), digits=True)
    number = yield from folded.number()
    words, *other = factors(folded.table, of.bits)
    if other:
        words = yield from _conjoined(us, words, *other)
    bits = yield from us.fold(words).all_bits()
    one_hot = np.ascontiguousarray(bits).reshape(-1)[: count << of.bits]
    return [number.reshape(of.shape), one_hot.reshape(1 << of.bits, *of.shape)]


def _sine_masks(us: Dealerless, of: SineMasks) -> Maker:
    number, one_hot = yield from _segments(us, SegmentMasks(of.shape, MOST))
    columns = ring.matmul(waves_of_middles(MOST, of.terms), one_hot.reshape(1 << MOST, -1))
    return [us.fresh(number), us.fresh(columns.reshape(-1, *of.shape))]


def _conjoined(us: Dealerless, x: RingArray, y: RingArray) -> Generator[Sequence[Job], Any, RingArray]:
    mine = us.rank
    shares = yield [
        Conjunction(i, j, x.size, 1, x[:, None] if mine == i else None, y if mine == j else None) for i, j in us.pairs()
    ]
    return xor_up([x & y, *(share.reshape(-1) for share in shares if share is not None)])


def _bounded_random(us: Dealerless, of: BoundedRandom) -> Maker:
    words = us.draw(of.shape)
    bits = yield from us.fold(words).all_bits()
    return [words, us.fresh(weighted(bits, 0, of.bits).reshape(of.shape))]


_MAKERS: Mapping[type[Any], Callable[[Dealerless, Any], Maker]] = {
    Products: _products,
    PrivateTriple: _private_triple,
    DescentMasks: _descent_masks,
    Masks: _masks,
    WordTriple: _word_triple,
    TruncationMask: _truncation_mask,
    DigitMasks: _digit_masks,
    FloorMasks: _floor_masks,
    SelectionMasks: _selection_masks,
    DaBits: _da_bits,
    BoundedRandom: _bounded_random,
    SegmentMasks: _segment_masks,
    SineMasks: _sine_masks,
}


def _maker(correlation: Correlation[Any]) -> Callable[[Dealerless, Any], Maker]:
    if type(correlation) not in _MAKERS:
        raise ValueError(
            f"{type(correlation).__name__} has no maker in protocols/dealerless.py: only a dealer makes it"
        )
    return _MAKERS[type(correlation)]
