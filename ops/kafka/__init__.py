"""Kafka as operations see it: clients for sending, reading and administration. The one package that imports one."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from confluent_kafka import (
    Consumer,
    ConsumerGroupTopicPartitions,
    KafkaError,
    KafkaException,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from ops.kafka.errors import KafkaAway, KafkaProblem, problem

__all__ = [
    "QUIET",
    "TIMEOUT",
    "Headers",
    "KafkaAway",
    "KafkaProblem",
    "Record",
    "committed",
    "create",
    "delete",
    "ends",
    "everything",
    "find",
    "headers_of",
    "partitions",
    "problem",
    "producer",
    "reader",
    "spans",
]

TIMEOUT = 15.0  # seconds for one question to the brokers
_NEAR = 5_000  # messages that are read sooner than found by their time
QUIET: dict[str, Any] = {
    "log_level": 0,
    "error_cb": lambda error: None,
}  # what is wrong is raised where somebody waits for it


Headers: TypeAlias = tuple[tuple[str, bytes | None], ...]


class Record(NamedTuple):
    """A message that was read."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    timestamp: int = -1  # ms


def producer(bootstrap: str, linger_ms: int = 5) -> Any:
    """A producer that keeps the order of each partition and chooses partitions as a Java client does."""
    settings = {
        "bootstrap.servers": bootstrap,
        "enable.idempotence": True,
        "partitioner": "murmur2_random",
        "compression.type": "lz4",
        "linger.ms": linger_ms,
        "batch.size": 131_072,  # well below the topic's max.message.bytes, which counts a whole batch
        "message.timeout.ms": 60_000,
        "queue.buffering.max.messages": 200_000,
        "delivery.report.only.error": True,
    }
    return Producer(settings | QUIET)


def reader(bootstrap: str, start: Mapping[tuple[str, int], int], says_end: bool = False) -> Any:
    """A consumer outside any group: `start` is (topic, partition) -> first offset.

    `says_end`: it gives an error _PARTITION_EOF at the end of a partition.
    """
    settings = {
        "bootstrap.servers": bootstrap,
        "group.id": "licensing.reader",  # a name that the client wants; nothing is committed
        "enable.auto.commit": False,
        "auto.offset.reset": "earliest",
        "enable.partition.eof": says_end,
    }
    client = Consumer(settings | QUIET)
    client.assign([TopicPartition(topic, partition, offset) for (topic, partition), offset in start.items()])
    return client


def partitions(bootstrap: str, names: Iterable[str]) -> dict[str, int]:
    """Topic -> number of partitions, for those of the names that exist."""
    try:
        known = AdminClient({"bootstrap.servers": bootstrap} | QUIET).list_topics(timeout=TIMEOUT).topics
    except KafkaException as error:
        raise problem(bootstrap, error) from error
    return {name: len(known[name].partitions) for name in names if name in known and known[name].error is None}


def create(bootstrap: str, counts: Mapping[str, int], configs: Mapping[str, Mapping[str, str]]) -> None:
    """Create topics of so many partitions, with the brokers' default replication."""
    admin = AdminClient({"bootstrap.servers": bootstrap} | QUIET)
    wanted = [
        NewTopic(name, count, replication_factor=-1, config=dict(configs[name])) for name, count in counts.items()
    ]
    try:
        for future in admin.create_topics(wanted, operation_timeout=TIMEOUT).values():
            future.result()
    except KafkaException as error:
        raise problem(bootstrap, error) from error


def delete(bootstrap: str, names: Iterable[str]) -> None:
    """Delete those of the topics that exist."""
    existing = list(partitions(bootstrap, names))
    admin = AdminClient({"bootstrap.servers": bootstrap} | QUIET)
    try:
        for future in admin.delete_topics(existing, operation_timeout=TIMEOUT).values() if existing else ():
            future.result()
    except KafkaException as error:
        raise problem(bootstrap, error) from error


def spans(bootstrap: str, topic: str, timeout: float = TIMEOUT) -> dict[int, range]:
    """Partition -> offsets that the topic reaches from and to; what lies before was deleted.

    `timeout` in seconds, for each question.

    Raises:
        KafkaProblem: the brokers do not answer, or do not know the topic (yet): that is not a topic without messages.
    """
    client = reader(bootstrap, {})
    try:
        found = client.list_topics(topic, timeout=timeout).topics[topic]
        if found.error is not None:
            raise KafkaException(found.error)
        return {
            partition: range(*client.get_watermark_offsets(TopicPartition(topic, partition), timeout=timeout))
            for partition in sorted(found.partitions)
        }
    except KafkaException as error:
        raise problem(bootstrap, error) from error
    finally:
        client.close()


def ends(bootstrap: str, topic: str) -> dict[int, int]:
    """Partition -> offset behind the last message."""
    return {partition: span.stop for partition, span in spans(bootstrap, topic).items()}


def everything(bootstrap: str, topic: str, within: Mapping[int, range] | None = None) -> Iterator[Record]:
    """The messages of a topic, partition by partition in order, interleaved as they come.

    `within`: partition -> offsets that are wanted; None: all that the topic has now.
    """
    wanted = spans(bootstrap, topic) if within is None else within
    left = {partition: span.stop for partition, span in wanted.items() if span}
    client = reader(bootstrap, {(topic, partition): wanted[partition].start for partition in left}, says_end=True)
    try:
        while left:
            message = client.poll(TIMEOUT)
            if message is None:
                raise KafkaProblem(f"Kafka at {bootstrap} sends no more of {topic}.")
            partition, offset, error = message.partition(), message.offset(), message.error()
            if error is not None and error.code() != KafkaError._PARTITION_EOF:
                raise problem(bootstrap, KafkaException(error))
            if error is None and offset < left.get(partition, 0):
                yield Record(
                    partition, offset, message.key(), message.value(), headers_of(message), message.timestamp()[1]
                )
            if offset + 1 >= left.get(partition, 0) or error is not None:  # the end: its last ones may be compacted
                left.pop(partition, None)
    except KafkaException as error:
        raise problem(bootstrap, error) from error
    finally:
        client.close()


def headers_of(message: Any) -> Headers:
    """A message's headers; none where a name is not UTF-8: the client cannot read them then."""
    try:
        return tuple(message.headers() or ())
    except (SystemError, UnicodeDecodeError):
        return ()


def find(
    bootstrap: str,
    topic: str,
    partition: int,
    wanted: Sequence[tuple[int, int]],
    number: Callable[[Record], int | None],
) -> dict[int, int]:
    """Number -> offset of its first message. `wanted`: numbers and times (ms), both in the order of the topic.

    Where a number does not come soon, reading goes on from its time. What the topic has lost is left out: a higher
    number comes in its place.
    """
    found: dict[int, int] = {}
    client = reader(bootstrap, {})
    try:
        begin, end = client.get_watermark_offsets(TopicPartition(topic, partition), timeout=TIMEOUT)
        position, highest = begin - 1, 0  # nothing is assigned yet
        for sought, at in wanted:
            near = position if position < begin else position + _NEAR
            while highest < sought and position < end:
                if position == near:
                    (place,) = client.offsets_for_times([TopicPartition(topic, partition, at)], timeout=TIMEOUT)
                    if place.offset < 0:
                        return found  # everything there is lies before its time
                    if place.offset > position:
                        position = place.offset
                        client.assign([TopicPartition(topic, partition, position)])
                message = client.poll(TIMEOUT)
                if message is None or message.error() is not None:
                    raise KafkaProblem(f"Kafka at {bootstrap} sends no more of {topic}.")
                position = message.offset() + 1
                known = number(Record(partition, message.offset(), message.key(), message.value()))
                if known is not None:
                    found.setdefault(known, message.offset())
                    highest = max(highest, known)
    except KafkaException as error:
        raise problem(bootstrap, error) from error
    finally:
        client.close()
    return found


def committed(bootstrap: str, group: str, topic: str) -> dict[int, int]:
    """Partition -> offset that the group goes on from, for partitions where it has committed."""
    admin = AdminClient({"bootstrap.servers": bootstrap} | QUIET)
    try:
        (future,) = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)]).values()
        answer = future.result(timeout=TIMEOUT)
    except KafkaException as error:
        raise problem(bootstrap, error) from error
    return {tp.partition: tp.offset for tp in answer.topic_partitions if tp.topic == topic and tp.offset >= 0}
