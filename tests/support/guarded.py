"""A Cassandra that asks who one is and lets nobody do more than the role may; fresh, for the length of a block."""

import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from commands.cassandra.session import Session, connect
from commands.ports import NotPrepared
from ops.stack import process
from ops.stack.cassandra import Cassandra
from ops.stack.files import quiet
from ops.stack.ports import choose
from ops.stack.servers import Place
from tests.support.processes import eventually

_OF_A_ROLE = "s3cret-of-{}"
#: The superuser that Cassandra makes itself, as a process of ours is told to be it.
SUPERUSER = {"LICENSING_CASSANDRA_USER": "cassandra", "LICENSING_CASSANDRA_PASSWORD": "cassandra"}


class _Guarded(Cassandra):
    def command(self, place: Place) -> list[str]:
        line = super().command(place)
        _replace(place.folder / "cassandra.yaml", "AllowAllAuthenticator", "PasswordAuthenticator")
        _replace(place.folder / "cassandra.yaml", "AllowAllAuthorizer", "CassandraAuthorizer")
        foreground = "-Dcassandra-foreground=yes\n"
        _replace(place.folder / "java.args", foreground, f"{foreground}-Dcassandra.superuser_setup_delay_ms=0\n")
        return line


def _replace(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert text.count(old) == 1
    file.write_text(text.replace(old, new), "utf-8")


def _answers(points: list[tuple[str, int]]) -> bool:
    try:
        connect(points, None, credentials=("cassandra", "cassandra")).cluster.shutdown()
    except NotPrepared:  # it makes the superuser when it has begun
        return False
    return True


@contextmanager
def guarded_cassandra(home: Path) -> Iterator[str]:
    """Its address, once its superuser can be used."""
    server, folder = _Guarded(), home / "guarded"
    folder.mkdir()
    server.install(quiet)
    ports = choose(server.port_names, {}, set())
    process.spawn(server.command(Place(folder, ports, 1)), folder)
    try:
        eventually(lambda: server.answers(ports["native"]), 120, what="Cassandra answers")
        eventually(lambda: _answers([("127.0.0.1", ports["native"])]), what="its superuser is there")
        yield f"127.0.0.1:{ports['native']}"
    finally:
        process.send(folder, signal.SIGKILL)
        shutil.rmtree(folder)


def grant(session: Session, name: str, permissions: list[str], keyspace: str) -> None:
    """Make a role with these permissions on a keyspace alone."""
    session.execute(f"CREATE ROLE {name} WITH LOGIN = true AND PASSWORD = '{_OF_A_ROLE.format(name)}'")
    for permission in permissions:
        session.execute(f"GRANT {permission} ON KEYSPACE {keyspace} TO {name}")


def role(name: str) -> dict[str, str]:
    """What a process of ours is told to be that role."""
    return {"LICENSING_CASSANDRA_USER": name, "LICENSING_CASSANDRA_PASSWORD": _OF_A_ROLE.format(name)}
