"""Confluent's schema registry, through confluent-kafka's own client: imported only by a client that is told of one."""

from typing import Any

from confluent_kafka.schema_registry import Schema as RegistrySchema
from confluent_kafka.schema_registry import SchemaRegistryClient

from schemas.confluent import text_of
from schemas.registry import Schema

_PATIENCE = 2.0  # seconds for a request


class Registry:
    """The registry at a URL. Nothing connects before the first call; what it raises otherwise has no common base."""

    def __init__(self, url: str) -> None:
        # Whoever waits says so, and for how long; retries in here would not.
        self._client: Any = SchemaRegistryClient({"url": url, "timeout": _PATIENCE, "max.retries": 0})

    def text(self, number: int) -> str | None:
        """The schema with an id; None: the registry has none."""
        return text_of(self._client, number)

    def id_of(self, subject: str, schema: Schema) -> int:
        """The id of a schema, which is registered under the subject if it is not yet."""
        return int(self._client.register_schema(subject, RegistrySchema(schema.text, "AVRO")))

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
