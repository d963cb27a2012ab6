"""Every event that is stored, by slices of the ring."""

from collections.abc import Iterator
from itertools import groupby, pairwise
from operator import attrgetter
from typing import Any

from commands.cassandra.session import FAILURES, Session, prepare, unavailable
from commands.ports import EventRow, NewerRelease, Slice
from schemas.codec import UnknownSchema, decode_event

#: The tokens of Murmur3Partitioner, Cassandra's default; no row has the first of them.
_FIRST, _LAST = -(2**63), 2**63 - 1
_PAGE = 5000  # rows
_SELECT = (
    "SELECT account_id, type, schema_version, payload, shard, position, writetime(payload) AS written"
    " FROM events WHERE "
)


class CassandraEventScan:
    """`EventScan` on the table `events`."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._select = prepare(session, _SELECT + "token(account_id) > ? AND token(account_id) <= ?")
        self._one = prepare(session, _SELECT + "account_id = ?")
        self._select.fetch_size = self._one.fetch_size = _PAGE

    def slices(self, count: int) -> list[Slice]:
        """See `EventScan.slices`."""
        bounds = [_FIRST + (_LAST - _FIRST) * number // count for number in range(count + 1)]
        return list(pairwise(bounds))

    def read(self, piece: Slice) -> Iterator[list[EventRow]]:
        """See `EventScan.read`. The first page is asked for at once, another while the one before it is looked at."""
        return self._accounts(self._rows(self._select, piece))

    def _accounts(self, found: Iterator[Any]) -> Iterator[list[EventRow]]:
        for _, rows in groupby(found, key=attrgetter("account_id")):
            yield list(map(_event_row, rows))

    def of(self, account_id: str) -> list[EventRow]:
        """See `EventScan.of`."""
        return list(map(_event_row, self._rows(self._one, (account_id,))))

    def _rows(self, statement: Any, bounds: tuple[object, ...]) -> Iterator[Any]:
        """A request for each page: the driver's own way to a next one has no time limit."""
        first = self._ask(statement, bounds)

        def pages(coming: Any) -> Iterator[Any]:
            while True:
                found = _answer(coming)
                if found.paging_state is None:
                    break
                coming = self._ask(statement, bounds, found.paging_state)
                yield from found.current_rows
            yield from found.current_rows

        return pages(first)

    def _ask(self, statement: Any, bounds: tuple[object, ...], page: bytes | None = None) -> Any:
        try:
            return self._session.execute_async(statement, bounds, paging_state=page)
        except FAILURES as error:
            raise unavailable(error) from error


def _answer(response: Any) -> Any:
    try:
        return response.result()
    except FAILURES as error:
        raise unavailable(error) from error


def _event_row(found: Any) -> EventRow:
    try:
        envelope = decode_event(found.payload)
    except UnknownSchema as error:
        raise NewerRelease(f"account {found.account_id}: {found.type}.v{found.schema_version}") from error
    return EventRow(envelope, found.payload, found.shard, found.position, found.written // 1000)
