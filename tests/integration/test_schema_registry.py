"""With a schema registry: the clients against a server that speaks its API, and whole processes that change over."""

import asyncio
import signal
from collections.abc import Iterator
from uuid import uuid4

import pytest

from commands.kafka.registry import Registry
from commands.ports import NotPrepared, StoreUnavailable
from ops.replies import Replies
from ops.send import Sender
from ops.simulate.wire import Message
from projections.patience import Patience
from projections.queries import Views
from projections.registry import RegistryFrames
from projections.settings import Settings
from schemas.codec import encode_command, encode_event, schema_of
from schemas.commands import AcquireLicense, Command, SetPlan
from schemas.confluent import frame, framed, heads
from schemas.registry import NEWEST
from schemas.topics import Topics, partition_of
from tests.support.examples import EVENT_EXAMPLES
from tests.support.load import Load, Stores
from tests.support.processes import eventually, handler
from tests.support.registry_server import RegistryServer, registry_server
from tests.support.space import PARTITIONS, Space

ACCOUNT, VIEW = "member-1", "licenses"
HOME = partition_of(ACCOUNT, PARTITIONS)
OTHER = next(a for a in map("member-{}".format, range(2, 99)) if partition_of(a, PARTITIONS) != HOME)
SET_PLAN = NEWEST["SetPlan"]


@pytest.fixture
def registry() -> Iterator[RegistryServer]:
    with registry_server() as server:
        yield server


@pytest.fixture
def stores(space: Space) -> Iterator[Stores]:
    stores = Stores(space)
    yield stores
    stores.close()


@pytest.fixture
def views(space: Space) -> Iterator[Views]:
    views = Views(Settings(redis=space.servers.address.redis, namespace=space.name))
    yield views
    views.close()


def test_the_write_side_registers_what_it_writes_and_asks_for_what_it_reads(registry: RegistryServer) -> None:
    topics, ours = Topics("n"), Registry(registry.url)
    found = heads(topics, (topics.events, topics.replies), ours.id_of)
    assert heads(topics, (topics.events, topics.replies), Registry(registry.url).id_of) == found
    assert "n.events-licensing.LicenseAcquired" in registry.subjects
    assert [len(ids) for s, ids in registry.subjects.items() if s.endswith(".LicenseAcquired")] == [2]
    assert not [subject for subject in registry.subjects if subject.startswith("n.commands")]
    number = registry.put("n.commands-licensing.SetPlan", SET_PLAN.text)
    assert ours.text(number) == ours.text(number) == SET_PLAN.text
    assert registry.asked.count(f"GET /schemas/ids/{number}") == 1
    assert ours.text(7) is None
    assert ours.text(7) is None
    assert registry.asked.count("GET /schemas/ids/7") == 1  # what is not there is not asked for all the time


def test_the_write_side_waits_for_a_registry_that_is_away_and_not_for_one_that_refuses(
    registry: RegistryServer,
) -> None:
    ours = Registry(registry.url)
    registry.refuses = "s"
    with pytest.raises(NotPrepared, match="refuses s v1: Schema being registered is incompatible"):
        ours.id_of("s", SET_PLAN)
    registry.down()
    with pytest.raises(StoreUnavailable, match="schema registry"):
        ours.id_of("t", SET_PLAN)
    with pytest.raises(StoreUnavailable, match="schema registry"):
        ours.text(1)
    registry.up()
    number = ours.id_of("t", SET_PLAN)
    assert ours.text(number) == SET_PLAN.text


def test_the_read_side_asks_once_for_each_id_and_waits_for_the_answer(registry: RegistryServer) -> None:
    event = encode_event(EVENT_EXAMPLES[0])
    number = registry.put("e", schema_of(event).text)
    values = [frame(number) + event[10:], frame(number) + event[10:], None, event, frame(7) + b"?"]
    registry.down()

    async def story() -> list[bytes]:
        frames = RegistryFrames(registry.url, Patience(asyncio.Event()))
        asking = asyncio.ensure_future(frames.learn(values))
        await asyncio.sleep(0.3)
        assert not asking.done()
        registry.up()
        await asking
        await frames.learn(values[:4])
        return [frames.plain(value or b"") for value in values]

    assert asyncio.run(story()) == [event, event, b"", event, values[-1]]
    assert registry.asked.count(f"GET /schemas/ids/{number}") == 1


def plan(plan: str, account: str = ACCOUNT) -> Command:
    return SetPlan(str(uuid4()), account, None, plan)


def acquire(title: str) -> Command:
    return AcquireLicense(str(uuid4()), ACCOUNT, None, "tv", title)


def titles(views: Views) -> set[str]:
    document = views.document(VIEW, ACCOUNT, 0)
    return {one["title_id"] for one in document["licenses"]} if document else set()


def begins(stores: Stores, topic: str) -> list[bytes]:
    return [value[:1] for value in stores.values(topic, HOME) if value]


def test_a_change_over_needs_no_pause_and_the_stores_need_no_registry(
    space: Space, stores: Stores, views: Views, registry: RegistryServer
) -> None:
    load, url = Load(space), {"SCHEMA_REGISTRY_URL": registry.url}
    worker = ["-m", "projections", "worker", VIEW]
    with handler(space, "worker", worker, url) as reading:
        with handler(space, "before") as before:
            load.send(plan("premium"), acquire("heat-1995"))
            eventually(stores.followed_up, what="all is followed up")
            before.send(signal.SIGTERM)
            assert before.wait() == 0
        with handler(space, "after", environment=url) as after:
            topics = space.topics
            known = heads(topics, (topics.commands,), Registry(registry.url).id_of)
            for command in (acquire("alien-1979"), acquire("vertigo-1958")):
                value = framed(known, topics.commands, encode_command(command))
                load.send_raw(value, ACCOUNT.encode(), HOME)
            load.send(acquire("psycho-1960"))  # a sender that has not changed over yet
            junk = frame(9_999) + b"nobody has this schema"
            load.send_raw(junk, ACCOUNT.encode(), HOME)
            load.send_raw((value or b"")[:-3], ACCOUNT.encode(), HOME)
            eventually(stores.followed_up, what="all is followed up")
            wanted = {"heat-1995", "alien-1979", "vertigo-1958", "psycho-1960"}
            eventually(lambda: titles(views) == wanted, what="the view has seen both forms")
            assert after.said("schemas_registered")
            assert not reading.said("waits for a newer release")
    assert begins(stores, topics.events) == [b"\xc3"] * 2 + [b"\x00"] * 3
    assert begins(stores, topics.replies) == [b"\xc3"] * 2 + [b"\x00"] * 3
    assert stores.values(topics.dead_letters, HOME) == [junk, (value or b"")[:-3]]  # byte for byte
    assert {row.payload[:2] for row in stores.stored()[ACCOUNT]} == {b"\xc3\x01"}
    assert {(value or b"")[:2] for value in stores.journalled()} == {b"\xc3\x01"}


def test_a_registry_that_is_away_is_waited_for_and_nothing_is_a_dead_letter(
    space: Space, stores: Stores, views: Views, registry: RegistryServer
) -> None:
    load, url, topics = Load(space), {"SCHEMA_REGISTRY_URL": registry.url}, space.topics
    known = heads(topics, (topics.commands,), Registry(registry.url).id_of)
    value = framed(known, topics.commands, encode_command(plan("basic")))
    with handler(space, "handler", environment=url) as handling:
        eventually(lambda: handling.said("shard_taken_over"), what="the handler works")
        registry.down()
        load.send_raw(value, ACCOUNT.encode(), HOME)
        load.send(plan("basic", OTHER))
        eventually(lambda: handling.said("shard_waits"), what="the handler says that it waits")
        there = partition_of(OTHER, PARTITIONS)
        eventually(lambda: stores.end(topics.replies, there) == 1, what="the other partitions go on")
        with handler(space, "worker", ["-m", "projections", "worker", VIEW], url) as worker:
            eventually(lambda: worker.said("waiting for a server"), what="the worker says that it waits")
            assert stores.end(topics.replies, HOME) == 0
            registry.up()
            eventually(stores.followed_up, what="the handler goes on")
            eventually(
                lambda: all(views.positions(VIEW).get(p) == stores.end(topics.events, p) for p in (HOME, there)),
                what="the worker goes on",
            )
    assert not any(stores.end(topics.dead_letters, p) for p in range(PARTITIONS))


def test_a_worker_without_the_registry_waits_and_drops_nothing(
    space: Space, stores: Stores, views: Views, registry: RegistryServer
) -> None:
    load, topics = Load(space), space.topics
    with handler(space, "handler", environment={"SCHEMA_REGISTRY_URL": registry.url}):
        load.send(plan("basic"), acquire("heat-1995"))
        eventually(stores.followed_up, what="all is followed up")
    worker = ["-m", "projections", "worker", VIEW]
    with handler(space, "without", worker) as without:
        eventually(lambda: without.said("partition waits"), what="the worker waits")
        assert without.said("SCHEMA_REGISTRY_URL is not set")
        assert titles(views) == set()
    with handler(space, "with", worker, {"SCHEMA_REGISTRY_URL": registry.url}):
        eventually(lambda: titles(views) == {"heat-1995"}, what="the view has seen it")
    assert not any(stores.end(topics.dead_letters, p) for p in range(PARTITIONS))


def test_the_command_line_sends_and_reads_replies_in_that_form(
    space: Space, stores: Stores, registry: RegistryServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCHEMA_REGISTRY_URL", registry.url)
    topics, kafka = space.topics, space.settings.kafka
    with handler(space, "handler", environment={"SCHEMA_REGISTRY_URL": registry.url}):
        replies, sender, command = Replies(kafka, topics.replies), Sender(kafka, topics.commands), plan("basic")
        replies.expect(command.command_id)
        sender.send(Message(ACCOUNT.encode(), encode_command(command), None, command.command_id))
        assert sender.flush(30)
        replies.wait(60)
        assert replies.outcomes == {("accepted", ""): 1}
        replies.close()
    assert begins(stores, topics.commands) == [b"\x00"]
