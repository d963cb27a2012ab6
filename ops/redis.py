"""Redis as operations see it. The one module of operations that imports its client."""

from redis import Redis
from redis.exceptions import RedisError

__all__ = ["RedisError", "used_memory", "version"]


def version(url: str) -> str:
    """The version of the server.

    Raises:
        RedisError: it does not answer.
    """
    with Redis.from_url(url) as client:
        return str(client.info("server")["redis_version"])


def used_memory(url: str) -> int:
    """The bytes that the server's data takes.

    Raises:
        RedisError: it does not answer.
    """
    with Redis.from_url(url) as client:
        return int(client.info("memory")["used_memory"])
