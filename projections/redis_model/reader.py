"""Reading the read model: what queries and tests need. Synchronous; each call is one round trip or a scan."""

from collections.abc import Iterator, Sequence

import redis

from projections.changes import Reading, StoredDocument
from projections.redis_model.keys import Keys, live_key


class RedisReader:
    """The documents of any view and generation. Nothing connects before the first call."""

    def __init__(self, url: str) -> None:
        self._redis: redis.Redis = redis.Redis.from_url(url, decode_responses=True)

    def live(self, namespace: str, view: str) -> str | None:
        """The generation that readers use; None: no worker of the view has ever run."""
        value = self._redis.get(live_key(namespace, view))
        return None if value is None else str(value)

    def partitions(self, keys: Keys) -> int:
        """How many partitions the events topic has, as the worker said; 0: it has not yet."""
        return int(self._redis.get(keys.partitions) or 0)

    def positions(self, keys: Keys) -> dict[int, int]:
        """The next offset of each partition."""
        partitions = range(self.partitions(keys))
        if not partitions:
            return {}
        values = self._redis.mget([keys.position(partition) for partition in partitions])
        return {partition: int(value or 0) for partition, value in zip(partitions, values, strict=True)}

    def version(self, keys: Keys) -> str | None:
        """The VERSION of the view that fills the generation; None: nobody has said."""
        value = self._redis.get(keys.version)
        return None if value is None else str(value)

    def waiting(self, keys: Keys) -> dict[int, tuple[int, str]]:
        """Partition -> offset and version, where a worker met one newer than it knows; it may be past that by now."""
        noted = self._redis.hgetall(keys.waiting)
        found = {int(partition): str(note).partition(" ") for partition, note in noted.items()}
        return {partition: (int(offset), needs) for partition, (offset, _, needs) in found.items()}

    def read(self, keys: Keys, tags: Sequence[str], document: str, now: int) -> list[Reading]:
        """What each of the tags has of the document at `now` (ms); tags that have nothing are left out."""
        with self._redis.pipeline(transaction=True) as pipe:
            for tag in tags:
                pipe.hgetall(keys.document(tag, document))
                pipe.zcount(keys.holds(tag, document), f"({now}", "+inf")
            answers = pipe.execute()
        parts = zip(answers[::2], answers[1::2], strict=True)
        return [Reading(fields, active) for fields, active in parts if fields or active]

    def scan(self, keys: Keys) -> Iterator[tuple[str, str]]:
        """The tag and id of every document of a generation. Goes through all keys of the database."""
        seen: set[tuple[str, str]] = set()
        for key in self._redis.scan_iter(match=f"{keys.prefix}{{*", count=1000):
            tag, kind, document = keys.split(key)
            if kind in ("doc", "holds") and (tag, document) not in seen:
                seen.add((tag, document))
                yield tag, document

    def stored(self, keys: Keys, tag: str, document: str) -> StoredDocument:
        """The whole stored document, every hold included."""
        with self._redis.pipeline(transaction=True) as pipe:
            pipe.hgetall(keys.document(tag, document))
            pipe.zrange(keys.holds(tag, document), 0, -1, withscores=True)
            pipe.hget(keys.pruned(tag), document)
            fields, holds, pruned = pipe.execute()
        return StoredDocument(fields, {member: int(end) for member, end in holds}, int(pruned or 0))

    def close(self) -> None:
        """Close the connections."""
        self._redis.close()
