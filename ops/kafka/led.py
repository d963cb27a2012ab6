"""Whether topics can be used: a broker may list a new topic some time before it leads its partitions."""

from collections.abc import Mapping

from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]

from ops.kafka import QUIET, TIMEOUT, KafkaAway, problem


def led(bootstrap: str, counts: Mapping[str, int]) -> bool:
    """Whether each partition has a leader that answers; `counts` is topic -> number of partitions.

    Raises:
        KafkaProblem: the brokers refuse.
    """
    end = OffsetSpec.latest()  # type: ignore[no-untyped-call]
    every = {TopicPartition(topic, number): end for topic, count in counts.items() for number in range(count)}
    admin = AdminClient({"bootstrap.servers": bootstrap} | QUIET)
    try:
        for future in admin.list_offsets(every, request_timeout=TIMEOUT).values() if every else ():
            future.result()
    except KafkaException as error:
        found = problem(bootstrap, error)
        if isinstance(found, KafkaAway) or error.args[0].code() == KafkaError._NOENT:  # or not even listed
            return False
        raise found from error
    return True
