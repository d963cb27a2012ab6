import asyncio
from collections.abc import Awaitable, Callable

import pytest
from structlog.testing import capture_logs

from projections.patience import Patience


def _fails_first(times: int) -> Callable[[], Awaitable[str]]:
    left = [ConnectionError("away")] * times

    async def call() -> str:
        await asyncio.sleep(0)
        if left:
            raise left.pop()
        return "done"

    return call


def _is_away(error: Exception) -> bool:
    return isinstance(error, ConnectionError)


def test_a_server_that_two_calls_wait_for_is_spoken_of_once() -> None:
    async def both() -> list[str]:
        patience = Patience(asyncio.Event())
        calls = (patience.until("Redis", _is_away, _fails_first(2)) for _ in range(2))
        return await asyncio.gather(*calls)

    with capture_logs() as logs:
        assert asyncio.run(both()) == ["done", "done"]
    assert [line["event"] for line in logs] == ["waiting for a server", "the server is back"]


def test_a_call_that_is_answered_does_not_say_that_another_one_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Redis without memory refuses what is written and answers what is read."""

    async def write_and_read() -> None:
        pauses, over = asyncio.Event(), asyncio.Event()

        async def pause(*_: object) -> None:
            pauses.set()
            await over.wait()

        monkeypatch.setattr(Patience, "_pause", pause)
        patience = Patience(asyncio.Event())
        write = asyncio.ensure_future(patience.until("Redis", _is_away, _fails_first(1)))
        await pauses.wait()
        await patience.until("Redis", _is_away, _fails_first(0))
        assert not write.done()
        over.set()
        await write

    with capture_logs() as logs:
        asyncio.run(write_and_read())
    assert [line["event"] for line in logs] == ["waiting for a server", "the server is back"]
