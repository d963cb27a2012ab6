"""Several handlers, one of them paused, killed or stopped in the middle of its work: one story is left."""

import signal
import time

import pytest

from commands.policy_file import load_policy
from tests.support.load import Load, Stores, some_commands
from tests.support.processes import eventually, handler
from tests.support.space import Space
from tests.support.story import check


def check_all(stores: Stores) -> None:
    for story in stores.stories():
        check(story, load_policy())


@pytest.mark.parametrize("step", ["before_commit", "after_commit", "amid_rows", "amid_publish"])
def test_an_owner_paused_at_a_step_wakes_up_after_a_take_over(space: Space, stores: Stores, step: str) -> None:
    """It goes on where it stood, with a write or a publication that its successor has overtaken."""
    load, commands = Load(space), list(some_commands(3500))
    with handler(space, "sleeper", ["-m", "tests.faults.doomed_handler", step, "SIGSTOP"]) as sleeper:
        eventually(lambda: sleeper.said("shard_taken_over"), what="the first owner works")
        sent = 0
        while not sleeper.stopped() and sent < 2500:  # small waves, so that batches come one after another
            load.send(*commands[sent : sent + 60])
            sent += 60
            time.sleep(0.05)
        assert sleeper.stopped()
        with handler(space, "heir") as heir:
            load.send(*commands[sent : sent + 300])
            eventually(stores.followed_up, what="the heir takes over and follows up everything")
            sleeper.send(signal.SIGCONT)
            load.send(*commands[sent + 300 : sent + 600])
            eventually(
                lambda: sleeper.said("partitions_lost") or sleeper.said("partitions_revoked"),
                what="the sleeper learns that it slept",
            )
            load.send(*commands[sent + 600 : sent + 900])
            eventually(stores.followed_up, what="both go on")
            assert heir.alive()
            assert sleeper.alive()
    check_all(stores)


def test_handlers_share_partitions_and_one_takes_over_from_the_other(space: Space, stores: Stores) -> None:
    load, commands = Load(space), list(some_commands(3000))
    with handler(space, "first") as first:
        load.send(*commands[:1000])
        with handler(space, "second") as second:
            eventually(lambda: second.said("shard_taken_over"), what="the second gets a share")
            load.send(*commands[1000:2000])
            first.send(signal.SIGKILL)
            load.send(*commands[2000:])
            eventually(stores.followed_up, what="the second does it all")
            second.send(signal.SIGTERM)
            assert second.wait() == 0
    check_all(stores)


def test_a_stop_under_load_finishes_what_is_committed_and_stores_the_offsets(space: Space, stores: Stores) -> None:
    load, commands = Load(space), list(some_commands(4000))
    load.send(*commands)
    with handler(space, "stopped") as stopped:
        eventually(lambda: any(stores.end(space.topics.replies, shard) for shard in range(4)), what="work begins")
        stopped.send(signal.SIGTERM)
        assert stopped.wait() == 0
    rows, marks = stores.journal_tails(), stores.watermarks()
    assert rows  # it was in the middle of it
    assert marks == rows
    assert stores.group_offsets() == {shard: mark.next_offset for shard, mark in marks.items()}
    with handler(space, "next") as following:
        eventually(stores.followed_up, what="the next one goes on")
        assert not following.said('"redone": 1')
    check_all(stores)


def test_interrupts_while_servers_are_away_end_the_handler_at_once(space: Space) -> None:
    with handler(space, "lonely", environment={"LICENSING_CASSANDRA": "127.0.0.1:9"}) as lonely:
        eventually(lambda: lonely.said("waiting_for_servers"), what="it says that it waits")
        asked = time.monotonic()
        lonely.send(signal.SIGINT)
        assert lonely.wait(30) == 0
        assert time.monotonic() - asked < 30
