"""Why a document of a view is what it is: its events one after the other, and what each changes in it. Pure."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from ops.differences import Change, by_name, differences
from projections.changes import Reading
from projections.views.view import View
from schemas.events import Envelope


class Located(NamedTuple):
    """An event, and where it is on the events topic, if that is known."""

    envelope: Envelope
    partition: int | None = None
    offset: int | None = None


class Cause(NamedTuple):
    """An event, and what it changed in a document."""

    of: Located
    changes: list[Change]


class Traced:
    """One document, filled event by event, and always read as of the same time `now` (ms).

    What many accounts add up to is one document here, not one for each partition.
    """

    def __init__(self, view: View, key: str, now: int) -> None:
        self._view, self._key, self._now = view, key, now
        self._fields: dict[str, str] = {}
        self._holds: dict[str, int] = {}
        self._active = 0
        self._exists = False

    def take(self, envelope: Envelope) -> bool:
        """The next event; whether it is about this document. Holds that are pruned ended long before anybody asks."""
        touched = False
        for op, document, name, value in self._view.project(envelope):
            if document != self._key:
                continue
            touched = self._exists = True
            if op == "put":
                self._fields[name] = str(value)
            elif op == "add":
                self._fields[name] = str(int(self._fields.get(name, "0")) + int(value))
            elif op == "hold":
                self._hold(name, int(value))
            elif op == "unhold":
                self._hold(name, 0)
        return touched

    def document(self) -> dict[str, Any] | None:
        """The document as it reads; None: no event was about it."""
        return self._view.query(self._key, [Reading(self._fields, self._active)], self._now) if self._exists else None

    def _hold(self, member: str, end: int) -> None:
        self._active += (end > self._now) - (self._holds.get(member, 0) > self._now)
        self._holds[member] = end


def causes(traced: Traced, events: Iterable[Located], field: str | None) -> Iterator[Cause]:
    """The events that changed the document, or a field of it: a name, or a path such as `licenses.tablet/up-2009`."""
    before: Any = {}
    for one in events:
        if not traced.take(one.envelope):
            continue
        after = by_name(traced.document())
        changes = [leaf for change in differences(before, after) for leaf in _leaves(*change)]
        before = after
        found = [change for change in changes if field is None or _within(change.what, field)]
        if found:
            yield Cause(one, found)


def _leaves(what: str, was: Any, becomes: Any) -> Iterator[Change]:
    """A document that is new or gone, field by field."""
    if not isinstance(was, dict) and not isinstance(becomes, dict):
        yield Change(what, was, becomes)
        return
    for name in (was or {}) | (becomes or {}):
        yield from _leaves(f"{what}.{name}", (was or {}).get(name), (becomes or {}).get(name))


def _within(path: str, field: str) -> bool:
    return f".{field}." in f".{path}."
