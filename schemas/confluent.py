"""Confluent's wire format: a zero byte, the schema's id in a registry (four bytes, big-endian), the binary body.

Here is only what it is; who asks a registry stands on either side. Inside, in the journal and in the event rows, there
is single-object encoding alone: it needs nobody to be read.
"""

import json
import struct
import time
from collections.abc import Callable, Iterator
from typing import Any

from schemas.commands import COMMANDS
from schemas.lint import lint
from schemas.registry import SCHEMAS, Schema, fingerprint_of
from schemas.topics import Topics
from schemas.wire import FRAME, HEADER, MAGIC, frame_id, head, is_framed

#: Seconds for which an id that a registry does not have is not asked for again, and how many of those are remembered.
MISSING, MISSING_MOST = 10.0, 1000


def frame(number: int) -> bytes:
    """What a value begins with whose schema has that id."""
    return struct.pack(">bI", 0, number)


class Frames:
    """The ids that one process has learned from its registry. An id means one schema for ever."""

    def __init__(self) -> None:
        self._heads: dict[bytes, bytes | None] = {}

    def unknown(self, data: bytes | None) -> int | None:
        """The id in a value that has to be asked for; None: there is nothing to ask."""
        if data is None or not is_framed(data) or data[:FRAME] in self._heads:
            return None
        return frame_id(data)

    def learn(self, number: int, text: str) -> None:
        """An id and the text of its schema. One that is unfit to be read with stays an unknown schema."""
        try:
            found = None if lint(text) else MAGIC + fingerprint_of(json.loads(text))
        except Exception:  # fastavro has several classes for what is no schema, such as a record without a name
            found = None
        self._heads[frame(number)] = found

    def plain(self, data: bytes) -> bytes:
        """The value in single-object encoding; as it is, where it is that already or its id is not known."""
        found = self._heads.get(data[:FRAME]) if is_framed(data) else None
        return data if found is None else found + data[FRAME:]

    def asking(self, data: bytes, text: Callable[[int], str | None]) -> bytes:
        """`plain`, after asking where that is needed; `text`: the schema with an id, None: there is none."""
        number = self.unknown(data)
        found = None if number is None else text(number)
        if number is not None and found is not None:
            self.learn(number, found)
        return self.plain(data)


class Missing:
    """The ids that a registry did not have when it was asked last."""

    def __init__(self) -> None:
        self._until: dict[int, float] = {}  # id -> when to ask again, in monotonic seconds

    def __contains__(self, number: int) -> bool:
        return self._until.get(number, 0.0) > time.monotonic()

    def add(self, number: int) -> None:
        """The registry does not have it."""
        if len(self._until) >= MISSING_MOST:
            self._until.clear()
        self._until[number] = time.monotonic() + MISSING


def text_of(client: Any, number: int) -> str | None:
    """The schema with an id, by confluent-kafka's client of a registry, whatever it raises; None: there is none."""
    try:
        found: str | None = client.get_schema(number).schema_str
    except Exception as error:
        if getattr(error, "http_status_code", None) == 404:
            return None
        raise
    return found


#: Of each topic: how a value begins in single-object encoding -> how it begins in Confluent's.
Heads = dict[str, dict[bytes, bytes]]


def subjects(topics: Topics) -> Iterator[tuple[str, str, Schema]]:
    """What a registry has to hold, versions in order: the topic, the subject (topic and record name), the schema."""
    for schema in sorted(SCHEMAS, key=lambda one: (one.name, one.version)):
        if schema.name != "JournalBatch":
            topic = {"Reply": topics.replies}.get(schema.name, topics.events)
            topic = topics.commands if schema.name in COMMANDS else topic
            yield topic, f"{topic}-{schema.source['namespace']}.{schema.name}", schema


def heads(topics: Topics, wanted: tuple[str, ...], id_of: Callable[[str, Schema], int]) -> Heads:
    """The frames of all messages on the `wanted` topics; `id_of`: the id of a schema under a subject."""
    found: Heads = {topic: {} for topic in wanted}
    for topic, subject, schema in subjects(topics):
        if topic in found:
            found[topic][head(schema)] = frame(id_of(subject, schema))
    return found


def framed(heads: Heads, topic: str, data: bytes | None) -> bytes | None:
    """A value as it goes to the topic; what is none of its messages goes as it is."""
    found = heads[topic].get(data[:HEADER]) if data is not None and topic in heads else None
    return data if data is None or found is None else found + data[HEADER:]
