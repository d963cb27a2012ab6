"""What changes what is on topics: messages sent with all that they had, and records deleted."""

from collections.abc import Iterable, Mapping
from typing import Any

from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from commands.ports import Outgoing
from ops.kafka import QUIET, TIMEOUT, KafkaProblem, problem
from ops.kafka.asking import once_settled


def deliver(bootstrap: str, to: Any, messages: Iterable[Outgoing]) -> None:
    """Send messages with a producer, and wait until the brokers have all of them.

    Raises:
        KafkaProblem: one of them was refused, or nothing is confirmed in time; others may have arrived.
    """
    failed: list[Any] = []
    try:
        for one in messages:
            to.produce(
                one.topic,
                one.value,
                one.key,
                one.partition,
                on_delivery=lambda error, _: failed.append(error) if error is not None else None,
                timestamp=one.timestamp or 0,
                headers=list(one.headers),
            )
    except KafkaException as error:
        raise problem(bootstrap, error) from error
    if to.flush(TIMEOUT) and not failed:
        raise KafkaProblem(f"Kafka at {bootstrap} does not confirm what was sent; look with `licensing status`.")
    if failed:
        raise problem(bootstrap, failed[0])


def delete_before(bootstrap: str, topic: str, offsets: Mapping[int, int]) -> None:
    """Delete what lies before an offset of each of these partitions."""
    admin = AdminClient({"bootstrap.servers": bootstrap} | QUIET)
    wanted = [TopicPartition(topic, partition, offset) for partition, offset in offsets.items()]

    def ask() -> None:
        for future in admin.delete_records(wanted, operation_timeout=TIMEOUT).values():
            future.result()

    try:
        if wanted:
            once_settled(admin, ask, TIMEOUT)
    except KafkaException as error:
        raise problem(bootstrap, error) from error
