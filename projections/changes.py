"""What an event does to the documents of a view, as data.

A stored document is a hash of strings and, where the view needs one, a set of *holds*: members with an end time.
Whatever is held past `now` counts as active, so nothing has to happen when a hold ends.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Op: TypeAlias = Literal["add", "put", "hold", "unhold"]

#: (op, document, field, value). `add`: value is an int to add to a counter; `put`: a string to set;
#: `hold`: field is the member, value its end in ms; `unhold`: field is the member, value is not used (0).
Change: TypeAlias = tuple[Op, str, str, int | str]
Changes: TypeAlias = tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """A stored document as a query sees it: its hash, and how many holds end after the `now` of the query."""

    fields: dict[str, str]
    active: int = 0


@dataclass(slots=True)
class StoredDocument:
    """A whole stored document: the hash, and the holds (member -> end, int milliseconds)."""

    fields: dict[str, str] = field(default_factory=dict)
    holds: dict[str, int] = field(default_factory=dict)

    def at(self, now: int) -> Reading:
        """What a query at `now` (ms) sees. A hold is active while now < end."""
        return Reading(dict(self.fields), sum(1 for end in self.holds.values() if now < end))


@dataclass(slots=True)
class Draft:
    """The net effect of many changes on one document; None in `holds` takes the member out."""

    adds: dict[str, int] = field(default_factory=dict)
    puts: dict[str, str] = field(default_factory=dict)
    holds: dict[str, int | None] = field(default_factory=dict)

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


def compact(drafts: dict[str, Draft], changes: Iterable[Change]) -> None:
    """Add changes to the drafts of their documents: sums are added up, of everything else the last one stays."""
    for op, document, name, value in changes:
        draft = drafts.get(document)
        if draft is None:
            draft = drafts[document] = Draft()
        if op == "add":
            draft.adds[name] = draft.adds.get(name, 0) + int(value)
        elif op == "put":
            draft.puts[name] = str(value)
        else:
            draft.holds[name] = int(value) if op == "hold" else None
