"""Partitions that were added to the topics of a system with a history: it stops, and overwrites nothing."""

from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from commands.accounts import AccountCache
from commands.follow_up import Outbound
from commands.intake import Message
from commands.memory import MemoryEventStore, MemoryJournal, MemoryPublisher, MemorySnapshots, MemoryWatermarks
from commands.policies import Timeline
from commands.policy_file import load_policy
from commands.ports import NotPrepared
from commands.shard import Inside, Shard
from schemas.codec import encode_command
from schemas.commands import SetPlan
from schemas.topics import Topics, partition_of

AT = 1_770_000_000_000
MOVED = next(name for name in map("member-{}".format, range(99)) if partition_of(name, 2) == 1)


def message(offset: int, plan: str) -> Message:
    return Message(offset, AT, MOVED.encode(), encode_command(SetPlan(str(uuid4()), MOVED, None, plan)))


def test_an_account_with_a_history_on_another_partition_does_not_begin_anew() -> None:
    out = Outbound(MemoryEventStore(), MemorySnapshots(), MemoryWatermarks(), MemoryPublisher(), Topics())
    world = Inside(MemoryJournal(), out, Timeline(load_policy()), AccountCache(10), 1, UUID(int=1))
    before = Shard(0, world)
    before.take_over()
    before.receive(message(0, "basic"))
    before.step()
    while before.busy:
        before.step()
    history = list(out.events.read(MOVED))
    assert len(history) == 1

    after = Shard(1, replace(world, shards=2, cache=AccountCache(10)))
    after.take_over()
    after.receive(message(0, "premium"))
    with pytest.raises(NotPrepared, match=f"account {MOVED} has events of partition 0, and is on 1 now"):
        after.step()
    assert list(out.events.read(MOVED)) == history
