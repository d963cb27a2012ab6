"""Messages to Kafka through one idempotent producer: in order within a partition, confirmed by all replicas."""

import logging
from collections.abc import Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any

from confluent_kafka import Consumer, KafkaException, Producer

from commands.kafka.offsets import ends
from commands.ports import Outgoing, PublishFailed


class ProducerDead(Exception):
    """The producer met an error that it cannot go on after; only a new process can."""


class KafkaPublisher:
    """`Publisher` on librdkafka. Futures are completed inside `poll`, so whoever waits for one has to call it.

    Messages wait for a broker that is away as long as it takes: a time-out would leave gaps between versions.
    """

    def __init__(self, bootstrap: str) -> None:
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
        delivery = _Delivery(len(messages))
        report, produce = delivery.report, self._producer.produce
        for index, message in enumerate(messages):
            given: dict[str, Any] = {"on_delivery": partial(report, index), "timestamp": message.timestamp or 0}
            if message.headers:
                given["headers"] = list(message.headers)
            try:
                while True:
                    try:
                        produce(message.topic, message.value, message.key, message.partition, **given)
                        break
                    except BufferError:  # the brokers are slower than we are: let them catch up
                        self.poll(0.1)
            except KafkaException as error:  # such as a message over the producer's limit
                delivery.refuse(f"{message.topic}: {error}")
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
    """Counts the reports of one `publish`."""

    def __init__(self, count: int) -> None:
        self.future: Future[tuple[int, ...]] = Future()
        self._offsets = [-1] * count
        self._left = count
        if count == 0:
            self.future.set_result(())

    def refuse(self, why: str) -> None:
        if not self.future.done():
            self.future.set_exception(PublishFailed(why))

    def report(self, index: int, error: Any, message: Any) -> None:
        self._left -= 1
        if error is not None:
            self.refuse(f"{message.topic()}: {error}")
        else:
            self._offsets[index] = message.offset()
            if self._left == 0 and not self.future.done():
                self.future.set_result(tuple(self._offsets))
