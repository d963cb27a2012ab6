"""The client on real topics, where the test answers: retries, late replies, room, silence."""

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import Future
from queue import Queue
from threading import Thread
from typing import Any
from uuid import uuid4

import pytest
from confluent_kafka import Consumer
from redis import Redis

from commands.client import AsyncClient, Busy, Client, NoReply, NotDelivered, NotSeen
from commands.client.waiting import Waiting
from schemas.commands import SetPlan
from schemas.replies import Reply
from tests.support.answers import Answers
from tests.support.clock import Clock, confirmed
from tests.support.processes import eventually
from tests.support.space import Space


@pytest.fixture
def answers(space: Space) -> Iterator[Answers]:
    with Answers(space) as answers:
        yield answers


TIMEOUT = 100.0  # seconds, of the clock of a test where there is one


def client_of(space: Space, timeout: float = TIMEOUT, repeat_after: float = 600, most: int = 100) -> Client:
    return Client(space.settings.kafka, namespace=space.name, timeout=timeout, repeat_after=repeat_after, most=most)


def command(account_id: str = "ann") -> SetPlan:
    return SetPlan(str(uuid4()), account_id, "call-1", "basic")


def test_no_reply_is_missed(space: Space, answers: Answers, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = command()

    class Slow(Consumer):
        """The reply is there before reading begins, but after it is known where to begin."""

        def assign(self, partitions: Any) -> None:
            answers.answer(asked, "accepted", 1)
            super().assign(partitions)

    monkeypatch.setattr("commands.client.kafka.Consumer", Slow)
    with client_of(space) as client:
        assert client.send(asked).result(30).first_version == 1


def test_what_was_on_the_topics_before_is_not_its_business(space: Space, answers: Answers) -> None:
    asked = command()
    answers.answer(asked, "accepted", 1)
    with client_of(space) as client:
        future = client.send(asked)
        answers.command()
        answers.answer(asked, "duplicate", 1)
        assert future.result(30).outcome == "duplicate"


def test_a_copy_has_the_same_bytes_key_and_time(space: Space, answers: Answers) -> None:
    with client_of(space, repeat_after=0.3) as client:
        future = client.send(command())
        first, second, third = (answers.next() for _ in range(3))
        assert first.value() == second.value() == third.value()
        assert first.key() == second.key() == third.key() == b"ann"
        assert first.timestamp() == second.timestamp() == third.timestamp()
        assert not future.done()


def test_the_first_reply_comes_after_the_repetition(space: Space, answers: Answers) -> None:
    with client_of(space, repeat_after=0.5) as client:
        future = client.send(command())
        asked, copy = answers.command(), answers.command()
        assert asked == copy
        first = answers.answer(asked, "accepted", 7)
        assert future.result(30) == first
        answers.answer(copy, "duplicate", 7)  # nobody waits for it any more
        other = command()
        after = client.send(other)
        while answers.command() != other:  # a third copy may have come
            pass
        answers.answer(other, "accepted", 8)
        assert after.result(30).first_version == 8


def test_a_refusal_is_the_outcome_once_no_copy_can_be_accepted(space: Space, answers: Answers) -> None:
    with client_of(space, repeat_after=0.5) as client:
        future = client.send(command())
        asked, copy = answers.command(), answers.command()
        answers.answer(asked, "rejected")
        answers.answer(copy, "accepted", 1)
        assert future.result(30).outcome == "accepted"


def test_silence_ends_with_what_is_known_and_the_next_try_has_its_own_reply(
    space: Space, answers: Answers, clock: Clock
) -> None:
    with client_of(space) as client:
        asked = command()
        silent = client.send(asked)
        eventually(lambda: confirmed(client), what="Kafka has it")
        clock.now += TIMEOUT
        error = silent.exception(30)
        assert isinstance(error, NoReply)
        assert "it is on the topic; does a handler run" in str(error)
        again = client.send(asked)
        answers.answer(asked, "rejected")  # late: to the first try
        answers.answer(asked, "accepted", 1)
        assert again.result(30).outcome == "accepted"


def test_what_is_no_reply_is_passed_over_and_named(space: Space, answers: Answers, clock: Clock) -> None:
    with client_of(space) as client:
        asked, lost = command(), command()
        future, silent = client.send(asked), client.send(lost)
        answers.command()
        answers.write(b"\xc3\x01notyetus")
        answers.answer(asked, "accepted", 1)
        assert future.result(30).outcome == "accepted"
        eventually(lambda: bool(client._unread) and confirmed(client), what="it has come, on whichever partition")
        clock.now += TIMEOUT
        assert "could not be read: no schema with the fingerprint" in str(silent.exception(30))


def test_a_topic_that_is_not_there_is_named_and_waited_for(
    space: Space, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("commands.client.kafka._PATIENCE", 30)  # else a slow broker would be what it says
    with Client(space.settings.kafka, namespace="nosuch", timeout=TIMEOUT) as client:
        future = client.send(command())
        eventually(lambda: "topic" in (client._wire.trouble or ""), what="it has asked for the topic")
        clock.now += TIMEOUT
        error = future.exception(30)
        assert isinstance(error, NoReply)
        assert "there is no topic nosuch.commands; create the topics and tables with: licensing init" in str(error)


def test_what_the_brokers_refuse_fails_at_once(space: Space, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time_ns()
    with client_of(space, timeout=60) as client:
        monkeypatch.setattr(time, "time_ns", lambda: now + 2 * 3_600_000_000_000)  # a clock that is two hours ahead
        error = client.send(command()).exception(30)
        assert isinstance(error, NotDelivered)
        assert "timestamp" in str(error).lower()


def test_no_more_than_so_many_wait(space: Space, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    began = clock.now

    class Full(Waiting):
        @property
        def full(self) -> bool:
            if not super().full:
                return False
            clock.now = began + TIMEOUT  # while the second waits, the time of the first is up
            return True

    monkeypatch.setattr("commands.client.sync.Waiting", Full)
    with client_of(space, most=1) as client:
        first = client.send(command())
        clock.now += 1
        second = client.send(command())
        assert isinstance(first.exception(30), NoReply)
        assert not second.done()


def test_a_callback_does_not_wait_for_room_that_only_it_could_make(space: Space, answers: Answers) -> None:
    ended: Queue[Exception] = Queue()
    with client_of(space, timeout=3600, most=1) as client:

        def twice(_: Future[Reply]) -> None:
            client.send(command())
            try:
                client.send(command())
            except Busy as error:
                ended.put(error)

        asked = command()
        client.send(asked).add_done_callback(twice)
        answers.command()
        answers.answer(asked, "accepted", 1)
        assert "send fewer at once" in str(ended.get(timeout=30))


def test_a_view_has_seen_what_its_position_is_beyond(space: Space) -> None:
    url = space.servers.address.redis
    reply = Reply(
        str(uuid4()), "ann", None, "accepted", events_topic=space.topics.events, events_partition=2, events_offset=5
    )
    with Redis.from_url(url) as redis, Client(space.settings.kafka, namespace=space.name, redis=url) as client:
        with pytest.raises(NotSeen, match="no worker of licenses has ever run"):
            client.wait_until_seen("licenses", reply, 0.1)
        redis.set(f"{space.name}:licenses:live", "2")
        redis.set(f"{space.name}:licenses@2:{{p2}}:position", 5)
        with pytest.raises(NotSeen, match="it is at offset 5"):
            client.wait_until_seen("licenses", reply, 0.1)
        redis.set(f"{space.name}:licenses@2:{{p2}}:position", 6)
        client.wait_until_seen("licenses", reply, 0.1)


def test_many_threads_share_a_client(space: Space, answers: Answers) -> None:
    outcomes: list[tuple[SetPlan, Reply]] = []

    def work(client: Client, number: int) -> None:
        for _ in range(50):
            asked = command(f"account-{number}")
            outcomes.append((asked, client.send(asked).result(60)))

    with client_of(space, most=3) as client:
        threads = [Thread(target=work, args=(client, number)) for number in range(8)]
        for thread in threads:
            thread.start()
        for version in range(8 * 50):
            answers.answer(answers.command(), "accepted", version)
        for thread in threads:
            thread.join(60)
    assert len(outcomes) == 8 * 50
    assert all(reply.command_id == asked.command_id for asked, reply in outcomes)


def test_a_thousand_are_awaited_at_once_with_room_for_ten(space: Space, answers: Answers) -> None:
    async def scenario() -> list[Reply]:
        async with AsyncClient(space.settings.kafka, namespace=space.name, most=10) as client:
            return await asyncio.gather(*(client.send(command(f"a-{number % 20}")) for number in range(1000)))

    def answer() -> None:
        answered = set[str]()
        while len(answered) < 1000:  # on a slow machine some are sent twice
            asked = answers.command()
            answered.add(asked.command_id)
            answers.answer(asked, "accepted", len(answered))

    answering = Thread(target=answer)
    answering.start()
    replies = asyncio.run(scenario())
    answering.join(60)
    assert len({reply.command_id for reply in replies}) == 1000
