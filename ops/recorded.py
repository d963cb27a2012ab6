"""What the stores have recorded of accounts: commands in their order, with what was decided."""

from collections.abc import Collection, Container, Iterable, Iterator
from typing import NamedTuple

from commands.batch import Decided
from commands.ports import EventStore, JournalHistory, NewerRelease, NotPrepared, Row
from schemas.codec import DecodeError, UnknownSchema, decode_batch, decode_command, decode_event
from schemas.events import Envelope

#: With no more accounts than these, looking for their ids in a row's bytes is quicker than decoding it.
_FEW = 16


class Stores(NamedTuple):
    """What history is read from."""

    events: EventStore
    journal: JournalHistory


def recorded(row: Row, wanted: Container[str] | None = None) -> list[Decided]:
    """The commands in a row, of the accounts that are wanted (None: of all); dead letters are nobody's.

    Raises:
        NewerRelease: something is of a version that this release does not know.
        NotPrepared: the row cannot be read.
    """
    try:
        return list(_decided(row, wanted))
    except UnknownSchema as error:
        raise NewerRelease(f"journal row {row.position} of shard {row.shard}: {error}") from error
    except DecodeError as error:
        raise NotPrepared(f"journal row {row.position} of shard {row.shard}: {error}") from error


def events_in(row: Row) -> list[Envelope]:
    """The events that a row has committed, in order.

    Raises:
        NewerRelease, NotPrepared: as `recorded`.
    """
    try:
        return [decode_event(event) for entry in decode_batch(row.body).entries for event in entry.events]
    except UnknownSchema as error:
        raise NewerRelease(f"journal row {row.position} of shard {row.shard}: {error}") from error
    except DecodeError as error:
        raise NotPrepared(f"journal row {row.position} of shard {row.shard}: {error}") from error


def _decided(row: Row, wanted: Container[str] | None) -> Iterator[Decided]:
    for entry in decode_batch(row.body).entries:
        if entry.outcome == "dead_letter" or entry.value is None:
            continue
        command = decode_command(entry.value)
        if wanted is None or command.account_id in wanted:
            yield Decided(entry, command, tuple(map(decode_event, entry.events)))


def few(wanted: Collection[str]) -> bool:
    """Whether the accounts are so few that most rows are not even decoded for them."""
    return len(wanted) <= _FEW


def recorded_in(rows: Iterable[Row], wanted: Collection[str] | None) -> Iterator[list[Decided]]:
    """`recorded` for each row. Of few accounts, a row without their ids is not even decoded.

    Raises:
        NewerRelease, NotPrepared: as `recorded`.
    """
    names = [one.encode() for one in wanted] if wanted is not None and few(wanted) else [b""]
    for row in rows:
        yield recorded(row, wanted) if any(name in row.body for name in names) else []
