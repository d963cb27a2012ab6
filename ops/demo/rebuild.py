"""The third measurement: how fast one worker projects the whole events topic, with no handler to wait for."""

import time

from ops import kafka, processes, services
from ops.demo.stage import Stage
from projections.redis_model.keys import Keys
from projections.redis_model.reader import RedisReader

_GENERATION = "demo"
_PATIENCE = 180.0  # seconds; a worker that ends is noticed at once


def projection_rate(stage: Stage, view: str) -> float:
    """Events a second, from the first chunk that is in Redis to the last; a generation of its own is filled."""
    settings, name = stage.settings, f"rebuild-{view}"
    total = sum(kafka.ends(settings.kafka, settings.topics.events).values())
    reader = RedisReader(settings.redis)
    services.start_one(stage.home, settings, name, ["worker", view, "--generation", _GENERATION])
    try:
        return _watch(stage, name, reader, Keys(settings.namespace, view, _GENERATION), total)
    finally:
        processes.stop(stage.home, [name])
        reader.close()


def _watch(stage: Stage, name: str, reader: RedisReader, keys: Keys, total: int) -> float:
    began, first, seen = time.monotonic(), 0, 0
    while seen < total:
        time.sleep(0.005)
        seen = sum(reader.positions(keys).values())
        if not first:
            first, since = seen, time.monotonic()
        if time.monotonic() - began > _PATIENCE:
            raise kafka.KafkaProblem(f"{name} is not ready after {_PATIENCE:.0f} s. See {stage.home}.")
        processes.check(stage.home, name)
    return (total - first) / max(time.monotonic() - since, 0.001)
