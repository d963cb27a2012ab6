"""Start and stop the three servers of one home folder, which holds all that they write."""

import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from ops.stack import log, process
from ops.stack.address import Record, StackAddress, address_of, publish, published
from ops.stack.cassandra import Cassandra
from ops.stack.errors import StackError
from ops.stack.files import Progress, locked, quiet
from ops.stack.kafka import Kafka
from ops.stack.ports import choose
from ops.stack.redis import Redis
from ops.stack.servers import Place, Server

SERVERS: dict[str, Server] = {server.name: server for server in (Redis(), Cassandra(), Kafka())}
#: Seconds until all servers must answer; one that dies is noticed at once. A busy machine's Cassandra needs over 120.
_PATIENCE = 300.0
_TRIES = 3  # starts of a server whose ports somebody else takes between our probe and its bind


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """One server of a stack; `port` is the one for clients, None before the first start."""

    name: str
    pid: int | None
    port: int | None

    @property
    def running(self) -> bool:
        """Whether its process lives."""
        return self.pid is not None


def start(home: Path, *, partitions: int = 4, progress: Progress = quiet) -> StackAddress:
    """Start what does not run yet and return once every server answers; a start that fails leaves nothing new."""
    home = home.resolve()
    with locked(home / "lock", progress):
        return _start(home, SERVERS, partitions, progress)


def start_one(home: Path, name: str, *, progress: Progress = quiet) -> StackAddress:
    """Start one server of a stack again, on its old ports unless somebody took them."""
    home = home.resolve()
    with locked(home / "lock", progress):
        record = Record.load(home, partitions=0)
        if not record.ports:
            raise StackError(f"No stack was started in {home} yet.")
        return _start(home, [name], record.partitions, progress)


def stop(home: Path, *, progress: Progress = quiet) -> None:
    """Stop what runs; the data stays for the next start."""
    home = home.resolve()
    if not home.exists():
        return
    with locked(home / "lock", progress):
        running = [name for name in SERVERS if pid(home, name) is not None]
        progress("Stopping " + ", ".join(running) if running else "No stack runs here")
        process.end(home / name for name in running)
        (home / "stack.env").unlink(missing_ok=True)


def status(home: Path) -> list[ServerStatus]:
    """Return what runs in a home; nothing is asked over the network."""
    ports = Record.load(home.resolve(), partitions=0).ports
    return [
        ServerStatus(name, pid(home, name), ports[name][server.port_names[0]] if name in ports else None)
        for name, server in SERVERS.items()
    ]


def address(home: Path) -> StackAddress:
    """Return where a started stack answers; raise StackError when there is none."""
    return published(home.resolve())


def pid(home: Path, name: str) -> int | None:
    """Return the process id of a server, None when it does not run."""
    return process.pid_of(home.resolve() / name)


def kill(home: Path, name: str, signal_number: int) -> None:
    """Send a signal to a server; raise StackError when it does not run."""
    if not process.send(home.resolve() / name, signal_number):
        raise StackError(f"{name} does not run in {home}.")


def _start(home: Path, names: Collection[str], partitions: int, progress: Progress) -> StackAddress:
    record = Record.load(home, partitions)
    record.partitions = partitions
    missing = [name for name in names if pid(home, name) is None]
    if not missing:
        progress("Already running: " + ", ".join(names))
    for name in reversed(missing):  # all before the first start, and those first that need Java and Maven
        SERVERS[name].install(progress)
    launched: dict[str, int] = {}  # name -> length of its log before
    try:
        for name in missing:
            launched[name] = _launch(home, record, name, progress)
        _until_answering(home, record, names, launched, progress)
    except BaseException:  # Ctrl-C too
        process.end((home / name for name in {*missing, *launched}), grace=5)
        raise
    publish(home, address_of(record.ports))
    return address_of(record.ports)


def _until_answering(
    home: Path, record: Record, names: Collection[str], launched: dict[str, int], progress: Progress
) -> None:
    """Wait for every server; one that dies is told with its log, unless new ports or a first launch help."""
    silent, tries, began = list(names), dict.fromkeys(names, 0), time.monotonic()
    while silent:
        for name in list(silent):
            if pid(home, name) is None:
                if name in launched:
                    said = log.since(_log(home, name), launched[name])
                    tries[name] += 1
                    if not log.port_was_taken(said) or tries[name] == _TRIES:
                        raise StackError(f"{name} ended while starting: {_log(home, name)}\n{log.excerpt(said)}")
                launched[name] = _launch(home, record, name, progress)
            elif SERVERS[name].answers(record.ports[name][SERVERS[name].port_names[0]]):
                silent.remove(name)
                if name in launched:
                    progress(f"{name.capitalize()} answers after {time.monotonic() - began:.1f} s")
        if not silent:  # somebody else may have taken a port and answered in the place of one of them, which ended
            silent = [name for name in names if pid(home, name) is None]
        if silent and time.monotonic() - began > _PATIENCE:
            said = log.since(_log(home, silent[0]), launched.get(silent[0], 0))
            problem = f"{silent[0]} gave no answer in {_PATIENCE:.0f} s: {_log(home, silent[0])}"
            raise StackError(f"{problem}\n{log.excerpt(said)}")
        time.sleep(0.1)


def _launch(home: Path, record: Record, name: str, progress: Progress) -> int:
    """Start one process and return how long its log was before."""
    server, folder = SERVERS[name], home / name
    folder.mkdir(parents=True, exist_ok=True)
    record.ports[name] = choose(server.port_names, record.ports.get(name, {}), record.taken(but=name))
    record.save(home)
    command = server.command(Place(folder, record.ports[name], record.partitions))
    size = log.size(_log(home, name))
    progress(f"Starting {name.capitalize()} on port {record.ports[name][server.port_names[0]]}")
    process.spawn(command, folder)
    return size


def _log(home: Path, name: str) -> Path:
    return home / name / "server.log"
