"""What the write side needs from the outside. Each port has a contract suite in tests/contract, run on every adapter.

Calls that the handler overlaps return a `concurrent.futures.Future`; it may be completed by any thread.
"""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol, TypeAlias, runtime_checkable
from uuid import UUID

from msgspec import Struct

from commands.account import Account
from schemas.events import Envelope


class StoreUnavailable(Exception):
    """The store did not answer, or did not say whether a write happened. Nothing may be concluded from it."""


class RowLost(StoreUnavailable):
    """A row that must be there is not. To a handler it is no answer; whoever looks back need not wait for it."""


class NotPrepared(Exception):
    """The servers are not set up for this handler: no amount of waiting helps. The text says what to do."""


class NewerRelease(Exception):
    """A newer release wrote what has to be read here. The text says which version; there is no way around it."""


class Row(Struct, frozen=True, gc=False):
    """A journal row: the `position`-th batch of a shard. `at`: wall clock of its writer, ms since the epoch, UTC."""

    shard: int
    position: int
    writer: UUID
    at: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Committed:
    """The row is in the journal."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """Another row is at that position."""

    row: Row


Appended: TypeAlias = Committed | Conflict


class Journal(Protocol):
    """The commit log of a shard: one conditional write a batch, and the only fence between owners."""

    def append(self, row: Row) -> Future[Appended]:
        """Write the row where no row is.

        The future raises StoreUnavailable if it stays unknown whether it was written.
        """
        ...

    def read(self, shard: int, position: int) -> Iterator[Row]:
        """The rows from `position` to the tail, in order, each committed before this call or seen while it reads.

        Raises:
            StoreUnavailable: the journal cannot be read now.
        """
        ...


class JournalHistory(Protocol):
    """The journal for whoever looks back: what is followed up, read beside the owners and in nobody's way."""

    def kept(self, shard: int) -> range:
        """Positions of the rows that are followed up and still there.

        Raises:
            StoreUnavailable: the store cannot be read now.
        """
        ...

    def read(self, shard: int, positions: range) -> Iterator[Row]:
        """Those rows, in order.

        Raises:
            StoreUnavailable: the store cannot be read now; RowLost: one of the rows is not there (any more).
        """
        ...


class EventRow(Struct, frozen=True, gc=False):
    """An event as it is stored by account. `written_at`: its batch's `Row.at`, so that a rewrite is the same cell.

    `payload` is of the version that it was written in, `envelope` what it means today.
    """

    envelope: Envelope
    payload: bytes
    shard: int
    position: int
    written_at: int


class EventStore(Protocol):
    """Events by account and version."""

    def write(self, rows: Sequence[EventRow]) -> Future[None]:
        """Write rows; writing one again changes nothing. The future raises StoreUnavailable."""
        ...

    def read(self, account_id: str, after: int = 0, until: int | None = None) -> Iterator[Envelope]:
        """The account's events with `after` < version <= `until`, in order.

        Raises:
            StoreUnavailable: the store cannot be read now.
            NewerRelease: one of them is of a version that this release does not know.
        """
        ...

    def read_many(
        self, after: Iterable[tuple[str, int]], below: int | None = None, shard: int | None = None
    ) -> dict[str, tuple[Envelope, ...]]:
        """`read` for many accounts at once: pairs of account and `after`.

        `below`: only what was committed at journal positions of the `shard` before it. Rows of one position are not
        written in order, so above the last position that is followed up there may be gaps which the journal will fill.

        Raises:
            StoreUnavailable: the store cannot be read now.
            NewerRelease: one of them is of a version that this release does not know.
            NotPrepared: what would be left out is of another shard, whose positions say nothing here.
        """
        ...


#: A part of all accounts: those whose hash is above the first bound and at most the second.
Slice: TypeAlias = tuple[int, int]


class EventScan(Protocol):
    """All events that are stored, for whoever goes through everything; in no order of accounts."""

    def slices(self, count: int) -> list[Slice]:
        """All accounts in so many parts, always the same ones."""
        ...

    def read(self, piece: Slice) -> Iterator[list[EventRow]]:
        """The events of one account after the other, each account's in order.

        As with `EventStore.read_many`, there may be gaps above the last position that is followed up.

        Raises:
            StoreUnavailable: the store cannot be read now.
            NewerRelease: an event is of a version that this release does not know.
        """
        ...

    def of(self, account_id: str) -> list[EventRow]:
        """The events of one account, in order; it raises as `read` does."""
        ...


class Snapshots(Protocol):
    """States of accounts at some version. Disposable: whoever misses one replays the events."""

    def save(self, account_id: str, state: Account) -> Future[None]:
        """Keep a state. The future raises StoreUnavailable."""
        ...

    def latest(self, account_ids: Iterable[str]) -> dict[str, Account]:
        """The newest state of each account, where it can be read and is of this release's state version.

        Raises:
            StoreUnavailable: the store cannot be read now.
        """
        ...

    def as_of(self, account_id: str, version: int | None = None, at: int | None = None) -> Account | None:
        """The newest such state of one account that is not after a version, nor after a time (ms); None: there is none.

        Raises:
            StoreUnavailable: the store cannot be read now.
        """
        ...


@runtime_checkable
class SnapshotHistory(Protocol):
    """The snapshots for whoever looks at all of them."""

    def kept(self, account_ids: Iterable[str]) -> dict[str, list[Account]]:
        """All states of each account that has any, newest first, where they can be read and are of this state version.

        Raises:
            StoreUnavailable: the store cannot be read now.
        """
        ...


@dataclass(frozen=True, slots=True)
class Watermark:
    """How far a shard is followed up: through the journal row `position`; `next_offset` is where its cover ends."""

    position: int
    next_offset: int


class Watermarks(Protocol):
    """The watermark of each shard. It never goes back, whoever writes last."""

    def save(self, shard: int, mark: Watermark) -> Future[None]:
        """Keep the mark, unless a later one is kept. The future raises StoreUnavailable."""
        ...

    def load(self, shard: int) -> Watermark | None:
        """The shard's mark.

        Raises:
            StoreUnavailable: the store cannot be read now.
        """
        ...


class PublishFailed(Exception):
    """Kafka refused a message for good. The text says which and why."""


class Outgoing(Struct, frozen=True, gc=False):
    """A message to publish. `timestamp`: ms since the epoch, UTC; None is now."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...] = ()
    timestamp: int | None = None


class Publisher(Protocol):
    """Messages to Kafka, in order within a partition."""

    def publish(self, messages: Sequence[Outgoing]) -> Future[tuple[int, ...]]:
        """Send messages; the future gives their offsets once all are confirmed, or raises PublishFailed."""
        ...

    def end_offset(self, topic: str, partition: int) -> int:
        """The offset that the partition's next message will get.

        Raises:
            StoreUnavailable: the brokers do not answer.
        """
        ...
