"""What a session does where Cassandra is not there yet, or not there any more: it is waited for, however long."""

import socket
from itertools import islice
from typing import Any

import pytest
from cassandra import AuthenticationFailed, OperationTimedOut
from cassandra.connection import ConnectionException, ResponseWaiter

from commands.cassandra.connection import connection_class
from commands.cassandra.session import _cluster, connect
from commands.ports import StoreUnavailable
from tests.unit.test_cassandra_connection import Recorded


def test_a_name_that_is_not_known_now_is_a_store_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the names of containers come from a server that is started again itself."""

    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(StoreUnavailable, match=r"^Cassandra at cassandra:9042: no such name is known now$"):
        connect([("cassandra", 9042)], "licensing")


def test_a_node_that_went_away_is_tried_again_every_second_for_ever() -> None:
    cluster: Any = _cluster([("127.0.0.1", 9042)], 1.0, None)
    try:
        assert list(islice(cluster.reconnection_policy.new_schedule(), 10_000)) == [1.0] * 10_000
    finally:
        cluster.shutdown()


@pytest.mark.parametrize(
    ("said", "given_up"),
    [
        ("Unable to perform authentication: Cannot achieve consistency level QUORUM", False),
        ("Provided username ann and/or password are incorrect", True),
    ],
)
def test_a_node_that_cannot_look_up_a_password_now_is_not_given_up(said: str, given_up: bool) -> None:
    """As after a restart of all nodes. The driver never again tries one that refuses a password."""
    connection: Any = connection_class(Recorded)()
    connection.defunct(AuthenticationFailed(f"Failed to authenticate to 127.0.0.1:9042: {said}"))
    assert isinstance(connection.last_error, AuthenticationFailed) is given_up
    assert said in str(connection.last_error)


def test_a_new_connection_is_given_up_where_its_keyspace_is_not_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float | None] = []

    def deliver(_: object, timeout: float | None = None) -> None:
        waited.append(timeout)
        raise OperationTimedOut

    monkeypatch.setattr(ResponseWaiter, "deliver", deliver)
    connection: Any = connection_class(Recorded)()
    connection.connect_timeout = 7.0
    with pytest.raises(ConnectionException, match="Problem while setting keyspace"):
        connection.set_keyspace_blocking("licensing")
    assert waited == [7.0]
    assert connection.is_defunct
