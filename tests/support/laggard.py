"""Ports whose answers come late, get lost, or come without the effect: what a network does, played step by step."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from typing import Any

from commands.account import Account
from commands.memory import MemoryEventStore, MemoryJournal, MemoryPublisher, MemorySnapshots, MemoryWatermarks
from commands.ports import Appended, EventRow, Outgoing, Row, StoreUnavailable, Watermark
from schemas.events import Envelope

Call = tuple[Callable[[], Future[Any]], Future[Any] | None]


class Wire:
    """Calls under way. Ordered wires deliver from the front only, as a producer does within a partition."""

    def __init__(self, *, ordered: bool) -> None:
        self._ordered = ordered
        self._calls: deque[Call] = deque()

    def __len__(self) -> int:
        return len(self._calls)

    def send(self, effect: Callable[[], Future[Any]]) -> Future[Any]:
        """Put a call on its way."""
        answer: Future[Any] = Future()
        self._calls.append((effect, answer))
        return answer

    def inherit(self, other: "Wire") -> None:
        """Carry the calls of a caller that is gone."""
        self._calls.extend((effect, None) for effect, _ in other._calls)

    def _take(self, index: int) -> Call:
        position = 0 if self._ordered else index % len(self._calls)
        call = self._calls[position]
        del self._calls[position]
        return call

    def arrive(self, index: int = 0) -> None:
        """A call has its effect, and the caller learns it."""
        effect, answer = self._take(index)
        result = effect().result()
        if answer is not None:
            answer.set_result(result)

    def answer_lost(self, index: int = 0) -> None:
        """A call has its effect, but the caller only sees a failure."""
        effect, answer = self._take(index)
        effect()
        if answer is not None:
            answer.set_exception(StoreUnavailable("the answer was lost"))

    def call_late(self, index: int = 0) -> None:
        """The caller sees a failure now; the call has its effect some time later."""
        effect, answer = self._take(index)
        self._calls.append((effect, None))
        if answer is not None:
            answer.set_exception(StoreUnavailable("no answer in time"))


class World:
    """What all owners share: the stores themselves."""

    def __init__(self) -> None:
        self.journal = MemoryJournal()
        self.events = MemoryEventStore()
        self.snapshots = MemorySnapshots()
        self.watermarks = MemoryWatermarks()
        self.publisher = MemoryPublisher()


class Laggard:
    """One owner's way to a world: every port in one object, over two wires."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.store = Wire(ordered=False)
        self.producer = Wire(ordered=True)

    def wires(self) -> tuple[Wire, Wire]:
        """The wires to play with."""
        return self.store, self.producer


class LaggardJournal(Laggard):
    """`Journal` over the store's wire."""

    def append(self, row: Row) -> Future[Appended]:
        """See `Journal.append`."""
        return self.store.send(lambda: self._world.journal.append(row))

    def read(self, shard: int, position: int) -> Iterator[Row]:
        """See `Journal.read`."""
        return self._world.journal.read(shard, position)


class LaggardStores:
    """The other ports of an owner, over the same wires as its journal."""

    def __init__(self, journal: LaggardJournal, world: World) -> None:
        self.events = _Events(journal, world)
        self.snapshots = _Snapshots(journal, world)
        self.watermarks = _Watermarks(journal, world)
        self.publisher = _Publisher(journal, world)


class _Port:
    def __init__(self, way: Laggard, world: World) -> None:
        self._way, self._world = way, world


class _Events(_Port):
    def write(self, rows: Sequence[EventRow]) -> Future[None]:
        return self._way.store.send(lambda: self._world.events.write(rows))

    def read(self, account_id: str, after: int = 0, until: int | None = None) -> Iterator[Envelope]:
        return self._world.events.read(account_id, after, until)

    def read_many(
        self, after: Iterable[tuple[str, int]], below: int | None = None, shard: int | None = None
    ) -> dict[str, tuple[Envelope, ...]]:
        return self._world.events.read_many(after, below, shard)


class _Snapshots(_Port):
    def save(self, account_id: str, state: Account) -> Future[None]:
        return self._way.store.send(lambda: self._world.snapshots.save(account_id, state))

    def latest(self, account_ids: Iterable[str]) -> dict[str, Account]:
        return self._world.snapshots.latest(account_ids)

    def as_of(self, account_id: str, version: int | None = None, at: int | None = None) -> Account | None:
        return self._world.snapshots.as_of(account_id, version, at)


class _Watermarks(_Port):
    def save(self, shard: int, mark: Watermark) -> Future[None]:
        return self._way.store.send(lambda: self._world.watermarks.save(shard, mark))

    def load(self, shard: int) -> Watermark | None:
        return self._world.watermarks.load(shard)


class _Publisher(_Port):
    def publish(self, messages: Sequence[Outgoing]) -> Future[tuple[int, ...]]:
        return self._way.producer.send(lambda: self._world.publisher.publish(messages))

    def end_offset(self, topic: str, partition: int) -> int:
        return self._world.publisher.end_offset(topic, partition)
