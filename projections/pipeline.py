"""From the records of a chunk to the read model: decode, put aside what nobody can read, project."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias

import structlog

from projections.projector import Projector
from projections.read_model import Applied, Behind
from schemas.codec import DecodeError, UnknownSchema, decode_event
from schemas.events import Envelope

#: Sends a record to the dead letters and waits until it is there.
DeadLetter: TypeAlias = Callable[[Any, DecodeError], Awaitable[None]]

log = structlog.get_logger("projections")


class NewerWriter(Exception):
    """A newer release wrote to the topic. Skipping would lose events, so this worker has to end."""


def read(records: Sequence[Any]) -> tuple[list[Envelope], list[tuple[Any, DecodeError]]]:
    """Decode records (`topic`, `partition`, `offset`, `key`, `value`); what is no event of its key comes apart.

    Raises:
        NewerWriter: a record names a schema that this release does not have.
    """
    envelopes: list[Envelope] = []
    unreadable: list[tuple[Any, DecodeError]] = []
    for record in records:
        try:
            envelope = decode_event(record.value or b"")
            if record.key != envelope.account_id.encode():
                raise DecodeError(f"the key is not the account: {record.key!r:.100}")
        except UnknownSchema as error:
            raise NewerWriter(
                f"{record.topic}-{record.partition} offset {record.offset}: {error}; install the newer release here"
            ) from error
        except DecodeError as error:
            unreadable.append((record, error))
        else:
            envelopes.append(envelope)
    return envelopes, unreadable


class Pipeline:
    """Handles chunks of any partition, one at a time."""

    def __init__(self, projector: Projector, dead_letter: DeadLetter) -> None:
        self._projector = projector
        self._dead_letter = dead_letter

    async def handle(self, partition: int, begin: int, end: int, records: Sequence[Any]) -> Applied | Behind:
        """Bring the offsets `begin` <= o < `end` into the read model. After a crash, a dead letter may come twice."""
        envelopes, unreadable = read(records)
        for record, error in unreadable:
            log.warning("dead letter", topic=record.topic, partition=partition, offset=record.offset, error=str(error))
            await self._dead_letter(record, error)
        return await self._projector.project(partition, begin, end, envelopes)
