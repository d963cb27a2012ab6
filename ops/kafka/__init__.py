"""Kafka as operations see it: clients for sending, reading and administration. The one module that imports one."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from confluent_kafka import (
    Consumer,
    ConsumerGroupTopicPartitions,
    KafkaException,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

TIMEOUT = 15.0  # seconds for one question to the brokers
_MANY = 1000  # messages that are taken at once
_QUIET: dict[str, Any] = {
    "log_level": 0,
    "error_cb": lambda error: None,
}  # what is wrong is raised where somebody waits for it


class Record(NamedTuple):
    """A message that was read."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: dict[str, bytes | None]


class KafkaProblem(Exception):
    """Kafka does not answer or refuses. The text is a sentence for a person."""


def problem(bootstrap: str, error: BaseException) -> KafkaProblem:
    """The sentence for a client's error."""
    cause = error.args[0] if isinstance(error, KafkaException) and error.args else error
    text = cause.str() if hasattr(cause, "str") else str(cause)
    return KafkaProblem(f"Kafka at {bootstrap} says: {text}. Is it running? `licensing status` tells.")


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
    return Producer(settings | _QUIET)


def reader(bootstrap: str, start: Mapping[tuple[str, int], int]) -> Any:
    """A consumer outside any group: `start` is (topic, partition) -> first offset."""
    settings = {
        "bootstrap.servers": bootstrap,
        "group.id": "licensing.reader",  # a name that the client wants; nothing is committed
        "enable.auto.commit": False,
        "auto.offset.reset": "earliest",
    }
    client = Consumer(settings | _QUIET)
    client.assign([TopicPartition(topic, partition, offset) for (topic, partition), offset in start.items()])
    return client


def partitions(bootstrap: str, names: Iterable[str]) -> dict[str, int]:
    """Topic -> number of partitions, for those of the names that exist."""
    try:
        known = AdminClient({"bootstrap.servers": bootstrap} | _QUIET).list_topics(timeout=TIMEOUT).topics
    except KafkaException as error:
        raise problem(bootstrap, error) from error
    return {name: len(known[name].partitions) for name in names if name in known and known[name].error is None}


def create(bootstrap: str, counts: Mapping[str, int], configs: Mapping[str, Mapping[str, str]]) -> None:
    """Create topics of so many partitions, with the brokers' default replication."""
    admin = AdminClient({"bootstrap.servers": bootstrap} | _QUIET)
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
    admin = AdminClient({"bootstrap.servers": bootstrap} | _QUIET)
    try:
        for future in admin.delete_topics(existing, operation_timeout=TIMEOUT).values() if existing else ():
            future.result()
    except KafkaException as error:
        raise problem(bootstrap, error) from error


def ends(bootstrap: str, topic: str) -> dict[int, int]:
    """Partition -> offset behind the last message."""
    return {partition: end for partition, (_, end) in _watermarks(bootstrap, topic).items()}


def _watermarks(bootstrap: str, topic: str) -> dict[int, tuple[int, int]]:
    client = reader(bootstrap, {})
    try:
        found = client.list_topics(topic, timeout=TIMEOUT).topics[topic]
        return {
            partition: client.get_watermark_offsets(TopicPartition(topic, partition), timeout=TIMEOUT)
            for partition in sorted(found.partitions)
        }
    except KafkaException as error:
        raise problem(bootstrap, error) from error
    finally:
        client.close()


def everything(bootstrap: str, topic: str) -> Iterator[Record]:
    """All messages that a topic has now, partition by partition in order, interleaved as they come."""
    left = {partition: end for partition, end in ends(bootstrap, topic).items() if end}
    client = reader(bootstrap, {(topic, partition): 0 for partition in left})
    try:
        while left:
            message = client.poll(TIMEOUT)
            if message is None:
                raise KafkaProblem(f"Kafka at {bootstrap} sends no more of {topic}.")
            if message.error() is not None:
                raise problem(bootstrap, KafkaException(message.error()))
            partition, offset = message.partition(), message.offset()
            yield Record(partition, offset, message.key(), message.value(), dict(message.headers() or ()))
            if offset + 1 >= left.get(partition, 0):
                left.pop(partition, None)
    except KafkaException as error:
        raise problem(bootstrap, error) from error
    finally:
        client.close()


def begins(bootstrap: str, topic: str) -> dict[int, int]:
    """Partition -> offset of the first message that is still there."""
    return {partition: first for partition, (first, _) in _watermarks(bootstrap, topic).items()}


def between(bootstrap: str, topic: str, first: Mapping[int, int], until: Mapping[int, int]) -> Iterator[Record]:
    """Messages of those partitions from `first` on and before `until`, without headers, each partition's in order.

    What the topic does not have any more is passed over.
    """
    known = _watermarks(bootstrap, topic)
    start = {partition: max(offset, known[partition][0]) for partition, offset in first.items()}
    left = {partition: min(until[partition], known[partition][1]) for partition in start}
    left = {partition: end for partition, end in left.items() if start[partition] < end}
    client = reader(bootstrap, {(topic, partition): start[partition] for partition in left})
    try:
        while left:
            messages = client.consume(_MANY, TIMEOUT)
            if not messages:
                raise KafkaProblem(f"Kafka at {bootstrap} sends no more of {topic}.")
            for message in messages:
                if message.error() is not None:
                    raise problem(bootstrap, KafkaException(message.error()))
                partition, offset = message.partition(), message.offset()
                end = left.get(partition, 0)
                if offset < end:
                    yield Record(partition, offset, message.key(), message.value(), {})
                if offset + 1 >= end:
                    left.pop(partition, None)
    except KafkaException as error:
        raise problem(bootstrap, error) from error
    finally:
        client.close()


def find(
    bootstrap: str,
    topic: str,
    partition: int,
    wanted: Sequence[tuple[int, int]],
    number: Callable[[Record], int | None],
) -> dict[int, int]:
    """Number -> offset of its first message. `wanted`: numbers and times (ms), in the order of the topic.

    A message is looked for from the first one that is not before its time; what the topic has lost is left out.
    """
    found: dict[int, int] = {}
    client = reader(bootstrap, {(topic, partition): 0})
    try:
        _, end = client.get_watermark_offsets(TopicPartition(topic, partition), timeout=TIMEOUT)
        position = 0
        for sought, at in wanted:
            if sought in found:
                continue
            (place,) = client.offsets_for_times([TopicPartition(topic, partition, at)], timeout=TIMEOUT)
            if place.offset < 0:
                continue
            if place.offset > position or position >= end:
                position = place.offset
                client.assign([TopicPartition(topic, partition, position)])
            while sought not in found and position < end:
                message = client.poll(TIMEOUT)
                if message is None or message.error() is not None:
                    raise KafkaProblem(f"Kafka at {bootstrap} sends no more of {topic}.")
                position = message.offset() + 1
                record = Record(partition, message.offset(), message.key(), message.value(), {})
                if (known := number(record)) is not None:
                    found.setdefault(known, record.offset)
    except KafkaException as error:
        raise problem(bootstrap, error) from error
    finally:
        client.close()
    return found


def committed(bootstrap: str, group: str, topic: str) -> dict[int, int]:
    """Partition -> offset that the group goes on from, for partitions where it has committed."""
    admin = AdminClient({"bootstrap.servers": bootstrap} | _QUIET)
    try:
        (future,) = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)]).values()
        answer = future.result(timeout=TIMEOUT)
    except KafkaException as error:
        raise problem(bootstrap, error) from error
    return {tp.partition: tp.offset for tp in answer.topic_partitions if tp.topic == topic and tp.offset >= 0}
