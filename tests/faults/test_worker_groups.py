"""Groups: workers that come and go while chunks are under way, and a Redis that keeps them waiting."""

import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random

import pytest
import redis

from ops import stack
from projections.redis_model.keys import live_key
from projections.transport.consumer import FINISH_SECONDS
from schemas.events import Envelope
from tests.faults.worker_support import Ground, Worker, members, pause, until, wake
from tests.support.space import Space

MEGABYTES_MORE = 32  # than when warm: a few chunks and fetches. A queue without bound was 54 above this one


@pytest.fixture
def ground(space: Space) -> Ground:
    return Ground(space)


@contextmanager
def redis_stands_still(ground: Ground) -> Iterator[None]:
    """What is sent to Redis meanwhile is taken by the kernel, and not answered."""
    server = stack.pid(ground.space.servers.home, "redis")
    assert server is not None
    pause(server)
    try:
        yield
    finally:
        wake(server)


@contextmanager
def another_worker(ground: Ground) -> Iterator[Worker]:
    """One that has said hello to Redis, the last thing before it joins the group."""
    key = live_key(ground.settings.namespace, ground.view)
    with redis.Redis.from_url(ground.settings.redis) as client:
        client.delete(key)
        with ground.worker() as worker:
            until("the other one is about to join", lambda: bool(client.exists(key)))
            yield worker


def parts(history: list[Envelope], count: int) -> Iterator[list[Envelope]]:
    size = -(-len(history) // count)
    return (history[first : first + size] for first in range(0, len(history), size))


def test_workers_join_and_leave_while_redis_holds_a_chunk(ground: Ground) -> None:
    history = ground.history(20_000)
    part = parts(history, 5)
    ground.write(next(part))
    with ground.worker():
        ground.wait_for(1)
        for _ in range(2):
            with another_worker(ground) as second:
                with redis_stands_still(ground):
                    ground.write(next(part))
                    until("both are in the group", lambda: len(members(ground)) == 2)
                until("both work", lambda: bool(second.said('"working"')))
                with redis_stands_still(ground):
                    ground.write(next(part))
                    second.send(signal.SIGTERM)
                    assert second.exit_code() == 0
        ground.check(history)


def test_a_chunk_stays_in_redis_for_longer_than_its_revocation_waits(ground: Ground) -> None:
    """Its worker gives it up; the next owner reads it again, and Redis applies it nevertheless."""
    history = ground.history(12_000)
    part = parts(history, 3)
    ground.write(next(part))
    with ground.worker() as first:
        ground.wait_for(1)
        with another_worker(ground) as second:
            with redis_stands_still(ground):
                ground.write(next(part))
                time.sleep(FINISH_SECONDS + 2)
            ground.write(next(part))
            ground.check(history)
            for worker in (first, second):
                worker.send(signal.SIGTERM)
                assert worker.exit_code() == 0
    assert ground.documents() == ground.expected(history)


def test_a_slow_redis_fills_no_memory(ground: Ground) -> None:
    history = ground.history(100_000)
    ground.write(history[:10_000])
    with ground.worker() as worker:
        ground.wait_for(10_000)
        warm, group = megabytes(worker), members(ground)
        sizes = []
        with redis_stands_still(ground):
            ground.write(history[10_000:])
            sizes.append(megabytes(worker))
        for _ in range(30):
            with redis_stands_still(ground):
                time.sleep(0.25)
                sizes.append(megabytes(worker))
            time.sleep(0.02)
        assert max(sizes) - warm < MEGABYTES_MORE, sizes
        ground.check(history)
        assert members(ground) == group


def megabytes(worker: Worker) -> int:
    status = Path(f"/proc/{worker.process.pid}/status").read_text("ascii")
    (resident,) = (line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(resident.split()[1]) // 1024


def test_three_workers_come_and_go_as_they_like(ground: Ground) -> None:
    chance, history = Random(1), ground.history(24_000)
    with ExitStack() as started:
        alive: list[Worker] = []
        for part in parts(history, 12):
            ground.write(part)
            if len(alive) < 3 and (not alive or chance.random() < 0.6):
                alive.append(started.enter_context(ground.worker()))
            else:
                leaving = alive.pop(chance.randrange(len(alive)))
                how = chance.choice([signal.SIGTERM, signal.SIGKILL])
                began = leaving.said('"event"') > 0  # before, while Python imports, nobody listens to signals yet
                leaving.send(how)
                assert leaving.exit_code() in ({0} if began and how == signal.SIGTERM else {0, -how})
            time.sleep(chance.uniform(0.2, 2.0))
        if not alive:
            started.enter_context(ground.worker())
        ground.check(history)
