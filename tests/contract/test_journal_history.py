"""The journal's histories: in memory and in Cassandra."""

from collections.abc import Iterator

import pytest

from commands.cassandra.journal import CassandraJournal, CassandraJournalHistory
from commands.cassandra.session import Session
from commands.cassandra.snapshots import CassandraWatermarks
from commands.cassandra.tables import BUCKET
from commands.memory import MemoryJournal, MemoryJournalHistory, MemoryWatermarks
from commands.ports import Journal, JournalHistory, Row, StoreUnavailable, Watermark, Watermarks
from tests.contract.journal_contract import append
from tests.contract.journal_history_contract import Fill, JournalHistoryContract, rows_of
from tests.contract.settled import settled
from tests.support.space import Servers, new_space


@pytest.fixture(scope="module")
def session(servers: Servers) -> Iterator[Session]:
    session = new_space(servers).session()
    yield session
    session.cluster.shutdown()


def filling(journal: Journal, watermarks: Watermarks) -> Fill:
    def fill(rows: list[Row], followed_up: int) -> None:
        for one in rows:
            append(journal, one)
        if followed_up:
            settled(lambda: watermarks.save(rows[0].shard, Watermark(followed_up - 1, 0)))

    return fill


class TestMemoryJournalHistory(JournalHistoryContract):
    @pytest.fixture
    def stores(self) -> tuple[MemoryJournal, MemoryWatermarks]:
        return MemoryJournal(), MemoryWatermarks()

    @pytest.fixture
    def history(self, stores: tuple[MemoryJournal, MemoryWatermarks]) -> JournalHistory:
        return MemoryJournalHistory(*stores)

    @pytest.fixture
    def fill(self, stores: tuple[MemoryJournal, MemoryWatermarks]) -> Fill:
        return filling(*stores)


class TestCassandraJournalHistory(JournalHistoryContract):
    @pytest.fixture
    def history(self, session: Session) -> JournalHistory:
        return CassandraJournalHistory(session)

    @pytest.fixture
    def fill(self, session: Session) -> Fill:
        return filling(CassandraJournal(session), CassandraWatermarks(session))

    @pytest.mark.parametrize("gone", [1, BUCKET - 1, BUCKET, BUCKET + 1, 3 * BUCKET, 4 * BUCKET, 4 * BUCKET + 3])
    def test_what_is_gone_from_the_front_is_not_kept(
        self, session: Session, history: JournalHistory, fill: Fill, shard: int, gone: int
    ) -> None:
        rows = rows_of(shard, 4 * BUCKET + 3)
        fill(rows, len(rows))
        for position in range(gone):  # as their time to live would do; conditional, as all writes of the journal
            session.execute(
                "DELETE FROM journal WHERE shard = %s AND bucket = %s AND position = %s IF EXISTS",
                (shard, position // BUCKET, position),
            )
        assert history.kept(shard) == range(gone, len(rows))
        assert list(history.read(shard, history.kept(shard))) == rows[gone:]
        with pytest.raises(StoreUnavailable, match=f"no row {gone - 1};"):
            list(history.read(shard, range(gone - 1, gone + 1)))
