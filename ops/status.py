"""What runs where, and how far behind each reader is."""

import socket
import time
from dataclasses import dataclass, field
from pathlib import Path

from commands.policy_file import PolicyError
from commands.policy_log import Refusal
from commands.ports import NotPrepared
from ops import history, kafka, processes, services, versions
from ops.dead_letters import reading as dead_letters
from ops.policies import Listed, listed, refused
from ops.policies import read as read_policies
from ops.rebuild.unfinished import Unfinished, unfinished
from ops.redis import RedisError
from ops.settings import Settings
from ops.stack import status as servers
from ops.versions import Version, Waiting
from projections.queries import Views
from projections.settings import Settings as ViewSettings
from projections.views import VIEWS


@dataclass(frozen=True, slots=True)
class Process:
    """One process of the system; `pid` None: it does not run."""

    name: str
    pid: int | None
    address: str
    log: str


@dataclass(frozen=True, slots=True)
class Lag:
    """How many messages of a topic wait for a reader, by partition."""

    reader: str
    topic: str
    partitions: list[int]
    total: int


@dataclass(slots=True)
class Status:
    """All that `licensing status` shows. `dead_letters` None: Kafka does not answer.

    `refused_policies`: messages of the policies topic that no handler takes; everything else goes on.
    """

    processes: list[Process]
    lags: list[Lag] = field(default_factory=list)
    dead_letters: int | None = None
    policies: list[Listed] = field(default_factory=list)
    refused_policies: list[Refusal] = field(default_factory=list)
    versions: list[Version] = field(default_factory=list)
    waiting: list[Waiting] = field(default_factory=list)
    rebuilds: list[Unfinished] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether everything runs, answers and goes on."""
        return not self.problems and not self.waiting and all(process.pid is not None for process in self.processes)


def collect(home: Path, settings: Settings) -> Status:
    """Look at the processes of a home and at the lag on the servers of the settings; nothing here raises."""
    found = Status(_processes(home))
    if not _answers(settings.kafka):
        found.problems.append(f"Kafka does not answer at {settings.kafka}: start everything with `licensing up`.")
        return found
    try:
        _read(found, home, settings)
    except (kafka.KafkaProblem, RedisError, history.CassandraProblem, NotPrepared, PolicyError) as error:
        found.problems.append(str(error))
    return found


def _processes(home: Path) -> list[Process]:
    rows = [
        Process(
            server.name,
            server.pid,
            f"127.0.0.1:{server.port}" if server.port else "",
            str(home / server.name / "server.log"),
        )
        for server in servers(home)
    ]
    own = [
        Process(name, processes.pid_of(home, name), "", str(processes.log_of(home, name)))
        for name in services.commands()
    ]
    return rows + own


def _read(found: Status, home: Path, settings: Settings) -> None:
    topics = settings.topics
    wanted = [*topics.all(), topics.policies]
    missing = set(wanted) - set(kafka.partitions(settings.kafka, wanted))
    if missing:
        found.problems.append(f"Topics are missing: {', '.join(sorted(missing))}. Create them with `licensing init`.")
        return
    committed = kafka.committed(settings.kafka, settings.handler_group, topics.commands)
    found.lags.append(_lag("handler", topics.commands, kafka.ends(settings.kafka, topics.commands), committed))
    found.dead_letters = dead_letters.waiting(settings)
    rules = read_policies(settings)
    found.policies, found.refused_policies = listed(rules, int(time.time() * 1000)), refused(rules)
    ends = kafka.ends(settings.kafka, topics.events)
    views = Views(ViewSettings(redis=settings.redis, namespace=settings.namespace))
    try:
        for view in VIEWS:
            found.lags.append(_lag(view, topics.events, ends, views.positions(view)))
        found.waiting = versions.waiting(home, views)
        found.versions = versions.of_views(views)
    finally:
        views.close()
    found.rebuilds = list(unfinished(settings))
    found.versions.insert(0, versions.of_snapshots(history.state_versions(settings)))


def _lag(reader: str, topic: str, ends: dict[int, int], positions: dict[int, int]) -> Lag:
    waiting = [max(0, end - positions.get(partition, 0)) for partition, end in sorted(ends.items())]
    return Lag(reader, topic, waiting, sum(waiting))


def _answers(address: str) -> bool:
    host, _, port = address.split(",", maxsplit=1)[0].rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=2):
            return True
    except (OSError, ValueError):
        return False
