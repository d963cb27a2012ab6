"""A generation of a view beside the fold of the store, to the versions that it has seen, also while workers go on.

Events are stored before they are published, so whatever a generation has seen is in rows that are read after it.
"""

from collections.abc import Callable, Container, Iterator, Sequence
from typing import TypeAlias

from ops.truth.documents import Difference, compare, fold
from ops.truth.histories import History, Reader
from ops.truth.marks import Marks, mark_of
from ops.truth.way import Topic, Unseen, passed_by
from projections.changes import StoredDocument
from projections.views.view import View, tag_of
from projections.whole import Tagged, Whole
from schemas.events import Envelope

#: Is told what was found under a tag.
Seen: TypeAlias = Callable[[str, Tagged], None]


class Torn(Exception):
    """Documents came while the generation was looked at: look again."""


class Compared:
    """What both kinds of view have in common. `unseen` and `lag`: what is not in the generation (yet)."""

    def __init__(
        self, view: View, whole: Whole, reader: Reader, until: int | None = None, seen: Seen = lambda tag, found: None
    ) -> None:
        self.view = view
        self.unseen: list[Unseen] = []
        self.lag = 0
        self._whole, self._reader, self._until, self._told = whole, reader, until, seen

    def passed_by(self, topic: Topic) -> Iterator[Difference]:
        """Accounts of which the generation has passed an event by, once all were looked at."""
        for one in passed_by(self.unseen, self._reader.followed_up, topic):
            self.lag = max(0, self.lag - (one.last - one.version + 1))
            tag = tag_of(self.view, one.account_id, one.partition)
            yield Difference(tag, one.account_id, None, "version", one.version - 1, one.last)

    def _wanted(self, history: History) -> list[Envelope]:
        """The events that the generation is to have: an account's time never goes back."""
        envelopes = history.envelopes
        if self._until is None or not envelopes or envelopes[-1].at <= self._until:
            return envelopes
        return [envelope for envelope in envelopes if envelope.at <= self._until]

    def _note(self, history: History, wanted: int, version: int, reached: int) -> None:
        """The generation has seen `version` of the events, and of those that it is to have some are left."""
        self.lag += wanted - version
        row = history.rows[version]
        name, last = history.account_id, len(history.rows)
        self.unseen.append(Unseen(name, version + 1, last, history.shard, reached, row.position))


class ByAccount(Compared):
    """A view whose documents are each of one account. `only`: these accounts; None: all."""

    def __init__(
        self,
        view: View,
        whole: Whole,
        reader: Reader,
        until: int | None = None,
        seen: Seen = lambda tag, found: None,
        only: Container[str] | None = None,
    ) -> None:
        super().__init__(view, whole, reader, until, seen)
        self._only = only
        self._there, self._known = Marks(), Marks()
        self._broken: set[str] = set()

    def begin(self) -> None:
        """Note what there is: before the events are read, so that they explain it."""
        for place in self._whole.scan():
            if self._only is None or place[0] in self._only:
                self._there.add(mark_of(place))

    def take(self, batch: Sequence[History]) -> Iterator[Difference]:
        """Look at accounts."""
        self._broken.update(history.account_id for history in batch if history.broken)
        batch = [history for history in batch if not history.broken]
        folded = [self._folded(history, len(history.rows)) for history in batch]
        positions, found = self._whole.read(
            [(history.account_id, documents) for history, documents in zip(batch, folded, strict=True)]
        )
        for history, documents, tagged in zip(batch, folded, found, strict=True):
            yield from self._look(history, documents, tagged, positions)

    def _folded(self, history: History, version: int) -> dict[str, StoredDocument]:
        documents: dict[str, StoredDocument] = {}
        fold(self.view, documents, self._wanted(history)[:version])
        return documents

    def _look(
        self, history: History, documents: dict[str, StoredDocument], tagged: Tagged, positions: dict[int, int]
    ) -> Iterator[Difference]:
        tag, most = history.account_id, len(history.rows)
        while _is_after(tagged.versions.get(tag), most):  # it has seen what came since, or what never was
            history = self._reader.again(tag)
            if history.broken:
                self._broken.add(tag)
                return
            documents = self._folded(history, len(history.rows))
            positions, (tagged,) = self._whole.read([(tag, documents)])
            if len(history.rows) == most:
                break
            most = len(history.rows)
        for document in documents:
            self._known.add(mark_of((tag, "doc", document)))
        self._known.add(mark_of((tag, "versions", "")))
        self._told(tag, tagged)
        version, wanted = tagged.versions.pop(tag, 0), len(self._wanted(history))
        if not isinstance(version, int) or not 0 <= version <= most:
            yield Difference(tag, tag, None, "version", version, most)
        elif version < wanted:
            documents = self._folded(history, version)
            self._note(history, wanted, version, positions.get(history.shard, 0))
        for other, strange in tagged.versions.items():
            yield Difference(tag, other, None, "version", strange, None)
        yield from compare(tag, tag, tagged.documents, documents)

    def end(self) -> Iterator[Difference]:
        """What there is that no event explains, once all accounts were looked at."""
        marks = self._there.without(self._known)
        places = {place for place in self._whole.scan() if mark_of(place) in marks} if marks else set()
        strange: dict[str, set[str]] = {}
        for tag, kind, document in places:
            if tag not in self._broken and (self._only is None or tag in self._only):
                strange.setdefault(tag, set()).update({document} if kind in ("doc", "holds") else ())
        for tag, documents in sorted(strange.items()):
            _, (tagged,) = self._whole.read([(tag, documents)])
            self._told(tag, tagged)
            if mark_of((tag, "versions", "")) in marks:
                for account_id, version in tagged.versions.items():
                    yield Difference(tag, account_id, None, "version", version, None)
            else:
                tagged.documents = {name: one for name, one in tagged.documents.items() if name in documents}
            yield from compare(tag, tag, tagged.documents, {})


class ByPartition(Compared):
    """A view whose documents add up the accounts of a partition: all of them are held in memory."""

    def __init__(
        self, view: View, whole: Whole, reader: Reader, until: int | None = None, seen: Seen = lambda tag, found: None
    ) -> None:
        super().__init__(view, whole, reader, until, seen)
        self._asked: dict[str, set[str]] = {}
        self._found: dict[str, Tagged] = {}
        self._reached: dict[str, int] = {}
        self._expected: dict[str, dict[str, StoredDocument]] = {}
        self._broken: set[str] = set()

    def begin(self) -> None:
        """Read each partition, as of one moment: before the events are read, so that they explain it."""
        self._asked = {f"p{partition}": set() for partition in self._whole.positions()}
        for tag, kind, document in self._whole.scan():
            self._asked.setdefault(tag, set()).update({document} if kind in ("doc", "holds") else ())
        for tag, documents in self._asked.items():
            positions, (self._found[tag],) = self._whole.read([(tag, documents)])
            self._reached[tag] = positions.get(_partition(tag), 0)
            self._told(tag, Tagged(self._found[tag].versions))

    def take(self, batch: Sequence[History]) -> Iterator[Difference]:
        """Look at accounts."""
        together: dict[str, list[Envelope]] = {}
        for history in batch:
            tag = f"p{history.shard}"
            if history.broken:
                self._broken.add(tag)
                continue
            versions, most = self._found.setdefault(tag, Tagged()).versions, len(history.rows)
            version = versions.pop(history.account_id, 0)
            if _is_after(version, most):
                history = self._reader.again(history.account_id)  # noqa: PLW2901 - what came since
                most = len(history.rows)
            if not isinstance(version, int) or not 0 <= version <= most:
                yield Difference(tag, history.account_id, None, "version", version, most)
                version = most
            wanted = self._wanted(history)
            if version < len(wanted):
                self._note(history, len(wanted), version, self._reached.get(tag, 0))
            together.setdefault(tag, []).extend(wanted[:version])
        for tag, envelopes in together.items():
            fold(self.view, self._expected.setdefault(tag, {}), envelopes)

    def end(self) -> Iterator[Difference]:
        """What differs, once all accounts were looked at.

        Raises:
            Torn: a document came while the keys were being gone through, so it is not known what it was then.
        """
        for tag in sorted(self._expected.keys() | self._found.keys()):
            if tag in self._broken:
                continue
            expected, tagged = self._expected.get(tag, {}), self._found[tag]
            if late := expected.keys() - self._asked.get(tag, set()):
                positions, (now,) = self._whole.read([(tag, late)])
                if positions.get(_partition(tag), 0) != self._reached.get(tag, 0):
                    raise Torn
                tagged.documents |= {name: one for name, one in now.documents.items() if name in late}
            self._told(tag, Tagged(documents=tagged.documents))
            for account_id, version in tagged.versions.items():
                yield Difference(tag, account_id, None, "version", version, None)
            yield from compare(tag, None, tagged.documents, expected)


def compared(
    view: View,
    whole: Whole,
    reader: Reader,
    until: int | None = None,
    seen: Seen = lambda tag, found: None,
    only: Container[str] | None = None,
) -> ByAccount | ByPartition:
    """What the view needs; of one that sums over accounts, all are looked at in any case."""
    if view.TAG == "account":
        return ByAccount(view, whole, reader, until, seen, only)
    return ByPartition(view, whole, reader, until, seen)


def _is_after(version: object, last: int) -> bool:
    return isinstance(version, int) and version > last


def _partition(tag: str) -> int:
    return int(tag[1:]) if tag[1:].isdecimal() else -1
