"""A check finds all that is wrong, and nothing while everything only goes on; what it mends is right after that."""

from collections.abc import Callable, Iterator, Mapping
from itertools import count
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from commands.follow_up import event_headers
from commands.ports import Watermark
from ops.kafka import Headers, Record
from ops.truth import repair
from ops.truth.check import Checked
from ops.truth.way import Unseen, passed_by
from projections.changes import StoredDocument
from projections.memory_model import MemoryReadModel
from projections.views import VIEWS
from schemas.codec import encode_event
from schemas.events import Envelope
from tests.contract.read_model_histories import interleaved
from tests.support.memory_whole import MemoryTopic
from tests.support.moving import PARTITION, Moving

topics = st.builds(lambda seed, n: list(interleaved(seed, 6, n, titles=8)), st.integers(0, 10**6), st.integers(20, 200))


def still(seed: int = 1, events: int = 150) -> Moving:
    world = Moving(list(interleaved(seed, 5, events, titles=5)))
    world.finish()
    return world


@given(topics, st.integers(0, 10**6), st.integers(0, 400))
@settings(max_examples=150, deadline=None)
def test_traffic_is_no_finding(history: list[Envelope], seed: int, before: int) -> None:
    world = Moving(history, Random(seed))
    world.move(before)
    for _ in range(3):
        found = world.check()
        assert found.findings == []
    world.chance = None
    world.finish()
    found = world.check()
    assert (found.findings, found.coming) == ([], {})
    assert (found.events, found.messages, found.views) == (len(history), len(history), list(VIEWS))


def test_what_is_on_its_way_is_said() -> None:
    world = Moving(list(interleaved(1, 5, 100)))
    world.write(100)
    world.publish(80)
    world.project("licenses", 60)
    found = world.check()
    events = len(world.rows)
    assert found.findings == []
    assert found.coming == {
        "events topic": events - 80 if events > 100 else 20,
        "device_downloads": 100,
        "licenses": 40,
        "title_downloads": 100,
    }


def test_a_sample_is_those_accounts_alone() -> None:
    world = still()
    names = sorted({one.account_id for one in world.history})
    world.wholes["licenses"].model.stored[names[0], names[0]].fields.clear()
    assert world.check(names[1:3]).findings == []
    found = world.check(names[:2])
    assert (found.accounts, found.views) == (2, ["device_downloads", "licenses"])
    assert {one.account_id for one in found.findings} == {names[0]}
    assert any("title_downloads" in note for note in found.notes)


class _Beside(MemoryTopic):
    """A topic of two partitions, of which a sample needs one."""

    def begins(self) -> dict[int, int]:
        return {**super().begins(), PARTITION + 1: 3}

    def ends(self) -> dict[int, int]:
        return {**super().ends(), PARTITION + 1: 9}

    def read(self, first: Mapping[int, int], ends: Mapping[int, int]) -> Iterator[Record]:
        assert set(first) == {PARTITION}
        return super().read(first, ends)


def test_a_sample_reads_the_partitions_of_its_accounts() -> None:
    world = still()
    topic = _Beside(PARTITION)
    topic.publish(world.history)
    world.topic = topic
    name = world.history[40].account_id
    assert (world.check([name]).findings, world.check([name]).notes[1:]) == ([], [])  # nothing of what the other lost
    _lose(world, 40)
    assert {one.account_id for one in world.check([name]).findings} == {name}


def _lose(world: Moving, offset: int) -> None:
    del world.topic.values[offset], world.topic.keys[offset]
    for whole in world.wholes.values():
        if PARTITION in whole.reached:
            whole.reached[PARTITION] -= 1


def _lost_message(world: Moving) -> None:
    _lose(world, 40)


def _lost_account(world: Moving) -> None:
    name = world.history[0].account_id
    for offset in reversed([n for n, one in enumerate(world.history) if one.account_id == name]):
        _lose(world, offset)


def _lost_end(world: Moving) -> None:
    for _ in range(20):
        _lose(world, len(world.topic.values) - 1)


def _out_of_order(world: Moving) -> None:
    name = world.history[0].account_id
    one, other = [n for n, found in enumerate(world.history) if found.account_id == name][3:5]
    values = world.topic.values
    values[one], values[other] = values[other], values[one]


def _missing_document(world: Moving) -> None:
    for whole in world.wholes.values():
        del whole.model.stored[min(whole.model.stored)]


def _extra_document(world: Moving) -> None:
    for whole in world.wholes.values():
        tag, _ = min(whole.model.stored)
        whole.model.stored[tag, "strange"] = StoredDocument({"downloads": "1"}, {"x": 5}, 3)


def _changed(world: Moving) -> None:
    for whole in world.wholes.values():
        whole.model.stored[min(whole.model.stored)].fields["completed"] = "99"


def _stranger(world: Moving) -> None:
    for name, whole in world.wholes.items():
        tag = f"p{PARTITION + 1}" if VIEWS[name].TAG == "partition" else "stranger"
        whole.versions[tag, "stranger"] = 2
        whole.model.stored[tag, "stranger"] = StoredDocument({"downloads": "1"})


def _passed_by(world: Moving) -> None:
    name = world.history[0].account_id
    for view, whole in world.wholes.items():
        whole.versions[name if VIEWS[view].TAG == "account" else f"p{PARTITION}", name] -= 1


def _version_too_high(world: Moving) -> None:
    name = world.history[0].account_id
    for view, whole in world.wholes.items():
        whole.versions[name if VIEWS[view].TAG == "account" else f"p{PARTITION}", name] += 3


def _forgotten(world: Moving) -> None:
    """A view without anything, and with its position."""
    for whole in world.wholes.values():
        reached = dict(whole.reached)
        whole.model = MemoryReadModel(whole.model.view)
        whole.reached.update(reached)


MENDED: list[tuple[Callable[[Moving], None], str]] = [
    (_lost_message, "topic"),
    (_lost_account, "topic"),
    (_lost_end, "topic"),
    (_out_of_order, "topic"),
    (_missing_document, "view"),
    (_extra_document, "view"),
    (_changed, "view"),
    (_stranger, "view"),
    (_passed_by, "view"),
    (_version_too_high, "view"),
    (_forgotten, "view"),
]


@pytest.mark.parametrize(("damage", "kind"), MENDED)
@pytest.mark.parametrize("seed", [1, 2])
def test_what_can_be_mended_is_found_and_mended(damage: Callable[[Moving], None], kind: str, seed: int) -> None:
    world = still(seed)
    damage(world)
    found = world.check()
    assert {one.kind for one in found.findings} == {kind}
    if kind == "view":
        assert {one.view for one in found.findings} == set(VIEWS)
    rows = {name: world.reader_rows(name) for name in {one.account_id for one in world.history}}
    assert all(one.why_not is None for one in world.fix(found))
    again = world.check()
    assert again.findings == []
    assert rows == {name: world.reader_rows(name) for name in rows}
    good = still(seed)
    for name, whole in world.wholes.items():
        stored = {place: one for place, one in whole.model.stored.items() if one != StoredDocument()}
        assert stored == good.wholes[name].model.stored


@given(st.integers(0, 10**6), st.sampled_from([damage for damage, kind in MENDED if kind == "view"]))
@settings(max_examples=60, deadline=None)
def test_a_repair_under_traffic_loses_nothing(seed: int, damage: Callable[[Moving], None]) -> None:
    world = Moving(list(interleaved(seed, 4, 200, titles=5)), Random(seed))
    world.write(60)
    world.publish(60)
    for view in VIEWS:
        world.project(view, 60)
    damage(world)
    for _ in range(3):  # what is on its way hides what is wrong for a while
        fixed = world.fix(world.check())
        assert all(one.why_not is None or "changes faster" in one.why_not for one in fixed)
    world.chance = None
    world.finish()
    world.fix(world.check())
    assert world.check().findings == []
    good = Moving(world.history)
    good.finish()
    for name, whole in world.wholes.items():
        stored = {place: one for place, one in whole.model.stored.items() if one != StoredDocument()}
        assert stored == good.wholes[name].model.stored


def _gap(world: Moving) -> None:
    del world.store._rows[world.history[0].account_id][2]


def _same_id(world: Moving) -> None:
    rows = world.store._rows[world.history[0].account_id]
    rows[3] = replace(rows[3], envelope=replace(rows[3].envelope, event_id=rows[2].envelope.event_id))


def _snapshot(world: Moving) -> None:
    states = world.snapshots._states[world.history[0].account_id]
    states[7].plan = "other"


def _snapshot_ahead(world: Moving) -> None:
    states = world.snapshots._states[world.history[0].account_id]
    states[7000] = states[7].copy()
    states[7000].version = 7000


def _other_bytes(world: Moving) -> None:
    one = world.history[40]
    world.topic.values[40] = encode_event(replace(one, at=one.at + 1))


def _other_copy(world: Moving) -> None:
    one = world.history[40]
    world.topic.values.append(encode_event(replace(one, at=one.at + 1)))
    world.topic.keys.append(one.account_id.encode())


def _not_stored(world: Moving) -> None:
    one = world.history[0]
    world.topic.publish([replace(one, account_id="stranger")])


def _no_event(world: Moving) -> None:
    world.topic.values.append(b"nothing")
    world.topic.keys.append(b"ann")


def _other_key(world: Moving) -> None:
    world.topic.values.append(world.topic.values[0])
    world.topic.keys.append(b"ann")


def _beyond(world: Moving) -> None:
    world.wholes["licenses"].reached[PARTITION] += 1


@pytest.mark.parametrize(
    ("damage", "kind"),
    [
        (_gap, "versions"),
        (_same_id, "event-id"),
        (_snapshot, "snapshot"),
        (_snapshot_ahead, "snapshot"),
        (_other_bytes, "topic"),
        (_other_copy, "topic"),
        (_not_stored, "topic"),
        (_no_event, "topic"),
        (_other_key, "topic"),
        (_beyond, "view"),
    ],
)
def test_what_cannot_be_mended_is_found(damage: Callable[[Moving], None], kind: str) -> None:
    world = still()
    damage(world)
    assert kind in {one.kind for one in world.check().findings}


@pytest.mark.parametrize("copy", [False, True])
@pytest.mark.parametrize(
    ("headers", "later", "is_", "should"),
    [
        ((("type", b"PlanSet"), ("schema_version", b"1")), 0, "headers type=PlanSet, schema_version=1", "headers {}"),
        ((), 0, "headers none", "headers {}"),
        (None, 7, "timestamp {}", "timestamp {}"),
    ],
)
def test_headers_and_times_of_the_topic_are_those_of_the_store(
    headers: Headers | None, later: int, is_: str, should: str, copy: bool
) -> None:
    """Nothing is published again for them: readers go by the bytes, and would drop the copy."""
    world = still()
    one = world.history[40]
    if copy:
        world.topic.publish([one])
    place = len(world.history) if copy else 40
    right = event_headers(world.topic.values[40])
    world.topic.around[place] = right if headers is None else headers, one.at + later
    found = world.check()
    (finding,) = [one for one in found.findings if one.kind == "topic"]
    said = ", ".join(f"{name}={value.decode()}" for name, value in right)
    assert (finding.account_id, finding.where) == (one.account_id, f"{PARTITION}:{place}")
    assert finding.is_ == f"version {one.version}, {is_.format(one.at + later)}"
    assert finding.should == should.format(said if headers is not None else one.at)
    assert [one for one in world.fix(found) if one.what == "published again"] == []


def test_rows_that_are_not_written_in_order_are_no_gap() -> None:
    """Two rows of the journal are followed up at the same time, and the later one is in the table first."""
    world = Moving(list(interleaved(1, 2, 60)))
    world.write(40)
    world.publish(40)
    name = world.history[40].account_id
    coming = [row for row in world.rows[40:] if row.envelope.account_id == name]
    world.store.write(coming[1:])
    assert world.check().findings == []
    world.watermarks.save(PARTITION, Watermark(59, 60))
    assert "versions" in {one.kind for one in world.check().findings}


def test_copies_are_no_finding() -> None:
    world = still()
    for first, end in ((0, 30), (100, 150), (20, 40)):
        world.topic.publish(world.history[first:end])
    assert world.check().findings == []


@given(topics, st.integers(0, 200), st.integers(0, 200), st.integers(0, 50))
@settings(max_examples=100, deadline=None)
def test_what_a_topic_has_lost_by_age_is_no_finding(history: list[Envelope], lost: int, cut: int, back: int) -> None:
    """Also where a take-over published a part of it again; but what is missing in the rest is one."""
    world = Moving(history)
    world.finish()
    cut = min(cut, len(history))
    world.topic.values, world.topic.keys = world.topic.values[:cut], world.topic.keys[:cut]
    world.topic.publish(history[max(0, cut - back) :])
    world.topic.lost = min(lost, len(world.topic.values))
    for whole in world.wholes.values():
        whole.reached[PARTITION] = len(world.topic.values)
    found = world.check()
    assert found.findings == []
    assert bool(found.notes) == (world.topic.lost > 0)


@pytest.mark.parametrize("look", [1, 2])
def test_what_a_topic_loses_by_age_meanwhile_is_no_finding(monkeypatch: pytest.MonkeyPatch, look: int) -> None:
    """It is looked at twice, as some events are out of order there at first. With --fix, most would be published."""
    world = still()
    world.topic.values, world.topic.keys = world.topic.values[30:], world.topic.keys[30:]
    world.topic.publish(world.history)
    for whole in world.wholes.values():
        whole.reached[PARTITION] = len(world.topic.values)
    begins, looks = world.topic.begins, count(1)

    def lose() -> dict[int, int]:
        found = begins()
        if next(looks) == look:
            world.topic.lost = 150
        return found

    monkeypatch.setattr(world.topic, "begins", lose)
    assert world.check().findings == []
    assert world.topic.lost


def test_what_is_missing_in_the_rest_of_a_topic_is_found_and_published_again() -> None:
    world = still()
    world.topic.lost = 40
    name = world.history[90].account_id
    _lose(world, 90)
    found: Checked = world.check()
    missing = world.history[90].version
    assert [(one.account_id, one.where) for one in found.findings] == [(name, f"version {missing}")] + [
        (name, f"version {one.version}") for one in world.history[91:] if one.account_id == name
    ]
    world.fix(found)
    again = world.check()
    assert again.findings == []
    assert any("out of order" in note for note in again.notes)


def test_also_when_it_is_the_first_of_its_account_that_should_be_left() -> None:
    world = still()
    world.topic.lost = 40
    firsts = {one.account_id: n for n, one in reversed(list(enumerate(world.history[40:], 40)))}
    offset = max(firsts.values())
    assert any(_same(world.history[offset], one) for one in world.history[offset + 1 :])
    _lose(world, offset)
    found = world.check()
    assert {(one.kind, one.account_id) for one in found.findings} == {("topic", world.history[offset].account_id)}
    world.fix(found)
    assert world.check().findings == []


def _same(one: Envelope, other: Envelope) -> bool:
    return one.account_id == other.account_id


def test_what_is_on_its_way_is_not_missing_though_something_before_it_is() -> None:
    world = Moving(list(interleaved(1, 2, 150)))
    world.write(120)
    world.publish(100)
    _lose(world, 40)
    name, version = world.history[40].account_id, world.history[40].version
    published = [one.version for one in world.history[41:100] if one.account_id == name]
    assert any(one.account_id == name for one in world.history[100:120])
    found = world.check()
    assert [one.where for one in found.findings] == [f"version {n}" for n in [version, *published]]


def test_a_worker_that_goes_on_within_a_repair_is_not_undone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, view in VIEWS.items():
        world = Moving(list(interleaved(1, 3, 150)))
        world.write(60)
        world.publish(60)
        world.project(name, 60)
        sources, steps = world.sources(), [90, 150]

        def go_on(count: int, world: Moving = world, name: str = name, steps: list[int] = steps) -> None:
            if count == 2 and steps:  # when documents are about to be put in their place
                world.write(steps[0])
                world.publish(steps[0])
                world.project(name, steps.pop(0))

        monkeypatch.setattr(world, "move", lambda count=1, go_on=go_on: go_on(count))
        if view.TAG == "account":
            account = world.history[149].account_id
            repair.account(view, sources.live[name][1], sources.reader, account)
        else:
            list(repair.partitions(view, sources.live[name][1], sources.reader, [f"p{PARTITION}"]))
        assert steps == []
        world.project(name, 150)
        monkeypatch.undo()
        assert [one for one in world.check().findings if one.view == name] == []


def test_what_a_reader_has_behind_it_does_not_come_again() -> None:
    """Of two readers one has gone past the event that the other has before it."""
    world = Moving(list(interleaved(1, 1, 30)))
    world.finish()
    name = world.history[0].account_id
    behind, past = Unseen(name, 11, 30, PARTITION, 10, 10), Unseen(name, 12, 30, PARTITION, 12, 11)
    assert passed_by([behind, past], lambda shard: 29, world.topic) == [past]
    assert passed_by([behind, past], lambda shard: 10, world.topic) == []
