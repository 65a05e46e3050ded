"""Every correlation without a dealer: right, uniform, cheap. That it is private is in test_ot_roy22 and test_gilboa."""

import hashlib
from collections import Counter
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import pytest

from protocols import dealer, dealerless, local, pieces, transfers
from protocols.binary import WordTriple
from protocols.conversion import DaBits
from protocols.dealerless import Dealerless
from protocols.digits import DigitMasks
from protocols.flooring import FloorMasks
from protocols.functions import BoundedRandom
from protocols.ot_pairs import connect, setup_of
from protocols.party import Correlation, Secret, secrets_of
from protocols.prg import Prg, derive
from protocols.segments import SegmentMasks
from protocols.selection import SelectionMasks
from protocols.shares import Share, add_up, xor_up
from protocols.sines import SineMasks
from protocols.transfers import Transfers, rounds_of
from protocols.truncation import TruncationMask
from tests.correlations import SIGNS, element_square, element_triple, matrix_triple, renumbered, rescaled
from tests.protocols.test_uniformity import assert_uniform

SEED = bytes(range(32))


def make(count, correlations):
    """The parties, and what each has: an array for each secret of each correlation."""
    parties = local.parties(count, SEED, "ot")
    return parties, local.run_all(parties, lambda party: party._without_dealer().make(correlations))


def test_two_parties_make_a_triple():
    a, b, c = local.run(2, lambda party: party.take(element_triple((4,))), preprocessing="ot")[0]
    assert [share.shape for share in (a, b, c)] == [(4,)] * 3


def test_frozen_run(vectors):
    """Every byte that two parties send for a triple, and what they have then, from a second reading of the papers."""
    frozen = vectors("ot_triple")
    parties = local.parties(2, bytes.fromhex(frozen["seed"]), "ot")
    parts = local.run_all(parties, lambda party: party.take(element_triple((1,))))
    assert [[share.values.item() for share in part] for part in parts] == frozen["parts"]
    assert digest(parties) == frozen["sent"]
    parties[1].offline.sent[-1].arrays[0][0] ^= 1
    assert digest(parties) != frozen["sent"]


def digest(parties):
    hashed = hashlib.sha256()
    for message in (message for party in parties for message in party.offline.sent):
        shapes = [array.shape for array in message.arrays]
        hashed.update(repr((message.sender, message.receiver, message.step, shapes)).encode())
        hashed.update(b"".join(array.astype("<u8").tobytes() for array in message.arrays))
    return hashed.hexdigest()


# Right


SHAPES = [(1,), (7,), (2, 3), (0,), (2, 0), (1, 1, 4)]
SIZES = [(2, 3, 4), (4, 3, 2), (1, 1, 1), (0, 2, 3), (2, 0, 3), (2, 3, 0)]
ALL = renumbered(
    [
        *[kind(shape) for kind in (element_triple, element_square, WordTriple, DigitMasks) for shape in SHAPES],
        *[matrix_triple(*size, who) for size in SIZES for who in (None, (0, 1), (1, 0))],
        *[kind(shape, f) for kind in (TruncationMask, FloorMasks) for shape in SHAPES for f in (1, 20, 61)],
        *[DigitMasks(shape, words) for shape in SHAPES for words in (1, 2, 3)],
        *[SelectionMasks(e, w, k) for e in (0, 1, 64, 130) for w in (1, 4) for k in (0, 2)],
        *[kind(shape, bits) for kind in (DaBits, BoundedRandom) for shape in SHAPES for bits in (1, 7, 64)],
        *[SegmentMasks(shape, bits) for shape in SHAPES for bits in (1, 4, 5, 8)],
        *[SineMasks(shape, terms) for shape in SHAPES for terms in (1, 8)],
        *[WordTriple(shape, factors) for shape in SHAPES for factors in (0, 2, 5)],
        *[rescaled(one, f) for one in (element_triple((2, 3)), matrix_triple(2, 3, 4)) for f in (1, 20)],
    ]
)


def deal(count, correlations):
    streams = [[Prg(derive(SEED, "dealer", bytes([rank]))) for rank in range(count)] for _ in range(2)]
    parts = [[] for _ in range(count)]
    for one in correlations:
        correction = dealer.correct(one, streams[0], {})
        for rank, part in enumerate(parts):
            part.append(dealer.part(one, rank, streams[1][rank], correction if rank == dealer.RECEIVER else []))
    return parts


def one_by_one(count, correlations):
    """`party.take` for the names is in the cases below."""

    def program(party):
        return [party._without_dealer().make([one])[0] for one in correlations]

    return local.run(count, program, SEED, "ot")


def wrong(parts, correlations):
    """The correlations that are not what an ideal dealer would make."""
    return [one for one, *each in zip(correlations, *parts, strict=True) if not is_right(one, each)]


def is_right(one, parts):
    secrets = secrets_of(one)
    if any([array.shape for array in part] != [secret.shape for secret in secrets] for part in parts):
        return False
    for i, secret in enumerate(secrets):
        for rank, part in enumerate(parts):
            if secret.owner not in (None, rank) and part[i].any():
                return False
    whole = [join(secret, column) for secret, column in zip(secrets, zip(*parts, strict=True), strict=True)]
    first = len(one.drawn())
    near = waves_of_a_near_angle if isinstance(one, SineMasks) else np.array_equal
    return all(near(c, d) for c, d in zip(whole[first:], one.compute(*whole[:first]), strict=True))


def waves_of_a_near_angle(c, d):
    """Without a dealer, that of the middle of a segment: half a segment away at most, k times for the k-th wave."""
    errors = np.abs((c - d).view(np.int64))
    k = np.tile(np.arange(1, len(c) // 2 + 1), 2).reshape(-1, *[1] * (c.ndim - 1))
    return (errors <= 1 + k * (2**14 * np.pi * (2**-8 + 2**-16))).all()


def join(secret, column):
    return (add_up if secret.kind is Share else xor_up)(column)


@pytest.mark.parametrize("count", [2, 3, 5])
@pytest.mark.parametrize("provider", [deal, one_by_one, lambda *of: make(*of)[1]], ids=["dealer", "ot", "ot together"])
def test_parts_are_what_an_ideal_dealer_would_make(provider, count):
    several = [*ALL, matrix_triple(2, 3, 2, (count - 1, 0)), matrix_triple(3, 1, 2, (0, count - 1))]
    parts = provider(count, several)
    assert wrong(parts, several) == []
    parts[0][1][-1] ^= np.uint64(1)
    assert wrong(parts, several) == [several[1]]


@pytest.mark.parametrize("owners", [(0, 1), (2, 0), (1, 2)])
def test_only_the_owners_of_a_private_product_send(owners):
    parties, parts = make(3, [matrix_triple(2, 3, 4, owners)])
    for rank in range(3):
        a, b, c = parts[rank][0]
        assert [a.any(), b.any(), c.all()] == [rank == owners[0], rank == owners[1], True]
    ways = {(m.sender, m.receiver) for p in parties for m in p.offline.sent if m.step != "ot setup"}
    assert ways == {owners, owners[::-1]}


def test_no_two_correlations_share_randomness():
    _, parts = make(3, renumbered([element_triple((3,))] * 20))
    assert len(np.unique(parts)) == 20 * 3 * 3 * 3


@dataclass(frozen=True)
class Cubes(Correlation[object]):
    """A correlation that nobody has heard of."""

    shape: tuple[int, ...]

    def drawn(self):
        return (Secret(self.shape),)

    derived = drawn

    def compute(self, *drawn):
        return (drawn[0] ** 3,)


@pytest.mark.parametrize("shape", [(2,), (0,)])
def test_an_unknown_kind_is_refused_before_anything_is_sent(shape):
    parties = local.parties(2, SEED, "ot")

    def program(party):
        maker = party._without_dealer()
        with pytest.raises(
            ValueError, match=r"^Cubes has no maker in protocols/dealerless\.py: only a dealer makes it$"
        ):
            maker.make([element_triple((2,)), Cubes(shape)])
        return {message.step for message in party.offline.sent}

    assert local.run_all(parties, program) == [{"ot setup"}] * 2


# Bounded flights, pieces, groups and messages


LIMITS = [
    {},
    {"_FLIGHT_WORDS": 1},
    {"_FLIGHT_WORDS": 5},
    {"_FLIGHT_PADS": 1},
    {"_FLIGHT_PADS": 64 * 9},
    {"_PIECE": 1},
    {"_PIECE": 4},
    {"_GROUP": 1},
    {"_GROUP": 64 * 20},
    {"_PRODUCTS": 1},
    {"_PRODUCTS": 16},
    {"_LONGEST": 1},
    {"_LONGEST": 3},
    {"_FLIGHT_WORDS": 3, "_FLIGHT_PADS": 64 * 5, "_PIECE": 5, "_GROUP": 64 * 11, "_PRODUCTS": 9, "_LONGEST": 2},
]
SOME = renumbered(
    [
        *[element_triple((7,)), element_square((2, 3)), WordTriple((9,)), DigitMasks((3,)), DigitMasks((0,))],
        *[matrix_triple(2, 3, 4), matrix_triple(5, 1, 2, (1, 0)), matrix_triple(2, 0, 3)],
        *[rescaled(element_triple((7,))), rescaled(matrix_triple(2, 3, 4))],
        *[TruncationMask((2, 2), 20), DaBits((5,), 33), BoundedRandom((70,), 1), WordTriple((2, 3), 3)],
        *[DigitMasks((9,)), *SIGNS],
    ]
)


class Recorded:
    """Transfers that note what was predicted of them, without data."""

    def __init__(self, inner):
        self.inner, self.rank, self.count, self.steps = inner, inner.rank, inner.count, []

    def run(self, jobs):
        self.steps += rounds_of([without_data(job) for job in jobs])
        return self.inner.run(jobs)


def without_data(job):
    return replace(job, **{name: None for name in ("x", "y", "table") if hasattr(job, name)})


def named(limits):
    return " ".join(f"{name}={value}" for name, value in limits.items()) if isinstance(limits, dict) else str(limits)


@pytest.mark.parametrize(
    ("limits", "count"), [*((limits, 2) for limits in LIMITS), (LIMITS[0], 3), (LIMITS[-1], 3)], ids=named
)
def test_whatever_the_limits_are_parts_are_right_and_messages_as_predicted(monkeypatch, limits, count):
    for name, value in limits.items():
        home = next(module for module in (transfers, pieces, dealerless) if hasattr(module, name))
        monkeypatch.setattr(home, name, value)
    parties = local.parties(count, SEED, "ot")

    def program(party):
        runner = Recorded(Transfers(party.offline, connect(party.offline, b"", party.stream)))
        parts = Dealerless(runner, party.stream, party.common_offline).make(SOME)
        return parts, [*setup_of(count), *runner.steps]

    parts, steps = zip(*local.run_all(parties, program), strict=True)
    assert wrong(parts, SOME) == []
    for party in parties:
        assert steps[party.rank] == steps[0]
        assert party.offline.rounds == len(steps[0])
        for peer in range(count):
            predicted = [
                (step.name, words[way]) for step in steps[0] if (way := (party.rank, peer)) in (words := step.words)
            ]
            sent = [(m.step, sum(a.size for a in m.arrays)) for m in party.offline.sent if m.receiver == peer]
            assert [(f"ot {name}", words) for name, words in predicted] == sent
    largest = max(max(step.words.values()) for step in steps[0] if step.name == "choices")
    assert largest <= 32 * max(1, limits.get("_FLIGHT_WORDS", largest))


def test_a_flight_has_as_many_pads_as_are_allowed(monkeypatch):
    """Ten elements with messages of four, two of which take 512 pads; a payload has 32.5 words for each 64."""
    monkeypatch.setattr(transfers, "_FLIGHT_PADS", 512)
    parties, _ = make(2, [matrix_triple(2, 5, 4)])
    sizes = [[m.arrays[0].size for m in party.offline.sent if m.step == "ot payloads"] for party in parties]
    assert sizes == [[260] * 5] * 2


# Uniform


LARGE = [
    *[kind((2048,)) for kind in (element_triple, element_square, WordTriple)],
    *[matrix_triple(32, 16, 32), matrix_triple(32, 32, 32, (0, 1)), rescaled(element_triple((1024,)))],
    *[WordTriple((1024,), 2), DigitMasks((1024,)), DigitMasks((4096,), 1), DigitMasks((2048,), 2)],
    *[
        SelectionMasks(2048, 4, 1),
        FloorMasks((1024,), 20),
        TruncationMask((1024,), 20),
        DaBits((1024,), 16),
        BoundedRandom((1024,), 30),
        SegmentMasks((1024,), 5),
        SineMasks((1024,), 4),
    ],
]


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("one", LARGE, ids=repr)
def test_what_a_party_sends_and_holds_is_uniform(one, count):
    """All but the points of base transfers, which have 255 bits and a structure; their rounds are the first two."""
    parties, parts = make(count, [one])
    sent = {}
    for message in (message for party in parties for message in party.offline.sent):
        sent.setdefault((message.sender, message.receiver, message.step), []).append(message.arrays[0].ravel())
    for (_, _, step), arrays in sent.items():
        assert_uniform(np.concatenate(arrays[2:] if step == "ot setup" else arrays))
    for i, secret in enumerate(secrets_of(one)):
        held = [part[0][i] for rank, part in enumerate(parts) if secret.owner in (None, rank)]
        for array in held:
            assert_uniform(array)
        for two in combinations(held, 2) if count > 2 else ():  # of a result too: the third share hides it
            assert_uniform(join(secret, two))


REFRESHED = {
    element_triple((9,), 0): {2},
    element_square((9,), 2): {1},
    TruncationMask((9,), 20): {0, 1, 2},
    matrix_triple(2, 3, 4, number=3): {2},
    rescaled(element_triple((9,), 6)): {2, 3, 4},
    **{key: {2} for key in [matrix_triple(2, 3, 4, (0, 1)), WordTriple((9,)), WordTriple((9,), 2)]},
    DigitMasks((9,)): {0, 1},
    DigitMasks((9,), 1): {0, 1},
    FloorMasks((9,), 20): {0, 1, 2, 3},
    SelectionMasks(9, 4): {0, 2, 3, 4},
    **{key: {0, 1} for key in [SegmentMasks((9,), 3), SegmentMasks((9,), 6), SineMasks((9,), 3)]},
    **{key: {1} for key in [DaBits((9,), 7), BoundedRandom((9,), 30)]},
}


@pytest.mark.parametrize("count", [2, 3])
def test_what_a_party_has_not_drawn_is_refreshed_by_what_each_two_hold_in_common(count):
    """Under other common streams all messages are the same, and just these shares are others, every one of them."""
    runs = []
    for purpose in ("one", "two"):
        parties = local.parties(count, SEED, "ot")
        for party in parties:
            for peer in party.common_offline:
                pair = bytes(sorted((party.rank, peer)))
                party.common_offline[peer] = Prg(derive(SEED, purpose, pair))
        parts = local.run_all(parties, lambda party: party._without_dealer().make(list(REFRESHED)))
        assert wrong(parts, list(REFRESHED)) == []
        runs.append((digest(parties), parts))
    assert runs[0][0] == runs[1][0]
    for rank in range(count):
        for kind, *both in zip(REFRESHED, runs[0][1][rank], runs[1][1][rank], strict=True):
            for i, (one, two) in enumerate(zip(*both, strict=True)):
                assert (one != two).all() if i in REFRESHED[kind] else (one == two).all()


# Cheap


@pytest.mark.parametrize(("count", "size"), [(2, 4096), (3, 1024)])
def test_a_triple_costs_at_most_1100_bytes_and_a_bit_triple_70_bits(count, size):
    """Each two parties, both ways; without their set-up, which is 24,640 bytes and is once."""
    pairs = count * (count - 1) // 2
    for one, most in ((element_triple((size,)), 1100 * 8 * size), (WordTriple((size,)), 70 * 64 * size)):
        parties, _ = make(count, [one])
        words = Counter()
        for message in (message for party in parties for message in party.offline.sent):
            words[message.step == "ot setup"] += message.arrays[0].size
        assert words[True] * 8 == 24_640 * pairs
        assert 0.9 * most * pairs < words[False] * 64 <= most * pairs


@pytest.mark.parametrize("size", [(2, 5, 7), (7, 5, 2), (3, 4, 3)])
def test_a_matrix_product_takes_transfers_for_the_bits_of_its_smaller_side(size):
    parties, _ = make(2, [matrix_triple(*size)])
    m, k, p = size
    chosen = [a.size for party in parties for msg in party.offline.sent for a in msg.arrays if msg.step == "ot choices"]
    assert chosen == [32 * k * min(m, p)] * 2
