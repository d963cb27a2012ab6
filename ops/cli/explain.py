"""`licensing explain`: why a document of a view says what it says."""
# ruff: noqa: PLC0415 - a command imports what it needs, so that --help is quick

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer
from msgspec import to_builtins

from ops.cli.failures import Failure
from ops.cli.look import Json, Key, Name, named, readable, say_if_stored
from ops.cli.output import as_json, cell, moment, table
from ops.settings import Settings

if TYPE_CHECKING:
    from ops.explain import Cause

_CHANGES = 3  # fields in a row of the table


def explain(
    name: Name,
    key: Key,
    field: Annotated[
        str | None, typer.Argument(metavar="[FIELD]", help="Such as active, or licenses.DEVICE/TITLE.expires_at.")
    ] = None,
    json: Json = False,
) -> None:
    """Print the events that made a document what it is, or one field of it, with what each of them changed.

    Each event with its place on the events topic. What a field was is told as it would read now: a licence that has
    ended since is not active in any row. A document of an account is made of the account's events; for one that many
    accounts share all of the events topic is read, or, if that has lost its beginning, all event rows: then without
    places. Exit code 1: no event is about it.
    """
    from ops import about
    from ops.cli.bars import Bars
    from ops.explain import Traced, causes

    view, settings = named(name), Settings.read()
    say_if_stored(settings, view)
    with Bars(events=0) as bars:
        events = about.events_of(settings, view, key, lambda done, total: bars.set("events", done, total))
        found = list(causes(Traced(view, key, int(time.time() * 1000)), events, field))
    if not found:
        what = f"{name} {key}" if field is None else f"{field} of {name} {key}"
        raise Failure(f"No event is about {what}.")
    found = about.located(settings, view, found)
    topic = settings.topics.events
    if json:
        for cause in found:
            as_json(_document(cause, topic))
        return
    table(
        f"{name} {key}{'' if field is None else f' {field}'}, by {topic}",
        ("time (UTC)", "partition:offset", "account", "version", "event", "changes"),
        map(_row, found),
        numbers=(1, 3),
        folded=5,
    )


def _document(cause: "Cause", topic: str) -> dict[str, Any]:
    envelope, partition, offset = cause.of
    return {
        "topic": topic,
        "partition": partition,
        "offset": offset,
        "type": envelope.type,
        **to_builtins(envelope),
        "changes": [change._asdict() for change in cause.changes],
    }


def _row(cause: "Cause") -> tuple[object, ...]:
    envelope, partition, offset = cause.of
    place = "-" if offset is None else f"{partition}:{offset}"
    said = [
        f"{one.what} {_said(one.what, one.was)} -> {_said(one.what, one.becomes)}" for one in cause.changes[:_CHANGES]
    ]
    more = len(cause.changes) - _CHANGES
    changes = ", ".join(said + ([f"and {more} more"] if more > 0 else []))
    return moment(envelope.at), place, envelope.account_id, envelope.version, envelope.type, changes


def _said(what: str, value: object) -> str:
    return cell(readable(what.rpartition(".")[2], value))
