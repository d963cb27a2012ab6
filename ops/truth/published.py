"""The events topic beside the event rows: every event is there, as it is stored, in order, and nothing else.

All of the topic is read first and all rows after it; of each account a few numbers are kept. Only the accounts that
these do not explain are read again, message by message.
"""

from collections.abc import Collection, Iterator, Sequence

from commands.ports import NewerRelease
from ops.kafka import Record
from ops.truth.findings import Finding
from ops.truth.histories import History, Reader, Tell
from ops.truth.occurrences import Occurrence, examine, mark, mark_of
from ops.truth.way import Topic, Unseen, passed_by
from schemas.codec import DecodeError, UnknownSchema

_NEVER = 1 << 63  # above all positions
_OFTEN = 5000  # messages between two words of progress


class _Chain:
    """What the topic has of an account: the versions `first` to `last` in order, with a hash over their marks.

    `copies`: version and mark of what came again. `strange`: a version came that is neither.
    """

    __slots__ = ("copies", "first", "hash", "last", "partition", "strange")

    def __init__(self, partition: int, first: int) -> None:
        self.partition, self.first, self.last = partition, first, first - 1
        self.hash, self.strange = 0, False
        self.copies: list[tuple[int, int]] = []

    def take(self, version: int, found: int) -> None:
        """The next message, by its mark."""
        if version == self.last + 1:
            self.hash, self.last = hash((self.hash, found)), version
        elif self.first <= version <= self.last:
            self.copies.append((version, found))
        else:
            self.strange = True

    def fits(self, history: History) -> bool:
        """Whether the messages are the rows of those versions."""
        if self.strange or self.last > len(history.rows) or self.partition != history.shard:
            return False
        found = 0
        for row in history.rows[self.first - 1 : self.last]:
            found = hash((found, mark_of(row)))
        copies = all(copy == mark_of(history.rows[version - 1]) for version, copy in self.copies)
        return copies and found == self.hash


class Published:
    """`only`: these accounts, on the partitions that they belong on; None: all. `lag`: events that are on their way to
    the topic."""

    def __init__(self, topic: Topic, reader: Reader, only: Collection[str] | None = None) -> None:
        self._topic, self._reader, self._only = topic, reader, only
        self._homes = None if only is None else topic.homes(only)
        self._begins, self._ends = self._looked_at(topic.begins()), topic.ends()
        self._chains: dict[str, _Chain] = {}
        self._unread: list[Finding] = []
        self._heads: dict[int, int] = {}
        self._suspects: set[str] = set()
        self._unseen: list[Unseen] = []
        self.messages = self.lag = self.again = 0

    @property
    def truncated(self) -> dict[int, int]:
        """Partition -> its first offset, where the topic does not reach back to the first event any more."""
        return {partition: first for partition, first in self._begins.items() if first}

    def _looked_at(self, begins: dict[int, int]) -> dict[int, int]:
        return {
            partition: begin for partition, begin in begins.items() if self._homes is None or partition in self._homes
        }

    def begin(self, tell: Tell) -> None:
        """Read the topic; all of it, for copies may come late."""
        total = sum(self._ends[partition] - first for partition, first in self._begins.items())
        for record in self._topic.read(self._begins, self._ends):
            self.messages += 1
            if self.messages % _OFTEN == 0 or self.messages == total:
                tell(self.messages, total)
            self._note(record)

    def _note(self, record: Record) -> None:
        head = record.partition in self.truncated and record.partition not in self._heads
        if self._only is not None and not head and (record.key or b"").decode(errors="replace") not in self._only:
            return
        try:
            occurrence = Occurrence.of(record)
        except UnknownSchema as error:
            raise NewerRelease(f"{_place(record)} of the events topic: {error}") from error
        except DecodeError as error:
            self._unread.append(Finding("topic", None, _place(record), str(error), "an event"))
            return
        name, version = occurrence.account_id, occurrence.version
        if head:
            self._note_head(occurrence)
        if self._only is not None and name not in self._only:
            return
        chain = self._chains.get(name)
        if chain is None:
            first = version if record.partition in self.truncated else 1
            chain = self._chains[name] = _Chain(record.partition, first)
        chain.take(version, mark(record.value or b"", record.headers, record.timestamp))

    def _note_head(self, first: Occurrence) -> None:
        rows = self._reader.again(first.account_id).rows
        if 0 < first.version <= len(rows):
            self._heads[first.partition] = rows[first.version - 1].position

    def take(self, batch: Sequence[History]) -> None:
        """Look at accounts."""
        for history in batch:
            if history.broken:
                self._chains.pop(history.account_id, None)
                continue
            chain = self._chains.pop(history.account_id, None) or self._none(history)
            if not chain.fits(history) or self._is_cut(chain, history):
                self._suspects.add(history.account_id)
            elif chain.last < len(history.rows):
                self._note_unseen(history, chain.last)

    def _none(self, history: History) -> _Chain:
        """Nothing of the account: nothing of what the topic still reaches back to."""
        after = self._reach(history.shard)
        older = 0 if after is None else sum(row.position <= after for row in history.rows)
        return _Chain(history.shard, older + 1)

    def _is_cut(self, chain: _Chain, history: History) -> bool:
        """Whether versions before the first one here should be here too."""
        after = self._reach(chain.partition)
        return any(after is None or row.position > after for row in history.rows[: chain.first - 1])

    def _reach(self, partition: int) -> int | None:
        """Rows of positions after it are on the topic still, those before may be gone; None: all are there."""
        return self._heads.get(partition, _NEVER) if self._begins.get(partition) else None

    def _note_unseen(self, history: History, last: int) -> None:
        self.lag += len(history.rows) - last
        end, position = self._ends.get(history.shard, 0), history.rows[last].position
        name, count = history.account_id, len(history.rows)
        self._unseen.append(Unseen(name, last + 1, count, history.shard, end, position))

    def end(self) -> Iterator[Finding]:
        """What is found, once all accounts were looked at."""
        yield from self._unread
        gone = passed_by(self._unseen, self._reader.followed_up, self._topic)
        self.lag -= sum(one.last - one.version + 1 for one in gone)
        self._suspects |= {one.account_id for one in gone} | self._chains.keys()
        if not self._suspects:
            return
        marks = {partition: self._reader.followed_up(partition) for partition in self._begins}
        there: dict[str, list[Occurrence]] = {name: [] for name in self._suspects}
        first: dict[int, Occurrence] = {}
        for record in self._topic.read(self._looked_at(self._topic.begins()), self._topic.ends()):
            found = there.get((record.key or b"").decode(errors="replace"))
            if found is None and record.partition in first:
                continue
            try:
                occurrence = Occurrence.of(record)
            except DecodeError:
                continue  # found before
            first.setdefault(record.partition, occurrence)
            if found is not None:
                found.append(occurrence)
        # Messages may have gone since they were looked at.
        self._begins, self._heads = self._looked_at(self._topic.begins()), {}
        for one in first.values():
            self._note_head(one)
        for name in sorted(there):
            history = self._reader.again(name)
            examined = examine(history, there[name], marks.get(history.shard, -1), self._reach(history.shard))
            self.again += examined.published_again
            yield from examined.findings


def _place(record: Record) -> str:
    return f"{record.partition}:{record.offset}"
