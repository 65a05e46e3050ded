"""What has a negative sign: exact, and private on all tapes of a tiny ring."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from protocols import conversion, digits, local, ring, selection
from protocols.bits import from_octets, planes
from protocols.prg import Prg
from protocols.selection import in_elements, select, taken_by_select, where_negative
from protocols.shares import Share, combine, split
from tests.protocols.tiny import Lanes, Tiny, all_shares, leaks

SEED = bytes(range(32))


def run(x, bits, *values, count=2, preprocessing="dealer"):
    parts = [split(ring.from_int(one), count, Prg(SEED)) for one in (x, *values)]
    shares = local.run(
        count,
        lambda p: where_negative(p, parts[0][p.rank], bits, *(one[p.rank] for one in parts[1:])),
        SEED,
        preprocessing,
    )
    return [ring.to_int(combine(column)) for column in zip(*shares, strict=True)]


def test_what_is_negative_stays_and_the_rest_is_zero():
    assert [one.tolist() for one in run([5, -7, 0], 64, [1, 2, 3])] == [[0, 1, 0], [0, -7, 0], [0, 2, 0]]


def test_the_maximum_of_two_numbers():
    x, y = np.array([3, -9, 4]), np.array([7, 2, 4])
    np.testing.assert_array_equal(x - run(x - y, 8)[1], np.maximum(x, y))


@pytest.mark.parametrize("count", [2, 3, 5])
@pytest.mark.parametrize("preprocessing", ["dealer", "ot"])
@pytest.mark.parametrize("bits", [2, 4, 16, 17, 33, 64])
@pytest.mark.parametrize("others", [0, 1, 3])
def test_edge_values(count, preprocessing, bits, others):
    most = (1 << bits - 1) - 1
    x = np.array([0, 1, -1, most, -most, most - 1, 1 - most]).repeat(11)
    values = [ring.to_int(Prg(bytes([i] * 32)).ring(x.shape)) for i in range(others)]
    b, *products = run(x, bits, *values, count=count, preprocessing=preprocessing)
    np.testing.assert_array_equal(b, x < 0)
    for product, value in zip(products, (x, *values), strict=True):
        np.testing.assert_array_equal(product, np.where(x < 0, value, 0))


@settings(max_examples=20)
@given(st.data(), array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=9), st.sampled_from([2, 3, 5]))
def test_any_shape(data, shape, count):
    x, v = (data.draw(arrays(np.int64, shape, elements=st.integers(-(2**63), 2**63 - 1))) for _ in range(2))
    b, bx, bv = run(x, 64, v, count=count)
    for found, expected in ((b, x < 0), (bx, np.where(x < 0, x, 0)), (bv, np.where(x < 0, v, 0))):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(("bits", "rounds", "elements"), [(4, 2, 65), (16, 4, 73), (32, 5, 85), (64, 6, 109)])
def test_it_takes_no_more_than_the_sign_and_an_element_for_each_other(bits, rounds, elements):
    for others in range(3):
        parts = split(np.zeros(64, np.uint64), 2, Prg(SEED))
        parties = local.parties(2, SEED)
        local.run_all(parties, lambda p, x=parts, k=others: where_negative(p, x[p.rank], bits, *[x[p.rank]] * k))
        assert {(p.rounds, p.elements) for p in parties} == {(rounds, elements + 64 * others)}


@pytest.mark.parametrize("bits", [1, 4, 5, 12, 16, 17, 33, 63, 64])
@pytest.mark.parametrize("elements", [0, 1, 7, 8, 9, 64, 65, 200])
def test_what_is_taken_is_known_before(bits, elements):
    parties = local.parties(2, SEED)
    local.run_all(parties, lambda p: select(p, Share(p.rank, np.zeros((3, elements), np.uint64)), bits))
    assert parties[0].taken == taken_by_select(3, elements, bits)


@pytest.mark.parametrize(("shape", "bits"), [((2,), 0), ((2,), 65), ((1,), 64), ((2, 1), 64)])
def test_bad_arguments_are_refused_before_anything_is_sent(shape, bits):
    parties = local.parties(2, SEED)
    with pytest.raises(ExceptionGroup) as info:
        local.run_all(
            parties,
            lambda p: where_negative(
                p, Share(p.rank, np.zeros(2, np.uint64)), bits, Share(p.rank, np.zeros(shape, np.uint64))
            ),
        )
    assert {type(error) for error in info.value.exceptions} == {ValueError}
    assert not any(party.sent or party.taken for party in parties)


# All tapes


class Packed(Lanes):
    """Lanes of which some arrays have a bit each, 64 to a word."""

    @property
    def words(self):
        return (-(-self.n // 64),)

    def spread(self, columns, shape):
        if shape != self.words:
            return super().spread(columns, shape)
        return from_octets(planes(columns[0].astype(np.uint8)))

    def columns(self, array):
        return in_elements(array, self.n)[None] if array.shape == self.words else super().columns(array)

    def each(self, shape):
        return 1 if shape == self.words else super().each(shape)


def in_four(monkeypatch):
    """The ring of four elements: a word is one digit, of two bits, of which the upper one is the sign."""
    monkeypatch.setattr(selection, "one_hot", lambda r, words: digits.one_hot(r & np.uint64(3), words))
    monkeypatch.setattr(conversion, "_TOP", digits.chosen(lambda c, j: (c - j) % 4 >= 2))


def of_two_parties(program):
    """r, s, the table, ⟨s⟩, ⟨sr⟩; C, o."""
    forms = [(2, 0), (1, 0), (4, 0), (2, 0), (2, 0)]
    return Tiny(2, 2, program, secrets=forms, messages=[(2, 0), (1, 0)], layout=Packed)


def test_no_party_sees_anything_on_any_tape(monkeypatch):
    in_four(monkeypatch)

    def program(party, lanes, x):
        b, bx = select(party, Share(party.rank, x[None]), 4)
        return Share(party.rank, np.stack([b.values, bx.values[0]]))

    def check(parties, results, mine, lanes):
        x = sum(column for (column,) in mine) % np.uint64(4)
        b, bx = lanes.columns(combine(results)) % np.uint64(4)
        np.testing.assert_array_equal(b, x >= 2)
        np.testing.assert_array_equal(bx, np.where(x >= 2, x, 0))

    assert leaks(of_two_parties(program), all_shares(2, 2, 1), check=check) == []


def test_a_sign_that_is_opened_without_its_mask_is_caught(monkeypatch):
    in_four(monkeypatch)

    def program(party, lanes, x):
        party.stream.digit = lambda j, was=party.stream.digit: was(j) * (j != 1)  # no s
        return select(party, Share(party.rank, x[None]), 4)[0]

    assert leaks(of_two_parties(program), all_shares(2, 2, 1))
