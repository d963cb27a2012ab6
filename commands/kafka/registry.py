"""Confluent's schema registry on the write side, through confluent-kafka's own client."""

from typing import Any

from confluent_kafka.schema_registry import Schema as RegistrySchema
from confluent_kafka.schema_registry import SchemaRegistryClient, SchemaRegistryError

from commands.ports import NotPrepared, StoreUnavailable
from schemas.confluent import Missing, text_of
from schemas.registry import Schema

#: Seconds for a request: the handler's loop waits for it, but only once for each id.
TIMEOUT = 2.0


class Registry:
    """The registry at a URL. Nothing connects before the first call."""

    def __init__(self, url: str) -> None:
        # Whoever waits says so, and for how long; retries in here would not.
        self._client: Any = SchemaRegistryClient({"url": url, "timeout": TIMEOUT, "max.retries": 0})
        self._missing = Missing()

    def text(self, number: int) -> str | None:
        """The schema with an id; None: the registry has none.

        Raises:
            StoreUnavailable: the registry does not answer.
        """
        if number in self._missing:
            return None
        try:
            found = text_of(self._client, number)
        except Exception as error:
            raise unavailable(error) from error
        if found is None:
            self._missing.add(number)
        return found

    def id_of(self, subject: str, schema: Schema) -> int:
        """The id of a schema, which is registered under the subject if it is not yet.

        Raises:
            StoreUnavailable: the registry does not answer.
            NotPrepared: it refuses the schema.
        """
        try:
            return int(self._client.register_schema(subject, RegistrySchema(schema.text, "AVRO")))
        except Exception as error:
            if isinstance(error, SchemaRegistryError) and error.http_status_code in {409, 422}:
                raise NotPrepared(f"the schema registry refuses {subject} v{schema.version}: {error}") from error
            raise unavailable(error) from error


def unavailable(error: Exception) -> StoreUnavailable:
    """What the client raises has no common base: its own class, those of its HTTP library, and some of its bugs."""
    return StoreUnavailable(f"schema registry: {type(error).__name__}: {error}")
