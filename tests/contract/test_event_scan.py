"""The scans of all events: in memory and in Cassandra."""

from collections.abc import Iterator

import pytest

from commands.cassandra.event_store import CassandraEventStore
from commands.cassandra.scan import CassandraEventScan
from commands.cassandra.session import Session
from commands.cassandra.tables import change_schema
from commands.memory import MemoryEventScan, MemoryEventStore
from commands.ports import EventScan, EventStore, NewerRelease, StoreUnavailable
from schemas.codec import MAGIC
from tests.contract.event_scan_contract import EventScanContract
from tests.support.space import Servers, new_space


class TestMemoryEventScan(EventScanContract):
    @pytest.fixture
    def store(self) -> MemoryEventStore:
        return MemoryEventStore()

    @pytest.fixture
    def scan(self, store: MemoryEventStore) -> EventScan:
        return MemoryEventScan(store)


class TestCassandraEventScan(EventScanContract):
    @pytest.fixture
    def session(self, servers: Servers) -> Iterator[Session]:
        session = new_space(servers).session()
        yield session
        session.cluster.shutdown()

    @pytest.fixture
    def store(self, session: Session) -> EventStore:
        return CassandraEventStore(session)

    @pytest.fixture
    def scan(self, session: Session) -> EventScan:
        return CassandraEventScan(session)

    def test_an_event_of_a_newer_release_is_named(self, session: Session, scan: EventScan) -> None:
        insert = session.prepare(
            "INSERT INTO events (account_id, version, type, schema_version, payload) VALUES (?, ?, ?, ?, ?)"
        )
        session.execute(insert, ("ann", 1, "LicenseAcquired", 9, MAGIC + b"newer..." + b"body"))
        with pytest.raises(NewerRelease, match=r"account ann: LicenseAcquired\.v9$"):
            list(scan.read(scan.slices(1)[0]))

    def test_a_table_that_went_away_is_a_failure(self, session: Session, scan: EventScan) -> None:
        change_schema(session, "DROP TABLE events")
        with pytest.raises(StoreUnavailable):
            list(scan.read(scan.slices(1)[0]))
