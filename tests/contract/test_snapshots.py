"""The places for snapshots: in memory and in Cassandra."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from structlog.testing import capture_logs

from commands.account import STATE_VERSION
from commands.cassandra.session import Session
from commands.cassandra.snapshots import CassandraSnapshots
from commands.memory import MemorySnapshots
from commands.ports import Snapshots
from tests.contract.snapshots_contract import SnapshotsContract, save, state
from tests.support.space import Servers, new_space


@pytest.fixture(scope="module")
def session(servers: Servers) -> Iterator[Session]:
    session = new_space(servers).session()
    yield session
    session.cluster.shutdown()


class TestMemorySnapshots(SnapshotsContract):
    @pytest.fixture
    def snapshots(self) -> Snapshots:
        return MemorySnapshots()


class TestCassandraSnapshots(SnapshotsContract):
    @pytest.fixture
    def snapshots(self, session: Session) -> Snapshots:
        return CassandraSnapshots(session)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "{",
            "null",
            "[]",
            '"state"',
            '{"version": "9"}',
            '{"version": 9, "devices": []}',
            '{"version": 9, "devices": {"d": {"t": {"license_id": "l"}}}}',
            '{"version": 9, "answered": {"c": [1]}}',
            '{"version": 9, "at": 1e99}',
            '{"version": 9, "plan": "\\ud800"}',
        ],
    )
    def test_one_that_cannot_be_read_is_named_and_passed_over(
        self, session: Session, snapshots: Snapshots, account: str, text: str
    ) -> None:
        by_hand(session, account, 9, STATE_VERSION, text)
        save(snapshots, f"{account}.other", state(3))
        save(snapshots, account, state(2))
        with capture_logs() as logs:
            assert snapshots.as_of(account) == state(2)
        assert [one["event"] for one in logs] == ["snapshot_unreadable"]
        with capture_logs() as logs:
            assert snapshots.latest([account, f"{account}.other"]) == {f"{account}.other": state(3)}
        assert [(one["event"], one["account_id"]) for one in logs] == [("snapshot_unreadable", account)]

    @pytest.mark.parametrize("state_version", [STATE_VERSION - 1, STATE_VERSION + 1, 99, None])
    def test_one_of_another_state_version_is_passed_over(
        self, session: Session, snapshots: Snapshots, account: str, state_version: int | None
    ) -> None:
        by_hand(session, account, 9, state_version, '{"version": 9}')
        assert snapshots.latest([account]) == {}
        assert snapshots.as_of(account) is None
        save(snapshots, account, state(2))
        assert snapshots.as_of(account) == state(2)

    def test_one_without_a_state_is_passed_over(self, session: Session, snapshots: Snapshots, account: str) -> None:
        by_hand(session, account, 9, STATE_VERSION, None)
        with capture_logs() as logs:
            assert snapshots.latest([account]) == {}
        assert [one["event"] for one in logs] == ["snapshot_unreadable"]

    def test_a_person_can_read_it(self, session: Session, snapshots: Snapshots, account: str) -> None:
        save(snapshots, account, state(3))
        (found,) = session.execute("SELECT * FROM snapshots WHERE account_id = %s", (account,))
        assert (found.version, found.state_version) == (3, STATE_VERSION)
        assert found.at.replace(tzinfo=UTC) == datetime.fromtimestamp(state(3).at / 1000, UTC)
        assert '"plan":"basic"' in found.state


def by_hand(session: Session, account: str, version: int, state_version: int | None, text: str | None) -> None:
    session.execute(
        "INSERT INTO snapshots (account_id, version, state_version, at, state) VALUES (%s, %s, %s, %s, %s)",
        (account, version, state_version, datetime(2026, 3, 1, tzinfo=UTC), text),
    )
