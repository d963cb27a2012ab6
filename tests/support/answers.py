"""Somebody who answers commands as a test says, in the handler's place: what is decided is not the matter here."""

from types import TracebackType
from typing import Any, Self

from confluent_kafka import Consumer, Producer, TopicPartition

from schemas.codec import decode_command, encode_reply
from schemas.commands import AnyCommand
from schemas.replies import Outcome, Reply
from tests.support.space import PARTITIONS, Space


class Answers:
    """Reads the commands of a space and writes replies."""

    def __init__(self, space: Space) -> None:
        self._topics = space.topics
        self._consumer = Consumer({"bootstrap.servers": space.settings.kafka, "group.id": "answers"})
        self._consumer.assign([TopicPartition(self._topics.commands, number, 0) for number in range(PARTITIONS)])
        self._producer = Producer({"bootstrap.servers": space.settings.kafka})

    def next(self, seconds: float = 30) -> Any:
        """The next message of the commands topic.

        Raises:
            AssertionError: none comes.
        """
        message = self._consumer.poll(seconds)
        assert message is not None
        assert message.error() is None
        return message

    def command(self) -> AnyCommand:
        """The next command."""
        return decode_command(self.next().value())

    def answer(self, command: AnyCommand, outcome: Outcome, version: int | None = None) -> Reply:
        """Write a reply, and return it."""
        reply = Reply(
            command.command_id,
            command.account_id,
            command.correlation_id,
            outcome,
            first_version=version,
            last_version=version,
        )
        self.write(encode_reply(reply))
        return reply

    def write(self, value: bytes) -> None:
        """Write any bytes to the replies topic, and wait until the broker has them."""
        self._producer.produce(self._topics.replies, value)
        assert self._producer.flush(30) == 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._consumer.close()
