"""What a reader has not seen is either on its way to it, or was passed by."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from ops.kafka import Record
from schemas.codec import DecodeError, decode_event


class Topic(Protocol):
    """The events topic, values in single-object encoding."""

    def begins(self) -> dict[int, int]:
        """Partition -> offset of the first message that is still there."""
        ...

    def homes(self, account_ids: Iterable[str]) -> set[int]:
        """The partitions that the events of these accounts belong on."""
        ...

    def ends(self) -> dict[int, int]:
        """Partition -> offset behind the last message."""
        ...

    def read(self, first: Mapping[int, int], ends: Mapping[int, int]) -> Iterator[Record]:
        """The messages from `first` on and before `ends`, each partition's in order."""
        ...


@dataclass(frozen=True, slots=True)
class Unseen:
    """The first event of an account that a reader at the offset `reached` had not seen; the store has `last` of them.

    `position`: the row of the journal that the event was committed in.
    """

    account_id: str
    version: int
    last: int
    partition: int
    reached: int
    position: int


def passed_by(unseen: Sequence[Unseen], followed_up: Callable[[int], int], topic: Topic) -> list[Unseen]:
    """Those that are not on the topic at or after the reader's offset, although their journal rows are followed up.

    Where the reader's offset is before all that the topic still has, any later event of the account will do: then the
    reader takes what is missing from the store. `followed_up`: through which position a shard is.

    Raises:
        StoreUnavailable, KafkaProblem: the stores do not answer.
    """
    marks = {partition: followed_up(partition) for partition in {one.partition for one in unseen}}
    committed = [one for one in unseen if one.position <= marks[one.partition]]
    if not committed:
        return []
    begins, ends = topic.begins(), topic.ends()  # after the marks: what they cover is before these ends
    waiting: dict[bytes, list[Unseen]] = {}
    first: dict[int, int] = {}
    for one in committed:
        waiting.setdefault(one.account_id.encode(), []).append(one)
        first[one.partition] = min(one.reached, first.get(one.partition, one.reached))
    coming: set[Unseen] = set()
    for record in topic.read({n: max(offset, begins.get(n, 0)) for n, offset in first.items()}, ends):
        for one in waiting.get(record.key or b"", ()):
            if record.partition == one.partition and record.offset >= one.reached:
                version = _version(record)
                if version == one.version or (version > one.version and begins[one.partition] > one.reached):
                    coming.add(one)
    return [one for one in committed if one not in coming]


def _version(record: Record) -> int:
    try:
        return decode_event(record.value or b"").version
    except DecodeError:
        return 0
