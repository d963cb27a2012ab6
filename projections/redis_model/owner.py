"""Who rebuilds a view: one at a time, known by a key that goes by itself when its process is killed."""

from typing import Literal, TypeAlias

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from projections.redis_model.keys import owner_key, rebuild_key

#: What another terminal may ask of whoever is at work.
Wish: TypeAlias = Literal["pause", "cancel"]

TTL_MS = 5000

_KEEP = """
local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] then return {0, ''} end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return {1, redis.call('HGET', KEYS[2], 'asked') or ''}
"""
_LEAVE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"


class Ownership:
    """The place of the one who rebuilds a view; `token` names us. Each call raises the client's RedisError."""

    def __init__(self, url: str, namespace: str, view: str, token: str) -> None:
        self._redis: redis.Redis = redis.Redis.from_url(
            url,
            decode_responses=True,
            socket_timeout=TTL_MS / 1000,
            socket_connect_timeout=2,
            retry=Retry(NoBackoff(), 0),  # the next sign of life comes in a second anyway
        )
        self._keys = [owner_key(namespace, view), rebuild_key(namespace, view)]
        self._token = token
        self._keep = self._redis.register_script(_KEEP)
        self._leave = self._redis.register_script(_LEAVE)

    def keep(self) -> tuple[bool, Wish | None]:
        """Take the place, or keep it for another `TTL_MS`. Whether it is ours, and what somebody asks of us."""
        ours, wish = self._keep(keys=self._keys, args=[self._token, TTL_MS])
        return bool(ours), wish or None

    def taken_by(self) -> str | None:
        """The token of the one who has the place."""
        found = self._redis.get(self._keys[0])
        return None if found is None else str(found)

    def ask(self, wish: Wish) -> None:
        """Ask something of whoever has it."""
        self._redis.hset(self._keys[1], "asked", wish)

    def answered(self) -> None:
        """What was asked is done."""
        self._redis.hdel(self._keys[1], "asked")

    def leave(self) -> None:
        """Give the place up, if it is ours."""
        self._leave(keys=self._keys[:1], args=[self._token])

    def close(self) -> None:
        """Close the connections."""
        self._redis.close()
