"""Events by account in Cassandra. Plain writes: each row repeats what the journal has committed."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from cassandra.concurrent import execute_concurrent_with_args
from cassandra.query import BatchStatement, BatchType

from commands.cassandra.session import FAILURES, Session, execute, prepare, unavailable, when_done
from commands.futures import all_of
from commands.ports import EventRow
from schemas.codec import decode_event
from schemas.events import Envelope

#: Rows, and bytes of payload, in one unlogged batch: fewer round trips, yet below what Cassandra's defaults warn about
#: (more than 10 partitions, more than 5 KiB).
CHUNK_ROWS, CHUNK_BYTES = 10, 3500


class CassandraEventStore:
    """`EventStore` on the table `events`."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._insert = prepare(
            session,
            "INSERT INTO events (account_id, version, event_id, type, schema_version, command_id, at, shard, position,"
            " payload) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) USING TIMESTAMP ?",
        )
        self._after = prepare(session, "SELECT payload, position FROM events WHERE account_id = ? AND version > ?")
        self._range = prepare(
            session, "SELECT payload FROM events WHERE account_id = ? AND version > ? AND version <= ?"
        )

    def write(self, rows: Sequence[EventRow]) -> Future[None]:
        """See `EventStore.write`."""
        futures = []
        for chunk in _chunks(rows):
            batch = BatchStatement(BatchType.UNLOGGED)
            for row in chunk:
                batch.add(self._insert, _values(row))
            futures.append(when_done(self._session.execute_async(batch), lambda _: None))
        return all_of(futures)

    def read(self, account_id: str, after: int = 0, until: int | None = None) -> Iterator[Envelope]:
        """See `EventStore.read`. Pages through long histories."""
        query, bounds = (self._after, (after,)) if until is None else (self._range, (after, until))
        try:
            for row in execute(self._session, query, (account_id, *bounds)):
                yield decode_event(row.payload)
        except FAILURES as error:  # a later page
            raise unavailable(error) from error

    def read_many(self, after: Iterable[tuple[str, int]], below: int | None = None) -> dict[str, tuple[Envelope, ...]]:
        """See `EventStore.read_many`."""
        wanted = list(after)
        try:
            results = execute_concurrent_with_args(self._session, self._after, wanted, concurrency=64)
            return {
                account_id: tuple(
                    decode_event(row.payload) for row in result.result_or_exc if below is None or row.position < below
                )
                for (account_id, _), result in zip(wanted, results, strict=True)
            }
        except FAILURES as error:
            raise unavailable(error) from error


def _chunks(rows: Sequence[EventRow]) -> Iterator[list[EventRow]]:
    chunk: list[EventRow] = []
    size = 0
    for row in rows:
        if chunk and (len(chunk) == CHUNK_ROWS or size + len(row.payload) > CHUNK_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(row)
        size += len(row.payload)
    if chunk:
        yield chunk


def _values(row: EventRow) -> tuple[Any, ...]:
    envelope = row.envelope
    return (
        envelope.account_id,
        envelope.version,
        UUID(envelope.event_id),
        envelope.type,
        row.schema_version,
        UUID(envelope.command_id),
        datetime.fromtimestamp(envelope.at / 1000, UTC),
        row.shard,
        row.position,
        row.payload,
        row.written_at * 1000,
    )
