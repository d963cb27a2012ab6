"""The difference that a what-if makes: tables with the first of it, and its sums."""

from collections import Counter
from typing import Any

import typer
from msgspec import to_builtins

from ops.cli.look import readable
from ops.cli.output import cell, moment, table
from ops.cli.timeline import said_by, what_of
from ops.differences import by_name, differences
from ops.whatif.again import Changed, Kind, Outcome, Totals
from ops.whatif.documents import Documents
from ops.whatif.parted import Parted
from ops.whatif.run import Found, Refolded

_FIRST = 20  # rows of a table
_FEW = 4  # fields of a document in a row


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
            table(self._title("Commands", Changed), names, map(_changed, changed), folded=3)
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
            _events(totals)
        elif totals is not None:
            _outcomes(totals)
            rows = [("commands", totals.commands, totals.changed.total()), ("accounts", totals.accounts, totals.parted)]
            documents = [(f"documents of {view}", None, count) for view, count in self._by_view.items()]
            table("Totals", ("", "all", "that differ"), [*rows, *documents], numbers=(1, 2))
        if not self.differs:
            typer.echo("No difference.")


def _events(totals: Refolded) -> None:
    if totals.impossible:
        names = ("version", "time (UTC)", "event", "details")
        rows = [(one.version, moment(one.at), one.type, said_by(one.event)) for one in totals.impossible]
        table("Could not have happened, and left out", names, rows, numbers=(0,))
    table("Events", ("are", "would be"), [(totals.before, totals.after)], numbers=(0, 1))


def _outcomes(totals: Totals) -> None:
    if totals.changed:
        rows = [
            (_kind(is_), _kind(would_be) if is_ != would_be else "the same, with other events", count)
            for (is_, would_be), count in totals.changed.most_common()
        ]
        table("Outcomes that change", ("is", "would be", "commands"), rows, numbers=(2,))
    before, after = totals.before, totals.after
    kinds = sorted(before.keys() | after.keys(), key=lambda kind: (kind[0], -before[kind]))
    sums: list[tuple[object, ...]] = [
        (*kind, before[kind], after[kind], f"{after[kind] - before[kind]:+,}" if after[kind] != before[kind] else None)
        for kind in kinds
    ]
    table("Outcomes by reason", ("outcome", "reason", "is", "would be", "change"), sums, numbers=(2, 3, 4))


def _changed(one: Changed) -> tuple[object, ...]:
    command, is_, would_be = one.command, one.before, one.after
    said = _kind((is_.outcome, is_.reason)), _kind((would_be.outcome, would_be.reason))
    if said[0] == said[1]:
        found = list(differences(_fields(is_), _fields(would_be)))
        said = _values([(one.what, one.was) for one in found]), _values([(one.what, one.becomes) for one in found])
    return moment(one.at), command.account_id, type(command).__name__, what_of(command), *said


def _fields(outcome: Outcome) -> dict[str, Any]:
    """The events of an outcome by their names, without what names the policy."""
    return {type(one).__name__: {**to_builtins(one), "policy_version": None} for one in outcome.events}


def _values(fields: list[tuple[str, Any]]) -> str:
    return ", ".join(f"{what.rpartition('.')[2]} {_said(what, value)}" for what, value in fields[:_FEW])


def _kind(kind: Kind) -> str:
    return kind[0] if kind[1] is None else f"{kind[0]} {kind[1]}"


def _account(one: Parted) -> tuple[object, ...]:
    return one.account_id, one.version, len(one.before), len(one.after), len(one.changes())


def _read(one: Documents) -> tuple[object, ...]:
    if one.shared and one.before and one.after:
        more = [f"{name} {after - one.before[name]:+,}" for name, after in one.after.items() if isinstance(after, int)]
        return one.view, one.key, ", ".join(each for each in more if not each.endswith("+0"))
    found = list(differences(by_name(one.before), by_name(one.after)))
    said = [f"{c.what} {_said(c.what, c.was)} -> {_said(c.what, c.becomes)}" for c in found[:_FEW]]
    return one.view, one.key, ", ".join(said + ([f"and {len(found) - _FEW} more"] if len(found) > _FEW else []))


def _said(what: str, value: object) -> object:
    if isinstance(value, dict):
        return "there"
    if isinstance(value, list | tuple):
        return ", ".join(moment(one) for one in value)  # the times of acquisitions
    return cell(readable(what.rpartition(".")[2], value))
