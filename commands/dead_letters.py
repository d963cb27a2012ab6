"""A dead letter: the message as it came, with headers that say where from and why (names as in Kafka's KIP-1191)."""

from commands.ports import Outgoing
from schemas.journal import Entry
from schemas.topics import Topics

PREFIX = "__dlq.errors."
#: Longest text in a header, in characters: a message that quotes its input must not outgrow it.
TEXT = 1000


def dead_letter(entry: Entry, shard: int, topics: Topics) -> Outgoing:
    """The entry of an unreadable or invalid command, for the dead-letters topic. Key, value and headers stay."""
    errors = {
        "topic": topics.commands,
        "partition": str(shard),
        "offset": str(entry.offset),
        "stage": entry.stage or "",
        "exception": entry.exception or "",
        "message": (entry.message or "")[:TEXT],
    }
    headers = (*entry.headers, *((PREFIX + name, text.encode()) for name, text in errors.items()))
    timestamp = entry.timestamp if entry.timestamp > 0 else None
    return Outgoing(topics.dead_letters, shard, entry.key, entry.value, headers, timestamp)
