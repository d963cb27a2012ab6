"""The events that a document is made of, out of a topic that holds more than events in order."""

from collections.abc import Iterator
from typing import Any

import pytest

from ops import about, kafka
from ops.explain import Cause, Located, Traced
from ops.settings import Settings
from projections.views import VIEWS
from schemas.codec import encode_event
from schemas.events import Envelope
from tests.support import examples as x

HISTORY = list(x.EVENT_EXAMPLES)
TITLES = VIEWS["title_downloads"]


def on_the_topic(patch: pytest.MonkeyPatch, records: list[tuple[bytes, bytes]]) -> None:
    def everything(bootstrap: str, topic: str, within: Any) -> Iterator[kafka.Record]:
        return (kafka.Record(0, offset, key, value) for offset, (key, value) in enumerate(records))

    patch.setattr(kafka, "spans", lambda bootstrap, topic: {0: range(len(records))})
    patch.setattr(kafka, "everything", everything)


def published(*envelopes: Envelope) -> list[tuple[bytes, bytes]]:
    return [(one.account_id.encode(), encode_event(one)) for one in envelopes]


def read() -> list[tuple[int, int | None]]:
    found = about.events_of(Settings(), TITLES, x.TITLE)
    return [(one.envelope.version, one.offset) for one in found]


def test_an_event_that_was_published_again_later_counts_in_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """As `check --fix` publishes what is missing, and all that comes after it."""
    on_the_topic(monkeypatch, published(*HISTORY))
    whole = read()
    assert len(whole) > 3
    missing = whole[1][0]
    late = [one for one in HISTORY if one.version != missing]
    on_the_topic(monkeypatch, published(*late, *HISTORY[missing - 1 :]))
    again = dict(read())
    assert list(again) == [version for version, _ in whole]
    assert again[missing] == len(late)
    traced = Traced(TITLES, x.TITLE, x.T0)
    for one in about.events_of(Settings(), TITLES, x.TITLE):
        traced.take(one.envelope)
    expected = Traced(TITLES, x.TITLE, x.T0)
    for envelope in HISTORY:
        expected.take(envelope)
    assert traced.document() == expected.document()


def test_what_workers_put_aside_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    junk = [(b"key", b"no event, and yet about " + x.TITLE.encode()), (b"another", encode_event(HISTORY[1]))]
    on_the_topic(monkeypatch, published(*HISTORY))
    whole = [version for version, _ in read()]
    on_the_topic(monkeypatch, [*junk, *published(*HISTORY)])
    assert [version for version, _ in read()] == whole


def test_places_are_looked_up_among_messages_that_are_no_events(monkeypatch: pytest.MonkeyPatch) -> None:
    key = x.ACCOUNT.encode()
    records = [kafka.Record(0, 0, key, b"junk"), kafka.Record(0, 1, key, encode_event(HISTORY[0]))]

    def find(bootstrap: str, topic: str, partition: int, wanted: Any, number: Any) -> dict[int, int]:
        return {known: one.offset for one in records if (known := number(one)) is not None}

    monkeypatch.setattr(kafka, "find", find)
    monkeypatch.setattr(about, "shards", lambda settings: 1)
    cause = Cause(Located(HISTORY[0]), [])
    (found,) = about.located(Settings(), VIEWS["licenses"], [cause])
    assert found.of.offset == 1
