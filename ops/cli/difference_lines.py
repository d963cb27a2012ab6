"""The difference that a what-if makes, all of it, as JSON lines."""

from collections import Counter
from typing import Any

from msgspec import to_builtins

from ops.cli.output import as_json
from ops.whatif.again import Changed, Kind, Totals
from ops.whatif.documents import Documents
from ops.whatif.parted import Parted
from ops.whatif.run import Found, Refolded


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
