"""Dropping dead letters. Kafka deletes from the front of a partition: one in the middle cannot go alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ops import kafka
from ops.dead_letters import marks, reading
from ops.dead_letters.letter import Place
from ops.dead_letters.reading import NoLetter, Tell, letters
from ops.kafka.changes import delete_before
from ops.settings import Settings


@dataclass(slots=True)
class Doomed:
    """The letters that go: their offsets by partition, and how many were replayed or not; `ready`: could be now."""

    offsets: dict[int, range]
    replayed: list[Place] = field(default_factory=list)
    ready: int = 0
    unread: int = 0

    @property
    def total(self) -> int:
        """How many there are."""
        return sum(map(len, self.offsets.values()))


def up_to(there: Mapping[int, range], places: Sequence[Place]) -> dict[int, range]:
    """All letters up to these, of their partitions.

    Raises:
        NoLetter: there is none at one of them.
    """
    found: dict[int, range] = {}
    for partition, offset in places:
        span = there.get(partition, range(0))
        if offset not in span:
            raise NoLetter(f"There is no dead letter {partition}:{offset} (any more).")
        found[partition] = range(span.start, max(offset + 1, found.get(partition, span[:0]).stop))
    return found


def before(settings: Settings, there: Mapping[int, range], at: int, tell: Tell) -> dict[int, range]:
    """Of each partition the letters before the first one that is not before a time (ms)."""
    found = dict(there)
    for letter in letters(settings, there, tell):
        partition, offset = letter.place
        if letter.at >= at and offset < found[partition].stop:
            found[partition] = range(found[partition].start, offset)
    return {partition: span for partition, span in found.items() if span}


def look(settings: Settings, offsets: dict[int, range], tell: Tell) -> Doomed:
    """What would go.

    Raises:
        KafkaProblem: Kafka does not answer.
    """
    found, known, judge = Doomed(offsets), marks.read(settings), reading.judge(settings)
    for letter in letters(settings, offsets, tell):
        if known.of(letter) is not None:
            found.replayed.append(letter.place)
        elif judge(letter).verdict == "ready":
            found.ready += 1
        else:
            found.unread += 1
    return found


def purge(settings: Settings, doomed: Doomed) -> None:
    """Delete them, and what was remembered of them.

    Raises:
        KafkaProblem: Kafka does not answer, or refuses.
    """
    ends = {partition: span.stop for partition, span in doomed.offsets.items()}
    delete_before(settings.kafka, settings.topics.dead_letters, ends)
    if doomed.replayed:
        marks.forget(settings, kafka.producer(settings.kafka), doomed.replayed)
