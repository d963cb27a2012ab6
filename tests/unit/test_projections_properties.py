"""Whatever the topic does to a history (chunks, copies, replays, gaps, lost data), the documents are its plain fold."""

import asyncio
import itertools
from dataclasses import dataclass, field
from random import Random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from projections.changes import StoredDocument
from projections.memory_model import MemoryReadModel
from projections.projector import MissingEvents, Projector
from projections.read_model import Applied, Behind
from projections.views import VIEWS, device_downloads, title_downloads
from projections.views.view import View, tag_of
from schemas.events import Envelope
from tests.contract.read_model_histories import interleaved

PARTITION = 2
views = st.sampled_from(list(VIEWS.values()))
topics = st.builds(lambda seed, n: list(interleaved(seed, 4, n)), st.integers(0, 10**6), st.integers(1, 120))
leaps = st.builds(lambda seed, n: list(interleaved(seed, 4, n, titles=3)), st.integers(0, 10**6), st.integers(100, 200))


def plain_fold(view: View, history: list[Envelope], prune: bool = True) -> dict[tuple[str, str], StoredDocument]:
    """One change after another, pruned once at the end, with nothing clever: what the documents have to be."""
    documents: dict[tuple[str, str], StoredDocument] = {}
    for envelope in history:
        for op, document, name, value in view.project(envelope):
            stored = documents.setdefault((tag_of(view, envelope.account_id, PARTITION), document), StoredDocument())
            if op == "add":
                stored.fields[name] = str(int(stored.fields.get(name, 0)) + int(value))
            elif op == "put":
                stored.fields[name] = str(value)
            elif op == "hold":
                stored.holds[name] = int(value)
            elif op == "prune":
                stored.pruned = max(stored.pruned, int(value))
            else:
                stored.holds.pop(name, None)
    for stored in documents.values() if prune else ():
        stored.holds = {member: end for member, end in stored.holds.items() if end >= stored.pruned}
    return documents


@dataclass
class Reader:
    """A worker without servers: reads a topic in chunks into a model, with the whole history as its event store."""

    view: View
    history: list[Envelope]
    model: MemoryReadModel = field(init=False)

    def __post_init__(self) -> None:
        self.model = MemoryReadModel(self.view)

    def read(self, topic: list[Envelope], cuts: list[int], begin: int = 0) -> None:
        edges = [begin, *sorted(cut for cut in set(cuts) if begin < cut < len(topic)), len(topic)]
        asyncio.run(self._read(topic, edges))

    async def _read(self, topic: list[Envelope], edges: list[int]) -> None:
        projector = Projector(self.view, self.model.apply, self._store)
        for first, end in itertools.pairwise(edges):
            assert await projector.project(PARTITION, first, end, topic[first:end]) == Applied()

    async def _store(self, account_id: str, first: int, last: int) -> list[Envelope]:
        return [e for e in self.history if e.account_id == account_id and first <= e.version <= last]

    def check(self) -> None:
        assert self.model.stored == plain_fold(self.view, self.history)


@given(views, topics, st.lists(st.integers(0, 120)))
def test_chunks_do_not_matter(view: View, topic: list[Envelope], cuts: list[int]) -> None:
    reader = Reader(view, topic)
    reader.read(topic, cuts)
    reader.check()


@given(views, topics, st.lists(st.integers(0, 400)), st.integers(1, 2))
def test_the_whole_topic_again_changes_nothing(view: View, topic: list[Envelope], cuts: list[int], times: int) -> None:
    reader = Reader(view, topic)
    reader.read(topic * (1 + times), cuts)
    reader.read(topic, cuts)  # and from the beginning again: a worker that lost its place
    reader.check()


@given(views, topics, st.lists(st.integers(0, 400)), st.lists(st.tuples(st.integers(0, 120), st.integers(1, 9))))
def test_copies_that_follow_change_nothing(
    view: View, topic: list[Envelope], cuts: list[int], copies: list[tuple[int, int]]
) -> None:
    reader = Reader(view, topic)
    doubled = list(topic)
    for end, length in copies:
        doubled[end:end] = doubled[max(0, end - length) : end]
    reader.read(doubled, cuts)
    reader.check()


@given(views, topics, st.lists(st.integers(0, 120)), st.sets(st.integers(0, 120)))
def test_versions_missing_on_the_topic_come_from_the_store(
    view: View, topic: list[Envelope], cuts: list[int], missing: set[int]
) -> None:
    last = {e.account_id: e for e in topic}
    holed = [e for n, e in enumerate(topic) if n not in missing or last[e.account_id] is e]
    reader = Reader(view, topic)
    reader.read(holed, cuts)
    reader.check()


@given(views, topics, st.randoms(use_true_random=False))
@settings(max_examples=50)
def test_late_events_of_a_zombie_change_nothing(view: View, topic: list[Envelope], rng: object) -> None:
    last = {e.account_id: e for e in topic}
    shuffled = list(topic)
    rng.shuffle(shuffled)  # type: ignore[attr-defined]
    reader = Reader(view, topic)
    reader.read([*shuffled, *last.values()], [len(topic) // 2])
    reader.check()


@given(st.sampled_from([device_downloads, title_downloads]), leaps, st.lists(st.integers(0, 400)), st.randoms())
def test_what_is_pruned_depends_on_no_order_of_accounts(
    view: View, topic: list[Envelope], cuts: list[int], rng: Random
) -> None:
    """Some accounts are years ahead of others; each keeps its own order, and all else is chance."""
    assume(plain_fold(view, topic) != plain_fold(view, topic, prune=False))
    turns = [envelope.account_id for envelope in topic]
    rng.shuffle(turns)
    histories = {account: iter([e for e in topic if e.account_id == account]) for account in turns}
    reader = Reader(view, topic)
    reader.read([next(histories[account]) for account in turns] + topic, cuts)
    reader.check()


def test_a_model_behind_the_chunk_applies_nothing() -> None:
    topic = list(interleaved(1, 2, 10))
    reader = Reader(VIEWS["licenses"], topic)
    projector = Projector(reader.view, reader.model.apply, reader._store)
    assert asyncio.run(projector.project(PARTITION, 5, 10, topic[5:10])) == Behind(0)
    assert not reader.model.stored


def test_what_neither_the_topic_nor_the_store_has_is_never_guessed() -> None:
    topic = list(interleaved(1, 1, 10))
    reader = Reader(VIEWS["licenses"], [])
    with pytest.raises(MissingEvents, match="versions 1 to 3"):
        reader.read(topic[3:], [])
    assert not reader.model.stored
