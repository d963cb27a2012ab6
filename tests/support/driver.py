"""The driver without a server: answers whose first page comes, and failures of every kind in place of the others."""

from types import SimpleNamespace
from typing import Any

from cassandra import OperationTimedOut, ReadTimeout, Unavailable
from cassandra.cluster import NoHostAvailable, ResultSet
from cassandra.connection import ConnectionBusy, ConnectionShutdown
from cassandra.pool import NoConnectionsAvailable
from cassandra.protocol import ErrorMessage, IsBootstrappingErrorMessage, OverloadedErrorMessage, ServerError
from cassandra.segment import CrcException

#: What a server that is killed, frozen, started again or overloaded comes out of the driver as.
TRANSIENT = [
    OperationTimedOut(),
    Unavailable("not enough replicas"),
    ReadTimeout("no answer of a replica"),
    NoHostAvailable("nobody answers", {}),
    NoConnectionsAvailable("all are busy"),
    ConnectionShutdown("closed"),
    ConnectionBusy("full"),
    CrcException("CRC mismatch on header", 1, 2),
    ErrorMessage(0x1700, "CAS_WRITE_UNKNOWN", None),
    ServerError(0x0000, "it broke", None),
    OverloadedErrorMessage(0x1001, "too much", None),
    IsBootstrappingErrorMessage(0x1002, "not yet", None),
    ConnectionResetError("reset by peer"),
]


class Answer:
    """The driver's future of one page, and of those after it."""

    has_more_pages, _paging_state = True, b"the next"
    _col_names, _col_types, _continuous_paging_session = (), (), None

    def __init__(self, rows: list[Any], error: Exception | None) -> None:
        self._rows, self._error, self._failed = rows, error, not rows

    def result(self) -> ResultSet:
        if self._failed and self._error is not None:
            raise self._error
        return ResultSet(self, self._rows)

    def start_fetching_next_page(self) -> None:
        self._failed = True

    def add_callbacks(self, callback: Any, errback: Any, callback_args: Any = (), errback_args: Any = ()) -> None:
        if self._failed:
            errback(self._error, *errback_args)
        else:
            callback(self._rows, *callback_args)

    def clear_callbacks(self) -> None:
        """Nothing is called twice here."""


class Session:
    """A session that finds `rows` on the first page of whatever is asked, and fails on the next."""

    def __init__(self, rows: list[Any], error: Exception) -> None:
        self._rows, self._error = rows, error
        self.cluster = SimpleNamespace(shutdown=lambda: None)

    def prepare(self, text: str) -> Any:
        return SimpleNamespace(text=text, column_metadata=[SimpleNamespace(keyspace_name="k")])

    def execute_async(self, statement: Any, parameters: Any = None, *, paging_state: Any = None, **_: Any) -> Answer:
        return Answer([] if paging_state else self._rows, self._error)

    def execute(self, statement: Any, parameters: Any = None, *, paging_state: Any = None) -> ResultSet:
        return self.execute_async(statement, parameters, paging_state=paging_state).result()
