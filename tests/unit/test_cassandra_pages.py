"""An answer of many pages may fail on any of them: it is a store that is away, whoever reads it."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from commands.cassandra.event_store import CassandraEventStore
from commands.cassandra.scan import CassandraEventScan
from commands.cassandra.session import rows
from commands.cassandra.snapshots import CassandraSnapshots
from commands.ports import StoreUnavailable
from ops import history
from ops.settings import Settings
from schemas.codec import MAGIC, encode_event
from tests.contract.event_store_contract import history as events
from tests.support.driver import TRANSIENT, Session

OURS = encode_event(next(iter(events("ann", 1))))
NEWER = MAGIC + b"newer..." + b"body"


def row(payload: bytes = OURS) -> Any:
    return SimpleNamespace(
        account_id="ann", payload=payload, type="LicenseAcquired", schema_version=9, version=1, position=1, shard=1,
        written=1, state_version=0, state=None,
    )  # fmt: skip


READS: dict[str, Callable[[Any], object]] = {
    "rows": lambda session: list(rows(session, "SELECT")),
    "events": lambda session: list(CassandraEventStore(session).read("ann")),
    "events of many": lambda session: CassandraEventStore(session).read_many([("ann", 0)]),
    "a slice": lambda session: list(CassandraEventScan(session).read((0, 1))),
    "an account": lambda session: CassandraEventScan(session).of("ann"),
    "newest snapshots": lambda session: CassandraSnapshots(session).latest(["ann"]),
    "all snapshots": lambda session: CassandraSnapshots(session).kept(["ann"]),
    "a snapshot": lambda session: CassandraSnapshots(session).as_of("ann"),
}


@pytest.mark.parametrize("error", TRANSIENT, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_a_later_page_that_fails_is_a_store_that_is_away(read: Callable[[Any], object], error: Exception) -> None:
    with pytest.raises(StoreUnavailable):
        read(Session([row()], error))


@pytest.mark.parametrize("error", TRANSIENT, ids=lambda error: type(error).__name__)
def test_so_it_is_where_a_newer_version_is_looked_up(error: Exception) -> None:
    with pytest.raises(StoreUnavailable):
        list(CassandraEventStore(Session([row(NEWER)], error)).read("ann"))


@pytest.mark.parametrize("error", TRANSIENT, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("seed", [None, 1])
def test_a_sample_of_many_accounts_ends_in_a_sentence(
    error: Exception, seed: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "connect", lambda *_: Session([row()], error))
    with pytest.raises(history.CassandraAway, match=r"^Cassandra at h1 refuses: "):
        history.some_accounts(Settings(cassandra="h1"), 9000, seed)


def test_all_pages_are_read_each_by_a_request_of_its_own() -> None:
    pages = {None: (["a", "b"], b"1"), b"1": ([], b"2"), b"2": (["c"], None)}
    asked = SimpleNamespace(
        execute=lambda *_, paging_state: SimpleNamespace(
            current_rows=pages[paging_state][0], paging_state=pages[paging_state][1]
        )
    )
    assert list(rows(asked, "SELECT")) == ["a", "b", "c"]
