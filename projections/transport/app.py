"""The app and the message of the chunked transport."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import faust
from faust.types import TP, ConsumerMessage


class OutOfReach(Exception):
    """The read model's position is not on the topic (any more)."""


def check_reach(wanted: Mapping[TP, int], begins: Mapping[TP, int], ends: Mapping[TP, int]) -> None:
    """Whether the topic has these offsets.

    Raises:
        OutOfReach: one of them is not there.
    """
    for tp, offset in wanted.items():
        first, end = begins[tp], ends[tp]
        if not first <= offset <= end:
            raise OutOfReach(
                f"the view needs {tp.topic}-{tp.partition} from offset {offset}, and the topic has "
                f"{first} to {end}: rebuild the view from the event store, with `licensing rebuild`"
            )


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
