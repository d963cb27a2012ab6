"""Kafka beside Faust: whether it is away, and whether a topic is there."""

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError, KafkaTimeoutError, UnknownError
from faust.exceptions import ProducerSendError


class NoTopic(Exception):
    """The topic does not exist (yet)."""


def is_away(error: BaseException | None) -> bool:
    """Whether the server will be back by itself (or by its operator), so that waiting helps."""
    if isinstance(error, ProducerSendError):
        return is_away(error.__cause__)
    if isinstance(error, TimeoutError | KafkaTimeoutError | NoTopic):
        return True
    # Of an answer that aiokafka has no rule for, such as a list of no brokers, it makes a plain error.
    return isinstance(error, KafkaError) and (bool(error.retriable) or type(error) in (KafkaError, UnknownError))


async def partitions_of(bootstrap: str, topic: str) -> int:
    """How many partitions the topic has.

    Raises:
        NoTopic: it does not exist (yet).
        KafkaError: no server answers.
    """
    client = AIOKafkaClient(bootstrap_servers=bootstrap)
    try:
        await client.bootstrap()
        found = (await client.fetch_all_metadata()).partitions_for_topic(topic)
    finally:
        await client.close()
    if not found:
        raise NoTopic(f"there is no topic {topic}")
    return len(found)
