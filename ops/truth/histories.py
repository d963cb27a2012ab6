"""Whole histories of accounts out of the event rows, as they are while handlers write."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from commands.ports import EventRow, EventScan, Watermarks
from schemas.events import Envelope

#: Is told how much is read, and of how much.
Tell: TypeAlias = Callable[[int, int], None]

#: Parts in which all accounts are gone through.
SLICES = 256
#: Parts that are asked for before they are looked at.
AHEAD = 4
#: Accounts, and events, that are looked at together.
BATCH_ACCOUNTS, BATCH_EVENTS = 200, 4000


@dataclass(frozen=True, slots=True)
class History:
    """An account's events from the first on. `broken`: a version is missing after them, and will not come.

    `shard`: the partition of its events, -1 where there are none.
    """

    account_id: str
    shard: int
    rows: Sequence[EventRow]
    broken: bool = False

    @property
    def envelopes(self) -> list[Envelope]:
        """What happened."""
        return [row.envelope for row in self.rows]


class Reader:
    """Reads histories: a gap is one only where all that was committed before it is followed up."""

    def __init__(self, scan: EventScan, watermarks: Watermarks) -> None:
        self._scan, self._watermarks = scan, watermarks

    def everything(self, tell: Tell) -> Iterator[list[History]]:
        """All accounts, some hundred at a time. `tell`: how many of the parts are read.

        Raises:
            StoreUnavailable, NewerRelease: the rows cannot be read.
        """
        pieces = self._scan.slices(SLICES)
        asked = deque(map(self._scan.read, pieces[:AHEAD]))
        for number in range(1, len(pieces) + 1):
            asked += map(self._scan.read, pieces[number + AHEAD - 1 : number + AHEAD])
            yield from self._batches(asked.popleft())
            tell(number, len(pieces))

    def some(self, accounts: Iterable[str], tell: Tell) -> Iterator[list[History]]:
        """These accounts, those without events left out; it tells and raises as `everything` does."""
        names = list(accounts)

        def told() -> Iterator[list[EventRow]]:
            for number, name in enumerate(names, 1):
                yield self._scan.of(name)
                tell(number, len(names))

        yield from self._batches(rows for rows in told() if rows)

    def again(self, account_id: str) -> History:
        """One account as it is now, with or without events; it raises as `everything` does."""
        return self._checked(account_id, self._scan.of(account_id))

    def followed_up(self, shard: int) -> int:
        """The position through which the shard is followed up, -1: none; it raises StoreUnavailable."""
        mark = self._watermarks.load(shard)
        return -1 if mark is None else mark.position

    def _batches(self, found: Iterable[list[EventRow]]) -> Iterator[list[History]]:
        batch: list[History] = []
        events = 0
        for rows in found:
            batch.append(self._checked(rows[0].envelope.account_id, rows))
            events += len(rows)
            if len(batch) >= BATCH_ACCOUNTS or events >= BATCH_EVENTS:
                yield batch
                batch, events = [], 0
        if batch:
            yield batch

    def _checked(self, account_id: str, rows: list[EventRow]) -> History:
        gap, shard = _gap(rows), rows[0].shard if rows else -1
        if gap == len(rows):
            return History(account_id, shard, rows)
        mark = self.followed_up(shard)  # what it covers is in the rows that are read after it
        rows = self._scan.of(account_id)
        gap = _gap(rows)
        return History(account_id, shard, rows[:gap], any(row.position <= mark for row in rows[gap : gap + 1]))


def _gap(rows: Sequence[EventRow]) -> int:
    """How many rows there are before the first version that is missing."""
    versions = [row.envelope.version for row in rows]
    if versions == list(range(1, len(rows) + 1)):
        return len(rows)
    return next(number for number, version in enumerate(versions) if version != number + 1)
