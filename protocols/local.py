"""All parties in one process, a thread each: for tests, notebooks and examples.

Correlated randomness comes from a dealer that is ideal (it runs inside the same process) but deals by the very seeds
and corrections of `dealer`; or, with preprocessing="ot", from oblivious transfer between the parties. With a seed the
whole run is deterministic, message by message.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count as count_up
from queue import Empty, Queue
from typing import Any, Literal, NamedTuple, Protocol, TypeVar

from protocols import dealer
from protocols.dealerless import Dealerless
from protocols.errors import MessageError, PeerGone
from protocols.ot_pairs import connect
from protocols.party import Correlation, Order, Received, Stream, made
from protocols.prg import Prg, derive, fresh_seed
from protocols.ring import RingArray, Shape
from protocols.transfers import Transfers

C = TypeVar("C")
R = TypeVar("R")


class Message(NamedTuple):
    """One party's arrays to another in one round."""

    sender: int
    receiver: int
    step: str
    arrays: tuple[RingArray, ...]


@dataclass
class LocalDealer:
    """Deals to all parties of the process; the k-th request must be the same at each."""

    streams: Sequence[Stream]  # the dealer's copies of the parties' streams
    lock: threading.Lock = field(default_factory=threading.Lock)
    dealt: list[tuple[Correlation[Any], list[RingArray]]] = field(default_factory=list)
    masks: dict[int, RingArray] = field(default_factory=dict)

    def correction(self, rank: int, k: int, correlation: Correlation[Any]) -> list[RingArray]:
        with self.lock:
            if k == len(self.dealt):
                self.dealt.append((correlation, dealer.correct(correlation, self.streams, self.masks)))
            asked, correction = self.dealt[k]
        if asked != correlation:
            raise MessageError(f"request {k} is {correlation} here and {asked} elsewhere", frozenset({rank}))
        return correction if rank == dealer.RECEIVER else []


@dataclass
class LocalPeers:
    """The other parties as threads, with mailboxes between every two; counts what it sends."""

    rank: int
    count: int
    mailboxes: Mapping[tuple[int, int], Queue[Message | None]] = field(repr=False)
    timeout: float = 30.0
    rounds: int = 0
    elements: int = 0
    sent: list[Message] = field(default_factory=list, repr=False)

    def post(
        self, step: str, send: Mapping[int, Sequence[RingArray]], receive: Mapping[int, Sequence[Shape]]
    ) -> Callable[[], Received]:
        self.rounds += 1
        for peer, arrays in send.items():
            message = Message(self.rank, peer, step, tuple(array.copy() for array in arrays))
            self.sent.append(message)
            self.elements += sum(array.size for array in arrays)
            self.mailboxes[self.rank, peer].put(message)
        return lambda: {peer: self._receive(peer, step, shapes) for peer, shapes in receive.items()}

    def leave(self) -> None:
        for peer in range(self.count):
            self.mailboxes[self.rank, peer].put(None)

    def _receive(self, peer: int, step: str, shapes: Sequence[Shape]) -> list[RingArray]:
        try:
            message = self.mailboxes[peer, self.rank].get(timeout=self.timeout)
        except Empty:
            raise PeerGone(f"party {peer} was silent for {self.timeout} s", peer) from None
        if message is None:
            raise PeerGone(f"party {peer} left", peer)
        if message.step != step or [a.shape for a in message.arrays] != [tuple(s) for s in shapes]:
            raise MessageError(f"party {peer} is at {message.step!r}, not {step!r}", frozenset({peer}))
        return list(message.arrays)


@dataclass
class LocalParty(LocalPeers):
    """A `Party` whose peers are threads. `offline`: the same peers, for what makes correlated randomness."""

    ideal_dealer: LocalDealer | None = field(repr=False, kw_only=True)
    stream: Stream = field(repr=False, kw_only=True)
    streams: Mapping[int, Stream] = field(repr=False, kw_only=True)
    common_offline: Mapping[int, Stream] = field(repr=False, kw_only=True)
    offline: LocalPeers = field(repr=False, kw_only=True)
    taken: list[Correlation[Any]] = field(default_factory=list, repr=False)
    dealerless: Dealerless | None = field(default=None, repr=False)
    _ready: dict[Correlation[Any], deque[Order[Any]]] = field(default_factory=dict, repr=False)
    _made: int = field(default=0, repr=False)
    _numbers: Iterator[int] = field(default_factory=count_up, repr=False)

    def exchange(
        self, step: str, send: Mapping[int, Sequence[RingArray]], receive: Mapping[int, Sequence[Shape]]
    ) -> Received:
        return self.post(step, send, receive)()

    def take(self, correlation: Correlation[C]) -> C:
        return self.order(correlation).complete()

    def order(self, correlation: Correlation[C]) -> Order[C]:
        self.taken.append(correlation)
        ready = self._ready.get(correlation)
        return ready.popleft() if ready else self._make(correlation)

    def prepare(self, correlations: Sequence[Correlation[Any]]) -> None:
        for correlation in correlations:
            self._ready.setdefault(correlation, deque()).append(self._make(correlation))

    def _make(self, correlation: Correlation[C]) -> Order[C]:
        if self.ideal_dealer is None:
            (part,) = self._without_dealer().make([correlation])
        else:
            correction = self.ideal_dealer.correction(self.rank, self._made, correlation)
            self._made += 1
            part = dealer.part(correlation, self.rank, self.stream, correction)
        return made(correlation, self.rank, part)

    def number(self) -> int:
        return next(self._numbers)

    def forget(self, number: int) -> None:
        if self.dealerless is not None:
            self.dealerless.masks.pop(number, None)

    def common(self, peer: int) -> Stream:
        return self.streams[peer]

    def leave(self) -> None:
        super().leave()
        self.offline.leave()

    def _without_dealer(self) -> Dealerless:
        if self.dealerless is None:
            pairs = connect(self.offline, b"local", self.stream)
            self.dealerless = Dealerless(Transfers(self.offline, pairs), self.stream, self.common_offline)
        return self.dealerless


def mailboxes(count: int) -> dict[tuple[int, int], Queue[Message | None]]:
    """An empty mailbox from every party to every other."""
    return {(a, b): Queue() for a in range(count) for b in range(count)}


def parties(
    count: int, seed: bytes | None = None, preprocessing: Literal["dealer", "ot"] = "dealer"
) -> list[LocalParty]:
    """`count` parties that are connected to each other and, if not said otherwise, to an ideal dealer.

    `seed` (32 bytes) fixes all randomness: for tests only.
    """
    seed = seed or fresh_seed()

    def stream(purpose: str, *ranks: int) -> Prg:
        return Prg(derive(seed, purpose, bytes(ranks)))

    def common(purpose: str, rank: int) -> dict[int, Stream]:
        return {peer: stream(purpose, min(rank, peer), max(rank, peer)) for peer in range(count) if peer != rank}

    online, offline = mailboxes(count), mailboxes(count)
    ideal = None if preprocessing == "ot" else LocalDealer([stream("dealer", rank) for rank in range(count)])
    return [
        LocalParty(
            rank,
            count,
            online,
            ideal_dealer=ideal,
            stream=stream("dealer", rank),
            streams=common("pair", rank),
            common_offline=common("offline", rank),
            offline=LocalPeers(rank, count, offline),
        )
        for rank in range(count)
    ]


class Leaving(Protocol):
    """A party of this process, which can tell the others that it is gone."""

    def leave(self) -> None: ...


P = TypeVar("P", bound=Leaving)


def run_all(everyone: Sequence[P], program: Callable[[P], R]) -> list[R]:
    """Run `program` as every one of the parties; return their results in rank order.

    Raises an ExceptionGroup of what the parties raised; a party that fails leaves at once, so that no
    other waits for it.
    """

    def live(party: P) -> R:
        try:
            return program(party)
        finally:
            party.leave()

    with ThreadPoolExecutor(len(everyone)) as pool:
        futures = [pool.submit(live, party) for party in everyone]
    if errors := [error for future in futures if (error := future.exception()) is not None]:
        raise BaseExceptionGroup("parties failed", errors)
    return [future.result() for future in futures]


def run(
    count: int,
    program: Callable[[LocalParty], R],
    seed: bytes | None = None,
    preprocessing: Literal["dealer", "ot"] = "dealer",
) -> list[R]:
    """`run_all` with `count` new parties."""
    return run_all(parties(count, seed, preprocessing), program)


def common_cause(group: BaseExceptionGroup[BaseException]) -> BaseException | None:
    """What all parties that failed by themselves raised, if that is one and the same."""
    causes = [error for error in group.exceptions if not isinstance(error, PeerGone)]
    return causes[0] if len({(type(error), str(error)) for error in causes}) == 1 else None
