"""What a shard refuses to go on with: waiting would not help, and guessing would do harm."""

from uuid import UUID, uuid4

import pytest

from commands.accounts import AccountCache, BrokenHistory
from commands.follow_up import Outbound
from commands.intake import Message
from commands.memory import MemoryEventStore, MemoryJournal, MemoryPublisher, MemorySnapshots, MemoryWatermarks
from commands.policy_file import load_policy
from commands.ports import EventRow, NotPrepared, Row
from commands.shard import Inside, Shard
from schemas.codec import MAGIC, encode_command, encode_event
from schemas.commands import SetPlan
from schemas.events import Envelope, PlanSet
from schemas.topics import Topics

AT = 1_770_000_000_000


def inside() -> Inside:
    out = Outbound(MemoryEventStore(), MemorySnapshots(), MemoryWatermarks(), MemoryPublisher(), Topics())
    return Inside(MemoryJournal(), out, load_policy(), AccountCache(10), 1, UUID(int=1))


def message(offset: int) -> Message:
    return Message(offset, AT, b"ann", encode_command(SetPlan(str(uuid4()), "ann", None, "basic")))


def finish(shard: Shard) -> None:
    shard.step()
    while shard.busy:
        shard.step()


def test_a_topic_that_was_made_anew_is_not_taken_for_the_old_one() -> None:
    world = inside()
    before = Shard(0, world)
    assert before.take_over() is None
    for offset in range(5):
        before.receive(message(offset))
    finish(before)
    after = Shard(0, world)
    assert after.take_over() == 5
    with pytest.raises(NotPrepared, match="made anew"):
        after.receive(message(0))


def test_a_row_of_a_newer_release_is_not_read_over() -> None:
    world = inside()
    world.journal.append(Row(0, 0, UUID(int=9), AT, MAGIC + b"newer..." + b"body"))
    with pytest.raises(NotPrepared, match="newer release"):
        Shard(0, world).take_over()


def test_nothing_is_decided_on_a_history_with_a_gap() -> None:
    world = inside()
    shard = Shard(0, world)
    shard.take_over()
    shard.receive(message(0))
    finish(shard)
    late = Envelope(str(uuid4()), "bob", 2, AT, str(uuid4()), None, PlanSet("basic", "p"))
    world.out.events.write([EventRow(late, encode_event(late), 1, 0, 0, AT)])
    shard.receive(Message(1, AT, b"bob", encode_command(SetPlan(str(uuid4()), "bob", None, "basic"))))
    with pytest.raises(BrokenHistory, match="bob: version 1 is missing"):
        shard.step()
