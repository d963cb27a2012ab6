"""The stores in memory: real implementations of the ports for pure tests and what-if, not mocks."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from itertools import islice
from typing import TypeVar
from zlib import crc32

from commands.account import Account
from commands.moved import moved
from commands.ports import Appended, Committed, Conflict, EventRow, Outgoing, Row, RowLost, Slice, Watermark
from schemas.events import Envelope

T = TypeVar("T")


def _done(value: T) -> Future[T]:
    future: Future[T] = Future()
    future.set_result(value)
    return future


class MemoryJournal:
    """`Journal` in a dict."""

    def __init__(self) -> None:
        self._rows: dict[tuple[int, int], Row] = {}

    def append(self, row: Row) -> Future[Appended]:
        """See `Journal.append`."""
        held = self._rows.setdefault((row.shard, row.position), row)
        return _done(Committed() if held is row or held == row else Conflict(held))

    def read(self, shard: int, position: int) -> Iterator[Row]:
        """See `Journal.read`."""
        while (row := self._rows.get((shard, position))) is not None:
            yield row
            position += 1


class MemoryJournalHistory:
    """`JournalHistory` over the two."""

    def __init__(self, journal: MemoryJournal, watermarks: "MemoryWatermarks") -> None:
        self._journal, self._watermarks = journal, watermarks

    def kept(self, shard: int) -> range:
        """See `JournalHistory.kept`."""
        mark = self._watermarks.load(shard)
        return range(0 if mark is None else mark.position + 1)

    def read(self, shard: int, positions: range) -> Iterator[Row]:
        """See `JournalHistory.read`."""
        found = list(islice(self._journal.read(shard, positions.start), len(positions)))
        if len(found) != len(positions):
            raise RowLost(f"the journal of shard {shard} has no row {positions.start + len(found)}")
        yield from found


class MemoryEventStore:
    """`EventStore` in a dict."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[int, EventRow]] = {}

    def write(self, rows: Sequence[EventRow]) -> Future[None]:
        """See `EventStore.write`."""
        for row in rows:
            self._rows.setdefault(row.envelope.account_id, {})[row.envelope.version] = row
        return _done(None)

    def read(self, account_id: str, after: int = 0, until: int | None = None) -> Iterator[Envelope]:
        """See `EventStore.read`."""
        for version, row in sorted(self._rows.get(account_id, {}).items()):
            if version > after and (until is None or version <= until):
                yield row.envelope

    def read_many(
        self, after: Iterable[tuple[str, int]], below: int | None = None, shard: int | None = None
    ) -> dict[str, tuple[Envelope, ...]]:
        """See `EventStore.read_many`."""
        after = list(after)
        if below is not None and shard is not None:
            for account_id, known in after:
                for version, row in self._rows.get(account_id, {}).items():
                    if version > known and row.position >= below and row.shard != shard:
                        raise moved(account_id, row.shard, shard)
        return {
            account_id: tuple(
                row.envelope
                for version, row in sorted(self._rows.get(account_id, {}).items())
                if version > known and (below is None or row.position < below)
            )
            for account_id, known in after
        }


class MemoryEventScan:
    """`EventScan` over it."""

    def __init__(self, events: MemoryEventStore) -> None:
        self._rows = events._rows

    def slices(self, count: int) -> list[Slice]:
        """See `EventScan.slices`."""
        return [(number * 2**32 // count - 1, (number + 1) * 2**32 // count - 1) for number in range(count)]

    def read(self, piece: Slice) -> Iterator[list[EventRow]]:
        """See `EventScan.read`."""
        for account_id, rows in self._rows.items():
            if piece[0] < crc32(account_id.encode()) <= piece[1]:
                yield [rows[version] for version in sorted(rows)]

    def of(self, account_id: str) -> list[EventRow]:
        """See `EventScan.of`."""
        return [row for _, row in sorted(self._rows.get(account_id, {}).items())]


class MemorySnapshots:
    """`Snapshots` in a dict."""

    def __init__(self) -> None:
        self._states: dict[str, dict[int, Account]] = {}

    def save(self, account_id: str, state: Account) -> Future[None]:
        """See `Snapshots.save`."""
        self._states.setdefault(account_id, {})[state.version] = state.copy()
        return _done(None)

    def latest(self, account_ids: Iterable[str]) -> dict[str, Account]:
        """See `Snapshots.latest`."""
        kept = {account_id: self._states.get(account_id) for account_id in account_ids}
        return {account_id: states[max(states)].copy() for account_id, states in kept.items() if states}

    def kept(self, account_ids: Iterable[str]) -> dict[str, list[Account]]:
        """See `SnapshotHistory.kept`."""
        kept = {name: sorted(self._states.get(name, {}).items(), reverse=True) for name in account_ids}
        return {name: [state.copy() for _, state in states] for name, states in kept.items() if states}

    def as_of(self, account_id: str, version: int | None = None, at: int | None = None) -> Account | None:
        """See `Snapshots.as_of`."""
        kept = sorted(self._states.get(account_id, {}).items(), reverse=True)
        fit = (s for v, s in kept if (version is None or v <= version) and (at is None or s.at <= at))
        found = next(fit, None)
        return None if found is None else found.copy()


class MemoryWatermarks:
    """`Watermarks` in a dict."""

    def __init__(self) -> None:
        self._marks: dict[int, Watermark] = {}

    def save(self, shard: int, mark: Watermark) -> Future[None]:
        """See `Watermarks.save`."""
        held = self._marks.get(shard)
        if held is None or mark.position > held.position:
            self._marks[shard] = mark
        return _done(None)

    def load(self, shard: int) -> Watermark | None:
        """See `Watermarks.load`."""
        return self._marks.get(shard)


class MemoryPublisher:
    """`Publisher` into lists: `published[topic, partition]`."""

    def __init__(self) -> None:
        self.published: dict[tuple[str, int], list[Outgoing]] = {}

    def publish(self, messages: Sequence[Outgoing]) -> Future[tuple[int, ...]]:
        """See `Publisher.publish`."""
        offsets = []
        for message in messages:
            log = self.published.setdefault((message.topic, message.partition), [])
            offsets.append(len(log))
            log.append(message)
        return _done(tuple(offsets))

    def end_offset(self, topic: str, partition: int) -> int:
        """See `Publisher.end_offset`."""
        return len(self.published.get((topic, partition), ()))
