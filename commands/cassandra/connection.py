"""The driver's connection without what loses requests, or keeps them."""

from collections.abc import Callable
from typing import Any

from cassandra import AuthenticationFailed
from cassandra.connection import ConnectionException

#: Bytes of a request that go to the kernel at once. By itself the driver makes pieces of 4 KiB, a hundred for a full
#: batch, and takes Python's lock anew for each.
PIECE = 1 << 16


class Timer:
    """A timer of the driver that keeps nothing once it is cancelled.

    The driver's own stays in a queue until its time, also when the answer came long before: for ten seconds it would
    keep the request with all its rows, and after that the two would wait for the garbage collector.
    """

    __slots__ = ("_timer",)

    def __init__(self, timer: Any) -> None:
        self._timer = timer

    def cancel(self) -> None:
        """The request is answered. One that is not is kept for its time to come: nobody else may know of it."""
        self._timer.cancel()
        self._timer.callback = _nothing


def _nothing() -> None:
    return


def connection_class(kind: Any) -> Any:
    """The driver's kind of connection, sending in larger pieces, refusing and forgetting nothing, and with timers that
    keep nothing."""

    class Connection(kind):  # type: ignore[misc]
        out_buffer_size = PIECE
        # By itself the driver refuses requests while the kernel takes no more, although it would send them by and by,
        # and never gives back the place that each had among the 32,768 under way. Shards limit what they ask for.
        _socket_writable = property(lambda _: True, lambda *_: None)

        def _process_segment_buffer(self) -> None:
            """Where an answer comes in pieces, one may end within the six bytes before a segment. The driver forgets
            those, and then breaks the connection off: "CRC mismatch on header"."""
            super()._process_segment_buffer()
            if not self._io_buffer.has_consumed_segment:
                self._io_buffer.io_buffer.seek(0)  # what is behind is kept

        def defunct(self, exc: BaseException) -> Any:
            """The driver never again tries a node that refuses the password, and takes for one what cannot look it up
            now."""
            if isinstance(exc, AuthenticationFailed) and "Unable to perform" in str(exc):
                exc = ConnectionException(str(exc), self.endpoint)
            return super().defunct(exc)

        def wait_for_responses(self, *messages: Any, timeout: float | None = None, **about: Any) -> Any:
            """The driver waits for the answer to `USE` on a new connection without a limit: for ever, where the network
            swallows it, and lets nobody try another connection meanwhile."""
            return super().wait_for_responses(*messages, timeout=timeout or self.connect_timeout, **about)

        @classmethod
        def create_timer(cls, timeout: float, callback: Callable[[], None]) -> Any:
            return Timer(super().create_timer(timeout, callback))

    return Connection
