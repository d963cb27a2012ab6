"""The body of a journal row: all that one conditional write commits."""

from typing import Literal, TypeAlias

from msgspec import Struct

JournalOutcome: TypeAlias = Literal["accepted", "rejected", "duplicate", "dead_letter"]


class Entry(Struct, frozen=True, gc=False):
    """One message of the commands topic and what was decided.

    `timestamp` is Kafka's, int milliseconds (-1: it had none). `key` and `headers` are kept for dead letters
    only. `events` are encoded exactly as they go into the event rows. `rejection` is the reason
    code of a refusal, `exception` the class of what made a dead letter.
    """

    offset: int
    timestamp: int
    value: bytes | None
    outcome: JournalOutcome
    events: tuple[bytes, ...] = ()
    rejection: str | None = None
    message: str | None = None
    stage: str | None = None
    policy_version: str | None = None
    first_version: int | None = None
    last_version: int | None = None
    key: bytes | None = None
    headers: tuple[tuple[str, bytes | None], ...] = ()
    exception: str | None = None


class Batch(Struct, frozen=True, gc=False):
    """The offsets `first_offset` <= o < `next_offset` of one partition, decided together."""

    first_offset: int
    next_offset: int
    entries: tuple[Entry, ...]
