"""Kafka as operations see it: clients for sending, reading and administration. The one package that imports one."""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from ops.kafka.asking import QUIET, TIMEOUT, once_settled
from ops.kafka.errors import KafkaAway, KafkaProblem, problem
from ops.kafka.reading import Headers, Record, between, find, headers_of, reader

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


def partitions(bootstrap: str, names: Iterable[str]) -> dict[str, int]:
    """Topic -> number of partitions, for those of the names that exist.

    Raises:
        KafkaProblem: the brokers do not answer, or do not say it of one of them.
    """
    admin = AdminClient({"bootstrap.servers": bootstrap} | QUIET)

    def ask() -> dict[str, int]:
        known = admin.list_topics(timeout=TIMEOUT).topics
        return {name: len(_led(known[name]).partitions) for name in names if name in known}

    try:
        return once_settled(admin, ask, TIMEOUT)
    except KafkaException as error:
        raise problem(bootstrap, error) from error


def _led(topic: Any) -> Any:
    """What is known of a topic, if it is."""
    if topic.error is not None:
        raise KafkaException(topic.error)
    return topic


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

    def span(partition: int) -> range:
        return range(*client.get_watermark_offsets(TopicPartition(topic, partition), timeout=timeout))

    try:
        found = once_settled(client, lambda: _led(client.list_topics(topic, timeout=timeout).topics[topic]), timeout)
        return {
            partition: once_settled(client, partial(span, partition), timeout) for partition in sorted(found.partitions)
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

    Raises:
        KafkaProblem: the brokers do not answer.
    """
    return between(bootstrap, topic, spans(bootstrap, topic) if within is None else within)


def committed(bootstrap: str, group: str, topic: str) -> dict[int, int]:
    """Partition -> offset that the group goes on from, for partitions where it has committed.

    A consumer of the group asks, which does not join it: an admin client ends the process by a segmentation fault
    where the group's coordinator is just beginning (librdkafka 2.16, `rd_kafka_handle_OffsetFetch`).
    """
    client = Consumer({"bootstrap.servers": bootstrap, "group.id": group, "enable.auto.commit": False} | QUIET)

    def ask() -> dict[int, int]:
        numbers = client.list_topics(topic, timeout=TIMEOUT).topics[topic].partitions
        asked = [TopicPartition(topic, number) for number in numbers]
        found = client.committed(asked, timeout=TIMEOUT) if asked else []
        wrong = next((place.error for place in found if place.error is not None), None)
        if wrong is not None:
            raise KafkaException(wrong)
        return {place.partition: place.offset for place in found if place.offset >= 0}

    try:
        return once_settled(client, ask, TIMEOUT)
    except KafkaException as error:
        raise problem(bootstrap, error) from error
    finally:
        client.close()
