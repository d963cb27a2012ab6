"""Settings of the read side, from the environment (`LICENSING_*`)."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from schemas.topics import Topics

_CASSANDRA_PORT = 9042


class BadContactPoint(Exception):
    """A contact point of Cassandra is not `host` or `host:port`."""


class BadCredentials(Exception):
    """There is a user of Cassandra without a password, or a password without a user."""


class Settings(BaseSettings):
    """Where the servers are, and the names below which everything lives."""

    model_config = SettingsConfigDict(env_prefix="LICENSING_", frozen=True)

    kafka: str = "127.0.0.1:9092"
    cassandra: str = "127.0.0.1:9042"
    cassandra_user: str | None = None
    cassandra_password: SecretStr | None = None
    keyspace: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,47}$")] = "licensing"
    redis: str = "redis://127.0.0.1:6379/0"
    namespace: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")] = "licensing"
    #: Confluent's schema registry, if there is one.
    schema_registry_url: Annotated[str | None, Field(validation_alias="SCHEMA_REGISTRY_URL")] = None
    #: Touched every few seconds, for health checks.
    alive_file: Path | None = None
    #: A worker that was killed holds its partitions for that long.
    session_timeout_ms: Annotated[int, Field(ge=1000, le=60_000)] = 10_000

    @property
    def topics(self) -> Topics:
        """The topics of the namespace."""
        return Topics(self.namespace)

    def cassandra_points(self) -> list[tuple[str, int]]:
        """The contact points as host and port.

        Raises:
            BadContactPoint: one of them is no contact point.
        """
        return [_point(point.strip()) for point in self.cassandra.split(",")]

    def cassandra_credentials(self) -> tuple[str, str] | None:
        """User and password; None: Cassandra does not ask.

        Raises:
            BadCredentials: there is one without the other.
        """
        user, password = self.cassandra_user, self.cassandra_password
        if bool(user) != bool(password):
            raise BadCredentials(
                "LICENSING_CASSANDRA_USER and LICENSING_CASSANDRA_PASSWORD go together: set both or none"
            )
        return (user, password.get_secret_value()) if user and password else None


def _point(text: str) -> tuple[str, int]:
    host, colon, port = text.partition(":")
    number = int(port) if port.isascii() and port.isdecimal() else 0
    if not colon:
        number = _CASSANDRA_PORT
    if not host or not 0 < number < 65_536:
        raise BadContactPoint(f"LICENSING_CASSANDRA: a contact point is host or host:port, not {text!r}")
    return host, number
