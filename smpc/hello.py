"""The first message on every link: who is there, with which software and manifest.

Nothing of a party's data leaves it before all hellos are checked. A hello also brings fresh random bytes: a
nonce, the same to all peers, for the name of the session; a seed of this pair's own, for common streams.
"""

from __future__ import annotations

import contextlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from protocols.prg import SEED_BYTES
from smpc import wire
from smpc.config import Manifest, difference
from smpc.errors import LinkError
from smpc.names import clean

_TYPES: Mapping[str, type] = {
    "smpc": str,
    "protocol": int,
    "manifest": bytes,
    "name": str,
    "role": str,
    "nonce": bytes,
    "seed": bytes,
    "store": bytes,
}
PREPARING = b"prepare"  # in place of a store's state, from a party that makes one
CHECKING = b"check "  # before a store's state, from a party that only looks whether a run can begin


@dataclass(frozen=True)
class Hello:
    """What a party says of itself to one peer.

    `nonce` and `seed`: 32 bytes each. `store`: which store of correlated randomness it will take from, and from where
    (`Store.state`); empty without one, PREPARING from a party that makes one. After CHECKING, it would take from there.
    """

    smpc: str
    protocol: int
    manifest: bytes = field(repr=False)
    name: str
    role: str
    nonce: bytes = field(repr=False)
    seed: bytes = field(repr=False)
    store: bytes = b""

    def frame(self) -> bytes:
        """As it is sent."""
        return wire.HELLO_TAG + wire.pack({name: getattr(self, name) for name in _TYPES})


def library_version() -> str:
    """The version of smpc that runs here."""
    try:
        return version("smpc")
    except PackageNotFoundError:  # run from where it lies, without installation
        return "unknown"


def read(frame: wire.Buffer, peer: str, ours: Hello, manifest: Manifest) -> Hello:
    """The hello of `peer`, whose key has been proved.

    Raises LinkError, naming the peer, the field and both values, unless it agrees with ours.
    """
    message = _message(frame, peer)
    _compare(peer, "smpc", message.get("smpc"), ours.smpc, "install the same version at all parties")
    _compare(peer, "protocol version", message.get("protocol"), ours.protocol, "install the same version")
    if set(message) != set(_TYPES) or any(type(message[name]) is not kind for name, kind in _TYPES.items()):
        raise LinkError(f"{peer} sent a hello that lacks a field or has one of another type", peer)
    hello = Hello(**message)
    if len(hello.nonce) != SEED_BYTES or len(hello.seed) != SEED_BYTES:
        raise LinkError(f"{peer} sent a hello with a field of wrong length or type", peer)
    if (what := difference(ours.manifest, hello.manifest)) is not None:
        raise LinkError(f"{peer} has another manifest: {what}", peer)
    entry = manifest.party(peer)
    if hello.name != peer:
        raise LinkError(f"{peer}'s key is used by a party that calls itself {clean(hello.name)}", peer)
    if hello.role != entry.role:
        raise LinkError(f"{peer} says that it is {clean(hello.role)}, in the manifest it is {entry.role}", peer)
    dealing = "dealer" in (hello.role, ours.role)
    _compare_purposes(peer, hello.store, ours.store, dealing=dealing)
    if not dealing:
        _compare_stores(peer, hello.store.removeprefix(CHECKING), ours.store.removeprefix(CHECKING))
    return hello


def _purpose(store: bytes) -> str:
    """What the party whose hello has this `store` does with the study."""
    return "prepares" if store == PREPARING else "checks" if store.startswith(CHECKING) else "runs"


def _compare_purposes(peer: str, theirs: bytes, ours: bytes, *, dealing: bool) -> None:
    """A dealer does the same for those who run and for those who prepare."""
    there, here = _purpose(theirs), _purpose(ours)
    if there != here and (not dealing or "checks" in (there, here)):
        raise LinkError(f"{peer} {there} the study, this party {here} it: start the same command everywhere", peer)


def _compare_stores(peer: str, theirs: bytes, ours: bytes) -> None:
    """An item of correlated randomness must not be used twice, nor by one party with another's."""
    if theirs == ours:
        return
    remedy = "make it again with smpc prepare at every party, or delete it everywhere"
    if not theirs or not ours:
        who = f"{peer} has no store" if not theirs else f"{peer} has a store"
        other = "this party has one" if ours else "this party has none"
        raise LinkError(f"{who} of correlated randomness and {other}: {remedy}", peer)
    if theirs[:32] != ours[:32]:
        raise LinkError(f"{peer} has another store of correlated randomness than this party: {remedy}", peer)
    said = [int.from_bytes(state[32:40], "big") for state in (theirs, ours)]
    raise LinkError(
        f"{peer} has used {said[0]} portions of the store of correlated randomness and this party {said[1]}, as after "
        f"a run that broke off or a file that was copied back: {remedy}",
        peer,
    )


def _message(frame: wire.Buffer, peer: str) -> dict[str, Any]:
    view = memoryview(frame)
    message = None
    if hmac.compare_digest(view[: wire.TAG_BYTES], wire.HELLO_TAG):
        with contextlib.suppress(ValueError):
            message = wire.unpack(view[wire.TAG_BYTES :])
    if not isinstance(message, dict):
        raise LinkError(f"{peer} did not begin with a hello: is it smpc that runs there?", peer)
    return message


def _compare(peer: str, what: str, theirs: object, ours: object, remedy: str) -> None:
    if type(theirs) is not type(ours) or theirs != ours:
        raise LinkError(f"{peer} runs {what} {clean(theirs)}, here it is {ours}: {remedy}", peer)
