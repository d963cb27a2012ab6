"""The places for watermarks: in memory and in Cassandra."""

from collections.abc import Iterator

import pytest

from commands.cassandra.session import Session
from commands.cassandra.snapshots import CassandraWatermarks
from commands.memory import MemoryWatermarks
from commands.ports import Watermarks
from tests.contract.watermarks_contract import WatermarksContract
from tests.support.space import Servers, new_space


@pytest.fixture(scope="module")
def session(servers: Servers) -> Iterator[Session]:
    session = new_space(servers).session()
    yield session
    session.cluster.shutdown()


class TestMemoryWatermarks(WatermarksContract):
    @pytest.fixture
    def marks(self) -> Watermarks:
        return MemoryWatermarks()


class TestCassandraWatermarks(WatermarksContract):
    @pytest.fixture
    def marks(self, session: Session) -> Watermarks:
        return CassandraWatermarks(session)
