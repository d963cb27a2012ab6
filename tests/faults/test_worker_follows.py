"""Workers go where the pointer goes; a generation that another version of the view fills is waited for."""

import os
import signal
import time
from contextlib import ExitStack
from pathlib import Path
from random import Random

import pytest
import redis

from tests.faults.worker_support import Ground, Worker, members, until
from tests.support import next_release
from tests.support.space import Space

LEAVES = "another generation is live"
WAITS = "another version is live, waiting"
AT_WORK = '"event": "working"'
SEED = 5


@pytest.fixture
def ground(space: Space) -> Ground:
    return Ground(space)


@pytest.fixture(scope="module")
def following(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a release with another version of the view."""
    folder = next_release.make(tmp_path_factory.mktemp("next"))
    next_release.another_view(folder, "title_downloads")
    return next_release.environment(folder)


def fill(ground: Ground, generation: str, release: dict[str, str] | None = None) -> None:
    """What a rebuild does: a generation beside the live one gets all that there is by now."""
    with ground.worker(generation, release=release) as filler:
        until(f"{generation} is filled", lambda: ground.positions(generation) == ground.ends)
        filler.send(signal.SIGTERM)
        assert filler.exit_code() == 0


def written(ground: Ground, generation: str) -> dict[bytes, object]:
    """All of a generation but what its workers say of themselves, with the content of strings."""
    pattern = f"{ground.keys(generation).prefix}{{*"
    with redis.Redis.from_url(ground.settings.redis) as client:
        return {key: client.dump(key) for key in client.scan_iter(match=pattern, count=1000)}


def until_said(worker: Worker, text: str, times: int = 1) -> None:
    until(text, lambda: worker.said(text) == times)


def test_two_workers_follow_a_flip_under_traffic(ground: Ground) -> None:
    history = ground.history(20_000)
    ground.write(history[:8000])
    with ground.worker() as first, ground.worker() as second:
        ground.wait_for(1)
        fill(ground, "1.1")
        ground.write(history[8000:14_000])
        ground.flip("1.1")
        ground.write(history[14_000:])
        ground.check(history)
        assert ground.live() == "1.1"
        until("both are in the group of the new generation", lambda: len(members(ground, "1.1")) == 2)
        assert members(ground, "1") == []
        left = written(ground, "1")
        ground.write(history[-1000:])  # copies
        ground.check(history)
        assert written(ground, "1") == left
        for worker in (first, second):
            assert worker.said(LEAVES) == 1
            worker.send(signal.SIGTERM)
            assert worker.exit_code() == 0


def test_a_worker_of_a_named_generation_stays_there(ground: Ground) -> None:
    history = ground.history(4000)
    ground.write(history[:2000])
    with ground.worker() as follower, ground.worker("1") as named:
        ground.check(history[:2000])
        fill(ground, "1.1")
        ground.flip("1.1")
        until_said(follower, AT_WORK, 2)
        ground.write(history[2000:])
        ground.check(history)
        until("the named one goes on", lambda: ground.positions("1") == ground.ends)
        assert named.said(LEAVES) == 0
        assert ground.documents("1") == ground.expected(history)


def test_flips_back_and_forth_and_a_flush(ground: Ground) -> None:
    history = ground.history(10_000)
    part = [history[n : n + 2000] for n in range(0, len(history), 2000)]
    ground.write(part[0])
    with ground.worker() as worker:
        ground.check(part[0])
        fill(ground, "1.1")
        for turn, generation in enumerate(("1.1", "1", "1.1"), 1):
            ground.flip(generation)
            ground.write(part[turn])
            ground.check(history[: 2000 * (turn + 1)])
            assert ground.live() == generation
        with redis.Redis.from_url(ground.settings.redis) as client:
            client.flushall()
        ground.write(part[4])
        until("it goes back to the first generation", lambda: ground.views.live(ground.view)[0] == "1")
        ground.check(history)
        assert worker.said(LEAVES) == 4


def test_a_flush_before_the_first_event_is_noticed(ground: Ground) -> None:
    """Nothing that was read is lost by it, but what the worker has said of itself."""
    history = ground.history(1000)
    with ground.worker() as worker:
        until_said(worker, AT_WORK)
        with redis.Redis.from_url(ground.settings.redis) as client:
            client.flushall()
        ground.write(history)
        ground.check(history)
        assert ground.live() == "1"


def test_a_worker_that_is_asked_to_stop_on_the_way_stops(ground: Ground) -> None:
    chance, history = Random(SEED), ground.history(2000)
    ground.write(history)
    with ground.worker():
        ground.check(history)
        fill(ground, "1.1")
    for turn in range(6):
        ground.flip("1")
        with ground.worker() as worker:
            until_said(worker, AT_WORK)
            ground.flip("1.1")
            until_said(worker, LEAVES)
            pause = chance.uniform(0, 1) if turn < 4 else chance.uniform(1, 3)
            time.sleep(pause)
            worker.send(signal.SIGTERM)
            assert worker.exit_code() == 0, f"after {pause:.2f} s"
    ground.check(history)


def test_another_version_is_waited_for_and_looks_alive(ground: Ground, tmp_path: Path) -> None:
    history, alive = ground.history(4000), tmp_path / "alive"
    ground.write(history[:2000])
    with ground.worker(release={"LICENSING_ALIVE_FILE": str(alive)}) as worker:
        ground.check(history[:2000])
        with redis.Redis.from_url(ground.settings.redis) as client:
            client.set(ground.keys("2").version, "2")
        ground.flip("2")
        until_said(worker, WAITS)
        assert worker.said('"its_version": "2"')
        assert worker.said("licensing rebuild title_downloads")
        ground.write(history[2000:])
        os.utime(alive, (0, 0))
        until("it shows life", lambda: alive.stat().st_mtime > 0)
        at = alive.stat().st_mtime
        until("and again", lambda: alive.stat().st_mtime > at)
        assert written(ground, "2") == {}
        assert ground.documents("1") == ground.expected(history[:2000])
        assert worker.process.poll() is None
        ground.flip("1")
        ground.check(history)
        assert worker.said(WAITS) == 1


def test_a_worker_that_waits_stops_when_asked(ground: Ground) -> None:
    with redis.Redis.from_url(ground.settings.redis) as client:
        client.set(ground.keys("2.3").version, "2")
    ground.flip("2.3")
    with ground.worker() as worker:
        until_said(worker, WAITS)
        worker.send(signal.SIGTERM)
        assert worker.exit_code() == 0


def test_two_releases_side_by_side_each_fill_their_own(ground: Ground, following: dict[str, str]) -> None:
    """Blue and green: the old one works until the flip, the new one from then on; and back again."""
    history = ground.history(8000)
    part = [history[n : n + 2000] for n in range(0, len(history), 2000)]
    ground.write(part[0])
    with ExitStack() as started:
        old = started.enter_context(ground.worker())
        ground.check(part[0])
        new = started.enter_context(ground.worker(release=following))
        until_said(new, WAITS)
        fill(ground, "2.1", following)
        ground.write(part[1])
        ground.check(history[:4000])
        assert (ground.live(), old.said(WAITS)) == ("1", 0)
        for generation, waiting in (("2.1", old), ("1", new)):
            count, left = waiting.said(WAITS), ground.live()
            ground.flip(generation)
            until_said(waiting, WAITS, count + 1)
            before = written(ground, left)
            ground.write(part[2] if waiting is old else part[3])
            ground.check(history[:6000] if waiting is old else history)
            assert written(ground, left) == before
        for worker in (old, new):
            worker.send(signal.SIGTERM)
            assert worker.exit_code() == 0


def test_a_worker_leaves_nothing_where_it_was_started(ground: Ground, tmp_path: Path) -> None:
    history = ground.history(1000)
    ground.write(history)

    def stops(worker: Worker) -> None:
        worker.send(signal.SIGTERM)
        assert worker.exit_code() == 0

    with ground.worker(folder=tmp_path) as worker:
        ground.check(history)
        stops(worker)
    assert list(tmp_path.iterdir()) == []
