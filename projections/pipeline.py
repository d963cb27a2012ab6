"""From the records of a chunk to the read model: decode, put aside what nobody can read, project."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Protocol, TypeAlias

import structlog

from projections.projector import Prepared, Projector
from projections.read_model import Applied, Behind
from schemas.codec import DecodeError, UnknownSchema, decode_event
from schemas.events import Envelope
from schemas.registry import SCHEMAS

#: Sends a record to the dead letters and waits until it is there.
DeadLetter: TypeAlias = Callable[[Any, DecodeError], Awaitable[None]]
#: Lets others have a turn. Decoding never waits, and would hold up the chunk that is being applied meanwhile.
Pause: TypeAlias = Callable[[], Awaitable[None]]

SLICE = 500  # records decoded between two pauses
HEADER_MAX = 80  # characters that are quoted of a header

_KNOWN = {f"{schema.name}.v{schema.version}" for schema in SCHEMAS}

log = structlog.get_logger("projections")


class NewerWriter(Exception):
    """A newer release wrote the record at `offset`, in the version `needs`. Who cannot read it must not pass it."""

    def __init__(self, offset: int, needs: str) -> None:
        super().__init__(f"offset {offset} was written by a newer release, as {needs}")
        self.offset, self.needs = offset, needs


Read: TypeAlias = tuple[list[Envelope], list[tuple[Any, DecodeError]], NewerWriter | None]


class Unframed(Protocol):
    """What brings values of Confluent's wire format to single-object encoding, where there is a schema registry."""

    async def learn(self, values: Iterable[bytes | None]) -> None:
        """Ask the registry for what is needed to read these values, and wait for it."""

    def plain(self, value: bytes) -> bytes:
        """A value in single-object encoding, if it can be."""


def read(records: Sequence[Any], plain: Callable[[bytes], bytes] | None = None) -> Read:
    """Decode records (`topic`, `partition`, `offset`, `key`, `value`, `headers`).

    What is no event of its key comes apart. It stops before the first record of a schema that this release does not
    have, and says which that is. `plain`: brings values to single-object encoding.
    """
    envelopes: list[Envelope] = []
    unreadable: list[tuple[Any, DecodeError]] = []
    for record in records:
        try:
            envelope = decode_event(record.value or b"" if plain is None else plain(record.value or b""))
            if record.key != envelope.account_id.encode():
                raise DecodeError(f"the key is not the account: {record.key!r:.100}")
        except UnknownSchema as error:
            return envelopes, unreadable, NewerWriter(record.offset, version_of(record.headers, error))
        except DecodeError as error:
            unreadable.append((record, error))
        else:
            envelopes.append(envelope)
    return envelopes, unreadable, None


def version_of(headers: Iterable[tuple[str, bytes | None]], error: UnknownSchema) -> str:
    """Which version somebody wrote, as the headers of an event say, such as `LicenseAcquired.v3`; else the error."""
    said = {name: (value or b"").decode("utf-8", "replace")[:HEADER_MAX] for name, value in headers}
    named = f"{said['type']}.v{said['schema_version']}" if {"type", "schema_version"} <= said.keys() else None
    return str(error) if named is None or named in _KNOWN else named  # a known one is framed by an unknown registry


class Pipeline:
    """Handles chunks of any partition. The next may be prepared while one is being applied."""

    def __init__(
        self,
        projector: Projector,
        dead_letter: DeadLetter,
        pause: Pause | None = None,
        unframed: Unframed | None = None,
    ) -> None:
        self._projector = projector
        self._dead_letter = dead_letter
        self._pause = pause
        self._unframed = unframed

    async def handle(self, partition: int, begin: int, end: int, records: Sequence[Any]) -> Applied | Behind:
        """`prepare` and `apply` in one.

        Raises:
            NewerWriter: only what is before it was applied.
        """
        prepared, newer = await self.prepare(partition, begin, end, records)
        outcome = await self.apply(prepared)
        if newer is not None:
            raise newer
        return outcome

    async def prepare(
        self, partition: int, begin: int, end: int, records: Sequence[Any]
    ) -> tuple[Prepared, NewerWriter | None]:
        """Decode and project the offsets `begin` <= o < `end`, or those before the first that a newer release wrote.

        After a crash, a dead letter may come twice.
        """
        envelopes: list[Envelope] = []
        newer: NewerWriter | None = None
        if self._unframed is not None:
            await self._unframed.learn(record.value for record in records)
        plain = None if self._unframed is None else self._unframed.plain
        for first in range(0, len(records), SLICE):
            read_envelopes, unreadable, newer = read(records[first : first + SLICE], plain)
            envelopes += read_envelopes
            for record, error in unreadable:
                log.warning(
                    "dead letter", topic=record.topic, partition=partition, offset=record.offset, error=str(error)
                )
                await self._dead_letter(record, error)
            if newer is not None:
                end = newer.offset
                break
            if self._pause is not None:
                await self._pause()
        return await self._projector.prepare(partition, begin, end, envelopes), newer

    async def apply(self, prepared: Prepared) -> Applied | Behind:
        """Bring what was prepared into the read model."""
        return await self._projector.apply(prepared)
