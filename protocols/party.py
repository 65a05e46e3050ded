"""What a protocol may assume of the world: who it is, its peers, its correlated randomness.

A correlation is defined by one class that says how an ideal dealer makes it: draw uniform secrets, compute
others from them, share all. Whoever provides it (a dealer, oblivious transfer, a store) gives every party
its part of exactly that.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from protocols.ring import RingArray, Shape
from protocols.shares import BitShare, Share

C = TypeVar("C")
C_co = TypeVar("C_co", covariant=True)

Part = Share | BitShare
Received: TypeAlias = Mapping[int, list[RingArray]]


@dataclass(frozen=True)
class Secret:
    """One array of a correlation: its shape and how it is shared.

    `owner`: that party holds the whole array and the others hold zero; without one, all hold uniform shares.
    """

    shape: Shape
    kind: type[Share] | type[BitShare] = Share
    owner: int | None = None


class Correlation(Protocol[C_co]):
    """A request for correlated randomness; equal requests have equal representations."""

    def drawn(self) -> Sequence[Secret]:
        """The secrets that are uniform and independent."""

    def derived(self) -> Sequence[Secret]:
        """The secrets that `compute` makes of them."""

    def compute(self, *drawn: RingArray) -> Sequence[RingArray]:
        """The derived secrets, in the clear; of kept masks, then of drawn secrets."""

    def work(self) -> int:
        """Products of numbers that making it takes, if these are many for each element."""
        return 0

    def kept(self) -> Sequence[int]:
        """Numbers of masks that were drawn by earlier requests and are used by this one."""
        return ()

    def keeps(self) -> Sequence[int]:
        """Under which numbers the drawn secrets are kept, if they are."""
        return ()

    def assemble(self, *parts: Part) -> C_co:
        """One party's part, drawn then derived, under names."""


def secrets_of(correlation: Correlation[Any]) -> list[Secret]:
    """All secrets of a correlation, drawn then derived: the order of every party's part."""
    return [*correlation.drawn(), *correlation.derived()]


def assemble(correlation: Correlation[C], rank: int, part: Sequence[RingArray]) -> C:
    """Party `rank`'s part, which is an array for each of `secrets_of(correlation)`, under names."""
    secrets = secrets_of(correlation)
    return correlation.assemble(*(one.kind(rank, values) for one, values in zip(secrets, part, strict=True)))


@dataclass(frozen=True)
class Order(Generic[C]):
    """Correlated randomness that may be still on its way, but for what was drawn: enough to open what it masks."""

    correlation: Correlation[C]
    rank: int
    parts: Callable[[], Sequence[RingArray]] = field(repr=False)  # waits
    draws: Sequence[RingArray] = field(repr=False)

    @property
    def drawn(self) -> list[Part]:
        """My part of each secret that was drawn."""
        return [one.kind(self.rank, a) for one, a in zip(self.correlation.drawn(), self.draws, strict=True)]

    def complete(self) -> C:
        """My part of all; waits for it."""
        return assemble(self.correlation, self.rank, self.parts())


def made(correlation: Correlation[C], rank: int, part: Sequence[RingArray]) -> Order[C]:
    """An order of which all is there."""
    return Order(correlation, rank, lambda: part, part[: len(correlation.drawn())])


class Preprocessing(Protocol):
    """Who provides correlated randomness: a dealer, oblivious transfer."""

    def make(self, correlations: Sequence[Correlation[Any]]) -> list[list[RingArray]]:
        """This party's part of each, fresh: an array for each of its secrets. All parties ask for the same."""


class Stream(Protocol):
    """Uniform ring elements in a fixed order."""

    position: int

    def ring(self, shape: Shape) -> RingArray: ...


class Peers(Protocol):
    """The other parties as oblivious transfer sees them: rounds that may overlap."""

    @property
    def rank(self) -> int: ...

    @property
    def count(self) -> int: ...

    def post(
        self, step: str, send: Mapping[int, Sequence[RingArray]], receive: Mapping[int, Sequence[Shape]]
    ) -> Callable[[], Received]:
        """Begin a round: send now, receive when the result is called. Rounds end in the order in which they began."""


class Paired(Protocol):
    """Who holds a stream in common with each peer."""

    @property
    def rank(self) -> int: ...

    @property
    def count(self) -> int: ...

    def common(self, peer: int) -> Stream:
        """The stream that `peer` and I hold, and nobody else."""


class Party(Protocol):
    """The party that runs this code. Every party calls the same protocols in the same order."""

    @property
    def rank(self) -> int: ...

    @property
    def count(self) -> int: ...

    def exchange(
        self, step: str, send: Mapping[int, Sequence[RingArray]], receive: Mapping[int, Sequence[Shape]]
    ) -> Mapping[int, list[RingArray]]:
        """One round: send arrays to some peers, receive arrays of known shapes from some.

        Raises MessageError if a peer is at another step or sends other shapes, PeerGone if it is not there.
        """

    def take(self, correlation: Correlation[C]) -> C:
        """My part of fresh correlated randomness; it is never given out again."""

    def order(self, correlation: Correlation[C]) -> Order[C]:
        """`take`, without waiting: what is ordered is on its way while parties talk."""

    def prepare(self, correlations: Sequence[Correlation[Any]]) -> None:
        """Have made what will be taken: in fewer messages than one by one, and while parties talk if others make it."""

    def number(self) -> int:
        """A name for the next mask that is kept: never given again, and the same at all parties."""

    def forget(self, number: int) -> None:
        """The mask of that number is used no more."""

    def common(self, peer: int) -> Stream:
        """The stream of this session that `peer` and I hold, and nobody else."""
