"""The encrypted links of one party to all others, over ZeroMQ.

Of two parties the one that comes first in the manifest listens, if it has an address, and the other dials.
A link that breaks is not mended: frames may be lost with it, and the other process may be another one. Every
wait has an end, and every failure names the peer. One process and one thread own the sockets.
"""

from __future__ import annotations

import contextlib
import math
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

import zmq

from protocols.errors import ForkError, ProtocolError
from smpc import wire
from smpc.config import PartyEntry
from smpc.ends import Dialler, End
from smpc.errors import LinkError, SmpcError
from smpc.identity import Identity, fingerprint
from smpc.monitor import Context, Socket
from smpc.noise import SEAL_BYTES
from smpc.port import Listener
from smpc.sealed import Arrived, opened

FrameHook: TypeAlias = Callable[[str, str, bytes], None]  # the receiver, what kind of frame, its bytes before sealing

_INTERRUPTS = (signal.SIGINT, signal.SIGTERM)
_LAST = 1 << 16  # frames that are looked at from peers of an end where one is gone
_FRAME_COST = 4096  # what a frame counts beside its bytes, so that endless empty ones reach the limit too
_AHEAD_LIMIT = 4 * 1024**3
LINGER_MS = 1000  # only as long as something is left to send


class PeerStopped(LinkError):
    """A party said that it stops, and why."""

    def __init__(self, stop: wire.Stop) -> None:
        super().__init__(f"{stop.who} stopped: {stop.text}", stop.who)
        self.stop = stop


class Links:
    """A link to every other party of `parties`; open it with `meet`.

    `sent` and `received` count bytes of sealed frames by peer; `doing` is what error messages say was being done.
    Raises LinkError if the port cannot be opened.
    """

    def __init__(
        self,
        identity: Identity,
        me: str,
        parties: Sequence[PartyEntry],
        on_frame: FrameHook | None = None,
    ) -> None:
        self._me, self._on_frame = me, on_frame
        self._owner = os.getpid(), threading.get_ident()
        peers = [party.name for party in parties if party.name != me]
        self.sent, self.received = dict.fromkeys(peers, 0), dict.fromkeys(peers, 0)
        self.frames, self.doing = 0, "the first greeting"
        self._inboxes: dict[str, deque[Arrived]] = {peer: deque() for peer in peers}
        self._stops: dict[str, wire.Stop] = {}
        self._ahead = dict.fromkeys(peers, 0)
        self._greeted: set[str] = set()
        self._finished: set[str] = set()
        self._ends: dict[str, Listener | Dialler] = {}
        self._context: Context = zmq.Context()
        self._poller = zmq.Poller()
        self._sources: dict[Socket, End] = {}
        try:
            with _uninterrupted():
                self._open(identity, parties)
        except BaseException:
            self.close(0)
            raise

    def _open(self, identity: Identity, parties: Sequence[PartyEntry]) -> None:
        me = next(party for party in parties if party.name == self._me)
        peers = [party for party in parties if party is not me]
        keys = {peer.name: bytes.fromhex(peer.public_key or "") for peer in peers}
        dialled = [peer for peer in peers if _listener_of(me, peer, parties) is peer]
        dialling = {keys[peer.name]: peer.name for peer in peers if peer not in dialled}
        if dialling:
            listener = Listener(self._context, identity, me.name, me.address or "", dialling)
            self._ends.update(dict.fromkeys(dialling.values(), listener))
        for peer in dialled:
            name, address = peer.name, peer.address or ""
            self._ends[name] = Dialler(self._context, identity, me.name, name, address=address, key=keys[name])
        for end in self._distinct():
            for source in (end.monitor, end.socket):
                self._poller.register(source, zmq.POLLIN)
                self._sources[source] = end

    def meet(self, hellos: Mapping[str, bytes], wait: float) -> Iterator[tuple[str, bytes]]:
        """Send every peer its hello as soon as it is there, and give each one's first frame as it comes.

        Raises LinkError if a peer is not there after `wait` seconds, cannot be who it should be, or leaves.
        """
        self._check_owner()
        deadline = time.monotonic() + wait
        absent = dict.fromkeys(self._ends)
        while absent:
            for peer, end in self._ends.items():
                if isinstance(end, Dialler) and end.up:
                    self._greet(peer, hellos)
            if (arrived := self._next(absent)) is None:
                self._check_gone()
                if not self._wait(deadline) and not any(self._inboxes[peer] for peer in absent):
                    raise LinkError(self._why_absent(absent, wait), next(iter(absent)))
                continue
            peer, frame = arrived
            del absent[peer]
            self._greet(peer, hellos)
            yield peer, opened(frame)

    def send(self, peer: str, frame: wire.Frame, kind: str) -> None:
        """Hand a frame to the network; it may be queued here. Raises LinkError if the peer is known to be gone."""
        self._check_owner()
        end = self._ends[peer]
        if peer in end.gone or not end.send(peer, frame):
            end.gone.add(peer)
            self._take_in(end)
            self._check_gone()
        self._count(peer, frame, kind)

    def receive(self, wanted: Collection[str], patience: float) -> tuple[str, Arrived]:
        """The next frame from one of `wanted`, and who sent it.

        Raises LinkError if any peer left or stopped, or if all of `wanted` are silent for `patience` seconds
        (may be infinite: a process that is dead or unreachable is noticed anyway).
        """
        self._check_owner()
        deadline = time.monotonic() + patience
        while (arrived := self._next(wanted)) is None:
            self._check_gone()
            if not self._wait(deadline) and not any(self._inboxes[peer] for peer in wanted):
                names = " and ".join(sorted(wanted))
                raise LinkError(f"{names} sent nothing for {patience:g} s, at {self.doing}", min(wanted))
        return arrived

    def finish(self, peer: str) -> None:
        """Note that `peer` has said bye: that it leaves is no failure any more."""
        self._finished.add(peer)

    def stop(self, error: BaseException, grace: float = 0.0) -> None:
        """Tell all peers why this party stops, in one public line; who comes within `grace` seconds, too.

        The line is the error's text if that is meant for people, and else only what kind of error it was.
        """
        if self._owner != (os.getpid(), threading.get_ident()):
            return
        public = isinstance(error, SmpcError | ProtocolError)
        own = wire.Stop(self._me, str(error) if public else type(error).__name__)
        stop = error.stop if isinstance(error, PeerStopped) else own
        deadline, untold = time.monotonic() + grace, set(self._ends)
        while untold := {peer for peer in untold if not self._tell(peer, stop)}:
            if time.monotonic() >= deadline:
                return
            with contextlib.suppress(LinkError):
                self._wait(deadline)

    def _tell(self, peer: str, stop: wire.Stop) -> bool:
        """Whether `peer` needs no more telling."""
        end, frame = self._ends[peer], wire.stop_frame(self._me, peer, stop)
        with contextlib.suppress(LinkError):
            end.look()
        if peer in end.gone:
            return True
        if not end.send(peer, frame):
            return False
        self._count(peer, frame, "stop")
        return True

    def close(self, linger: int = LINGER_MS) -> None:
        """Close all; what was sent may still leave for `linger` milliseconds. In a forked child: nothing."""
        if self._owner[0] != os.getpid() or self.closed:
            return
        for end in self._distinct():
            end.close(linger)
        self._context.term()

    @property
    def closed(self) -> bool:
        return bool(self._context.closed)

    def _greet(self, peer: str, hellos: Mapping[str, bytes]) -> None:
        if peer not in self._greeted:
            self._greeted.add(peer)
            self.send(peer, hellos[peer], "hello")

    # Waiting

    def _next(self, wanted: Collection[str]) -> tuple[str, Arrived] | None:
        for peer in wanted:
            if self._inboxes[peer]:
                frame = self._inboxes[peer].popleft()
                self._ahead[peer] -= len(frame) + _FRAME_COST
                return peer, frame
        return None

    def _wait(self, deadline: float) -> bool:
        """Wait until something happens, and take it in; False once the deadline has passed."""
        left = deadline - time.monotonic()
        for source, _ in self._poller.poll(None if left == math.inf else max(0, math.ceil(left * 1000))):
            end = self._sources[source]
            if source is end.socket:
                self._take_in(end)
            else:
                self._look(end)
        return left > 0

    def _look(self, end: End) -> None:
        """Never know that a peer is gone without having read all that it sent: the last frame may say why."""
        end.look()
        if end.gone:
            self._take_in(end)

    def _take_in(self, end: End) -> None:
        """Frames to inboxes: all where a peer is gone; else one, as to ask for more costs as much as to wait again."""
        for _ in range(_LAST if end.gone else 1):
            if (arrived := end.read()) is None:
                return
            self._keep(*arrived)

    def _keep(self, peer: str, frame: Arrived) -> None:
        if peer in self._stops:
            return
        if isinstance(frame, bytes) and (stop := wire.read_stop(peer, self._me, frame)) is not None:
            self._stops[peer] = stop
            self._ends[peer].gone.add(peer)
            return
        self.received[peer] += len(frame) + SEAL_BYTES
        self._ahead[peer] += len(frame) + _FRAME_COST
        if self._ahead[peer] > _AHEAD_LIMIT:
            raise LinkError(f"{peer} sends more than {_AHEAD_LIMIT >> 30} GiB that nobody asked for", peer)
        self._inboxes[peer].append(frame)

    def _distinct(self) -> Iterable[Listener | Dialler]:
        return dict.fromkeys(self._ends.values())

    def _count(self, peer: str, frame: wire.Frame, kind: str) -> None:
        self.sent[peer] += (len(frame) if isinstance(frame, bytes) else sum(map(len, frame))) + SEAL_BYTES
        self.frames += 1
        if self._on_frame is not None:
            self._on_frame(peer, kind, frame if isinstance(frame, bytes) else b"".join(frame))

    # Failing

    def _check_owner(self) -> None:
        if self._owner[0] != os.getpid():
            raise ForkError("links were inherited over fork: open a session of its own in the child")
        if self._owner[1] != threading.get_ident():
            raise RuntimeError("links belong to the thread that opened them")

    def _check_gone(self) -> None:
        """Called where we would have to wait: what had come before a peer left has been looked at by then."""
        for stop in self._stops.values():
            raise PeerStopped(stop)
        for peer, end in self._ends.items():
            if peer in end.gone and peer not in self._finished:
                raise LinkError(f"{peer} left at {self.doing}: its process or connection ended", peer)

    def _why_absent(self, absent: Iterable[str], wait: float) -> str:
        reasons = [f"{peer} is absent: {self._ends[peer].missing} in {wait:g} s" for peer in absent]
        for listener in (end for end in self._distinct() if isinstance(end, Listener)):
            reasons += [f"an unknown key was refused here: {fingerprint(key)}" for key in listener.refused]
            if listener.foreign:
                reasons.append("a connection was refused here that did not know our public_key")
        return "; ".join([*reasons, "start all parties within that time, or give more with --wait"])


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Signals wait for the end of the block: a socket that nobody knows of would keep its context open for ever."""
    if threading.current_thread() is not threading.main_thread():  # no other is ever interrupted
        yield
        return
    came: list[int] = []
    handlers = {number: signal.signal(number, lambda one, _: came.append(one)) for number in _INTERRUPTS}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for one in came:
            signal.raise_signal(one)


def _listener_of(one: PartyEntry, other: PartyEntry, order: Sequence[PartyEntry]) -> PartyEntry:
    """Of two parties the one that comes first, if it has an address, else the other."""
    first, second = sorted((one, other), key=order.index)
    return second if first.address is None else first
