"""Reading a stretch of a topic quickly."""

from collections.abc import Iterator, Mapping

from confluent_kafka import KafkaError, KafkaException

from ops.kafka import TIMEOUT, KafkaProblem, Record, headers_of, problem, reader

_MANY, _WITHIN = 1000, 0.05  # messages that are taken at once, and seconds in which


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
