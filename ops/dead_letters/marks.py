"""Which dead letters were replayed: a compacted topic, made when the first one is.

Key: the letter's place. Value, JSON: the origin of the message, which copies of the letter share, and when it was sent.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from commands.ports import Outgoing
from ops import kafka
from ops.dead_letters.letter import Letter, Place, place
from ops.kafka.changes import deliver
from ops.settings import Settings

_CONFIGURATION = {"cleanup.policy": "compact", "message.timestamp.type": "LogAppendTime"}


class Mark(NamedTuple):
    """A letter was replayed at a time, ms."""

    place: Place
    at: int


class Marks:
    """The marks of a moment."""

    def __init__(self, found: Mapping[Place, tuple[str, int]]) -> None:
        self._found = found
        self._origins = {origin: Mark(where, at) for where, (origin, at) in found.items()}

    def of(self, letter: Letter) -> Mark | None:
        """The replay of a letter, or of a copy of it; None: it was not replayed."""
        return self._origins.get(letter.origin)

    def has(self, letter: Letter) -> bool:
        """Whether this very record is marked."""
        return self._found.get(letter.place, ("", 0))[0] == letter.origin

    def within(self, spans: Mapping[int, range]) -> int:
        """How many of the records at these offsets are marked."""
        return sum(where.offset in spans.get(where.partition, ()) for where in self._found)


def read(settings: Settings) -> Marks:
    """All marks.

    Raises:
        KafkaProblem: Kafka does not answer.
    """
    topic = settings.topics.replayed
    found: dict[Place, tuple[str, int]] = {}
    if kafka.partitions(settings.kafka, [topic]):
        for record in kafka.everything(settings.kafka, topic):
            where = place((record.key or b"").decode("utf-8", "replace"))
            if where is not None and record.value is not None:
                row = json.loads(record.value)
                found[where] = row["origin"], row["at"]
            elif where is not None:
                found.pop(where, None)
    return Marks(found)


def prepare(settings: Settings) -> None:
    """Make the topic, if it is not there.

    Raises:
        KafkaProblem: Kafka does not answer or refuses.
    """
    topic = settings.topics.replayed
    if not kafka.partitions(settings.kafka, [topic]):
        kafka.create(settings.kafka, {topic: 1}, {topic: _CONFIGURATION})


def write(settings: Settings, producer: Any, letters: Iterable[Letter], at: int) -> None:
    """Mark letters as replayed at a time, ms."""
    values = [(one, json.dumps({"origin": one.origin, "at": at}).encode()) for one in letters]
    _send(settings, producer, [(one.place, value) for one, value in values])


def forget(settings: Settings, producer: Any, places: Iterable[Place]) -> None:
    """The marks of letters that are gone."""
    _send(settings, producer, [(one, None) for one in places])


def _send(settings: Settings, producer: Any, rows: Iterable[tuple[Place, bytes | None]]) -> None:
    topic = settings.topics.replayed
    deliver(settings.kafka, producer, [Outgoing(topic, 0, str(where).encode(), value) for where, value in rows])
