"""The contract of a read model, held by the one in memory and the one in Redis."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar
from uuid import uuid4

import pytest
import redis

from projections.changes import StoredDocument
from projections.chunk import Chunk, TagChanges, chunk_of, group
from projections.memory_model import MemoryReadModel
from projections.projector import Projector
from projections.queries import Views
from projections.read_model import Applied, Behind, OutOfStep, ReadModel
from projections.redis_model.keys import Keys, live_key
from projections.redis_model.reader import RedisReader
from projections.redis_model.writer import OtherVersion, RedisReadModel
from projections.settings import Settings
from projections.views import VIEWS
from projections.views.view import View
from projections.worker import build_app
from schemas.events import Envelope, LicenseAcquired
from tests.contract.read_model_histories import DAY, START, interleaved
from tests.support.space import Servers

T = TypeVar("T")
Documents = dict[tuple[str, str], StoredDocument]
PARTITION = 1


@dataclass
class Subject:
    """One implementation, empty, in a namespace of its own."""

    view: View
    redis_url: str | None  # None: in memory

    def __post_init__(self) -> None:
        self.memory = MemoryReadModel(self.view)
        self.namespace = f"t{uuid4().hex[:12]}"

    def use(self, steps: Callable[[ReadModel], Awaitable[T]]) -> T:
        """Run steps on the model; an asynchronous client lives as long as its loop."""

        async def inside() -> T:
            if self.redis_url is None:
                return await steps(self.memory)
            model = RedisReadModel(self.redis_url, Keys(self.namespace, self.view.NAME, "1"), self.view.VERSION)
            try:
                return await steps(model)
            finally:
                await model.close()

        return asyncio.run(inside())

    def apply(self, begin: int, end: int, envelopes: list[Envelope]) -> Applied | Behind | OutOfStep:
        return self.use(lambda model: model.apply(self.chunk(begin, end, envelopes)))

    def chunk(self, begin: int, end: int, envelopes: list[Envelope]) -> Chunk:
        return chunk_of(self.view, PARTITION, begin, end, group(envelopes)[0])

    def documents(self) -> Documents:
        if self.redis_url is None:
            return dict(self.memory.stored)
        views = Views(Settings(redis=self.redis_url, namespace=self.namespace))
        try:
            return {(tag, document): stored for tag, document, stored in views.export(self.view.NAME, "1")}
        finally:
            views.close()

    def position(self) -> int:
        return self.use(lambda model: model.positions([PARTITION]))[PARTITION]


@pytest.fixture(params=list(VIEWS))
def view(request: pytest.FixtureRequest) -> View:
    return VIEWS[request.param]


@pytest.fixture(params=["memory", "redis"])
def subject(request: pytest.FixtureRequest, view: View, servers: Servers) -> Subject:
    return Subject(view, servers.address.redis if request.param == "redis" else None)


def folded(view: View, envelopes: list[Envelope]) -> Documents:
    model = MemoryReadModel(view)
    model.fold(PARTITION, envelopes)
    return model.stored


TOPIC = list(interleaved(11, 8, 300))


def test_a_new_model_is_empty_and_begins_at_the_first_offset(subject: Subject) -> None:
    assert subject.documents() == {}
    assert subject.position() == 0


def test_chunks_in_order_are_applied(subject: Subject) -> None:
    for begin in range(0, 300, 100):
        assert subject.apply(begin, begin + 100, TOPIC[begin : begin + 100]) == Applied()
    assert subject.documents() == folded(subject.view, TOPIC[:300])
    assert subject.position() == 300


def test_a_chunk_of_nothing_moves_the_position(subject: Subject) -> None:
    assert subject.apply(0, 7, []) == Applied()
    assert subject.position() == 7


def test_a_chunk_after_the_position_is_refused_whole(subject: Subject) -> None:
    subject.apply(0, 10, TOPIC[:10])
    before = subject.documents()
    assert subject.apply(11, 20, []) == Behind(10)
    assert (subject.documents(), subject.position()) == (before, 10)


def test_a_chunk_seen_before_is_out_of_step_and_refused_whole(subject: Subject) -> None:
    subject.apply(0, 100, TOPIC[:100])
    before = subject.documents()
    last = {envelope.account_id: envelope.version for envelope in TOPIC[:100]}
    known = {envelope.account_id for envelope in TOPIC[50:100]}
    assert subject.apply(50, 100, TOPIC[50:100]) == OutOfStep({account: last[account] for account in known})
    assert (subject.documents(), subject.position()) == (before, 100)


def test_one_account_out_of_step_keeps_the_others_out_too(subject: Subject) -> None:
    ahead = next(envelope for envelope in TOPIC if envelope.version == 2)
    others = [envelope for envelope in TOPIC[:100] if envelope.account_id != ahead.account_id]
    assert subject.apply(0, 101, [*others, ahead]) == OutOfStep({ahead.account_id: 0})
    assert (subject.documents(), subject.position()) == ({}, 0)


def test_the_position_never_goes_back(subject: Subject) -> None:
    subject.apply(0, 50, [])
    assert subject.apply(0, 10, []) == Applied()
    assert subject.position() == 50


def test_more_changes_than_one_command_takes(subject: Subject) -> None:
    topic = list(interleaved(3, 1, 6000))
    assert subject.apply(0, len(topic), topic) == Applied()
    assert subject.documents() == folded(subject.view, topic)


def test_the_topic_with_copies_in_any_chunks_is_its_plain_fold(subject: Subject) -> None:
    topic = [*TOPIC[:200], *TOPIC[120:200], *TOPIC[150:], *TOPIC]

    async def steps(model: ReadModel) -> None:
        projector = Projector(subject.view, model.apply, nothing_missing)
        for begin in range(0, len(topic), 37):
            chunk = topic[begin : begin + 37]
            assert await projector.project(PARTITION, begin, begin + len(chunk), chunk) == Applied()

    subject.use(steps)
    assert subject.documents() == folded(subject.view, TOPIC)


async def nothing_missing(account_id: str, first: int, last: int) -> list[Envelope]:
    raise AssertionError(f"{account_id}: {first} to {last}")


def test_what_ended_long_ago_goes_whatever_the_chunks(subject: Subject) -> None:
    """Two accounts, one of them two years ahead: its event prunes what the other holds, before and after it."""

    def taken(account: str, version: int, license_id: str, at: int) -> Envelope:
        event = LicenseAcquired(license_id, "tv", "heat", at + DAY, "p1")
        return Envelope(license_id, account, version, at, "c", None, event)

    ahead = START + 730 * DAY
    topic = [taken("ann", 1, "l1", START), taken("ann", 2, "l2", ahead), taken("bob", 1, "l3", START)]
    for offset, envelope in enumerate(topic):
        assert subject.apply(offset, offset + 1, [envelope]) == Applied()
    assert subject.documents() == folded(subject.view, topic)
    if subject.view.NAME == "title_downloads":
        (heat,) = subject.documents().values()
        assert (heat.holds, heat.pruned) == ({"l2": ahead + DAY}, ahead - 90 * DAY)


def test_the_script_comes_back_when_the_server_lost_it(view: View, servers: Servers) -> None:
    subject = Subject(view, servers.address.redis)
    subject.apply(0, 100, TOPIC[:100])
    with redis.Redis.from_url(servers.address.redis) as client:
        client.script_flush()
    assert subject.apply(100, 200, TOPIC[100:200]) == Applied()
    assert subject.documents() == folded(view, TOPIC[:200])


def test_only_the_first_generation_goes_live_by_itself(view: View, servers: Servers) -> None:
    """Also after a flush, when a rebuild is the first that announces."""
    url, namespace, said = servers.address.redis, f"t{uuid4().hex[:12]}", []

    def live() -> str | None:
        reader = RedisReader(url)
        try:
            return reader.live(namespace, view.NAME)
        finally:
            reader.close()

    async def announce(generation: str) -> None:
        model = build_app(view, generation, Settings(redis=url, namespace=namespace)).model
        await model.announce(4)
        await model.close()
        said.append((generation, live()))

    for generation in ("rebuild", view.VERSION, "rebuild"):
        asyncio.run(announce(generation))
    assert said == [("rebuild", None), (view.VERSION, view.VERSION), ("rebuild", view.VERSION)]
    with redis.Redis.from_url(url) as client:
        client.set(live_key(namespace, view.NAME), "rebuild")  # an operator flips the pointer
    asyncio.run(announce(view.VERSION))
    assert live() == "rebuild"


def test_a_generation_is_filled_by_one_version_of_its_view(servers: Servers) -> None:
    url, keys = servers.address.redis, Keys(f"t{uuid4().hex[:12]}", "licenses", "1")

    async def announce(version: str) -> None:
        model = RedisReadModel(url, keys, version)
        try:
            await model.announce(4)
        finally:
            await model.close()

    asyncio.run(announce("1"))
    asyncio.run(announce("1"))
    with pytest.raises(OtherVersion, match="filled by version 1 of the view, and this is version 2: fill another"):
        asyncio.run(announce("2"))
    views = Views(Settings(redis=url, namespace=keys.namespace))
    assert views.live("licenses") == ("1", "1")
    views.close()


def test_who_waits_for_a_newer_version_is_seen_until_the_partition_goes_on(servers: Servers) -> None:
    url, keys = servers.address.redis, Keys(f"t{uuid4().hex[:12]}", "licenses", "1")

    async def story() -> None:
        model = RedisReadModel(url, keys, "1")
        await model.announce(4)
        await model.apply(Chunk(2, 0, 70, {}))
        await model.note_waiting(2, 70, "LicenseAcquired.v3")
        assert views.waiting("licenses") == {2: "LicenseAcquired.v3"}
        await model.apply(Chunk(2, 70, 71, {}))
        assert views.waiting("licenses") == {}
        await model.close()

    views = Views(Settings(redis=url, namespace=keys.namespace))
    asyncio.run(story())
    views.close()


def test_ids_that_look_like_keys_stay_apart(servers: Servers) -> None:
    view = VIEWS["device_downloads"]
    subject = Subject(view, servers.address.redis)
    accounts = ["versions", "p1", "position", "a:doc:b", "holds:x", "live", "@1"]
    envelopes = []
    for account in accounts:
        for envelope in interleaved(5, 1, 12):
            fields = {name: getattr(envelope, name) for name in Envelope.__struct_fields__}
            envelopes.append(Envelope(**(fields | {"account_id": account})))
    assert subject.apply(0, 99, envelopes) == Applied()
    assert subject.documents() == folded(view, envelopes)
    assert isinstance(subject.chunk(0, 1, envelopes).tags["p1"], TagChanges)
