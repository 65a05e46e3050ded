"""How parties meet: hellos on all links, checks, and what follows from them for the session.

The session's name is a digest of the manifest and of everybody's fresh nonce, which each party has from each
peer itself: no message of another run, and none of a party that was shown other nonces, can carry its tag.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b

from protocols.prg import derive, fresh_seed
from smpc import hello, wire
from smpc.config import Manifest
from smpc.hello import Hello
from smpc.transport import Links


@dataclass(frozen=True)
class Meeting:
    """What a party knows once all have met. Ranks: the owners in the manifest's order, then the dealer.

    `names`: all parties, by rank. `owners`: how many of them are owners. `session`: 32 bytes, equal at all.
    `seeds`: the one that this party has in common with each other rank, and with nobody else.
    """

    names: tuple[str, ...]
    owners: int
    rank: int
    session: bytes
    seeds: Mapping[int, bytes] = field(repr=False)

    @property
    def dealer(self) -> bool:
        """Whether one of them is a dealer."""
        return len(self.names) > self.owners


def meet(links: Links, manifest: Manifest, me: str, wait: float, store: bytes = b"") -> Meeting:
    """Exchange hellos with all parties. Each is checked when it comes, before any further message.

    `store`: see `hello.Hello`.
    Raises LinkError, naming the peer, if one is not there within `wait` seconds or does not agree with us.
    """
    names = tuple(party.name for party in (*manifest.owners, manifest.dealer) if party is not None)
    nonce = fresh_seed()
    role = manifest.party(me).role
    ours = {
        peer: Hello(hello.library_version(), wire.VERSION, manifest.text, me, role, nonce, fresh_seed(), store)
        for peer in names
        if peer != me
    }
    frames = {peer: ours[peer].frame() for peer in ours}
    theirs = {peer: hello.read(frame, peer, ours[peer], manifest) for peer, frame in links.meet(frames, wait)}
    nonces = [[name, nonce if name == me else theirs[name].nonce] for name in names]
    session = blake2b(wire.pack([manifest.digest, nonces]), digest_size=32, person=b"smpc session").digest()
    rank = names.index(me)
    seeds = {
        names.index(peer): _seed(rank, names.index(peer), ours[peer].seed, theirs[peer].seed, session) for peer in ours
    }
    return Meeting(names, len(manifest.owners), rank, session, seeds)


def _seed(me: int, peer: int, mine: bytes, theirs: bytes, session: bytes) -> bytes:
    """The seed of two ranks: from a secret of each, for this session and this pair alone."""
    low, high = (mine, theirs) if me < peer else (theirs, mine)
    pair = bytes([*min(me, peer).to_bytes(4, "big"), *max(me, peer).to_bytes(4, "big")])
    return derive(low + high, "pair", session + pair)
