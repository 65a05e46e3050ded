"""A party of a study on the network: what protocols see as their `Party`, over encrypted links.

`open_session` meets the others. A `Session` then keeps every pair of parties in lockstep, and leaves well:
with a bye that waits for all, or by telling all why it stops.
Where protocols speak of a peer that is gone, a session raises LinkError, which names it.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from protocols import dealer
from protocols.errors import MessageError
from protocols.masks import remember
from protocols.party import Correlation, Order, Received, Stream, made
from protocols.prg import Prg, derive, fresh_seed
from protocols.ring import RingArray, Shape
from smpc import wire
from smpc.channel import Channel
from smpc.config import Manifest
from smpc.deals import Deals
from smpc.errors import KeyFileError, LinkError, StoreError
from smpc.identity import Identity, fingerprint
from smpc.meeting import Meeting, meet
from smpc.store import Store
from smpc.transport import FrameHook, Links

if TYPE_CHECKING:
    from protocols.dealerless import Dealerless

C = TypeVar("C")

WAIT = 7.0
PATIENCE = 600.0
_CONFIRM_MARGIN = 2.0
_GRACE = 2.0
_OTHER_RUN = "the store was made for a run that takes other things, as for other rows: make it again with smpc prepare"


class Session:
    """One run of a study, as one of its parties: a `protocols.party.Party`; see `open_session`.

    Use it with `with`, in the thread that opened it: leaving the block normally waits until all parties are
    done, and an exception is told to the others, by its text if that is meant for people.
    """

    def __init__(
        self,
        links: Links,
        channel: Channel,
        meeting: Meeting,
        on_round: Callable[[int], None] | None = None,
        store: Store | None = None,
    ) -> None:
        self.store = store  # with a portion reserved for this run
        self._links, self._channel, self._meeting = links, channel, meeting
        self._on_round = on_round
        self._streams = {
            rank: Prg(seed) for rank, seed in meeting.seeds.items() if meeting.owners not in (rank, self.rank)
        }
        self._program = wire.History()
        self._waiting_for = set(meeting.seeds)
        self._dealerless: Dealerless | None = None
        self._ready: dict[Correlation[Any], deque[tuple[int, Order[Any]]]] = {}
        self._prepared = count()
        self._numbers = count()
        self._masks: dict[int, RingArray] = {}  # kept: this party's parts, or the dealer's whole ones, by number
        self._stored: set[int] = set()  # which of them come from the store
        self._promised: Counter[Correlation[Any]] = Counter()  # what will be taken from there
        self._deals = Deals(channel, meeting, self._program, self._masks)
        self.rounds, self.offline_rounds, self.offline_bytes = 0, 0, 0
        self.taken: list[Correlation[Any]] = []

    def __repr__(self) -> str:
        return f"Session({self._meeting.names[self.rank]}, rank={self.rank}, rounds={self.rounds})"

    @property
    def id(self) -> bytes:
        """32 bytes that all parties of this run have, and no other run."""
        return self._meeting.session

    @property
    def rank(self) -> int:
        """An owner's place in the manifest; the dealer comes after all owners."""
        return self._meeting.rank

    @property
    def count(self) -> int:
        """How many owners there are: the computing parties."""
        return self._meeting.owners

    @property
    def names(self) -> tuple[str, ...]:
        """The owners, by rank."""
        return self._meeting.names[: self.count]

    @property
    def bytes_sent(self) -> int:
        """Bytes of all frames so far, of `offline_bytes` too, sealed; ZeroMQ and TCP add a little."""
        return sum(self._links.sent.values())

    @property
    def bytes_received(self) -> int:
        return sum(self._links.received.values())

    @property
    def bytes_to(self) -> Mapping[str, int]:
        """`bytes_sent`, by peer."""
        return dict(self._links.sent)

    # For protocols

    def exchange(
        self, step: str, send: Mapping[int, Sequence[RingArray]], receive: Mapping[int, Sequence[Shape]]
    ) -> Received:
        received = self.post("exchange", step, send, receive)()
        self.rounds += 1
        if self._on_round is not None:
            self._on_round(self.rounds)
        return received

    def post(
        self, kind: str, step: str, send: Mapping[int, Sequence[RingArray]], receive: Mapping[int, Sequence[Shape]]
    ) -> Callable[[], Received]:
        """Begin a round of some kind: send now, receive when the result is called, in the order of beginning."""
        peers = {*send, *receive}
        for peer in peers:
            self._check_peer(peer)
        self._program.note(kind, step)
        states = {peer: self._state(peer) for peer in peers}
        for peer, arrays in send.items():
            self._channel.send(peer, kind, step, arrays, states[peer])
        return lambda: dict(self._channel.receive(kind, step, receive, states))

    def take(self, correlation: Correlation[C]) -> C:
        return self.order(correlation).complete()

    def order(self, correlation: Correlation[C]) -> Order[C]:
        self.taken.append(correlation)
        if self.store is not None and self.store.holds(correlation):
            return self._from_store(self.store, correlation)
        if not (ready := self._ready.get(correlation)):
            return self._ordered([correlation])[0]
        number, order = ready.popleft()
        self._program.note("take", number)  # the name of what was made under that number is in the history already
        return order

    def _from_store(self, store: Store, correlation: Correlation[C]) -> Order[C]:
        self._program.note("take", repr(correlation))
        if not self._stored.issuperset(correlation.kept()):  # a product of other masks than this run's
            raise StoreError(_OTHER_RUN)
        part = store.pop(correlation) or []
        self._promised[correlation] -= self._promised[correlation] > 0
        self._stored.update(correlation.keeps())
        remember(self._masks, correlation.keeps(), part)
        return made(correlation, self.rank, part)

    def number(self) -> int:
        return next(self._numbers)

    def forget(self, number: int) -> None:
        self._masks.pop(number, None)
        if self._meeting.dealer and self.rank == dealer.RECEIVER and number not in self._stored:
            self._deals.forgotten.append(number)

    def prepare(self, correlations: Sequence[Correlation[Any]]) -> None:
        """Make what will be taken ahead of its use: the same at all parties, in far fewer rounds than one by one."""
        for order in self._ordered([one for one in correlations if not self._will_have(one)]):
            self._ready.setdefault(order.correlation, deque()).append((next(self._prepared), order))
        self._program.note("prepare", len(correlations))  # who prepares is not where one is who takes

    def _will_have(self, correlation: Correlation[Any]) -> bool:
        """Whether the store has one more of these than was counted on before."""
        if self.store is None or self.store.holds(correlation) <= self._promised[correlation]:
            return False
        self._promised[correlation] += 1
        return True

    def make(self, correlations: Sequence[Correlation[Any]]) -> list[list[RingArray]]:
        """This party's part of each, from the dealer or by oblivious transfer: an array for each secret."""
        return [list(order.parts()) for order in self._ordered(correlations)]

    def _ordered(self, correlations: Sequence[Correlation[Any]]) -> list[Order[Any]]:
        """Asked of the dealer, who works while the parties go on; or made, by oblivious transfer."""
        if not correlations:
            return []
        before = self.bytes_sent
        if self._meeting.dealer:
            if any(not self._stored.isdisjoint(one.kept()) for one in correlations):
                raise StoreError(_OTHER_RUN)
            orders = self._deals.order(correlations)
        else:
            self._program.note("make", repr(list(correlations)))  # parties that make different things must not go on
            parts = self._without_dealer().make(correlations)
            orders = [made(one, self.rank, part) for one, part in zip(correlations, parts, strict=True)]
        self.offline_bytes += self.bytes_sent - before
        return orders

    def _without_dealer(self) -> Dealerless:
        if self._dealerless is None:
            from protocols.dealerless import Dealerless  # not for those who have a dealer or need no randomness
            from protocols.ot_pairs import connect
            from protocols.transfers import Transfers

            own, peers = Prg(fresh_seed()), Offline(self)
            seeds = {peer: seed for peer, seed in self._meeting.seeds.items() if peer < self.count}
            common = {peer: Prg(derive(seed, "zeros offline", self.id)) for peer, seed in seeds.items()}
            self._dealerless = Dealerless(Transfers(peers, connect(peers, self.id, own)), own, common, self._masks)
        return self._dealerless

    def common(self, peer: int) -> Stream:
        self._check_peer(peer)
        return self._streams[peer]

    # For the dealer

    def next_request(self) -> list[Correlation[Any]] | None:
        """What the receiving owner asks for next; None if it is done. Raises MessageError for nonsense."""
        correlations = self._deals.next_request()
        if correlations is None:
            self._heard_bye(dealer.RECEIVER)
        return correlations

    def answer(self, correlations: Sequence[Correlation[Any]]) -> None:
        """Make them and send the receiving owner what it lacks. Raises MessageError if one is about no mask."""
        self._deals.answer(correlations)

    # Lockstep

    def _state(self, peer: int) -> bytes:
        """What must be equal here and at `peer`: all that both know to have happened.

        The dealer knows what was taken, and no more; two owners know each other's program and common stream.
        """
        if (stream := self._streams.get(peer)) is None:  # one of both is the dealer
            return self._deals.taken.digest
        return self._program.digest + stream.position.to_bytes(16, "big")

    def _check_peer(self, peer: int) -> None:
        if peer not in self._streams:
            raise ValueError(f"party {self.rank} has no peer {peer}: its peers are below {self.count}, not itself")

    # Beginning and end

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        elif not self._links.closed:
            self._links.stop(error)
            self._links.close()

    def close(self) -> None:
        """Wait until every party is done, then close. Raises LinkError if one is not.

        Closing again does nothing.
        """
        if self._links.closed:
            return
        try:
            self._say_bye()
        except BaseException as error:
            self._links.stop(error)
            raise
        finally:
            self._links.close()

    def _say_bye(self) -> None:
        self._deals.receive_all()
        states = {peer: self._state(peer) for peer in self._meeting.seeds}
        for peer, state in states.items():
            self._channel.send(peer, "bye", "bye", [], state)
        for peer, _ in self._channel.receive("bye", "bye", dict.fromkeys(self._waiting_for, ()), states):
            self._heard_bye(peer)

    def _heard_bye(self, peer: int) -> None:
        self._waiting_for.discard(peer)
        self._links.finish(self._meeting.names[peer])


class Offline:
    """The peers of a session as oblivious transfer sees them; its rounds are counted apart."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.rank, self.count = session.rank, session.count

    def post(
        self, step: str, send: Mapping[int, Sequence[RingArray]], receive: Mapping[int, Sequence[Shape]]
    ) -> Callable[[], Received]:
        self._session.offline_rounds += 1
        return self._session.post("prepare", step, send, receive)


def open_session(
    manifest: Manifest,
    identity: Identity,
    me: str,
    *,
    wait: float = WAIT,
    patience: float = PATIENCE,
    on_frame: FrameHook | None = None,
    on_round: Callable[[int], None] | None = None,
    store: Store | None = None,
    purpose: bytes = b"",
) -> Session:
    """Meet all parties of the study; return once everybody knows that all are here and agree.

    `wait`: seconds for the others to come. `patience`: seconds that one may be silent later. `on_frame` sees every
    frame that leaves, `on_round` counts the rounds. `store`: where correlated randomness is taken from first; a portion
    of it is reserved once all are known to be at the same. `purpose`: PREPARING or CHECKING (see `hello`) if this is no
    run; then nothing is reserved.
    Raises KeyFileError if the key is not that of `me`, LinkError if a party is absent or does not agree.
    """
    _check_key(manifest, identity, me)
    links = Links(identity, me, manifest.parties, on_frame)
    deadline = time.monotonic() + wait
    try:
        state = purpose + (store.state if store else b"")
        meeting = meet(links, manifest, me, wait, state)
        channel = Channel(links, meeting.names, meeting.rank, meeting.session, wait + _CONFIRM_MARGIN)
        _confirm(channel, meeting)
        stocked = store is not None and store.left > 0 and not purpose
        if store is not None and stocked:
            store.reserve()
    except BaseException as error:
        links.stop(error, _grace(error, deadline))
        links.close()
        raise
    channel.patience = patience
    return Session(links, channel, meeting, on_round, store if stocked else None)


def _grace(error: BaseException, deadline: float) -> float:
    """How long to stay for those who are about to come, so that they are told, and do not wait in vain."""
    return min(_GRACE, max(0.0, deadline - time.monotonic())) if isinstance(error, Exception) else 0.0


def _check_key(manifest: Manifest, identity: Identity, me: str) -> None:
    expected = bytes.fromhex(manifest.party(me).public_key or "")
    if identity.public != expected:
        raise KeyFileError(
            f"the key of {identity.name} ({fingerprint(identity.public)}) is not the one that the manifest "
            f"has for {me} ({fingerprint(expected)}): use that key file, or correct public_key everywhere"
        )


def _confirm(channel: Channel, meeting: Meeting) -> None:
    """The first message under the session's name: whoever saw other parties has another name for it."""
    states = dict.fromkeys(meeting.seeds, b"")
    for peer in states:
        channel.send(peer, "ready", "ready", [], b"")
    try:
        for _ in channel.receive("ready", "ready", dict.fromkeys(states, ()), states):
            pass
    except MessageError as error:
        (peer,) = error.culprits
        text = f"{meeting.names[peer]} met other parties than we did: is one of them running twice?"
        raise LinkError(text, meeting.names[peer]) from None
