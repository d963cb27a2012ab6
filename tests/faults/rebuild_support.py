"""What fault tests of the rebuild share: commands through a real handler, the command line, and what came of it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import redis

from projections.changes import StoredDocument
from projections.memory_model import MemoryReadModel
from projections.queries import Views
from projections.redis_model.generations import Generations
from projections.redis_model.keys import owner_key
from projections.settings import Settings
from projections.views import VIEWS
from schemas.codec import decode_event
from tests.faults.worker_support import until
from tests.support.load import Load, Stores, some_commands
from tests.support.processes import HandlerProcess, eventually, handler
from tests.support.space import PARTITIONS, Space

Documents = dict[tuple[str, str], StoredDocument]
PATIENCE = 120.0  # seconds for a command line


@dataclass
class Rebuilding:
    """One `licensing rebuild`. `said`: what it has written so far."""

    process: "subprocess.Popen[bytes]"
    log: Path

    def runs(self) -> bool:
        return self.process.poll() is None

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def in_the_middle(self) -> None:
        """Wait until it has stopped itself (Linux: state T of /proc/PID/stat)."""

        def stopped() -> bool:
            assert self.runs(), "it ended before it came to the stage"
            return Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"

        until("it comes to the stage", stopped)

    def go_on(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def exit_code(self) -> int:
        return self.process.wait(PATIENCE)

    @property
    def said(self) -> str:
        return self.log.read_text("utf-8", "replace")


class Scene:
    """One view of a space, with everything around it real."""

    def __init__(self, space: Space, view: str = "device_downloads") -> None:
        self.space, self.view = space, view
        address = space.servers.address
        self.settings = Settings(
            kafka=address.kafka,
            cassandra=address.cassandra,
            redis=address.redis,
            keyspace=space.name,
            namespace=space.name,
        )
        self.views = Views(self.settings)
        self.generations = Generations(address.redis, space.name, view)
        self.redis: redis.Redis = redis.Redis.from_url(address.redis)
        self.stores = Stores(space)
        self.started = 0

    def close(self) -> None:
        for one in (self.views, self.generations, self.redis, self.stores):
            one.close()

    def load(self, commands: int, accounts: int, seed: int = 1) -> None:
        """Commands through a handler of its own, until they are all followed up."""
        with handler(self.space, f"handler-{seed}") as process:
            Load(self.space).send(*some_commands(commands, accounts, seed))
            eventually(self.stores.followed_up, 120, what="all commands are decided")
            process.send(signal.SIGTERM)
            assert process.wait() == 0

    @contextmanager
    def worker(self) -> Iterator[HandlerProcess]:
        """A worker that follows the live generation."""
        self.started += 1
        arguments = ["-P", "-m", "projections", "worker", self.view]
        with handler(self.space, f"worker-{self.started}", arguments) as process:
            yield process

    def filled_by_a_worker(self) -> None:
        """The live generation has all that there is, and its worker is gone again."""
        with self.worker() as process:
            self.caught_up()
            process.send(signal.SIGTERM)
            assert process.wait() == 0

    def caught_up(self) -> None:
        eventually(lambda: self.views.positions(self.view) == self.ends(), what="the view has seen the whole topic")

    @contextmanager
    def rebuild(self, *arguments: str, stage: str | None = None, events: int = 1) -> Iterator[Rebuilding]:
        """`stage`: where it stops itself, see stopping_rebuild.py; while it fills, after so many events."""
        self.started += 1
        program = ["ops.cli"] if stage is None else ["tests.faults.stopping_rebuild", stage, str(events)]
        log = self.space.servers.home / f"{self.space.name}-rebuild-{self.started}.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", *program, "rebuild", self.view, *arguments],
                env=self.space.environment(), stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        found = Rebuilding(process, log)
        try:
            yield found
        except BaseException:
            print(f"--- {log.name}", found.said[-4000:], sep="\n")
            raise
        finally:
            if found.runs():
                os.kill(process.pid, signal.SIGCONT)
                found.kill()

    def rebuilt(self, *arguments: str) -> str:
        """A whole rebuild, which must be done; what it said."""
        with self.rebuild(*arguments) as process:
            assert process.exit_code() == 0
        return process.said

    def forget_the_dead(self) -> None:
        """As some seconds of waiting would: the place of a rebuild that was killed is free again."""
        self.redis.delete(owner_key(self.space.name, self.view))

    def ends(self) -> dict[int, int]:
        return {partition: self.stores.end(self.space.topics.events, partition) for partition in range(PARTITIONS)}

    def live(self) -> str | None:
        return self.generations.live()

    def documents(self, generation: str | None = None) -> Documents:
        found = self.views.export(self.view, generation or self.live() or "none")
        return {(tag, document): stored for tag, document, stored in found}

    def expected(self) -> Documents:
        """The fold of all stored events."""
        model = MemoryReadModel(VIEWS[self.view])
        for rows in self.stores.stored().values():
            model.fold(rows[0].shard, [decode_event(row.payload) for row in rows])
        return model.stored

    def written(self, generation: str) -> dict[bytes, bytes]:
        """All documents, versions and positions of a generation, to the byte."""
        keys = sorted(self.redis.scan_iter(match=f"{self.generations.keys(generation).prefix}{{*", count=5000))
        with self.redis.pipeline(transaction=False) as pipe:
            for key in keys:
                pipe.dump(key)
            return dict(zip(keys, pipe.execute(), strict=True))
