"""The event stores: in memory and in Cassandra."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from msgspec.structs import replace

from commands.cassandra.event_store import CassandraEventStore
from commands.cassandra.session import Session
from commands.memory import MemoryEventStore
from commands.ports import EventStore, NewerRelease
from schemas.codec import MAGIC, decode_event, encode_event
from schemas.events import PlanChosen
from tests.contract.event_store_contract import WRITTEN, EventStoreContract, history, row, write
from tests.support.space import Servers, new_space

GOLDEN = Path(__file__).parents[1] / "unit" / "golden"


@pytest.fixture(scope="module")
def session(servers: Servers) -> Iterator[Session]:
    session = new_space(servers).session()
    yield session
    session.cluster.shutdown()


class TestMemoryEventStore(EventStoreContract):
    @pytest.fixture
    def store(self) -> EventStore:
        return MemoryEventStore()


class TestCassandraEventStore(EventStoreContract):
    @pytest.fixture
    def store(self, session: Session) -> EventStore:
        return CassandraEventStore(session)

    def test_a_person_can_follow_the_rows(self, session: Session, store: EventStore, account: str) -> None:
        first, second, *_ = history(account, 2)
        write(store, [row(first, 7), row(second, 8)])
        found = list(session.execute("SELECT * FROM events WHERE account_id = %s", (account,)))
        assert [(one.version, one.type, one.schema_version, one.shard, one.position) for one in found] == [
            (1, "PlanChosen", 1, 3, 7),
            (2, "LicenseAcquired", 2, 3, 8),
        ]
        assert found[0].event_id == UUID(first.event_id)
        assert found[0].command_id == UUID(first.command_id)
        assert found[0].at.replace(tzinfo=UTC) == datetime.fromtimestamp(first.at / 1000, UTC)
        assert found[0].payload == encode_event(first)

    def test_a_rewrite_is_the_same_cell(self, session: Session, store: EventStore, account: str) -> None:
        query = "SELECT writetime(payload) AS stamp, payload FROM events WHERE account_id = %s"
        (one,) = history(account, 1)
        for _ in range(3):
            write(store, [row(one)])
            (found,) = session.execute(query, (account,))
            assert (found.stamp, found.payload) == (WRITTEN * 1000, encode_event(one))

    def test_an_event_of_a_newer_release_is_named(self, session: Session, store: EventStore, account: str) -> None:
        (first, second) = history(account, 2)
        write(store, [row(first), row(second)])
        insert = session.prepare(
            "INSERT INTO events (account_id, version, type, schema_version, payload) VALUES (?, ?, ?, ?, ?)"
        )
        session.execute(insert, (account, 3, "LicenseAcquired", 9, MAGIC + b"newer..." + b"body"))
        reads = (lambda: list(store.read(account)), lambda: store.read_many([(account, 1)]))
        for read in reads:
            with pytest.raises(NewerRelease, match=f"account {account}: LicenseAcquired.v9$"):
                read()
        assert list(store.read(account, until=2)) == [first, second]

    def test_bytes_of_an_older_release_are_stored_as_what_they_are(
        self, session: Session, store: EventStore, account: str
    ) -> None:
        old = bytes.fromhex((GOLDEN / "PlanSet.v1.hex").read_text("ascii"))
        write(store, [row(replace(decode_event(old), account_id=account), payload=old)])
        (found,) = session.execute("SELECT * FROM events WHERE account_id = %s", (account,))
        assert (found.type, found.schema_version, found.payload) == ("PlanSet", 1, old)
        assert [one.event for one in store.read(account)] == [PlanChosen("premium", "test")]

    def test_a_row_cannot_be_overwritten_from_an_earlier_time(
        self, session: Session, store: EventStore, account: str
    ) -> None:
        (one,) = history(account, 1)
        write(store, [row(one)])
        write(store, [row(one, 9, payload=encode_event(one)[:-1] + b"!", written_at=WRITTEN - 1)])
        assert list(store.read(account)) == [one]
