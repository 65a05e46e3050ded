"""What can go wrong between parties.

* ProtocolError
  x PeerGone             a peer left or fell silent
  x PeerError            a peer broke the protocol; `culprits` names it
    + MessageError       a message had the wrong step, shape or length
  x ForkError            randomness was asked for in a forked child

A caller's own mistake (shapes that do not match, a bound that is exceeded) is a ValueError.
"""


class ProtocolError(Exception):
    """Base of every error raised in `protocols` that is not a caller's mistake."""


class PeerGone(ProtocolError):
    """A peer left or fell silent."""

    def __init__(self, message: str, peer: int) -> None:
        super().__init__(message)
        self.peer = peer


class PeerError(ProtocolError):
    """A peer broke the protocol; `culprits` are the ranks that the evidence names."""

    def __init__(self, message: str, culprits: frozenset[int]) -> None:
        super().__init__(message)
        self.culprits = culprits


class MessageError(PeerError):
    """A message had the wrong step, shape or length."""


class ForkError(ProtocolError):
    """A stream was used in a forked child, where parent and child would draw the same masks."""
