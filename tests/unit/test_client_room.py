"""Room among the commands that wait: whoever waits for it has it as soon as there is some."""

from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Event, Thread
from uuid import uuid4

import pytest

from commands.client import Client, NotDelivered
from commands.client.waiting import Waiting
from schemas.commands import SetPlan

MOST = 2


class Refusing:
    """Kafka's place in a client: brokers that refuse each command when a test says so, and answer none."""

    trouble: str | None = None

    def __init__(self, *_: object) -> None:
        self.sent: list[Callable[[str | None], None]] = []
        self.refused: SimpleQueue[str] = SimpleQueue()

    def prepare(self) -> bool:
        return True

    def send(self, key: str, value: bytes, timestamp: int, delivered: Callable[[str | None], None]) -> None:
        self.sent.append(delivered)

    def poll(self, seconds: float, room: bool) -> list[bytes]:
        try:
            why = self.refused.get(timeout=0.02)
        except Empty:
            return []
        self.sent.pop(0)(why)
        return []

    def close(self) -> None:
        """There is nothing to close."""


def test_a_command_that_is_refused_makes_room_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    topic = Refusing()
    monkeypatch.setattr("commands.client.sync.Wire", lambda *_: topic)
    waits = Event()

    def full(waiting: Waiting) -> bool:
        if waiting._futures < MOST:
            return False
        waits.set()
        return True

    monkeypatch.setattr(Waiting, "full", property(full))

    def command() -> SetPlan:
        return SetPlan(str(uuid4()), "ann", None, "basic")

    with Client(timeout=600, most=MOST) as client:
        first, _ = [client.send(command()) for _ in range(MOST)]
        third = Thread(target=lambda: client.send(command()), daemon=True)
        third.start()
        assert waits.wait(20)
        topic.refused.put("its clock is ahead")
        assert isinstance(first.exception(20), NotDelivered)
        third.join(20)
        assert not third.is_alive()
