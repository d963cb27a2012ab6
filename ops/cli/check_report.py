"""What a check found: tables with the first of it and its sums, or all of it as JSON lines."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import typer

from ops.cli.output import as_json, cell, note, table
from ops.truth.check import Checked
from ops.truth.documents import Difference
from ops.truth.findings import KINDS, Finding
from ops.truth.fix import Fixed

_FIRST, _WIDE = 20, 40  # rows of a table, and characters of a value


def as_tables(found: Checked, fixed: Sequence[Fixed], seconds: float) -> None:
    """Print tables; `seconds`: what the check took."""
    findings = [(one.kind, one.account_id, one.where, one.is_, one.should) for one in found.findings]
    _first("Findings", ("kind", "account", "where", "is", "should be"), findings)
    done = [(one.what, one.of, one.changes, one.why_not) for one in fixed]
    _first("Done", ("what", "of", "changes", "why not"), done, folded=3)
    looked = [
        ("accounts", found.accounts),
        ("events", found.events),
        ("snapshots", found.snapshots),
        ("messages on the events topic", found.messages),
        *((f"view {name}", "live generation") for name in found.views),
        *((f"on their way to {reader}", count) for reader, count in found.coming.items()),
        *((f"findings: {kind}", count) for kind, count in _counts(found).items() if count),
    ]
    table(f"Looked at in {seconds:,.1f} seconds", ("what", "how many"), looked, numbers=(1,))
    for text in found.notes:
        note(text)
    if not found.findings:
        typer.echo("Everything is true.")


def _first(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]], folded: int = 2) -> None:
    """A table of the first rows; `folded`: the column that is broken where it is too long."""
    if rows:
        more = f", the first {_FIRST} of {len(rows):,}" if len(rows) > _FIRST else ""
        said = [
            [cell(value) if place == folded else _said(value) for place, value in enumerate(row)]
            for row in rows[:_FIRST]
        ]
        table(title + more, columns, said, folded=folded)


def _said(value: object) -> str:
    """A value; of a whole document how much is in it."""
    if isinstance(value, dict):
        parts = [f"{len(one)} {name}" if isinstance(one, dict) else name for name, one in value.items()]
        return f"there: {', '.join(parts)}"
    text = str(value) if isinstance(value, int) else cell(value)
    return text if len(text) <= _WIDE else f"{text[: _WIDE - 3]}..."


def as_lines(found: Checked, fixed: Sequence[Fixed], seconds: float) -> None:
    """Print a line for each finding, for each thing done, and one with the sums."""
    for one in found.findings:
        as_json({"found": one.kind, **_line(one)})
    for done in fixed:
        as_json({"done": done.what, "of": done.of, "changes": done.changes, "why_not": done.why_not})
    sums = {name: value for name, value in asdict(found).items() if name != "findings"}
    as_json({"totals": {**sums, "findings": _counts(found), "seconds": round(seconds, 3)}})


def _line(one: Finding) -> dict[str, Any]:
    return {
        "account_id": one.account_id,
        "view": one.view,
        "tag": one.tag,
        "where": one.where,
        "is": one.is_,
        "should_be": one.should,
    }


def _counts(found: Checked) -> dict[str, int]:
    counts = Counter(one.kind for one in found.findings)
    return {kind: counts[kind] for kind in KINDS}


def changes_as_table(view: str, account: str, changed: Sequence[Difference]) -> None:
    """Print what a repair has changed."""
    if not changed:
        typer.echo(f"The documents of {account} in {view} are what its events make of them: nothing is different.")
        return
    rows = [(one.account_id or "-", one.document or "version", one.what, one.found, one.expected) for one in changed]
    _first(f"Made anew: {account} in {view}", ("account", "document", "what", "was", "is"), rows)


def changes_as_lines(view: str, account: str, changed: Sequence[Difference]) -> None:
    """Print a line for each change."""
    for one in changed:
        line = {"account_id": one.account_id, "tag": one.tag, "document": one.document, "what": one.what}
        as_json({"view": view, "repaired": account, **line, "was": one.found, "is": one.expected})
