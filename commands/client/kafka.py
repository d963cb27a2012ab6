"""A producer of commands and a reader of replies. The one module of the client that imports confluent-kafka."""

from collections.abc import Callable
from typing import Any

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

from commands.client.errors import Broken, NotDelivered
from schemas.topics import Topics

_AT_ONCE = 1000  # replies taken at once
_PATIENCE = 0.5  # seconds for one question to the brokers
_FLUSH = 5.0  # seconds that closing waits for what is on its way


class Wire:
    """Connections to the brokers. But for `send`, one thread uses it. `trouble`: what is wrong now, in a sentence."""

    def __init__(self, bootstrap: str, topics: Topics, timeout: float, most: int) -> None:
        common = {"bootstrap.servers": bootstrap, "log_level": 0, "error_cb": self._error, "reconnect.backoff.ms": 250}
        self._producer = Producer(
            common
            | {
                "enable.idempotence": True,
                "partitioner": "murmur2_random",  # as the handler expects it: see schemas/topics.py
                "compression.type": "lz4",
                "linger.ms": 1,
                "batch.size": 131_072,  # well below the topic's max.message.bytes, which counts a whole batch
                "message.timeout.ms": round(timeout * 1000),  # what nobody waits for is not sent any more
                "queue.buffering.max.messages": max(2 * most, 1000),
            }
        )
        self._replies = Consumer(
            common
            | {
                "group.id": "licensing.client",  # a name that librdkafka wants: partitions are assigned, none is shared
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "queued.max.messages.kbytes": 16_384,
            }
        )
        self._bootstrap, self._topics = bootstrap, topics
        self._fatal: str | None = None
        self.trouble: str | None = f"Kafka at {bootstrap} did not answer yet"

    def prepare(self) -> bool:
        """Read replies from here on: to be done before the first command is sent. False: not now, see `trouble`."""
        try:
            for topic in (self._topics.commands, self._topics.replies):
                found = self._replies.list_topics(topic, timeout=_PATIENCE).topics[topic]
                if not found.partitions:
                    self.trouble = f"there is no topic {topic}; create the topics and tables with: licensing init"
                    return False
            partitions = [TopicPartition(self._topics.replies, number) for number in found.partitions]
            for partition in partitions:
                partition.offset = self._replies.get_watermark_offsets(partition, timeout=_PATIENCE)[1]
            self._replies.assign(partitions)
        except KafkaException as error:
            self.trouble = f"Kafka at {self._bootstrap}: {error.args[0].str()}"
            return False
        self.trouble = None
        return True

    def send(
        self, key: str, value: bytes, timestamp: int, delivered: Callable[[str | None], None]
    ) -> None:  # any thread
        """Hand a command to the producer; `delivered` is called inside `poll` with None, or what went wrong.

        Raises:
            NotDelivered: the producer cannot take it.
        """

        def report(error: Any, _: Any) -> None:
            self.trouble = None if error is None else f"Kafka at {self._bootstrap}: {error.str()}"
            delivered(self.trouble)

        try:
            self._producer.produce(self._topics.commands, value, key, timestamp=timestamp, on_delivery=report)
        except (BufferError, KafkaException) as error:
            raise NotDelivered(f"the producer did not take the command: {error}") from error

    def poll(self, seconds: float, room: bool = True) -> list[bytes]:
        """The replies that have come, after up to `seconds` for the first; without `room` they wait at the brokers.

        Raises:
            Broken: the producer can go on no more.
        """
        messages = self._replies.consume(1, seconds) if room else []
        if messages:
            messages += self._replies.consume(_AT_ONCE, 0)
        self._producer.poll(0 if room else seconds)
        if self._fatal is not None:
            raise Broken(f"Kafka at {self._bootstrap}: {self._fatal}; make a new client")
        values = [value for message in messages if message.error() is None and (value := message.value()) is not None]
        if values:
            self.trouble = None
        return values

    def close(self) -> None:
        """Let what is on its way go out if it goes out soon, and disconnect."""
        self._producer.flush(_FLUSH)
        self._producer.purge()
        self._producer.poll(0)
        self._replies.close()

    def _error(self, error: Any) -> None:
        self.trouble = f"Kafka at {self._bootstrap}: {error.str()}"
        if error.fatal():
            self._fatal = str(error.str())
