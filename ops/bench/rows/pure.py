"""What depends on our own code alone: no server, no other process, CPU time beside a fixed piece of work."""

import gc
import time
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from itertools import islice
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from commands.account import fold, initial
from commands.accounts import AccountCache
from commands.follow_up import Outbound
from commands.intake import Message
from commands.memory import MemoryEventStore, MemoryJournal, MemoryPublisher, MemorySnapshots, MemoryWatermarks
from commands.policies import Timeline
from commands.policy_file import load_policy
from commands.shard import Inside, Shard
from ops.bench import yardstick
from ops.bench.filling import command_records, event_records, history, load
from ops.bench.ground import Ground
from ops.bench.row import Line
from projections.chunk import Chunk
from projections.pipeline import Pipeline
from projections.projector import Projector
from projections.read_model import Applied
from projections.redis_model import wire
from projections.views import VIEWS
from schemas.codec import decode_event
from schemas.events import Envelope
from schemas.topics import Topics

NAME = "pure"
TITLE = "Our own code alone"

_COMMANDS, _EVENTS, _ACCOUNTS = 2_000, 4_000, 200
_HISTORY = 1_000
_REPEATS = 7  # of which the fastest counts


@dataclass(frozen=True, slots=True)
class Work:
    """So many `pieces` of something to `do`."""

    what: str
    pieces: int
    do: Callable[[], object]

    def microseconds(self) -> float:
        """CPU time of this thread, by piece."""
        gc.collect()
        began = time.thread_time()
        self.do()
        return (time.thread_time() - began) / self.pieces * 1e6


def measure(ground: Ground) -> list[Line]:
    """The ratios, for the table."""
    return ratios(ground.laps(NAME))


def ratios(laps: Iterable[int]) -> list[Line]:
    """Each by turns with the yardstick, a few times a run."""
    fixed = Work("a fixed piece of work", yardstick.RECORDS, yardstick.work)
    ours = works()
    pairs: list[list[tuple[float, float]]] = [[] for _ in ours]
    for _ in laps:
        for work, found in zip(ours, pairs, strict=True):
            both = [(work.microseconds(), fixed.microseconds()) for _ in range(_REPEATS)]
            found.append((min(first for first, _ in both), min(second for _, second in both)))
    return [Line(work.what, fixed.what, "µs", tuple(found), "lower") for work, found in zip(ours, pairs, strict=True)]


def works() -> tuple[Work, ...]:
    """What is measured: the write side, the read side, and the fold that every replay lives on."""
    return _handled(), _projected(), _loaded()


def _handled() -> Work:
    records = command_records(load(_COMMANDS, _ACCOUNTS), partitions=1)
    messages = [Message(offset, r.at, r.key, r.value) for offset, r in enumerate(records)]
    policies, topics = Timeline(load_policy()), Topics()

    def handle() -> None:
        out = Outbound(MemoryEventStore(), MemorySnapshots(), MemoryWatermarks(), MemoryPublisher(), topics)
        shard = Shard(0, Inside(MemoryJournal(), out, policies, AccountCache(_ACCOUNTS), 1, UUID(int=1)))
        for message in messages:
            shard.receive(message)
        while shard.inbox or shard.busy:
            shard.step()

    return Work("a command read, decided, encoded and followed up in memory", _COMMANDS, handle)


def _projected() -> Work:
    envelopes = islice(history(load(_EVENTS * 5 // 4, _ACCOUNTS), load_policy()), _EVENTS)
    records = [SimpleNamespace(key=r.key, value=r.value) for r in event_records(envelopes, partitions=1)]

    async def apply(chunk: Chunk) -> Applied:
        wire.encode(chunk)
        return Applied()

    async def no_events(account_id: str, first: int, last: int) -> list[Envelope]:
        raise LookupError(account_id, first, last)

    async def no_dead_letter(record: Any, error: Exception) -> None:
        raise error

    pipeline = Pipeline(Projector(VIEWS["device_downloads"], apply, no_events), no_dead_letter)
    return Work(
        "an event read, projected, summed up and encoded for Redis",
        len(records),
        lambda: _finish(pipeline.handle(0, 0, len(records), records)),
    )


def _loaded() -> Work:
    envelopes = islice(history(load(_HISTORY * 2, accounts=1, days=400), load_policy()), _HISTORY)
    payloads = [record.value for record in event_records(envelopes, partitions=1)]
    return Work(
        "an event of an account read and folded",
        len(payloads),
        lambda: fold(initial(), map(decode_event, payloads)),
    )


def _finish(coroutine: Coroutine[Any, Any, object]) -> None:
    """Run what never waits."""
    try:
        coroutine.send(None)
    except StopIteration:
        return
    raise RuntimeError("it waits for something")
