"""Following up a committed row: event rows, events, replies and dead letters, watermark. Every step can be repeated."""

from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from commands.account import Account
from commands.batch import Decided
from commands.dead_letters import dead_letter
from commands.futures import all_of
from commands.ports import EventRow, EventStore, Outgoing, Publisher, Row, Snapshots, Watermark, Watermarks
from schemas.codec import encode_reply
from schemas.events import Envelope
from schemas.registry import SCHEMAS
from schemas.replies import Reply
from schemas.topics import Topics
from schemas.wire import HEADER, head

#: A snapshot is due whenever an account passes a multiple of this many events.
SNAPSHOT_EVERY = 100

#: By how a payload begins: an older release may have written it, and its headers are those of its own schema.
_HEADERS = {
    head(schema): (("type", schema.name.encode()), ("schema_version", b"%d" % schema.version)) for schema in SCHEMAS
}

Steps = Generator[Future[Any], Any, None]


@dataclass(frozen=True, slots=True)
class Outbound:
    """The ports that a follow-up writes to."""

    events: EventStore
    snapshots: Snapshots
    watermarks: Watermarks
    publisher: Publisher
    topics: Topics


@dataclass(slots=True)
class Progress:
    """The offset of the last event that a shard is known to have on the events topic; -1 before the first."""

    last_event: int


def follow_up(
    row: Row, next_offset: int, decided: Sequence[Decided], due: dict[str, Account], progress: Progress, to: Outbound
) -> Steps:
    """The steps, each a future to wait for before the next. `due`: accounts of which a snapshot is to be kept.

    Event rows come before the events topic, so a reader that misses an event finds it in the store.
    """
    yield to.events.write(_event_rows(row, decided))
    offsets = yield to.publisher.publish(_events(row.shard, decided, to.topics))
    answers = _answers(row.shard, decided, offsets, progress, to.topics)
    yield to.publisher.publish(answers)
    yield all_of([to.snapshots.save(account_id, state) for account_id, state in due.items()])
    yield to.watermarks.save(row.shard, Watermark(row.position, next_offset))


def _event_rows(row: Row, decided: Sequence[Decided]) -> list[EventRow]:
    shard, position, at = row.shard, row.position, row.at
    return [
        EventRow(envelope, payload, shard, position, at)
        for one in decided
        for envelope, payload in zip(one.envelopes, one.entry.events, strict=True)
    ]


def event_headers(payload: bytes) -> tuple[tuple[str, bytes], ...]:
    """The headers of an event as it is published."""
    return _HEADERS[payload[:HEADER]]


def event_message(topic: str, shard: int, envelope: Envelope, payload: bytes) -> Outgoing:
    """An event as it is published."""
    return Outgoing(topic, shard, envelope.account_id.encode(), payload, event_headers(payload), envelope.at)


def _events(shard: int, decided: Sequence[Decided], topics: Topics) -> list[Outgoing]:
    topic = topics.events
    return [
        event_message(topic, shard, envelope, payload)
        for one in decided
        for envelope, payload in zip(one.envelopes, one.entry.events, strict=True)
    ]


def _answers(
    shard: int, decided: Sequence[Decided], offsets: Sequence[int], progress: Progress, topics: Topics
) -> list[Outgoing]:
    answers = []
    published = iter(offsets)
    events, replies = topics.events, topics.replies
    for one in decided:
        entry, command = one.entry, one.command
        if command is None or entry.outcome == "dead_letter":
            answers.append(dead_letter(entry, shard, topics))
            continue
        for _ in one.envelopes:
            progress.last_event = next(published)
        # What changed nothing, now or as a duplicate, was seen by whoever has read all that there is so far.
        seen = entry.outcome != "rejected" and progress.last_event >= 0
        reply = Reply(
            command.command_id,
            command.account_id,
            command.correlation_id,
            entry.outcome,
            entry.rejection,
            entry.message,
            entry.first_version,
            entry.last_version,
            events if seen else None,
            shard if seen else None,
            progress.last_event if seen else None,
        )
        answers.append(Outgoing(replies, shard, command.account_id.encode(), encode_reply(reply)))
    return answers


class FollowUps:
    """The follow-ups of one shard, overlapping but in step: none overtakes the one before it."""

    def __init__(self) -> None:
        self._running: deque[_Running] = deque()

    def __len__(self) -> int:
        return len(self._running)

    def add(self, next_offset: int, accounts: dict[str, Account], steps: Steps) -> None:
        """Begin one. `accounts`: the states it leaves, which the store may not have until it is done."""
        self._running.append(_Running(next_offset, accounts, steps, next(steps)))

    def account(self, account_id: str) -> Account | None:
        """The account as the last follow-up under way leaves it."""
        return next((f.accounts[account_id] for f in reversed(self._running) if account_id in f.accounts), None)

    def advance(self) -> int | None:
        """Take every step that can be taken; where the cover of the last finished one ends, if any has finished.

        Raises:
            StoreUnavailable, PublishFailed: a step failed. The row is to be followed up again from the start.
        """
        limit: float = float("inf")
        for running in self._running:
            while not running.done and running.taken < limit and running.waits_for.done():
                running.step()
            limit = float("inf") if running.done else running.taken
        finished = None
        while self._running and self._running[0].done:
            finished = self._running.popleft().next_offset
        return finished


@dataclass(slots=True)
class _Running:
    next_offset: int
    accounts: dict[str, Account]
    steps: Steps
    waits_for: Future[Any]
    taken: int = 0
    done: bool = False

    def step(self) -> None:
        try:
            self.waits_for = self.steps.send(self.waits_for.result())
            self.taken += 1
        except StopIteration:
            self.done = True
