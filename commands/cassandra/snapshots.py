"""Snapshots and watermarks in Cassandra."""

from collections.abc import Iterable
from concurrent.futures import Future
from datetime import UTC, datetime
from typing import Any

import msgspec
import structlog
from cassandra.concurrent import execute_concurrent_with_args

from commands.account import Account
from commands.aggregates import aggregate_of
from commands.cassandra.session import FAILURES, Session, execute, prepare, rows, unavailable, when_done
from commands.ports import Watermark

#: Accounts read by one query.
READ_ACCOUNTS = 20
_LAST = (1 << 63) - 1

log = structlog.get_logger(__name__)


class CassandraSnapshots:
    """`Snapshots` on the table `snapshots`: the state as JSON, so that a person can read it."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._insert = prepare(
            session, "INSERT INTO snapshots (account_id, version, state_version, at, state) VALUES (?, ?, ?, ?, ?)"
        )
        self._newest = prepare(
            session,
            "SELECT account_id, state_version, state FROM snapshots WHERE account_id IN ? PER PARTITION LIMIT 1",
        )
        self._all = prepare(session, "SELECT account_id, state_version, state FROM snapshots WHERE account_id IN ?")
        self._kept = prepare(
            session, "SELECT version, state_version, at FROM snapshots WHERE account_id = ? AND version <= ?"
        )
        self._one = prepare(session, "SELECT state FROM snapshots WHERE account_id = ? AND version = ?")

    def save(self, account_id: str, state: Account) -> Future[None]:
        """See `Snapshots.save`."""
        at = datetime.fromtimestamp(state.at / 1000, UTC)
        values = (
            account_id,
            state.version,
            aggregate_of(account_id).state_version,
            at,
            msgspec.json.encode(state).decode(),
        )
        return when_done(self._session.execute_async(self._insert, values), lambda _: None)

    def latest(self, account_ids: Iterable[str]) -> dict[str, Account]:
        """See `Snapshots.latest`. One that cannot be read is named in the log and replayed over."""
        return {account_id: states[0] for account_id, states in self._read(self._newest, account_ids).items()}

    def kept(self, account_ids: Iterable[str]) -> dict[str, list[Account]]:
        """See `SnapshotHistory.kept`."""
        return self._read(self._all, account_ids)

    def _read(self, query: Any, account_ids: Iterable[str]) -> dict[str, list[Account]]:
        wanted = list(account_ids)
        queries = [(wanted[i : i + READ_ACCOUNTS],) for i in range(0, len(wanted), READ_ACCOUNTS)]
        states: dict[str, list[Account]] = {}
        try:
            for result in execute_concurrent_with_args(self._session, query, queries, concurrency=64):
                for row in result.result_or_exc:
                    aggregate = aggregate_of(row.account_id)
                    if row.state_version != aggregate.state_version:
                        continue
                    state = _state(row.account_id, row.state)
                    if state is not None:
                        states.setdefault(row.account_id, []).append(state)
        except FAILURES as error:
            raise unavailable(error) from error
        return states

    def as_of(self, account_id: str, version: int | None = None, at: int | None = None) -> Account | None:
        """See `Snapshots.as_of`. What is kept is looked through newest first; only a state that fits is read."""
        wanted = aggregate_of(account_id).state_version
        for row in rows(self._session, self._kept, (account_id, _LAST if version is None else version)):
            if row.state_version == wanted and (at is None or _ms(row.at) <= at):
                found = execute(self._session, self._one, (account_id, row.version)).one()
                state = None if found is None else _state(account_id, found.state)
                if state is not None:
                    return state
        return None


def _state(account_id: str, text: str | None) -> Account | None:
    try:
        return msgspec.json.decode(text or "", type=aggregate_of(account_id).state)
    except msgspec.MsgspecError as error:
        log.warning("snapshot_unreadable", account_id=account_id, error=str(error))
        return None


def _ms(at: datetime) -> int:
    return round(at.replace(tzinfo=UTC).timestamp() * 1000)


class CassandraWatermarks:
    """`Watermarks` on the table `watermarks`. The position is the write timestamp too, so the later mark wins."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._insert = prepare(
            session, "INSERT INTO watermarks (shard, position, next_offset) VALUES (?, ?, ?) USING TIMESTAMP ?"
        )
        self._select = prepare(session, "SELECT position, next_offset FROM watermarks WHERE shard = ?")

    def save(self, shard: int, mark: Watermark) -> Future[None]:
        """See `Watermarks.save`."""
        values = (shard, mark.position, mark.next_offset, mark.position + 1)
        return when_done(self._session.execute_async(self._insert, values), lambda _: None)

    def load(self, shard: int) -> Watermark | None:
        """See `Watermarks.load`."""
        row = execute(self._session, self._select, (shard,)).one()
        return None if row is None else Watermark(row.position, row.next_offset)
