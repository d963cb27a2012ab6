"""Cassandra that freezes between two pages of an answer: the next is not waited for any longer than the first."""

import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from cassandra.cluster import Session

from commands.cassandra.event_store import CassandraEventStore
from commands.cassandra.scan import CassandraEventScan
from commands.cassandra.session import connect
from commands.ports import StoreUnavailable
from ops import stack
from tests.contract.event_store_contract import history, row, write
from tests.support.space import Space

READS: dict[str, Callable[[Any], Iterator[Any]]] = {
    "events": lambda session: CassandraEventStore(session).read("ann"),
    "a slice": lambda session: CassandraEventScan(session).read((-(2**63), 2**63 - 1)),
}


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_the_next_page_has_a_time_of_its_own(
    space: Space, read: Callable[[Any], Iterator[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Session, "default_fetch_size", 10)
    monkeypatch.setattr("commands.cassandra.scan._PAGE", 10)
    session = connect(space.settings.cassandra_points(), space.name, timeout=1.0)
    thaw = threading.Timer(20.0, lambda: stack.kill(space.servers.home, "cassandra", signal.SIGCONT))
    try:
        for name in ("ann", "bob", "eve"):
            write(CassandraEventStore(session), [row(one, one.version) for one in history(name, 25)])
        found = read(session)
        next(found)
        stack.kill(space.servers.home, "cassandra", signal.SIGSTOP)
        thaw.start()
        with pytest.raises(StoreUnavailable, match="OperationTimedOut"):
            list(found)
    finally:
        stack.kill(space.servers.home, "cassandra", signal.SIGCONT)
        thaw.cancel()
        session.cluster.shutdown()
