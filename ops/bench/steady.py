"""A handler and workers that stay while work comes in portions, and what each portion costs them."""

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from statistics import mean

from ops import kafka
from ops.bench.filling import Timed, produce_commands
from ops.bench.ground import Ground, Space, licensing
from ops.bench.handled import Handled
from ops.bench.watch import Watched, cpu_seconds, follow
from projections.redis_model.keys import Keys
from projections.redis_model.reader import RedisReader

VIEW = "device_downloads"
#: Kafka must not take a process that is paused for a dead one.
_PATIENT = ["env", "LICENSING_SESSION_TIMEOUT_MS=60000"]
_LOOK = 0.05


@contextmanager
def handler(ground: Ground, space: Space) -> Iterator[Watched]:
    """A handler process for the length of the block; its progress is the commands that are followed up."""
    with (
        space.cassandra() as session,
        ground.process([*_PATIENT, *licensing("handler")], space, "handler") as process,
    ):
        yield Watched(process, Handled(space, session, [process]).count)


@contextmanager
def worker(ground: Ground, space: Space, view: str, generation: str) -> Iterator[Watched]:
    """A worker process for the length of the block; its progress is the events that are in Redis."""
    keys = Keys(space.settings.namespace, view, generation)
    reader = RedisReader(space.settings.redis)
    argv = [*_PATIENT, *licensing("worker", view, "--generation", generation)]
    try:
        with ground.process(argv, space, f"worker-{view}-{generation}") as process:
            yield Watched(process, lambda: sum(reader.positions(keys).values()))
    finally:
        reader.close()


class System:
    """A handler and workers on one space."""

    def __init__(self, space: Space, handler: Watched, workers: Sequence[Watched]) -> None:
        self.handler, self.workers = handler, workers
        self._space = space
        self._commands = 0

    def take(self, commands: Sequence[Timed]) -> None:
        """Send commands, and wait until they are followed up and projected."""
        self._commands += produce_commands(self._space, commands)
        follow([self.handler], self._commands, _LOOK)
        follow(self.workers, self.events(), _LOOK)

    def cost(self, commands: Sequence[Timed]) -> tuple[float, float]:
        """CPU time (µs) that a command costs the handler, and an event a worker, of a backlog like this one.

        First the commands alone, then the events alone: nobody waits for another, so batches and chunks are full.
        """
        before = self.events()
        with _paused(self.workers):
            with _paused([self.handler]):
                self._commands += produce_commands(self._space, commands)
                begun = cpu_seconds(self.handler.process.pid)
            (trace,) = follow([self.handler], self._commands, _LOOK)
            handled = trace[-1].cpu - begun
            events = self.events()
            begins = [cpu_seconds(worker.process.pid) for worker in self.workers]
        ends = [trace[-1].cpu for trace in follow(self.workers, events, _LOOK)]
        projected = mean(end - begin for begin, end in zip(begins, ends, strict=True))
        return handled / len(commands) * 1e6, projected / (events - before) * 1e6

    def events(self) -> int:
        """How many events there are so far."""
        settings = self._space.settings
        return sum(kafka.ends(settings.kafka, settings.topics.events).values())


@contextmanager
def system(ground: Ground, partitions: int = 4, views: int = 1) -> Iterator[System]:
    """A space with a handler and as many workers, each of a view (a generation) of its own."""
    with ground.space(partitions) as space, handler(ground, space) as handling, ExitStack() as stack:
        workers = [stack.enter_context(worker(ground, space, VIEW, f"v{n}")) for n in range(views)]
        yield System(space, handling, workers)


@contextmanager
def _paused(watched: Sequence[Watched]) -> Iterator[None]:
    for one in watched:
        os.kill(one.process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for one in watched:
            os.kill(one.process.pid, signal.SIGCONT)
