"""How much memory a generation takes, from a sample of its keys."""

from dataclasses import dataclass

import redis

from projections.redis_model.keys import Keys

_SAMPLE = 1000  # keys that are measured
_LOOK = 50_000  # keys that are looked at for them


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes. `generation` None: there is nothing to measure. `most` 0: the server has no limit."""

    generation: int | None
    used: int
    most: int


def memory_of(url: str, keys: Keys | None) -> Memory:
    """What a generation takes: the mean of some keys, times how many of all keys are likely to be its own.

    Raises:
        RedisError: the server does not answer.
    """
    with redis.Redis.from_url(url, decode_responses=True) as client:
        about = client.info("memory")
        taken = None if keys is None else _taken(client, keys)
        return Memory(taken, int(about["used_memory"]), int(about.get("maxmemory", 0)))


def _taken(client: redis.Redis, keys: Keys) -> int | None:
    prefix, own, looked, cursor = keys.prefix, list[str](), 0, 0
    while True:
        cursor, some = client.scan(cursor, count=1000)
        looked += len(some)
        own += [key for key in map(str, some) if key.startswith(prefix)]
        if cursor == 0 or looked >= _LOOK or len(own) >= _SAMPLE:
            break
    if not own:
        return None
    with client.pipeline(transaction=False) as pipe:
        for key in own[:_SAMPLE]:
            pipe.memory_usage(key)
        sizes: list[int] = [size for size in pipe.execute() if size]
    share = 1.0 if cursor == 0 else int(client.dbsize()) / looked
    return round(sum(sizes) / max(len(sizes), 1) * len(own) * share)
