"""Dead letters read from their topic."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from ops import framing, kafka
from ops.dead_letters import marks
from ops.dead_letters.judge import Judge
from ops.dead_letters.letter import Letter, Place, letter_of
from ops.settings import Settings

#: Is told how many letters are read, and of how many.
Tell = Callable[[int, int], None]
_OFTEN = 500  # letters between two words of progress


class NoLetter(Exception):
    """There is no dead letter at a place. The text says which, and which there are."""


def spans(settings: Settings) -> dict[int, range]:
    """Partition -> offsets of the letters that are there.

    Raises:
        KafkaProblem: Kafka does not answer, or the topic is missing.
    """
    topic = settings.topics.dead_letters
    if not kafka.partitions(settings.kafka, [topic]):
        raise kafka.KafkaProblem(f"The topic {topic} does not exist: create it with `licensing init`.")
    return kafka.spans(settings.kafka, topic)


def letters(settings: Settings, within: Mapping[int, range], tell: Tell = lambda done, total: None) -> Iterator[Letter]:
    """The letters at these offsets, each partition's in order.

    Raises:
        KafkaProblem: Kafka does not answer.
    """
    total = sum(map(len, within.values()))
    for number, record in enumerate(kafka.everything(settings.kafka, settings.topics.dead_letters, within), 1):
        if number % _OFTEN == 0 or number == total:
            tell(number, total)
        yield letter_of(record)


def named(settings: Settings, places: Sequence[Place]) -> Iterator[Letter]:
    """The letters at these places, in that order.

    Raises:
        NoLetter: there is none at one of them.
        KafkaProblem: Kafka does not answer.
    """
    there = spans(settings)
    for place in places:
        if place.offset not in there.get(place.partition, range(0)):
            span = there.get(place.partition, range(0))
            have = f"offsets {span.start} to {span.stop - 1}" if span else "no dead letters"
            raise NoLetter(f"There is no dead letter {place}: partition {place.partition} has {have}.")
    for place in places:
        yield from letters(settings, {place.partition: range(place.offset, place.offset + 1)})


def judge(settings: Settings) -> Judge:
    """What judges letters of this system, by this release.

    Raises:
        KafkaProblem: Kafka does not answer, or the topics are missing.
    """
    return Judge(settings.topics, len(spans(settings)), framing.from_topic())


def waiting(settings: Settings) -> int:
    """How many letters are there that were not replayed.

    Raises:
        KafkaProblem: Kafka does not answer.
    """
    there = spans(settings)
    return sum(map(len, there.values())) - marks.read(settings).within(there)
