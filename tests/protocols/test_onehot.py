"""One-hot digits that another party's digits move: known answers, laws, and all tapes of every pair of places."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.digits import one_hot
from protocols.onehot import PAYLOAD_WORDS, accept, offer
from protocols.prg import Prg
from protocols.transfers import BitProducts
from tests.protocols.test_uniformity import assert_uniform

SEED = bytes(range(32))


def pads(e, seed=SEED):
    prg = Prg(seed)
    return prg.ring((64, e)), prg.ring((64, e))


def chosen(y, p, q):
    """h: of each p and q the one that y's bit chooses."""
    return np.where(y >> np.arange(64, dtype=np.uint64)[:, None] & np.uint64(1) == 1, q, p)


def test_a_digit_moves_by_another():
    """5 ⊕ 3 = 6 in every place."""
    five, three, six = (np.array([digit * 0x1111111111111111], np.uint64) for digit in (5, 3, 6))
    p, q = pads(1)
    payload, share = offer(one_hot(five), p, q)
    np.testing.assert_array_equal(share ^ accept(three, chosen(three, p, q), payload), one_hot(six))


def test_frozen_vectors(vectors):
    for v in vectors("ot_onehot"):
        y, tables = (np.array(v[name], np.uint64) for name in ("y", "tables"))
        p, q = (pad & np.uint64(0xFFFF) for pad in pads(len(y), bytes.fromhex(v["seed"])))
        payload, share = offer(tables, p, q)
        assert payload.tolist() == v["payload"]
        assert share.tolist() == v["shares"][0]
        assert accept(y, chosen(y, p, q), payload).tolist() == v["shares"][1]
        payload[0] ^= np.uint64(1)
        assert payload.tolist() != v["payload"]


@given(st.lists(st.tuples(*[st.integers(0, 2**64 - 1)] * 2), max_size=4), st.binary(min_size=32, max_size=32))
def test_digits_of_any_words(pairs, seed):
    a, y = (np.array(column, np.uint64) for column in zip(*pairs, strict=True)) if pairs else np.empty((2, 0), "u8")
    p, q = pads(len(y), seed)
    payload, share = offer(one_hot(a), p, q)
    assert payload.shape == (PAYLOAD_WORDS * len(y),)
    np.testing.assert_array_equal(share ^ accept(y, chosen(y, p, q), payload), one_hot(a ^ y))


def test_any_tables_are_moved_not_only_digits():
    """A share of a table is any sixteen bits."""
    tables, y = Prg(SEED).ring((50, 4)), Prg(SEED).ring((50,))
    p, q = pads(50)
    payload, share = offer(tables, p, q)
    result = share ^ accept(y, chosen(y, p, q), payload)
    for i in range(16):
        for j in range(16):
            place = np.uint64(16 * (i % 4)) + (np.uint64(j) ^ y >> np.uint64(4 * i) & np.uint64(15))
            one = result[:, i // 4] >> np.uint64(16 * (i % 4) + j) & np.uint64(1)
            np.testing.assert_array_equal(one, tables[:, i // 4] >> place & np.uint64(1))


def test_operands_and_pads_are_left_as_they_are():
    tables, y, (p, q) = Prg(SEED).ring((3, 4)), Prg(SEED).ring((3,)), pads(3)
    before = [array.copy() for array in (tables, y, p, q)]
    payload, _ = offer(tables, p, q)
    accept(y, p, payload)
    for array, old in zip((tables, y, p, q), before, strict=True):
        np.testing.assert_array_equal(array, old)


# Privacy


TAPE = np.arange(32, dtype=np.uint64)  # v at the place and at its partner, the choice, and the bits of p and q there


@pytest.mark.parametrize("digit", [0, 5, 15])
@pytest.mark.parametrize("step", range(4))
def test_on_all_tapes_the_receiver_sees_nothing_of_the_digit_and_each_bit_of_a_share_is_uniform(digit, step):
    """Each place of a pair has its own bit of p and q; what is sent of it does not depend on other places' pads.

    The steps before have chosen nothing and have pads of zero, the steps after have no pads: their payload is not seen.
    """
    first, second, choice, p, q = (TAPE >> np.uint64(i) & np.uint64(1) for i in range(5))
    for at in places(step):
        tables = np.zeros((32, 4), np.uint64)
        shift = np.uint64(16 * (digit % 4))
        tables[:, digit // 4] = (first << np.uint64(at) | second << np.uint64(at ^ 1 << step)) << shift
        row = 4 * digit + step
        both = np.zeros((2, 64, 32), np.uint64)
        both[0, row], both[1, row] = p << np.uint64(at), q << np.uint64(at)
        y = choice << np.uint64(row)
        h = chosen(y, *both)
        payload, sender = offer(tables, *both)
        receiver = accept(y, h, payload)
        seen = lane(payload, step // 2, digit) >> np.uint16(at) & np.uint16(1)
        view = {}
        for lane_number in range(32):
            known = int(choice[lane_number]), int(first[lane_number]), int(second[lane_number])
            bit = int(h[row, lane_number]) >> at & 1, int(seen[lane_number])
            view.setdefault(known, []).append(bit)
        for mine in range(2):
            views = [sorted(view[mine, one, two]) for one in range(2) for two in range(2)]
            assert views == [views[0]] * 4
            assert len(set(views[0])) == 4
        for share in (sender, receiver):
            bits = share[:, digit // 4] >> shift + np.uint64(at) & np.uint64(1)
            assert all(
                bits[known_at(one, two, mine, first, second, choice)].sum() == 2
                for one, two, mine in np.ndindex(2, 2, 2)
            )


def known_at(one, two, mine, first, second, choice):
    return (first == one) & (second == two) & (choice == mine)


def places(step):
    """One of each pair, by the definition: bits 0 and 1 (or 2 and 3) of j are equal for even steps, unequal for odd."""
    return [j for j in range(16) if ((j >> (step & 2) & 1) == (j >> (step & 2) + 1 & 1)) == (step % 2 == 0)]


def lane(payload, half, digit):
    return payload.astype("<u8").view("<u2").reshape(2, 16, -1)[half, digit]


def test_numbers_and_digits_have_pads_of_their_own():
    """A transfer gives two words: what is sent of the number has only the first, of the digits only the second."""
    prg = Prg(SEED)
    one, other = (prg.ring((2, 64, 5, 2)) for _ in range(2))
    x, tables, y = prg.ring((5, 64)), prg.ring((5, 4)), prg.ring((5,))

    def sent(first, second, *, summed):
        p, q = np.stack([first[..., 0], second[..., 1]], axis=-1)
        payload, share = BitProducts(0, 1, 5, summed, True, x, tables).offer(p, q)
        job = BitProducts(0, 1, 5, summed, True, y=y)
        return np.split(payload, [-PAYLOAD_WORDS * 5]), np.split(share, [-4], axis=1), job.accept(p, payload)

    for summed in (False, True):
        base, first, second = (sent(*both, summed=summed) for both in ((one, one), (other, one), (one, other)))
        for part in range(2):
            assert (base[part][0] != first[part][0]).any()
            np.testing.assert_array_equal(base[part][0], second[part][0])
            assert (base[part][1] != second[part][1]).any()
            np.testing.assert_array_equal(base[part][1], first[part][1])
        np.testing.assert_array_equal(base[2][:, :-4], second[2][:, :-4])
        np.testing.assert_array_equal(base[2][:, -4:], first[2][:, -4:])


def test_payload_and_both_shares_of_zeros_are_uniform():
    e = 1 << 12
    p, q = pads(e)
    payload, share = offer(np.zeros((e, 4), np.uint64), p, q)
    assert_uniform(payload)
    assert_uniform(share)
    assert_uniform(accept(np.zeros(e, np.uint64), p, payload))


def test_a_payload_under_one_pad_alone_is_caught(monkeypatch):
    """With q = p the difference goes out bare."""
    p, _ = pads(1 << 10)
    payload, _ = offer(np.zeros((1 << 10, 4), np.uint64), p, p)
    with pytest.raises(AssertionError):
        assert_uniform(payload)
