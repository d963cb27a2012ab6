"""The app and the message of the chunked transport."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import faust
from faust.types import ConsumerMessage


class OutOfReach(Exception):
    """The read model's position is not on the topic (any more)."""


class ChunkApp(faust.App):
    """A Faust app on this transport, with its two hooks."""

    #: Offsets to begin at, asked on each assignment; partitions that are left out begin where Kafka says.
    positions: Callable[[list[int]], Awaitable[Mapping[int, int]]]
    #: Called with an error after which the process has to end.
    fail: Callable[[BaseException], None]

    def _create_directories(self) -> None:
        """Faust's folders are for its tables, and here are none: nothing is written where a worker is started."""


class ChunkMessage(ConsumerMessage):
    """The offsets `begin` <= o < `end` of a partition. Stale: they will come again, or to another worker."""

    begin: int
    end: int
    stale: bool = False

    def on_final_ack(self, consumer: Any) -> bool:
        """Faust's way of telling the consumer."""
        return bool(consumer.ack(self))
