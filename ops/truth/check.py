"""Whether Cassandra, Kafka and Redis say the same, also while commands are handled and views are written.

What is read first is explained by what is read after it: generations and topic, then the event rows that were stored
before either could have them.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from commands.ports import SnapshotHistory
from ops.truth.findings import Finding, of_view
from ops.truth.histories import Reader, Tell
from ops.truth.published import Published
from ops.truth.stored import Stored
from ops.truth.views import ByAccount, ByPartition, Torn, compared
from ops.truth.way import Topic
from projections.views.view import View
from projections.whole import Whole

#: Scans during which documents came, before a view is left for another time.
TRIES = 3


@dataclass
class Checked:
    """What was looked at and found. `coming`: events on their way, by what has not seen them; that is no finding."""

    findings: list[Finding] = field(default_factory=list)
    accounts: int = 0
    events: int = 0
    snapshots: int = 0
    messages: int = 0
    views: list[str] = field(default_factory=list)
    coming: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Sources:
    """Where everything is read. `live`: the generation of each view that readers use."""

    reader: Reader
    snapshots: SnapshotHistory
    topic: Topic
    live: Mapping[str, tuple[View, Whole]]


@dataclass(frozen=True, slots=True)
class Progress:
    """Is told how much is read: of the topic, and of the accounts."""

    topic: Tell = lambda done, total: None
    accounts: Tell = lambda done, total: None


def check(sources: Sources, only: Collection[str] | None, progress: Progress) -> Checked:
    """Look at all accounts, or at some: then not at views that sum over accounts.

    Raises:
        StoreUnavailable, KafkaProblem, RedisError: a store does not answer.
        NewerRelease: an event is of a version that this release does not know.
    """
    found, reader = Checked(), sources.reader
    views = _begun(sources, only, found)
    published = Published(sources.topic, reader, only)
    published.begin(progress.topic)
    stored = Stored(sources.snapshots, reader)
    every = reader.everything(progress.accounts) if only is None else reader.some(sorted(only), progress.accounts)
    for batch in every:
        found.accounts += len(batch)
        found.events += sum(len(history.rows) for history in batch)
        found.findings += stored.take(batch)
        published.take(batch)
        for name, view in views.items():
            found.findings += [of_view(name, one) for one in view.take(batch)]
    found.findings += published.end()
    for name, view in views.items():
        found.findings += _ended(name, view, sources, found)
    found.snapshots, found.messages = stored.snapshots, published.messages
    _tell_of_topic(published, found)
    return found


def _begun(sources: Sources, only: Collection[str] | None, found: Checked) -> dict[str, ByAccount | ByPartition]:
    views: dict[str, ByAccount | ByPartition] = {}
    ends = None
    for name, (view, whole) in sources.live.items():
        if only is not None and view.TAG == "partition":
            found.notes.append(f"{name} sums over accounts: a sample says nothing about it.")
            continue
        positions = whole.positions()
        ends = sources.topic.ends() if ends is None or positions else ends
        for partition, position in positions.items():
            if position > ends.get(partition, 0):
                where = f"{name} position of partition {partition}"
                found.findings.append(Finding("view", None, where, position, f"at most {ends.get(partition, 0)}", name))
        views[name] = compared(view, whole, sources.reader, only=only)
        views[name].begin()
    found.views = list(views)
    return views


def _ended(name: str, view: ByAccount | ByPartition, sources: Sources, found: Checked) -> Sequence[Finding]:
    """The rest of what is found in a view; one that was torn is looked at again by itself."""
    before: list[Finding] = []
    for _ in range(TRIES):
        try:
            differing = [*view.end(), *view.passed_by(sources.topic)]
        except Torn:
            view, before = compared(*sources.live[name], sources.reader), []
            found.findings = [one for one in found.findings if one.view != name]
            view.begin()
            for batch in sources.reader.everything(lambda done, total: None):
                before += [of_view(name, one) for one in view.take(batch)]
            continue
        if view.lag:
            found.coming[name] = view.lag
        return [*before, *(of_view(name, one) for one in differing)]
    found.views.remove(name)
    found.notes.append(f"{name} has new documents all the time: it was not looked at.")
    return []


def _tell_of_topic(published: Published, found: Checked) -> None:
    if published.lag:
        found.coming["events topic"] = published.lag
    if published.truncated:
        places = ", ".join(f"{partition}:{first}" for partition, first in sorted(published.truncated.items()))
        found.notes.append(f"The events topic begins at {places} now: what is older was not looked for there.")
    if published.again:
        found.notes.append(f"{published.again:,} events are on the topic out of order, and in order after that.")
