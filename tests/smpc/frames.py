"""Messages from the frames that arrive."""

from __future__ import annotations

from smpc.wire import Assembly


def received(label, frames):
    """The arrays of a message whose frames are all here."""
    message = Assembly(label)
    for frame in frames:
        message.add(frame)
    assert message.complete
    return message.arrays()
