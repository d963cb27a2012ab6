"""The event rows of an account by themselves, and its snapshots beside the fold of them."""

from collections.abc import Iterator, Sequence

from msgspec import to_builtins

from commands.account import Account
from commands.accounts import extend
from commands.aggregates import aggregate_of
from commands.ports import SnapshotHistory
from ops.differences import differences
from ops.truth.findings import Finding
from ops.truth.histories import History, Reader


class Stored:
    """Looks at the rows of accounts. `snapshots`: how many it has compared."""

    def __init__(self, snapshots: SnapshotHistory, reader: Reader) -> None:
        self._snapshots, self._reader = snapshots, reader
        self.snapshots = 0

    def take(self, batch: Sequence[History]) -> Iterator[Finding]:
        """Look at accounts."""
        kept = self._snapshots.kept(history.account_id for history in batch)
        for history in batch:
            name = history.account_id
            if history.broken:
                yield Finding("versions", name, "event rows", f"{len(history.rows)}, then a gap", "no gaps")
            ids = {row.envelope.event_id for row in history.rows}
            if len(ids) != len(history.rows):
                yield Finding("event-id", name, "event rows", f"{len(ids)} ids", f"{len(history.rows)} ids")
            yield from self._compare(history, kept.get(name, []))

    def _compare(self, history: History, kept: Sequence[Account]) -> Iterator[Finding]:
        name = history.account_id
        if kept and kept[0].version > len(history.rows) and not history.broken:
            history = self._reader.again(name)  # a snapshot is saved after the rows that it is made of
        draft = aggregate_of(name).initial()
        for snapshot in reversed(kept):
            version = snapshot.version
            if version > len(history.rows):
                yield Finding("snapshot", name, f"version {version}", "there", f"{len(history.rows)} events")
                continue
            try:
                extend(draft, (row.envelope for row in history.rows[draft.version : version]))
            except LookupError as error:
                yield Finding(
                    "versions", name, f"after version {draft.version}", f"{error!r}", "events that can be folded"
                )
                return
            self.snapshots += 1
            for change in differences(to_builtins(snapshot), to_builtins(draft)):
                yield Finding("snapshot", name, f"version {version} {change.what}", change.was, change.becomes)
