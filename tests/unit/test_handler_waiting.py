"""What waits in a handler's memory while the stores are slower than Kafka: so much, however large the messages are."""

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Any, cast
from uuid import UUID

import pytest

from commands.accounts import AccountCache
from commands.follow_up import Outbound
from commands.handler import WAITING, Handler
from commands.intake import Message
from commands.memory import MemoryEventStore, MemoryJournal, MemoryPublisher, MemorySnapshots, MemoryWatermarks
from commands.policies import Timeline
from commands.policy_file import load_policy
from commands.ports import Appended, Row
from commands.shard import Inside
from schemas.topics import Topics
from schemas.validation import COMMAND_MAX

HEADERS: tuple[tuple[str, bytes | None], ...] = tuple((f"{n}", None) for n in range(1600))


class SlowJournal(MemoryJournal):
    """A journal that answers when it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[Row, Future[Appended]]] = []

    def append(self, row: Row) -> Future[Appended]:
        self.asked.append((row, Future()))
        return self.asked[-1][1]

    def answer(self) -> None:
        for row, future in self.asked:
            future.set_result(super().append(row).result())
        self.asked.clear()


class Topic:
    """The commands topic: one partition, full of the same message."""

    topic = "commands"

    def __init__(self, value: bytes, headers: tuple[tuple[str, bytes | None], ...]) -> None:
        self.given, self.paused = 0, True
        self._value, self._headers = value, headers

    def subscribe(self, assigned: Callable[[list[int]], None], *_: object) -> None:
        assigned([0])

    def poll(self, most: int, seconds: float) -> Iterable[tuple[int, Message]]:
        for _ in range(0 if self.paused else 20):
            self.given += 1
            yield 0, Message(self.given - 1, 1, b"ann", self._value, self._headers)

    def resume_at(self, partition: int, offset: int | None) -> None:
        self.paused = False

    def pause(self, partition: int) -> None:
        self.paused = True

    def resume(self, partition: int) -> None:
        self.paused = False

    def done(self, partition: int, next_offset: int) -> None:
        """Nobody watches the lag."""


class Publisher(MemoryPublisher):
    def poll(self, seconds: float) -> None:
        """All is confirmed at once."""


@pytest.mark.parametrize(
    ("value", "headers", "most"),
    [
        (bytes(1_000_000), (), WAITING * COMMAND_MAX // 1_000_000),
        (b"junk", HEADERS, WAITING // 100),
        (b"junk", (), WAITING),
    ],
)
def test_large_messages_wait_at_the_broker(
    value: bytes, headers: tuple[tuple[str, bytes | None], ...], most: int
) -> None:
    topic, journal, publisher = Topic(value, headers), SlowJournal(), Publisher()
    out = Outbound(MemoryEventStore(), MemorySnapshots(), MemoryWatermarks(), publisher, Topics())
    inside = Inside(journal, out, Timeline(load_policy()), AccountCache(10), 1, UUID(int=1))
    handler = Handler(cast(Any, topic), cast(Any, publisher), inside, threading.Event(), None)
    topic.subscribe(handler._assigned)
    for _ in range(most):
        handler._turn()
        if topic.given and topic.paused:
            break
    assert most * 0.9 < topic.given <= most + 20
    given = topic.given
    for _ in range(10_000):
        journal.answer()
        handler._turn()
        if topic.given > given:
            return
    pytest.fail("it does not go on")
