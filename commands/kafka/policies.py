"""The policies topic: read to its end, and followed live by a handler."""

import logging
import threading
import time
from collections.abc import Iterator
from typing import Any

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from commands.kafka.offsets import ends
from commands.policies import KNOWN_AHEAD, InForce, Timeline
from commands.policy import Policy
from commands.policy_log import PolicyLog, Record, Refusal
from commands.ports import NotPrepared, StoreUnavailable

log = structlog.get_logger(__name__)

#: Seconds between two looks at the topic.
LOOK = 1.0
#: Seconds that a handler waits for a broker's answer: after a failure it soon has to look again.
PATIENCE = 3.0
_EXPECTED = (StoreUnavailable, NotPrepared)


class PolicyTopic:
    """Reads the topic's one partition from the beginning, outside any group; `patience` in seconds for an answer."""

    def __init__(self, bootstrap: str, topic: str, patience: float = PATIENCE) -> None:
        self._topic, self._patience = topic, patience
        self._next = 0
        self._found = False  # whether the topic was there when it was first read
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": "no-group",
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "enable.partition.eof": True,  # compaction may have taken the messages before the end
                "reconnect.backoff.ms": 250,
            },
            logger=logging.getLogger("librdkafka"),
        )
        self._consumer.assign([TopicPartition(topic, 0, 0)])

    def read(self) -> Iterator[Record]:
        """What has come since the last time, to the end that the topic has now.

        Raises:
            StoreUnavailable: the brokers do not answer, or the topic is not the one read so far.
            NotPrepared: there is no such topic.
        """
        self._exists()
        _, end = ends(self._consumer, self._topic, 0, self._patience)
        if end < self._next:
            raise StoreUnavailable(f"{self._topic} was read up to offset {self._next} and ends at {end} now")
        while self._next < end:
            message: Any = self._consumer.poll(self._patience)
            if message is None:
                raise StoreUnavailable(f"Kafka sends no more of {self._topic}")
            if message.error() is None:
                yield Record(message.offset(), message.timestamp()[1], message.key(), message.value())
                self._next = message.offset() + 1
            elif message.error().code() == KafkaError._PARTITION_EOF:
                self._next = max(self._next, message.offset())
            else:
                raise StoreUnavailable(f"Kafka: {message.error().str()}")

    def close(self) -> None:
        """Close the connection."""
        self._consumer.close()

    def _exists(self) -> None:
        if self._found:
            return
        try:
            found = self._consumer.list_topics(self._topic, self._patience).topics[self._topic]
        except KafkaException as error:
            raise StoreUnavailable(f"Kafka: {error.args[0].str()}") from error
        if not found.partitions:
            raise NotPrepared(f"there is no topic {self._topic}; create the topics and tables with: licensing init")
        self._found = True


class PolicyFollower:
    """`Policies` of the topic, looked at every second on a thread of its own; `first` is in force before them.

    What is in force at a time is known only after a look that began late enough: while the topic cannot be read,
    commands wait when their time has come, and none is decided under a policy that may be out of date.
    """

    def __init__(self, bootstrap: str, topic: str, first: Policy) -> None:
        self._topic = PolicyTopic(bootstrap, topic)
        self._log = PolicyLog(first)
        self._timeline: Timeline = self._log.timeline(known_until=0)

    def at(self, at: int) -> InForce | None:
        """See `Policies.at`."""
        return self._timeline.at(at)

    def look(self) -> None:
        """Read the topic to its end.

        Raises:
            StoreUnavailable: the brokers do not answer.
            NotPrepared: there is no such topic.
        """
        began = time.time_ns() // 1_000_000
        for record in self._topic.read():
            found = self._log.add(record)
            if isinstance(found, Refusal):
                log.error("policy_refused", offset=found.offset, key=found.key, why=found.why)
            elif found is not None:
                log.info("policy_read", offset=record.offset, version=found.version, since=found.effective_from)
        self._timeline = self._log.timeline(began + KNOWN_AHEAD)

    def follow(self, stop: threading.Event) -> None:
        """Go on looking until `stop` is set; nobody has to wait for the end of that."""
        threading.Thread(target=self._follow, args=(stop,), name="policies", daemon=True).start()

    def _follow(self, stop: threading.Event) -> None:
        said = None
        while not stop.wait(LOOK):
            try:
                self.look()
                said = None
            except Exception as error:  # whatever it is, commands must not be decided under what may be out of date
                if said != str(error):
                    log.warning("policies_unread", reason=str(error), exc_info=not isinstance(error, _EXPECTED))
                said = str(error)
        self._topic.close()
