"""The read model of a worker: chunks go in by one script call each."""

import re
from collections.abc import Iterable
from importlib.resources import files
from typing import Any

import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import (
    ClusterDownError,
    MasterDownError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    ResponseError,
    TryAgainError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from projections.chunk import Chunk
from projections.read_model import Outcome
from projections.redis_model import wire
from projections.redis_model.keys import Keys, live_key

_SCRIPT = files(__package__).joinpath("apply.lua").read_text(encoding="utf-8")
_AWAY = (
    RedisConnectionError,
    RedisTimeoutError,
    ReadOnlyError,
    OutOfMemoryError,
    MasterDownError,
    ClusterDownError,
    TryAgainError,
    NoScriptError,  # lost once more just after it was loaded
)
#: What the client has no class for. Redis before 7 puts words of its own before what a command of a script met.
_AWAY_TEXT = re.compile(
    r"(?:Error running script .*: -)?(?:BUSY|MISCONF|NOREPLICAS|OOM|READONLY|UNBLOCKED) "
    r"|.*Script killed by user"  # because others were told BUSY; one that has written is not killed
)


class OtherVersion(Exception):
    """A generation is filled by one version of its view; documents of two would be mixed."""


def connect(url: str) -> redis.asyncio.Redis:
    """A client that connects late. Workers have their own patience, which says so and ends with the process; hidden
    retries would not."""
    return redis.asyncio.Redis.from_url(url, retry=Retry(NoBackoff(), 0), socket_connect_timeout=2, socket_timeout=30)


class RedisReadModel:
    """One generation of a view in Redis, filled by the view's `version`, which names the first. Connects late."""

    def __init__(self, url: str, keys: Keys, version: str) -> None:
        self._redis = connect(url)
        self._keys, self._version = keys, version
        self._apply = self._redis.register_script(_SCRIPT)  # EVALSHA; loads it where the server lost it

    async def apply(self, chunk: Chunk) -> Outcome:
        """Apply the chunk whole, or not at all, in one atomic step."""
        key = self._keys.position(chunk.partition)
        answer: list[Any] = await self._apply(keys=[key], args=[self._keys.prefix, wire.encode(chunk)])
        return wire.decode(answer)

    async def positions(self, partitions: Iterable[int]) -> dict[int, int]:
        """The next offset to read, for each of the partitions. 0: nothing was applied yet, or all was lost."""
        wanted = list(partitions)
        if not wanted:
            return {}
        values = await self._redis.mget([self._keys.position(partition) for partition in wanted])
        return {partition: int(value or 0) for partition, value in zip(wanted, values, strict=True)}

    async def announce(self, partitions: int) -> None:
        """Say how many partitions there are; where no generation of the view is live, its first one becomes it.

        Others never do: after a flush, a rebuild would bring its half-filled generation to the readers.

        Raises:
            OtherVersion: another version of the view fills this generation.
        """
        await self._redis.set(self._keys.version, self._version, nx=True)
        found = await self._redis.get(self._keys.version)
        if isinstance(found, bytes) and found.decode() != self._version:
            raise OtherVersion(
                f"generation {self._keys.generation} of {self._keys.view} is filled by version {found.decode()} of the"
                f" view, and this is version {self._version}: fill another generation, such as {self._version}"
            )
        await self._redis.set(self._keys.partitions, partitions)
        if self._keys.generation == self._version:
            await self._redis.set(live_key(self._keys.namespace, self._keys.view), self._keys.generation, nx=True)

    async def is_announced(self) -> bool:
        """Whether Redis still knows what `announce` said; a flush takes it, and may come before the first chunk."""
        return bool(await self._redis.exists(self._keys.version))

    async def note_waiting(self, partition: int, offset: int, needs: str) -> None:
        """Say for operators that the partition waits at `offset` for a release that knows the version `needs`."""
        await self._redis.hset(self._keys.waiting, str(partition), f"{offset} {needs}")

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()


def is_away(error: Exception) -> bool:
    """Whether the server will be back by itself (or by its operator), so that waiting helps."""
    if isinstance(error, _AWAY):
        return True
    return isinstance(error, ResponseError) and _AWAY_TEXT.match(str(error)) is not None
