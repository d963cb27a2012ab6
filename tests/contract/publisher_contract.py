"""What every publisher does, whatever it is made of."""

import random
import time
from concurrent.futures import Future
from typing import Protocol

import pytest

from commands.ports import Outgoing, Publisher, StoreUnavailable
from schemas.topics import Topics
from tests.support.examples import T0


class Subject(Protocol):
    """A publisher, its topics, and what lies on them."""

    publisher: Publisher
    topics: Topics

    def wait(self, future: Future[tuple[int, ...]]) -> tuple[int, ...]:
        """The future's value; whatever completes it is driven meanwhile."""
        ...

    def published(self, topic: str, partition: int) -> list[Outgoing]:
        """All messages of a partition, by offset, as a consumer of ours sees them."""
        ...


class PublisherContract:
    """Subclasses give a fixture `subject`, with empty topics."""

    def send(self, subject: Subject, *messages: Outgoing) -> tuple[int, ...]:
        return subject.wait(subject.publisher.publish(messages))

    def end(self, subject: Subject, topic: str, partition: int) -> int:
        """The end of a partition, once it has a leader: the topic was made just now."""
        deadline = time.monotonic() + 30
        while True:
            try:
                return subject.publisher.end_offset(topic, partition)
            except StoreUnavailable:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def test_nothing_is_sent_at_once(self, subject: Subject) -> None:
        assert subject.publisher.publish([]).result(0) == ()

    def test_offsets_count_by_partition_in_the_order_sent(self, subject: Subject) -> None:
        topic = subject.topics.events
        sent = [Outgoing(topic, n % 3, b"k", b"%d" % n, (), T0 + n) for n in range(300)]
        assert self.send(subject, *sent) == tuple(n // 3 for n in range(300))
        for partition in range(3):
            assert subject.published(topic, partition) == sent[partition::3]
        assert subject.published(topic, 3) == []

    def test_what_is_sent_next_follows(self, subject: Subject) -> None:
        topic = subject.topics.replies
        futures = [
            subject.publisher.publish([Outgoing(topic, 0, b"k", b"%d.%d" % (n, m), (), T0) for m in range(20)])
            for n in range(50)
        ]
        offsets = [subject.wait(future) for future in futures]
        assert offsets == [tuple(range(n * 20, n * 20 + 20)) for n in range(50)]
        values = [one.value for one in subject.published(topic, 0)]
        assert values == [b"%d.%d" % (n, m) for n in range(50) for m in range(20)]

    def test_topics_have_offsets_of_their_own(self, subject: Subject) -> None:
        every = [Outgoing(topic, 1, b"k", topic.encode(), (), T0) for topic in subject.topics.all()]
        assert self.send(subject, *every) == (0, 0, 0, 0)
        assert [subject.published(topic, 1) for topic in subject.topics.all()] == [[one] for one in every]

    @pytest.mark.parametrize("value", [None, b"", b"\x00", bytes(range(256))])
    @pytest.mark.parametrize("key", [None, b"", b"\xff\x00k"])
    def test_keys_and_values_arrive_byte_for_byte(
        self, subject: Subject, key: bytes | None, value: bytes | None
    ) -> None:
        one = Outgoing(subject.topics.dead_letters, 2, key, value, (), T0)
        self.send(subject, one)
        assert subject.published(one.topic, 2) == [one]

    def test_headers_arrive_as_they_are_in_order_and_repeated(self, subject: Subject) -> None:
        headers = (("b", b"\xff\x00"), ("a", None), ("a", b""), ("b", b"2"), ("", b"no name"), ("ключ", b"x" * 2000))
        one = Outgoing(subject.topics.dead_letters, 0, b"k", b"v", headers, T0)
        self.send(subject, one)
        assert subject.published(one.topic, 0) == [one]

    @pytest.mark.parametrize("timestamp", [1, 946_684_800_000, T0 + 123, T0 - 1])
    def test_a_timestamp_arrives_to_the_millisecond_and_may_go_back(self, subject: Subject, timestamp: int) -> None:
        sent = [Outgoing(subject.topics.events, 0, b"k", b"v", (), at) for at in (T0, timestamp, T0)]
        self.send(subject, *sent)
        assert subject.published(subject.topics.events, 0) == sent

    def test_a_large_message_fits_where_its_topic_takes_it(self, subject: Subject) -> None:
        noise = random.Random(1).randbytes(1_900_000)
        one = Outgoing(subject.topics.dead_letters, 3, b"k", noise, (), T0)
        events = [
            Outgoing(subject.topics.events, 3, b"k", noise[n * 1000 : n * 1000 + 900_000], (), T0) for n in range(5)
        ]
        assert self.send(subject, one, *events) == (0, 0, 1, 2, 3, 4)
        assert subject.published(one.topic, 3) == [one]
        assert subject.published(subject.topics.events, 3) == events

    def test_the_end_is_where_the_next_message_goes(self, subject: Subject) -> None:
        topic = subject.topics.events
        assert self.end(subject, topic, 1) == 0
        self.send(subject, *[Outgoing(topic, 1, b"k", b"v", (), T0)] * 7, Outgoing(topic, 2, b"k", b"v", (), T0))
        assert self.end(subject, topic, 1) == 7
        assert self.end(subject, topic, 2) == 1
        assert self.end(subject, topic, 0) == 0
        assert self.send(subject, Outgoing(topic, 1, b"k", b"v", (), T0)) == (7,)
