"""Messages to Kafka through one idempotent producer: in order within a partition, confirmed by all replicas."""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

from confluent_kafka import Consumer, KafkaException, Producer

from commands.kafka.offsets import ends
from commands.ports import Outgoing, PublishFailed
from schemas.confluent import Heads, framed


class ProducerDead(Exception):
    """The producer met an error that it cannot go on after; only a new process can."""


class KafkaPublisher:
    """`Publisher` on librdkafka. Futures are completed inside `poll`, so whoever waits for one has to call it.

    `heads`: how values begin where there is a schema registry.
    Messages wait for a broker that is away as long as it takes: a time-out would leave gaps between versions.
    """

    def __init__(self, bootstrap: str, heads: Heads | None = None) -> None:
        self._heads = heads
        librdkafka = logging.getLogger("librdkafka")
        self._asking = Consumer({"bootstrap.servers": bootstrap, "group.id": "no-group"}, logger=librdkafka)
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "enable.idempotence": True,
                "acks": "all",
                "compression.type": "lz4",
                "linger.ms": 0.5,
                "message.timeout.ms": 0,
                "message.max.bytes": 2_000_000,
                "queue.buffering.max.messages": 500_000,
                "reconnect.backoff.ms": 250,
                "error_cb": self._error,
            },
            logger=librdkafka,
        )
        self._fatal: str | None = None

    def publish(self, messages: Sequence[Outgoing]) -> Future[tuple[int, ...]]:
        """See `Publisher.publish`."""
        delivery = _Delivery(messages)
        produce = self._producer.produce
        place: tuple[str, int] | None = None
        for message in messages:
            if place != (message.topic, message.partition):
                place = topic, partition = message.topic, message.partition
                report = delivery.reporter(place)
            headers: Any = list(message.headers)  # a list is invariant to the type checker
            timestamp = message.timestamp or 0
            value = message.value if self._heads is None else framed(self._heads, topic, message.value)
            try:
                while True:
                    try:
                        produce(topic, value, message.key, partition, report, report, timestamp, headers)
                        break
                    except BufferError:  # the brokers are slower than we are: let them catch up
                        self.poll(0.1)
            except KafkaException as error:  # such as a message over the producer's limit
                delivery.refuse(f"{topic}: {error}")
                break
        return delivery.future

    def poll(self, seconds: float) -> None:
        """Complete futures whose messages are confirmed, waiting up to `seconds` for the first.

        Raises:
            ProducerDead: end the process; a successor redoes what was not confirmed.
        """
        self._producer.poll(seconds)
        if self._fatal is not None:
            raise ProducerDead(self._fatal)

    def end_offset(self, topic: str, partition: int) -> int:
        """See `Publisher.end_offset`."""
        return ends(self._asking, topic, partition)[1]

    def close(self, seconds: float) -> int:
        """Wait up to `seconds` for what is on its way; the number of messages that are not confirmed even so."""
        self._asking.close()
        return int(self._producer.flush(seconds))

    def _error(self, error: Any) -> None:
        if error.fatal():
            self._fatal = str(error)


class _Delivery:
    """Gathers the reports of one `publish`."""

    def __init__(self, messages: Sequence[Outgoing]) -> None:
        self.future: Future[tuple[int, ...]] = Future()
        self._messages = messages
        self._left = len(messages)
        self._offsets: dict[tuple[str, int], list[int]] = {}
        if not messages:
            self.future.set_result(())

    def reporter(self, place: tuple[str, int]) -> Callable[[Any, Any], None]:
        """What a message to that topic and partition reports to: one for all of them, for there are many."""
        offsets = self._offsets.setdefault(place, [])

        def report(error: Any, message: Any) -> None:
            self._left -= 1
            if error is not None:
                self.refuse(f"{message.topic()}: {error}")
                return
            offsets.append(message.offset())
            if self._left == 0 and not self.future.done():
                self.future.set_result(self._in_order())

        return report

    def refuse(self, why: str) -> None:
        """Fail, unless it has failed already."""
        if not self.future.done():
            self.future.set_exception(PublishFailed(why))

    def _in_order(self) -> tuple[int, ...]:
        """The offsets in the order of the messages: in a partition that is the order of the offsets."""
        if len(self._offsets) == 1:
            return tuple(sorted(*self._offsets.values()))
        by_place = {place: iter(sorted(offsets)) for place, offsets in self._offsets.items()}
        return tuple(next(by_place[message.topic, message.partition]) for message in self._messages)
