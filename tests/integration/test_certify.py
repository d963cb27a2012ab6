"""Generations on real servers are certified, and damaged ones are not."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
import redis

from ops.settings import Settings
from ops.truth.certify import Certificate, certify
from projections.queries import Views
from projections.redis_model.keys import Keys
from projections.settings import Settings as ViewSettings
from projections.views import VIEWS
from projections.views.view import View
from tests.support.load import Load, Stores, some_commands
from tests.support.processes import eventually, handler
from tests.support.space import PARTITIONS, Servers, Space, new_space


@pytest.fixture(scope="module")
def space(servers: Servers) -> Space:
    """A space with two generations of each view, equally far, and nobody who writes."""
    space = new_space(servers)
    stores, load = Stores(space), Load(space)
    views = Views(ViewSettings(redis=servers.address.redis, namespace=space.name))
    with ExitStack() as running:
        running.enter_context(handler(space))
        for view in VIEWS:
            for generation in ("1", "2"):
                arguments = ["-m", "projections", "worker", view, generation]
                running.enter_context(handler(space, f"{view}-{generation}", arguments))
        load.send(*some_commands(3000, accounts=300))
        eventually(stores.followed_up, 120, what="all commands are followed up")
        ends = {n: stores.end(space.topics.events, n) for n in range(PARTITIONS)}
        for view in VIEWS:
            for generation in ("1", "2"):
                keys = Keys(space.name, view, generation)
                eventually(lambda keys=keys: views._reader.positions(keys) == ends, 120, what=keys.prefix)  # type: ignore[misc]
    views.close()
    stores.close()
    return space


@pytest.fixture
def client(space: Space) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(space.servers.address.redis, decode_responses=True) as client:
        yield client


def certificate(space: Space, view: View, live: str | None = None) -> Certificate:
    told: list[tuple[int, int]] = []
    settings = Settings.read(space.environment())
    found = certify(settings, view, "2", live=live, tell=lambda done, total: told.append((done, total)))
    assert (live is not None and not told) or told[-1] == (256, 256)
    return found


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_a_generation_is_certified_by_the_live_one_and_by_the_store(space: Space, view: View) -> None:
    by_live, by_store = certificate(space, view, "1"), certificate(space, view)
    assert (by_live.against, by_live.total) == ("live", 0)
    assert (by_store.against, by_store.total, by_store.differing) == ("store", 0, [])
    assert (by_live.digest, by_live.documents) == (by_store.digest, by_store.documents)
    assert by_live.documents > 100


def a_key(client: redis.Redis, keys: Keys, kind: str) -> str:
    return min(str(key) for key in client.scan_iter(f"{keys.prefix}{{*}}:{kind}*", 1000))


def _field(client: redis.Redis, keys: Keys) -> None:
    client.hset(a_key(client, keys, "doc:"), "completed", "-1")


def _hold(client: redis.Redis, keys: Keys) -> None:
    client.zincrby(a_key(client, keys, "holds:"), 0.5, "title")
    client.zadd(a_key(client, keys, "holds:"), {"title": 1_790_000_000_000.5})


def _missing(client: redis.Redis, keys: Keys) -> None:
    client.delete(a_key(client, keys, "doc:"))


def _extra(client: redis.Redis, keys: Keys) -> None:
    client.copy(a_key(client, keys, "doc:"), f"{a_key(client, keys, 'doc:')}x")


def _stranger(client: redis.Redis, keys: Keys) -> None:
    client.hset(keys.document("stranger", "stranger"), "downloads", "1")


def _version(client: redis.Redis, keys: Keys) -> None:
    name = a_key(client, keys, "versions")
    client.hincrby(name, min(client.hkeys(name)), 1)


def _pruned(client: redis.Redis, keys: Keys) -> None:
    client.hset(a_key(client, keys, "pruned"), "nothing", "5")


def _other_type(client: redis.Redis, keys: Keys) -> None:
    client.set(a_key(client, keys, "doc:"), "text")


def _no_text(client: redis.Redis, keys: Keys) -> None:
    client.hset(a_key(client, keys, "doc:"), "completed", b"\xff")


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
@pytest.mark.parametrize(
    "damage", [_field, _hold, _missing, _extra, _stranger, _version, _pruned, _other_type, _no_text]
)
def test_a_damaged_one_is_not(
    space: Space, client: redis.Redis, view: View, damage: Callable[[redis.Redis, Keys], None]
) -> None:
    keys = Keys(space.name, view.NAME, "2")
    if damage in (_hold, _pruned) and view.NAME == "licenses":
        pytest.skip("it holds nothing")
    before = _dump(space, keys)
    damage(client, keys)
    try:
        found = certify(Settings.read(space.environment()), view, "2", live="1")
        assert (found.against, found.total > 0) == ("store", True)
    finally:
        _restore(space, keys, before)
    assert certificate(space, view).total == 0


def _dump(space: Space, keys: Keys) -> dict[bytes, bytes]:
    with redis.Redis.from_url(space.servers.address.redis) as raw:
        return {key: raw.dump(key) or b"" for key in raw.scan_iter(f"{keys.prefix}*", 1000)}


def _restore(space: Space, keys: Keys, before: dict[bytes, bytes]) -> None:
    with redis.Redis.from_url(space.servers.address.redis) as raw:
        for key in list(raw.scan_iter(f"{keys.prefix}*", 1000)):
            raw.delete(key)
        for key, value in before.items():
            raw.restore(key, 0, value)
