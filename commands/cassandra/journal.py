"""The journal in Cassandra: `INSERT ... IF NOT EXISTS`, the one lightweight transaction of the system.

Bodies are kept compressed, as a Zstandard frame: Cassandra writes the row of a conditional write at least twice, for
the proposal and for the commit. A body without the frame's magic number is one of an early release, as it was.
"""

from collections.abc import Iterator
from concurrent.futures import Future
from datetime import UTC, datetime
from typing import Any

import cramjam
from cassandra import ConsistencyLevel

from commands.cassandra.session import Session, execute, prepare, when_done
from commands.cassandra.tables import BUCKET
from commands.futures import pass_on
from commands.ports import Appended, Committed, Conflict, Row, StoreUnavailable

_FRAME = b"\x28\xb5\x2f\xfd"
_LEVEL = 1  # the fastest: a third of the bytes in 0.6 us a command


class CassandraJournal:
    """`Journal` on the table `journal`. Rows are read at SERIAL, which also ends a write that was left half done."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._insert = prepare(
            session,
            "INSERT INTO journal (shard, bucket, position, writer, at, body) VALUES (?, ?, ?, ?, ?, ?) IF NOT EXISTS",
        )
        self._one = prepare(session, "SELECT * FROM journal WHERE shard = ? AND bucket = ? AND position = ?")
        self._some = prepare(session, "SELECT * FROM journal WHERE shard = ? AND bucket = ? AND position >= ? LIMIT 16")
        self._insert.serial_consistency_level = ConsistencyLevel.SERIAL
        self._one.consistency_level = self._some.consistency_level = ConsistencyLevel.SERIAL

    def append(self, row: Row) -> Future[Appended]:
        """See `Journal.append`. An unknown outcome is settled by reading the position at SERIAL."""
        future: Future[Appended] = Future()
        at = datetime.fromtimestamp(row.at / 1000, UTC)
        body = bytes(cramjam.zstd.compress(row.body, _LEVEL))
        values = (row.shard, row.position // BUCKET, row.position, row.writer, at, body)

        def answered(rows: Any) -> Appended:
            return Committed() if rows[0].applied else _compare(row, _row(rows[0]))

        def found(rows: Any) -> Appended:
            if not rows:  # not as of now; whether a late copy of the request still lands, nobody can say
                raise StoreUnavailable("it stays unknown whether the row was written")
            return _compare(row, _row(rows[0]))

        def look(asked: Future[Appended]) -> None:
            if isinstance(asked.exception(), StoreUnavailable):
                pass_on(when_done(self._session.execute_async(self._one, values[:3]), found), future)
            else:
                pass_on(asked, future)

        when_done(self._session.execute_async(self._insert, values), answered).add_done_callback(look)
        return future

    def read(self, shard: int, position: int) -> Iterator[Row]:
        """See `Journal.read`."""
        while True:
            rows = list(execute(self._session, self._some, (shard, position // BUCKET, position)))
            for found in rows:
                if found.position != position:
                    raise StoreUnavailable(
                        f"the journal of shard {shard} has no row {position}, but row {found.position}"
                    )
                yield _row(found)
                position += 1
            if not rows:
                return


def _row(found: Any) -> Row:
    at = round(found.at.replace(tzinfo=UTC).timestamp() * 1000)
    body = bytes(cramjam.zstd.decompress(found.body)) if found.body.startswith(_FRAME) else found.body
    return Row(found.shard, found.position, found.writer, at, body)


def _compare(ours: Row, found: Row) -> Appended:
    return Committed() if found == ours else Conflict(found)
