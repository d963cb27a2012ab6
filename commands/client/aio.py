"""The client for asyncio: the same, awaited."""

import asyncio
from concurrent.futures import Future
from contextlib import suppress
from types import TracebackType
from typing import Self

from commands.client.sync import Client
from schemas.commands import AnyCommand
from schemas.replies import Reply


class AsyncClient:
    """`Client` on an event loop, which it never holds up. One loop uses it; parameters as of `Client`."""

    def __init__(
        self,
        kafka: str = "127.0.0.1:9092",
        *,
        namespace: str = "licensing",
        redis: str | None = None,
        timeout: float = 30.0,
        repeat_after: float = 10.0,
        most: int = 10_000,
        registry: str | None = None,
        framed: bool = True,
    ) -> None:
        self._client = Client(
            kafka,
            namespace=namespace,
            redis=redis,
            timeout=timeout,
            repeat_after=repeat_after,
            most=most,
            registry=registry,
            framed=framed,
        )
        self._room = asyncio.Semaphore(most)

    async def send(self, command: AnyCommand) -> Reply:
        """Send a command and await its reply; a task of it is a future. Waits while as many as may are under way.

        A task that is cancelled does not take the command back.

        Raises:
            NoReply, NotDelivered: it may be sent again.
            Others: as `Client.send`.
        """
        await self._room.acquire()
        try:
            future = self._client.send(command)
        except BaseException:
            self._room.release()
            raise
        loop = asyncio.get_running_loop()

        def room(_: Future[Reply]) -> None:
            with suppress(RuntimeError):  # the loop is closed: nobody waits there
                loop.call_soon_threadsafe(self._room.release)

        future.add_done_callback(room)
        return await asyncio.wrap_future(future)

    async def wait_until_seen(self, view: str, reply: Reply, timeout: float = 10.0) -> None:
        """As `Client.wait_until_seen`."""
        looks = self._client.positions.until_seen(view, reply, timeout)
        while (pause := await asyncio.to_thread(next, looks, None)) is not None:
            await asyncio.sleep(pause)

    async def close(self) -> None:
        """As `Client.close`."""
        await asyncio.to_thread(self._client.close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.close()
