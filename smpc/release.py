"""The only way out: policy, then ledger, then opening.

Opening a masked value (`protocols.opening.open_masked`) reveals nothing and happens all the time. Releasing a
result tells the receivers a value; every release of a run goes through one `Gate`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from protocols.opening import disclose
from smpc.errors import ReleaseRefused

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from protocols.party import Party
    from protocols.ring import RingArray
    from protocols.shares import Share
    from smpc.ledger import Ledger

EVERYONE = "everyone"


@dataclass(frozen=True)
class Gate:
    """What may leave this run, and to whom.

    `names`: the computing parties in rank order. `receivers`: who may learn results. `public`: what the computation
    needs everybody to know (a row count, the outcome of a check).
    """

    party: Party
    names: tuple[str, ...]
    receivers: tuple[str, ...]
    ledger: Ledger
    public: frozenset[str] = frozenset()

    def announce(self, **results: Share) -> dict[str, RingArray]:
        """Open to every party. Raises ReleaseRefused for a name that is not in `public`."""
        if unexpected := sorted(set(results) - self.public):
            raise ReleaseRefused(f"{unexpected[0]} is not among what this computation may tell everyone")
        opened = self._open(results, self.names)
        if opened is None:
            message = "a party that is told everything was told nothing"
            raise RuntimeError(message)
        return opened

    def release(self, results: Mapping[str, Share], to: Sequence[str] | None = None) -> dict[str, RingArray] | None:
        """Open to `to` (all receivers if not said); None to everybody else.

        Raises ReleaseRefused if one of `to` is not a receiver of this study, ValueError if `to` is empty. Leaks the
        values, to these parties only.
        """
        chosen = self.receivers if to is None else tuple(to)
        if not chosen:
            raise ValueError("a result is released to at least one party")
        for name in chosen:
            if name not in self.receivers:
                allowed = ", ".join(self.receivers)
                raise ReleaseRefused(f"the manifest does not release results to {name}, only to {allowed}")
        return self._open(results, chosen)

    def _open(self, results: Mapping[str, Share], to: tuple[str, ...]) -> dict[str, RingArray] | None:
        for what, share in results.items():
            self.ledger.record(what, share.shape, to)
        ranks = [self.names.index(name) for name in to]
        values = disclose(self.party, ranks, *results.values())
        return None if values is None else dict(zip(results, values, strict=True))
