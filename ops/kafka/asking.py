"""Questions to brokers, asked again while the brokers settle."""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from confluent_kafka import KafkaError, KafkaException

T = TypeVar("T")

TIMEOUT = 15.0  # seconds for one question to the brokers
QUIET: dict[str, Any] = {
    "log_level": 0,
    "error_cb": lambda error: None,
}  # what is wrong is raised where somebody waits for it

#: What brokers answer for moments after a restart or a move, until all know who leads what. Java's
#: clients ask again by themselves; librdkafka does so for messages, and hands these on for most else.
SETTLING = frozenset(
    {
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.FENCED_LEADER_EPOCH,
        KafkaError.KAFKA_STORAGE_ERROR,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.NOT_CONTROLLER,
        KafkaError.NOT_COORDINATOR,
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.OFFSET_NOT_AVAILABLE,
        KafkaError.REPLICA_NOT_AVAILABLE,
        KafkaError.UNKNOWN_LEADER_EPOCH,
        KafkaError._WAIT_COORD,
    }
)
_PAUSE = 0.1  # seconds between two questions


def once_settled(client: Any, ask: Callable[[], T], timeout: float) -> T:
    """The answer to a question of a client's; asked again while brokers settle, for up to `timeout` seconds.

    Raises:
        KafkaException: the brokers do not answer or refuse, or have not settled by then.
    """
    end = time.monotonic() + timeout
    while True:
        try:
            return ask()
        except KafkaException as error:
            if error.args[0].code() not in SETTLING or time.monotonic() > end:
                raise
            time.sleep(_PAUSE)
            with suppress(KafkaException):  # else the client would ask the old leader until it looks again by itself
                client.list_topics(timeout=timeout)
