"""A connection whose socket is full for a moment, and one whose answers come in pieces: nothing is lost."""

import io
import struct
from typing import Any

import pytest
from cassandra.connection import Connection
from cassandra.protocol import OptionsMessage
from cassandra.segment import SegmentCodec

from commands.cassandra.session import _connection_class


class Recorded(Connection):  # type: ignore[misc]
    """The driver's part that does no I/O."""

    def __init__(self) -> None:
        super().__init__("127.0.0.1")
        self.sent: list[bytes] = []
        self.heard: list[bytes] = []

    def push(self, data: bytes) -> None:
        self.sent.append(data)

    def process_msg(self, header: Any, body: bytes) -> None:
        self.heard.append(body)


def test_a_request_to_a_full_socket_is_neither_refused_nor_lost() -> None:
    connection: Any = _connection_class(Recorded)()
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
    connection: Any = _connection_class(Recorded)()
    connection.protocol_version = 5
    connection._enable_checksumming()
    for piece in (_segments()[:first], _segments()[first:]):
        connection._iobuf.write(piece)
        connection.process_io_buffer()
    assert not connection.is_defunct
    assert connection.heard == ANSWERS
