"""Reading missing events from the event store. The only importer of the Cassandra driver on the read side."""

import asyncio
from typing import Any

from cassandra import (
    AuthenticationFailed,
    ConsistencyLevel,
    DriverException,
    InvalidRequest,
    RequestExecutionException,
)
from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile, NoHostAvailable
from cassandra.connection import ConnectionBusy, ConnectionException
from cassandra.policies import ConstantReconnectionPolicy, DCAwareRoundRobinPolicy, TokenAwarePolicy
from cassandra.pool import NoConnectionsAvailable
from cassandra.protocol import ErrorMessage
from cassandra.segment import CrcException

from projections.settings import Settings
from schemas.codec import UnknownSchema, decode_event
from schemas.events import Envelope

#: The keyspace stands in the statement: a session that begins in a missing one says no more than "no host".
_SELECT = (
    "SELECT type, schema_version, payload FROM {keyspace}.events WHERE account_id = ? AND version >= ? AND version <= ?"
)

#: Seconds between two attempts to reach a node that went away.
RECONNECT = 1.0

#: The driver's classes have no common base; an answer that it has no class for is a bare ErrorMessage.
_AWAY = (
    DriverException,
    RequestExecutionException,
    NoHostAvailable,
    NoConnectionsAvailable,
    ConnectionException,
    ConnectionBusy,
    CrcException,
    ErrorMessage,
    OSError,
)


class NotPrepared(Exception):
    """The keyspace or the table is missing, or the role is refused. Waiting does not help; the text says what does."""


class EventStore:
    """The events of an account by version. Connects at the first read: a worker seldom needs it.

    Raises:
        BadContactPoint, BadCredentials: a setting is wrong, which is said at once.
    """

    def __init__(self, settings: Settings) -> None:
        self._points, self._credentials = settings.cassandra_points(), settings.cassandra_credentials()
        self._select_text = _SELECT.format(keyspace=settings.keyspace)
        self._cluster: Any = None
        self._session: Any = None
        self._select: Any = None

    async def read(self, account_id: str, first: int, last: int) -> list[Envelope]:
        """The events `first` <= version <= `last`, in order; fewer where the store has fewer.

        Raises:
            NotPrepared: the keyspace or the table is missing, or the user or password is refused.
            UnknownSchema: a newer release wrote one of them; the text is the version, such as LicenseAcquired.v3.
        """
        return await asyncio.to_thread(self._read, account_id, first, last)

    def _read(self, account_id: str, first: int, last: int) -> list[Envelope]:
        try:
            if self._session is None:
                self._connect()
            rows = self._session.execute(self._select, (account_id, first, last))
        except InvalidRequest as error:
            raise NotPrepared(f"{error}; create the topics and tables with: licensing init") from error
        return [_decoded(row) for row in rows]

    def _connect(self) -> None:
        profile = ExecutionProfile(
            load_balancing_policy=TokenAwarePolicy(DCAwareRoundRobinPolicy()),
            consistency_level=ConsistencyLevel.QUORUM,
        )
        provider = None if self._credentials is None else PlainTextAuthProvider(*self._credentials)
        cluster = Cluster(
            self._points,
            execution_profiles={EXEC_PROFILE_DEFAULT: profile},
            auth_provider=provider,
            # By itself the driver doubles the time each time, up to ten minutes: so long after the server is back, too.
            reconnection_policy=ConstantReconnectionPolicy(RECONNECT, max_attempts=None),
        )
        try:
            session = cluster.connect()
            self._select = session.prepare(self._select_text)
            self._select.is_idempotent = True
        except NoHostAvailable as error:
            cluster.shutdown()
            if _is_refused(error):
                raise NotPrepared(
                    f"Cassandra refuses the user {self._credentials[0] if self._credentials else '(none is set)'};"
                    " set LICENSING_CASSANDRA_USER and LICENSING_CASSANDRA_PASSWORD"
                ) from error
            raise
        except BaseException:
            cluster.shutdown()
            raise
        self._cluster, self._session = cluster, session

    def close(self) -> None:
        """Close the connections."""
        if self._cluster is not None:
            self._cluster.shutdown()


def _decoded(row: Any) -> Envelope:
    try:
        return decode_event(row.payload)
    except UnknownSchema as error:
        raise UnknownSchema(f"{row.type}.v{row.schema_version}") from error


def _is_refused(error: NoHostAvailable) -> bool:
    """Whether a node does not take the user or the password; one that cannot look them up now may take them later."""
    found = error.errors.values() if isinstance(error.errors, dict) else ()
    return any(isinstance(one, AuthenticationFailed) and "Unable to perform" not in str(one) for one in found)


def is_away(error: Exception) -> bool:
    """Whether the server will be back by itself (or by its operator), so that waiting helps."""
    return isinstance(error, _AWAY)
