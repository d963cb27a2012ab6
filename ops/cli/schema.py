"""`licensing schema`: what a change of the messages means for what is deployed and stored."""
# ruff: noqa: PLC0415 - a command imports what it needs, so that --help is quick

from typing import Annotated

import typer

from ops.cli.failures import Failure, Verbs
from ops.cli.output import as_json, note, table

schema = typer.Typer(
    name="schema",
    cls=Verbs,
    help="The schemas of the messages: check them against a release, put a release on record.",
    no_args_is_help=True,
)


@schema.command(epilog="Example: licensing schema check --against v0.1.0")
def check(
    against: Annotated[
        str | None,
        typer.Option(metavar="REF_OR_FOLDER", help="A git tag, or a folder of a release; else what is on record."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of the table.")] = False,
) -> None:
    """Say whether the schemas get along with those of a release, message by message.

    backward: who has the new schema reads what the release wrote. forward: who has the release's schema reads what is
    written now. full: both. `upcaster`: not by Avro's rules, but by a step of ours. Files of a release never change.
    Exit code 1: something would not be readable any more, a file was edited, or one is unfit.
    """
    from dataclasses import asdict

    from ops.contract.check import verdicts
    from ops.contract.released import NoRelease, marks, texts

    try:
        released, known = marks(against)
    except NoRelease as error:
        raise typer.BadParameter(str(error), param_hint="--against") from error
    found = verdicts(texts(), released, known)
    ok = all(verdict.ok for verdict in found)
    if json:
        as_json({"ok": ok, "messages": [asdict(verdict) for verdict in found]})
    else:
        table(
            "Schemas, against " + (against or "the releases on record"),
            ("message", "released", "now", "backward", "forward", "full", "verdict", "what to do"),
            [
                (v.message, v.released, v.now, v.backward, v.forward, v.full, "fine" if v.ok else "REFUSED", v.to_do)
                for v in found
            ],
            folded=-1,
        )
    raise typer.Exit(0 if ok else 1)


@schema.command(epilog="Example: licensing schema record 0.2.0")
def record(release: Annotated[str, typer.Argument(help="The release that brings the new files.")]) -> None:
    """Put the schema files that are new on record: from then on they never change."""
    from ops.contract import released
    from ops.contract.check import verdicts

    refused = [verdict for verdict in verdicts(released.texts(), *released.marks(None)) if not verdict.ok]
    if refused:
        raise Failure("\n".join([verdict.to_do for verdict in refused] + ["Nothing was recorded."]))
    try:
        names = released.record(release)
    except released.NoRelease as error:
        raise Failure(f"Nothing was recorded: {error}.") from error
    note(f"On record as {release}: {', '.join(names)}.")
