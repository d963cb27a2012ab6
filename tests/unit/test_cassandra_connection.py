"""A connection whose socket is full for a moment, whose answers come in pieces, or not at all: nothing is lost."""

import gc
import io
import struct
from collections.abc import Callable
from typing import Any, ClassVar
from weakref import ref

import pytest
from cassandra.connection import Connection, Timer
from cassandra.protocol import OptionsMessage
from cassandra.segment import SegmentCodec

from commands.cassandra.connection import connection_class


class Recorded(Connection):  # type: ignore[misc]
    """The driver's part that does no I/O."""

    timers: ClassVar[list[Timer]] = []

    def __init__(self) -> None:
        super().__init__("127.0.0.1")
        self.sent: list[bytes] = []
        self.heard: list[bytes] = []

    def push(self, data: bytes) -> None:
        self.sent.append(data)

    def process_msg(self, header: Any, body: bytes) -> None:
        self.heard.append(body)

    def close(self) -> None:
        self.is_closed = True

    @classmethod
    def create_timer(cls, timeout: float, callback: Callable[[], None]) -> Timer:
        cls.timers.append(Timer(timeout, callback))
        return cls.timers[-1]


class Request:
    """A request that may be known to its timer only."""

    timed_out = 0

    def on_timeout(self) -> None:
        Request.timed_out += 1


def test_a_request_to_a_full_socket_is_neither_refused_nor_lost() -> None:
    connection: Any = connection_class(Recorded)()
    connection._socket_writable = False  # what the driver's reactors do when the kernel takes no more
    connection.send_msg(OptionsMessage(), 0, cb=lambda _: None)
    assert len(connection.sent) == 1
    assert list(connection._requests) == [0]


ANSWERS = [b"one", b"another" * 9, b"the last"]


def _segments() -> bytes:
    found = io.BytesIO()
    for answer in ANSWERS:
        SegmentCodec().encode(found, struct.pack(">BBhBi", 0x85, 0, 1, 8, len(answer)) + answer)
    return found.getvalue()


@pytest.mark.parametrize("first", range(1, len(_segments())))
def test_answers_may_come_in_any_two_pieces(first: int) -> None:
    """By itself the driver forgets what comes of a segment's header before its end, and so loses its place."""
    connection: Any = connection_class(Recorded)()
    connection.protocol_version = 5
    connection._enable_checksumming()
    for piece in (_segments()[:first], _segments()[first:]):
        connection._iobuf.write(piece)
        connection.process_io_buffer()
    assert not connection.is_defunct
    assert connection.heard == ANSWERS


def test_a_request_that_was_lost_ends_with_its_time() -> None:
    """A connection that is closed in the moment of sending may forget it; then nobody else would ever end it."""
    request, before = Request(), Request.timed_out
    connection_class(Recorded).create_timer(10.0, request.on_timeout)
    del request
    gc.collect()
    assert Recorded.timers[-1].finish(Recorded.timers[-1].end)
    assert Request.timed_out == before + 1


def test_a_timer_keeps_no_request_that_is_answered() -> None:
    request, before = Request(), Request.timed_out
    gone = ref(request)
    connection_class(Recorded).create_timer(10.0, request.on_timeout).cancel()
    gc.disable()
    try:
        del request
        assert gone() is None
    finally:
        gc.enable()
    assert Recorded.timers[-1].finish(Recorded.timers[-1].end)
    assert Request.timed_out == before
