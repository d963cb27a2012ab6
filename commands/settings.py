"""What the handler is told by its environment (`LICENSING_*`)."""

import re
from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from commands.policy_file import DEFAULT
from commands.ports import NotPrepared


class Settings(BaseSettings):
    """The handler's settings; each is an environment variable with the prefix `LICENSING_`."""

    model_config = SettingsConfigDict(env_prefix="LICENSING_", frozen=True)

    kafka: str = Field(default="127.0.0.1:9092", description="Kafka bootstrap servers, host:port, comma between them")
    cassandra: str = Field(default="127.0.0.1:9042", description="contact points, host:port, comma between them")
    cassandra_user: str | None = Field(default=None, description="Cassandra role, if Cassandra asks for one")
    cassandra_password: SecretStr | None = Field(default=None, description="its password")
    keyspace: str = Field(default="licensing", description="Cassandra keyspace")
    namespace: str = Field(default="licensing", description="prefix of topics and consumer groups")
    policy: Path = Field(default=DEFAULT, description="YAML file with the rules")
    cached_accounts: int = Field(default=100_000, ge=1, description="accounts kept in memory")
    session_timeout_ms: int = Field(default=10_000, ge=1000, description="silence after which partitions move on")
    alive_file: Path | None = Field(default=None, description="touched while the loop turns, for health checks")
    replication: int = Field(default=1, ge=1, description="replicas of each row, when the keyspace is created")
    schema_registry_url: str | None = Field(
        default=None, validation_alias="SCHEMA_REGISTRY_URL", description="Confluent's schema registry, if there is one"
    )
    journal_ttl_days: int = Field(default=0, ge=0, description="journal rows are kept this long; 0: for ever")

    def cassandra_points(self) -> list[tuple[str, int]]:
        """The contact points as host and port; a host alone means port 9042.

        Raises:
            NotPrepared: one of them is no contact point.
        """
        return [_point(point.strip()) for point in self.cassandra.split(",")]

    def cassandra_credentials(self) -> tuple[str, str] | None:
        """User and password; None: Cassandra does not ask.

        Raises:
            NotPrepared: there is one without the other.
        """
        user, password = self.cassandra_user, self.cassandra_password
        if bool(user) != bool(password):
            raise NotPrepared("LICENSING_CASSANDRA_USER and LICENSING_CASSANDRA_PASSWORD go together: set both or none")
        return (user, password.get_secret_value()) if user and password else None


def _point(text: str) -> tuple[str, int]:
    match = re.fullmatch(r"([^:\s]+)(?::(\d{1,5}))?", text)
    if match is None:
        raise NotPrepared(f"LICENSING_CASSANDRA: a contact point is host or host:port, not {text!r}")
    return match[1], int(match[2] or 9042)
