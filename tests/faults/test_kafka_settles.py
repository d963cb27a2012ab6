"""Questions that operators' commands ask a broker that has just begun: it does not lead its partitions yet."""

import signal
from collections.abc import Callable
from threading import Thread
from uuid import uuid4

import pytest
from confluent_kafka import Consumer, TopicPartition

from ops import kafka, stack
from ops.kafka import KafkaProblem
from ops.kafka.asking import QUIET
from ops.kafka.changes import delete_before
from tests.support.space import Servers

PARTITIONS = 64  # that it leads one after the other
GROUP = "a-group"


@pytest.fixture(scope="module")
def topic(servers: Servers) -> str:
    bootstrap, topic = servers.address.kafka, f"t{uuid4().hex[:12]}.many"
    kafka.create(bootstrap, {topic: PARTITIONS}, {topic: {}})
    to = kafka.producer(bootstrap)
    for partition in range(PARTITIONS):
        to.produce(topic, b"1", partition=partition, timestamp=1_000)
    assert to.flush(30) == 0
    group = Consumer({"bootstrap.servers": bootstrap, "group.id": GROUP} | QUIET)
    group.commit(offsets=[TopicPartition(topic, 0, 1)], asynchronous=False)
    group.close()
    return topic


def asked(bootstrap: str, topic: str) -> dict[str, Callable[[], None]]:
    """What commands ask, by name; each sees that the answer is right."""
    whole = dict.fromkeys(range(PARTITIONS), range(1))

    def spans() -> None:
        assert kafka.spans(bootstrap, topic) == whole

    def find() -> None:
        assert kafka.find(bootstrap, topic, PARTITIONS - 1, [(1, 1_000)], lambda _: 1) == {1: 0}

    def committed() -> None:
        assert kafka.committed(bootstrap, GROUP, topic) == {0: 1}

    def delete_nothing() -> None:
        delete_before(bootstrap, topic, dict.fromkeys(range(PARTITIONS), 0))

    def partitions() -> None:
        assert kafka.partitions(bootstrap, [topic, "another"]) == {topic: PARTITIONS}

    def everything() -> None:
        assert len(list(kafka.everything(bootstrap, topic, whole))) == PARTITIONS

    questions = (spans, find, committed, delete_nothing, partitions, everything)
    return {question.__name__: question for question in questions}


@pytest.mark.parametrize("first", ["spans", "committed"])
def test_each_is_answered(servers: Servers, topic: str, first: str) -> None:
    """`first`: is asked again and again from before the broker begins, so that it comes when least is known."""
    questions = asked(servers.address.kafka, topic)
    stack.kill(servers.home, "kafka", signal.SIGKILL)
    starting = Thread(target=stack.start_one, args=(servers.home, "kafka"))
    starting.start()
    said = list[str]()
    while True:
        try:
            questions[first]()
            break
        except KafkaProblem as problem:
            said.append(str(problem))
            assert starting.is_alive(), said
    starting.join()
    assert not [one for one in said if "leader" in one or "oordinator" in one]
    for ask in questions.values():
        ask()
