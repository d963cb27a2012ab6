"""`licensing timeline`: what happened to an account, and what was refused."""
# ruff: noqa: PLC0415 - a command imports what it needs, so that --help is quick

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer
from msgspec import to_builtins

from ops.cli.failures import Failure
from ops.cli.output import as_json, moment, note, table
from ops.settings import Settings
from schemas.events import AnyEvent, Envelope

if TYPE_CHECKING:
    from ops.recorded import Stores
    from ops.timeline import Refused, Step
    from schemas.commands import AnyCommand

_HIDDEN = {"policy_version", "license_id"}
_OF_EVERY_COMMAND = {"command_id", "account_id", "correlation_id"}


def timeline(
    account: Annotated[str, typer.Argument(metavar="ACCOUNT", help="The account's id.")],
    events: Annotated[bool, typer.Option("--events", help="Events only; the journal is not read.")] = False,
    follow: Annotated[bool, typer.Option("--follow", help="Go on with what happens now, until Ctrl-C.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON lines instead of a table.")] = False,
) -> None:
    """Print what happened to an account in order: its events, and the commands that were refused, with the reasons.

    Events are read by account. What was refused is in the journal only, which is by shard: all that the account's shard
    has recorded is read for it. What the journal has lost (its time to live) is not shown. Exit code 1: nothing.
    """
    from ops import journal

    settings = Settings.read()
    shard = None if events and not follow else journal.shard_of(settings, account)
    with journal.stores(settings) as stores:
        found, position = _found(stores, account, shard, events)
        if not found and not follow:
            raise Failure(f"The account {account} has no {'events' if events else 'events, and nothing was refused'}.")
        if json:
            for step in found:
                as_json(document(step))
        elif found:
            show_steps(f"Timeline of {account}", found)
        if follow and shard is not None:
            _follow(stores, account, shard, found, position, events, json)


def _found(stores: "Stores", account: str, shard: int | None, events: bool) -> "tuple[Sequence[Step], int]":
    from ops.cli.bars import Bars
    from ops.journal import timeline as whole

    if shard is None or events:
        position = 0 if shard is None else stores.journal.kept(shard).stop
        return list(stores.events.read(account)), position
    with Bars(journal_rows=0) as bars:
        found, position = whole(stores, account, shard, lambda done, total: bars.set("journal_rows", done, total))
    return found, position


def _follow(
    stores: "Stores", account: str, shard: int, known: "Sequence[Step]", position: int, events: bool, json: bool
) -> None:
    from ops.journal import follow

    note("Following; Ctrl-C ends it.")
    for step in follow(stores, account, shard, known, position):
        if events and not isinstance(step, Envelope):
            continue
        if json:
            as_json(document(step))
        else:
            typer.echo("   ".join(str(cell) for cell in _row(step)))


def document(step: "Step") -> dict[str, Any]:
    """A step for programs: an event with its envelope and `type`; a refused command has an `outcome`."""
    if isinstance(step, Envelope):
        return {**to_builtins(step), "type": step.type}
    command = step.command
    return {
        "outcome": "rejected",
        "type": type(command).__name__,
        "account_id": command.account_id,
        "after_version": step.after,
        "at": step.at,
        "reason": step.reason,
        "message": step.message,
        "policy_version": step.policy,
        "command": to_builtins(command),
    }


def show_steps(title: str, steps: "Iterable[Step]") -> None:
    """Print steps as a table; JSON has the ids in full."""
    table(
        title,
        ("time (UTC)", "version", "event", "details", "policy", "command"),
        map(_row, steps),
        numbers=(1,),
        folded=3,
    )


def _row(step: "Step") -> tuple[object, ...]:
    if isinstance(step, Envelope):
        said = said_by(step.event)
        return moment(step.at), step.version, step.type, said, step.event.policy_version, step.command_id[:8]
    name = f"refused: {type(step.command).__name__}"
    return moment(step.at), "-", name, _why(step), step.policy or "-", step.command.command_id[:8]


def _why(refused: "Refused") -> str:
    return f"{what_of(refused.command)}: {refused.reason}, {refused.message}"


def what_of(command: "AnyCommand") -> str:
    """What a command says, but for what all of them have."""
    fields = to_builtins(command)
    return ", ".join(str(value) for name, value in fields.items() if name not in _OF_EVERY_COMMAND)


def said_by(event: AnyEvent) -> str:
    """What an event says, but for ids that only programs need."""
    fields = {name: value for name, value in to_builtins(event).items() if name not in _HIDDEN}
    expires_at = fields.pop("expires_at", None)
    renewals, before = fields.pop("renewals", None), fields.pop("previous_plan", None)
    quality = fields.pop("download_quality", "standard")
    parts = [str(value) for value in fields.values()]
    parts += [f"instead of {before}"] if before is not None else []
    parts += [f"{quality} quality"] if quality != "standard" else []
    parts += [f"until {moment(expires_at)}"] if expires_at is not None else []
    parts += [f"renewal {renewals}"] if renewals is not None else []
    return ", ".join(parts)
