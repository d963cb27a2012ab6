"""Starting servers, played here: when they answer, and what is done when somebody takes a port before they do."""

import socket
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from ops import stack
from ops.stack import process
from ops.stack.files import Progress
from ops.stack.kafka import Kafka
from ops.stack.servers import Place

TAKEN, FREE = 15_001, 15_002


class Played:
    """A server that answers when it is told to; on the port that is taken it soon ends, and says why."""

    port_names: tuple[str, ...] = ("client",)

    def __init__(self, name: str, answer: Callable[[], bool]) -> None:
        self.name, self.answer = name, answer
        self.ports: list[int] = []  # that it began on

    def install(self, progress: Progress) -> None:
        """It is there."""

    def command(self, place: Place) -> list[str]:
        self.ports.append(place.ports["client"])
        end = "sleep 0.2; echo Address already in use; exit 1"
        script = end if self.ports[-1] == TAKEN and self.name == "redis" else "sleep 60"
        return ["/bin/sh", "-c", script, f"{place.folder}/its.conf"]

    def answers(self, port: int) -> bool:
        return self.answer()


def test_whoever_took_the_port_of_a_server_and_answers_in_its_place_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As long as the server has not ended when the others answer, they are two on one port: nobody can tell."""
    redis = Played("redis", lambda: True)
    kafka = Played("kafka", lambda: len(redis.ports) > 1 or process.pid_of(tmp_path / "redis") is None)
    monkeypatch.setattr("ops.stack.stack.SERVERS", {"redis": redis, "kafka": kafka})
    monkeypatch.setattr("ops.stack.stack.choose", lambda *_: {"client": FREE if redis.ports else TAKEN})
    monkeypatch.setattr("ops.stack.stack.publish", lambda *_: None)
    monkeypatch.setattr("ops.stack.stack.address_of", lambda ports: ports)
    try:
        stack.start(tmp_path)
        assert (redis.ports, kafka.ports) == ([TAKEN, FREE], [FREE])
        assert process.pid_of(tmp_path / "redis") is not None
    finally:
        process.end([tmp_path / "redis", tmp_path / "kafka"], grace=0)


@pytest.mark.parametrize(
    ("brokers", "led", "answers"), [({}, {0, 1}, False), ({1: "it"}, {0, 1}, True), ({1: "it"}, {0}, False)]
)
def test_kafka_answers_when_it_leads_all_that_it_lists(
    monkeypatch: pytest.MonkeyPatch, brokers: dict[int, str], led: set[int], answers: bool
) -> None:
    class Broker:
        def __init__(self, _: object) -> None:
            """It has no settings."""

        def list_topics(self, timeout: float) -> Any:
            topic = SimpleNamespace(partitions=dict.fromkeys((0, 1)))
            return SimpleNamespace(brokers=brokers, topics={"t": topic})

        def list_offsets(self, every: Mapping[TopicPartition, Any], request_timeout: float) -> Any:
            return {partition: self._end(partition.partition) for partition in every}

        def _end(self, partition: int) -> Future[None]:
            future: Future[None] = Future()
            if partition in led:
                future.set_result(None)
            else:
                future.set_exception(KafkaException(KafkaError(KafkaError.NOT_LEADER_FOR_PARTITION)))
            return future

    monkeypatch.setattr("ops.stack.kafka.AdminClient", Broker)
    monkeypatch.setattr("ops.kafka.led.AdminClient", Broker)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        assert Kafka().answers(listening.getsockname()[1]) is answers
