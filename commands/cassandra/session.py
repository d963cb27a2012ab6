"""A session whose failures mean what they say: no driver retry behind our back, quorums, one exception type."""

import re
import socket
from collections import namedtuple
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from functools import lru_cache
from threading import Lock
from typing import Any, TypeVar

from cassandra import (
    AuthenticationFailed,
    ConsistencyLevel,
    DriverException,
    InvalidRequest,
    RequestExecutionException,
    UnresolvableContactPoints,
)
from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile, NoHostAvailable, Session
from cassandra.connection import ConnectionBusy, ConnectionException
from cassandra.policies import (
    ConstantReconnectionPolicy,
    DCAwareRoundRobinPolicy,
    FallthroughRetryPolicy,
    TokenAwarePolicy,
)
from cassandra.pool import NoConnectionsAvailable
from cassandra.protocol import ErrorMessage
from cassandra.segment import CrcException

from commands.cassandra.connection import connection_class
from commands.ports import NotPrepared, StoreUnavailable

__all__ = ["FAILURES", "Session", "connect", "execute", "prepare", "rows", "unavailable", "when_all_done", "when_done"]

T = TypeVar("T")

#: All that the driver raises; its classes have no common base. Cassandra's CAS_WRITE_UNKNOWN (0x1700) comes as a bare
#: ErrorMessage: the driver has no class for it.
FAILURES = (
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

#: Else the kernel would keep a piece back until the one before it is acknowledged, for up to 40 ms.
NO_DELAY = ((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),)
#: Seconds between two attempts to reach a node that went away.
RECONNECT = 1.0


def connect(
    contact_points: Iterable[tuple[str, int]],
    keyspace: str | None,
    timeout: float = 10.0,
    credentials: tuple[str, str] | None = None,
) -> Session:
    """Connect to a cluster; `timeout` in seconds for each request, `credentials`: user and password.

    A default driver retries a conditional write on another host after a lost connection, and then finds its own row
    in the way; so nothing is retried here. Who asked decides.

    Raises:
        StoreUnavailable: no contact point answers.
        NotPrepared: the keyspace is not there, or the user or password is refused.
    """
    points = list(contact_points)
    where = f"Cassandra at {', '.join(f'{h}:{p}' for h, p in points)}"
    try:
        cluster = _cluster(points, timeout, credentials)
    except UnresolvableContactPoints as error:
        raise StoreUnavailable(f"{where}: no such name is known now") from error
    try:
        session = cluster.connect()
        if keyspace is not None:
            session.set_keyspace(keyspace)
        return session
    except InvalidRequest as error:
        cluster.shutdown()
        raise NotPrepared(f"{error}; create the topics and tables with: licensing init") from error
    except FAILURES as error:
        cluster.shutdown()
        if _is_refused(error):
            raise NotPrepared(
                f"{where} refuses the user {credentials[0] if credentials else '(none is set)'};"
                " set LICENSING_CASSANDRA_USER and LICENSING_CASSANDRA_PASSWORD"
            ) from error
        raise StoreUnavailable(f"{where}: {error}") from error


def _cluster(points: list[tuple[str, int]], timeout: float, credentials: tuple[str, str] | None) -> Cluster:
    profile = ExecutionProfile(
        load_balancing_policy=TokenAwarePolicy(DCAwareRoundRobinPolicy()),
        retry_policy=FallthroughRetryPolicy(),
        consistency_level=ConsistencyLevel.QUORUM,
        serial_consistency_level=ConsistencyLevel.SERIAL,
        request_timeout=timeout,
        row_factory=_rows,
    )
    cluster = Cluster(
        points,
        protocol_version=5,
        execution_profiles={EXEC_PROFILE_DEFAULT: profile},
        connect_timeout=timeout,
        control_connection_timeout=timeout,
        # By itself the driver doubles the time each time, up to ten minutes: so long after the server is back, too.
        reconnection_policy=ConstantReconnectionPolicy(RECONNECT, max_attempts=None),
        sockopts=NO_DELAY,
        auth_provider=None if credentials is None else PlainTextAuthProvider(*credentials),
    )
    cluster.connection_class = connection_class(cluster.connection_class)
    return cluster


def _is_refused(error: BaseException) -> bool:
    """Whether a node does not take the user or the password."""
    found = error.errors.values() if isinstance(error, NoHostAvailable) and isinstance(error.errors, dict) else ()
    return any(isinstance(one, AuthenticationFailed) for one in found)


@lru_cache
def _row_class(columns: tuple[str, ...]) -> Any:
    return namedtuple("Row", [re.sub(r"\W", "", column) for column in columns])


def _rows(columns: list[str], rows: list[tuple[Any, ...]]) -> list[Any]:
    """Rows with names. The driver's own factory makes a class for every answer, which costs more than the answer."""
    return list(map(_row_class(tuple(columns))._make, rows))


def prepare(session: Session, statement: str) -> Any:
    """Prepare a statement.

    Raises:
        NotPrepared: its table is missing, or is not as it should be.
        StoreUnavailable: Cassandra does not answer.
    """
    try:
        return session.prepare(statement)
    except InvalidRequest as error:
        raise NotPrepared(f"{error}; create the topics and tables with: licensing init") from error
    except FAILURES as error:
        raise unavailable(error) from error


def unavailable(error: BaseException) -> StoreUnavailable:
    """The driver's failure as the port's."""
    return StoreUnavailable(f"{type(error).__name__}: {error}")


def execute(session: Session, statement: Any, parameters: Any = None, page: bytes | None = None) -> Any:
    """Run a statement and wait. `page`: where the page before it ended; only the rows of one are to be read of this.

    Raises:
        StoreUnavailable: it failed.
    """
    try:
        return session.execute(statement, parameters, paging_state=page)
    except FAILURES as error:
        raise unavailable(error) from error


def rows(session: Session, statement: Any, parameters: Any = None) -> Iterator[Any]:
    """Run a statement; all that it finds, page by page.

    The driver's own way to a next page has no time limit and raises whatever there is.

    Raises:
        StoreUnavailable: it failed, on whichever page.
    """
    page: bytes | None = None
    while True:
        found = execute(session, statement, parameters, page)
        yield from found.current_rows
        page = found.paging_state
        if page is None:
            return


def when_done(response: Any, then: Callable[[Any], T]) -> Future[T]:
    """The driver's future as a standard one: `then` makes its value of the first page; it fails as StoreUnavailable."""
    future: Future[T] = Future()

    def done(rows: Any) -> None:
        try:
            future.set_result(then(rows))
        except Exception as error:  # whatever `then` raises belongs to whoever waits, not to the driver's thread
            future.set_exception(error)

    response.add_callbacks(done, lambda error: future.set_exception(unavailable(error)))
    return future


def when_all_done(responses: Sequence[Any]) -> Future[None]:
    """A future that is done when all of the driver's are; it fails, as StoreUnavailable, if any of them did."""
    together: Future[None] = Future()
    left, lock = len(responses), Lock()
    failure: StoreUnavailable | None = None
    if not responses:
        together.set_result(None)

    def one_is_done(_: Any) -> None:
        nonlocal left
        with lock:
            left -= 1
            last = left == 0
        if last and failure is None:
            together.set_result(None)
        elif last:
            together.set_exception(failure)

    def one_failed(error: Exception) -> None:
        nonlocal failure
        failure = unavailable(error)
        one_is_done(None)

    for response in responses:
        response.add_callbacks(one_is_done, one_failed)
    return together
