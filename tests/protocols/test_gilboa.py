"""Products from pads: known answers, laws, all tapes in a tiny ring; and the folding of bits, which is made of them.

Why a run of the real code on few tapes is the whole protocol over Z_{2^k}. It is a product of x and y in [0, 2^k) by
k transfers, i < k, with pads pᵢ and qᵢ of which only the lowest k - i bits are used: shares have 2^i pᵢ mod 2^k, and
of dᵢ = x + pᵢ - qᵢ the lowest k - i bits are sent. The code has 64 transfers and sends 64 - i bits. Reduction mod 2^k
is a homomorphism, and rows i >= k, where yᵢ = 0, have 2^i times their pads: they vanish mod 2^k. So the code, run
with pads of zero in these, with pads pᵢ, qᵢ in [0, 2^(k-i)) in the others, with dᵢ looked at mod 2^(k-i) and shares
mod 2^k, is exactly that protocol. E is an axis along which everything is elementwise: all values of x, y and pads
are run side by side, a lane each. For k = 2 pads of k bits are enumerated too, and dᵢ is looked at mod 2^k: that is
more than is sent, and hides x no less.

Folding bits of three parties to arithmetic shares is enumerated in the same way: the generators of `dealerless` run
side by side on all tapes, with transfers that are ideal, whose pads are digits of the tape as what each two hold in
common is. Shares, pads and payloads are only added and multiplied, and bits choose: so reduction mod 2^k is exact.
"""

from dataclasses import dataclass
from functools import partial
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.dealerless import Dealerless
from protocols.folding import Folding
from protocols.prg import Prg
from protocols.products_gilboa99 import (
    accept,
    accept_bits,
    accept_each,
    expand,
    offer,
    offer_bits,
    offer_each,
    payload_words,
    shrink,
)
from protocols.shares import add_up
from tests.protocols.test_uniformity import assert_uniform

SEED = bytes(range(32))
EDGES = [0, 1, 2**64 - 1, 1 << 63, 1 << 32, (1 << 32) - 1]
ELEMENT = st.one_of(st.sampled_from(EDGES), st.integers(0, 2**64 - 1))


def pads(bits, e, m, seed=SEED):
    prg = Prg(seed)
    return prg.ring((bits, e, m)), prg.ring((bits, e, m))


def chosen(y, p, q):
    """h: of each p and q the one that y's bit chooses."""
    bit = (y >> np.arange(len(p), dtype=np.uint64)[:, None]) & np.uint64(1)
    return np.where(bit[..., None] == 1, q, p)


def test_shares_add_up_to_the_product():
    x, y = np.array([[3]], np.uint64), np.array([5], np.uint64)
    p, q = pads(64, 1, 1)
    payload, share = offer(x, p, q)
    assert share + accept(y, chosen(y, p, q), payload) == 15


def test_frozen_vectors(vectors):
    for v in vectors("ot_product"):
        e, m = v["shape"]
        p, q = pads(64, e, m, bytes.fromhex(v["seed"]))
        x, y = np.array(v["x"], np.uint64).reshape(e, m), np.array(v["y"], np.uint64)
        payload, share = offer(x, p, q)
        assert payload.tolist() == v["payload"]
        assert share.ravel().tolist() == v["shares"][0]
        assert accept(y, chosen(y, p, q), payload).ravel().tolist() == v["shares"][1]


# Laws


@given(st.data(), st.integers(0, 3), st.integers(1, 5), st.binary(min_size=32, max_size=32))
def test_shares_add_up_whatever_the_values_are(data, e, m, seed):
    x = np.array(data.draw(st.lists(ELEMENT, min_size=e * m, max_size=e * m)), np.uint64).reshape(e, m)
    y = np.array(data.draw(st.lists(ELEMENT, min_size=e, max_size=e)), np.uint64)
    p, q = pads(64, e, m, seed)
    payload, share = offer(x, p, q)
    np.testing.assert_array_equal(share + accept(y, chosen(y, p, q), payload), x * y[:, None])
    assert payload.shape == (payload_words(e * m),)


@given(st.data(), st.integers(0, 3), st.binary(min_size=32, max_size=32))
def test_another_number_for_each_bit(data, e, seed):
    x = np.array(data.draw(st.lists(ELEMENT, min_size=64 * e, max_size=64 * e)), np.uint64).reshape(64, e)
    y = np.array(data.draw(st.lists(ELEMENT, min_size=e, max_size=e)), np.uint64)
    p, q = pads(64, e, 1, seed)
    h, places = chosen(y, p, q), np.arange(64, dtype=np.uint64)[:, None]
    products = x * (y >> places & np.uint64(1))
    payload, share = offer(x[..., None], p, q)
    np.testing.assert_array_equal((share + accept(y, h, payload))[:, 0], (products << places).sum(axis=0, dtype="u8"))
    payload, share = offer_each(x, p[..., 0], q[..., 0])
    np.testing.assert_array_equal(share + accept_each(y, h[..., 0], payload), products)
    assert payload.shape == (64 * e,)


@given(st.lists(st.tuples(ELEMENT, ELEMENT), max_size=5), st.binary(min_size=32, max_size=32))
def test_shares_of_a_conjunction(operands, seed):
    x, y = (
        (np.array(column, np.uint64) for column in zip(*operands, strict=True)) if operands else np.empty((2, 0), "u8")
    )
    several = np.stack([x, ~x, x], axis=1)
    p, q = pads(64, len(x), 3, seed)
    payload, share = offer_bits(several, p, q)
    np.testing.assert_array_equal(share ^ accept_bits(y, chosen(y, p, q), payload), several & y[:, None])
    assert payload.shape == (3 * len(x),)


@pytest.mark.parametrize("shape", [(64, 1, 1), (64, 2, 1), (64, 3, 5), (64, 0, 1)])
def test_expanded_is_what_was_shrunk_where_it_counts(shape):
    d = Prg(SEED).ring(shape)
    payload = shrink(d)
    back = expand(payload, shape)
    weights = np.uint64(1) << np.arange(shape[0], dtype=np.uint64)[:, None, None]
    np.testing.assert_array_equal(back * weights, d * weights)
    np.testing.assert_array_equal(shrink(back), payload)
    assert payload.shape == (payload_words(shape[1] * shape[2]),)


@pytest.mark.parametrize("row", [1, 31, 32, 33, 63])
def test_of_each_difference_only_bits_that_count_are_sent(row):
    """Row i has 64 - i bits in the payload: 2,080 bits and not 4,096."""
    d = np.zeros((64, 2, 1), np.uint64)
    d[row] = 2**64 - 1
    assert sum(word.bit_count() for word in shrink(d).tolist()) == 2 * (64 - row)
    assert payload_words(2) * 64 == 2 * 2080


def test_operands_and_pads_are_left_as_they_are():
    x, (p, q) = Prg(bytes(32)).ring((3, 2)), pads(64, 3, 2)
    y = Prg(SEED).ring((3,))
    before = [array.copy() for array in (x, y, p, q)]
    payload, _ = offer(x, p, q)
    accept(y, p, payload)
    for array, old in zip((x, y, p, q), before, strict=True):
        np.testing.assert_array_equal(array, old)


def test_payload_and_both_shares_of_zeros_are_uniform():
    n = 1 << 10
    p, q = pads(64, n, 1)
    payload, share = offer(np.zeros((n, 1), np.uint64), p, q)
    assert_uniform(payload)
    assert_uniform(share)
    assert_uniform(accept(np.zeros(n, np.uint64), p, payload))


# Privacy, on all tapes


class Digits:
    """Numbers that go through all their values together: the lanes."""

    def __init__(self, *bits):
        lanes = np.arange(1 << sum(bits), dtype=np.uint64)
        self.columns = []
        for width in bits:
            self.columns.append(lanes & np.uint64((1 << width) - 1))
            lanes = lanes >> np.uint64(width)

    def pads(self, first, k):
        """k rows of the 64, of p or of q."""
        rows = np.zeros((64, len(self.columns[0]), 1), np.uint64)
        rows[:k, :, 0] = self.columns[first : first + k]
        return rows


def code(columns):
    """One number for each lane's values of (column, bits)."""
    total = np.zeros(len(columns[0][0]), np.uint64)
    for column, bits in columns:
        total = total << np.uint64(bits) | column & np.uint64((1 << bits) - 1)
    return total


def distributions(view, given):
    """For each value of `given` the sorted views of its lanes."""
    return {value: np.sort(view[given == value]) for value in np.unique(given).tolist()}


def tiny_product(k, widths, *, second=False):
    """x, y, what the receiver sees and both shares, on all tapes; `second`: and another x under the same pads."""
    digits = Digits(k, k, *widths, *widths, *([k] if second else []))
    x, y = digits.columns[:2]
    p, q = digits.pads(2, k), digits.pads(2 + k, k)
    h, view = chosen(y, p, q), []
    for operand in [x, *digits.columns[2 + 2 * k :]]:
        payload, sender = offer(operand[:, None], p, q)
        d = expand(payload, p.shape)
        view += [(rows[i, :, 0], widths[i]) for rows in (h, d) for i in range(k)]
    receiver = accept(y, h, payload)
    low = np.uint64((1 << k) - 1)
    return x, y, code(view), sender[:, 0] & low, receiver[:, 0] & low


TINY = [(1, [1]), (2, [2, 1]), (2, [2, 2]), (3, [3, 2, 1])]


@pytest.mark.parametrize(("k", "widths"), TINY)
def test_what_the_receiver_sees_does_not_depend_on_x(k, widths):
    x, y, view, _, _ = tiny_product(k, widths)
    for mine in range(1 << k):
        seen = distributions(view[y == mine], x[y == mine])
        assert len(seen) == 1 << k
        assert all(np.array_equal(one, seen[0]) for one in seen.values())


@pytest.mark.parametrize(("k", "widths"), TINY)
def test_shares_are_right_and_each_is_uniform(k, widths):
    """The sender's whatever both values are, and the receiver's too; together they are xy."""
    x, y, _, sender, receiver = tiny_product(k, widths)
    np.testing.assert_array_equal((sender + receiver) % (1 << k), x * y % (1 << k))
    both = x << np.uint64(k) | y
    for share in (sender, receiver):
        table = np.bincount((both << np.uint64(k) | share).astype(np.int64), minlength=1 << 3 * k)
        assert len(set(table.tolist())) == 1


def test_one_pad_for_two_values_is_caught():
    """Their difference is seen. (The second x is a digit as well; it is fixed here, and the first is not.)"""
    x, y, view, _, _ = tiny_product(2, [2, 1], second=True)
    for mine in range(4):
        seen = distributions(view[y == mine], x[y == mine])
        assert all(np.array_equal(one, seen[0]) for one in seen.values())  # over all second values: no difference yet
    second = Digits(2, 2, 2, 1, 2, 1, 2).columns[-1]
    for mine in range(4):
        at = (y == mine) & (second == 0)
        seen = distributions(view[at], x[at])
        assert not any(np.array_equal(seen[0], seen[other]) for other in range(1, 4))


def test_a_payload_with_a_pad_left_out_is_caught():
    """d = x + p: who has p, for y = 0, has x."""
    digits = Digits(2, 2, 2, 2)  # x, y's one bit and a rest, p, q
    x, y, p, q = digits.columns
    h = np.where(y & np.uint64(1), q, p)
    view = code([(h, 2), (x + p, 2)])
    for bit, leaks in ((0, True), (1, False)):
        seen = distributions(view[y == bit], x[y == bit])
        assert all(np.array_equal(one, seen[0]) for one in seen.values()) != leaks


@pytest.mark.parametrize("k", [1, 2])
def test_conjunction_of_words_of_k_bits(k):
    """All of x, y and the k bits of p and q that count, on the diagonal; the other bits of pads are never used."""
    x, y, p, q = Digits(k, k, k, k).columns
    rows = [
        np.broadcast_to(pad, (64, len(pad))) & (np.uint64(1) << np.arange(64, dtype=np.uint64)[:, None])
        for pad in (p, q)
    ]
    bits = (y >> np.arange(64, dtype=np.uint64)[:, None]) & np.uint64(1)
    h = np.where(bits == 1, rows[1], rows[0])
    payload, sender = (part.reshape(-1) for part in offer_bits(x[:, None], *(row[..., None] for row in rows)))
    receiver = accept_bits(y, h[..., None], payload)[:, 0]
    np.testing.assert_array_equal(sender ^ receiver, x & y)
    view = code([(np.bitwise_or.reduce(h), k), (payload, k)])
    for mine in range(1 << k):
        seen = distributions(view[y == mine], x[y == mine])
        assert all(np.array_equal(one, seen[0]) for one in seen.values())
    for share in (sender, receiver):
        table = np.bincount((((x << np.uint64(k) | y) << np.uint64(k)) | share).astype(np.int64), minlength=1 << 3 * k)
        assert len(set(table.tolist())) == 1


# Folding bits: all tapes of three parties mod 2^k


K, TAPE = 2, [*combinations(range(3), 2), *((job, pad) for job in range(3) for pad in "pq")]


@dataclass
class Seat:
    """A runner that is never asked: the test answers jobs."""

    rank: int
    count: int = 3


@dataclass
class Column:
    """A stream of one element, on every lane its own."""

    digit: np.ndarray

    def ring(self, shape):
        return self.digit.reshape(shape)


def fold(bits, tape, *, refresh=True, first=0):
    """Shares of the three parties' exclusive or, and all that each sees of streams and transfers, by name.

    Bits of a word do not meet: a lane is a bit of one.
    """
    lanes = len(tape[0, 1])
    common = [{p: Column(tape[min(rank, p), max(rank, p)]) for p in {0, 1, 2} - {rank}} for rank in range(3)]
    us = [Dealerless(Seat(rank), None, streams) for rank, streams in enumerate(common)]
    order = [(first + rank) % 3 for rank in range(3)]
    seen = [{way: tape[way] for way in combinations(range(3), 2) if rank in way} for rank in range(3)]
    words = [np.full(lanes // 64, -bit % 2**64, np.uint64) for bit in bits]
    makers = [Folding(rank, order, word, digits=False).all_bits() for rank, word in enumerate(words)]
    answers, number = [None] * 3, 0
    for _ in range(2):
        asked = [maker.send(answer) for maker, answer in zip(makers, answers, strict=True)]
        answers = [[], [], []]
        for jobs in zip(*asked, strict=True):
            for rank, result in enumerate(transfer(jobs, tape[number, "p"], tape[number, "q"], seen, number)):
                answers[rank].append(result)
            number += 1
    shares = []
    for one, maker, answer in zip(us, makers, answers, strict=True):
        with pytest.raises(StopIteration) as stop:
            maker.send(answer)
        share = stop.value.value.T.reshape(-1)
        shares.append(one.fresh(share) if refresh else share)
    return [share & np.uint64((1 << K) - 1) for share in shares], seen


def transfer(jobs, p, q, seen, number):
    """One product by an ideal transfer of pads, and what its two parties see of it."""
    sender, receiver = jobs[0].sender, jobs[0].receiver
    h = q if jobs[receiver].y.any() else p
    payload, theirs = jobs[sender].offer(p.reshape(64, -1, 1), q.reshape(64, -1, 1))
    mine = jobs[receiver].accept(h.reshape(64, -1, 1), payload)
    seen[sender] |= {(number, "p"): p, (number, "q"): q}
    seen[receiver] |= {(number, "h"): h, (number, "d"): payload}
    return [{sender: theirs, receiver: mine}.get(rank) for rank in range(3)]


SINGLE = [(0,), (1,), (2,)]


def all_views(run, coalitions):
    """For every input and coalition the sorted views on all tapes, outsiders' shares but one in the lowest bits."""
    numbers = np.arange(1 << K * len(TAPE), dtype=np.uint64)
    tape = {name: numbers >> np.uint64(K * i) & np.uint64((1 << K) - 1) for i, name in enumerate(TAPE)}
    for bits in product(range(2), repeat=3):
        shares, seen = run(bits, tape)
        assert not ((add_up(shares) ^ np.uint64(bits[0] ^ bits[1] ^ bits[2])) & np.uint64((1 << K) - 1)).any()
        for coalition in coalitions:
            known = {name: column for rank in coalition for name, column in seen[rank].items()}
            outside = [shares[rank] for rank in range(3) if rank not in coalition][1:]
            code = np.zeros(len(numbers), np.uint64)
            for column in [*known.values(), *outside]:
                code = code << np.uint64(K) | column & np.uint64((1 << K) - 1)
            yield bits, coalition, np.sort(code)


def leaking(run, coalitions):
    """Coalitions whose views depend on what the others put in; and those to whom an outsider's share is not uniform."""
    first, leaks, stale = {}, set(), set()
    for bits, coalition, view in all_views(run, coalitions):
        expected = first.setdefault((coalition, tuple(bits[rank] for rank in coalition)), view)
        if not np.array_equal(view, expected):
            leaks.add(coalition)
        counts = np.unique(view, return_counts=True)
        if len(coalition) == 1 and not is_uniform_in_the_lowest(*counts):
            stale.add(coalition)
    return leaks, stale


def is_uniform_in_the_lowest(values, counts):
    every = 1 << K
    return (
        not len(values) % every
        and (np.ptp(counts.reshape(-1, every), axis=1) == 0).all()
        and all((values[i::every] % every == i).all() for i in range(every))
    )


@pytest.mark.parametrize("first", range(3))
def test_folding_bits_shows_nothing_and_its_shares_are_fresh(first):
    assert leaking(partial(fold, first=first), [*SINGLE, *combinations(range(3), 2)]) == (set(), set())


def test_shares_that_are_not_refreshed_are_caught():
    _, stale = leaking(partial(fold, refresh=False), SINGLE)
    assert stale == {*SINGLE}


def test_one_pad_for_two_transfers_is_caught():
    leaks, _ = leaking(lambda bits, tape: fold(bits, tape | {(2, pad): tape[1, pad] for pad in "pq"}), [(2,)])
    assert leaks == {(2,)}
