"""What tests of rebuilds share: the command line in this process, a view's documents, and what they have to be."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import redis
from typer.testing import CliRunner, Result

from commands.cassandra.scan import CassandraEventScan
from ops import kafka
from ops.cli import app
from projections.changes import StoredDocument
from projections.memory_model import MemoryReadModel
from projections.queries import Views
from projections.redis_model.generations import Generation, Generations
from projections.settings import Settings
from projections.views import VIEWS
from schemas.events import Envelope
from tests.support.load import Load, Stores, some_commands
from tests.support.processes import eventually, handler
from tests.support.space import Servers, Space, new_space

SOURCES = ["topic", "journal", "events"]
Documents = dict[tuple[str, str], StoredDocument]


@dataclass
class Rebuilds:
    """One view of a space, rebuilt by the command line."""

    space: Space
    view: str = "title_downloads"

    def __post_init__(self) -> None:
        self.redis_url = self.space.servers.address.redis
        self.generations = Generations(self.redis_url, self.space.name, self.view)

    def run(self, *arguments: str) -> Result:
        return CliRunner().invoke(app, ["rebuild", self.view, *arguments])

    def json(self, *arguments: str) -> list[dict[str, Any]]:
        result = self.run(*arguments, "--json")
        assert result.exit_code == 0, result.output
        return [json.loads(line) for line in result.stdout.splitlines()]

    def all(self) -> dict[str, Generation]:
        return {one.name: one for one in self.generations.all()}

    def states(self) -> dict[str, str]:
        return {one.name: one.state for one in self.generations.all()}

    def documents(self, generation: str) -> Documents:
        views = Views(Settings(redis=self.redis_url, namespace=self.space.name))
        try:
            return {(tag, document): stored for tag, document, stored in views.export(self.view, generation)}
        finally:
            views.close()

    def events(self) -> Iterator[tuple[int, list[Envelope]]]:
        """Each account's partition and stored events."""
        session = self.space.session()
        try:
            scan = CassandraEventScan(session)
            for piece in scan.slices(4):
                for rows in scan.read(piece):
                    yield rows[0].shard, [row.envelope for row in rows]
        finally:
            session.cluster.shutdown()

    def expected(self, until: int | None = None) -> Documents:
        """The fold of the stored events."""
        model = MemoryReadModel(VIEWS[self.view])
        for shard, envelopes in self.events():
            cut = [one for one in envelopes if until is None or one.at <= until]
            if cut:
                model.fold(shard, cut)
        return model.stored

    def keys(self, generation: str) -> list[str]:
        with redis.Redis.from_url(self.redis_url, decode_responses=True) as client:
            return [str(key) for key in client.scan_iter(f"{self.space.name}:{self.view}@{generation}:*", count=1000)]

    def ends(self) -> dict[int, int]:
        """Where the topic ends; a handler that was taken over from has published some events twice."""
        return kafka.ends(self.space.settings.kafka, self.space.topics.events)

    def start_over(self) -> None:
        """Forget every generation."""
        with redis.Redis.from_url(self.redis_url) as client:
            for key in client.scan_iter(f"{self.space.name}:{self.view}*", count=1000):
                client.delete(key)


def told(space: Space, patch: pytest.MonkeyPatch) -> None:
    """Commands of this process are told of the space, and do not wait long for a worker."""
    for name, value in space.environment().items():
        if name.startswith("LICENSING_"):
            patch.setenv(name, value)
    patch.setattr("ops.rebuild.cutover.QUIET", 0.1)


def space_of_rebuilds(servers: Servers) -> Space:
    """A space whose handlers have decided two thousand commands, and have gone.

    One was killed, and its successor has published some events again, as any take-over may: so on every machine, busy
    or not, the topic has more messages than there are events.
    """
    space = new_space(servers)
    stores, load = Stores(space), Load(space)
    commands, sent = list(some_commands(2000, accounts=60)), 0
    with handler(space, "killed", ["-m", "tests.faults.doomed_handler", "after_publish", "SIGKILL"]) as killed:
        while killed.alive():
            load.send(*commands[sent : sent + 50])
            sent += 50
            eventually(lambda: stores.followed_up() or not killed.alive(), what="it goes on, or is gone")
    with handler(space):
        for start in range(sent, 2000, 50):  # rows of the journal, some of each shard
            load.send(*commands[start : start + 50])
            eventually(stores.followed_up, what="all commands are followed up")
    stores.close()
    return space


def small_batches(patch: pytest.MonkeyPatch) -> None:
    """So that a small history is many."""
    for module in ("topic", "journal", "events"):
        patch.setattr(f"ops.rebuild.{module}.EVENTS", 50)
    patch.setattr("ops.rebuild.topic.AT_ONCE", 50)
    patch.setattr("ops.rebuild.journal._BATCHES", 1)


@contextmanager
def rebuilds_in(space: Space, patch: pytest.MonkeyPatch) -> Iterator[Rebuilds]:
    """The rebuilds of a test, which begins with none, in small batches."""
    told(space, patch)
    small_batches(patch)
    found = Rebuilds(space)
    found.start_over()
    yield found
    found.generations.close()
