"""The journals: in memory and in Cassandra."""

from collections.abc import Iterator

import pytest

from commands.cassandra.journal import CassandraJournal
from commands.cassandra.session import Session
from commands.memory import MemoryJournal
from commands.ports import StoreUnavailable
from tests.contract.journal_contract import JournalContract, Owners, append, row
from tests.support.space import Servers, new_space


@pytest.fixture(scope="module")
def sessions(servers: Servers) -> Iterator[list[Session]]:
    space = new_space(servers)
    sessions = [space.session() for _ in range(3)]
    yield sessions
    for session in sessions:
        session.cluster.shutdown()


class TestMemoryJournal(JournalContract):
    @pytest.fixture
    def owner(self) -> Owners:
        one = MemoryJournal()
        return lambda: one


class TestCassandraJournal(JournalContract):
    @pytest.fixture
    def owner(self, sessions: list[Session]) -> Owners:
        journals = [CassandraJournal(session) for session in sessions]
        made = iter(range(1000))
        return lambda: journals[next(made) % len(journals)]

    def test_a_hole_is_never_read_over(self, owner: Owners, shard: int) -> None:
        journal = owner()
        first = row(shard, 0)
        for one in (first, row(shard, 2)):
            append(journal, one)
        reading = journal.read(shard, 0)
        assert next(reading) == first
        with pytest.raises(StoreUnavailable, match=f"shard {shard} has no row 1, but row 2"):
            next(reading)
