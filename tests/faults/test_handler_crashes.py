"""kill -9 at every step between a command and its watermark: nothing is lost, doubled or made up."""

import signal
import time

import pytest

from commands.policy_file import load_policy
from tests.faults.doomed_handler import STEPS
from tests.support.load import Load, Stores, some_commands
from tests.support.processes import eventually, handler
from tests.support.space import Space
from tests.support.story import check


@pytest.mark.parametrize("step", STEPS)
def test_a_crash_at_any_step_loses_and_doubles_nothing(space: Space, stores: Stores, step: str) -> None:
    load, commands = Load(space), list(some_commands(3000))
    with handler(space, "doomed", ["-m", "tests.faults.doomed_handler", step, "SIGKILL"]) as doomed:
        eventually(lambda: doomed.said("shard_taken_over"), what="the handler works")
        sent = 0
        while doomed.alive() and sent < 2500:  # small waves, so that batches come one after another
            load.send(*commands[sent : sent + 60])
            sent += 60
            time.sleep(0.05)
        assert doomed.wait() == -signal.SIGKILL
    with handler(space, "successor") as successor:
        load.send(*commands[sent : sent + 200])
        eventually(stores.followed_up, what="the successor follows up everything")
        successor.send(signal.SIGTERM)
        assert successor.wait() == 0
    for story in stores.stories():
        check(story, load_policy())
