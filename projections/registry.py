"""Confluent's schema registry on the read side, through confluent-kafka's client: nobody else imports it here."""

import asyncio
from collections.abc import Iterable
from functools import partial
from typing import Any

from confluent_kafka.schema_registry import SchemaRegistryClient

from projections.patience import Patience
from schemas.confluent import Frames, text_of

TIMEOUT = 5.0  # seconds for a request


class RegistryFrames:
    """Values in Confluent's wire format, brought to single-object encoding. Asks for each id once, and waits for it."""

    def __init__(self, url: str, patience: Patience) -> None:
        self._client: Any = SchemaRegistryClient({"url": url, "timeout": TIMEOUT, "max.retries": 0})
        self._frames = Frames()
        self._patience = patience

    async def learn(self, values: Iterable[bytes | None]) -> None:
        """Ask for the ids that have not been met before. One that the registry does not have stays unknown.

        Raises:
            Stopping: the process is to stop.
        """
        unknown = {number for value in values if (number := self._frames.unknown(value)) is not None}
        for number in sorted(unknown):
            ask = partial(asyncio.to_thread, text_of, self._client, number)
            text = await self._patience.until("the schema registry", is_away, ask)
            if text is not None:
                self._frames.learn(number, text)

    def plain(self, value: bytes) -> bytes:
        """The value in single-object encoding; as it is, where it is that already or its id is not known."""
        return self._frames.plain(value)


def is_away(error: Exception) -> bool:
    """Every error: the client's HTTP library has classes of its own, and no answer is a reason to drop an event."""
    return True
