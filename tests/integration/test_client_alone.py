"""The client where no broker answers: nothing waits for ever, and what it says tells what to do."""

import asyncio
import os
from collections.abc import Iterator
from threading import Thread
from typing import Any, cast
from uuid import uuid4

import pytest

from commands.client import AsyncClient, Client, Closed, Forked, NoReply, NotSeen
from commands.client.seen import live_key, position_key
from projections.redis_model import keys
from schemas.commands import SetPlan
from schemas.replies import Reply
from schemas.validation import InvalidCommand

NOWHERE = "127.0.0.1:1"


def command() -> SetPlan:
    return SetPlan(str(uuid4()), "ann", None, "basic")


@pytest.fixture
def client() -> Iterator[Client]:
    with Client(NOWHERE, timeout=60, most=2) as client:
        yield client


def test_a_broker_that_is_away_is_waited_for_until_the_time_is_up() -> None:
    with Client(NOWHERE, timeout=0.2) as client:
        error = client.send(command()).exception(20)
        assert isinstance(error, NoReply)
        assert "within 0.2 s: Kafka has not confirmed it; Kafka at 127.0.0.1:1" in str(error)


def test_so_is_a_schema_registry() -> None:
    with Client(NOWHERE, timeout=0.2, registry="http://127.0.0.1:1") as client:
        error = client.send(command()).exception(20)
        assert isinstance(error, NoReply)
        assert "it was not sent; the schema registry" in str(error)


def test_a_url_that_is_none_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="Invalid url"):
        Client(NOWHERE, registry="registry:8081")


def test_closing_ends_what_waits(client: Client) -> None:
    futures = [client.send(command()), client.send(command())]
    client.close()
    for future in futures:
        with pytest.raises(Closed, match="closed before the reply came"):
            future.result(0)
    with pytest.raises(Closed):
        client.send(command())
    client.close()  # once more is once too often, and no more


def test_closing_lets_go_of_those_who_wait_for_room(client: Client) -> None:
    client.send(command())
    client.send(command())
    ended: list[BaseException] = []

    def third() -> None:
        try:
            client.send(command())
        except Closed as error:
            ended.append(error)

    waiting = Thread(target=third)
    waiting.start()
    client.close()
    waiting.join(20)
    assert len(ended) == 1


def test_it_closes_from_its_own_callback(client: Client) -> None:
    threads: list[Thread] = [client._thread]
    future = client.send(command())
    future.add_done_callback(lambda _: client.close())
    client.close()
    threads[0].join(20)
    assert not threads[0].is_alive()


def test_what_the_handler_would_not_read_is_not_sent(client: Client) -> None:
    with pytest.raises(InvalidCommand, match="command_id is not a lower-case uuid"):
        client.send(SetPlan("1", "ann", None, "basic"))
    with pytest.raises(InvalidCommand, match="half a surrogate pair"):
        client.send(SetPlan(str(uuid4()), "ann", "\ud800", "basic"))
    with pytest.raises(TypeError, match="not a command"):
        client.send(cast(Any, Reply(str(uuid4()), "ann", None, "accepted")))


def test_a_command_that_was_sent_cannot_be_taken_back(client: Client) -> None:
    assert not client.send(command()).cancel()


def test_a_process_that_forks_makes_its_own(client: Client) -> None:
    child = os.fork()
    if child == 0:  # whatever happens here, pytest must not go on twice
        try:
            client.close()  # the parent's: nothing to do
            client.send(command())
        except Forked:
            os._exit(7)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


def test_a_view_is_waited_for_until_the_time_is_up() -> None:
    reply = Reply(str(uuid4()), "ann", None, "accepted", None, None, 1, 1, "events", 0, 5)
    with Client(NOWHERE, redis="redis://127.0.0.1:1/0") as client:
        with pytest.raises(NotSeen, match=r"licenses has not read offset 5 of partition 0: Redis: .*refused"):
            client.wait_until_seen("licenses", reply, 0.1)
        client.wait_until_seen("licenses", Reply(str(uuid4()), "ann", None, "rejected"), 0.1)  # nothing to wait for
    with Client(NOWHERE) as client, pytest.raises(ValueError, match="tell the client where it is"):
        client.wait_until_seen("licenses", reply)


def test_its_keys_are_those_of_the_workers() -> None:
    assert live_key("ns", "licenses") == keys.live_key("ns", "licenses")
    assert position_key("ns", "licenses", "2", 3) == keys.Keys("ns", "licenses", "2").position(3)


def test_the_same_with_asyncio() -> None:
    async def scenario() -> None:
        async with AsyncClient(NOWHERE, timeout=0.3, most=1) as client:
            answers = await asyncio.gather(client.send(command()), client.send(command()), return_exceptions=True)
            assert [type(answer) for answer in answers] == [NoReply, NoReply]
            with pytest.raises(InvalidCommand):
                await client.send(SetPlan("1", "ann", None, "basic"))
            cancelled = asyncio.create_task(client.send(command()))
            await asyncio.sleep(0)
            cancelled.cancel()
            with pytest.raises(NoReply):  # not Busy: what was sent takes its room until it ends, and that is awaited
                await client.send(command())

    asyncio.run(scenario())


def test_closing_ends_what_is_awaited() -> None:
    async def scenario() -> None:
        async with AsyncClient(NOWHERE, timeout=60) as client:
            left = asyncio.create_task(client.send(command()))
            await asyncio.sleep(0)
        with pytest.raises(Closed):
            await left

    asyncio.run(scenario())
