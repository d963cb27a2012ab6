"""What a shard refuses to go on with: waiting would not help, and guessing would do harm."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from commands.accounts import AccountCache, BrokenHistory
from commands.batch import read_body
from commands.follow_up import Outbound
from commands.intake import Message
from commands.memory import MemoryEventStore, MemoryJournal, MemoryPublisher, MemorySnapshots, MemoryWatermarks
from commands.policies import InForce, Timeline
from commands.policy_file import load_policy
from commands.ports import EventRow, NewerRelease, Row, StoreUnavailable, Watermark
from commands.shard import AHEAD, Inside, Shard
from schemas.codec import MAGIC, encode_batch, encode_command, encode_event
from schemas.commands import SetPlan
from schemas.events import Envelope, PlanChanged, PlanChosen
from schemas.journal import Batch, Entry
from schemas.topics import Topics

AT = 1_770_000_000_000


def inside() -> Inside:
    out = Outbound(MemoryEventStore(), MemorySnapshots(), MemoryWatermarks(), MemoryPublisher(), Topics())
    return Inside(MemoryJournal(), out, Timeline(load_policy()), AccountCache(10), 1, UUID(int=1))


def message(offset: int, at: int = AT) -> Message:
    return Message(offset, at, b"ann", encode_command(SetPlan(str(uuid4()), "ann", None, "basic")))


def finish(shard: Shard) -> None:
    shard.step()
    while shard.busy:
        shard.step()


def after_five(world: Inside) -> Shard:
    """A shard that is taken over when the journal covers the offsets 0 to 4."""
    before = Shard(0, world)
    assert before.take_over() is None
    for offset in range(5):
        before.receive(message(offset))
    finish(before)
    after = Shard(0, world)
    assert after.take_over() == 5
    return after


def test_what_was_fetched_before_a_take_over_is_dropped_when_it_is_covered_and_when_it_comes_again() -> None:
    shard = after_five(inside())
    for offset in (0, 3, 5, 6, 5, 6, 7):
        shard.receive(message(offset))
    assert [one.message.offset for one in shard.inbox] == [5, 6, 7]


def test_what_was_fetched_ahead_before_a_take_over_does_not_hide_what_is_asked_for() -> None:
    shard = after_five(inside())
    with pytest.raises(StoreUnavailable, match="offset 5 was asked for, and 300 came"):
        shard.receive(message(300))
    assert shard.take_over() == 5
    shard.receive(message(5))
    assert [one.message.offset for one in shard.inbox] == [5]


def test_an_offset_that_holds_no_message_is_passed_when_the_topic_says_so_again() -> None:
    shard = after_five(inside())
    with pytest.raises(StoreUnavailable):
        shard.receive(message(6))
    assert shard.take_over() == 5
    shard.receive(message(6))
    shard.receive(message(8))
    assert [one.message.offset for one in shard.inbox] == [6, 8]


def test_what_was_fetched_ahead_is_no_gap_because_it_came_before_an_earlier_take_over_too() -> None:
    shard = after_five(inside())
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="offset 5 was asked for, and 300 came"):
            shard.receive(message(300))
        shard.take_over()
        shard.receive(message(5))
        shard.take_over()


def test_while_accounts_are_loaded_nothing_is_decided_and_a_take_over_forgets_them() -> None:
    world = inside()
    begun: list[tuple[Callable[[], Any], Future[Any]]] = []

    def aside(work: Callable[[], Any]) -> Future[Any]:
        begun.append((work, Future()))
        return begun[-1][1]

    shard = Shard(0, replace(world, aside=aside))
    shard.take_over()
    shard.receive(message(0))
    for _ in range(3):
        assert shard.step() is None
    assert len(begun) == 1
    assert not list(world.journal.read(0, 0))
    shard.take_over()
    shard.receive(message(0))
    begun[0][1].set_exception(StoreUnavailable("nobody waits for it any more"))
    shard.step()
    work, loaded = begun[1]
    shard.receive(message(1))
    loaded.set_result(work())
    finish(shard)
    (row,) = world.journal.read(0, 0)
    assert [one.entry.offset for one in read_body(row.body)[1]] == [0]


def test_a_command_waits_until_the_policy_of_its_time_is_known() -> None:
    class Known:
        until = AT

        def at(self, at: int) -> InForce | None:
            return Timeline(load_policy(), known_until=self.until).at(at)

    known = Known()
    world = replace(inside(), policies=known)
    shard = Shard(0, world)
    shard.take_over()
    for offset, at in enumerate((AT - 1, AT, AT - 1, AT + 1)):
        shard.receive(message(offset, at))

    def decided() -> list[int]:
        for _ in range(3):
            finish(shard)
        return [one.entry.offset for row in world.journal.read(0, 0) for one in read_body(row.body)[1]]

    assert decided() == [0]
    known.until = AT + 1
    assert decided() == [0, 1, 2]
    assert Shard(0, world).take_over() == 3
    known.until = AT + 2
    assert decided() == [0, 1, 2, 3]


def test_what_cannot_be_loaded_is_the_shards_failure() -> None:
    world = inside()
    away: Future[Any] = Future()
    away.set_exception(StoreUnavailable("away"))
    shard = Shard(0, replace(world, aside=lambda _: away))
    shard.take_over()
    shard.receive(message(0))
    with pytest.raises(StoreUnavailable, match="away"):
        shard.step()


class Held(MemoryWatermarks):
    """Watermarks that are saved only when told."""

    def __init__(self) -> None:
        super().__init__()
        self.held: list[Future[None]] = []

    def save(self, shard: int, mark: Watermark) -> Future[None]:
        super().save(shard, mark)
        self.held.append(Future())
        return self.held[-1]


def test_few_commands_gather_until_the_batch_before_is_out_and_a_crowd_does_not() -> None:
    marks, world = Held(), inside()
    world = replace(world, out=replace(world.out, watermarks=marks), crowd=10)
    shard = Shard(0, world)
    shard.take_over()

    def sizes() -> list[int]:
        for _ in range(5):
            shard.step()
        return [len(read_body(row.body)[1]) for row in world.journal.read(0, 0)]

    shard.receive(message(0))
    assert sizes() == [1]
    for offset in range(1, 10):
        shard.receive(message(offset))
    assert sizes() == [1]
    shard.receive(message(10))
    assert sizes() == [1, 10]
    shard.receive(message(11))
    assert sizes() == [1, 10]
    for mark in marks.held:
        mark.set_result(None)
    assert sizes() == [1, 10, 1]


def test_no_more_than_some_batches_are_on_their_way_out() -> None:
    marks, world = Held(), inside()
    shard = Shard(0, replace(world, out=replace(world.out, watermarks=marks), crowd=1))
    shard.take_over()
    for offset in range(AHEAD + 3):
        shard.receive(message(offset))
        for _ in range(5):
            shard.step()
    assert len(list(world.journal.read(0, 0))) == AHEAD


def test_a_row_of_a_newer_release_is_not_read_over() -> None:
    world = inside()
    world.journal.append(Row(0, 0, UUID(int=9), AT, MAGIC + b"newer..." + b"body"))
    with pytest.raises(NewerRelease, match="journal row 0: JournalBatch after v2"):
        Shard(0, world).take_over()


def test_nor_is_a_row_with_an_event_of_a_newer_release() -> None:
    world = inside()
    entry = Entry(0, AT, message(0).value, "accepted", (MAGIC + b"newer..." + b"event",))
    world.journal.append(Row(0, 0, UUID(int=9), AT, encode_batch(Batch(0, 1, (entry,)))))
    with pytest.raises(NewerRelease, match="journal row 0: no schema with the fingerprint 6e65776572"):
        Shard(0, world).take_over()


def test_what_an_older_release_committed_goes_out_as_what_it_is() -> None:
    world = inside()
    old = bytes.fromhex((Path(__file__).with_name("golden") / "PlanSet.v1.hex").read_text("ascii"))
    entry = Entry(0, AT, encode_command(SetPlan(str(uuid4()), "member-1", None, "premium")), "accepted", (old,))
    world.journal.append(Row(0, 0, UUID(int=9), AT, encode_batch(Batch(0, 1, (entry,)))))
    shard = Shard(0, world)
    assert shard.take_over() == 1
    finish(shard)
    (published,) = publisher_of(world).published["licensing.events", 0]
    assert (published.value, published.headers) == (old, (("type", b"PlanSet"), ("schema_version", b"1")))
    (stored,) = world.out.events.read("member-1")
    assert stored.event == PlanChosen("premium", "test")


def publisher_of(world: Inside) -> MemoryPublisher:
    assert isinstance(world.out.publisher, MemoryPublisher)
    return world.out.publisher


def test_nothing_is_decided_on_a_history_with_a_gap() -> None:
    world = inside()
    shard = Shard(0, world)
    shard.take_over()
    shard.receive(message(0))
    finish(shard)
    late = Envelope(str(uuid4()), "bob", 2, AT, str(uuid4()), None, PlanChanged("basic", None, "p"))
    world.out.events.write([EventRow(late, encode_event(late), 0, 0, AT)])
    shard.receive(Message(1, AT, b"bob", encode_command(SetPlan(str(uuid4()), "bob", None, "basic"))))
    with pytest.raises(BrokenHistory, match="bob: version 1 is missing"):
        shard.step()
