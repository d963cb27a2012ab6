"""What the journal recorded of accounts: commands in their order, with what was decided. Pure."""

from collections.abc import Container, Iterable, Iterator

from commands.batch import Decided
from commands.ports import NewerRelease, NotPrepared, Row
from schemas.codec import DecodeError, UnknownSchema, decode_batch, decode_command, decode_event


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


def _decided(row: Row, wanted: Container[str] | None) -> Iterator[Decided]:
    for entry in decode_batch(row.body).entries:
        if entry.outcome == "dead_letter" or entry.value is None:
            continue
        command = decode_command(entry.value)
        if wanted is None or command.account_id in wanted:
            yield Decided(entry, command, tuple(map(decode_event, entry.events)))


def of_account(rows: Iterable[Row], account_id: str) -> Iterator[list[Decided]]:
    """Of each row what it has of one account. A row without the account's id is not even decoded.

    Raises:
        NewerRelease, NotPrepared: as `recorded`.
    """
    name, wanted = account_id.encode(), {account_id}
    for row in rows:
        yield recorded(row, wanted) if name in row.body else []
