"""`licensing state`: an account as it is, or as it was."""
# ruff: noqa: PLC0415 - a command imports what it needs, so that --help is quick

import time
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec import to_builtins

from ops.cli.failures import Failure
from ops.cli.output import as_json, moment, table
from ops.settings import Settings
from ops.times import last_of

if TYPE_CHECKING:
    from commands.account import Account
    from ops.as_of import Past

#: Fields that are not listed with the others.
_OF_ALL = {"version", "at", "answered"}
_OF_ACCOUNT = _OF_ALL | {"devices", "acquired"}

AsOf = Annotated[
    str | None,
    typer.Option(
        "--as-of",
        metavar="TIME",
        help="A time such as 2026-05-01T20:15:00Z (without a fraction: all of that second), or ms since 1970.",
    ),
]


def time_of(text: str | None, option: str = "--as-of") -> int | None:
    """The time that an option names, ms since the epoch."""
    try:
        return None if text is None else last_of(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text} is {error}", param_hint=option) from error


def state(
    account: Annotated[str, typer.Argument(metavar="ACCOUNT", help="The account's id.")],
    as_of: AsOf = None,
    at_version: Annotated[int | None, typer.Option(min=1, metavar="N", help="After its N-th event.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Print the state of an account now, at a time or at a version: the nearest snapshot before it and what came after.

    Whether a licence is active is said for that time, by its end alone: a withdrawal of its title is the policy's.
    Exit code 1: nothing had happened to the account by then.
    """
    from ops import history

    if as_of is not None and at_version is not None:
        raise typer.BadParameter("give a time or a version, not both", param_hint="--at-version")
    at = time_of(as_of)
    past = history.state(Settings.read(), account, version=at_version, at=at)
    if past.state.version == 0:
        raise Failure(f"Nothing has happened to the account {account}{_when(as_of)}.")
    if at_version is not None and past.state.version < at_version:
        raise Failure(f"The account {account} has {past.state.version:,} events, not {at_version:,}.")
    now = at if at is not None else past.state.at if at_version is not None else int(time.time() * 1000)
    if json:
        as_json({"account_id": account, "as_of": now, "snapshot": past.base, "state": to_builtins(past.state)})
    else:
        _show(account, past, now)


def _when(as_of: str | None) -> str:
    return "" if as_of is None else f" up to {as_of}"


def _show(account: str, past: "Past", now: int) -> None:
    from commands.account import Account

    found, events = past.state, f"{past.folded:,} event{'' if past.folded == 1 else 's'}"
    made = f"the snapshot of version {past.base:,} and {events} after it" if past.base else events
    rows: list[tuple[str, object]] = [("as of (UTC)", moment(now)), ("version", found.version)]
    rows += [("last event (UTC)", moment(found.at)), ("made of", made)]
    own = type(found) is Account
    apart = _OF_ACCOUNT if own else _OF_ALL
    rows += [(name, value) for name, value in to_builtins(found).items() if name not in apart]
    table(f"State of {account}", ("field", "value"), rows)
    if own:
        _show_licenses(found, now)


def _show_licenses(found: "Account", now: int) -> None:
    from commands.account import YEAR

    licenses = [
        (
            device,
            title,
            "active" if now < one.expires_at else "ended",
            moment(one.expires_at),
            one.renewals,
            one.completed,
        )
        for device, held in found.devices.items()
        for title, one in held.items()
    ]
    if licenses:
        columns = ("device", "title", "state", "expires at (UTC)", "renewals", "completed")
        table("Licences held", columns, licenses, numbers=(4,))
    year = {title: [at for at in times if at > now - YEAR] for title, times in found.acquired.items()}
    rows = [(title, len(times), moment(times[-1])) for title, times in year.items() if times]
    if rows:
        table("Acquired in the 365 days before", ("title", "times", "last (UTC)"), rows, numbers=(1,))
