"""The publishers: into lists, and to Kafka."""

import random
import time
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any
from uuid import uuid4

import pytest
from confluent_kafka import Consumer, TopicPartition

from commands.kafka.publisher import KafkaPublisher
from commands.memory import MemoryPublisher
from commands.ports import Outgoing, Publisher, PublishFailed
from ops import topics
from schemas.topics import Topics
from tests.contract.publisher_contract import PublisherContract, Subject
from tests.support.examples import T0
from tests.support.space import PARTITIONS, Servers

WAIT = 120.0  # seconds


class Lists:
    """The publisher in memory."""

    topics = Topics("t")

    def __init__(self) -> None:
        self.memory = MemoryPublisher()
        self.publisher: Publisher = self.memory

    def wait(self, future: Future[tuple[int, ...]]) -> tuple[int, ...]:
        return future.result(0)

    def published(self, topic: str, partition: int) -> list[Outgoing]:
        return self.memory.published.get((topic, partition), [])


class Kafka:
    """The publisher to Kafka, driven by whoever waits, and a consumer that takes part in no group."""

    def __init__(self, bootstrap: str, topics: Topics) -> None:
        self.topics = topics
        self.kafka = KafkaPublisher(bootstrap)
        self.publisher: Publisher = self.kafka
        self.consumer = Consumer(
            {"bootstrap.servers": bootstrap, "group.id": topics.namespace, "enable.auto.commit": False}
        )

    def wait(self, future: Future[tuple[int, ...]]) -> tuple[int, ...]:
        deadline = time.monotonic() + WAIT
        while not future.done() and time.monotonic() < deadline:
            self.kafka.poll(0.1)
        return future.result(0)

    def published(self, topic: str, partition: int) -> list[Outgoing]:
        _, end = self.consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=WAIT)
        self.consumer.assign([TopicPartition(topic, partition, 0)])
        found: list[Outgoing] = []
        deadline = time.monotonic() + WAIT
        while len(found) < end and time.monotonic() < deadline:
            for one in self.consumer.consume(end - len(found), 0.5):
                assert one.error() is None
                assert one.offset() == len(found)
                headers: Any = tuple(one.headers() or ())
                found.append(Outgoing(topic, partition, one.key(), one.value(), headers, one.timestamp()[1]))
        self.consumer.unassign()
        assert len(found) == end
        return found


class TestMemoryPublisher(PublisherContract):
    @pytest.fixture
    def subject(self) -> Subject:
        return Lists()


class TestKafkaPublisher(PublisherContract):
    @pytest.fixture
    def subject(self, servers: Servers) -> Iterator[Kafka]:
        names = Topics(f"t{uuid4().hex[:12]}")
        topics.create(servers.address.kafka, names, PARTITIONS)
        subject = Kafka(servers.address.kafka, names)
        yield subject
        subject.consumer.close()
        assert subject.kafka.close(60) == 0

    def test_a_message_without_a_timestamp_is_stamped_now(self, subject: Kafka) -> None:
        before = time.time() * 1000
        subject.wait(subject.publisher.publish([Outgoing(subject.topics.replies, 0, b"k", b"v")]))
        (found,) = subject.published(subject.topics.replies, 0)
        assert found.timestamp is not None
        assert before - 1 <= found.timestamp <= time.time() * 1000 + 1

    @pytest.mark.parametrize(
        ("size", "timestamp", "partition"),
        [
            pytest.param(1_500_000, T0, 0, id="more than the topic takes"),
            pytest.param(2_500_000, T0, 0, id="more than the producer takes"),
            pytest.param(10, 4_000_000_000_000, 0, id="ahead of the brokers' clock"),
            pytest.param(10, T0, 99, id="a partition that is not there"),
        ],
    )
    def test_what_kafka_refuses_fails_and_the_next_message_goes_through(
        self, subject: Kafka, size: int, timestamp: int, partition: int
    ) -> None:
        topic = subject.topics.events
        refused = Outgoing(topic, partition, b"k", random.Random(2).randbytes(size), (), timestamp)
        with pytest.raises(PublishFailed, match=topic):
            subject.wait(subject.publisher.publish([refused]))
        good = Outgoing(topic, 0, b"k", b"v", (), T0)
        assert subject.wait(subject.publisher.publish([good])) == (0,)
        assert subject.published(topic, 0) == [good]

    def test_a_future_is_not_done_before_somebody_polls(self, subject: Kafka) -> None:
        future = subject.publisher.publish([Outgoing(subject.topics.events, 0, b"k", b"v", (), T0)])
        time.sleep(0.2)
        assert not future.done()
        assert subject.wait(future) == (0,)
