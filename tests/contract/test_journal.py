"""The journals: in memory and in Cassandra."""

from collections.abc import Iterator

import pytest

from commands.cassandra.journal import CassandraJournal
from commands.cassandra.session import Session
from commands.memory import MemoryJournal
from tests.contract.journal_contract import JournalContract, Owners
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
