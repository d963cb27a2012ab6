"""Waiting for a server that is away: say so once, try again with growing pauses, say once that it is back."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias, TypeVar

import structlog

T = TypeVar("T")
#: Is told of a server that is away, with its error; and with None, that it is back.
Say: TypeAlias = Callable[[str, Exception | None], None]

FIRST_PAUSE = 0.1  # seconds
LONGEST_PAUSE = 5.0
GRACE = 2.0  # for the call under way when the process is asked to stop


class Stopping(Exception):
    """The process was asked to stop before the call was done. The call may have had its effect."""


def into_the_log(server: str, error: BaseException | None) -> None:
    """Say it as a worker does."""
    log = structlog.get_logger("projections")
    if error is None:
        log.info("the server is back", server=server)
    else:
        log.warning("waiting for a server", server=server, error=f"{type(error).__name__}: {error}")


class Patience:
    """Calls to servers, repeated until they are done or the process stops. One retry loop for all of the worker."""

    def __init__(self, stopping: asyncio.Event, say: Say = into_the_log) -> None:
        self._stopping = stopping
        self._away: set[str] = set()  # servers of which it is said that they are away
        self._say = say

    async def until(self, server: str, is_away: Callable[[Exception], bool], call: Callable[[], Awaitable[T]]) -> T:
        """Repeat `call` while its error means that the server is away.

        Raises:
            Stopping: the process is to stop.
            Exception: whatever else the call raised.
        """
        pause, away = FIRST_PAUSE, False
        while not self._stopping.is_set():
            try:
                result = await self._or_stop(call)
            except Exception as error:
                if not is_away(error):
                    raise
                if server not in self._away:
                    self._say(server, error)
                self._away.add(server)
                away = True
                await self._pause(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
            else:
                if away and server in self._away:  # others may have waited for it as well
                    self._away.remove(server)
                    self._say(server, None)
                return result
        raise Stopping

    async def _or_stop(self, call: Callable[[], Awaitable[T]]) -> T:
        work = asyncio.ensure_future(call())
        stop = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait({work, stop}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                await asyncio.wait({work}, timeout=GRACE)
            if not work.done():
                raise Stopping
            return work.result()
        finally:
            stop.cancel()
            work.cancel()

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return
