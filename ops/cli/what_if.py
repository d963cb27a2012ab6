"""`licensing what-if`: real history, changed."""
# ruff: noqa: PLC0415 - a command imports what it needs, so that --help is quick

import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from ops.cli.failures import Failure
from ops.settings import Settings

if TYPE_CHECKING:
    from commands.policies import Policies
    from ops.cli.bars import Bars
    from ops.whatif.edits import Edits
    from ops.whatif.run import Found
    from schemas.events import Envelope


class Pairs(TyperCommand):
    """Takes --set with its two values, as often as it is there, which Typer cannot: they become one text."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse, with the values of --set joined by a space; an event's name has none, nor an equals sign."""
        joined: list[str] = []
        for one in args:
            if joined[-2:-1] == ["--set"] and not {" ", "="} & set(joined[-1]):
                joined[-1] += f" {one}"
            else:
                joined.append(one)
        return super().parse_args(ctx, joined)


def what_if(
    account: Annotated[
        str | None, typer.Argument(metavar="[ACCOUNT]", help="One account; else --sample or --all.")
    ] = None,
    sample: Annotated[int | None, typer.Option(min=1, metavar="N", help="N accounts, always the same ones.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All accounts.")] = False,
    policy: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Decide the recorded commands again under this policy.")
    ] = None,
    drop: Annotated[
        list[str] | None, typer.Option(metavar="EVENT", help="Without this event: its version, or its id.")
    ] = None,
    change: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="EVENT FIELD=VALUE", help="With another value in this event."),
    ] = None,
    insert: Annotated[
        Path | None, typer.Option(metavar="FILE", help="With these events, in lines as of `timeline --json`.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON lines instead of tables.")] = False,
) -> None:
    """Say what would be different: under another policy, or with other events. Nothing is written to any store.

    The policy decides the commands that the journal has kept, in their order and at their times, as if it had been in
    force all the time, whatever its effective_from. All rows of the accounts' shards are read for it. Without a change
    the policies that were in force decide again: exit code 1 if that makes a difference.

    --drop, --set and --insert change an account's events and fold them anew; nothing is decided again. Events that
    could not have happened then, such as the playback of what was never acquired, are left out and listed.

    Documents are given as they would read now; one that many accounts share, as the part of those that differ.
    """
    edited = bool(drop or change or insert)
    _check(account, sample, every, policy, edited)
    from ops.cli.bars import Bars
    from ops.cli.difference import Tables
    from ops.cli.difference_lines import JsonLines
    from ops.collecting import as_a_handler

    now = int(time.time() * 1000)
    settings = Settings.read()
    with Bars(journal_rows=0) as bars, as_a_handler():
        if edited and account is not None:
            found = _with_other_events(settings, account, drop or [], map(_pair, change or []), insert, now)
        else:
            found = _decided_again(settings, account, sample, policy, now, bars)
        report = JsonLines() if json else Tables()
        for one in found:
            report.take(one)
    report.show()
    if not edited and policy is None and report.differs:
        raise typer.Exit(1)


def _check(account: str | None, sample: int | None, every: bool, policy: Path | None, edited: bool) -> None:
    """Refuse what does not go together."""
    if (account is not None) + (sample is not None) + every != 1:
        raise typer.BadParameter("say of whom: ACCOUNT, --sample N or --all", param_hint="ACCOUNT")
    if edited and account is None:
        raise typer.BadParameter("events are changed in the history of one ACCOUNT", param_hint="ACCOUNT")
    if edited and policy is not None:
        raise typer.BadParameter("either events are changed, or a policy decides again", param_hint="--policy")


def _decided_again(
    settings: Settings, account: str | None, sample: int | None, policy: Path | None, now: int, bars: "Bars"
) -> "Iterator[Found]":
    from ops import history, journal
    from ops.deciders.pool import deciders
    from ops.whatif.run import decide_again
    from schemas.topics import partition_of

    policies = _policies(settings, policy)
    wanted = None if account is None else {account}
    if sample is not None:
        wanted = history.some_accounts(settings, sample)
    count = journal.shards(settings)
    shards = range(count) if wanted is None else sorted({partition_of(one, count) for one in wanted})
    with deciders(len(shards), wanted) as decide, journal.stores(settings) as stores:
        yield from decide_again(
            stores, shards, policies, now, wanted, lambda done, total: bars.set("journal_rows", done, total), decide
        )


def _policies(settings: Settings, file: Path | None) -> "Policies":
    from commands.policies import Timeline
    from commands.policy_file import load_policy
    from ops import policies

    return policies.read(settings).timeline() if file is None else Timeline(load_policy(file))


def _with_other_events(
    settings: Settings,
    account: str,
    drop: Iterable[str],
    change: Iterable[tuple[str, str]],
    insert: Path | None,
    now: int,
) -> "Iterator[Found]":
    from ops import history
    from ops.whatif.edits import EditError
    from ops.whatif.run import change_events

    real = history.events(settings, account)
    if not real:
        raise Failure(f"The account {account} has no events.")
    try:
        edits = _edits(real, drop, change)
    except EditError as error:
        raise typer.BadParameter(str(error)) from error
    if insert is not None:
        edits.inserted = _inserted(insert, account, real)
    yield from change_events(account, real, edits, now)


def _pair(text: str) -> tuple[str, str]:
    name, _, assignment = text.partition(" ")
    return name, assignment


def _edits(real: "list[Envelope]", drop: Iterable[str], change: Iterable[tuple[str, str]]) -> "Edits":
    from ops.whatif.edits import Edits, changed, find

    edits = Edits(dropped={find(real, name).version for name in drop})
    for name, assignment in change:
        envelope = find(real, name)
        edits.changed[envelope.version] = changed(edits.changed.get(envelope.version, envelope), assignment)
    return edits


def _inserted(file: Path, account: str, real: "list[Envelope]") -> "list[tuple[int, Envelope]]":
    from ops.whatif.edits import EditError, inserted

    try:
        with file.open("rb") as lines:
            return inserted(lines, account, real)
    except EditError as error:
        raise Failure(f"{file}: {error}") from error
