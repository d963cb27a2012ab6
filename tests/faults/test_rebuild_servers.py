"""Servers that lose everything, die or stand still while a view is rebuilt: nothing half-filled ever goes live."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from redis.exceptions import RedisError

from ops import stack
from tests.faults.rebuild_support import Documents, Rebuilding, Scene
from tests.faults.worker_support import pause, wake
from tests.support.processes import eventually
from tests.support.space import Servers, new_space

COMMANDS, ACCOUNTS = 24_000, 500
STANDS_STILL = 4.0  # seconds


@pytest.fixture(scope="module")
def scene(servers: Servers) -> Iterator[Scene]:
    scene = Scene(new_space(servers))
    scene.load(COMMANDS, ACCOUNTS)
    scene.filled_by_a_worker()
    yield scene
    scene.close()


@pytest.fixture(scope="module")
def expected(scene: Scene) -> Documents:
    return scene.expected()


@pytest.fixture(autouse=True)
def _whole_again(scene: Scene) -> Iterator[None]:
    yield
    for server in ("redis", "kafka", "cassandra"):
        stack.start_one(scene.space.servers.home, server)  # whatever became of the test


class Guard(threading.Thread):
    """Looks, for the length of a block, at what readers see: a generation of a rebuild has to be whole at once."""

    def __init__(self, scene: Scene, first: str | None) -> None:
        super().__init__(name="guard")
        self._scene, self._first, self._ended = scene, first, threading.Event()
        self._whole = sum(scene.ends().values())
        self.halves: list[str] = []

    def run(self) -> None:
        while not self._ended.is_set():
            try:
                live = self._scene.generations.live()
                seen = sum(self._scene.generations.positions(live).values()) if live else 0
                if live not in (None, "1", self._first) and seen < self._whole and live == self._scene.live():
                    self.halves.append(f"{live}: {seen} of {self._whole}")
            except RedisError:
                pass
            time.sleep(0.005)

    def __enter__(self) -> "Guard":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self.join()


def until(rebuilding: Rebuilding, true: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + 60
    while not true():
        assert rebuilding.runs(), f"it ended before: {what}"
        assert time.monotonic() < end, f"never: {what}"
        time.sleep(0.001)


def begin_anew(scene: Scene) -> None:
    filling = scene.generations.filling()
    if filling is not None:
        scene.forget_the_dead()
        scene.generations.drop(filling)


@contextmanager
def stands_still(scene: Scene, server: str) -> Iterator[None]:
    pid = stack.pid(scene.space.servers.home, server)
    assert pid is not None
    pause(pid)
    try:
        yield
    finally:
        wake(pid)


def says_why(rebuilding: Rebuilding) -> None:
    """It ended with one clear sentence, and no traceback."""
    assert rebuilding.exit_code() == 1
    assert "Traceback" not in rebuilding.said, rebuilding.said
    assert "This should not happen" not in rebuilding.said, rebuilding.said
    assert rebuilding.said.strip().splitlines()


def comes_back(scene: Scene, rebuilding: Rebuilding, server: str) -> None:
    """Once it is missed it comes back, and the same rebuild goes on to its end."""
    until(rebuilding, lambda: f"{server.capitalize()} is away; " in rebuilding.said, "it waits")
    stack.start_one(scene.space.servers.home, server)
    assert rebuilding.exit_code() == 0
    assert f"{server.capitalize()} is back." in rebuilding.said


def finish(scene: Scene, expected: Documents) -> None:
    """Run it again: it is done, and right."""
    said = scene.rebuilt()
    assert scene.live() not in (None, "1"), said
    assert scene.documents() == expected


@pytest.mark.parametrize(
    ("source", "stage"),
    [("topic", "filling"), ("topic", "certified"), ("journal", "filling"), ("journal", "certifying")],
)
def test_redis_loses_everything_in_a_rebuild(scene: Scene, expected: Documents, source: str, stage: str) -> None:
    begin_anew(scene)
    with scene.worker() as worker, Guard(scene, scene.live()) as guard:
        with scene.rebuild("--from", source, stage=stage) as rebuilding:
            rebuilding.in_the_middle()
            scene.redis.flushall()
            rebuilding.go_on()
            says_why(rebuilding)
            print(stage, source, rebuilding.said[-300:])
        scene.caught_up()
        assert scene.documents() == expected
        begin_anew(scene)
        finish(scene, expected)
        worker.send(signal.SIGTERM)
        assert worker.wait() == 0
    assert guard.halves == []


def test_redis_loses_everything_while_a_rebuilt_generation_is_live(scene: Scene, expected: Documents) -> None:
    begin_anew(scene)
    finish(scene, expected)
    with scene.worker() as worker:
        eventually(lambda: worker.said('"event": "working"'), what="it works")
        scene.redis.flushall()
        eventually(lambda: scene.live() == "1", what="the worker begins with the first generation")
        scene.caught_up()
        assert scene.documents() == expected
    finish(scene, expected)


def test_redis_is_killed_and_comes_back_in_a_rebuild(scene: Scene, expected: Documents) -> None:
    begin_anew(scene)
    time.sleep(1.5)  # all that was is on disk
    with Guard(scene, scene.live()) as guard:
        with scene.rebuild(stage="filling") as rebuilding:
            rebuilding.in_the_middle()
            stack.kill(scene.space.servers.home, "redis", signal.SIGKILL)
            rebuilding.go_on()
            comes_back(scene, rebuilding, "redis")
        assert scene.documents() == expected
    assert guard.halves == []


@pytest.mark.parametrize(
    ("server", "source", "stage"),
    [
        ("kafka", "topic", "filling"),
        ("cassandra", "journal", "filling"),
        ("cassandra", "topic", "certifying"),
        ("redis", "topic", "filling"),
    ],
)
def test_a_server_stands_still_in_a_rebuild(
    scene: Scene, expected: Documents, server: str, source: str, stage: str
) -> None:
    begin_anew(scene)
    first = scene.live()
    with Guard(scene, first) as guard:
        with scene.rebuild("--from", source, stage=stage) as rebuilding:
            rebuilding.in_the_middle()
            with stands_still(scene, server):
                rebuilding.go_on()
                time.sleep(STANDS_STILL)
            code = rebuilding.exit_code()
            print(server, source, code, rebuilding.said[-500:])
            assert "should not happen" not in rebuilding.said, rebuilding.said
        if code != 0:
            finish(scene, expected)
        assert scene.live() != first
        assert scene.documents() == expected
    assert guard.halves == []


@pytest.mark.parametrize(("server", "source"), [("kafka", "topic"), ("cassandra", "events")])
def test_a_server_dies_in_a_rebuild_and_is_waited_for(
    scene: Scene, expected: Documents, server: str, source: str
) -> None:
    begin_anew(scene)
    first = scene.live()
    with Guard(scene, first) as guard:
        with scene.rebuild("--from", source, stage="filling") as rebuilding:
            rebuilding.in_the_middle()
            stack.kill(scene.space.servers.home, server, signal.SIGKILL)
            rebuilding.go_on()
            comes_back(scene, rebuilding, server)
        assert scene.live() != first
        assert scene.documents() == expected
    assert guard.halves == []
