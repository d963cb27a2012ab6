"""What a rebuild will do, before it does it: how much, from where, how long, how much memory."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from ops import kafka
from ops.rebuild.probe import rate_of
from ops.rebuild.source import Choice, Reach, Source, choose, missing_on_topic
from ops.settings import Settings
from projections.redis_model.generations import Generations
from projections.redis_model.memory import Memory, memory_of
from projections.views.view import View


class Refused(Exception):
    """What was asked for cannot be done. The text says why, and what can."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person wants. `until` in ms; `into`: the name of the side generation."""

    source: Source | None = None
    until: int | None = None
    into: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What there is to do.

    `generation` None: it will be a new one; else it is unfinished, begun at `begun` (ms), and goes on. `live`: what
    readers use now. `events`: to read in all, of which `done` are read. `rate`: events a second, `measured` where;
    None: there is nothing to measure.
    """

    view: str
    version: str
    live: str | None
    generation: str | None
    begun: int | None
    choice: Choice
    reach: Reach
    events: int
    done: int
    rate: float | None
    measured: str
    memory: Memory
    asked: Asked

    @property
    def seconds(self) -> float | None:
        """How long it is likely to take, without the certification."""
        return None if self.rate is None else (self.events - self.done) / max(self.rate, 1.0)

    @property
    def topic_whole(self) -> bool:
        """Whether the events topic reaches back to the first event of every partition."""
        return missing_on_topic(self.reach) is None


def make_plan(settings: Settings, view: View, asked: Asked, generations: Generations) -> Plan:
    """Look at the servers; nothing is written.

    Raises:
        Refused, Incomplete: it cannot be done as asked.
        KafkaProblem, CassandraProblem, NotPrepared: a server does not answer, or is not set up.
    """
    reach = reach_of(settings)
    name = generations.filling()
    notes = {} if name is None else generations.notes(name)
    if name is None:
        choice, done = choose(asked.source, reach, settings), 0
    else:
        _same(view, name, generations.version(name), notes, asked)
        positions = generations.positions(name)
        choice, done = Choice(_source(notes), "as it was begun"), sum(positions.values())
        on_topic = notes["source"] == "topic" or "over" in notes
        if on_topic and (why := passed_over(view, name, reach, positions)) is not None:
            raise Refused(f"{why}: throw it away with `licensing rebuild {view.NAME} --cancel`, and begin anew.")
    live = generations.live()
    rate, measured = generations.rate(choice.source), "by the last rebuild"
    if rate is None:
        rate, measured = rate_of(choice.source, settings, view, reach), "reading and projecting some of them just now"
    memory = memory_of(settings.redis, None if live is None else generations.keys(live))
    begun = int(notes["begun"]) if "begun" in notes else None
    events = sum(end for _, end in reach.values())
    return Plan(view.NAME, view.VERSION, live, name, begun, choice, reach, events, done, rate, measured, memory, asked)


def reach_of(settings: Settings) -> Reach:
    """How far the events topic reaches.

    Raises:
        KafkaProblem: Kafka does not answer.
        Refused: there is no such topic.
    """
    topic = settings.topics.events
    if topic not in kafka.partitions(settings.kafka, (topic,)):
        raise Refused(f"There is no topic {topic}; create the topics and tables with: licensing init")
    return {partition: (span.start, span.stop) for partition, span in kafka.spans(settings.kafka, topic).items()}


def new_name(asked: Asked, view: View, generations: Generations) -> str:
    """A generation's name: the one that was asked for, or the next of this version.

    Raises:
        Refused: there is one of that name.
    """
    if asked.into is None:
        return generations.next_name(view.VERSION)
    if generations.version(asked.into) is not None:
        raise Refused(
            f"There is a generation {asked.into} of {view.NAME} already: take another name, or drop it with"
            f" `licensing rebuild {view.NAME} --drop {asked.into}`."
        )
    return asked.into


def notes_of(asked: Asked, choice: Choice) -> dict[str, str | int]:
    """What a new generation keeps from its beginning."""
    notes: dict[str, str | int] = {
        "source": choice.source,
        "state": "filling",
        "begun": int(time.time() * 1000),
    }
    if asked.until is not None and asked.into is not None:
        notes |= {"until": asked.until, "into": asked.into}
    return notes


def _source(notes: Mapping[str, str]) -> Source:
    found = notes.get("source")
    return "journal" if found == "journal" else "events" if found == "events" else "topic"


def _same(view: View, name: str, version: str | None, notes: Mapping[str, str], asked: Asked) -> None:
    """An unfinished rebuild goes on as it was begun, or not at all."""
    until = notes.get("until")
    differs = [
        f"it is filled from the {notes.get('source')}" if asked.source not in (None, notes.get("source")) else None,
        f"it is filled by version {version} of the view, and this is {view.VERSION}"
        if version != view.VERSION
        else None,
        ("it has all events" if until is None else f"it has the events until {until}, in {name}")
        if (until, notes.get("into")) != (None if asked.until is None else str(asked.until), asked.into)
        else None,
    ]
    if found := [one for one in differs if one]:
        raise Refused(
            f"Generation {name} of {view.NAME} is unfinished: {'; '.join(found)}. Finish it as it was begun, or throw"
            f" it away with `licensing rebuild {view.NAME} --cancel`."
        )


def passed_over(view: View, name: str, reach: Reach, positions: Mapping[int, int]) -> str | None:
    """Why nobody could go on filling a generation from the topic, as the first half of a sentence; None: one can."""
    for partition, (begin, _) in reach.items():
        if (position := positions.get(partition, 0)) < begin:
            return (
                f"Generation {name} of {view.NAME} is at offset {position:,} of partition {partition}, and the events"
                f" topic begins at {begin:,} by now"
            )
    return None
