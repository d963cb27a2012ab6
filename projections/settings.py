"""Settings of the read side, from the environment (`LICENSING_*`)."""

from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from schemas.topics import Topics


class Settings(BaseSettings):
    """Where the servers are, and the names below which everything lives."""

    model_config = SettingsConfigDict(env_prefix="LICENSING_", frozen=True)

    kafka: str = "127.0.0.1:9092"
    cassandra: str = "127.0.0.1:9042"
    keyspace: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,47}$")] = "licensing"
    redis: str = "redis://127.0.0.1:6379/0"
    namespace: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")] = "licensing"
    #: A worker that was killed holds its partitions for that long.
    session_timeout_ms: Annotated[int, Field(ge=1000, le=60_000)] = 10_000

    @property
    def topics(self) -> Topics:
        """The topics of the namespace."""
        return Topics(self.namespace)
