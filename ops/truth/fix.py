"""Mending what a check has found, where that can be: documents made anew, events published again.

The event store is never written to.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from commands.accounts import BrokenHistory
from commands.follow_up import event_message
from commands.ports import Outgoing
from ops.truth import repair
from ops.truth.check import Sources
from ops.truth.documents import Difference
from ops.truth.findings import Finding
from ops.truth.histories import Reader, Tell
from projections.views.view import View
from projections.whole import Whole

#: Sends messages and waits until all are confirmed.
Publish: TypeAlias = Callable[[Sequence[Outgoing]], None]

#: Events that are published before they are waited for.
TOGETHER = 5000


@dataclass(frozen=True, slots=True)
class Fixed:
    """What was done about an account, or about a partition of a view (`p0`); `why_not`: what could not be done."""

    what: str
    of: str
    changes: int
    why_not: str | None = None


def fix(
    sources: Sources, findings: Sequence[Finding], events_topic: str, publish: Publish, tell: Tell
) -> Iterator[Fixed]:
    """Mend; events first, for views are made of what is stored in any case. `tell`: how many accounts are read.

    Raises:
        StoreUnavailable, PublishFailed, RedisError: a store does not answer, or refuses.
    """
    yield from _publish(sources.reader, findings, events_topic, publish)
    for name, (view, whole) in sources.live.items():
        tags = sorted({one.tag for one in findings if one.view == name and one.tag is not None})
        for tag, repaired in _repaired(view, whole, sources.reader, tags, tell):
            if isinstance(repaired, list):
                yield Fixed("made anew", f"{name} {tag}", len(repaired))
            else:
                yield Fixed("not made anew", f"{name} {tag}", 0, str(repaired))


def _repaired(
    view: View, whole: Whole, reader: Reader, tags: Sequence[str], tell: Tell
) -> Iterator[tuple[str, list[Difference] | Exception]]:
    if view.TAG == "partition" and tags:
        try:
            yield from repair.partitions(view, whole, reader, tags, tell)
        except (BrokenHistory, repair.Refused) as error:
            yield ", ".join(tags), error
        return
    for number, tag in enumerate(tags, 1):
        try:
            yield tag, repair.account(view, whole, reader, tag)
        except (BrokenHistory, repair.Refused) as error:
            yield tag, error
        tell(number, len(tags))


def _publish(reader: Reader, findings: Sequence[Finding], topic: str, publish: Publish) -> Iterator[Fixed]:
    """All events from the first that is missing on: only so are they in order for who reads on from here."""
    first: dict[str, int] = {}
    for one in findings:
        if one.account_id is not None and one.first is not None:
            first[one.account_id] = min(one.first, first.get(one.account_id, one.first))
    for account_id, version in sorted(first.items()):
        history = reader.again(account_id)
        mark = reader.followed_up(history.shard)
        rows = [row for row in history.rows[version - 1 :] if row.position <= mark]
        for start in range(0, len(rows), TOGETHER):
            some = rows[start : start + TOGETHER]
            publish([event_message(topic, row.shard, row.envelope, row.payload) for row in some])
        yield Fixed("published again", account_id, len(rows))
