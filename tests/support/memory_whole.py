"""A read model in memory, an events topic in memory, and what checks read of them."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field

from commands.follow_up import event_headers
from ops.kafka import Headers, Record
from projections.memory_model import MemoryReadModel
from projections.whole import Place, Tagged, Value
from schemas.codec import DecodeError, decode_event, encode_event
from schemas.events import Envelope


@dataclass
class MemoryWhole:
    """`Whole` of a model; tests may damage the model's `stored`, and `versions` and `positions` here."""

    model: MemoryReadModel
    partitions: int = 4

    @property
    def versions(self) -> dict[tuple[str, str], int]:
        return self.model._versions

    @property
    def reached(self) -> dict[int, int]:
        return self.model._positions

    def version(self) -> str | None:
        return self.model.view.VERSION

    def positions(self) -> dict[int, int]:
        return {partition: self.reached.get(partition, 0) for partition in range(self.partitions)}

    def scan(self, tag: str | None = None) -> Iterator[Place]:
        return (place for place in dict.fromkeys(self._places()) if tag is None or place[0] == tag)

    def _places(self) -> Iterator[Place]:
        for (tag, document), stored in list(self.model.stored.items()):
            if stored.fields:
                yield tag, "doc", document
            if stored.holds:
                yield tag, "holds", document
            if stored.pruned:
                yield tag, "pruned", ""
        yield from [(tag, "versions", "") for tag, _ in list(self.versions)]

    def values(self, places: Sequence[Place]) -> list[Value]:
        return [self._value(*place) for place in places]

    def _value(self, tag: str, kind: str, document: str) -> Value:
        of_tag = {name: one for (other, name), one in self.model.stored.items() if other == tag}
        if kind == "versions":
            return {name: str(version) for (other, name), version in self.versions.items() if other == tag}
        if kind == "pruned":
            return {name: str(one.pruned) for name, one in of_tag.items() if one.pruned}
        if document not in of_tag:
            return {}
        return of_tag[document].fields if kind == "doc" else of_tag[document].holds

    def read(self, wanted: Sequence[tuple[str, Collection[str]]]) -> tuple[dict[int, int], list[Tagged]]:
        found = []
        for tag, names in wanted:
            versions = {name: version for (other, name), version in self.versions.items() if other == tag}
            stored = {name: one for (other, name), one in self.model.stored.items() if other == tag}
            documents = [*names, *(name for name, one in stored.items() if one.pruned)]
            found.append(Tagged(versions, {name: deepcopy(stored[name]) for name in documents if name in stored}))
        return self.positions(), found

    def replace(self, tag: str, by: Tagged, wrong: Mapping[str, object], gone: Collection[str]) -> dict[str, object]:
        seen = {name: version for (other, name), version in self.versions.items() if other == tag}
        ahead: dict[str, object] = {
            name: version
            for name, version in seen.items()
            if version > by.versions.get(name, 0) and wrong.get(name) != version
        }
        if not ahead:
            for name in seen:
                del self.versions[tag, name]
            self.versions.update({(tag, name): version for name, version in by.versions.items()})
            for name in gone:
                self.model.stored.pop((tag, name), None)
            self.model.stored.update({(tag, name): one for name, one in by.documents.items()})
        return ahead


@dataclass
class MemoryTopic:
    """`Topic` of one partition, of which the messages before `lost` are gone.

    Headers and times are those of a handler, but where `around` has others for an offset.
    """

    partition: int
    values: list[bytes] = field(default_factory=list)
    keys: list[bytes] = field(default_factory=list)
    around: dict[int, tuple[Headers, int]] = field(default_factory=dict)
    lost: int = 0

    def publish(self, envelopes: Sequence[Envelope]) -> None:
        self.values += map(encode_event, envelopes)
        self.keys += [envelope.account_id.encode() for envelope in envelopes]

    def begins(self) -> dict[int, int]:
        return {self.partition: self.lost}

    def homes(self, account_ids: Iterable[str]) -> set[int]:
        return {self.partition}

    def ends(self) -> dict[int, int]:
        return {self.partition: len(self.values)}

    def read(self, first: Mapping[int, int], ends: Mapping[int, int]) -> Iterator[Record]:
        for offset in range(max(first.get(self.partition, len(self.values)), self.lost), ends[self.partition]):
            value = self.values[offset]
            headers, at = self.around.get(offset) or _published(value)
            yield Record(self.partition, offset, self.keys[offset], value, headers, at)


def _published(value: bytes) -> tuple[Headers, int]:
    try:
        envelope = decode_event(value)
    except DecodeError:
        return (), -1
    return event_headers(value), envelope.at
