"""Rebuilding without servers: sources, what is refused, and exactly once whatever interrupts it."""

import asyncio
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commands.memory import MemoryEventScan, MemoryEventStore, MemoryJournal, MemoryJournalHistory, MemoryWatermarks
from commands.ports import EventRow, Row, Watermark
from ops.kafka.bulk import Piece
from ops.rebuild import events, journal, topic
from ops.rebuild.batch import Batch, NewerEvent, gapless
from ops.rebuild.fill import Filler, Rewound
from ops.rebuild.source import missing_in_journal, missing_on_topic
from ops.rebuild.stop import Stop, Stopped
from projections.chunk import Chunk
from projections.memory_model import MemoryReadModel
from projections.projector import Projector
from projections.read_model import Behind, Outcome
from projections.views import VIEWS
from schemas.codec import encode_batch, encode_event
from schemas.events import Envelope
from schemas.journal import Batch as Body
from schemas.journal import Entry
from tests.contract.read_model_histories import interleaved

HISTORY = list(interleaved(5, accounts=12, events=400))
WRITER = UUID(int=1)


def row(position: int, envelopes: list[Envelope], shard: int = 0) -> Row:
    entry = Entry(position, 1, b"", "accepted", tuple(map(encode_event, envelopes)))
    return Row(shard, position, WRITER, 1, encode_batch(Body(position, position + 1, (entry,))))


def journalled(every: int = 10) -> tuple[MemoryJournal, MemoryJournalHistory]:
    """The history in rows of so many events, all followed up."""
    rows, marks = MemoryJournal(), MemoryWatermarks()
    for position, start in enumerate(range(0, len(HISTORY), every)):
        rows.append(row(position, HISTORY[start : start + every]))
        marks.save(0, Watermark(position, position + 1))
    return rows, MemoryJournalHistory(rows, marks)


def stored(cut: int = 1 << 60) -> MemoryEventScan:
    """The history by account, each account without its version `cut`."""
    store = MemoryEventStore()
    store.write([EventRow(one, encode_event(one), 0, 0, 0) for one in HISTORY if one.version != cut])
    return MemoryEventScan(store)


def folded(until: int | None = None) -> MemoryReadModel:
    model = MemoryReadModel(VIEWS["licenses"])
    model.fold(0, [one for one in HISTORY if until is None or one.at <= until])
    return model


class Crash(Exception):
    """The process dies."""


async def nothing(account_id: str, first: int, last: int) -> list[Envelope]:
    raise AssertionError(f"{account_id} {first} to {last}")


def fill(
    model: MemoryReadModel,
    batches: Iterator[Batch],
    notes: dict[str, str],
    calls: int = 1 << 60,
    applied: bool = True,
    until: int | None = None,
) -> None:
    """Fill, and die in the last of so many calls to the read model, whether or not it was `applied` by then."""
    left = calls

    async def apply(chunk: Chunk) -> Outcome:
        nonlocal left
        left -= 1
        if left <= 0 and not applied:
            raise Crash
        outcome = model.apply_now(chunk)
        if left <= 0:
            raise Crash
        return outcome

    filler = Filler(
        Projector(model.view, apply, nothing),
        lambda more: notes.update({name: str(value) for name, value in more.items()}),
        until,
        lambda sums: None,
    )
    asyncio.run(filler.fill(batches))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 12), st.booleans()), max_size=5),
    st.sampled_from(["journal", "events"]),
    st.booleans(),
)
def test_whatever_dies_where_each_event_counts_once(deaths: list[tuple[int, bool]], source: str, cut: bool) -> None:
    rows, history = journalled()
    model, notes = MemoryReadModel(VIEWS["licenses"]), dict[str, str]()
    until = HISTORY[len(HISTORY) // 2].at if cut else None

    def batches() -> Iterator[Batch]:
        if source == "events":
            return events.batches(stored(), int(notes.get(events.NEXT_SLICE, 0)), Stop())
        return journal.batches(0, int(notes.get(journal.next_row(0), 0)), history, rows, Stop())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(journal, "EVENTS", 20)
        patch.setattr(journal, "_BATCHES", 2)
        patch.setattr(events, "EVENTS", 20)
        patch.setattr(events, "SLICES", 5)
        for calls, applied in deaths:
            try:
                fill(model, batches(), notes, calls, applied, until)
            except Crash:
                continue
        fill(model, batches(), notes, until=until)
    assert model.stored == folded(until).stored
    assert model._versions == folded(until)._versions


def test_rows_that_nobody_has_followed_up_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, marks = MemoryJournal(), MemoryWatermarks()
    for position in range(3):
        rows.append(row(position, HISTORY[position : position + 1]))
    marks.save(0, Watermark(0, 1))
    history = MemoryJournalHistory(rows, marks)
    monkeypatch.setattr(journal, "_PATIENCE", 0.0)
    with pytest.raises(journal.NotFollowedUp, match="rows 1 to 2 of shard 0's journal are committed"):
        list(journal.batches(0, 0, history, rows, Stop()))
    monkeypatch.setattr(journal, "_PATIENCE", 30.0)
    monkeypatch.setattr("ops.rebuild.journal.time.sleep", lambda seconds: marks.save(0, Watermark(2, 3)))
    (batch,) = journal.batches(0, 0, history, rows, Stop())
    assert [one.version for one in batch.envelopes] == [one.version for one in HISTORY[:3]]


def test_above_a_gap_nothing_was_published_yet() -> None:
    own = [one for one in HISTORY if one.account_id == HISTORY[0].account_id]
    assert gapless(own) == own
    assert gapless([*own[:3], *own[4:]]) == own[:3]
    assert gapless(own[1:]) == []
    found = [one for batch in events.batches(stored(cut=3), 0, Stop()) for one in batch.envelopes]
    assert {one.version for one in found} == {1, 2}


def test_a_stop_leaves_out_the_note_of_what_was_not_handed_over() -> None:
    stop = Stop()
    batches = events.batches(stored(), 0, stop)
    notes = [next(batches).note for _ in range(3)]
    stop.ask("pause")
    assert all(not batch.note or batch.note != notes[-1] for batch in batches)
    stop.ask("cancel")
    assert stop.why == "pause"
    with pytest.raises(Stopped):
        stop.check()


class Message:
    """What confluent-kafka gives."""

    def __init__(self, offset: int, key: bytes, value: bytes, headers: list[tuple[str, bytes]] | None = None) -> None:
        self._all = offset, key, value, headers

    def offset(self) -> int:
        return self._all[0]

    def key(self) -> bytes:
        return self._all[1]

    def value(self) -> bytes:
        return self._all[2]

    def headers(self) -> list[tuple[str, bytes]] | None:
        return self._all[3]

    def partition(self) -> int:
        return 0


def reader(monkeypatch: pytest.MonkeyPatch, messages: list[Any], end: int) -> topic.TopicReader:
    pieces = [[Piece(0, 0, end, messages)]]
    monkeypatch.setattr(topic, "Bulk", lambda *about: SimpleNamespace(take=lambda *of: pieces.pop(0)))
    return topic.TopicReader(SimpleNamespace(topics=SimpleNamespace(events="e"), kafka=""), {0: 0}, Stop())  # type: ignore[arg-type]


def test_a_piece_of_the_topic_in_parts_reaches_as_far(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topic, "EVENTS", 2)
    offsets = [3, 4, 7, 9, 10]  # offsets may be missing
    messages = [
        Message(offset, one.account_id.encode(), encode_event(one))
        for offset, one in zip(offsets, HISTORY, strict=False)
    ]
    found = reader(monkeypatch, messages, 15)
    batches = list(found.until({0: 15}))
    assert [(batch.begin, batch.end, len(batch.envelopes)) for batch in batches] == [(0, 7, 2), (7, 10, 2), (10, 15, 1)]
    assert found.reached == {0: 15}
    empty = reader(monkeypatch, [], 5)
    assert [(batch.begin, batch.end, list(batch.envelopes)) for batch in empty.until({0: 5})] == [(0, 5, [])]


def test_what_is_no_event_is_counted_and_what_is_newer_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    good = HISTORY[0]
    key, value = good.account_id.encode(), encode_event(good)
    newer = Message(3, key, b"\xc3\x01newer...x", [("type", b"LicenseAcquired"), ("schema_version", b"9")])
    bad = [Message(0, key, b""), Message(1, b"other", value), Message(2, key, value)]
    found = reader(monkeypatch, bad, 3)
    (batch,) = found.until({0: 3})
    assert (batch.envelopes, found.unreadable) == ([good], {(0, 0), (0, 1)})
    with pytest.raises(NewerEvent, match=r"e-0 has at offset 3 what a newer release wrote, as LicenseAcquired.v9"):
        list(reader(monkeypatch, [*bad, newer], 4).until({0: 4}))


def test_what_redis_lost_ends_it() -> None:
    async def apply(chunk: Chunk) -> Outcome:
        return Behind(3)

    filler = Filler(Projector(VIEWS["licenses"], apply, nothing), lambda notes: None, None, lambda sums: None)
    with pytest.raises(Rewound, match="partition 1 is at 3, not at 10"):
        asyncio.run(filler.fill(iter([Batch(1, 10, 20, ())])))


def test_whether_a_source_is_whole() -> None:
    assert missing_on_topic({0: (0, 10), 1: (0, 0)}) is None
    assert missing_on_topic({0: (0, 10), 1: (1200, 3000)}) == (
        "the events topic has lost its first events (partition 1 begins at 1,200)"
    )
    _, history = journalled()
    assert missing_in_journal(history, {0: (0, 400)}) is None
    assert missing_in_journal(history, {0: (0, 400), 1: (0, 0)}) is None
    assert missing_in_journal(history, {0: (0, 400), 1: (0, 1)}) == (
        "the journal has no rows of shard 1, and the topic has events"
    )
    late: Any = SimpleNamespace(kept=lambda shard: range(7, 9))
    assert missing_in_journal(late, {0: (0, 1)}) == "the journal has lost its first rows (shard 0 begins at 7)"
