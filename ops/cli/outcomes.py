"""What became of commands: one row for each, or sums by reason."""

from collections import Counter
from typing import TYPE_CHECKING

from msgspec import to_builtins

from ops.cli.output import as_json, table
from schemas.replies import Reply

if TYPE_CHECKING:
    from ops.replies import Replies


class Outcomes:
    """Takes replies as they come: JSON lines at once, else a table at the end."""

    def __init__(self, json: bool) -> None:
        self._json = json
        self._replies: list[Reply] = []

    def take(self, reply: Reply) -> None:
        """One reply."""
        if self._json:
            as_json(to_builtins(reply))
        else:
            self._replies.append(reply)

    def show(self) -> None:
        """Print the table."""
        if self._json or not self._replies:
            return
        table(
            "Outcomes",
            ("command", "account", "outcome", "reason", "versions", "message"),
            [(r.command_id, r.account_id, r.outcome, r.reason, _versions(r), r.message) for r in self._replies],
        )


def _versions(reply: Reply) -> str | None:
    if reply.first_version is None or reply.first_version == reply.last_version:
        return str(reply.first_version) if reply.first_version is not None else None
    return f"{reply.first_version}-{reply.last_version}"


def show_sums(outcomes: Counter[tuple[str, str]]) -> None:
    """Print how often each outcome and reason came."""
    total = outcomes.total()
    table(
        "Outcomes by reason",
        ("outcome", "reason", "commands", "share"),
        [
            (outcome, reason or None, count, f"{count / total:.1%}")
            for (outcome, reason), count in sorted(outcomes.items(), key=lambda item: (item[0][0], -item[1]))
        ],
        numbers=(2, 3),
    )


def show_load(sent: int, sending: float, whole: float, replies: "Replies | None", json: bool) -> None:
    """Print the sums of a load: `sending` and `whole` are seconds until all was sent, and until all was answered."""
    sums = {"sent": sent, "sending_seconds": round(sending, 3), "sent_per_second": round(sent / sending)}
    if replies is not None:
        sums |= {"answered": replies.answered, "answered_per_second": round(replies.answered / whole)}
    if json:
        outcomes = [
            {"outcome": outcome, "reason": reason or None, "commands": count}
            for (outcome, reason), count in (replies.outcomes.items() if replies is not None else ())
        ]
        as_json(sums | {"outcomes": outcomes})
        return
    table("Load", list(sums), [list(sums.values())], numbers=range(len(sums)))
    if replies is not None:
        show_sums(replies.outcomes)
