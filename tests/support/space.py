"""A test's own names on the run's servers."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from commands.cassandra.session import Session, connect
from commands.cassandra.tables import create_tables
from commands.settings import Settings
from ops import topics
from ops.stack import StackAddress
from schemas.topics import Topics

PARTITIONS = 4


@dataclass(frozen=True, slots=True)
class Servers:
    """The run's servers: `home` holds their data, logs and pid files."""

    home: Path
    address: StackAddress


@dataclass(frozen=True, slots=True)
class Space:
    """One namespace and one keyspace, equally named, with topics and tables in place."""

    servers: Servers
    name: str

    @property
    def topics(self) -> Topics:
        """The topics of this space."""
        return Topics(self.name)

    @property
    def settings(self) -> Settings:
        """What a handler in this space is told."""
        return Settings(
            kafka=self.servers.address.kafka,
            cassandra=self.servers.address.cassandra,
            keyspace=self.name,
            namespace=self.name,
            session_timeout_ms=3000,
        )

    def environment(self) -> dict[str, str]:
        """The environment of a process in this space."""
        return {
            **os.environ,
            **self.servers.address.environment(),
            "LICENSING_KEYSPACE": self.name,
            "LICENSING_NAMESPACE": self.name,
            "LICENSING_SESSION_TIMEOUT_MS": "3000",
            "PYTHONPATH": os.pathsep.join(sys.path),
        }

    def session(self) -> Session:
        """A Cassandra session in the keyspace; the caller shuts its cluster down."""
        settings = self.settings
        return connect(settings.cassandra_points(), self.name, credentials=settings.cassandra_credentials())


def new_space(servers: Servers) -> Space:
    """Create topics and tables under a name of their own."""
    space = Space(servers, f"t{uuid4().hex[:12]}")
    topics.create(space.settings.kafka, space.topics, PARTITIONS)
    settings = space.settings
    session = connect(settings.cassandra_points(), None, credentials=settings.cassandra_credentials())
    try:
        create_tables(session, space.name)
    finally:
        session.cluster.shutdown()
    return space
