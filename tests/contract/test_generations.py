"""The generations of a view in Redis: named, begun, flipped in one step, listed and dropped; and who works on them."""

import asyncio
from collections.abc import Iterator
from uuid import uuid4

import pytest
import redis

from projections.chunk import Chunk
from projections.redis_model.generations import Generations, StillUsed
from projections.redis_model.memory import memory_of
from projections.redis_model.owner import Ownership
from projections.redis_model.writer import RedisReadModel
from tests.support.processes import eventually
from tests.support.space import Servers

VIEW = "licenses"


@pytest.fixture
def generations(servers: Servers) -> Iterator[Generations]:
    found = Generations(servers.address.redis, f"t{uuid4().hex[:12]}", VIEW)
    yield found
    found.close()


def states(generations: Generations) -> dict[str, str]:
    return {one.name: one.state for one in generations.all()}


def test_names_are_never_used_again(generations: Generations) -> None:
    assert [generations.next_name("1"), generations.next_name("1"), generations.next_name("2")] == ["1.1", "1.2", "2.3"]
    generations.begin("2.3", "2", 4, {"source": "topic"})
    generations.drop("2.3")
    assert generations.next_name("2") == "2.4"


def test_one_that_is_begun_is_filling_until_it_is_live(generations: Generations) -> None:
    assert (generations.live(), generations.filling(), generations.all()) == (None, None, [])
    generations.begin("1.1", "1", 4, {"source": "topic", "begun": 7})
    assert (generations.filling(), generations.version("1.1")) == ("1.1", "1")
    assert generations.notes("1.1") == {"source": "topic", "begun": "7"}
    assert generations.positions("1.1") == dict.fromkeys(range(4), 0)
    assert states(generations) == {"1.1": "filling"}
    assert generations.flip(None, "1.1", 100) == "flipped"
    assert (generations.live(), generations.previous(), generations.filling()) == ("1.1", None, None)
    assert states(generations) == {"1.1": "live"}


def test_a_flip_remembers_what_was_and_when(generations: Generations) -> None:
    for name in ("1.1", "1.2", "1.3"):
        generations.begin(name, "1", 4, {"source": "topic"})
    generations.flip(None, "1.1", 100)
    generations.flip("1.1", "1.2", 200)
    assert generations.flip("1.2", "1.3", 300) == "flipped"
    assert (generations.live(), generations.previous()) == ("1.3", "1.2")
    assert states(generations) == {"1.1": "retired", "1.2": "previous", "1.3": "live"}
    assert generations.one("1.1").time("retired") == 200
    assert generations.flip("1.3", "1.1", 400) == "flipped"  # back, and it is no longer retired
    assert generations.one("1.1").time("retired") is None
    assert generations.one("1.1").time("live") == 400
    assert states(generations) == {"1.1": "live", "1.2": "retired", "1.3": "previous"}


def test_a_flip_needs_what_it_was_told_of(generations: Generations) -> None:
    generations.begin("1.1", "1", 4, {"source": "topic"})
    assert generations.flip("1", "1.1", 1) == "moved"
    assert generations.flip(None, "1.2", 1) == "gone"
    assert generations.flip(None, "1.1", 1) == "flipped"
    assert generations.flip(None, "1.1", 1) == "moved"
    assert (generations.live(), generations.previous()) == ("1.1", None)


def test_a_flip_waits_for_what_readers_have_seen(servers: Servers, generations: Generations) -> None:
    for name in ("1.1", "1.2"):
        generations.begin(name, "1", 2, {"source": "topic"})
    generations.flip(None, "1.1", 1)

    def seen(name: str, partition: int, offset: int) -> None:
        with redis.Redis.from_url(servers.address.redis) as client:
            client.set(generations.keys(name).position(partition), offset)

    seen("1.1", 0, 10)
    seen("1.1", 1, 9)
    seen("1.2", 0, 12)
    seen("1.2", 1, 8)
    assert generations.flip("1.1", "1.2", 2, [0, 1]) == "behind"
    assert (generations.live(), generations.previous(), generations.filling()) == ("1.1", None, "1.2")
    seen("1.2", 1, 9)
    assert generations.flip("1.1", "1.2", 3, [0, 1]) == "flipped"
    assert generations.live() == "1.2"


def test_a_flip_wants_all_that_was_filled(servers: Servers, generations: Generations) -> None:
    """Also where no generation is live that would have to be passed."""
    generations.begin("1.1", "1", 2, {"source": "topic"})
    assert generations.flip(None, "1.1", 1, (), {0: 0, 1: 5}) == "less"
    assert (generations.live(), generations.filling()) == (None, "1.1")
    with redis.Redis.from_url(servers.address.redis) as client:
        client.set(generations.keys("1.1").position(1), 5)
    assert generations.flip(None, "1.1", 2, (), {0: 0, 1: 5}) == "flipped"


def test_only_what_readers_do_not_use_is_dropped_and_all_of_it(servers: Servers, generations: Generations) -> None:
    namespace = generations.keys("x").namespace
    for name in ("1.1", "1.10", "side"):
        generations.begin(name, "1", 4, {"into" if name == "side" else "source": name})
        asyncio.run(_some(servers, generations, name))
    generations.flip(None, "1.1", 1)
    with pytest.raises(StillUsed, match=r"generation 1\.1 of licenses is live"):
        generations.drop("1.1")
    assert states(generations) == {"1.1": "live", "1.10": "unused", "side": "filling"}
    generations.finished("side")
    assert states(generations)["side"] == "side"
    assert generations.drop("side") == 4
    assert generations.drop("1.10") == 4
    with redis.Redis.from_url(servers.address.redis, decode_responses=True) as client:
        left = {str(key).partition(":")[2] for key in client.scan_iter(f"{namespace}:*", count=1000)}
    assert left == {
        "licenses:live",
        "licenses@1.1:partitions",
        "licenses@1.1:rebuild",
        "licenses@1.1:version",
        "licenses@1.1:{p2}:position",
    }


@pytest.mark.parametrize("used", ["filling", "previous"])
def test_what_is_half_dropped_is_never_gone_on_with(
    servers: Servers, generations: Generations, monkeypatch: pytest.MonkeyPatch, used: str
) -> None:
    """The drop ends in the middle; or somebody wakes up in the middle of it who is about to flip."""
    for name in ("1.1", "1.2"):
        generations.begin(name, "1", 1, {"source": "topic"})
        asyncio.run(_some(servers, generations, name))
    generations.flip(None, "1.1", 1)
    dropped, live = "1.2", "1.1"
    if used == "previous":
        generations.flip("1.1", "1.2", 2)
        dropped, live = live, dropped

    def cut_short(*_: object, **__: object) -> list[str]:
        raise redis.ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(generations._redis, "scan_iter", cut_short)
        with pytest.raises(redis.ConnectionError):
            generations.drop(dropped)
    assert (generations.filling(), generations.previous()) == (None, None)
    assert generations.flip(live, dropped, 3) == "gone"
    assert states(generations) == {live: "live", dropped: "retired" if used == "previous" else "unused"}
    assert generations.drop(dropped) == 4
    assert states(generations) == {live: "live"}


async def _some(servers: Servers, generations: Generations, name: str) -> None:
    model = RedisReadModel(servers.address.redis, generations.keys(name), "1")
    await model.apply(Chunk(2, 0, 70, {}))
    await model.close()
    generations.note(name, {"state": "filling"})


def test_rates_are_kept_by_source(generations: Generations) -> None:
    assert generations.rate("topic") is None
    generations.keep_rate("topic", 81_234.5)
    assert (generations.rate("topic"), generations.rate("journal")) == (81_234.0, None)


def test_the_memory_of_a_generation_is_measured(servers: Servers, generations: Generations) -> None:
    keys = generations.keys("1.1")
    assert memory_of(servers.address.redis, None).generation is None
    with redis.Redis.from_url(servers.address.redis) as client:
        for number in range(50):
            client.hset(keys.document(f"a{number}", "d"), "text", "x" * 1000)
        found = memory_of(servers.address.redis, keys)
        assert found.generation is not None
        assert 0.8 < found.generation / (50 * 1100) < 1.5 or client.dbsize() > 50_000
        assert found.used > found.generation


def test_one_owner_at_a_time_and_a_dead_one_is_forgotten(
    servers: Servers, generations: Generations, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("projections.redis_model.owner.TTL_MS", 600_000)
    namespace = generations.keys("x").namespace
    one, two = (Ownership(servers.address.redis, namespace, VIEW, token) for token in ("one", "two"))
    assert one.keep() == (True, None)
    assert two.keep() == (False, None)
    two.ask("pause")
    two.leave()  # not ours
    assert one.keep() == (True, "pause")
    one.answered()
    assert (one.keep(), two.taken_by()) == ((True, None), "one")
    with monkeypatch.context() as patch:
        patch.setattr("projections.redis_model.owner.TTL_MS", 300)
        assert one.keep() == (True, None)  # and dies
    eventually(lambda: two.keep()[0], what="one is forgotten")
    assert one.keep() == (False, None)
    two.leave()
    assert one.keep() == (True, None)
    one.close()
    two.close()
