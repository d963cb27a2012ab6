"""`licensing repair`: an account's documents of a view, made anew."""
# ruff: noqa: PLC0415 - a command imports what it needs, so that --help is quick

from typing import TYPE_CHECKING, Annotated

import typer

from ops.cli.failures import Failure
from ops.cli.look import Json, Name, named
from ops.settings import Settings

if TYPE_CHECKING:
    from ops.truth.check import Sources
    from ops.truth.documents import Difference


def repair(
    name: Name,
    account: Annotated[str, typer.Option("--account", metavar="ACCOUNT", help="The account's id.")],
    json: Json = False,
) -> None:
    """Make the documents of an account in the live generation of a view anew, from its events, in one step.

    The view's worker may go on: where it writes in between, the step is made again. In a view that sums over accounts
    an account has no part of its own that could be taken out of the sums, so those of its whole partition are made
    anew, for which all accounts are read; `licensing rebuild` is for what is too large for that.
    """
    from ops.cli.check_report import changes_as_lines, changes_as_table
    from ops.truth import stores

    view, settings = named(name), Settings.read()
    with stores.sources(settings, [view.NAME]) as sources:
        if view.NAME not in sources.live:
            raise Failure(stores.unlike(settings, view.NAME) or f"{view.NAME} went live just now: try again.")
        changed = _repaired(sources, view.NAME, account)
    (changes_as_lines if json else changes_as_table)(name, account, changed)


def _repaired(sources: "Sources", name: str, account: str) -> "list[Difference]":
    from ops.cli.bars import Bars
    from ops.truth import repair

    (view, whole), reader = sources.live[name], sources.reader
    if view.TAG == "account":
        return repair.account(view, whole, reader, account)
    history = reader.again(account)
    if not history.rows:
        raise Failure(f"The account {account} has no events, so it is in no partition.")
    with Bars(accounts=0) as bars:
        tags = [f"p{history.shard}"]
        found = repair.partitions(view, whole, reader, tags, lambda done, total: bars.set("accounts", done, total))
        return [one for _, changed in found for one in changed]
