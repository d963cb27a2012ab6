"""A rebuild under traffic: readers see the old generation, then the new one, and no count ever goes back."""

import signal
import threading
from collections.abc import Iterator
from itertools import islice
from typing import Self

import pytest

from projections.queries import Views
from tests.faults.rebuild_support import Scene
from tests.support.load import Load, Stores, some_commands
from tests.support.processes import eventually, handler
from tests.support.space import Space

ACCOUNTS, BEFORE, AT_ONCE, WAITING = 200, 8000, 1000, 4000
FAR = 1_000_000  # added to the counts of the live generation, so that it is seen which one an answer comes from
DEVICES = [f"account-{number}/account-{number}.{device}" for number in range(12) for device in range(3)]


@pytest.fixture
def scene(space: Space) -> Iterator[Scene]:
    scene = Scene(space)
    yield scene
    scene.close()


class Background(threading.Thread):
    """Does something over and over, until the end of the block; an error ends the block with it."""

    def __init__(self, name: str) -> None:
        super().__init__(name=name)
        self._ended = threading.Event()
        self._error: BaseException | None = None

    def again(self) -> None:
        raise NotImplementedError

    def run(self) -> None:
        try:
            while not self._ended.is_set():
                self.again()
        except BaseException as error:
            self._error = error

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self.join()
        if self._error is not None:
            raise self._error


class Traffic(Background):
    """As many commands as the handler gets done, and always some that wait."""

    def __init__(self, scene: Scene, seed: int) -> None:
        super().__init__("traffic")
        self._load, self._stores = Load(scene.space), Stores(scene.space)
        self._commands = some_commands(1_000_000, ACCOUNTS, seed)
        self._before = self._decided()
        self.sent = 0

    def again(self) -> None:
        if self.sent - (self._decided() - self._before) < WAITING:
            self._load.send(*islice(self._commands, AT_ONCE))
            self.sent += AT_ONCE

    def _decided(self) -> int:
        return sum(mark.next_offset for mark in self._stores.watermarks().values())

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        self._stores.close()


class Positions(Background):
    """Looks how far the view has read. Whoever waited for an effect relies on it: it never goes back."""

    def __init__(self, scene: Scene) -> None:
        super().__init__("positions")
        self._views, self._view = Views(scene.settings), scene.view
        self._seen: dict[int, int] = {}
        self.reads, self.wrong = 0, list[str]()

    def again(self) -> None:
        found = self._views.positions(self._view)
        if any(found.get(partition, 0) < position for partition, position in self._seen.items()):
            self.wrong.append(f"from {self._seen} to {found}")
        self._seen = found
        self.reads += 1


class Reader(Background):
    """Reads the same devices over and over, as a dashboard would; keeps what must not be."""

    def __init__(self, scene: Scene) -> None:
        super().__init__("reader")
        self._scene = scene
        self._seen: dict[str, tuple[int, int, int]] = {}
        self.wrong: list[str] = []
        self.reads = 0
        self.generations: list[str] = []  # as they were seen, one after the other

    def again(self) -> None:
        seen = self._seen
        for device in DEVICES:
            found = self._scene.views.document("device_downloads", device, 0)
            if found is None:
                if device in seen:
                    self.wrong.append(f"{device} is gone")
                continue
            self._which("old" if found["downloads"] >= FAR else "new")
            counts = found["downloads"] % FAR, found["completed"], found["last_activity"]
            if any(now < was for now, was in zip(counts, seen.get(device, counts), strict=True)):
                self.wrong.append(f"{device} went from {seen[device]} to {counts}")
            seen[device] = counts
            self.reads += 1

    def _which(self, generation: str) -> None:
        if generation not in self.generations[-1:]:
            self.generations.append(generation)


def mark(scene: Scene) -> None:
    """Make the live generation's counts wrong by a number that nobody reaches."""
    keys = scene.generations.keys("1")
    for device in DEVICES:
        key = keys.document(device.partition("/")[0], device)
        if scene.redis.exists(key):
            scene.redis.hincrby(key, "downloads", FAR)


@pytest.mark.parametrize("view", ["device_downloads"])
def test_a_rebuild_under_full_traffic(scene: Scene, view: str) -> None:
    scene.load(BEFORE, ACCOUNTS)
    with handler(scene.space) as handling, scene.worker() as worker:
        scene.caught_up()
        present = [device for device in DEVICES if scene.views.document(view, device, 0)]
        assert len(present) > len(DEVICES) // 2
        DEVICES[:] = present
        mark(scene)
        with Reader(scene) as reader, Positions(scene) as positions, Traffic(scene, 2) as traffic:
            eventually(lambda: traffic.sent > WAITING, what="the handler is busy")
            said = scene.rebuilt()
            eventually(lambda: worker.said("another generation is live"), what="the worker leaves")
        assert scene.live() == "1.1", said
        eventually(scene.stores.followed_up, 120, what="all commands are decided")
        scene.caught_up()  # which only the worker does, the rebuild is over
        assert scene.documents() == scene.expected()
        for process in (handling, worker):
            process.send(signal.SIGTERM)
            assert process.wait() == 0
    print(said)
    print(f"{reader.reads} reads, {positions.reads} of positions, {traffic.sent} commands sent meanwhile")
    assert reader.generations == ["old", "new"]
    assert reader.wrong == []
    assert positions.wrong == []
    assert reader.reads > 1000
