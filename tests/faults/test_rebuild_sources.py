"""What the topic, Redis and the documents may have lost, and a rebuild or a worker after it makes right."""

import json
import signal
from collections.abc import Iterator
from random import Random

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from tests.faults.rebuild_support import Scene
from tests.support.space import Space

COMMANDS, ACCOUNTS = 6000, 120


@pytest.fixture
def scene(space: Space, view: str) -> Iterator[Scene]:
    scene = Scene(space, view)
    scene.load(COMMANDS, ACCOUNTS)
    yield scene
    scene.close()


def truncate(scene: Scene, share: float) -> None:
    """Delete the first records of every partition."""
    admin = AdminClient({"bootstrap.servers": scene.settings.kafka})
    topic = scene.settings.topics.events
    wanted = [TopicPartition(topic, partition, int(end * share)) for partition, end in scene.ends().items()]
    for future in admin.delete_records(wanted).values():
        future.result()


def goes_on(scene: Scene) -> None:
    """A worker goes on with the live generation: more events come, and all are seen."""
    with scene.worker() as worker:
        scene.load(500, ACCOUNTS, seed=2)
        scene.caught_up()
        assert scene.documents() == scene.expected()
        worker.send(signal.SIGTERM)
        assert worker.wait() == 0


@pytest.mark.parametrize(("view", "share"), [("device_downloads", 0.5), ("title_downloads", 1.0)])
def test_a_truncated_topic_and_a_wiped_redis(scene: Scene, share: float) -> None:
    """The worker says what to do, the rebuild does it from the journal, and the worker goes on."""
    scene.filled_by_a_worker()
    with scene.worker() as worker:
        truncate(scene, share)
        scene.redis.flushall()
        assert worker.wait() == 1
        assert worker.said("licensing rebuild")
    with scene.rebuild("--from", "topic") as refused:
        assert refused.exit_code() == 1
    assert "--from journal" in refused.said
    assert source(scene.rebuilt("--json")) == "journal"
    assert scene.documents() == scene.expected()
    goes_on(scene)
    assert source(scene.rebuilt("--from", "events", "--json")) == "events"
    assert scene.documents() == scene.expected()
    goes_on(scene)


@pytest.mark.parametrize("view", ["licenses"])
def test_a_topic_that_is_truncated_under_a_worker_that_has_seen_it(scene: Scene) -> None:
    scene.filled_by_a_worker()
    truncate(scene, 1.0)
    goes_on(scene)
    assert scene.rebuilt()
    assert scene.documents() == scene.expected()


def source(said: str) -> str:
    plan, _ = (json.loads(line) for line in said.splitlines() if line.startswith("{"))
    return str(plan["source"])


@pytest.mark.parametrize("view", ["device_downloads", "title_downloads"])
def test_corrupted_documents_are_right_after_a_rebuild(scene: Scene) -> None:
    chance = Random(3)
    scene.filled_by_a_worker()
    expected = scene.expected()
    prefix = scene.generations.keys("1").prefix
    keys = sorted(scene.redis.scan_iter(match=f"{prefix}{{*", count=5000))
    documents = [key for key in keys if b"}:doc:" in key]
    holds = [key for key in keys if b"}:holds:" in key]
    for key in chance.sample(documents, 10):
        scene.redis.hincrby(key, chance.choice(["downloads", "acquired", "completed"]), chance.choice([-1, 7]))
    gone, emptied = chance.sample(documents, 3), chance.sample(holds, 3)
    scene.redis.delete(*gone, *emptied)
    scene.redis.zadd(holds[0], {"nobody-has-this": 9_000_000_000_000})
    scene.redis.hset(f"{prefix}{{{documents[0].decode().partition('{')[2].partition('}')[0]}}}:doc:new", "completed", 1)
    assert scene.documents() != expected
    _, result = (json.loads(line) for line in scene.rebuilt("--json").splitlines() if line.startswith("{"))
    assert (result["end"], result["certified"], result["against"]) == ("live", True, "store")
    assert scene.live() == result["generation"] != "1"
    assert scene.documents() == expected
    assert scene.documents("1") != expected
    goes_on(scene)
