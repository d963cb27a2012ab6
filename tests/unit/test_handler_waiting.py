"""What waits in a handler's memory while the stores are slower than Kafka: so much, however large the messages are."""

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from itertools import pairwise
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pytest

from commands.accounts import AccountCache
from commands.follow_up import Outbound
from commands.handler import ALIVE, WAITING, Handler
from commands.intake import Message
from commands.memory import MemoryEventStore, MemoryJournal, MemoryPublisher, MemorySnapshots, MemoryWatermarks
from commands.policies import Timeline
from commands.policy_file import load_policy
from commands.ports import Appended, Row
from commands.shard import Inside, Shard
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


def new_handler(topic: Topic, journal: MemoryJournal, publisher: Publisher) -> Handler:
    out = Outbound(MemoryEventStore(), MemorySnapshots(), MemoryWatermarks(), publisher, Topics())
    inside = Inside(journal, out, Timeline(load_policy()), AccountCache(10), 64, UUID(int=1))
    return Handler(cast(Any, topic), cast(Any, publisher), inside, threading.Event(), None)


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
    handler = new_handler(topic, journal, publisher)
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


def test_a_handler_that_takes_many_shards_over_slowly_stays_in_the_group(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kafka takes the partitions of a member that does not poll for `max.poll.interval.ms`, five minutes."""
    now, taken, slow = 0.0, 0, 7.0
    polled = list[float]()
    take_over = Shard.take_over

    def slowly(shard: Shard) -> int | None:
        nonlocal now, taken
        now, taken = now + slow, taken + 1
        return take_over(shard)

    class Quiet(Topic):
        def poll(self, most: int, seconds: float) -> Iterable[tuple[int, Message]]:
            polled.append(now)
            return ()

    monkeypatch.setattr(Shard, "take_over", slowly)
    monkeypatch.setattr("commands.handler.time", SimpleNamespace(monotonic=lambda: now))
    handler = new_handler(Quiet(b"", ()), MemoryJournal(), Publisher())
    handler._assigned(list(range(64)))
    while taken < 64:
        handler._turn()
    assert max(after - before for before, after in pairwise([*polled, now])) <= ALIVE + slow
