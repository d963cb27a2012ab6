"""Asking brokers for the ends of partitions."""

from contextlib import suppress
from typing import Any

from confluent_kafka import KafkaException, TopicPartition

from commands.ports import StoreUnavailable


def ends(consumer: Any, topic: str, partition: int, timeout: float = 3.0) -> tuple[int, int]:
    """The first offset that a partition has, and the one that its next message will get; `timeout` in seconds.

    Raises:
        StoreUnavailable: the brokers do not answer, or another one leads the partition by now.
    """
    try:
        low, high = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=timeout)
    except KafkaException as error:
        with suppress(KafkaException):  # after a restart the client asks the old leader until it looks again
            consumer.list_topics(topic, timeout=timeout)
        raise StoreUnavailable(f"Kafka: {error}") from error
    return int(low), int(high)
