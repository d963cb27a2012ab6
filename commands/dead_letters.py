"""A dead letter: the message as it came, with headers that say where from and why (names as in Kafka's KIP-1191)."""

from commands.intake import Message
from commands.ports import Outgoing
from schemas.journal import Entry
from schemas.topics import Topics
from schemas.validation import COMMAND_MAX

PREFIX = "__dlq.errors."
#: Longest text in a header, in characters: a message that quotes its input must not outgrow it.
TEXT = 1000
#: Bytes that a dead letter carries of a message, each header counting `HEADER` more; and of a value that is cut.
FITS, HEADER, CUT = 1_900_000, 12, 1_000_000


def dead_letter(entry: Entry, shard: int, topics: Topics) -> Outgoing:
    """The entry of an unreadable or invalid command, for the dead-letters topic. Key, value and headers stay.

    What a broker took because it is small when compressed may be larger than any producer may send: its beginning has
    to do then, or the shard would stop there for ever. All of it is in the journal, and where it came from.
    """
    key, value, own, said = entry.key, entry.value, entry.headers, entry.message or ""
    size = Message(entry.offset, entry.timestamp, key, value, own).size + HEADER * len(own)
    if size > FITS:
        key, value, own = key and key[:COMMAND_MAX], value and value[:CUT], ()
        said = f"cut, and without its headers, for all of it is {size} bytes: {said}"
    errors = {
        "topic": topics.commands,
        "partition": str(shard),
        "offset": str(entry.offset),
        "stage": entry.stage or "",
        "exception": entry.exception or "",
        "message": said[:TEXT],
    }
    headers = (*own, *((PREFIX + name, text.encode()) for name, text in errors.items()))
    timestamp = entry.timestamp if entry.timestamp > 0 else None
    return Outgoing(topics.dead_letters, shard, key, value, headers, timestamp)
