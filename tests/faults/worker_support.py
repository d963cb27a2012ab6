"""What fault tests of the worker share: a topic written as the handler would, real worker processes, a checker."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import redis
from confluent_kafka import Consumer, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from projections.changes import StoredDocument
from projections.memory_model import MemoryReadModel
from projections.queries import Views
from projections.redis_model.keys import Keys, live_key
from projections.redis_model.reader import RedisReader
from projections.settings import Settings
from projections.views import VIEWS
from schemas.codec import encode_event
from schemas.events import Envelope
from schemas.topics import partition_of
from tests.contract.read_model_histories import interleaved
from tests.support.space import PARTITIONS, Space

PATIENCE = 60.0  # seconds, until a test gives up
AT_ONCE = 200  # rows under way: each has two seconds, says Cassandra, on however busy a machine


def until(what: str, true: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, f"not within {PATIENCE:.0f} s: {what}"
        time.sleep(0.02)


@dataclass
class Worker:
    """One `python -m projections worker VIEW`."""

    process: "subprocess.Popen[bytes]"
    log: Path

    def send(self, signum: signal.Signals) -> None:
        self.process.send_signal(signum)

    def exit_code(self) -> int:
        return self.process.wait(PATIENCE)

    def said(self, text: str) -> int:
        return self.log.read_text("utf-8").count(text)


@dataclass
class Ground:
    """One view, its events topic, and what was written there."""

    space: Space
    view: str = "title_downloads"
    partitions: dict[str, int] = field(default_factory=dict)
    ends: dict[int, int] = field(default_factory=lambda: dict.fromkeys(range(PARTITIONS), 0))
    started: int = 0

    def __post_init__(self) -> None:
        address = self.space.servers.address
        self.settings = Settings(
            kafka=address.kafka, redis=address.redis, namespace=self.space.name, keyspace=self.space.name
        )
        self.views = Views(self.settings)
        self.reader = RedisReader(self.settings.redis)

    def history(self, events: int = 12_000, accounts: int = 300) -> list[Envelope]:
        return list(interleaved(17, accounts, events))

    def partition(self, envelope: Envelope) -> int:
        account = envelope.account_id
        if account not in self.partitions:
            self.partitions[account] = partition_of(account, PARTITIONS)
        return self.partitions[account]

    def write(self, envelopes: Iterable[Envelope]) -> None:
        records = [(self.partition(e), e.account_id.encode(), encode_event(e)) for e in envelopes]
        self.write_raw(self.settings.topics.events, records)

    def write_raw(self, topic: str, records: Iterable[tuple[int, bytes | None, bytes | None]]) -> None:
        def delivered(error: object, message: Message) -> None:
            assert error is None, error
            partition, offset = message.partition(), message.offset()
            assert partition is not None
            assert offset is not None
            self.ends[partition] = max(self.ends[partition], offset + 1)

        producer = Producer({"bootstrap.servers": self.settings.kafka, "enable.idempotence": True, "linger.ms": 20})
        for partition, key, value in records:
            producer.produce(topic, value, key, partition=partition, on_delivery=delivered, headers=[("trace", b"t1")])
            producer.poll(0)
        assert producer.flush(PATIENCE) == 0

    @contextmanager
    def worker(
        self, *generation: str, release: Mapping[str, str] | None = None, folder: Path | None = None
    ) -> Iterator[Worker]:
        """A worker that follows the live generation, or stays with the named one; `release`: another one's settings."""
        self.started += 1
        log = self.space.servers.home / f"{self.space.name}-{self.started}.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "projections", "worker", self.view, *generation],
                env=self.space.environment() | dict(release or {}), stdout=out, stderr=subprocess.STDOUT, cwd=folder,
            )  # fmt: skip
            try:
                yield Worker(process, log)
            except BaseException:
                print(log.read_text("utf-8")[-5000:])  # pytest shows it
                raise
            finally:
                process.kill()
                process.wait()

    def progress(self) -> int:
        return sum(self.views.positions(self.view).values())

    def keys(self, generation: str) -> Keys:
        return Keys(self.settings.namespace, self.view, generation)

    def positions(self, generation: str) -> dict[int, int]:
        return self.reader.positions(self.keys(generation))

    def wait_for(self, events: int) -> None:
        until(f"{events} events seen", lambda: self.progress() >= events)

    def check(self, history: list[Envelope]) -> None:
        """Wait until all that was written is seen; then compare every document with the fold of the history."""
        until("the whole topic seen", lambda: self.views.positions(self.view) == self.ends)
        assert self.documents() == self.expected(history)

    def live(self) -> str:
        generation, _ = self.views.live(self.view)
        return generation or "1"

    def documents(self, generation: str | None = None) -> dict[tuple[str, str], StoredDocument]:
        found = self.views.export(self.view, generation or self.live())
        return {(tag, document): stored for tag, document, stored in found}

    def flip(self, generation: str) -> None:
        """Let readers see another generation."""
        with redis.Redis.from_url(self.settings.redis) as client:
            client.set(live_key(self.settings.namespace, self.view), generation)

    def expected(self, history: list[Envelope]) -> dict[tuple[str, str], StoredDocument]:
        model = MemoryReadModel(VIEWS[self.view])
        for partition in range(PARTITIONS):
            model.fold(partition, [envelope for envelope in history if self.partition(envelope) == partition])
        return model.stored

    def read_topic(self, topic: str, count: int) -> list[Message]:
        consumer = Consumer({"bootstrap.servers": self.settings.kafka, "group.id": "reader"})
        try:
            consumer.assign([TopicPartition(topic, partition, 0) for partition in range(PARTITIONS)])
            return list(consumer.consume(count, PATIENCE))
        finally:
            consumer.close()

    def store(self, envelopes: Iterable[Envelope]) -> None:
        """Write the rows that the handler writes, as far as readers look at them."""
        session = self.space.session()
        try:
            insert = session.prepare("INSERT INTO events (account_id, version, payload) VALUES (?, ?, ?)")
            rows = [(e.account_id, e.version, encode_event(e)) for e in envelopes]
            for start in range(0, len(rows), AT_ONCE):
                for future in [session.execute_async(insert, row) for row in rows[start : start + AT_ONCE]]:
                    future.result()
        finally:
            session.cluster.shutdown()


def members(ground: Ground, generation: str = "1") -> list[str]:
    """The ids of the group's members; a worker that leaves and comes back has another."""
    name = f"{ground.settings.namespace}.{ground.view}@{generation}"
    admin = AdminClient({"bootstrap.servers": ground.settings.kafka})
    return [member.member_id for member in admin.describe_consumer_groups([name])[name].result().members]


def pause(pid: int) -> None:
    os.kill(pid, signal.SIGSTOP)


def wake(pid: int) -> None:
    os.kill(pid, signal.SIGCONT)
