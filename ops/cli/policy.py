"""`licensing policy`: check, compare and publish the rules."""
# ruff: noqa: PLC0415 - each command imports what it needs, so that --help is quick

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from ops.cli.failures import Failure
from ops.cli.output import as_json, moment, note, table
from ops.settings import Settings

File = Annotated[Path, typer.Argument(help="A policy's YAML document.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def check(file: File, json: Json = False) -> None:
    """Say whether a document is a policy, and if not everything that is wrong, with its lines. Exit code 1 then."""
    from commands.policy_file import PolicyError, load_policy

    try:
        policy = load_policy(file)
    except PolicyError as error:
        if json:
            as_json({"file": str(file), "ok": False, "problems": [one._asdict() for one in error.problems]})
        for line, where, what in () if json else error.problems:
            note(f"{file}:{line}: {where}{': ' if where else ''}{what}")
        raise typer.Exit(1) from error
    if json:
        found = {"version": policy.version, "effective_from": policy.effective_from, "problems": []}
        as_json({"file": str(file), "ok": True, **found})
        return
    sizes = f"plans: {len(policy.plans)}, studios: {len(policy.studios)}, titles: {len(policy.titles)}"
    typer.echo(f"{file} is a policy: version {policy.version}, from {moment(policy.effective_from)} UTC ({sizes}).")


def diff(
    a: Annotated[Path, typer.Argument(help="The policy as it was.")],
    b: Annotated[Path, typer.Argument(help="The policy as it is to be.")],
    json: Json = False,
) -> None:
    """Print what changes from one policy to another."""
    from commands.policy_file import load_document
    from ops.policies import changes

    before, after = load_document(a), load_document(b)
    found = changes(before, after)
    if json:
        rows = [{"what": c.what, "was": _plain(c.was), "becomes": _plain(c.becomes)} for c in found]
        as_json({"a": before.version, "b": after.version, "changes": rows})
    elif not found:
        typer.echo("They say the same.")
    else:
        table(
            f"From {before.version} to {after.version}",
            ("what", "was", "becomes"),
            [(c.what, _said(c.was), _said(c.becomes)) for c in found],
            folded=2,
        )


def publish(file: File, json: Json = False) -> None:
    """Publish a policy to the handlers; it takes effect at its time, 30 seconds from now at the soonest.

    A document that is no policy, or whose time or version would change what is decided already, is refused, and nothing
    is sent. Publishing the same document again changes nothing.
    """
    from ops import policies

    try:
        policy, sent = policies.publish(Settings.read(), file)
    except policies.NotPublished as error:
        raise Failure(f"{file}: {error}") from error
    if json:
        as_json({"version": policy.version, "effective_from": policy.effective_from, "sent": sent})
    elif sent:
        typer.echo(f"Published version {policy.version}; it takes effect at {moment(policy.effective_from)} UTC.")
    else:
        typer.echo(f"Version {policy.version} is published already, just so.")


def _plain(value: Any) -> Any:
    """A value as JSON has it: moments as texts."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value


def _said(value: Any) -> str | None:
    """A value as the document has it, on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_said(one)}" for key, one in value.items()) + "}"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return None if value is None else str(value)
