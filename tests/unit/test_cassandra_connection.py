"""A connection whose socket is full for a moment: what is sent then waits its turn."""

from typing import Any

from cassandra.connection import Connection
from cassandra.protocol import OptionsMessage

from commands.cassandra.session import _connection_class


class Recorded(Connection):  # type: ignore[misc]
    """The driver's part that does no I/O."""

    def __init__(self) -> None:
        super().__init__("127.0.0.1")
        self.sent: list[bytes] = []

    def push(self, data: bytes) -> None:
        self.sent.append(data)


def test_a_request_to_a_full_socket_is_neither_refused_nor_lost() -> None:
    connection: Any = _connection_class(Recorded)()
    connection._socket_writable = False  # what the driver's reactors do when the kernel takes no more
    connection.send_msg(OptionsMessage(), 0, cb=lambda _: None)
    assert len(connection.sent) == 1
    assert list(connection._requests) == [0]
