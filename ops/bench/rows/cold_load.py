"""Loading an account that is not at hand, as the handler does it, beside a raw read of the same rows."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from statistics import median
from typing import Any

from commands.account import fold, initial
from commands.accounts import load
from commands.cassandra.event_store import CassandraEventStore
from commands.cassandra.snapshots import CassandraSnapshots
from commands.policy_file import load_policy
from commands.ports import EventRow
from ops.bench import filling
from ops.bench.ground import Ground
from ops.bench.row import Line
from ops.collecting import as_a_handler
from schemas.codec import encode_event
from schemas.events import Envelope

NAME = "cold-load"
TITLE = "Loading an account that is not at hand"

_POSITION = 1  # of the journal row that the events are said to come from
_EVENTS_A_YEAR = 1_000  # of a very busy family
_AFTER = 100  # events after the snapshot: half of what may come before the next one
_AT_ONCE = 2_000  # rows
_EVENTS = 20_000  # to read for one figure, but in at least `_LEAST` loads and at most `_MOST`
_LEAST, _MOST = 3, 100


@dataclass(frozen=True, slots=True)
class _Case:
    account_id: str
    events: int
    snapshot: bool

    @property
    def what(self) -> str:
        return f"{self.events:,} events, {'with' if self.snapshot else 'without'} a snapshot"


def measure(ground: Ground) -> list[Line]:
    """Each kind of account a number of times a run, ours and raw by turns."""
    lengths = (10, 1_000, max(2_000, ground.size.pick(10_000, 100_000)))
    cases = [
        _Case(f"account-{events}-{snapshot}", events, snapshot)
        for events in lengths
        for snapshot in (False, True)
        if not snapshot or events > _AFTER
    ]
    found: dict[_Case, list[tuple[float, float]]] = {case: [] for case in cases}
    with ground.space() as space, space.cassandra() as session:
        for case in cases:
            ground.tell(f"An account of {case.what}")
            _write(session, case)
        loading = _Loading(session)
        for _ in ground.laps(NAME):
            with as_a_handler():
                for case in cases:
                    found[case].append(_pair(loading, case))
    return [*(_line(case, tuple(pairs)) for case, pairs in found.items()), _flat(found)]


def _line(case: _Case, pairs: tuple[tuple[float, float], ...]) -> Line:
    limit = 1.5 if case.snapshot else None
    note = "" if case.snapshot else "The raw read leaves out decoding and folding."
    return Line(case.what, "raw read of the rows", "ms", pairs, "lower", limit, note=note)


def _flat(found: dict[_Case, list[tuple[float, float]]]) -> Line:
    shortest, *_, longest = (case for case in found if case.snapshot)
    pairs = tuple((ours, base) for (ours, _), (base, _) in zip(found[longest], found[shortest], strict=True))
    return Line(f"a longer history: {longest.what}", shortest.what, "ms", pairs, "lower", 1.5)


def _write(session: Any, case: _Case) -> None:
    """The account's rows and, where it is to have one, its snapshot."""
    days = max(30, case.events * 365 // _EVENTS_A_YEAR)
    timed = filling.load(case.events * 3, accounts=1, days=days)
    events = list(islice(filling.history(timed, load_policy()), case.events))
    store = CassandraEventStore(session)
    rows = [_row(case.account_id, event) for event in events]
    for begin in range(0, len(rows), _AT_ONCE):
        store.write(rows[begin : begin + _AT_ONCE]).result()
    if case.snapshot:
        CassandraSnapshots(session).save(case.account_id, fold(initial(), events[:-_AFTER])).result()


def _row(account_id: str, event: Envelope) -> EventRow:
    own = Envelope(
        event.event_id, account_id, event.version, event.at, event.command_id, event.correlation_id, event.event
    )
    return EventRow(own, encode_event(own), 0, _POSITION, own.at)


class _Loading:
    """Both ways of reading an account; each says how many events it came to."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self._events, self._snapshots = CassandraEventStore(session), CassandraSnapshots(session)
        self._rows = session.prepare("SELECT payload FROM events WHERE account_id = ? AND version > ?")
        self._newest = session.prepare("SELECT version, state FROM snapshots WHERE account_id = ? LIMIT 1")

    def ours(self, case: _Case) -> int:
        """As the handler does it."""
        loaded = load([case.account_id], _POSITION + 1, self._events, self._snapshots)
        return loaded[case.account_id].version

    def raw(self, case: _Case) -> int:
        """The driver's rows, and nothing done with them."""
        version = 0
        if case.snapshot:
            ((version, _),) = self._session.execute(self._newest, (case.account_id,))
        return version + sum(1 for _ in self._session.execute(self._rows, (case.account_id, version)))


def _pair(loading: _Loading, case: _Case) -> tuple[float, float]:
    times = max(_LEAST, min(_MOST, _EVENTS // case.events))
    pairs = [(_milliseconds(loading.ours, case), _milliseconds(loading.raw, case)) for _ in range(times)]
    return median(ours for ours, _ in pairs), median(raw for _, raw in pairs)


def _milliseconds(read: Callable[[_Case], int], case: _Case) -> float:
    began = time.perf_counter()
    events = read(case)
    taken = time.perf_counter() - began
    if events != case.events:
        raise RuntimeError(f"{events} events were read of {case.what}")
    return taken * 1000
