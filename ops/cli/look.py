"""`licensing view`: a document of a view."""
# ruff: noqa: PLC0415 - a command imports what it needs, so that --help is quick

import time
from typing import Annotated, Any

import typer

from ops.cli.failures import Failure
from ops.cli.output import as_json, moment, table
from ops.settings import Settings

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


def readable(name: str, value: object) -> object:
    """A field's value: times as times."""
    is_time = name.endswith("_at") or name == "last_activity"
    return moment(value) if isinstance(value, int) and is_time else value
