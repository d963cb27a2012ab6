"""A generation in Redis as a whole. Synchronous; each call is one round trip, the scan one for a thousand keys."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from importlib.resources import files
from itertools import islice
from typing import Any, cast

import redis
from msgspec import msgpack

from projections.changes import StoredDocument
from projections.redis_model.keys import Keys
from projections.whole import Kind, Place, Tagged, Value

_VALUES = files(__package__).joinpath("values.lua").read_text(encoding="utf-8")
_REPLACE = files(__package__).joinpath("replace.lua").read_text(encoding="utf-8")
_SPECIAL = re.compile(r"([\\*?\[\]])")
_KINDS: dict[str, str] = {"doc": "h", "holds": "z", "pruned": "h", "versions": "h"}
_SCAN = 1000  # keys that the server looks at for one call

_encode = msgpack.Encoder().encode


class RedisWhole:
    """`Whole` of one generation. Nothing connects before the first call."""

    def __init__(self, url: str, keys: Keys) -> None:
        # Bytes that are no text are shown, not raised: whoever looks for damage will meet it.
        self._redis: redis.Redis = redis.Redis.from_url(url, decode_responses=True, encoding_errors="backslashreplace")
        self._values = self._redis.register_script(_VALUES)
        self._replace = self._redis.register_script(_REPLACE)
        self.keys = keys

    def version(self) -> str | None:
        """See `Whole.version`."""
        value = self._redis.get(self.keys.version)
        return None if value is None else str(value)

    def positions(self) -> dict[int, int]:
        """See `Whole.positions`."""
        return self.read(())[0]

    def scan(self, tag: str | None = None) -> Iterator[Place]:
        """See `Whole.scan`. Goes through all keys of the database."""
        match = f"{self.keys.prefix}{{" + ("*" if tag is None else f"{_literally(tag)}}}:*")
        for key in self._redis.scan_iter(match=match, count=_SCAN):
            found, kind, document = self.keys.split(key)
            if kind in _KINDS:
                yield found, cast(Kind, kind), document

    def values(self, places: Sequence[Place]) -> list[Value]:
        """See `Whole.values`."""
        answers = self._ask([word for place in places for word in (_KINDS[place[1]], self._key(place))])
        return [
            _holds(answer) if place[1] == "holds" else _pairs(answer)
            for place, answer in zip(places, answers, strict=True)
        ]

    def read(self, wanted: Sequence[tuple[str, Collection[str]]]) -> tuple[dict[int, int], list[Tagged]]:
        """See `Whole.read`."""
        partitions = range(int(self._redis.get(self.keys.partitions) or 0))
        words = [word for partition in partitions for word in ("s", self.keys.position(partition))]
        for tag, documents in wanted:
            words += ("h", self.keys.versions(tag), "h", self.keys.pruned(tag))
            for document in documents:
                words += ("h", self.keys.document(tag, document), "z", self.keys.holds(tag, document))
        answers = iter(self._ask(words))
        positions = {
            partition: int(answer[0]) if answer else 0
            for partition, answer in zip(partitions, islice(answers, len(partitions)), strict=True)
        }
        return positions, [_tagged(documents, answers) for _, documents in wanted]

    def replace(self, tag: str, by: Tagged, wrong: Mapping[str, object], gone: Collection[str]) -> dict[str, object]:
        """See `Whole.replace`."""
        documents = [
            (
                name,
                [word for pair in one.fields.items() for word in pair],
                [word for member, end in one.holds.items() for word in (str(end), member)],
                str(one.pruned),
            )
            for name, one in by.documents.items()
        ]
        versions = [word for pair in by.versions.items() for word in pair]
        known = [word for account, version in wrong.items() for word in (account, str(version))]
        given = _encode((versions, known, documents, list(gone)))
        ahead = self._replace(keys=[self.keys.versions(tag)], args=[f"{self.keys.prefix}{{{tag}}}:", given])
        return {account: _number(version) for account, version in _pairs(cast(list[str], ahead)).items()}

    def close(self) -> None:
        """Close the connections."""
        self._redis.close()

    def _ask(self, words: list[str]) -> list[list[str]]:
        return cast(list[list[str]], self._values(args=[_encode(words)])) if words else []

    def _key(self, place: Place) -> str:
        tag, kind, document = place
        return f"{self.keys.prefix}{{{tag}}}:{kind}{':' + document if kind in ('doc', 'holds') else ''}"


def _tagged(documents: Collection[str], answers: Iterator[list[str]]) -> Tagged:
    versions = {account: _number(version) for account, version in _pairs(next(answers)).items()}
    pruned = {document: _number(before) for document, before in _pairs(next(answers)).items()}
    found = {}
    for document in documents:
        fields, holds = _pairs(next(answers)), _holds(next(answers))
        before = pruned.pop(document, 0)
        if fields or holds or before:
            found[document] = StoredDocument(fields, holds, before)
    for document, before in pruned.items():
        found[document] = StoredDocument(pruned=before)
    return Tagged(versions, found)


def _pairs(answer: list[str]) -> dict[str, str]:
    return dict(zip(answer[::2], answer[1::2], strict=True))


def _holds(answer: list[str]) -> dict[str, int]:
    return {member: _number(end) for member, end in zip(answer[::2], answer[1::2], strict=True)}


def _number(text: str) -> Any:
    """An int; what is none stays text, which equals no number."""
    try:
        return int(text)
    except ValueError:
        return text


def _literally(text: str) -> str:
    """The pattern of SCAN that fits nothing but this text."""
    return _SPECIAL.sub(r"\\\1", text)
