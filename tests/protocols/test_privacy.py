"""Exhaustive privacy: in a tiny ring the views of every coalition are counted over all random tapes.

Reduction mod 2^k is a homomorphism of rings (and of words under exclusive or and conjunction) from Z_{2^64} to Z_{2^k}.
So the real code, run with values and random elements in [0, 2^k) and with all that is seen taken mod 2^k, is
exactly the protocol over Z_{2^k}. Its random tape is a few digits, one for each element that is drawn from any
stream; all tapes are run at once, a lane of the arrays each.

A view is what a coalition knows: its inputs, the streams it holds with others and with the dealer, the dealer's
corrections, the messages from the others; and here also the shares of the result of all parties but one, so that
the result is seen to be freshly shared. Private means: whatever the inputs of the others are, with the inputs of
the coalition and the result (if it learns one) fixed, each view comes from the same number of tapes. These are
counts of all tapes, not statistics: they are equal or they are not.

Truncation looks at the top of a word, where reduction does not lead. There x and r are aligned at the top: with
s = 64 - k, x = X·2^s and r = R·2^s the code opens x + r + 2^62 = (X + R + 2^(k-2))·2^s mod 2^64, that is 2^s times the
tiny ring's C. Truncation by f + s bits then computes, of c = C mod 2^(k-1) and r' = R mod 2^(k-1),

    the top bits of C and R;   c·2^s >> (f + s) = c >> f;   r'·2^s >> (f + s) = r' >> f;
    2^(63-(f+s)) = 2^(k-1-f);  2^(62-(f+s)) = 2^(k-2-f)

and combines them linearly as the tiny ring's formula does: the result mod 2^k is the tiny ring's. As it is linear
in the shares of top bit and quotient, these and the result may also be taken mod a smaller 2^j, for fewer tapes.

The carry networks (to_bits, leading_one) draw 50 digits and more even for two parties: beyond enumeration. What
they send are operands of `conjunction`, which is enumerated here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, permutations, product

import numpy as np
import pytest

from protocols import beaver, binary, conversion, inputs, rescaling, segments, sines, truncation
from protocols.opening import disclose, open_masked
from protocols.party import Correlation, Secret
from protocols.shares import BitShare, Share, add_up, combine, combine_bits
from tests.correlations import element_square
from tests.protocols.tiny import Blocks, Known, Tiny, all_shares, is_sharing_of, leaks, owned


def test_a_product_shows_nothing_to_two_parties():
    tiny = Tiny(2, 3, product_of_shares)
    for owners in product(range(2), repeat=2):
        assert leaks(tiny, owned(2, 3, owners), check=is_sharing_of(np.multiply, 3)) == []


# Sharing and opening


@pytest.mark.parametrize(("count", "k"), [(2, 3), (3, 2)])
def test_sharing(count, k):
    for owner in range(count):

        def program(party, lanes, x, owner=owner):
            return inputs.share(party, x if party.rank == owner else None, owner, x.shape)

        assert leaks(Tiny(count, k, program), owned(count, k, [owner]), check=is_sharing_of(np.array, k)) == []


@pytest.mark.parametrize(("count", "k"), [(2, 3), (3, 2)])
def test_a_sharing_of_the_total(count, k):
    tiny = Tiny(count, k, lambda party, lanes, x: inputs.total(party, x))
    assert leaks(tiny, all_shares(count, k, 1), check=is_sharing_of(np.array, k)) == []


def sum_for(to, k):
    """What a coalition learns if the sum of all that is known is disclosed to some."""
    return lambda coalition, mine: sum(x for (x,) in mine) % (1 << k) if coalition & set(to) else None


@pytest.mark.parametrize(
    ("count", "k", "to"), [(2, 3, [0]), (2, 3, [1]), (3, 2, [0]), (3, 2, [2]), (3, 2, [1, 2]), (3, 2, [0, 1, 2])]
)
def test_disclosing_shows_the_sum_to_its_receivers_and_nothing_to_others(count, k, to):
    def program(party, lanes, x):
        disclose(party, to, Share(party.rank, x))

    assert leaks(Tiny(count, k, program), all_shares(count, k, 1), sum_for(to, k)) == []


# Products


def product_of_shares(party, lanes, x, y):
    return beaver.multiply(party, Share(party.rank, x), Share(party.rank, y))


@pytest.mark.parametrize(("count", "k"), [(2, 2), (3, 1)])
def test_product_whatever_the_shares_of_the_operands(count, k):
    tiny = Tiny(count, k, product_of_shares)
    assert leaks(tiny, all_shares(count, k, 2), check=is_sharing_of(np.multiply, k)) == []


@pytest.mark.parametrize("owners", list(product(range(3), repeat=2)))
def test_product_among_three(owners):
    tiny = Tiny(3, 2, product_of_shares)
    assert leaks(tiny, owned(3, 2, owners), check=is_sharing_of(np.multiply, 2)) == []


@pytest.mark.parametrize(("count", "k"), [(2, 3), (3, 2)])
def test_square(count, k):
    tiny = Tiny(count, k, lambda party, lanes, x: beaver.square(party, Share(party.rank, x)))
    assert leaks(tiny, all_shares(count, k, 1), check=is_sharing_of(np.square, k)) == []


def dot(*operands):
    half = len(operands) // 2
    return sum(x * y for x, y in zip(operands[:half], operands[half:], strict=True))


@pytest.mark.parametrize("owners", list(product(range(2), repeat=2)))
def test_matrix_product_of_a_row_and_a_column(owners):
    def program(party, lanes, *xy):
        x, y = lanes.spread(xy[:2], (lanes.n, 2 * lanes.n)), lanes.spread(xy[2:], (2 * lanes.n, lanes.n))
        return beaver.matmul(party, Share(party.rank, x), Share(party.rank, y))

    tiny = Tiny(2, 1, program, layout=Blocks)
    known = owned(2, 1, np.repeat(owners, 2).tolist())
    assert leaks(tiny, known, check=is_sharing_of(dot, 1)) == []


@pytest.mark.parametrize(("count", "k", "inner"), [(2, 3, 1), (2, 1, 2), (3, 1, 2)])
def test_private_matrix_product_of_a_row_and_a_column(count, k, inner):
    for owners in permutations(range(count), 2):

        def program(party, lanes, *xy, owners=owners):
            shapes = (lanes.n, inner * lanes.n), (inner * lanes.n, lanes.n)
            x, y = lanes.spread(xy[:inner], shapes[0]), lanes.spread(xy[inner:], shapes[1])
            mine = dict(zip(owners, (x, y), strict=True)).get(party.rank)
            return beaver.private_matmul(party, mine, owners, *shapes)

        tiny = Tiny(count, k, program, layout=Blocks)
        known = owned(count, k, np.repeat(owners, inner).tolist())
        assert leaks(tiny, known, check=is_sharing_of(dot, k)) == []


@pytest.mark.parametrize(("count", "k"), [(2, 2), (3, 1)])
def test_a_program_of_sharing_product_and_disclosure(count, k):
    def program(party, lanes, x, y):
        a = inputs.share(party, x if party.rank == 0 else None, 0, x.shape)
        b = inputs.share(party, y if party.rank == 1 else None, 1, y.shape)
        disclose(party, [count - 1], beaver.multiply(party, a, b))

    def learns(coalition, mine):
        return mine[0][0] * mine[1][1] % (1 << k) if count - 1 in coalition else None

    assert leaks(Tiny(count, k, program), owned(count, k, [0, 1]), learns) == []


# Words


@pytest.mark.parametrize(("count", "k"), [(2, 2), (3, 1)])
def test_conjunction(count, k):
    def program(party, lanes, x, y):
        return binary.conjunction(party, BitShare(party.rank, x), BitShare(party.rank, y))

    def check(parties, results, mine, lanes):
        x, y = (np.bitwise_xor.reduce(column) for column in zip(*mine, strict=True))
        np.testing.assert_array_equal(combine_bits(results), x & y)

    assert leaks(Tiny(count, k, program), all_shares(count, k, 2), check=check) == []


@pytest.mark.parametrize(("count", "k"), [(2, 3), (3, 2)])
def test_bits_to_arithmetic_shares(count, k):
    def program(party, lanes, x):
        return conversion.from_bits(party, BitShare(party.rank, x), k)

    def check(parties, results, mine, lanes):
        x = np.bitwise_xor.reduce([column for (column,) in mine])
        for i, bit in enumerate(lanes.columns(combine(results))):
            assert not ((bit ^ (x >> np.uint64(i))) & np.uint64(1) | bit & np.uint64((1 << k) - 2)).any()

    assert leaks(Tiny(count, k, program), all_shares(count, k, 1), check=check) == []


# Truncation


def small(k: int, *others: Sequence[int]) -> list[Known]:
    """Shares of every X in [-2^(k-2), 2^(k-2)): party 0 has what is missing, the others have given shares."""
    values = range(-(1 << k - 2), 1 << k - 2)
    return [(((x - sum(rest)) % (1 << k),), *((share,) for share in rest)) for x in values for rest in product(*others)]


TRUNCATIONS = [
    (2, 4, 1, 4, small(4, range(16))),
    (2, 5, 2, 2, small(5, [0, 1, 15, 16, 31])),
    (3, 4, 1, 1, small(4, [0, 5, 11], [0, 6, 15])),
]


@pytest.mark.parametrize(("count", "k", "f", "j", "known"), TRUNCATIONS)
def test_truncation(count, k, f, j, known):
    """The view does not depend on X, and the result is a function of X and what was opened.

    So this is exactly what is realised: a uniform γ in [0, 2^f) is drawn and shown to all (C mod 2^f), and the result
    is ⌊X / 2^f⌋ + [γ < X mod 2^f]: rounded up with probability (X mod 2^f) / 2^f. It is *not* the functionality
    that rounds by a coin which nobody sees. The difference counts if the result is disclosed: it then tells of the
    discarded bits whether they exceed γ, as a floor would tell that they exceed 0.
    """
    s = 64 - k

    def program(party, lanes, x):
        return truncation.truncate(party, Share(party.rank, x << np.uint64(s)), f + s)

    def check(parties, results, mine, lanes):
        x = (sum(column for (column,) in mine) << np.uint64(s)).view(np.int64) >> s
        opened = add_up([party.sent[0].arrays[0] for party in parties]) >> np.uint64(s)
        y = (x >> f) + ((opened % (1 << f)).astype(np.int64) < x % (1 << f))
        assert not ((combine(results) ^ y.view(np.uint64)) & np.uint64((1 << j) - 1)).any()

    tiny = Tiny(count, k, program, secrets=[(k, s), (j, 0), (j, 0)])
    assert leaks(tiny, known, check=check) == []


@pytest.mark.parametrize("more", [0, 1])
def test_rescaled_product(monkeypatch, more):
    """x and its mask are aligned at the top, y and its mask are not: so are the product, s and what is opened of it."""
    k, f, j = 3, 1, 1
    s = 64 - k
    monkeypatch.setattr(rescaling, "check_bits", lambda bits: None)  # 62 would do, and nobody needs it but this ring

    def program(party, lanes, x, y):
        left = Share(party.rank, x << np.uint64(s))
        plus = Share(party.rank, left.values.copy()) if more else None  # xy + x
        return rescaling.multiply_rescaled(party, left, Share(party.rank, y), f + s, plus)

    def check(parties, results, mine, lanes):
        x, y = (sum(columns).astype(np.int64) << s >> s for columns in zip(*mine, strict=True))
        y += more
        opened = add_up([party.sent[1].arrays[0] for party in parties]) >> np.uint64(s)
        z = (x * y >> f) + ((opened % (1 << f)).astype(np.int64) < x * y % (1 << f))
        assert not ((combine(results) ^ z.view(np.uint64)) & np.uint64((1 << j) - 1)).any()

    known = [((x, y), (v, w)) for x, y, v, w in product([0, 7], [0, 1], [0, 1], [0, 6]) if abs(signed(x + v)) < 2]
    tiny = Tiny(2, k, program, [(k, s), (k, 0), (k, s), (j, 0), (j, 0)], [(k, s), (k, 0), (k, s)])
    assert (
        leaks(
            tiny, [one for one in known if -2 <= of(one) + more * signed(sum(row[0] for row in one)) < 2], check=check
        )
        == []
    )


@pytest.mark.parametrize(("count", "k"), [(2, 4), (3, 2)])
def test_segments(monkeypatch, count, k):
    """The view does not depend on X, and which segment is found is a function of X and what was opened.

    The factor of the tiny ring is 2^(64-k), two segments fill it. γ, uniform, is shown to all (C mod 2^(k-1)): the
    segment is the next one if γ < X mod 2^(k-1), as in truncation. It is not opened.
    """
    s = 64 - k
    monkeypatch.setattr(segments, "grid", lambda low, high, bits: ((0, 0), 1 << s))

    def program(party, lanes, x):
        return segments.locate(party, Share(party.rank, x), 0, 1, 1).segments

    def check(parties, results, mine, lanes):
        x = sum(column for (column,) in mine) % (1 << k)
        opened = add_up([party.sent[0].arrays[0] for party in parties]) >> np.uint64(s)
        half = 1 << (k - 1)
        found = (x // half + (opened % half < x % half)) % 2
        for j, row in enumerate(combine(results)):
            assert (row & np.uint64(1) == (found == j)).all()

    tiny = Tiny(count, k, program, secrets=[(k, s), (1, 0), (1, 0)])
    assert leaks(tiny, all_shares(count, k, 1), check=check) == []


@pytest.mark.parametrize(("count", "k"), [(2, 3), (3, 2)])
def test_the_logistic_function(count, k):
    """The view does not depend on X, and the result is right, of the angle 2π X / 2^k.

    Its shares, which are linear in those of cosines and sines, and these are taken mod 2.
    """
    period = sines.Series(2, 1, (1 << 18,))

    def program(party, lanes, x):
        return sines.logistic(party, Share(party.rank, x), k - 2, period)

    def check(parties, results, mine, lanes):
        x = sum(column for (column,) in mine) % (1 << k)
        found = combine(results).view(np.int64) / 2**32
        assert np.abs(found - 0.5 - np.sin(2 * np.pi * x / 2**k)).max() < 2**-12

    tiny = Tiny(count, k, program, secrets=[(k, 64 - k), (1, 0), (1, 0)])
    assert leaks(tiny, all_shares(count, k, 1), check=check) == []


def signed(x):
    return (x + 4) % 8 - 4


def of(known):
    (x, y), (v, w) = known
    return signed(x + v) * signed(y + w)


# What must be caught


@pytest.mark.parametrize(("count", "k"), [(2, 2), (3, 1)])
def test_one_mask_for_two_values_is_caught(count, k):
    def program(party, lanes, x, y):
        a, _ = party.take(element_square(x.shape))
        open_masked(party, Share(party.rank, x) - a, Share(party.rank, y) - a)

    found = leaks(Tiny(count, k, program), all_shares(count, k, 2))
    assert {tuple(coalition) for coalition, _ in found} == every_coalition(count)


@dataclass(frozen=True)
class ShortMask(Correlation[truncation.Mask]):
    """A truncation mask whose r has no top bit."""

    shape: tuple[int, ...]
    bits: int

    def drawn(self):
        return (Secret(self.shape),)

    def derived(self):
        return [Secret(self.shape)] * 3

    def compute(self, *drawn):
        low = drawn[0] & np.uint64((1 << 63) - 1)
        return low, np.zeros_like(low), low >> np.uint64(self.bits)

    def assemble(self, *parts):
        return truncation.Mask(*parts[1:])


def test_a_truncation_mask_without_its_top_bit_is_caught():
    k, f, j = 4, 1, 1

    def program(party, lanes, x):
        mask = party.take(ShortMask(x.shape, f + 64 - k))
        (opened,) = open_masked(party, Share(party.rank, x << np.uint64(64 - k)) + mask.r)
        return truncation.finish(opened, (mask.top.values, mask.quotient.values), f + 64 - k, party.rank)

    tiny = Tiny(2, k, program, secrets=[(k, 64 - k), (k, 64 - k), (j, 0), (j, 0)])
    found = leaks(tiny, small(k, [0, 5]))
    assert {tuple(coalition) for coalition, _ in found} == every_coalition(2)


def test_a_total_that_is_opened_without_zero_is_caught():
    """Each receiver sees what every other party put in, and a coalition of two learns no more than from the sum."""

    def program(party, lanes, x):
        open_masked(party, Share(party.rank, x))

    found = leaks(Tiny(3, 2, program), all_shares(3, 2, 1), sum_for(range(3), 2))
    assert {tuple(coalition) for coalition, _ in found} == {(0,), (1,), (2,)}


def test_a_result_without_fresh_shares_is_caught():
    """x + y of which one party knows x and another y: the shares are the inputs."""
    tiny = Tiny(3, 2, lambda party, lanes, x, y: Share(party.rank, x + y))
    found = leaks(tiny, owned(3, 2, [0, 2]))
    assert {tuple(coalition) for coalition, _ in found} == {(0,), (1,)}


def every_coalition(count):
    return {c for n in range(1, count) for c in combinations(range(count), n)}
