"""Cassandra as operations use it: the tables, and the events of one account."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

from commands.cassandra.event_store import CassandraEventStore
from commands.cassandra.session import connect, execute, prepare, rows
from commands.cassandra.snapshots import CassandraSnapshots
from commands.cassandra.tables import change_schema, create_tables
from commands.ports import RowLost, StoreUnavailable
from commands.settings import Settings as HandlerSettings
from ops.as_of import Past, state_as_of
from ops.settings import Settings
from schemas.events import Envelope

_FIRST = -(2**63)  # of the tokens; no row has it


class CassandraProblem(Exception):
    """Cassandra does not answer or refuses. The text is a sentence for a person."""


class CassandraAway(CassandraProblem):
    """It does not answer now: waiting helps."""


def create(settings: Settings) -> None:
    """Create keyspace and tables where they are missing; replication and time to live as the handler's settings say.

    Raises:
        CassandraProblem: Cassandra does not answer or refuses.
    """
    own = HandlerSettings(cassandra=settings.cassandra, keyspace=settings.keyspace)
    with _session(own, keyspace=None) as opened:
        ttl = own.journal_ttl_days * 86_400
        create_tables(opened, own.keyspace, replication=own.replication, journal_ttl=ttl)


def drop(settings: Settings) -> None:
    """Drop the keyspace with all that is in it, if it is there.

    Raises:
        CassandraProblem: Cassandra does not answer or refuses.
    """
    own = HandlerSettings(cassandra=settings.cassandra, keyspace=settings.keyspace)
    with _session(own, keyspace=None) as opened:
        change_schema(opened, f"DROP KEYSPACE IF EXISTS {own.keyspace}")


def events(settings: Settings, account_id: str) -> list[Envelope]:
    """All events of an account, oldest first.

    Raises:
        CassandraProblem: Cassandra does not answer or refuses.
        NotPrepared: it has no such keyspace, or no tables of ours there.
    """
    with session(settings) as opened:
        return list(CassandraEventStore(opened).read(account_id))


def state(settings: Settings, account_id: str, *, version: int | None = None, at: int | None = None) -> Past:
    """The account as of a version and a time (ms): see `state_as_of`.

    Raises:
        CassandraProblem, NotPrepared: as in `events`.
        NewerRelease, BrokenHistory: the account's history cannot be folded.
    """
    with session(settings) as opened:
        return state_as_of(account_id, CassandraEventStore(opened), CassandraSnapshots(opened), version=version, at=at)


def some_accounts(settings: Settings, count: int, seed: int | None = None) -> set[str]:
    """So many accounts that have events: the next by Cassandra's hash, which is as good as by chance.

    They begin at the first of all, so that they are always the same, or where the seed says.

    Raises:
        CassandraProblem, NotPrepared: as in `events`.
    """
    with session(settings) as opened:
        query = prepare(opened, "SELECT DISTINCT account_id FROM events WHERE token(account_id) > ? LIMIT ?")
        start = _FIRST if seed is None else Random(seed).randrange(_FIRST, -_FIRST)  # noqa: S311 - it is no secret
        found = {row.account_id for row in rows(opened, query, (start, count))}
        if len(found) < count and start != _FIRST:  # the ring goes on from its beginning
            found |= {row.account_id for row in rows(opened, query, (_FIRST, count - len(found)))}
        return found


def state_versions(settings: Settings) -> dict[int, int]:
    """State version -> how many snapshots have it, among those of a thousand accounts.

    Raises:
        CassandraProblem: Cassandra does not answer or refuses.
        NotPrepared: it has no such keyspace.
    """
    with session(settings) as opened:
        found = rows(opened, "SELECT state_version FROM snapshots PER PARTITION LIMIT 1 LIMIT 1000")
        return dict(Counter(row.state_version for row in found))


def answers(settings: Settings, timeout: float) -> None:
    """Read an event row, if there is any. `timeout` in seconds.

    Raises:
        CassandraAway: Cassandra does not answer.
        NotPrepared: it has no such keyspace, or no tables of ours there.
    """
    with session(settings, timeout) as opened:
        execute(opened, prepare(opened, "SELECT version FROM events LIMIT 1"))


@contextmanager
def session(settings: Settings, timeout: float = 10.0) -> Iterator[Any]:
    """A session in the keyspace, for the length of the block. `timeout` in seconds, for each request.

    Raises:
        CassandraAway: Cassandra does not answer.
        CassandraProblem: a row that must be there is not.
        NotPrepared: it has no such keyspace, or refuses the user or password.
    """
    own = HandlerSettings(cassandra=settings.cassandra, keyspace=settings.keyspace)
    with _session(own, own.keyspace, timeout) as opened:
        yield opened


@contextmanager
def _session(own: HandlerSettings, keyspace: str | None, timeout: float = 10.0) -> Iterator[Any]:
    try:
        opened = connect(own.cassandra_points(), keyspace, timeout, own.cassandra_credentials())
    except StoreUnavailable as error:
        raise CassandraAway(
            f"Cassandra at {own.cassandra} does not answer. Is it running? `licensing status` tells."
        ) from error
    try:
        yield opened
    except RowLost as error:
        raise CassandraProblem(f"Cassandra at {own.cassandra}: {error}.") from error
    except StoreUnavailable as error:
        raise CassandraAway(f"Cassandra at {own.cassandra} refuses: {error}") from error
    finally:
        opened.cluster.shutdown()
