"""Events by account in Cassandra. Plain writes: each row repeats what the journal has committed."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from operator import attrgetter
from struct import Struct

from cassandra.concurrent import execute_concurrent_with_args
from cassandra.query import BatchStatement, BatchType

from commands.cassandra.session import FAILURES, Session, execute, prepare, rows, unavailable, when_all_done
from commands.moved import moved
from commands.ports import EventRow, NewerRelease
from schemas.codec import UnknownSchema, decode_event, is_known
from schemas.events import Envelope
from schemas.registry import SCHEMAS
from schemas.wire import HEADER, head

#: Accounts and bytes in one unlogged batch: fewer round trips, yet below what Cassandra's defaults warn about at each
#: (more than 10 partitions, more than 5 KiB). `ROW_BYTES`: what Cassandra counts for a row beside its payload.
CHUNK_ACCOUNTS, CHUNK_BYTES, ROW_BYTES = 10, 5120, 280
#: Accounts read by one query, if they are read from the same version on.
READ_ACCOUNTS = 20

_int, _bigint = Struct(">i").pack, Struct(">q").pack
#: By how a payload begins: its type and version, as an older release may have written it.
_WRITTEN_AS = {head(schema): (schema.name.encode(), _int(schema.version)) for schema in SCHEMAS}


class CassandraEventStore:
    """`EventStore` on the table `events`."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._insert = prepare(
            session,
            "INSERT INTO events (account_id, version, event_id, type, schema_version, command_id, at, shard, position,"
            " payload) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) USING TIMESTAMP ?",
        )
        self._keyspace = self._insert.column_metadata[0].keyspace_name
        self._after = prepare(session, "SELECT payload FROM events WHERE account_id = ? AND version > ?")
        self._many = prepare(
            session, "SELECT account_id, payload, position FROM events WHERE account_id IN ? AND version > ?"
        )
        self._home = prepare(session, "SELECT shard FROM events WHERE account_id = ? LIMIT 1")
        self._written_as = prepare(session, "SELECT type, schema_version, payload FROM events WHERE account_id = ?")
        self._range = prepare(
            session, "SELECT payload FROM events WHERE account_id = ? AND version > ? AND version <= ?"
        )

    def write(self, rows: Sequence[EventRow]) -> Future[None]:
        """See `EventStore.write`. All rows of an account go together: to Cassandra they are one write then."""
        by_account = sorted(rows, key=attrgetter("envelope.account_id"))
        return when_all_done([self._session.execute_async(self._batch(chunk)) for chunk in _chunks(by_account)])

    def _batch(self, rows: Sequence[EventRow]) -> BatchStatement:
        """The driver serialises a value at a time by its type, which costs more than all the rest of a request."""
        batch = BatchStatement(BatchType.UNLOGGED)
        batch.routing_key, batch.keyspace = rows[0].envelope.account_id.encode(), self._keyspace
        statement = self._insert.query_id
        for row in rows:
            batch._add_statement_and_params(True, statement, _values(row))
        return batch

    def read(self, account_id: str, after: int = 0, until: int | None = None) -> Iterator[Envelope]:
        """See `EventStore.read`. Pages through long histories."""
        query, bounds = (self._after, (after,)) if until is None else (self._range, (after, until))
        try:
            for row in rows(self._session, query, (account_id, *bounds)):
                yield decode_event(row.payload)
        except UnknownSchema as error:
            raise self._newer(account_id) from error

    def read_many(
        self, after: Iterable[tuple[str, int]], below: int | None = None, shard: int | None = None
    ) -> dict[str, tuple[Envelope, ...]]:
        """See `EventStore.read_many`."""
        accounts: dict[int, list[str]] = {}
        for account_id, version in after:
            accounts.setdefault(version, []).append(account_id)
        found: dict[str, list[Envelope]] = {account_id: [] for same in accounts.values() for account_id in same}
        queries = [
            (same[i : i + READ_ACCOUNTS], version)
            for version, same in accounts.items()
            for i in range(0, len(same), READ_ACCOUNTS)
        ]
        left_out: set[str] = set()
        try:
            for result in execute_concurrent_with_args(self._session, self._many, queries, concurrency=64):
                for row in result.result_or_exc:
                    if below is None or row.position < below:
                        account_id = row.account_id
                        found[account_id].append(decode_event(row.payload))
                    else:
                        left_out.add(row.account_id)
        except UnknownSchema as error:
            raise self._newer(account_id) from error
        except FAILURES as error:
            raise unavailable(error) from error
        if shard is not None:
            self._hold_to(shard, left_out)
        return {account_id: tuple(history) for account_id, history in found.items()}

    def _hold_to(self, shard: int, account_ids: Iterable[str]) -> None:
        for account_id in account_ids:
            home = execute(self._session, self._home, (account_id,)).one().shard
            if home != shard:
                raise moved(account_id, home, shard)

    def _newer(self, account_id: str) -> NewerRelease:
        """What to say of an account with an event that nobody here can read: its row has the version in words."""
        found = rows(self._session, self._written_as, (account_id,))
        unknown = sorted({f"{row.type}.v{row.schema_version}" for row in found if not is_known(row.payload)})
        return NewerRelease(f"account {account_id}: {', '.join(unknown)}")


def _chunks(rows: Iterable[EventRow]) -> Iterator[list[EventRow]]:
    chunk: list[EventRow] = []
    size, accounts, last = 0, 0, None
    for row in rows:
        size += ROW_BYTES + len(row.payload)
        if row.envelope.account_id != last:
            accounts, last = accounts + 1, row.envelope.account_id
        if chunk and (accounts > CHUNK_ACCOUNTS or size > CHUNK_BYTES):
            yield chunk
            chunk, size, accounts = [], ROW_BYTES + len(row.payload), 1
        chunk.append(row)
    if chunk:
        yield chunk


def _values(row: EventRow) -> tuple[bytes, ...]:
    """The values of an insertion as Cassandra's protocol has them."""
    envelope = row.envelope
    kind, version = _WRITTEN_AS[row.payload[:HEADER]]
    return (
        envelope.account_id.encode(),
        _bigint(envelope.version),
        bytes.fromhex(envelope.event_id.replace("-", "")),
        kind,
        version,
        bytes.fromhex(envelope.command_id.replace("-", "")),
        _bigint(envelope.at),
        _int(row.shard),
        _bigint(row.position),
        row.payload,
        _bigint(row.written_at * 1000),
    )
