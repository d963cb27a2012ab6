"""The tables of the write side."""

import re

from cassandra.cluster import EXEC_PROFILE_DEFAULT

from commands.cassandra.session import FAILURES, Session, unavailable

#: Journal rows a Cassandra partition. At full rate a row is some 400 KB, and never over about 4 MB.
BUCKET = 128
#: Seconds for one change of the schema, which takes ten times what a query does: where fifty processes wanted two cores
#: a table was created in 1.1 s on average, and at times in more than 10 s; dropping what has rows takes longer.
_PATIENCE = 60.0

_TABLES = (
    # Written by conditional writes only: plain ones would not be ordered with them.
    """CREATE TABLE IF NOT EXISTS {keyspace}.journal (
        shard int, bucket bigint, position bigint, writer uuid, at timestamp, body blob,
        PRIMARY KEY ((shard, bucket), position)
    ) WITH default_time_to_live = {journal_ttl}""",
    """CREATE TABLE IF NOT EXISTS {keyspace}.events (
        account_id text, version bigint, event_id uuid, type text, schema_version int, command_id uuid,
        at timestamp, shard int, position bigint, payload blob,
        PRIMARY KEY ((account_id), version)
    )""",
    """CREATE TABLE IF NOT EXISTS {keyspace}.snapshots (
        account_id text, version bigint, state_version int, at timestamp, state text,
        PRIMARY KEY ((account_id), version)
    ) WITH CLUSTERING ORDER BY (version DESC)""",
    """CREATE TABLE IF NOT EXISTS {keyspace}.watermarks (
        shard int PRIMARY KEY, position bigint, next_offset bigint
    )""",
)


def create_tables(session: Session, keyspace: str, *, replication: int = 1, journal_ttl: int = 0) -> None:
    """Create keyspace and tables where they are missing. `journal_ttl` in seconds; 0 keeps the journal for ever.

    Raises:
        ValueError: the keyspace has a name that CQL would need quotes for.
        StoreUnavailable: Cassandra refused or did not answer.
    """
    if re.fullmatch(r"[a-z][a-z0-9_]{0,47}", keyspace) is None:
        raise ValueError(f"a keyspace is named with up to 48 of a-z 0-9 _, not {keyspace!r}")
    change_schema(
        session,
        f"CREATE KEYSPACE IF NOT EXISTS {keyspace} WITH replication = "
        f"{{'class': 'NetworkTopologyStrategy', 'replication_factor': {int(replication)}}}",
    )
    for table in _TABLES:
        change_schema(session, table.format(keyspace=keyspace, journal_ttl=int(journal_ttl)))


def change_schema(session: Session, statement: str) -> None:
    """Run a statement that creates or drops something.

    Raises:
        StoreUnavailable: Cassandra refused or did not answer.
    """
    patient = session.execution_profile_clone_update(EXEC_PROFILE_DEFAULT, request_timeout=_PATIENCE)
    try:
        session.execute(statement, execution_profile=patient)
    except FAILURES as error:
        raise unavailable(error) from error
