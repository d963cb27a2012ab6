"""`licensing view`: a document of a view."""
# ruff: noqa: PLC0415 - a command imports what it needs, so that --help is quick

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ops.cli.failures import Failure
from ops.cli.output import as_json, moment, note, table
from ops.cli.state import AsOf, time_of
from ops.settings import Settings

if TYPE_CHECKING:
    from projections.views.view import View

_HIDDEN = {"policy_version", "license_id"}

Name = Annotated[str, typer.Argument(metavar="VIEW", help="device_downloads, licenses or title_downloads.")]
Key = Annotated[str, typer.Argument(metavar="KEY", help="ACCOUNT/DEVICE, ACCOUNT or TITLE, as the view has it.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def view(
    name: Name,
    key: Key,
    as_of: AsOf = None,
    generation: Annotated[
        str | None, typer.Option(metavar="NAME", help="Read this one, and not the live one: see `rebuild --list`.")
    ] = None,
    json: Json = False,
) -> None:
    """Print a document of a view as it reads now, or as it would have read at a time.

    Of the past it is made anew, from the events up to that time: those of its account, or, where many accounts share
    it, all of the events topic, or all event rows if that has lost its beginning.
    """
    found, at = named(name), time_of(as_of)
    if at is not None and generation is not None:
        raise typer.BadParameter("give a time or a generation, not both", param_hint="--generation")
    document = _now(name, key, generation) if at is None else _then(found, key, at)
    if document is None:
        raise Failure(f"The view {name} has nothing for {key}{'' if as_of is None else f' as of {as_of}'}.")
    if json:
        as_json(document)
    else:
        show(f"{name} {key}", document)


def named(name: str) -> "View":
    """The view that an argument names."""
    from projections.views import VIEWS

    if name not in VIEWS:
        raise typer.BadParameter(f"there is no view {name}; the views are {', '.join(VIEWS)}", param_hint="VIEW")
    return VIEWS[name]


def _now(name: str, key: str, generation: str | None) -> dict[str, Any] | None:
    from projections.queries import Views
    from projections.settings import Settings as ViewSettings

    settings = Settings.read()
    views = Views(ViewSettings(redis=settings.redis, namespace=settings.namespace))
    try:
        return views.document(name, key, int(time.time() * 1000), generation)
    finally:
        views.close()


def _then(view: "View", key: str, at: int) -> dict[str, Any] | None:
    from ops import about
    from ops.cli.bars import Bars
    from ops.explain import Traced

    traced, settings = Traced(view, key, at), Settings.read()
    say_if_stored(settings, view)
    with Bars(events=0) as bars:
        for one in about.events_of(settings, view, key, lambda done, total: bars.set("events", done, total)):
            if one.envelope.at <= at:
                traced.take(one.envelope)
    return traced.document()


def say_if_stored(settings: Settings, view: "View") -> None:
    """Say where the events of a shared document are read, if it is not their topic."""
    from ops import about

    if view.TAG != "account" and not about.has_its_beginning(settings):
        topic = settings.topics.events
        note(f"{topic} has lost its beginning: all event rows are read, and places on the topic are not known.")


def show(title: str, document: dict[str, Any]) -> None:
    """Print a document: its fields, then its lists as tables of their own; JSON has all ids."""
    fields = [
        (name.replace("_", " "), readable(name, value))
        for name, value in document.items()
        if not isinstance(value, list)
    ]
    table(title, ("field", "value"), fields)
    for name, rows in document.items():
        if isinstance(rows, list) and rows:
            columns = [column for column in rows[0] if column not in _HIDDEN]
            cells = [[readable(column, row[column]) for column in columns] for row in rows]
            table(name, [column.replace("_", " ") for column in columns], cells)


def readable(name: str, value: object) -> object:
    """A field's value: times as times."""
    is_time = name.endswith("_at") or name == "last_activity"
    return moment(value) if isinstance(value, int) and is_time else value
