"""Workers to measure: each fills a generation of its own from the events topic."""

from collections.abc import Iterator
from contextlib import contextmanager

from ops.bench.ground import Ground, Space, licensing
from ops.bench.watch import Watched
from projections.redis_model.keys import Keys
from projections.redis_model.reader import RedisReader


@contextmanager
def worker(ground: Ground, space: Space, view: str, generation: str) -> Iterator[Watched]:
    """A worker process for the length of the block; its progress is the events that are in Redis."""
    keys = Keys(space.settings.namespace, view, generation)
    reader = RedisReader(space.settings.redis)
    argv = licensing("worker", view, "--generation", generation)
    try:
        with ground.process(argv, space, f"worker-{view}-{generation}") as process:
            yield Watched(process, lambda: sum(reader.positions(keys).values()))
    finally:
        reader.close()
