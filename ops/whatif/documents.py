"""What two histories of an account mean for the documents of a view. Pure.

A document that many accounts share (a sum over accounts) is given as the part that the accounts with changed events
about it have in it: whatever the others have is the same before and after.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias

from ops.whatif.parted import Parted
from projections.changes import Draft, StoredDocument, compact
from projections.views.view import View
from schemas.events import Envelope

Document: TypeAlias = dict[str, Any] | None
#: The net changes of what is common, of the real ends and of the potential ones, by document.
_Ends: TypeAlias = tuple[dict[str, Draft], dict[str, Draft], dict[str, Draft]]


class Documents(NamedTuple):
    """A document as it reads and as it would; None: there is none. `shared`: it is a part, see above."""

    view: str
    key: str
    shared: bool
    before: Document
    after: Document


class Compared:
    """A view's documents, for one account after the other; `now` (ms): when they are read."""

    def __init__(self, view: View, now: int) -> None:
        self._view, self._now = view, now
        self._ends: _Ends = {}, {}, {}

    def take(self, parted: Parted, prefix: Sequence[Envelope]) -> Iterator[Documents]:
        """The documents of the account that differ; shared ones wait for `shared`. `prefix`: what both have in common.

        The prefix is projected for documents that one of the ends touches; all others are the same.
        """
        common, before, after = self._ends
        project, alone = self._view.project, self._view.TAG == "account"
        for drafts, end in ((before, parted.before), (after, parted.after)):
            for envelope in end:
                compact(drafts, project(envelope))
        if prefix:
            ends = (parted.before, parted.after)
            touched = before.keys() | after.keys() if alone else {c[1] for end in ends for e in end for c in project(e)}
            for envelope in prefix:
                compact(common, [change for change in project(envelope) if change[1] in touched])
        if alone:
            yield from self._compared(shared=False)

    def shared(self) -> Iterator[Documents]:
        """The shared documents that differ."""
        yield from self._compared(shared=True)

    def _compared(self, shared: bool) -> Iterator[Documents]:
        common, before, after = self._ends
        self._ends = {}, {}, {}
        for key in sorted(before.keys() | after.keys()):
            was = self._read(key, shared, common.get(key), before.get(key))
            becomes = self._read(key, shared, common.get(key), after.get(key))
            if was != becomes:
                yield Documents(self._view.NAME, key, shared, was, becomes)

    def _read(self, key: str, shared: bool, *drafts: Draft | None) -> Document:
        stored = StoredDocument()
        for draft in drafts:
            if draft is not None:
                draft.onto(stored)
        if not (stored.fields or stored.holds or shared):
            return None
        reading = stored.at(self._now)
        try:
            return self._view.query(key, [reading], self._now)
        except KeyError:  # changed events may leave what no query can read
            return dict(reading.fields)
