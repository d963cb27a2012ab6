"""Servers that go away under load: the handler waits, says so, and loses nothing."""

import signal

import pytest

from commands.policy_file import load_policy
from ops import stack
from tests.support.load import Load, Stores, some_commands
from tests.support.processes import eventually, handler
from tests.support.space import Space
from tests.support.story import check


@pytest.mark.parametrize(("server", "says"), [("cassandra", "shard_waits"), ("kafka", "Connection refused")])
def test_a_server_killed_under_load_and_started_again(space: Space, server: str, says: str) -> None:
    load, commands = Load(space), list(some_commands(6000))
    home = space.servers.home
    with handler(space, "patient") as patient:
        eventually(lambda: patient.said("shard_taken_over"), what="the handler works")
        load.send(*commands)
        stack.kill(home, server, signal.SIGKILL)
        eventually(lambda: patient.said(says), what="it says that it waits")
        stack.start_one(home, server)
        stores = Stores(space)
        try:
            eventually(stores.followed_up, 120, what="it goes on where it was")
            assert patient.alive()
            patient.send(signal.SIGTERM)
            assert patient.wait() == 0
            for story in stores.stories():
                check(story, load_policy())
        finally:
            stores.close()


def test_a_store_that_does_not_answer_in_time_is_waited_for(space: Space) -> None:
    """Cassandra paused: conditional writes time out with an unknown outcome, and some of them happen later."""
    load, commands = Load(space), list(some_commands(3000))
    home = space.servers.home
    with handler(space, "patient") as patient:
        eventually(lambda: patient.said("shard_taken_over"), what="the handler works")
        load.send(*commands[:1500])
        stack.kill(home, "cassandra", signal.SIGSTOP)
        try:
            load.send(*commands[1500:])
            eventually(lambda: patient.said("shard_waits"), what="it says that it waits")
        finally:
            stack.kill(home, "cassandra", signal.SIGCONT)
        stores = Stores(space)
        try:
            eventually(stores.followed_up, 120, what="it goes on where it was")
            for story in stores.stories():
                check(story, load_policy())
        finally:
            stores.close()
