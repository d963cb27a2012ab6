"""Where the events of a rebuild come from, and whether all of them are there."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import Literal, TypeAlias, get_args

from commands.cassandra.journal import CassandraJournal, CassandraJournalHistory
from commands.cassandra.scan import CassandraEventScan
from commands.ports import JournalHistory
from ops import history
from ops.rebuild import events, journal
from ops.rebuild.batch import Batch
from ops.rebuild.stop import Stop
from ops.rebuild.topic import TopicReader
from ops.settings import Settings

Source: TypeAlias = Literal["topic", "journal", "events"]
SOURCES: tuple[Source, ...] = get_args(Source)

#: Partition -> offset of the first message that is there, and the one behind the last.
Reach: TypeAlias = Mapping[int, tuple[int, int]]


class Incomplete(Exception):
    """The source that was asked for does not have every event. The text says why, and which one does."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A source, and why it is this one."""

    source: Source
    why: str


def choose(wanted: Source | None, reach: Reach, settings: Settings) -> Choice:
    """The source that was asked for, if it is complete; else the first that is: topic, journal, event rows.

    Raises:
        Incomplete: not the one that was asked for.
        CassandraProblem, NotPrepared: the journal cannot be looked at.
    """
    lost = missing_on_topic(reach)
    if lost is None and wanted in (None, "topic"):
        return Choice("topic", "the events topic reaches back to the first event")
    if wanted == "topic":
        raise Incomplete(f"{lost}, so a rebuild from it would miss them: use --from journal or --from events.")
    if wanted == "events":
        return Choice("events", "asked for; the table always has all events")
    with history.session(settings) as opened:
        gone = missing_in_journal(CassandraJournalHistory(opened), reach)
    if wanted == "journal" and gone is not None:
        raise Incomplete(f"{gone}, so a rebuild from it would miss events: use --from events.")
    if gone is None:
        return Choice("journal", "asked for; it is kept from the first row on" if wanted else f"{lost}")
    return Choice("events", f"{lost}; {gone}")


def missing_on_topic(reach: Reach) -> str | None:
    """What the events topic has lost, in words; None: it is whole."""
    lost = [f"partition {partition} begins at {begin:,}" for partition, (begin, _) in reach.items() if begin]
    return f"the events topic has lost its first events ({', '.join(lost)})" if lost else None


def missing_in_journal(kept: JournalHistory, reach: Reach) -> str | None:
    """What the journal has lost, in words; None: it is whole."""
    for shard, (_, end) in reach.items():
        positions = kept.kept(shard)
        if positions.start:
            return f"the journal has lost its first rows (shard {shard} begins at {positions.start:,})"
        if end and not positions:
            return f"the journal has no rows of shard {shard}, and the topic has events"
    return None


@contextmanager
def recorded(
    source: Source, settings: Settings, partitions: int, notes: Mapping[str, str], stop: Stop
) -> Iterator[Iterator[Batch]]:
    """All events of the journal, or of the rows, from where the notes say that somebody has stopped.

    Raises:
        CassandraProblem, NotPrepared: Cassandra does not answer, or is not set up.
    """
    with history.session(settings) as opened:
        if source == "events":
            yield events.batches(CassandraEventScan(opened), int(notes.get(events.NEXT_SLICE, 0)), stop)
            return
        kept, tail = CassandraJournalHistory(opened), CassandraJournal(opened)
        yield chain.from_iterable(
            journal.batches(shard, int(notes.get(journal.next_row(shard), 0)), kept, tail, stop)
            for shard in range(partitions)
        )


@contextmanager
def some(source: Source, settings: Settings, reach: Reach, stop: Stop) -> Iterator[Iterator[Batch]]:
    """The first events of a source, to measure with."""
    if source != "topic":
        with recorded(source, settings, len(reach), {}, stop) as batches:
            yield batches
        return
    reader = TopicReader(settings, {partition: begin for partition, (begin, _) in reach.items()}, stop)
    try:
        yield reader.until({partition: end for partition, (_, end) in reach.items()})
    finally:
        reader.close()
