"""A whole system in memory that goes on whenever somebody looks: rows, topic, watermarks and views."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from random import Random
from typing import Any

from commands.account import Account
from commands.accounts import extend
from commands.aggregates import aggregate_of
from commands.memory import MemoryEventScan, MemoryEventStore, MemorySnapshots, MemoryWatermarks
from commands.ports import EventRow, Outgoing, Slice, Watermark
from ops.kafka import Record
from ops.truth.check import Checked, Progress, Sources, check
from ops.truth.fix import Fixed, fix
from ops.truth.histories import Reader
from projections.chunk import chunk_of, group
from projections.memory_model import MemoryReadModel
from projections.read_model import Applied
from projections.views import VIEWS
from projections.views.view import View
from projections.whole import Place, Tagged, Value
from schemas.codec import encode_event
from schemas.events import Envelope
from tests.support.memory_whole import MemoryTopic, MemoryWhole

PARTITION = 2


class Moving:
    """The row of event number n is at journal position n. `chance` None: it stands still."""

    def __init__(self, history: Sequence[Envelope], chance: Random | None = None) -> None:
        self.history, self.chance = history, chance
        self.rows = [EventRow(one, encode_event(one), PARTITION, n, 1) for n, one in enumerate(history)]
        self.stored = self.published = 0
        self.store, self.watermarks, self.snapshots = MemoryEventStore(), MemoryWatermarks(), MemorySnapshots()
        self.topic = MemoryTopic(PARTITION)
        self.wholes = {name: MemoryWhole(MemoryReadModel(view)) for name, view in VIEWS.items()}
        self.projected = dict.fromkeys(VIEWS, 0)
        self._states: dict[str, Account] = {}

    def move(self, steps: int = 1) -> None:
        """Some steps of handler and workers."""
        chance = self.chance
        for _ in range(steps if chance is not None else 0):
            assert chance is not None
            match chance.randrange(4):
                case 0:
                    self.write(self.stored + chance.randrange(3))
                case 1:
                    self.publish(self.published + chance.randrange(3))
                case _:
                    self.project(chance.choice(list(VIEWS)), chance.randrange(1, 6))

    def write(self, end: int) -> None:
        """Event rows, and now and then a snapshot after them."""
        for row in self.rows[self.stored : end]:
            self.store.write([row])
            name = row.envelope.account_id
            state = self._states.setdefault(name, aggregate_of(name).initial())
            try:
                if state.version >= 0:
                    extend(state, [row.envelope])
            except LookupError:  # believable, and yet not what the rules would do: it gets no more snapshots
                state.version = -1
            if state.version % 7 == 0:
                self.snapshots.save(name, state)
        self.stored = max(self.stored, min(end, len(self.rows)))

    def publish(self, end: int) -> None:
        """What is stored; the watermark comes after."""
        end = min(end, self.stored)
        self.topic.publish(self.history[self.published : end])
        self.published = max(self.published, end)
        if self.published:
            self.watermarks.save(PARTITION, Watermark(self.published - 1, self.published))

    def project(self, view: str, count: int) -> None:
        """The next messages of the topic."""
        begin = self.projected[view]
        end = min(begin + count, self.published)
        if begin < end:
            histories, _ = group(self.history[begin:end])
            chunk = chunk_of(VIEWS[view], PARTITION, begin, end, histories)
            if self.wholes[view].model.apply_now(chunk) != Applied():  # a repair was ahead, or versions are missing
                histories = {name: self._left(view, name, found[-1].version) for name, found in histories.items()}
                chunk = chunk_of(VIEWS[view], PARTITION, begin, end, {n: one for n, one in histories.items() if one})
                assert self.wholes[view].model.apply_now(chunk) == Applied()
            self.projected[view] = end

    def _left(self, view: str, name: str, last: int) -> list[Envelope]:
        """What the store has, and the view has not, up to a version."""
        tag = name if VIEWS[view].TAG == "account" else f"p{PARTITION}"
        return list(self.store.read(name, self.wholes[view].versions.get((tag, name), 0), last))

    def finish(self) -> None:
        """Everything arrives everywhere."""
        self.write(len(self.rows))
        self.publish(len(self.rows))
        for view in VIEWS:
            self.project(view, len(self.rows))

    def reader_rows(self, account_id: str) -> list[EventRow]:
        """The event rows of an account."""
        return MemoryEventScan(self.store).of(account_id)

    def sources(self) -> Sources:
        """Ports that let it go on at each call."""
        scan, whole = _Scan(self), {name: _Whole(self, one) for name, one in self.wholes.items()}
        live: dict[str, tuple[View, Any]] = {name: (view, whole[name]) for name, view in VIEWS.items()}
        return Sources(Reader(scan, self.watermarks), _Snapshots(self), _Topic(self), live)

    def check(self, only: Collection[str] | None = None) -> Checked:
        """What a check finds meanwhile."""
        return check(self.sources(), only, Progress())

    def fix(self, found: Checked) -> list[Fixed]:
        """Mend that."""

        def publish(messages: Sequence[Outgoing]) -> None:
            for message in messages:
                assert (message.topic, message.partition) == ("events", PARTITION)
                self.topic.values.append(message.value or b"")
                self.topic.keys.append(message.key or b"")

        return list(fix(self.sources(), found.findings, "events", publish, lambda done, total: None))


class _Scan:
    def __init__(self, world: Moving) -> None:
        self._world, self._scan = world, MemoryEventScan(world.store)

    def slices(self, count: int) -> list[Slice]:
        return self._scan.slices(8)

    def read(self, piece: Slice) -> Iterator[list[EventRow]]:
        self._world.move()
        found = list(self._scan.read(piece))
        self._world.move()
        return iter(found)

    def of(self, account_id: str) -> list[EventRow]:
        self._world.move()
        return self._scan.of(account_id)


class _Snapshots:
    def __init__(self, world: Moving) -> None:
        self._world = world

    def kept(self, account_ids: Iterable[str]) -> dict[str, list[Account]]:
        self._world.move(3)
        return self._world.snapshots.kept(account_ids)


class _Topic:
    def __init__(self, world: Moving) -> None:
        self._world = world

    def begins(self) -> dict[int, int]:
        self._world.move()
        return self._world.topic.begins()

    def homes(self, account_ids: Iterable[str]) -> set[int]:
        return self._world.topic.homes(account_ids)

    def ends(self) -> dict[int, int]:
        self._world.move()
        return self._world.topic.ends()

    def read(self, first: Mapping[int, int], ends: Mapping[int, int]) -> Iterator[Record]:
        for record in self._world.topic.read(first, ends):
            self._world.move()
            yield record


class _Whole:
    def __init__(self, world: Moving, whole: MemoryWhole) -> None:
        self._world, self._whole = world, whole

    def version(self) -> str | None:
        return self._whole.version()

    def positions(self) -> dict[int, int]:
        self._world.move()
        return self._whole.positions()

    def scan(self, tag: str | None = None) -> Iterator[Place]:
        for place in list(self._whole.scan(tag)):
            self._world.move()
            yield place

    def values(self, places: Sequence[Place]) -> list[Value]:
        return self._whole.values(places)

    def read(self, wanted: Sequence[tuple[str, Collection[str]]]) -> tuple[dict[int, int], list[Tagged]]:
        self._world.move()
        return self._whole.read(wanted)

    def replace(self, tag: str, by: Tagged, wrong: Mapping[str, object], gone: Collection[str]) -> dict[str, object]:
        self._world.move(2)
        return self._whole.replace(tag, by, wrong, gone)
