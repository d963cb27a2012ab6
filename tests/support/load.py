"""Commands onto a space's topic, and what came of them read back from the servers."""

import time
from collections.abc import Iterable, Iterator
from functools import partial
from random import Random
from typing import Any
from uuid import UUID

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

from commands.batch import read_body
from commands.cassandra.event_store import CassandraEventStore
from commands.cassandra.journal import CassandraJournal
from commands.cassandra.snapshots import CassandraWatermarks
from commands.ports import StoreUnavailable, Watermark
from ops.kafka.asking import once_settled
from schemas.codec import decode_event, encode_command
from schemas.commands import AcquireLicense, Command, CompleteDownload, DeactivateDevice, SetPlan
from tests.support.space import PARTITIONS, Space
from tests.support.story import Story


def some_commands(count: int, accounts: int = 40, seed: int = 1) -> Iterator[Command]:
    """A mix in which most commands write events, some are refused, and one in ten is a retry."""
    chance, sent = Random(seed), list[Command]()
    for number in range(count):
        if sent and chance.random() < 0.1:
            yield chance.choice(sent)
            continue
        command_id, account_id = str(UUID(int=chance.getrandbits(128), version=4)), f"account-{number % accounts}"
        device_id, title_id = f"{account_id}.{chance.randrange(3)}", f"title-{chance.randrange(50)}"
        choices: list[Command] = [
            *[AcquireLicense(command_id, account_id, f"call-{number}", device_id, title_id)] * 6,
            CompleteDownload(command_id, account_id, None, device_id, title_id),
            DeactivateDevice(command_id, account_id, None, device_id),
        ]
        first = number < accounts
        command = SetPlan(command_id, account_id, None, "standard") if first else chance.choice(choices)
        sent.append(command)
        yield command


def _delivered(error: Any, message: Any) -> None:
    assert error is None, f"{message.topic()}: {error}"


class Load:
    """A producer into the commands topic of a space."""

    def __init__(self, space: Space) -> None:
        self._topic = space.topics.commands
        self._producer = Producer(
            {
                "bootstrap.servers": space.settings.kafka,
                "partitioner": "murmur2_random",
                "enable.idempotence": True,
                "linger.ms": 2,
                "on_delivery": _delivered,
            }
        )

    def send(self, *commands: Command) -> None:
        """Send commands and wait until the broker has them."""
        for command in commands:
            self._producer.produce(self._topic, encode_command(command), command.account_id)
        assert self._producer.flush(30) == 0

    def send_raw(
        self,
        value: bytes | None,
        key: bytes | None,
        partition: int = 0,
        headers: list[tuple[str, bytes | None]] | None = None,
        timestamp: int = 0,
    ) -> None:
        """Send any bytes to a partition."""
        self._producer.produce(self._topic, value, key, partition, headers=list(headers or ()), timestamp=timestamp)
        assert self._producer.flush(30) == 0

    def send_raws(self, messages: Iterable[tuple[bytes, bytes, int]]) -> None:
        """Send many: value, key, partition."""
        for value, key, partition in messages:
            self._producer.produce(self._topic, value, key, partition)
        assert self._producer.flush(30) == 0


class Stores:
    """The servers of a space, read back."""

    def __init__(self, space: Space) -> None:
        self._space = space
        self._session = space.session()
        self._consumer = Consumer(
            {
                "bootstrap.servers": space.settings.kafka,
                "group.id": f"{space.name}.check",
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
            }
        )

    def close(self) -> None:
        """Let go of the servers."""
        self._consumer.close()
        self._session.cluster.shutdown()

    def end(self, topic: str, partition: int) -> int:
        """The end offset of a partition. A broker that is just back does not lead it yet, and is asked again."""
        asked = TopicPartition(topic, partition)
        ask = partial(self._consumer.get_watermark_offsets, asked, timeout=30)
        return int(once_settled(self._consumer, ask, timeout=60)[1])

    def watermarks(self) -> dict[int, Watermark]:
        """The watermark of each shard that has one."""
        marks = CassandraWatermarks(self._session)
        return {shard: mark for shard in range(PARTITIONS) if (mark := marks.load(shard)) is not None}

    def journal_tails(self) -> dict[int, Watermark]:
        """Position and cover of the last journal row of each shard that has any."""
        journal = CassandraJournal(self._session)
        rows = {shard: list(journal.read(shard, 0)) for shard in range(PARTITIONS)}
        return {shard: Watermark(r[-1].position, read_body(r[-1].body)[0]) for shard, r in rows.items() if r}

    def group_offsets(self) -> dict[int, int]:
        """The offsets that the handlers' group has committed."""
        group = Consumer({"bootstrap.servers": self._space.settings.kafka, "group.id": f"{self._space.name}.handler"})
        try:
            wanted = [TopicPartition(self._space.topics.commands, shard) for shard in range(PARTITIONS)]
            return {found.partition: found.offset for found in group.committed(wanted, 30) if found.offset >= 0}
        finally:
            group.close()

    def followed_up(self) -> bool:
        """Whether every command on the topic is decided and followed up; a server that does not answer now says no."""
        try:
            marks = self.watermarks()
            ends = {shard: self.end(self._space.topics.commands, shard) for shard in range(PARTITIONS)}
        except (KafkaException, StoreUnavailable):
            return False
        return all(end == 0 or (shard in marks and marks[shard].next_offset >= end) for shard, end in ends.items())

    def messages(self, topic: str, partition: int) -> list[Any]:
        """All messages of a partition, as confluent-kafka gives them."""
        end, found = self.end(topic, partition), list[Any]()
        self._consumer.assign([TopicPartition(topic, partition, 0)])
        until = time.monotonic() + 120
        while len(found) < end:
            assert time.monotonic() < until, f"{topic} {partition} gave {len(found)} of {end} messages"
            come = self._consumer.consume(min(5000, end - len(found)), 5)
            assert not any(one.error() for one in come), [one.error() for one in come]
            found += come
        return found

    def values(self, topic: str, partition: int) -> list[bytes | None]:
        """The values of a partition."""
        return [message.value() for message in self.messages(topic, partition)]

    def stored(self) -> dict[str, list[Any]]:
        """The event rows of every account, in order of version."""
        found: dict[str, list[Any]] = {}
        for row in self._session.execute("SELECT account_id, shard, version, payload FROM events"):
            found.setdefault(row.account_id, []).append(row)
        return found

    def stories(self) -> list[Story]:
        """The story of each shard."""
        topics, journal = self._space.topics, CassandraJournal(self._session)
        stored = {
            account_id: (rows[0].shard, [decode_event(row.payload) for row in rows])
            for account_id, rows in self.stored().items()
        }
        return [
            Story(
                self.values(topics.commands, shard),
                list(journal.read(shard, 0)),
                {account_id: history for account_id, (home, history) in stored.items() if home == shard},
                [value for value in self.values(topics.events, shard) if value],
                [value for value in self.values(topics.replies, shard) if value],
                self.values(topics.dead_letters, shard),
            )
            for shard in range(PARTITIONS)
        ]

    def journalled(self) -> list[bytes | None]:
        """The values of the commands that the journal has accepted or refused, and the events in it."""
        journal = CassandraJournal(self._session)
        decided = (
            one for shard in range(PARTITIONS) for row in journal.read(shard, 0) for one in read_body(row.body)[1]
        )
        entries = (one.entry for one in decided if one.command is not None)
        return [value for entry in entries for value in (entry.value, *entry.events)]

    def event_store(self) -> CassandraEventStore:
        """The event store on the same session."""
        return CassandraEventStore(self._session)
