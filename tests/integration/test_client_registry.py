"""The client beside a handler that works with a schema registry: with it, without it, and while things change over."""

import signal
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest

from commands.client import Client, NoReply
from commands.client.registry import Registry
from schemas.commands import AcquireLicense, SetPlan
from schemas.registry import NEWEST
from schemas.topics import partition_of
from tests.support.clock import Clock, confirmed
from tests.support.load import Stores
from tests.support.processes import at_work, eventually, handler
from tests.support.registry_server import RegistryServer, registry_server
from tests.support.space import PARTITIONS, Space

ACCOUNT = "member-1"
HOME = partition_of(ACCOUNT, PARTITIONS)
SINGLE, FRAMED = b"\xc3", b"\x00"


@pytest.fixture
def registry() -> Iterator[RegistryServer]:
    with registry_server() as server:
        yield server


@pytest.fixture
def begins(space: Space) -> Iterator[Callable[[str], list[bytes]]]:
    """The first byte of each value that the account's partition of a topic has."""
    stores = Stores(space)
    yield lambda topic: [value[:1] for value in stores.values(topic, HOME) if value]
    stores.close()


TIMEOUT = 60.0  # seconds, of the clock of a test where there is one


def client_of(space: Space, registry: str | None = None, framed: bool = True) -> Client:
    return Client(
        space.settings.kafka, namespace=space.name, timeout=TIMEOUT, repeat_after=90, registry=registry, framed=framed
    )


def subscribe() -> SetPlan:
    return SetPlan(str(uuid4()), ACCOUNT, None, "basic")


def acquire(title: str) -> AcquireLicense:
    return AcquireLicense(str(uuid4()), ACCOUNT, None, "tv", title)


def test_it_asks_a_registry_and_tells_what_is_not_there_from_what_is_away(registry: RegistryServer) -> None:
    ours, schema = Registry(registry.url), NEWEST["SetPlan"]
    number = ours.id_of("n.commands-licensing.SetPlan", schema)
    assert ours.id_of("n.commands-licensing.SetPlan", schema) == number
    assert ours.text(number) == schema.text
    assert ours.text(7) is None
    registry.refuses = "s"
    with pytest.raises(Exception, match="incompatible"):
        ours.id_of("s", schema)
    registry.down()
    with pytest.raises(Exception, match="refused"):
        ours.text(8)
    ours.close()


def test_with_the_registry_and_without(
    space: Space, registry: RegistryServer, begins: Callable[[str], list[bytes]], clock: Clock
) -> None:
    with handler(space, environment={"SCHEMA_REGISTRY_URL": registry.url}) as handling:
        at_work(handling)
        with client_of(space, registry.url) as knows, client_of(space) as knows_not:
            asked = acquire("heat-1995")
            assert knows.send(subscribe()).result(60).outcome == "accepted"
            future = knows_not.send(asked)
            eventually(lambda: bool(knows_not._unread) and confirmed(knows_not), what="the reply has come")
            clock.now += TIMEOUT
            error = future.exception(60)
            assert isinstance(error, NoReply)
            assert "it is on the topic" in str(error)
            assert "in Confluent's wire format: tell the client where the schema registry is" in str(error)
        with client_of(space, registry.url) as later:  # who has that reply behind him
            again = later.send(asked).result(60)
            assert (again.outcome, again.first_version) == ("duplicate", 2)  # nothing is lost
    assert begins(space.topics.commands) == [FRAMED, SINGLE, FRAMED]
    assert begins(space.topics.replies) == [FRAMED] * 3
    assert begins(space.topics.dead_letters) == []
    assert f"{space.topics.commands}-licensing.SetPlan" in registry.subjects


def test_a_change_over_needs_no_pause(
    space: Space, registry: RegistryServer, begins: Callable[[str], list[bytes]]
) -> None:
    with client_of(space, registry.url, framed=False) as early:
        with handler(space, "before") as before:
            assert early.send(subscribe()).result().outcome == "accepted"
            before.send(signal.SIGTERM)
            assert before.wait() == 0
        between = early.send(acquire("heat-1995"))
        with handler(space, "after", environment={"SCHEMA_REGISTRY_URL": registry.url}):
            assert between.result().outcome == "accepted"
            with client_of(space, registry.url) as late:
                assert late.send(acquire("alien-1979")).result().outcome == "accepted"
            assert early.send(acquire("psycho-1960")).result().outcome == "accepted"
    assert begins(space.topics.commands) == [SINGLE, SINGLE, FRAMED, SINGLE]
    assert begins(space.topics.replies) == [SINGLE, FRAMED, FRAMED, FRAMED]
    assert begins(space.topics.dead_letters) == []


def test_a_registry_that_is_away_is_waited_for_until_the_time_is_up(
    space: Space, registry: RegistryServer, begins: Callable[[str], list[bytes]], clock: Clock
) -> None:
    with handler(space, environment={"SCHEMA_REGISTRY_URL": registry.url}) as handling:
        at_work(handling)
        registry.down()
        with client_of(space, registry.url) as sends, client_of(space, registry.url, False) as reads:
            future = sends.send(subscribe())
            eventually(lambda: "refused" in (sends._framing.trouble or ""), what="the registry was asked")
            clock.now += TIMEOUT
            assert "it was not sent; the schema registry: " in str(future.exception(60))
            assert begins(space.topics.commands) == []
            asked = subscribe()
            future = reads.send(asked)
            waits = "a reply waits for its schema"
            eventually(lambda: "refused" in (reads._framing.waits or "") and confirmed(reads), what=waits)
            clock.now += TIMEOUT
            error = str(future.exception(60))
            assert "it is on the topic; replies wait for their schema; the schema registry: " in error
            registry.up()
            assert reads.send(asked).result(60).first_version == 1  # by the reply that waited, or by that to this copy
        with client_of(space, registry.url) as client:
            assert client.send(acquire("heat-1995")).result(60).outcome == "accepted"
    assert begins(space.topics.dead_letters) == []
