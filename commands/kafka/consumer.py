"""The commands topic, read from where the journal says; the group only shares out the partitions."""

import logging
from collections.abc import Callable, Iterable
from typing import Any

import structlog
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

from commands.intake import Message
from commands.kafka.offsets import ends
from commands.ports import NotPrepared, StoreUnavailable

log = structlog.get_logger(__name__)

Partitions = Callable[[list[int]], None]


def headers_of(record: Any) -> tuple[tuple[str, bytes | None], ...]:
    """A record's headers; none where a name is not UTF-8, as Kafka wants it: the client cannot read them then."""
    try:
        return tuple(record.headers() or ())
    except (SystemError, UnicodeDecodeError):  # a broken name is no reason to stop at this record for ever
        log.warning("headers_unreadable", partition=record.partition(), offset=record.offset())
        return ()


class CommandConsumer:
    """One member of the handlers' group. Partitions are handed out paused: `resume_at` starts one."""

    def __init__(self, bootstrap: str, topic: str, group: str, session_timeout: int) -> None:
        self.topic = topic
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": group,
                "group.protocol": "classic",
                "partition.assignment.strategy": "cooperative-sticky",
                "session.timeout.ms": session_timeout,
                "heartbeat.interval.ms": max(session_timeout // 5, 100),
                "auto.offset.reset": "error",  # an offset that is gone is looked into, by `resume_at`
                "enable.auto.commit": True,
                "auto.commit.interval.ms": 1000,
                "enable.auto.offset.store": False,
                "queued.min.messages": 20_000,
                "queued.max.messages.kbytes": 16_384,
                "reconnect.backoff.ms": 250,
            },
            logger=logging.getLogger("librdkafka"),
        )

    def subscribe(self, assigned: Partitions, revoked: Partitions, lost: Partitions) -> None:
        """Join the group. The callbacks are called inside `poll` and `close`, with partition numbers."""

        def on_assign(consumer: Any, partitions: list[TopicPartition]) -> None:
            for partition in partitions:
                partition.offset = OFFSET_BEGINNING  # any that is there will do until `resume_at`
            consumer.incremental_assign(partitions)
            consumer.pause(partitions)
            assigned([p.partition for p in partitions])

        def on_revoke(consumer: Any, partitions: list[TopicPartition]) -> None:
            revoked([p.partition for p in partitions])
            consumer.incremental_unassign(partitions)

        def on_lost(consumer: Any, partitions: list[TopicPartition]) -> None:
            lost([p.partition for p in partitions])
            consumer.incremental_unassign(partitions)

        self._consumer.subscribe([self.topic], on_assign=on_assign, on_revoke=on_revoke, on_lost=on_lost)

    def partitions(self, timeout: float = 10.0) -> int:
        """How many partitions the topic has.

        Raises:
            StoreUnavailable: no broker answers.
            NotPrepared: there is no such topic.
        """
        try:
            found = self._consumer.list_topics(self.topic, timeout).topics[self.topic]
        except KafkaException as error:
            raise StoreUnavailable(f"Kafka: {error}") from error
        if not found.partitions:
            raise NotPrepared(f"there is no topic {self.topic}; create the topics and tables with: licensing init")
        return len(found.partitions)

    def poll(self, most: int, seconds: float) -> Iterable[tuple[int, Message | None]]:
        """Up to `most` messages with their partitions; waits up to `seconds` for the first of them.

        None: the partition does not have the offset that comes next, or does not have it any more.
        """
        first = self._consumer.poll(seconds)
        if first is None:
            return
        record: Any  # typed as if a partition or an offset could be missing from a record
        for record in (first, *self._consumer.consume(most - 1, 0)):
            if record.error() is not None:
                log.warning("kafka_consumer", error=str(record.error()))
                if record.error().code() == KafkaError._AUTO_OFFSET_RESET:
                    yield record.partition(), None
                continue
            kind, timestamp = record.timestamp()
            message = Message(
                record.offset(), timestamp if kind else -1, record.key(), record.value(), headers_of(record)
            )
            yield record.partition(), message

    def resume_at(self, partition: int, offset: int | None) -> None:
        """Read a partition from an offset on (None: from its first message), whatever was fetched or paused before.

        Raises:
            StoreUnavailable: no broker answers.
            NotPrepared: the topic ends before that offset.
        """
        low, high = ends(self._consumer, self.topic, partition)
        if offset is not None and offset > high:
            raise NotPrepared(
                f"the journal has covered partition {partition} of {self.topic} up to offset {offset}, but it ends at"
                f" {high}: this is another topic. Use the keyspace that belongs to it, or a new one."
            )
        if offset is not None and offset < low:
            log.error("commands_lost", partition=partition, first_missing=offset, first_left=low)
        start = TopicPartition(self.topic, partition, OFFSET_BEGINNING if offset is None else max(offset, low))
        try:
            self._consumer.incremental_unassign([start])
            self._consumer.incremental_assign([start])
            self._consumer.resume([start])  # a pause outlives the assignment
        except KafkaException as error:  # the group takes the partition away just now, and will say so
            raise StoreUnavailable(f"Kafka: {error}") from error

    def pause(self, partition: int) -> None:
        """Stop fetching a partition for now."""
        self._consumer.pause([TopicPartition(self.topic, partition)])

    def resume(self, partition: int) -> None:
        """Fetch a paused partition again, from where it stopped."""
        self._consumer.resume([TopicPartition(self.topic, partition)])

    def done(self, partition: int, next_offset: int) -> None:
        """Tell the group, for whoever watches its lag, that everything before `next_offset` is followed up."""
        self._consumer.store_offsets(offsets=[TopicPartition(self.topic, partition, next_offset)])

    def close(self) -> None:
        """Leave the group."""
        self._consumer.close()
