"""A generation is certified if and only if it is what the events make of it, wherever it stands on the topic."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.memory import MemoryEventScan, MemoryEventStore, MemoryWatermarks
from commands.ports import EventRow, Watermark
from ops.truth.certify import Certificate, folded, like
from ops.truth.histories import Reader
from projections.chunk import chunk_of, group
from projections.memory_model import MemoryReadModel
from projections.read_model import Applied
from projections.views import VIEWS
from projections.views.view import View, tag_of
from schemas.codec import encode_event
from schemas.events import Envelope
from tests.contract.read_model_histories import interleaved
from tests.support.memory_whole import MemoryTopic, MemoryWhole

PARTITION = 2
views = st.sampled_from(list(VIEWS.values()))
topics = st.builds(lambda seed, n: list(interleaved(seed, 4, n, titles=5)), st.integers(0, 10**6), st.integers(20, 150))


@dataclass
class World:
    """Event rows, topic and one generation; the row of event number n is at journal position n."""

    view: View
    history: list[Envelope]
    store: MemoryEventStore = field(default_factory=MemoryEventStore)
    watermarks: MemoryWatermarks = field(default_factory=MemoryWatermarks)
    topic: MemoryTopic = field(default_factory=lambda: MemoryTopic(PARTITION))

    def __post_init__(self) -> None:
        self.reader = Reader(MemoryEventScan(self.store), self.watermarks)
        self.whole = self.generation()
        rows = [EventRow(one, encode_event(one), PARTITION, n, 1) for n, one in enumerate(self.history)]
        self.store.write(rows)
        self.topic.publish(self.history)
        self.watermarks.save(PARTITION, Watermark(len(rows) - 1, len(rows)))

    def generation(self) -> MemoryWhole:
        return MemoryWhole(MemoryReadModel(self.view))

    def project(self, first: int, end: int, whole: MemoryWhole | None = None) -> None:
        whole = whole or self.whole
        chunk = chunk_of(self.view, PARTITION, first, end, group(self.history[first:end])[0])
        assert whole.model.apply_now(chunk) == Applied()

    def certificate(self, until: int | None = None) -> Certificate:
        return folded(self.view, self.whole, self.reader, self.topic, until, lambda done, total: None)

    def tag(self) -> str:
        return tag_of(self.view, self.history[0].account_id, PARTITION)


@given(views, topics, st.floats(0, 1), st.floats(0, 1))
def test_the_fold_is_certified_wherever_it_stands(view: View, topic: list[Envelope], at: float, mark: float) -> None:
    """Also where the handler has stored events that are on the topic behind it, or on no topic yet."""
    world = World(view, topic)
    end = int(at * len(topic))
    world.project(0, end)
    published = end + int(mark * (len(topic) - end))
    world.topic.values, world.topic.keys = world.topic.values[:published], world.topic.keys[:published]
    world.watermarks._marks[PARTITION] = Watermark(published - 1, published)
    found = world.certificate()
    assert (found.total, found.differing, found.against) == (0, [], "store")
    assert found.documents == sum(bool(one.fields or one.holds) for one in world.whole.model.stored.values())


@given(views, topics, st.integers(0, 150))
def test_as_of_a_time_it_is_the_fold_up_to_there(view: View, topic: list[Envelope], cut: int) -> None:
    world = World(view, topic)
    until = topic[min(cut, len(topic) - 1)].at
    histories, _ = group(one for one in topic if one.at <= until)
    assert world.whole.model.apply_now(chunk_of(view, PARTITION, 0, len(topic), histories)) == Applied()
    assert world.certificate(until).total == 0
    if any(one.at > until and view.project(one) for one in topic):
        assert world.certificate().total > 0


def _changed_field(world: World) -> None:
    next(one for one in world.whole.model.stored.values() if one.fields).fields["completed"] = "77"


def _lost_field(world: World) -> None:
    next(one for one in world.whole.model.stored.values() if one.fields).fields.popitem()


def _changed_hold(world: World) -> None:
    next(iter(world.whole.model.stored.values())).holds["heat"] = 5


def _changed_pruned(world: World) -> None:
    next(iter(world.whole.model.stored.values())).pruned += 1


def _missing_document(world: World) -> None:
    del world.whole.model.stored[next(iter(world.whole.model.stored))]


def _extra_document(world: World) -> None:
    stored = world.whole.model.stored
    stored[world.tag(), "none such"] = next(iter(stored.values()))


def _extra_tag(world: World) -> None:
    stored = world.whole.model.stored
    stored["stranger" if world.view.TAG == "account" else "p3", "none such"] = next(iter(stored.values()))


def _lower_version(world: World) -> None:
    world.whole.versions[world.tag(), world.history[0].account_id] -= 1


def _higher_version(world: World) -> None:
    world.whole.versions[world.tag(), world.history[0].account_id] += 1


def _strange_account(world: World) -> None:
    world.whole.versions[world.tag(), "stranger"] = 1


def _missed_account(world: World) -> None:
    """As a rebuild that left out an account and went on to the end."""
    name, view = world.history[0].account_id, world.view
    world.whole = world.generation()
    histories, _ = group(one for one in world.history if one.account_id != name)
    assert world.whole.model.apply_now(chunk_of(view, PARTITION, 0, len(world.history), histories)) == Applied()


def _lost_row(world: World) -> None:
    del world.store._rows[world.history[0].account_id][1]


DAMAGES: list[Callable[[World], None]] = [
    _changed_field,
    _lost_field,
    _changed_hold,
    _changed_pruned,
    _missing_document,
    _extra_document,
    _extra_tag,
    _lower_version,
    _higher_version,
    _strange_account,
    _missed_account,
    _lost_row,
]


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_whatever_is_damaged_it_is_not_certified(view: View, damage: Callable[[World], None], seed: int) -> None:
    world = World(view, list(interleaved(seed, 4, 120, titles=5)))
    world.project(0, len(world.history))
    good, other = world.certificate(), world.generation()
    world.project(0, len(world.history), other)
    assert good.total == 0
    same = like(world.whole, other)
    assert same is not None
    assert (same.against, same.digest, same.documents) == ("live", good.digest, good.documents)
    damage(world)
    found = world.certificate()
    assert found.total > 0
    assert len(found.differing) == min(found.total, 20)
    if damage is not _lost_row:
        assert found.digest != good.digest
        assert like(world.whole, other) is None


def test_a_generation_at_another_place_is_not_compared_with_the_live_one() -> None:
    world = World(VIEWS["licenses"], list(interleaved(1, 4, 120)))
    other = world.generation()
    world.project(0, 100)
    world.project(0, 90, other)
    assert like(world.whole, other) is None


def test_an_event_before_the_place_is_missed_though_a_later_one_is_coming() -> None:
    world = World(VIEWS["licenses"], list(interleaved(1, 4, 120)))
    world.project(0, 100)
    name = world.history[99].account_id
    assert any(one.account_id == name for one in world.history[100:])
    world.whole.reached[PARTITION] = 120
    missing = {one.account_id for one in world.history[100:]}
    assert {one.account_id for one in world.certificate().differing} == missing
