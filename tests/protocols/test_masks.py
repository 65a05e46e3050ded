"""Masks that stay with their operand: what is opened once is not opened again, and no two values share a mask."""

import gc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols import local
from protocols.beaver import Products, matmul, multiply, open_once, square
from protocols.masks import Factor, whole
from protocols.prg import Prg
from protocols.shares import Share, combine, concatenate, split
from protocols.truncation import truncate
from tests.protocols.tiny import Tiny, all_shares, leaks

SEED = bytes(range(32))
X = Prg(SEED).ring((4, 6))
Y = Prg(bytes(32)).ring((4, 6))


def run(count, program, *values, preprocessing="dealer"):
    """What is combined of each result, and for each result the elements that party 0 sent to a peer."""
    dealt = [split(value, count, Prg(SEED)) for value in values]

    def counted(party):
        results, sent = [], []
        steps = program(party, *(parts[party.rank] for parts in dealt))
        while True:
            before = party.rounds, party.elements
            result = next(steps, None)
            if result is None:
                return results, sent
            results.append(result)
            sent.append((party.rounds - before[0], (party.elements - before[1]) // (count - 1)))

    everybody = local.run(count, counted, SEED, preprocessing)
    return [combine(column) for column in zip(*(results for results, _ in everybody), strict=True)], everybody[0][1]


@pytest.mark.parametrize("preprocessing", ["dealer", "ot"])
@pytest.mark.parametrize("count", [2, 3, 5])
def test_an_operand_is_opened_once(count, preprocessing):
    def program(party, x, y):
        yield multiply(party, x, y)
        yield multiply(party, x, y)
        yield square(party, x)
        yield multiply(party, x, y + 1)

    results, sent = run(count, program, X, Y, preprocessing=preprocessing)
    for result, exact in zip(results, (X * Y, X * Y, X * X, X * (Y + np.uint64(1))), strict=True):
        np.testing.assert_array_equal(result, exact)
    assert sent == [(1, 48), (0, 0), (0, 0), (1, 24)]


VIEWS = {
    "a row": lambda x: x[1],
    "a batch": lambda x: x[1:3],
    "every other, backwards": lambda x: x[::-2, 1::2],
    "transposed": lambda x: x.T,
    "reshaped": lambda x: x.reshape(2, 12),
    "a transposed batch of a reshaped one": lambda x: x.reshape(8, 3)[2:5].T,
    "broadcast": lambda x: x[2:3].broadcast_to((3, 6)),
    "new axes": lambda x: x[:, None, :, None],
    "one": lambda x: x[3:, 5],
}


@pytest.mark.parametrize("preprocessing", ["dealer", "ot"])
@pytest.mark.parametrize("name", VIEWS)
def test_a_view_has_the_view_of_the_mask(name, preprocessing):
    view = VIEWS[name]

    def program(party, x):
        open_once(party, x)
        yield square(party, view(x))
        yield multiply(party, view(x), view(x))

    results, sent = run(3, program, X, preprocessing=preprocessing)
    exact = view(Share(0, X)).values
    for result in results:
        np.testing.assert_array_equal(result, exact * exact)
    assert sent == [(1, 24), (0, 0)]


@pytest.mark.parametrize("name", ["transposed", "reshaped", "new axes"])
def test_a_view_of_all_masks_its_source(name):
    def program(party, x):
        yield square(party, VIEWS[name](x))
        yield square(party, x)

    assert run(2, program, X)[1] == [(1, 24), (0, 0)]


def test_a_part_gets_a_mask_of_its_own():
    def program(party, x):
        part = x[:2]
        yield square(party, part)
        yield square(party, part)
        yield square(party, x)
        yield square(party, x[:2])

    assert run(2, program, X)[1] == [(1, 12), (0, 0), (1, 24), (0, 0)]


def test_an_operand_that_is_broadcast_is_opened_as_it_is():
    def program(party, x, y):
        yield multiply(party, x[:, :1], y[:1])

    results, sent = run(2, program, X, Y)
    np.testing.assert_array_equal(results[0], X[:, :1] * Y[:1])
    assert sent == [(1, 4 + 6)]


CHANGES = {
    "a sum": lambda party, x: x + x,
    "a public sum": lambda party, x: x + 1,
    "plus nothing": lambda party, x: x + 0,
    "minus nothing": lambda party, x: x - 0,
    "times one": lambda party, x: x * 1,
    "negative": lambda party, x: -x,
    "summed": lambda party, x: x.sum(axis=0),
    "joined": lambda party, x: concatenate([x]),
    "chosen rows": lambda party, x: x[[0, 2]],
    "a product": lambda party, x: multiply(party, x, x),
    "truncated": lambda party, x: truncate(party, x, 20),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_is_computed_has_no_mask(name):
    def program(party, x):
        open_once(party, x)
        changed = CHANGES[name](party, x)
        assert changed.mask is None
        assert changed.source is None
        yield square(party, changed)

    size = {"summed": 6, "chosen rows": 12}.get(name, 24)
    others = {"truncated": (1, 24)}.get(name, (0, 0))
    assert run(3, program, X >> np.uint64(8))[1] == [(2 + others[0], 24 + others[1] + size)]


def test_a_masked_value_cannot_be_written_to():
    def program(party, x):
        open_once(party, x)
        with pytest.raises(ValueError, match="read-only"):
            x.values[0] = 0
        yield x

    run(2, program, X)


@pytest.mark.parametrize("count", [2, 3])
def test_parties_agree_on_masks_whatever_the_layout_of_their_values(count):
    """A party's own values may be a transposed view, another's a fresh array."""
    shares = split(X.T, count, Prg(SEED))
    shares[0] = Share(0, np.asfortranarray(shares[0].values)[:, ::1])

    def program(party):
        x = shares[party.rank] + 1
        return multiply(party, x.T, x.T), multiply(party, x[:2], x[2:4])

    results = local.run(count, program, SEED)
    exact = X + np.uint64(1)
    np.testing.assert_array_equal(combine([first for first, _ in results]), exact * exact)
    np.testing.assert_array_equal(combine([second for _, second in results]), exact.T[:2] * exact.T[2:4])


@pytest.mark.parametrize("preprocessing", ["dealer", "ot"])
def test_strides_of_axes_of_length_one_mean_nothing(preprocessing):
    """NumPy sets them as it likes, at one party so and at another so."""

    def program(party, x):
        column = x.reshape(24)[:, None] + 1
        yield matmul(party, column.T, column)
        yield multiply(party, x[:1].T + 1, x[:1].T + 2)

    results, _ = run(3, program, X, preprocessing=preprocessing)
    column = X.reshape(-1, 1) + np.uint64(1)
    np.testing.assert_array_equal(results[0], column.T @ column)
    np.testing.assert_array_equal(results[1], (X[:1] + np.uint64(1)).T * (X[:1] + np.uint64(2)).T)


# Numbers of masks, and who keeps them


def test_every_mask_has_a_number_of_its_own_and_is_forgotten_with_its_operand():
    shares = split(X, 2, Prg(SEED))
    parties = local.parties(2, SEED, "ot")

    def program(party):
        x = shares[party.rank] + 0
        for i in range(5):
            multiply(party, x, x + i)
        kept = dict(party.dealerless.masks)
        del x
        gc.collect()
        return sorted(kept), sorted(party.dealerless.masks)

    assert local.run_all(parties, program) == [([0], [])] * 2
    numbers = [number for one in parties[0].taken for number in one.keeps()]
    assert numbers == list(range(6))


@pytest.mark.parametrize(
    "factor",
    [
        Factor(0, (3,), 0, (1,)),
        Factor(0, (1,), 2, (1,)),
        Factor(0, (2,), 0, (-1,)),
        Factor(0, (2, 2), 0, (1, 1)),
        Factor(0, (1,), -1, (1,)),
    ],
)
def test_a_view_that_is_not_inside_is_refused(factor):
    with pytest.raises(ValueError, match="is no view of a mask of 2 elements"):
        factor.of(np.zeros(2, np.uint64))


# Privacy


def two_products(party, lanes, x, y, z):
    x = Share(party.rank, x)
    first = multiply(party, x, Share(party.rank, y))
    return first + multiply(party, x, Share(party.rank, z))


@pytest.mark.parametrize("count", [2, 3])
def test_on_all_tapes_two_products_with_one_operand_show_nothing(count):
    def check(parties, results, mine, lanes):
        x, y, z = (sum(column) for column in zip(*mine, strict=True))
        assert not ((combine(results) ^ x * (y + z)) & np.uint64(1)).any()
        assert [party.elements for party in parties] == [3 * lanes.n * (count - 1)] * count

    known = all_shares(count, 1, 3) if count == 2 else [(row[0], row[1], (0, 1, 1)) for row in all_shares(2, 1, 3)]
    assert leaks(Tiny(count, 1, two_products), known, check=check) == []


def test_a_mask_that_is_kept_by_a_changed_value_is_caught():
    def program(party, lanes, x, y):
        x, y = Share(party.rank, x), Share(party.rank, y)
        open_once(party, x)
        number = x.mask.number
        (a,) = (x.mask.share,)
        changed = x + y  # opened under the mask of x
        party.exchange("open", *({1 - party.rank: arrays} for arrays in ([changed.values - a], [changed.shape])))
        return square(party, x) if number else changed

    assert leaks(Tiny(2, 1, program), all_shares(2, 1, 2)) != []


# Random programs


steps = st.lists(
    st.tuples(st.sampled_from(["multiply", "matmul", "add", "negate", "view", "join"]), *[st.integers(0, 99)] * 3),
    min_size=1,
    max_size=12,
)


def apply(step, values, product, matrix, join):
    """One more value from those that are there."""
    what, i, j, k = step
    x, y = values[i % len(values)], values[j % len(values)]
    if what == "view":
        return list(SQUARE_VIEWS)[k % len(SQUARE_VIEWS)](x)
    if what == "add":
        return x + y
    if what == "negate":
        return -x
    if what == "join":
        return join(x, y)
    return (product if what == "multiply" else matrix)(x, y)


SQUARE_VIEWS = [
    lambda x: x.T,
    lambda x: x[::-1],
    lambda x: x[:, ::-1],
    lambda x: x.reshape(9).reshape(3, 3),
    lambda x: x[1:2][[0, 0, 0]],
]


@settings(max_examples=60)
@given(steps, st.sampled_from([2, 3]), st.sampled_from(["dealer", "ot"]))
def test_random_programs_are_exact_and_no_mask_hides_two_values(program, count, preprocessing):
    x = X[:3, :3].copy()
    shares = split(x, count, Prg(SEED))
    parties = local.parties(count, SEED, preprocessing)

    def live(party):
        values = [shares[party.rank] + 0]
        for step in program:
            values.append(
                apply(
                    step,
                    values,
                    lambda a, b: multiply(party, a, b),
                    lambda a, b: matmul(party, a, b),
                    lambda a, b: concatenate([a[:1], b[1:]]),
                )
            )
        return values

    exact = [x]
    for step in program:
        exact.append(apply(step, exact, np.multiply, np.matmul, lambda a, b: np.concatenate([a[:1], b[1:]])))
    everybody = local.run_all(parties, live)
    masks = {}
    for number, column in enumerate(zip(*everybody, strict=True)):
        np.testing.assert_array_equal(combine(column), exact[number])
        for holder in {id(one): one for share in column for one in (share, share.source) if one is not None}.values():
            if holder.mask is not None:
                masks.setdefault(holder.mask.number, {})[holder.rank] = holder
    for holders in masks.values():
        assert set(holders) == set(range(count))
        (opened,) = {holder.mask.opened.tobytes() for holder in holders.values()}
        hidden = combine(list(holders.values())) - sum(holder.mask.share for holder in holders.values())
        assert hidden.tobytes() == opened
    keeps = [number for one in parties[0].taken for number in one.keeps()]
    assert len(keeps) == len(set(keeps))


def test_a_product_of_views_of_one_mask_is_one_request():
    def program(party, x):
        yield matmul(party, x.T, x)

    assert run(2, program, X)[1] == [(1, 24)]


def test_whole_masks():
    assert whole(3, (2, 3), fresh=True) == Factor(3, (2, 3), 0, (3, 1), (2, 3))
    assert Products(whole(0, (2,), fresh=True), whole(0, (2,), fresh=False)).keeps() == [0]


def test_a_mask_of_another_run_is_refused():
    """Its number is that of another mask there."""
    (x, z) = (split(value, 2, Prg(SEED)) for value in (X, Y))
    local.run(2, lambda party: open_once(party, x[party.rank]))

    def second(party):
        open_once(party, z[party.rank])
        with pytest.raises(ValueError, match="in another run"):
            multiply(party, x[party.rank], z[party.rank])

    local.run(2, second)
