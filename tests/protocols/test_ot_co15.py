"""Base transfers: known answers from a second curve, what is no point, who is named for it."""

import pytest
from nacl.bindings import crypto_core_ed25519_sub

from protocols import local, ring
from protocols.errors import MessageError, PeerGone
from protocols.local import LocalPeers
from protocols.ot_co15 import Offer, check_point, choose
from protocols.ot_pairs import connect
from protocols.prg import Prg

SEED = bytes(range(32))
CONTEXT = b"run"
CHOICES = [0, 1, 1, 0, 1]


def transfer(context=CONTEXT, choices=CHOICES):
    """The offer, the responses, and the chosen keys."""
    offer = Offer(context, Prg(SEED))
    return offer, *choose(context, offer.point, choices, Prg(bytes(32)))


def test_the_receiver_gets_the_key_that_it_chose():
    offer, responses, keys = transfer()
    assert keys == [pair[choice] for pair, choice in zip(offer.keys(responses), CHOICES, strict=True)]


# Known answers


def test_frozen_vectors(vectors):
    for v in vectors("ot_base")["good"]:
        context, sender, receiver = (bytes.fromhex(v[name]) for name in ("context", "sender", "receiver"))
        offer = Offer(context, Prg(sender))
        responses, keys = choose(context, offer.point, v["choices"], Prg(receiver))
        assert offer.point.hex() == v["point"]
        assert [response.hex() for response in responses] == v["responses"]
        assert [[key.hex() for key in pair] for pair in offer.keys(responses)] == v["pairs"]
        assert [key.hex() for key in keys] == v["keys"]


def test_frozen_vectors_to_refuse(vectors):
    for v in vectors("ot_base")["reject"]:
        point = bytes.fromhex(v["point"])
        for use in (
            check_point,
            lambda point: choose(CONTEXT, point, [0], Prg(SEED)),
            lambda point: Offer(CONTEXT, Prg(SEED)).keys([point]),
        ):
            with pytest.raises(ValueError, match=r"^not a point of the group$"):
                use(point)


def test_one_bad_response_among_good_ones_is_refused(vectors):
    bad = bytes.fromhex(vectors("ot_base")["reject"][-1]["point"])
    for place in range(len(CHOICES)):
        offer, responses, _ = transfer()
        responses[place] = bad
        with pytest.raises(ValueError, match="not a point of the group"):
            offer.keys(responses)


# Binding


def test_no_two_keys_of_a_batch_are_equal():
    offer, responses, _ = transfer(choices=[0, 1] * 20)
    assert len({key for pair in offer.keys(responses) for key in pair}) == 80


def test_a_response_that_comes_twice_has_other_keys_at_another_place():
    offer, (response, *_), _ = transfer()
    assert len({key for pair in offer.keys([response] * 3) for key in pair}) == 6


def test_keys_of_another_context_are_others():
    offer, responses, _ = transfer()
    same = Offer(b"another run", Prg(SEED))
    assert same.point == offer.point
    assert not {*sum(same.keys(responses), ())} & {*sum(offer.keys(responses), ())}


def test_what_the_receiver_has_is_no_other_key():
    offer, responses, keys = transfer()
    others = [pair[1 - choice] for pair, choice in zip(offer.keys(responses), CHOICES, strict=True)]
    assert not set(others) & set(keys)


def test_a_response_for_one_is_a_response_for_zero_moved_by_the_offer():
    """So both are uniform: the scalar that gives a point for one choice has a partner that gives it for the other."""
    offer, zeros, _ = transfer(choices=[0] * 5)
    _, ones, _ = transfer(choices=[1] * 5)
    assert [crypto_core_ed25519_sub(one, offer.point) for one in ones] == zeros


# Between parties


class Liar(LocalPeers):
    """A peer whose message of one round is another."""

    def __init__(self, peers, number, spoil):
        super().__init__(peers.rank, peers.count, peers.mailboxes)
        self.number, self.spoil = number, spoil

    def post(self, step, send, receive):
        if self.rounds == self.number:
            send = {peer: [self.spoil(array.copy()) for array in arrays] for peer, arrays in send.items()}
        return super().post(step, send, receive)


def failures(count, liar, number, spoil):
    parties = local.parties(count, SEED, "ot")
    parties[liar].offline = Liar(parties[liar].offline, number, spoil)
    with pytest.raises(BaseExceptionGroup) as info:
        local.run_all(parties, lambda party: connect(party.offline, CONTEXT, party.stream))
    return info.value.exceptions


def bad_points(vectors):
    points = {v["why"]: bytes.fromhex(v["point"]) for v in vectors("ot_base")["reject"]}
    return [ring.from_bytes(point, (4,)) for point in points.values() if len(point) == 32]


@pytest.mark.parametrize(("count", "liar"), [(2, 0), (2, 1), (3, 2)])
def test_a_party_that_offers_no_point_is_named(vectors, count, liar):
    for bad in bad_points(vectors)[:: 4 if count == 2 else 40]:
        errors = failures(count, liar, 0, lambda array, bad=bad: bad)
        named = [error for error in errors if isinstance(error, MessageError)]
        assert len(named) == count - 1
        assert {error.culprits for error in named} == {frozenset({liar})}
        assert str(named[0]) == f"party {liar} sent a base transfer that is not a point of the group"
        assert all(error.peer != liar or isinstance(error, PeerGone) for error in errors if error not in named)


@pytest.mark.parametrize("place", [0, 64, 127])
def test_a_party_that_responds_with_no_point_is_named(vectors, place):
    def spoil(array):
        array[place] = bad_points(vectors)[0]
        return array

    (error,) = (error for error in failures(2, 1, 1, spoil) if isinstance(error, MessageError))
    assert error.culprits == {1}


def test_a_party_that_sends_too_few_points_is_named():
    (error, *_) = (error for error in failures(2, 1, 1, lambda array: array[:-1]) if isinstance(error, MessageError))
    assert error.culprits == {1}


def test_runs_and_directions_have_no_sealed_sum_in_common():
    """Of two runs with the same streams, and so the same trees, but other contexts."""
    seen = []
    for context in (b"one", b"two"):
        parties = local.parties(2, SEED, "ot")
        local.run_all(parties, lambda party, context=context: connect(party.offline, context, party.stream))
        seen += [party.offline.sent[2].arrays[0].reshape(-1, 4) for party in parties]
    rows = {row.tobytes() for sums in seen for row in sums}
    assert len(rows) == 4 * 256
