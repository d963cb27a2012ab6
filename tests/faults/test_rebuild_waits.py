"""Servers that are killed in the middle of a rebuild and come back, whole or not: it waits, and goes on."""

import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ops import stack
from ops.rebuild import cutover, run
from ops.rebuild.batch import Batch
from ops.rebuild.fill import Filler
from ops.rebuild.waiting import Waiting
from ops.truth import certify as certifying
from projections.redis_model.generations import Flipped, Generations
from tests.support.rebuilds import Rebuilds, rebuilds_in, space_of_rebuilds
from tests.support.space import Servers, Space


@pytest.fixture(scope="module")
def space(servers: Servers) -> Space:
    return space_of_rebuilds(servers)


@pytest.fixture
def rebuilds(space: Space, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rebuilds]:
    with rebuilds_in(space, monkeypatch) as found:
        yield found
    for server in ("redis", "kafka", "cassandra"):
        stack.start_one(space.servers.home, server)  # whatever became of the test


def once(what: Callable[[], None]) -> Callable[[], None]:
    left = [what]
    return lambda: left.pop()() if left else None


def at(stage: str, what: Callable[[], None], patch: pytest.MonkeyPatch, batch: int = 6) -> None:
    """Do something once when a rebuild is in that stage; in `fill`, with the `batch` of some 40."""
    what = once(what)
    if stage == "certify":
        certify = certifying.certify

        def certified(*about: Any, tell: Callable[[int, int], None], **more: Any) -> Any:
            def between(done: int, total: int) -> None:
                what()
                tell(done, total)

            return certify(*about, tell=between, **more)

        patch.setattr(run, "certify", certified)
    elif stage == "fill":
        take, count = Filler._take, 0

        async def taken(self: Filler, found: Batch) -> None:
            nonlocal count
            count += 1
            if count == batch:
                what()
            await take(self, found)

        patch.setattr(Filler, "_take", taken)
    else:
        step = getattr(run, stage)

        async def stepped(*about: Any) -> Any:
            what()
            return await step(*about)

        patch.setattr(run, stage, stepped)


def dies(space: Space, server: str) -> None:
    stack.kill(space.servers.home, server, signal.SIGKILL)


def comes_back_once_missed(space: Space, patch: pytest.MonkeyPatch) -> None:
    """Somebody else starts it again when it is said to be away: who asks Kafka waits for it for a while before that."""
    tell = Waiting._tell

    def start(server: str) -> None:
        try:
            stack.start_one(space.servers.home, server.lower())
        except BaseException:
            os.kill(os.getpid(), signal.SIGINT)  # else it is waited for without an end
            raise

    def told(self: Waiting, server: str, error: Exception | None) -> None:
        tell(self, server, error)
        if error is not None:
            threading.Thread(target=start, args=(server,)).start()

    patch.setattr(Waiting, "_tell", told)


@pytest.mark.parametrize(
    ("stage", "server", "source"),
    [
        ("fill", "kafka", "topic"),
        ("fill", "redis", "topic"),
        ("fill", "cassandra", "journal"),
        ("fill", "redis", "journal"),
        ("fill", "cassandra", "events"),
        ("fill", "redis", "events"),
        ("certify", "cassandra", "topic"),
        ("certify", "redis", "topic"),
        ("certify", "kafka", "topic"),
        ("cut_over", "kafka", "topic"),
        ("cut_over", "redis", "events"),
        ("hand_over", "kafka", "topic"),
        ("hand_over", "redis", "topic"),
    ],
)
def test_it_waits_for_a_server_and_goes_on(
    rebuilds: Rebuilds, stage: str, server: str, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    at(stage, lambda: dies(rebuilds.space, server), monkeypatch)
    comes_back_once_missed(rebuilds.space, monkeypatch)
    found = rebuilds.run("--from", source)
    assert found.exit_code == 0, found.output
    assert found.stderr.count(f"{server.capitalize()} is away; ") == 1, found.stderr
    assert found.stderr.count(f"{server.capitalize()} is back.") == 1, found.stderr
    assert rebuilds.states() == {"1.1": "live"}
    assert rebuilds.documents("1.1") == rebuilds.expected()


@pytest.mark.parametrize(("server", "source"), [("kafka", "topic"), ("redis", "topic"), ("cassandra", "events")])
def test_ctrl_c_ends_the_waiting(rebuilds: Rebuilds, server: str, source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server does not come back before that."""
    at("fill", lambda: dies(rebuilds.space, server), monkeypatch)
    tell = Waiting._tell

    def interrupt(self: Waiting, server: str, error: Exception | None) -> None:
        tell(self, server, error)
        os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(Waiting, "_tell", interrupt)
        found = rebuilds.run("--from", source)
    assert found.exit_code == 130, found.output
    assert f"{server.capitalize()} is away; " in found.stderr
    assert "Paused: `licensing rebuild title_downloads` goes on from here" in found.stderr
    stack.start_one(rebuilds.space.servers.home, server)
    assert rebuilds.json()[-1]["end"] == "live"
    assert rebuilds.documents("1.1") == rebuilds.expected()


def test_ctrl_c_when_readers_have_it_and_old_ones_are_dropped(
    rebuilds: Rebuilds, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rebuild is done: there is nothing to go on with."""
    drop = cutover.drop_retired

    def dropped(*about: Any) -> list[str]:
        dies(rebuilds.space, "redis")
        return drop(*about)

    monkeypatch.setattr(cutover, "drop_retired", dropped)
    monkeypatch.setattr(Waiting, "_tell", lambda *_: os.kill(os.getpid(), signal.SIGINT))
    assert rebuilds.json()[-1]["end"] == "live"
    stack.start_one(rebuilds.space.servers.home, "redis")
    assert rebuilds.states() == {"1.1": "live"}


@pytest.mark.parametrize("server", ["kafka", "redis", "cassandra"])
def test_before_anything_is_begun_it_ends_at_once(rebuilds: Rebuilds, server: str) -> None:
    dies(rebuilds.space, server)
    found = rebuilds.run("--from", "journal")
    assert found.exit_code == 1, found.output
    assert found.stderr.startswith(f"{server.capitalize()} "), found.stderr
    assert (found.stderr.count("\n"), "is away" in found.stderr) == (1, False)
    stack.start_one(rebuilds.space.servers.home, server)
    assert rebuilds.states() == {}


class Backup:
    """What Redis had at some moment: nothing, or what was on its disk then (a file before version 7, then a folder)."""

    def __init__(self, space: Space) -> None:
        self._home, self._kept = space.servers.home, space.servers.home / "redis-backup"
        shutil.rmtree(self._kept, ignore_errors=True)
        self._kept.mkdir()

    def take(self) -> None:
        for found in (self._home / "redis").glob("appendonly*"):
            copy = shutil.copytree if found.is_dir() else shutil.copy
            copy(found, self._kept / found.name)

    def restore(self) -> None:
        """Redis is killed, and comes back with no more than that, before anybody has noticed."""
        stack.kill(self._home, "redis", signal.SIGKILL)
        for found in (self._home / "redis").glob("appendonly*"):
            shutil.rmtree(found) if found.is_dir() else found.unlink()
        shutil.copytree(self._kept, self._home / "redis", dirs_exist_ok=True)
        stack.start_one(self._home, "redis")


def flips(patch: pytest.MonkeyPatch) -> list[dict[int, int]]:
    """Where each generation stood when readers got it."""
    flip, seen = Generations.flip, list[dict[int, int]]()

    def flipped(self: Generations, expected: str | None, to: str, *about: Any) -> Flipped:
        answer = flip(self, expected, to, *about)
        if answer == "flipped":
            seen.append(self.positions(to))
        return answer

    patch.setattr(Generations, "flip", flipped)
    return seen


@pytest.mark.parametrize("stage", ["fill", "certify", "cut_over"])
@pytest.mark.parametrize("source", ["topic", "journal", "events"])
def test_redis_comes_back_with_half_of_it(
    rebuilds: Rebuilds, source: str, stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a failover. Nobody uses a generation yet, so there is none that would have to be passed."""
    backup = Backup(rebuilds.space)
    at("fill", backup.take, monkeypatch, batch=4)
    at(stage, backup.restore, monkeypatch, batch=12)
    seen = flips(monkeypatch)
    found = rebuilds.run("--from", source)
    assert found.exit_code == 0, found.output
    assert rebuilds.documents("1.1") == rebuilds.expected()
    assert seen == [rebuilds.ends()]


@pytest.mark.parametrize("stage", ["fill", "certify", "cut_over"])
@pytest.mark.parametrize("source", ["topic", "events"])
def test_redis_comes_back_with_nothing(
    rebuilds: Rebuilds, source: str, stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup = Backup(rebuilds.space)
    with monkeypatch.context() as patch:
        at(stage, backup.restore, patch)
        seen = flips(patch)
        found = rebuilds.run("--from", source)
    assert found.exit_code == 1, found.output
    assert "Redis lost generation 1.1" in found.stderr
    assert seen == []
    assert rebuilds.generations.live() is None
    assert rebuilds.json()[-1]["end"] == "live"
    assert rebuilds.documents("1.1") == rebuilds.expected()
