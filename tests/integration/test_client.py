"""The client on real topics, where the test answers: retries, late replies, room, silence."""

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import Future
from threading import Thread
from uuid import uuid4

import pytest

from commands.client import AsyncClient, Busy, Client, NoReply, NotDelivered
from schemas.commands import SetPlan
from schemas.replies import Reply
from tests.support.answers import Answers
from tests.support.space import Space


@pytest.fixture
def answers(space: Space) -> Iterator[Answers]:
    with Answers(space) as answers:
        yield answers


def client_of(space: Space, timeout: float = 30, repeat_after: float = 60, most: int = 100) -> Client:
    return Client(space.settings.kafka, namespace=space.name, timeout=timeout, repeat_after=repeat_after, most=most)


def command(account_id: str = "ann") -> SetPlan:
    return SetPlan(str(uuid4()), account_id, "call-1", "basic")


def test_a_reply_that_comes_at_once_is_not_missed(space: Space, answers: Answers) -> None:
    for _ in range(5):  # what it reads from is fixed before it sends for the first time
        with client_of(space) as client:
            asked = command()
            future = client.send(asked)
            assert answers.command() == asked
            reply = answers.answer(asked, "accepted", 1)
            assert future.result(30) == reply


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


def test_silence_ends_with_what_is_known_and_the_next_try_has_its_own_reply(space: Space, answers: Answers) -> None:
    with client_of(space, timeout=1) as client:
        asked = command()
        error = client.send(asked).exception(30)
        assert isinstance(error, NoReply)
        assert "it is on the topic; does a handler run" in str(error)
        again = client.send(asked)
        answers.answer(asked, "rejected")  # late: to the first try
        answers.answer(asked, "accepted", 1)
        assert again.result(30).outcome == "accepted"


def test_what_is_no_reply_is_passed_over_and_named(space: Space, answers: Answers) -> None:
    with client_of(space, timeout=2) as client:
        asked, lost = command(), command()
        future, silent = client.send(asked), client.send(lost)
        answers.command()
        answers.write(b"\xc3\x01notyetus")
        answers.answer(asked, "accepted", 1)
        assert future.result(30).outcome == "accepted"
        assert "could not be read: no schema with the fingerprint" in str(silent.exception(30))


def test_a_topic_that_is_not_there_is_named_and_waited_for(space: Space) -> None:
    with Client(space.settings.kafka, namespace="nosuch", timeout=0.5) as client:
        error = client.send(command()).exception(30)
        assert isinstance(error, NoReply)
        assert "there is no topic nosuch.commands; create the topics and tables with: licensing init" in str(error)


def test_what_the_brokers_refuse_fails_at_once(space: Space, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time_ns()
    with client_of(space, timeout=60) as client:
        monkeypatch.setattr(time, "time_ns", lambda: now + 2 * 3_600_000_000_000)  # a clock that is two hours ahead
        error = client.send(command()).exception(30)
        assert isinstance(error, NotDelivered)
        assert "timestamp" in str(error).lower()


def test_no_more_than_so_many_wait(space: Space) -> None:
    with client_of(space, timeout=3, most=1) as client:
        first = client.send(command())
        time.sleep(1)
        second = client.send(command())  # waits until the first is given up, and half a minute if it must
        assert first.done()
        busy: list[Exception] = []

        def from_callback(_: Future[Reply]) -> None:
            client.send(command())  # there is room again
            try:
                client.send(command())
            except Busy as error:  # to wait here would be to wait for oneself
                busy.append(error)

        second.add_done_callback(from_callback)
        assert isinstance(second.exception(30), NoReply)
        until = time.monotonic() + 30
        while not busy and time.monotonic() < until:
            time.sleep(0.01)
        assert len(busy) == 1


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
        for version in range(1000):
            answers.answer(answers.command(), "accepted", version)

    answering = Thread(target=answer)
    answering.start()
    replies = asyncio.run(scenario())
    answering.join(60)
    assert len({reply.command_id for reply in replies}) == 1000
