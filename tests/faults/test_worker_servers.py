"""Servers that go away, come back, or come back with less than they had."""

import signal
from collections.abc import Iterator

import pytest
import redis

from ops import stack
from ops.kafka import committed
from tests.faults.worker_support import Ground, until
from tests.support.space import Space


@pytest.fixture
def ground(space: Space) -> Iterator[Ground]:
    yield Ground(space)
    for server in ("redis", "kafka"):
        stack.start_one(space.servers.home, server)  # whatever became of the test


def flush(ground: Ground) -> None:
    with redis.Redis.from_url(ground.settings.redis) as client:
        client.flushall()


def test_redis_loses_everything_while_the_worker_is_busy(ground: Ground) -> None:
    history = ground.history(20_000)
    ground.write(history)
    with ground.worker():
        ground.wait_for(len(history) // 3)
        flush(ground)
        ground.check(history)


def test_redis_loses_everything_when_no_more_events_come(ground: Ground) -> None:
    history = ground.history()
    ground.write(history)
    with ground.worker() as worker:
        ground.check(history)
        flush(ground)
        until("noticed", lambda: worker.said("Redis lost data") > 0)
        ground.check(history)


def test_redis_loses_everything_while_it_is_away_and_another_worker_leaves(ground: Ground) -> None:
    """Where to begin cannot be asked then; Kafka says at the ends, and nothing comes that would show what is lost."""
    home, history = ground.space.servers.home, ground.history(2000)
    group, topic = f"{ground.settings.namespace}.{ground.view}@1", ground.settings.topics.events
    ground.write(history)
    with ground.worker() as worker, ground.worker() as leaving:
        until("both work", lambda: bool(worker.said('"working"') and leaving.said('"working"')))
        ground.check(history)
        until("Kafka is told", lambda: committed(ground.settings.kafka, group, topic) == ground.ends)
        flush(ground)
        stack.kill(home, "redis", signal.SIGKILL)
        leaving.send(signal.SIGTERM)
        until("the other one has all partitions", lambda: worker.said("no positions") > 0)
        stack.start_one(home, "redis")
        ground.check(history)


def test_redis_is_killed_and_comes_back(ground: Ground) -> None:
    """With what its log had on disk: up to a second of writes is gone, and done again."""
    home, history = ground.space.servers.home, ground.history(20_000)
    ground.write(history[:10_000])
    with ground.worker() as worker:
        ground.wait_for(1)
        stack.kill(home, "redis", signal.SIGKILL)
        ground.write(history[10_000:])
        until("the worker says that it waits", lambda: worker.said("waiting for a server") > 0)
        stack.start_one(home, "redis")
        ground.check(history)
        until("the worker says that it is back", lambda: worker.said("the server is back") > 0)
        assert worker.said("waiting for a server") == 1


def test_a_worker_stops_while_redis_is_away(ground: Ground) -> None:
    home, history = ground.space.servers.home, ground.history()
    ground.write(history[:6000])
    with ground.worker() as worker:
        ground.wait_for(6000)
        stack.kill(home, "redis", signal.SIGKILL)
        ground.write(history[6000:])
        until("the worker waits", lambda: worker.said("waiting for a server") > 0)
        worker.send(signal.SIGTERM)
        assert worker.exit_code() == 0
    stack.start_one(home, "redis")
    with ground.worker():
        ground.check(history)


def test_a_worker_waits_for_redis_at_its_start(ground: Ground) -> None:
    home, history = ground.space.servers.home, ground.history(1000)
    ground.write(history)
    stack.kill(home, "redis", signal.SIGKILL)
    with ground.worker() as worker:
        until("the worker waits", lambda: worker.said("waiting for a server") > 0)
        stack.start_one(home, "redis")
        ground.check(history)


def test_kafka_is_killed_and_comes_back(ground: Ground) -> None:
    home, history = ground.space.servers.home, ground.history()
    ground.write(history[:6000])
    with ground.worker() as worker:
        ground.wait_for(1)
        stack.kill(home, "kafka", signal.SIGKILL)
        until("the worker says that it waits", lambda: worker.said("waiting for a server") > 0)
        stack.start_one(home, "kafka")
        ground.write(history[6000:])
        ground.check(history)
        until("the worker says that it is back", lambda: worker.said("the server is back") > 0)
        stack.kill(home, "kafka", signal.SIGKILL)
        worker.send(signal.SIGTERM)
        assert worker.exit_code() == 0


def test_kafka_is_killed_while_a_worker_begins(ground: Ground) -> None:
    """It has looked at the topic, and not started its consumer."""
    home, history = ground.space.servers.home, ground.history(1000)
    ground.write(history)
    stack.kill(home, "redis", signal.SIGKILL)
    with ground.worker("1") as worker:
        until("the worker waits for Redis", lambda: worker.said("waiting for a server") > 0)
        stack.kill(home, "kafka", signal.SIGKILL)
        stack.start_one(home, "redis")
        until("the worker waits for Kafka", lambda: worker.said("waiting for a server") > 1)
        stack.start_one(home, "kafka")
        ground.check(history)
        worker.send(signal.SIGTERM)
        assert worker.exit_code() == 0
