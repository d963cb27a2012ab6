"""Confluent's schema registry on the write side, through confluent-kafka's own client."""

import time
from typing import Any

from confluent_kafka.schema_registry import Schema as RegistrySchema
from confluent_kafka.schema_registry import SchemaRegistryClient, SchemaRegistryError

from commands.ports import NotPrepared, StoreUnavailable
from schemas.registry import Schema

#: Seconds for a request: the handler's loop waits for it, but only once for each id.
TIMEOUT = 2.0
#: Seconds for which an id that is not there is not asked for again, and how many of those are remembered.
MISSING, MISSING_MOST = 10.0, 1000


class Registry:
    """The registry at a URL. Nothing connects before the first call."""

    def __init__(self, url: str) -> None:
        # Whoever waits says so, and for how long; retries in here would not.
        self._client: Any = SchemaRegistryClient({"url": url, "timeout": TIMEOUT, "max.retries": 0})
        self._missing: dict[int, float] = {}

    def text(self, number: int) -> str | None:
        """The schema with an id; None: the registry has none.

        Raises:
            StoreUnavailable: the registry does not answer.
        """
        now = time.monotonic()
        if self._missing.get(number, 0.0) > now:
            return None
        try:
            found: str | None = self._client.get_schema(number).schema_str
        except Exception as error:
            if not _is_missing(error):
                raise unavailable(error) from error
            found = None
        if found is None:
            if len(self._missing) >= MISSING_MOST:
                self._missing.clear()
            self._missing[number] = now + MISSING
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


def _is_missing(error: Exception) -> bool:
    return isinstance(error, SchemaRegistryError) and error.http_status_code == 404


def unavailable(error: Exception) -> StoreUnavailable:
    """What the client raises has no common base: its own class, those of its HTTP library, and some of its bugs."""
    return StoreUnavailable(f"schema registry: {type(error).__name__}: {error}")
