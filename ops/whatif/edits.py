"""Changes to an account's history: events dropped, inserted, or with other values. Pure.

Versions in what is asked for are those of the real history.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from msgspec.structs import fields, replace

from commands.aggregates import OF_EVENT, aggregate_of
from ops.times import instant
from schemas.events import EVENTS, AnyEvent, Envelope

_BY = "what-if"


class EditError(Exception):
    """What is asked for cannot be done to this history. The text says why."""


@dataclass(slots=True)
class Edits:
    """`dropped`: versions. `changed`: version -> the event as it would be. `inserted`: each before that version."""

    dropped: set[int] = field(default_factory=set)
    changed: dict[int, Envelope] = field(default_factory=dict)
    inserted: list[tuple[int, Envelope]] = field(default_factory=list)

    def history(self, real: Sequence[Envelope]) -> list[Envelope]:
        """The events as they would be, in order; versions are as they were."""
        before: dict[int, list[Envelope]] = {}
        for version, envelope in self.inserted:
            before.setdefault(version, []).append(envelope)
        found: list[Envelope] = []
        for envelope in real:
            found += before.pop(envelope.version, ())
            if envelope.version not in self.dropped:
                found.append(self.changed.get(envelope.version, envelope))
        return found + [envelope for later in before.values() for envelope in later]


def find(real: Sequence[Envelope], name: str) -> Envelope:
    """The event with that version or id.

    Raises:
        EditError: the history has none.
    """
    for envelope in real:
        if name in (str(envelope.version), envelope.event_id):
            return envelope
    raise EditError(f"there is no event {name}: an event is named by its version, 1 to {len(real)}, or by its id")


def changed(envelope: Envelope, assignment: str) -> Envelope:
    """The event with another value, `field=value`: a field of its own, or `at`. Times may be written as times.

    Raises:
        EditError: it has no such field, or the field cannot have that value.
    """
    name, equals, text = assignment.partition("=")
    event = envelope.event
    types = {one.name: one.type for one in fields(type(event))} | {"at": int}
    if not equals or name not in types:
        raise EditError(
            f"{assignment or 'nothing'} is not FIELD=VALUE with a field of {envelope.type}: {', '.join(types)}"
        )
    value = _value(name, text, types[name])
    return replace(envelope, at=value) if name == "at" else replace(envelope, event=replace(event, **{name: value}))


def _value(name: str, text: str, kind: Any) -> Any:
    try:
        if kind is int and not text.lstrip("-").isdecimal():
            return instant(text)
        return msgspec.convert(text, kind, strict=False)
    except (ValueError, msgspec.ValidationError) as error:
        raise EditError(f"{name} cannot be {text}: {str(error)[:1].lower()}{str(error)[1:]}") from error


def inserted(lines: Iterable[bytes], account_id: str, real: Sequence[Envelope]) -> list[tuple[int, Envelope]]:
    """The events of JSON lines, as `licensing timeline --json` prints them, each with the version that it comes before.

    Of the envelope `at` is needed; an event without a `version` comes after all that happened until its time.

    Raises:
        EditError: a line is no event of this account.
    """
    found = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                found.append(_event(line, number, account_id, real))
            except (ValueError, TypeError, msgspec.ValidationError) as error:
                raise EditError(f"line {number}: {error}") from error
    return found


def _event(line: bytes, number: int, account_id: str, real: Sequence[Envelope]) -> tuple[int, Envelope]:
    row = json.loads(line)
    if not isinstance(row, dict) or not isinstance(row.get("event"), dict):
        raise ValueError('not an object such as {"type": "PlanChosen", "at": "2026-05-01T20:15:00Z", "event": {...}}')
    cls = EVENTS.get(str(row.get("type")))
    if cls is None or OF_EVENT[cls] is not aggregate_of(account_id):
        raise ValueError(f"type is {row.get('type')}, which is no event of {account_id}")
    given = row.get("at")
    at = instant(given) if isinstance(given, str) else msgspec.convert(given, int)
    event: AnyEvent = msgspec.convert({"policy_version": _BY} | row["event"], cls)
    later = next((one.version for one in real if one.at > at), len(real) + 1)
    version = msgspec.convert(row.get("version") or later, int)
    event_id, command_id = (str(row.get(name) or f"{_BY}-{number}") for name in ("event_id", "command_id"))
    return version, Envelope(event_id, account_id, version, at, command_id, row.get("correlation_id"), event)
