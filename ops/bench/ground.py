"""What a row measures on: the servers, a space of its own on them, and processes that end with it."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from ops import history, kafka, processes, topics
from ops.bench.peer import Peer
from ops.settings import Settings
from ops.stack import StackAddress


@dataclass(frozen=True, slots=True)
class Size:
    """How much work there is: the short form or the full one, or for a test a `share` of it."""

    full: bool = False
    share: float = 1.0

    def pick(self, short: int, full: int) -> int:
        """The number for this size; at least 1."""
        return max(1, round((full if self.full else short) * self.share))


@dataclass(frozen=True, slots=True)
class Space:
    """Names that nobody else uses, with topics and tables in place."""

    settings: Settings
    partitions: int

    @property
    def name(self) -> str:
        """The namespace, and the keyspace."""
        return self.settings.namespace

    def cassandra(self) -> AbstractContextManager[Any]:
        """A session of the bare driver in the keyspace, with our profile: quorum, no retries, token aware."""
        return history.session(self.settings)

    def environment(self) -> dict[str, str]:
        """What a process of ours in this space is told; it runs this very code, installed or not."""
        path = [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
        return self.settings.environment() | {"PYTHONPATH": os.pathsep.join(filter(None, path))}


@dataclass(frozen=True, slots=True)
class Process:
    """A process of a row; `said` is what it has written to its log so far."""

    home: Path
    name: str
    pid: int

    def check(self) -> None:
        """Raise ProcessEnded, with the end of the log, if it runs no more."""
        processes.check(self.home, self.name)

    def said(self) -> str:
        """What it has written, to stdout and stderr."""
        return processes.said(self.home, self.name)

    def stop(self) -> None:
        """End it now: SIGTERM, later SIGKILL."""
        processes.stop(self.home, [self.name])


@dataclass(frozen=True, slots=True)
class Ground:
    """The servers at `address`, whose data and logs are in `home`; `tell` and `advance` show what goes on."""

    address: StackAddress
    home: Path
    runs: int
    size: Size
    tell: Callable[[str], None] = lambda text: None
    advance: Callable[[], None] = lambda: None

    def laps(self, name: str) -> Iterator[int]:
        """The numbers of the runs, from 0; each shows progress."""
        for run in range(self.runs):
            self.tell(f"{name}, run {run + 1} of {self.runs}")
            yield run
            self.advance()

    @contextmanager
    def space(self, partitions: int = 4) -> Iterator[Space]:
        """A new space; its topics and its keyspace are dropped afterwards."""
        name = f"b{uuid4().hex[:12]}"
        address = self.address
        settings = Settings(address.kafka, address.cassandra, keyspace=name, redis=address.redis, namespace=name)
        try:
            topics.create(settings.kafka, settings.topics, partitions)
            history.create(settings)
            yield Space(settings, partitions)
        finally:
            kafka.delete(settings.kafka, [*settings.topics.all(), settings.topics.policies])
            history.drop(settings)

    @contextmanager
    def process(self, argv: Sequence[str], space: Space | None, log_name: str) -> Iterator[Process]:
        """Run a program for the length of the block, its log in `home`/processes; it is told of the space.

        Raises:
            ProcessEnded: it ended by itself before the block did.
        """
        name = f"{space.name}-{log_name}" if space else f"{log_name}-{uuid4().hex[:6]}"
        pid = processes.start(self.home, name, argv, space.environment() if space else {})
        process = Process(self.home, name, pid)
        try:
            yield process
            process.check()
        finally:
            process.stop()

    @contextmanager
    def peer(self, argv: Sequence[str], log_name: str, environment: Mapping[str, str] | None = None) -> Iterator[Peer]:
        """Run a program that answers each line on its stdin with a line of JSON, for the length of the block."""
        peer = Peer(argv, processes.log_of(self.home, f"{log_name}-{uuid4().hex[:6]}"), environment or {})
        try:
            yield peer
        finally:
            peer.close()


def licensing(*arguments: str) -> list[str]:
    """The argv of our own command line, such as `licensing("handler")`, for `Ground.process`."""
    return [sys.executable, "-P", "-m", "ops.cli", *arguments]
