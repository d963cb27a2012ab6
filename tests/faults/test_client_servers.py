"""A broker that is killed under a client: every command is answered once it is back, in the order of its account."""

import signal
from uuid import uuid4

from commands.client import Client
from ops import stack
from schemas.commands import SetPlan
from tests.support.processes import eventually, handler
from tests.support.space import Space


def test_kafka_killed_with_commands_under_way(space: Space) -> None:
    home = space.servers.home
    with handler(space), Client(space.settings.kafka, namespace=space.name, timeout=180, repeat_after=20) as client:
        plans = ("basic", "standard")
        warm = client.send(SetPlan(str(uuid4()), "ann", None, "premium")).result(60)
        before = [client.send(SetPlan(str(uuid4()), "ann", None, plans[number % 2])) for number in range(500)]
        stack.kill(home, "kafka", signal.SIGKILL)
        during = [client.send(SetPlan(str(uuid4()), "ann", None, plans[number % 2])) for number in range(500)]
        stack.start_one(home, "kafka")
        replies = [future.result(180) for future in (*before, *during)]
    assert warm.first_version == 1
    assert [reply.first_version for reply in replies] == list(range(2, 1002))


def test_a_client_that_is_there_before_the_topics(space: Space) -> None:
    home = space.servers.home
    stack.kill(home, "kafka", signal.SIGKILL)
    try:
        client = Client(space.settings.kafka, namespace=space.name, timeout=120)
        future = client.send(SetPlan(str(uuid4()), "ann", None, "basic"))
    finally:
        stack.start_one(home, "kafka")
    with client, handler(space) as handling:
        eventually(lambda: handling.said("shard_taken_over"), what="the handler works")
        assert future.result(120).outcome == "accepted"
