"""What happens to the connections of a ZeroMQ socket, as events."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import TypeAlias

import zmq

Context: TypeAlias = "zmq.Context[zmq.Socket[bytes]]"
Socket: TypeAlias = "zmq.Socket[bytes]"

# As plain numbers: pyzmq's are enumerations, and combining those costs as much as a call of ZeroMQ's.
NOW = int(zmq.DONTWAIT)
MORE_NOW = int(zmq.DONTWAIT | zmq.SNDMORE)
_EVENT = struct.Struct("=Hi")  # as zmq_socket_monitor(3) has it; pyzmq's own reader would import asyncio
_EVENTS, _READABLE = int(zmq.EVENTS), int(zmq.POLLIN)

FAILED_HANDSHAKE = zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL


def monitor(context: Context, end: Socket) -> Socket:
    """Events of `end`'s connections. Without a mark: at one, ZeroMQ's own thread would stop and wait."""
    kinds = (
        zmq.EVENT_ACCEPTED
        | zmq.EVENT_CONNECTED
        | zmq.EVENT_DISCONNECTED
        | zmq.EVENT_HANDSHAKE_SUCCEEDED
        | zmq.EVENT_HANDSHAKE_FAILED_AUTH
        | FAILED_HANDSHAKE
    )
    name = f"inproc://monitor-{end.underlying}"
    end.monitor(name, kinds)
    listening = context.socket(zmq.PAIR)
    listening.linger, listening.rcvhwm = 0, 0
    listening.connect(name)
    return listening


def events(listening: Socket) -> Iterator[tuple[int, int]]:
    """What happened since the last time: event and value."""
    while int(listening.get(_EVENTS)) & _READABLE:  # cheaper to ask than the exception is that says no
        first, *_ = listening.recv_multipart(NOW)
        yield _EVENT.unpack(first)


def next_frame(end: Socket) -> tuple[zmq.Frame, bool]:
    """A frame, and whether it is but the first part of one, whose rest is thrown away. Raises zmq.Again for none."""
    first = part = end.recv(NOW, copy=False)
    while part.more:
        part = end.recv(NOW, copy=False)
    return first, part is not first


def close(end: Socket, listening: Socket, linger: int) -> None:
    """Close both; what `end` was given may still leave for `linger` milliseconds."""
    end.disable_monitor()
    listening.close(linger=0)
    end.close(linger=linger)
