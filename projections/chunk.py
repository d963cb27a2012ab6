"""A chunk: consecutive records of one partition, grouped and summed up so that one step applies all of them.

It is applied whole or not at all, and only when every account in it is exactly one version before its first
event here. That is why the changes of thousands of events may be added up before they are sent.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from projections.changes import Draft, compact
from projections.views.view import View, tag_of
from schemas.events import Envelope

#: Account -> its events of the chunk, versions without gaps and without copies.
Histories: TypeAlias = dict[str, list[Envelope]]


@dataclass(frozen=True, slots=True)
class Hole:
    """The events `first` <= version <= `last` of an account are not on the topic where they belong."""

    account_id: str
    first: int
    last: int


@dataclass(slots=True)
class TagChanges:
    """What happens under one hash tag: versions (account -> first, last) and the net changes of documents."""

    versions: dict[str, tuple[int, int]] = field(default_factory=dict)
    drafts: dict[str, Draft] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Chunk:
    """The offsets `begin` <= o < `end` of a partition of the events topic, ready to be applied."""

    partition: int
    begin: int
    end: int
    tags: dict[str, TagChanges]


def group(envelopes: Iterable[Envelope]) -> tuple[Histories, list[Hole]]:
    """Sort by account. A copy (version not above the last one) is left out; a gap is a hole to fill."""
    histories: Histories = {}
    holes: list[Hole] = []
    for envelope in envelopes:
        history = histories.get(envelope.account_id)
        if history is None:
            histories[envelope.account_id] = [envelope]
            continue
        last = history[-1].version
        if envelope.version > last:
            if envelope.version > last + 1:
                holes.append(Hole(envelope.account_id, last + 1, envelope.version - 1))
            history.append(envelope)
    return histories, holes


def chunk_of(view: View, partition: int, begin: int, end: int, histories: Histories) -> Chunk:
    """What these histories do to the view."""
    tags: dict[str, TagChanges] = {}
    project = view.project
    for account_id, history in histories.items():
        tag = tag_of(view, account_id, partition)
        changes = tags.get(tag)
        if changes is None:
            changes = tags[tag] = TagChanges()
        changes.versions[account_id] = (history[0].version, history[-1].version)
        drafts = changes.drafts
        for envelope in history:
            compact(drafts, project(envelope))
    return Chunk(partition, begin, end, tags)
