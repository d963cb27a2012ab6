"""Look at what became of commands: a document of a view, the events of an account."""
# ruff: noqa: PLC0415 - a command imports what it needs, so that --help is quick

import time
from typing import Annotated, Any

import typer
from msgspec import to_builtins

from ops.cli.failures import Failure
from ops.cli.output import as_json, moment, table
from ops.settings import Settings
from schemas.events import Envelope

_HIDDEN = {"policy_version", "license_id"}

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def view(
    name: Annotated[str, typer.Argument(metavar="VIEW", help="device_downloads, licenses or title_downloads.")],
    key: Annotated[str, typer.Argument(help="ACCOUNT/DEVICE, ACCOUNT or TITLE, as the view has it.")],
    json: Json = False,
) -> None:
    """Print a document of a view as it reads now."""
    from projections.queries import Views
    from projections.settings import Settings as ViewSettings
    from projections.views import VIEWS

    if name not in VIEWS:
        raise typer.BadParameter(f"there is no view {name}; the views are {', '.join(VIEWS)}", param_hint="VIEW")
    settings = Settings.read()
    views = Views(ViewSettings(redis=settings.redis, namespace=settings.namespace))
    try:
        document = views.document(name, key, int(time.time() * 1000))
    finally:
        views.close()
    if document is None:
        raise Failure(f"The view {name} has nothing for {key}.")
    if json:
        as_json(document)
    else:
        show(f"{name} {key}", document)


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


def timeline(account: Annotated[str, typer.Argument(help="The account's id.")], json: Json = False) -> None:
    """Print the events of an account in order, from Cassandra."""
    from ops import history

    events = history.events(Settings.read(), account)
    if not events:
        raise Failure(f"The account {account} has no events.")
    if json:
        for envelope in events:
            as_json(to_builtins(envelope) | {"type": envelope.type})
    else:
        show_events(f"Timeline of {account}", events)


def show_events(title: str, events: list[Envelope]) -> None:
    """Print events as a table; JSON has the ids in full."""
    table(
        title,
        ("time (UTC)", "version", "event", "details", "policy", "command"),
        [(moment(e.at), e.version, e.type, details(e), e.event.policy_version, e.command_id[:8]) for e in events],
        numbers=(1,),
        folded=3,
    )


def details(envelope: Envelope) -> str:
    """What an event says, but for ids that only programs need."""
    fields = {name: value for name, value in to_builtins(envelope.event).items() if name not in _HIDDEN}
    expires_at = fields.pop("expires_at", None)
    renewals, before = fields.pop("renewals", None), fields.pop("previous_plan", None)
    quality = fields.pop("download_quality", "standard")
    parts = [str(value) for value in fields.values()]
    parts += [f"instead of {before}"] if before is not None else []
    parts += [f"{quality} quality"] if quality != "standard" else []
    parts += [f"until {moment(expires_at)}"] if expires_at is not None else []
    parts += [f"renewal {renewals}"] if renewals is not None else []
    return ", ".join(parts)


def readable(name: str, value: object) -> object:
    """A field's value: times as times."""
    is_time = name.endswith("_at") or name == "last_activity"
    return moment(value) if isinstance(value, int) and is_time else value
