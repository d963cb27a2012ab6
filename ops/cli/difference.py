"""The difference that a what-if makes: tables with the first of it, or all of it as JSON lines."""

from collections import Counter
from typing import Any

import typer
from msgspec import to_builtins

from ops.cli.look import readable
from ops.cli.output import as_json, cell, moment, table
from ops.cli.timeline import said_by, what_of
from ops.differences import differences
from ops.whatif.again import Changed, Kind, Outcome, Totals
from ops.whatif.documents import Documents
from ops.whatif.parted import Parted
from ops.whatif.run import Found, Refolded

_FIRST = 20  # rows of a table
_FEW = 4  # fields of a document in a row
_ID = 24  # characters of an id in a path


class JsonLines:
    """A line for each piece; `kind` says what it is."""

    def __init__(self) -> None:
        self.differs = False

    def take(self, found: Found) -> None:
        """Print one piece."""
        self.differs |= not isinstance(found, Totals | Refolded)
        as_json(_document(found))

    def show(self) -> None:
        """All is printed already."""


def _document(found: Found) -> dict[str, Any]:
    match found:
        case Changed():
            return {"kind": "outcome", "type": type(found.command).__name__, **to_builtins(found)}
        case Parted():
            changes = [change._asdict() for change in found.changes()]
            sizes = {"version": found.version, "events_before": len(found.before), "events_after": len(found.after)}
            return {"kind": "account", "account_id": found.account_id, **sizes, "changes": changes}
        case Documents():
            return {"kind": "document", **found._asdict()}
        case Refolded():
            impossible = [{**to_builtins(one), "type": one.type} for one in found.impossible]
            return {
                "kind": "totals",
                "events_before": found.before,
                "events_after": found.after,
                "impossible": impossible,
            }
        case Totals():
            return {
                "kind": "totals",
                "commands": found.commands,
                "accounts": found.accounts,
                "accounts_that_differ": found.parted,
                "before": _counts(found.before),
                "after": _counts(found.after),
                "changed": [
                    {"before": _named(a), "after": _named(b), "commands": n}
                    for (a, b), n in found.changed.most_common()
                ],
            }


def _named(kind: Kind) -> dict[str, str | None]:
    return {"outcome": kind[0], "reason": kind[1]}


def _counts(counter: Counter[Kind]) -> list[dict[str, Any]]:
    return [{**_named(kind), "commands": count} for kind, count in counter.most_common()]


class Tables:
    """The first of each kind, and how many there are."""

    def __init__(self) -> None:
        self._first: dict[type[Any], list[Any]] = {Changed: [], Parted: [], Documents: []}
        self._count: Counter[type[Any]] = Counter()
        self._by_view: Counter[str] = Counter()
        self._totals: Totals | Refolded | None = None

    @property
    def differs(self) -> bool:
        """Whether there is any difference."""
        return bool(self._count)

    def take(self, found: Found) -> None:
        """One piece."""
        if isinstance(found, Totals | Refolded):
            self._totals = found
            return
        kind = type(found)
        self._count[kind] += 1
        if isinstance(found, Documents):
            self._by_view[found.view] += 1
        if len(self._first[kind]) < _FIRST:
            self._first[kind].append(found)

    def show(self) -> None:
        """Print what differs; the totals come last."""
        changed, parted, documents = (self._first[kind] for kind in (Changed, Parted, Documents))
        if changed:
            names: tuple[str, ...] = ("time (UTC)", "account", "command", "of", "is", "would be")
            table(self._title("Commands", Changed), names, map(_changed, changed), folded=5)
        if len(parted) == 1:
            self._account(parted[0])
        elif parted:
            names = ("account", "same until version", "events before", "after", "fields that differ")
            table(self._title("Accounts", Parted), names, map(_account, parted), numbers=(1, 2, 3, 4))
        if documents:
            names = ("view", "document", "is -> would be")
            table(self._title("Documents", Documents), names, map(_read, documents), folded=2)
        self._sums()

    def _title(self, name: str, kind: type[Any]) -> str:
        count = self._count[kind]
        more = f", the first {_FIRST} of {count:,}; --json has all" if count > _FIRST else ""
        return f"{name} that differ{more}"

    def _account(self, parted: Parted) -> None:
        """The only one: all that differs in it, whatever versions its events have."""
        was, becomes = (
            {(one.event_id, one.at, one.event): one for one in end} for end in (parted.before, parted.after)
        )
        steps = [("is", one) for key, one in was.items() if key not in becomes]
        steps += [("would be", one) for key, one in becomes.items() if key not in was]
        table(
            f"Events of {parted.account_id}, the same up to version {parted.version}",
            ("", "version", "time (UTC)", "event", "details"),
            [(what, one.version, moment(one.at), one.type, said_by(one.event)) for what, one in steps[:_FIRST]],
            numbers=(1,),
        )
        rows = [(one.what, _said(one.what, one.was), _said(one.what, one.becomes)) for one in parted.changes()]
        table(f"State of {parted.account_id}", ("what", "is", "would be"), rows, folded=0)

    def _sums(self) -> None:
        totals = self._totals
        if isinstance(totals, Refolded):
            if totals.impossible:
                rows = [(one.version, moment(one.at), one.type, said_by(one.event)) for one in totals.impossible]
                table(
                    "Could not have happened, and left out",
                    ("version", "time (UTC)", "event", "details"),
                    rows,
                    numbers=(0,),
                )
            table("Events", ("are", "would be"), [(totals.before, totals.after)], numbers=(0, 1))
        elif totals is not None:
            _outcomes(totals)
        if self._by_view:
            table("Documents that differ", ("view", "documents"), self._by_view.items(), numbers=(1,))
        if not self.differs:
            typer.echo("No difference.")


def _outcomes(totals: Totals) -> None:
    if totals.changed:
        rows = [
            (_kind(a), _kind(b) if a != b else "the same, with other events", n)
            for (a, b), n in totals.changed.most_common()
        ]
        table("Outcomes that change", ("before", "after", "commands"), rows, numbers=(2,))
    kinds = sorted(totals.before.keys() | totals.after.keys(), key=lambda kind: (kind[0], -totals.before[kind]))
    sums: list[tuple[object, ...]] = [
        (*kind, totals.before[kind], totals.after[kind], f"{totals.after[kind] - totals.before[kind]:+,}")
        for kind in kinds
    ]
    table("Outcomes by reason", ("outcome", "reason", "before", "after", "change"), sums, numbers=(2, 3, 4))
    changed = totals.changed.total()
    table(
        "Totals",
        ("", "all", "that differ"),
        [("commands", totals.commands, changed), ("accounts", totals.accounts, totals.parted)],
        numbers=(1, 2),
    )


def _changed(one: Changed) -> tuple[object, ...]:
    command = one.command
    name, what = type(command).__name__, what_of(command)
    return moment(one.at), command.account_id, name, what, _outcome(one.before), _outcome(one.after)


def _outcome(outcome: Outcome) -> str:
    said = [_kind((outcome.outcome, outcome.reason))]
    said += [f"{type(event).__name__} {said_by(event)}" for event in outcome.events]
    return ": ".join(said)


def _kind(kind: Kind) -> str:
    return kind[0] if kind[1] is None else f"{kind[0]} {kind[1]}"


def _account(one: Parted) -> tuple[object, ...]:
    return one.account_id, one.version, len(one.before), len(one.after), len(one.changes())


def _read(one: Documents) -> tuple[object, ...]:
    if one.shared and one.before and one.after:
        more = [f"{name} {after - one.before[name]:+,}" for name, after in one.after.items() if isinstance(after, int)]
        return one.view, one.key, ", ".join(each for each in more if not each.endswith("+0"))
    found = list(differences(_by_id(one.before), _by_id(one.after)))
    said = [f"{c.what} {_said(c.what, c.was)} -> {_said(c.what, c.becomes)}" for c in found[:_FEW]]
    return one.view, one.key, ", ".join(said + ([f"and {len(found) - _FEW} more"] if len(found) > _FEW else []))


def _by_id(value: Any) -> Any:
    """Lists of documents by what names each, so that one can be compared with itself."""
    if isinstance(value, dict):
        return {name: _by_id(one) for name, one in value.items()}
    if isinstance(value, list) and all(isinstance(one, dict) for one in value):
        return {"/".join(str(v)[:_ID] for k, v in one.items() if k.endswith("_id")): one for one in value}
    return value


def _said(what: str, value: object) -> object:
    last = what.rpartition(".")[2]
    if isinstance(value, dict):
        return "held" if "license_id" in value else ", ".join(map(str, value))
    return cell(readable(last, value))
