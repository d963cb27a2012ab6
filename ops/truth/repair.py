"""Documents made anew from the events, in the place of what is there, while the worker of the view goes on.

The events are read after what the generation has seen, so they are at least as many. Should it have seen more when the
documents are put in their place, nothing is changed, and what came is added first.
"""

from collections.abc import Collection, Iterable, Iterator

from commands.accounts import BrokenHistory
from ops.truth.documents import Difference, compare, fold
from ops.truth.histories import History, Reader, Tell
from projections.changes import StoredDocument
from projections.views.view import View
from projections.whole import Tagged, Whole

#: Attempts, each of which found that events had come meanwhile.
TRIES = 20
#: Versions, fields and holds that one step may write: it holds up Redis, a microsecond or two for each.
MOST = 500_000


class Refused(Exception):
    """It cannot be repaired in place. The text says why, and what to do."""


def account(view: View, whole: Whole, reader: Reader, account_id: str) -> list[Difference]:
    """Repair the documents of an account; what was changed.

    Raises:
        BrokenHistory: the store lacks a version.
        Refused: too much happens to the account.
        StoreUnavailable, RedisError, NewerRelease: as reading and writing do.
    """
    there, before = _before(whole, account_id)
    return _replaced(whole, account_id, there, before, _Folded(view, reader, [reader.again(account_id)]))


def partitions(
    view: View, whole: Whole, reader: Reader, tags: Collection[str], tell: Tell = lambda done, total: None
) -> Iterator[tuple[str, list[Difference]]]:
    """Repair what a view has of partitions, such as `p0`: all accounts are read once. It raises as `account` does."""
    there = {tag: _before(whole, tag) for tag in tags}
    folded = {tag: _Folded(view, reader, ()) for tag in tags}
    for batch in reader.everything(tell):
        for history in batch:
            if (of_tag := folded.get(f"p{history.shard}")) is not None:
                of_tag.take(history)
    for tag in sorted(tags):
        yield tag, _replaced(whole, tag, *there[tag], folded[tag])


def _before(whole: Whole, tag: str) -> tuple[set[str], Tagged]:
    """The documents under a tag, and all that is in them."""
    there = {document for _, kind, document in whole.scan(tag) if kind in ("doc", "holds")}
    _, (before,) = whole.read([(tag, there)])
    return there | before.documents.keys(), before


class _Folded:
    """Documents and versions of one tag, made of whole histories."""

    def __init__(self, view: View, reader: Reader, histories: Iterable[History]) -> None:
        self.documents: dict[str, StoredDocument] = {}
        self.versions: dict[str, int] = {}
        self.view, self._reader = view, reader
        for history in histories:
            self.take(history)

    def take(self, history: History) -> None:
        """Fold in what is not folded yet of an account."""
        if history.broken:
            raise BrokenHistory(f"account {history.account_id}: version {len(history.rows) + 1} is missing")
        known = self.versions.get(history.account_id, 0)
        fold(self.view, self.documents, history.envelopes[known:])
        if history.rows:
            self.versions[history.account_id] = len(history.rows)

    def catch_up(self, account_id: str) -> int:
        """Read an account again; how many events it has."""
        self.take(self._reader.again(account_id))
        return self.versions.get(account_id, 0)

    def size(self) -> int:
        """How many values there are to write."""
        return len(self.versions) + sum(len(one.fields) + len(one.holds) for one in self.documents.values())


def _replaced(whole: Whole, tag: str, there: set[str], before: Tagged, folded: _Folded) -> list[Difference]:
    wrong: dict[str, object] = {}
    for _ in range(TRIES):
        if folded.size() > MOST:
            name = folded.view.NAME
            raise Refused(
                f"{tag} of {name} has {folded.size():,} values, and {MOST:,} are the most that are written at once: "
                f"fill another generation, with `licensing rebuild {name}`."
            )
        after = Tagged(folded.versions, folded.documents)
        ahead = whole.replace(tag, after, wrong, there - folded.documents.keys())
        if not ahead:
            return _changed(tag, tag if folded.view.TAG == "account" else None, before, after)
        for account_id, version in ahead.items():
            if not isinstance(version, int) or folded.catch_up(account_id) < version:
                wrong[account_id] = version  # the events were read after it: there are no more
    name = folded.view.NAME
    raise Refused(
        f"{tag} of {name} changes faster than it is made anew: stop the view's worker meanwhile, or fill another "
        f"generation, with `licensing rebuild {name}`."
    )


def _changed(tag: str, account_id: str | None, before: Tagged, after: Tagged) -> list[Difference]:
    changed = [
        Difference(tag, name, None, "version", before.versions.get(name), after.versions.get(name))
        for name in sorted(before.versions.keys() | after.versions.keys())
        if before.versions.get(name) != after.versions.get(name)
    ]
    return changed + list(compare(tag, account_id, before.documents, after.documents))
