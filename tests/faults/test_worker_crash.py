"""Workers that die, stop, share and wake up: every event has its effect once."""

import signal

import pytest

from ops import stack
from projections.views import VIEWS
from tests.faults.worker_support import Ground, pause, until, wake
from tests.support.space import Space


@pytest.fixture
def ground(space: Space) -> Ground:
    return Ground(space)


@pytest.mark.parametrize("view", VIEWS)
def test_killed_again_and_again(space: Space, view: str) -> None:
    ground = Ground(space, view)
    history = ground.history(20_000)
    ground.write(history)
    for share in (1, len(history) // 3):
        with ground.worker() as worker:
            ground.wait_for(share)
            worker.send(signal.SIGKILL)
            worker.exit_code()
    with ground.worker():
        ground.check(history)


def test_killed_while_redis_holds_its_chunk(ground: Ground) -> None:
    """The chunk is sent and not answered when the worker dies; Redis applies it later, or not at all."""
    redis = stack.pid(ground.space.servers.home, "redis")
    assert redis is not None
    history = ground.history(20_000)
    ground.write(history)
    with ground.worker() as worker:
        ground.wait_for(1)
        pause(redis)
        try:
            worker.send(signal.SIGKILL)
            worker.exit_code()
        finally:
            wake(redis)
    with ground.worker():
        ground.check(history)


def test_stopped_while_busy_and_started_again(ground: Ground) -> None:
    history = ground.history(20_000)
    ground.write(history)
    with ground.worker() as worker:
        ground.wait_for(1)
        worker.send(signal.SIGTERM)
        assert worker.exit_code() == 0
    with ground.worker():
        ground.check(history)


def test_two_workers_share_and_one_is_killed(ground: Ground) -> None:
    history = ground.history(20_000)
    ground.write(history[:10_000])
    with ground.worker() as first, ground.worker() as second:
        ground.wait_for(1)
        until("both work", lambda: bool(first.said('"working"') and second.said('"working"')))
        ground.write(history[10_000:])
        first.send(signal.SIGKILL)
        ground.check(history)


def test_an_owner_that_wakes_up_late_changes_nothing(ground: Ground) -> None:
    history = ground.history(20_000)
    ground.write(history)
    with ground.worker() as first:
        ground.wait_for(1)
        pause(first.process.pid)
        with ground.worker():
            ground.check(history)
            wake(first.process.pid)
            ground.write(history[-1000:])  # copies, for both to see
            ground.check(history)
        first.send(signal.SIGTERM)
        assert first.exit_code() == 0
    assert ground.documents() == ground.expected(history)
