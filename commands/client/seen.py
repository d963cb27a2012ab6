"""How far views have read, as their workers keep it in Redis (ops/redis-keys.md). Only this imports redis."""

import time
from collections.abc import Iterator

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from commands.client.errors import NotSeen
from schemas.replies import Reply

_PAUSE = 0.02  # seconds between two looks
_PATIENCE = 2.0  # seconds for one answer of Redis


def live_key(namespace: str, view: str) -> str:
    """String: the generation that readers use."""
    return f"{namespace}:{view}:live"


def position_key(namespace: str, view: str, generation: str, partition: int) -> str:
    """String: the next offset of the events topic."""
    return f"{namespace}:{view}@{generation}:{{p{partition}}}:position"


class Positions:
    """The positions of all views of a namespace. Nothing connects before the first question."""

    def __init__(self, url: str, namespace: str) -> None:
        self._redis: Redis = Redis.from_url(
            url,
            decode_responses=True,
            socket_timeout=_PATIENCE,
            socket_connect_timeout=_PATIENCE,
            retry=Retry(NoBackoff(), 0),  # whoever waits looks again by itself
        )
        self._namespace = namespace

    def until_seen(self, view: str, reply: Reply, timeout: float) -> Iterator[float]:
        """Seconds to pause, again and again, until the view has seen what the reply tells of.

        Raises:
            NotSeen: not within `timeout` seconds. The text says how far the view is.
        """
        partition, offset = reply.events_partition, reply.events_offset
        if partition is None or offset is None:
            return
        end = time.monotonic() + timeout
        while True:
            try:
                position = self._position(view, partition)
                state = f"no worker of {view} has ever run" if position is None else f"it is at offset {position}"
            except RedisError as error:
                position, state = None, f"Redis: {error}"
            if position is not None and position > offset:
                return
            if time.monotonic() > end:
                raise NotSeen(f"{view} has not read offset {offset} of partition {partition}: {state}")
            yield _PAUSE

    def _position(self, view: str, partition: int) -> int | None:
        generation = self._redis.get(live_key(self._namespace, view))  # anew each time: a rebuild flips it
        if generation is None:
            return None
        return int(str(self._redis.get(position_key(self._namespace, view, str(generation), partition)) or 0))

    def close(self) -> None:
        """Close the connections."""
        self._redis.close()
