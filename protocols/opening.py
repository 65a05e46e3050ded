"""Opening: the parties learn the sum (or exclusive or) of the shares.

[BGW88] M. Ben-Or, S. Goldwasser, A. Wigderson, "Completeness Theorems for Non-Cryptographic Fault-Tolerant
Distributed Computation", STOC 1988, for the additive case of section 2's output phase.

`open_masked` is for values that a uniform mask hides: what is opened is uniform whatever the secret, so it
may be sent to all. `disclose` is the one way by which a result leaves the protocols: each share is first
refreshed by a sharing of zero, so that the receivers learn the sum and nothing of how it was shared.
"""

from collections.abc import Collection, Sequence

from protocols.card import card
from protocols.inputs import zero
from protocols.party import Part, Party
from protocols.ring import RingArray
from protocols.shares import Share, add_up, xor_up


@card("BGW88", adversary="semi-honest, all but one", rounds=1, elements=1)
def open_masked(party: Party, *masked: Part) -> list[RingArray]:
    """x + r of ⟨x + r⟩ (or x ⊕ r of [x ⊕ r]) for uniform r, several in one round.

    The caller answers for the masks: each must be uniform, unknown to all, and used for this value only.
    """
    mine = [share.values for share in masked]
    others = [peer for peer in range(party.count) if peer != party.rank]
    shapes = [values.shape for values in mine]
    theirs = party.exchange("open", dict.fromkeys(others, mine), dict.fromkeys(others, shapes))
    columns = zip(masked, mine, zip(*(theirs[peer] for peer in others), strict=True), strict=True)
    return [_join(share, [own, *column]) for share, own, column in columns]


@card("BGW88", adversary="semi-honest, all but one", rounds=1, elements=1)
def disclose(party: Party, to: Collection[int], *shares: Share) -> list[RingArray] | None:
    """x of ⟨x⟩ to the parties in `to`, None to the others; several in one round.

    Leaks x to the receivers: policy and ledger come before. Raises ValueError if `to` is empty.
    """
    if not to or not set(to) <= set(range(party.count)):
        raise ValueError(f"a result is disclosed to at least one of the parties, not to {sorted(to)}")
    mine = [share.values + zero(party, share.shape).values for share in shares]
    send = {peer: mine for peer in to if peer != party.rank}
    shapes = [values.shape for values in mine]
    receive = {p: shapes for p in range(party.count) if p != party.rank} if party.rank in to else {}
    theirs = party.exchange("disclose", send, receive)
    if party.rank not in to:
        return None
    return [add_up([own, *column]) for own, column in zip(mine, zip(*theirs.values(), strict=True), strict=True)]


def _join(share: Part, values: Sequence[RingArray]) -> RingArray:
    return add_up(values) if isinstance(share, Share) else xor_up(values)
