"""Reading a topic at the highest rate."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from ops.kafka import QUIET, problem


class Piece(NamedTuple):
    """The offsets `begin` <= o < `end` of a partition; the messages are the client's own, which asks nothing twice."""

    partition: int
    begin: int
    end: int
    messages: list[Any]


class Bulk:
    """Reads a topic at the highest rate, each partition from an offset on, without an end."""

    def __init__(self, bootstrap: str, topic: str, start: Mapping[int, int]) -> None:
        self._bootstrap, self._next = bootstrap, dict(start)
        settings = {
            "bootstrap.servers": bootstrap,
            "group.id": "licensing.rebuild",  # a name that the client wants; nothing is committed
            "enable.auto.commit": False,
            "auto.offset.reset": "error",  # what is no longer there must not be skipped
            "enable.partition.eof": True,  # says where the end is, also when the last offsets hold no message
            "fetch.message.max.bytes": 4 << 20,
            "queued.max.messages.kbytes": 32 << 10,
        }
        self._down: KafkaError | None = None
        self._client = Consumer(settings | QUIET | {"error_cb": self._hear})
        self._client.assign([TopicPartition(topic, partition, offset) for partition, offset in start.items()])

    def _hear(self, error: KafkaError) -> None:
        """The client says it in between, and tries on."""
        if error.code() == KafkaError._ALL_BROKERS_DOWN:
            self._down = error

    def take(self, count: int, timeout: float) -> list[Piece]:
        """The next messages, at most `count`, by partition; after `timeout` seconds those that have come by then.

        Raises:
            KafkaAway: no broker is there any more.
            KafkaProblem: the brokers refuse, or no longer have an offset that comes next.
        """
        try:
            messages: list[Any] = self._client.consume(count, timeout)
        except KafkaException as error:
            raise problem(self._bootstrap, error) from error
        if self._down is not None and not messages:
            raise problem(self._bootstrap, KafkaException(self._down))
        self._down = None
        found: dict[int, list[Any]] = {}
        ends: dict[int, int] = {}
        for message in messages:
            wrong, partition = message.error(), message.partition()
            if wrong is None:
                found.setdefault(partition, []).append(message)
            elif wrong.code() == KafkaError._PARTITION_EOF:
                ends[partition] = message.offset()
            else:
                raise problem(self._bootstrap, KafkaException(wrong))
        return [
            piece for partition in found.keys() | ends if (piece := self._piece(partition, found, ends)) is not None
        ]

    def _piece(self, partition: int, found: Mapping[int, list[Any]], ends: Mapping[int, int]) -> Piece | None:
        messages, begin = found.get(partition, []), self._next[partition]
        end = max(begin, ends.get(partition, 0), messages[-1].offset() + 1 if messages else 0)
        self._next[partition] = end
        return Piece(partition, begin, end, messages) if end > begin else None

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
