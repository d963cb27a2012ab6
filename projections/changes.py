"""What an event does to the documents of a view, as data.

A stored document is a hash of strings and, where the view needs one, a set of *holds*: members with an end time.
Whatever is held past `now` counts as active, so nothing has to happen when a hold ends. What ended long ago goes with
a later write: a document *prunes* every hold that ended before a time that only grows. What stays therefore depends on
which events were seen, not on their order: accounts that share a document have no common order of time.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Op: TypeAlias = Literal["add", "put", "hold", "unhold", "prune"]

#: (op, document, field, value). `add`: value is an int to add to a counter; `put`: a string to set;
#: `hold`: field is the member, value its end in ms; `unhold`: field is the member, value is not used (0);
#: `prune`: field is not used (""), value a time in ms. A `hold` always comes with a `prune`: see `hold`.
Change: TypeAlias = tuple[Op, str, str, int | str]
Changes: TypeAlias = tuple[Change, ...]

#: Milliseconds for which an ended hold stays: no policy renews a licence that ended longer ago, and a query may look
#: back that far.
ENDED_KEPT = 90 * 86_400_000


def hold(document: str, member: str, end: int, at: int) -> Changes:
    """The member is held until `end`, says an event at `at` (ms); what had ended long before `at` goes."""
    before = at - ENDED_KEPT
    return ("hold", document, member, end), ("prune", document, "", before if before > 0 else 1)  # 0: never pruned


@dataclass(frozen=True, slots=True)
class Reading:
    """A stored document as a query sees it: its hash, and how many holds end after the `now` of the query."""

    fields: dict[str, str]
    active: int = 0


@dataclass(slots=True)
class StoredDocument:
    """A whole stored document: the hash, the holds (member -> end, ms), and before which end (ms) none are left."""

    fields: dict[str, str] = field(default_factory=dict)
    holds: dict[str, int] = field(default_factory=dict)
    pruned: int = 0

    def at(self, now: int) -> Reading:
        """What a query at `now` (ms) sees. A hold is active while now < end."""
        return Reading(dict(self.fields), sum(1 for end in self.holds.values() if now < end))


@dataclass(slots=True)
class Draft:
    """The net effect of many changes on one document; None in `holds` takes the member out, `prune` comes last."""

    adds: dict[str, int] = field(default_factory=dict)
    puts: dict[str, str] = field(default_factory=dict)
    holds: dict[str, int | None] = field(default_factory=dict)
    prune: int = 0

    def onto(self, stored: StoredDocument) -> None:
        """Apply to a document in memory, as `redis_model/apply.lua` does in Redis."""
        for name, amount in self.adds.items():
            stored.fields[name] = str(int(stored.fields.get(name, "0")) + amount)
        stored.fields.update(self.puts)
        for member, end in self.holds.items():
            if end is None:
                stored.holds.pop(member, None)
            else:
                stored.holds[member] = end
        if self.prune:
            stored.pruned = max(stored.pruned, self.prune)
            stored.holds = {member: end for member, end in stored.holds.items() if end >= stored.pruned}


def compact(drafts: dict[str, Draft], changes: Iterable[Change]) -> None:
    """Add changes to the drafts of their documents: sums add up, of everything else the last (prune: latest) stays."""
    for op, document, name, value in changes:
        draft = drafts.get(document)
        if draft is None:
            draft = drafts[document] = Draft()
        if op == "put":
            draft.puts[name] = str(value)
        elif op == "hold":
            draft.holds[name] = int(value)
        elif op == "prune":
            before = int(value)
            if before > draft.prune:  # noqa: PLR1730 - max() takes 150 ns
                draft.prune = before
        elif op == "add":
            draft.adds[name] = draft.adds.get(name, 0) + int(value)
        else:
            draft.holds[name] = None
