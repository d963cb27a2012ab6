"""A client and a schema registry: what is sent, what is read, and what is said of a registry that is away."""

from collections.abc import Callable
from queue import Empty, SimpleQueue
from uuid import uuid4

import pytest

from commands.client import Client, NoReply
from schemas.codec import encode_command, encode_reply
from schemas.commands import SetPlan
from schemas.confluent import frame
from schemas.replies import Reply
from tests.support.clock import Clock, confirmed
from tests.support.memory_registry import IDS, Registry
from tests.support.processes import eventually

TIMEOUT = 5.0  # seconds of the clock of a test


class Topic:
    """Kafka's place in a client: takes commands, and gives the replies that a test puts there."""

    trouble: str | None = None

    def __init__(self, *_: object) -> None:
        self.sent: list[bytes] = []
        self.come: SimpleQueue[bytes] = SimpleQueue()

    def prepare(self) -> bool:
        return True

    def send(self, key: str, value: bytes, timestamp: int, delivered: Callable[[str | None], None]) -> None:
        self.delivered = delivered
        self.sent.append(value)

    def poll(self, seconds: float, room: bool) -> list[bytes]:
        if self.sent:
            self.delivered(None)
        try:
            return [self.come.get(timeout=0.02)]
        except Empty:
            return []

    def close(self) -> None:
        """There is nothing to close."""


@pytest.fixture
def topic(monkeypatch: pytest.MonkeyPatch) -> Topic:
    topic = Topic()
    monkeypatch.setattr("commands.client.sync.Wire", lambda *_: topic)
    return topic


def client_of(monkeypatch: pytest.MonkeyPatch, registry: Registry, framed: bool = True) -> Client:
    monkeypatch.setattr("commands.client.sync._registry", lambda url: registry)
    return Client(timeout=TIMEOUT, registry="http://registry", framed=framed)


def command() -> SetPlan:
    return SetPlan(str(uuid4()), "ann", None, "basic")


def answer(asked: SetPlan) -> bytes:
    return (
        frame(IDS["Reply.v1"]) + encode_reply(Reply(asked.command_id, "ann", None, "accepted", None, None, 1, 1))[10:]
    )


def test_a_client_sends_and_reads_that_form(topic: Topic, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = command()
    with client_of(monkeypatch, Registry()) as client:
        future = client.send(asked)
        topic.come.put(answer(asked))
        assert future.result(30).first_version == 1
    (value,) = topic.sent
    assert value == frame(IDS["SetPlan.v1"]) + encode_command(asked)[10:]


def test_a_command_waits_for_the_registry_until_its_time_is_up(
    topic: Topic, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = Registry(away=True)
    with client_of(monkeypatch, registry) as client:
        future = client.send(command())
        eventually(lambda: "TimeoutError" in (client._framing.trouble or ""), what="the registry was asked")
        clock.now += TIMEOUT
        error = future.exception(30)
        assert isinstance(error, NoReply)
        assert "it was not sent; the schema registry: TimeoutError: it does not answer" in str(error)
        assert topic.sent == []
    with client_of(monkeypatch, registry) as client:
        asked = command()
        future = client.send(asked)
        registry.away = False
        topic.come.put(answer(asked))
        assert future.result(30).first_version == 1


def test_so_does_a_reply(topic: Topic, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    registry = Registry(away=True)
    with client_of(monkeypatch, registry, framed=False) as client:
        asked = command()
        future = client.send(asked)
        topic.come.put(answer(asked))
        waits = "the registry was asked"
        eventually(lambda: "TimeoutError" in (client._framing.waits or "") and confirmed(client), what=waits)
        clock.now += TIMEOUT
        error = str(future.exception(30))
        assert "it is on the topic; replies wait for their schema; the schema registry: TimeoutError" in error


def test_a_client_that_was_told_of_no_registry_says_so(topic: Topic, clock: Clock) -> None:
    with Client(timeout=TIMEOUT) as client:
        asked = command()
        future = client.send(asked)
        topic.come.put(answer(asked))
        eventually(lambda: bool(client._unread) and confirmed(client), what="the reply has come")
        clock.now += TIMEOUT
        assert "in Confluent's wire format: tell the client where the schema registry is" in str(future.exception(30))
