"""The messages of one account on the events topic, beside its rows. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from commands.follow_up import event_headers
from commands.ports import EventRow
from ops.kafka import Headers, Record
from ops.truth.findings import Finding
from ops.truth.histories import History
from schemas.codec import DecodeError, decode_event


class Occurrence(NamedTuple):
    """An event on the topic: its place, a hash of its bytes, its headers and its time (ms)."""

    account_id: str
    version: int
    partition: int
    offset: int
    hash: int
    headers: Headers
    timestamp: int

    @classmethod
    def of(cls, record: Record) -> "Occurrence":
        """The event in a message.

        Raises:
            DecodeError: it is none.
        """
        value = record.value or b""
        envelope = decode_event(value)
        if record.key != envelope.account_id.encode():
            raise DecodeError(f"the key is not the account: {record.key!r:.100}")
        return cls(envelope.account_id, envelope.version, record.partition, record.offset, hash(value), *record[4:])


@dataclass
class Examined:
    """What is wrong; and how many events were out of order once, but are in order behind it."""

    findings: list[Finding] = field(default_factory=list)
    published_again: int = 0


def examine(history: History, there: Sequence[Occurrence], mark: int, reach: int | None) -> Examined:
    """Whether a reader that waits for the next version gets all rows, each as it is stored.

    `mark`: rows of journal positions up to it are published. `reach`: rows of positions after it are on the topic,
    whose older messages are gone; None: all are.
    """
    found, name, rows = Examined(), history.account_id, history.rows
    in_order, early = list[Occurrence](), dict[int, Occurrence]()
    first = last = 0  # the versions in order so far, if any

    def finding(one: Occurrence, is_: str, should: str) -> None:
        found.findings.append(Finding("topic", name, f"{one.partition}:{one.offset}", is_, should))

    for one in there:
        version = one.version
        if not 0 < version <= len(rows):
            finding(one, f"version {version}", "not in the store")
        elif one.hash != hash(rows[version - 1].payload):
            finding(one, f"version {version}", "the bytes of the store")
        elif one.partition != history.shard:
            finding(one, f"version {version}", f"partition {history.shard}")
        else:
            for found_there, wanted in _around(one, rows[version - 1]):
                finding(one, found_there, wanted)
            in_order.append(one)
    for one in in_order:
        version = one.version
        if (version == last + 1 and last) or (not last and (version == 1 or reach is not None)):
            first, last = first or version, version
        elif reach is not None and version < first:  # what was published again begins before what is left
            first = last = version
        elif version > last:
            early[version] = one
    needed = [
        row.envelope.version
        for row in rows
        if row.position <= mark
        and not first <= row.envelope.version <= last
        and (reach is None or row.position > reach or (last and row.envelope.version > last))
    ]
    found.published_again = sum(version <= last for version in early)
    for version in needed:
        is_ = f"{early[version].partition}:{early[version].offset}, out of order" if version in early else None
        should = "published after the one before it" if version in early else "published"
        found.findings.append(Finding("topic", name, f"version {version}", is_, should, first=version))
    return found


def mark(value: bytes, headers: Headers, timestamp: int) -> int:
    """A hash of all that a message is, but its place."""
    return hash((value, headers, timestamp))


def mark_of(row: EventRow) -> int:
    """`mark` of a row's event as a handler publishes it."""
    return mark(row.payload, event_headers(row.payload), row.envelope.at)


def _around(one: Occurrence, row: EventRow) -> Iterator[tuple[str, str]]:
    """What is around the bytes and should be otherwise. Readers go by the bytes, so it is nothing to publish again."""
    headers = event_headers(row.payload)
    if one.headers != headers:
        yield f"version {one.version}, headers {_said(one.headers)}", f"headers {_said(headers)}"
    if one.timestamp != row.envelope.at:
        yield f"version {one.version}, timestamp {one.timestamp}", f"timestamp {row.envelope.at}"


def _said(headers: Headers) -> str:
    return ", ".join(f"{name}={(value or b'').decode(errors='replace')}" for name, value in headers) or "none"
