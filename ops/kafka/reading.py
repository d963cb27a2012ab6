"""Reading stretches of topics."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeAlias

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from ops.kafka.asking import QUIET, TIMEOUT, once_settled
from ops.kafka.errors import KafkaProblem, problem

_MANY, _WITHIN = 1000, 0.05  # messages that are taken at once, and seconds in which
_NEAR = 5_000  # messages that are read sooner than found by their time

Headers: TypeAlias = tuple[tuple[str, bytes | None], ...]


class Record(NamedTuple):
    """A message that was read."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    timestamp: int = -1  # ms


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


def headers_of(message: Any) -> Headers:
    """A message's headers; none where a name is not UTF-8: the client cannot read them then."""
    try:
        return tuple(message.headers() or ())
    except (SystemError, UnicodeDecodeError):
        return ()


def between(bootstrap: str, topic: str, wanted: Mapping[int, range]) -> Iterator[Record]:
    """Messages of those offsets, by partition; each partition's in order.

    Raises:
        KafkaProblem: the brokers do not answer.
    """
    left = {partition: span.stop for partition, span in wanted.items() if span}
    client = reader(bootstrap, {(topic, partition): wanted[partition].start for partition in left}, says_end=True)
    silent = 0.0
    try:
        while left:
            messages = client.consume(_MANY, _WITHIN)  # it waits so long for the last of so many
            silent = 0.0 if messages else silent + _WITHIN
            if silent > TIMEOUT:
                raise KafkaProblem(f"Kafka at {bootstrap} sends no more of {topic}.")
            for message in messages:
                partition, offset, error = message.partition(), message.offset(), message.error()
                if error is not None and error.code() != KafkaError._PARTITION_EOF:
                    raise problem(bootstrap, KafkaException(error))
                end = left.get(partition, 0)
                if error is None and offset < end:
                    headers, at = headers_of(message), message.timestamp()[1]
                    yield Record(partition, offset, message.key(), message.value(), headers, at)
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
    """Number -> offset of its first message. `wanted`: numbers and times (ms), both in the order of the topic.

    Where a number does not come soon, reading goes on from its time. What the topic has lost is left out: a higher
    number comes in its place.
    """
    found: dict[int, int] = {}
    client = reader(bootstrap, {})

    def ends_now() -> tuple[int, int]:
        begin, end = client.get_watermark_offsets(TopicPartition(topic, partition), timeout=TIMEOUT)
        return begin, end

    def first_at(at: int) -> int:
        (place,) = client.offsets_for_times([TopicPartition(topic, partition, at)], timeout=TIMEOUT)
        return int(place.offset)

    try:
        begin, end = once_settled(client, ends_now, TIMEOUT)
        position, highest = begin - 1, 0  # nothing is assigned yet
        for sought, at in wanted:
            near = position if position < begin else position + _NEAR
            while highest < sought and position < end:
                if position == near:
                    place = once_settled(client, partial(first_at, at), TIMEOUT)
                    if place < 0:
                        return found  # everything there is lies before its time
                    if place > position:
                        position = place
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
