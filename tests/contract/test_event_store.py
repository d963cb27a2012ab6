"""The event stores: in memory and in Cassandra."""

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

import pytest

from commands.cassandra.event_store import CassandraEventStore
from commands.cassandra.session import Session
from commands.memory import MemoryEventStore
from commands.ports import EventStore
from schemas.codec import encode_event
from tests.contract.event_store_contract import WRITTEN, EventStoreContract, history, row, write
from tests.support.space import Servers, new_space


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

    def test_a_row_cannot_be_overwritten_from_an_earlier_time(
        self, session: Session, store: EventStore, account: str
    ) -> None:
        (one,) = history(account, 1)
        write(store, [row(one)])
        write(store, [row(one, 9, payload=b"other", written_at=WRITTEN - 1)])
        assert list(store.read(account)) == [one]
