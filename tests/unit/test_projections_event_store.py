"""Where the event store is looked for, and which of its failures are worth waiting for."""

import asyncio
from itertools import islice
from types import SimpleNamespace
from typing import Any

import pytest
from cassandra import InvalidRequest, OperationTimedOut
from cassandra.cluster import NoHostAvailable

from commands.ports import NotPrepared as PortNotPrepared
from commands.settings import Settings as HandlerSettings
from projections import event_store
from projections.event_store import EventStore, NotPrepared, is_away
from projections.patience import Patience
from projections.settings import BadContactPoint, BadCredentials, Settings
from schemas.codec import encode_event
from schemas.events import Envelope
from tests.contract.event_store_contract import history
from tests.support.driver import TRANSIENT, Session


@pytest.mark.parametrize(
    ("text", "points"),
    [
        ("h1:9043", [("h1", 9043)]),
        ("h1", [("h1", 9042)]),
        ("h1:9042,h2:9043", [("h1", 9042), ("h2", 9043)]),
        ("h1, h2:9043, h3", [("h1", 9042), ("h2", 9043), ("h3", 9042)]),
    ],
)
def test_every_host_may_have_its_own_port(text: str, points: list[tuple[str, int]]) -> None:
    assert Settings(cassandra=text).cassandra_points() == points


@pytest.mark.parametrize("point", ["h2:x", "h2:", ":9042", "", "h2:0", "h2:65536", "h2:-1", "h2:9042:1", "h2:²"])
def test_what_is_no_contact_point_is_said_before_anything_connects(point: str) -> None:
    with pytest.raises(BadContactPoint, match="LICENSING_CASSANDRA: a contact point is host or host:port, not") as said:
        EventStore(Settings(cassandra=f"h1:9042,{point}"))
    assert repr(point) in str(said.value)


@pytest.mark.parametrize("half", [{"cassandra_user": "ann"}, {"cassandra_password": "s3cret"}])
def test_a_user_and_a_password_go_together(half: dict[str, Any]) -> None:
    with pytest.raises(BadCredentials, match="set both or none"):
        EventStore(Settings(**half))
    with pytest.raises(PortNotPrepared, match="set both or none"):
        HandlerSettings(**half).cassandra_credentials()


@pytest.mark.parametrize("settings", [Settings, HandlerSettings])
def test_a_password_is_never_shown(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings().cassandra_credentials() is None
    monkeypatch.setenv("LICENSING_CASSANDRA_USER", "ann")
    monkeypatch.setenv("LICENSING_CASSANDRA_PASSWORD", "s3cret")
    found = settings()
    assert found.cassandra_credentials() == ("ann", "s3cret")
    assert "s3cret" not in f"{found!r} {found} {found.model_dump()} {found.model_dump_json()}"


class NoTable:
    """A session on a keyspace without tables."""

    def execute(self, *_: object) -> None:
        raise InvalidRequest("table events does not exist")


def test_a_missing_table_is_not_waited_for() -> None:
    store = EventStore(Settings())
    store._session = NoTable()
    with pytest.raises(NotPrepared, match="create the topics and tables with: licensing init") as said:
        asyncio.run(store.read("ann", 1, 2))
    assert not is_away(said.value)
    assert is_away(OperationTimedOut())


def test_a_node_that_went_away_is_tried_again_every_second_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}

    class Away:
        def __init__(self, points: object, **about: Any) -> None:
            asked.update(about)

        def connect(self) -> None:
            raise NoHostAvailable("nobody answers", {})

        def shutdown(self) -> None:
            asked["shut down"] = True

    monkeypatch.setattr(event_store, "Cluster", Away)
    with pytest.raises(NoHostAvailable):
        asyncio.run(EventStore(Settings()).read("ann", 1, 2))
    assert asked["shut down"]
    assert list(islice(asked["reconnection_policy"].new_schedule(), 10_000)) == [1.0] * 10_000


@pytest.mark.parametrize("error", TRANSIENT, ids=lambda error: type(error).__name__)
def test_a_read_is_repeated_until_every_page_of_it_came(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("projections.patience.FIRST_PAUSE", 0.0)
    events = list(history("ann", 3))
    rows = [SimpleNamespace(payload=encode_event(one)) for one in events]
    sessions: Any = iter([Session([], error), Session(rows[:2], error), SimpleNamespace(execute=lambda *_: rows)])
    store, said = EventStore(Settings()), list[Exception | None]()
    store._session = SimpleNamespace(execute=lambda *asked: next(sessions).execute(*asked))

    async def read() -> list[Envelope]:
        patience = Patience(asyncio.Event(), lambda server, error: said.append(error))
        return await patience.until("Cassandra", is_away, lambda: store.read("ann", 1, 3))

    assert asyncio.run(read()) == events
    assert said == [error, None]
