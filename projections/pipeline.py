"""From the records of a chunk to the read model: decode, put aside what nobody can read, project."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias

import structlog

from projections.projector import Prepared, Projector
from projections.read_model import Applied, Behind
from schemas.codec import DecodeError, UnknownSchema, decode_event
from schemas.events import Envelope

#: Sends a record to the dead letters and waits until it is there.
DeadLetter: TypeAlias = Callable[[Any, DecodeError], Awaitable[None]]
#: Lets others have a turn. Decoding never waits, and would hold up the chunk that is being applied meanwhile.
Pause: TypeAlias = Callable[[], Awaitable[None]]

SLICE = 500  # records decoded between two pauses

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
    """Handles chunks of any partition. The next may be prepared while one is being applied."""

    def __init__(self, projector: Projector, dead_letter: DeadLetter, pause: Pause | None = None) -> None:
        self._projector = projector
        self._dead_letter = dead_letter
        self._pause = pause

    async def handle(self, partition: int, begin: int, end: int, records: Sequence[Any]) -> Applied | Behind:
        """`prepare` and `apply` in one."""
        return await self.apply(await self.prepare(partition, begin, end, records))

    async def prepare(self, partition: int, begin: int, end: int, records: Sequence[Any]) -> Prepared:
        """Decode and project the offsets `begin` <= o < `end`. After a crash, a dead letter may come twice."""
        envelopes: list[Envelope] = []
        for first in range(0, len(records), SLICE):
            read_envelopes, unreadable = read(records[first : first + SLICE])
            envelopes += read_envelopes
            for record, error in unreadable:
                log.warning(
                    "dead letter", topic=record.topic, partition=partition, offset=record.offset, error=str(error)
                )
                await self._dead_letter(record, error)
            if self._pause is not None:
                await self._pause()
        return await self._projector.prepare(partition, begin, end, envelopes)

    async def apply(self, prepared: Prepared) -> Applied | Behind:
        """Bring what was prepared into the read model."""
        return await self._projector.apply(prepared)
