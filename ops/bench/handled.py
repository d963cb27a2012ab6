"""Commands through real handler processes: a backlog onto the topic, and the time until all of it is followed up."""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ops import kafka
from ops.bench.cpu import Cpu, servers
from ops.bench.ground import Ground, Process, Space, licensing
from ops.send import Sender, pump
from ops.simulate import Load, Message, encode, films, generate

ACCOUNTS = 5000
_DAY = 86_400_000
_PERIOD = 90 * _DAY
_SEED = 11
_PATIENCE = 120.0  # seconds
_LOOK = 0.02  # seconds between two looks at the watermarks


class NotHandled(Exception):
    """Commands were not handled in time, or not answered. The text says how many."""


@dataclass(frozen=True, slots=True)
class Drained:
    """How fast a backlog went: commands a second, and cores used by each process meanwhile."""

    rate: float
    shares: dict[str, float]


def stream(count: int) -> Iterator[Message]:
    """A believable load of so many commands over the last 90 days, the same all day long."""
    end = int(time.time() * 1000) // _DAY * _DAY
    load = Load(ACCOUNTS, count, _SEED, end - _PERIOD, end)
    return encode(generate(load, tuple(film.id for film in films())), 0.0, _SEED)


class Handled:
    """How many commands of a space are followed up for good: durable events, and events and replies published.

    The watermark is a handler's last write for a batch; here the four or so of a space are read and summed.
    """

    def __init__(self, space: Space, session: Any, handlers: Sequence[Process]) -> None:
        self._space, self._session, self._handlers = space, session, handlers
        self._shards = list(range(space.partitions))
        self._marks = session.prepare("SELECT next_offset FROM watermarks WHERE shard IN ?")

    def count(self) -> int:
        """Commands so far."""
        return sum(row.next_offset for row in self._session.execute(self._marks, (self._shards,)))

    def until(self, count: int) -> tuple[float, int]:
        """Wait for so many; the time (monotonic seconds) and the count at the look that found them.

        Raises:
            ProcessEnded: a handler ended.
            NotHandled: it takes too long.
        """
        deadline = time.monotonic() + _PATIENCE
        while (seen := self.count()) < count:
            for handler in self._handlers:
                handler.check()
            if time.monotonic() > deadline:
                raise NotHandled(f"{seen} of {count} commands were handled after {_PATIENCE:.0f} s")
            time.sleep(_LOOK)
        return time.monotonic(), seen

    def drain(self, ground: Ground, backlog: Sequence[Message], warm_up: int) -> Drained:
        """Send the whole backlog and measure from when `warm_up` commands of it are handled until all are.

        Raises:
            NotHandled: not all were answered, or there was nothing to measure.
        """
        before = self.count()
        settings = self._space.settings
        answered = sum(kafka.ends(settings.kafka, settings.topics.replies).values())
        pump(Sender(settings.kafka, settings.topics.commands), backlog, at_once=5000)
        began, first = self.until(before + warm_up)
        cpu = Cpu({f"handler {n}": h.pid for n, h in enumerate(self._handlers, 1)} | servers(ground.home))
        if first == before + len(backlog):
            raise NotHandled(f"{len(backlog)} commands are too few: they were all handled at once")
        ended, last = self.until(before + len(backlog))
        shares = cpu.shares()
        answered = sum(kafka.ends(settings.kafka, settings.topics.replies).values()) - answered
        if answered < len(backlog):
            raise NotHandled(f"{len(backlog)} commands are followed up, but {answered} of them answered")
        return Drained((last - first) / (ended - began), shares)


def warm_up(ground: Ground) -> None:
    """Put a load through that nobody measures: servers that have just begun are slow."""
    ground.tell("Warming the servers up")
    count = ground.size.pick(60_000, 100_000)
    with ground.space() as space, at_work(ground, space) as handled:
        handled.drain(ground, list(stream(count)), count // 2)


@contextmanager
def at_work(ground: Ground, space: Space, count: int = 1) -> Iterator[Handled]:
    """Run handlers that share the partitions of a space evenly, all of them taken over before the block begins.

    Raises:
        NotHandled: they do not come to that.
    """
    argv = licensing("handler")
    with space.cassandra() as session, _each(ground, argv, space, count) as handlers:
        deadline = time.monotonic() + _PATIENCE
        while sorted(len(owned(handler.said())) for handler in handlers) != _even(space.partitions, count):
            for handler in handlers:
                handler.check()
            if time.monotonic() > deadline:
                raise NotHandled(f"{count} handlers do not share the partitions after {_PATIENCE:.0f} s")
            time.sleep(0.05)
        yield Handled(space, session, handlers)


@contextmanager
def _each(ground: Ground, argv: Sequence[str], space: Space, count: int) -> Iterator[list[Process]]:
    if count == 0:
        yield []
        return
    with ground.process(argv, space, f"handler-{count}") as one, _each(ground, argv, space, count - 1) as others:
        yield [*others, one]


def _even(partitions: int, count: int) -> list[int]:
    return sorted(partitions // count + (number < partitions % count) for number in range(count))


def owned(said: str) -> set[int]:
    """The partitions that a handler has taken over and not given back, by its log."""
    held: set[int] = set()
    for line in said.splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            continue  # half a line, as it is written
        match event.get("event"):
            case "shard_taken_over":
                held.add(event["shard"])
            case "partitions_revoked" | "partitions_lost":
                held -= set(event["partitions"])
    return held
