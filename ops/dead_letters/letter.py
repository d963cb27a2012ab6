"""One dead letter: a message as it came, where from, and why nobody could mean it. Pure."""

import re
from typing import NamedTuple

from commands.dead_letters import PREFIX
from ops.kafka import Headers, Record
from schemas.topics import murmur2

#: Headers that begin so are ours; a replay leaves them out.
OURS = "__dlq."
#: On a replayed message: the dead letter that it was, `partition:offset`.
REPLAY_OF = "__dlq.replay.of"
_PLACE = re.compile(r"([0-9]{1,9}):([0-9]{1,18})")


class Place(NamedTuple):
    """Where a message is on its topic; `2:17` in short."""

    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.partition}:{self.offset}"


class Letter(NamedTuple):
    """A record of the dead-letters topic; `at` in ms, -1: none. Texts are fit for a terminal, and "" where missing.

    `headers`: those that the message had. `topic` and `source` say where it came from. `replay_of`: the dead letter
    that was replayed and failed again.
    """

    place: Place
    at: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    topic: str
    source: Place | None
    stage: str
    exception: str
    message: str
    replay_of: str

    @property
    def origin(self) -> str:
        """Topic and place that it came from. Copies of a letter, such as a take-over leaves, have the same."""
        return f"{self.topic} {self.source or '-'}" if self.topic else "-"

    def partition(self, partitions: int) -> int:
        """Where it belongs among so many partitions: by its key, else where it was."""
        if self.key is None:
            return self.source.partition if self.source is not None else self.place.partition
        return (murmur2(self.key) & 0x7FFFFFFF) % partitions


def letter_of(record: Record) -> Letter:
    """The letter in a record. Of headers of one name the last counts: those before it the message had itself."""
    ours = {name: said(value) for name, value in record.headers if name.startswith(OURS)}
    about = {name.removeprefix(PREFIX): text for name, text in ours.items()}
    return Letter(
        Place(record.partition, record.offset),
        record.timestamp,
        record.key,
        record.value,
        tuple(header for header in record.headers if not header[0].startswith(OURS)),
        about.get("topic", ""),
        place(f"{about.get('partition')}:{about.get('offset')}"),
        about.get("stage", ""),
        about.get("exception", ""),
        about.get("message", ""),
        ours.get(REPLAY_OF, ""),
    )


def place(text: str) -> Place | None:
    """The place that a text such as `2:17` names; None: it is none."""
    match = _PLACE.fullmatch(text)
    return None if match is None else Place(int(match[1]), int(match[2]))


def said(value: bytes | None) -> str:
    """Bytes as a text that does nothing to a terminal: what cannot be printed is escaped."""
    text = (value or b"").decode("utf-8", "backslashreplace")
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)
