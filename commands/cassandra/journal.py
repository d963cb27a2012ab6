"""The journal in Cassandra: `INSERT ... IF NOT EXISTS`, the one lightweight transaction of the system.

Bodies are kept compressed, as a Zstandard frame: Cassandra writes the row of a conditional write at least twice, for
the proposal and for the commit. A body without the frame's magic number is one of an early release, as it was.
"""

from bisect import bisect_left
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future
from datetime import UTC, datetime
from typing import Any

import cramjam
from cassandra import ConsistencyLevel

from commands.cassandra.session import Session, execute, prepare, when_done
from commands.cassandra.tables import BUCKET
from commands.futures import pass_on
from commands.ports import Appended, Committed, Conflict, Row, RowLost, StoreUnavailable

_FRAME = b"\x28\xb5\x2f\xfd"
_LEVEL = 1  # the fastest: a third of the bytes in 0.6 us a command
#: Rows of history in one query, and queries under way beside the one that is looked at.
_PIECE, _AHEAD = 8, 2


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
                    raise RowLost(f"the journal of shard {shard} has no row {position}, but row {found.position}")
                yield _row(found)
                position += 1
            if not rows:
                return


class CassandraJournalHistory:
    """`JournalHistory` by plain reads: what is followed up is committed, and Paxos would be in the owner's way."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._mark = prepare(session, "SELECT position FROM watermarks WHERE shard = ?")
        self._first = prepare(session, "SELECT position FROM journal WHERE shard = ? AND bucket = ? LIMIT 1")
        self._range = prepare(
            session, "SELECT * FROM journal WHERE shard = ? AND bucket = ? AND position >= ? AND position < ?"
        )

    def kept(self, shard: int) -> range:
        """See `JournalHistory.kept`. Rows with a time to live go from the front, whole buckets among them."""
        mark = execute(self._session, self._mark, (shard,)).one()
        if mark is None:
            return range(0)
        end, first = mark.position + 1, self._begin(shard, 0)
        if first is None:
            buckets = range(mark.position // BUCKET + 1)
            first = self._begin(shard, bisect_left(buckets, 1, key=lambda b: self._begin(shard, b) is not None))
        return range(end if first is None else first, end)

    def read(self, shard: int, positions: range) -> Iterator[Row]:
        """See `JournalHistory.read`. The next rows come while the ones before them are looked at."""
        coming: deque[tuple[range, Future[list[Any]]]] = deque()
        for piece in _pieces(positions):
            values = (shard, piece.start // BUCKET, piece.start, piece.stop)
            coming.append((piece, when_done(self._session.execute_async(self._range, values), list)))
            if len(coming) > _AHEAD:
                yield from _whole(shard, *coming.popleft())
        for piece, rows in coming:
            yield from _whole(shard, piece, rows)

    def _begin(self, shard: int, bucket: int) -> int | None:
        row = execute(self._session, self._first, (shard, bucket)).one()
        return None if row is None else int(row.position)


def _pieces(positions: range) -> Iterator[range]:
    """Few rows at once, none of them in another bucket than the others."""
    start = positions.start
    while start < positions.stop:
        stop = min(start + _PIECE, positions.stop, (start // BUCKET + 1) * BUCKET)
        yield range(start, stop)
        start = stop


def _whole(shard: int, piece: range, rows: Future[list[Any]]) -> Iterator[Row]:
    found = {row.position: row for row in rows.result()}
    for position in piece:
        if position not in found:
            raise RowLost(f"the journal of shard {shard} has no row {position}; has its time to live ended?")
        yield _row(found[position])


def _row(found: Any) -> Row:
    at = round(found.at.replace(tzinfo=UTC).timestamp() * 1000)
    body = bytes(cramjam.zstd.decompress(found.body)) if found.body.startswith(_FRAME) else found.body
    return Row(found.shard, found.position, found.writer, at, body)


def _compare(ours: Row, found: Row) -> Appended:
    return Committed() if found == ours else Conflict(found)
