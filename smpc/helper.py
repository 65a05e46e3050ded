"""The dealer's side of a run: it answers what the owners ask for, and sees shapes only."""

from __future__ import annotations

from smpc.session import Session


def serve(session: Session) -> None:
    """Answer requests for correlated randomness until the owner that asks says bye.

    Raises LinkError if an owner leaves or stops, MessageError for a request that is none.
    """
    while (correlations := session.next_request()) is not None:
        session.answer(correlations)
