"""The generations of a view: which there are, which is live, which is being filled; flipped and dropped."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from importlib.resources import files
from types import MappingProxyType
from typing import Literal, TypeAlias

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from projections.redis_model.keys import Keys, live_key, previous_key, rebuild_key

State: TypeAlias = Literal["live", "previous", "filling", "side", "retired", "unused"]
Flipped: TypeAlias = Literal["flipped", "gone", "moved", "behind", "less"]

_FLIP = files(__package__).joinpath("flip.lua").read_text(encoding="utf-8")
_COUNT = 2000  # keys that a step of a scan looks at, and that are dropped at once


class StillUsed(Exception):
    """The generation is live. The text says so."""


@dataclass(frozen=True, slots=True)
class Generation:
    """A generation as it is in Redis. `version`: of the view that fills it. `events`: how many positions it has passed.

    `notes`: what the rebuild that filled it has kept, see ops/redis-keys.md.
    """

    name: str
    version: str | None
    state: State
    events: int
    notes: Mapping[str, str]

    def time(self, name: str) -> int | None:
        """One of the times in the notes, ms."""
        return int(self.notes[name]) if name in self.notes else None


class Generations:
    """The generations of one view. Nothing connects before the first call; each raises the client's RedisError."""

    def __init__(self, url: str, namespace: str, view: str) -> None:
        # As the workers' client: who waits for a server says so, and hidden retries would not.
        self._redis: redis.Redis = redis.Redis.from_url(url, decode_responses=True, retry=Retry(NoBackoff(), 0))
        self._namespace, self._view = namespace, view
        self._rebuild = rebuild_key(namespace, view)
        self._flip = self._redis.register_script(_FLIP)

    def keys(self, generation: str) -> Keys:
        """The keys of one of them."""
        return Keys(self._namespace, self._view, generation)

    def live(self) -> str | None:
        """The one that readers use."""
        return self._text(live_key(self._namespace, self._view))

    def previous(self) -> str | None:
        """The one that they used before."""
        return self._text(previous_key(self._namespace, self._view))

    def filling(self) -> str | None:
        """The one that a rebuild has begun to fill, and not finished."""
        return self._known("filling")

    def version(self, generation: str) -> str | None:
        """The VERSION of the view that fills it; None: there is no such generation."""
        return self._text(self.keys(generation).version)

    def notes(self, generation: str) -> dict[str, str]:
        """What the rebuild that fills it has kept."""
        found = self._redis.hgetall(self.keys(generation).rebuild)
        return {str(name): str(value) for name, value in found.items()}

    def note(self, generation: str, notes: Mapping[str, str | int]) -> None:
        """Keep something of the rebuild that fills it."""
        self._redis.hset(self.keys(generation).rebuild, items=_flat(notes))

    def begin(self, name: str, version: str, partitions: int, notes: Mapping[str, str | int]) -> None:
        """A generation that is to be filled, in one step.

        A flush lets names begin anew, and whoever filled one of that name may have said something of it afterwards.
        """
        keys = self.keys(name)
        with self._redis.pipeline(transaction=True) as pipe:
            pipe.delete(keys.rebuild, *map(keys.position, range(partitions)))
            pipe.set(keys.version, version)
            pipe.set(keys.partitions, partitions)
            pipe.hset(keys.rebuild, items=_flat(notes))
            pipe.hset(self._rebuild, "filling", name)
            pipe.hdel(self._rebuild, "asked")
            pipe.execute()

    def server(self) -> str:
        """Which run of the server answers. After a restart or a failover it is another one, which may have less."""
        return str(self._redis.info("server")["run_id"])

    def next_name(self, version: str) -> str:
        """`<VERSION>.<n>`: a name that was never used, also not by what is dropped."""
        return f"{version}.{self._redis.hincrby(self._rebuild, 'last', 1)}"

    def finished(self, name: str) -> None:
        """A generation is filled that is not to be live."""
        if self.filling() == name:
            self._redis.hdel(self._rebuild, "filling", "asked")

    def rate(self, source: str) -> float | None:
        """Events a second of the last rebuild from a source."""
        found = self._known(f"rate:{source}")
        return None if found is None else float(found)

    def keep_rate(self, source: str, rate: float) -> None:
        """So that the next plan knows."""
        self._redis.hset(self._rebuild, f"rate:{source}", f"{rate:.0f}")

    def positions(self, generation: str) -> dict[int, int]:
        """The next offset of each partition."""
        keys = self.keys(generation)
        partitions = range(int(self._redis.get(keys.partitions) or 0))
        values = self._redis.mget([keys.position(one) for one in partitions]) if partitions else []
        return {one: int(value or 0) for one, value in zip(partitions, values, strict=True)}

    def flip(
        self,
        expected: str | None,
        to: str,
        now: int,
        as_far: Collection[int] = (),
        least: Mapping[int, int] = MappingProxyType({}),
    ) -> Flipped:
        """Make `to` the live one, if `expected` still is; in one atomic step. `now` in ms.

        `as_far`: partitions of which `to` must have seen as much, or readers would see counts go back. `least`: the
        positions that it was brought to; with less, Redis has lost some of it.
        """
        was = expected or ""
        live, previous = live_key(self._namespace, self._view), previous_key(self._namespace, self._view)
        keys = self.keys(to)
        old = self.keys(was).rebuild if was else ""
        partitions = sorted({*least, *(as_far if was else ())})
        positions = [
            key
            for one in partitions
            for key in (keys.position(one), self.keys(was).position(one) if was and one in as_far else "")
        ]
        answer: Flipped = self._flip(
            keys=[live, previous, self._rebuild, keys.version, keys.rebuild, old, *positions],
            args=[was, to, now, *(least.get(one, 0) for one in partitions)],
        )
        return answer

    def all(self) -> list[Generation]:
        """All generations that there are. Goes through the keys of the database."""
        name = re.compile(re.escape(f"{self._namespace}:{self._view}@") + r"([^:{]+):version")
        found = self._redis.scan_iter(match=f"{self._namespace}:{self._view}@*:version", count=_COUNT)
        names = {match[1] for key in found if (match := name.fullmatch(key)) is not None}
        return [self.one(found) for found in sorted(names, key=_by_number)]

    def one(self, name: str) -> Generation:
        """One of them."""
        notes = self.notes(name)
        return Generation(name, self.version(name), self._state(name, notes), sum(self.positions(name).values()), notes)

    def _state(self, name: str, notes: Mapping[str, str]) -> State:
        if name == self.live():
            return "live"
        if name == self.filling():
            return "filling"
        if name == self.previous():
            return "previous"
        if "into" in notes:
            return "side"
        return "retired" if "retired" in notes else "unused"

    def drop(self, name: str) -> int:
        """Remove a generation in small steps; the last is what it is known by. Returns how many keys it had.

        Nobody goes on with it from the first step on, nor back to it: if this ends in the middle, or somebody wakes up
        who was about to make it live.

        Raises:
            StillUsed: readers use it.
        """
        keys = self.keys(name)
        self._give_up(name)
        last = {keys.version, keys.partitions, keys.rebuild}
        dropped = 0
        batch: list[str] = []
        for key in self._redis.scan_iter(match=f"{keys.prefix}*", count=_COUNT):
            if key not in last:
                batch.append(key)
            if len(batch) >= _COUNT:
                dropped += int(self._redis.unlink(*batch))
                batch.clear()
        dropped += int(self._redis.unlink(*batch, keys.partitions, keys.rebuild, keys.version))
        return dropped

    def _give_up(self, name: str) -> None:
        if name != self.live():
            self._redis.hset(self.keys(name).rebuild, "dropped", 1)  # no flip after it
        if name == self.live():  # by a flip before it
            self._redis.hdel(self.keys(name).rebuild, "dropped")
            raise StillUsed(f"generation {name} of {self._view} is live: readers use it, so it stays")
        if self.filling() == name:
            self._redis.hdel(self._rebuild, "filling", "asked")
        if self.previous() == name:
            self._redis.delete(previous_key(self._namespace, self._view))

    def _text(self, key: str) -> str | None:
        value = self._redis.get(key)
        return None if value is None else str(value)

    def _known(self, field: str) -> str | None:
        value = self._redis.hget(self._rebuild, field)
        return None if value is None else str(value)

    def close(self) -> None:
        """Close the connections."""
        self._redis.close()


def _flat(notes: Mapping[str, str | int]) -> list[str | int]:
    return [item for pair in notes.items() for item in pair]


def _by_number(name: str) -> list[tuple[int, str]]:
    return [(int(part) if part.isdecimal() else 1 << 62, part) for part in name.split(".")]
