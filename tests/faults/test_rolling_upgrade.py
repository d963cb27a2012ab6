"""Real processes of this release and of the next one, side by side on the same topics and tables, both ways."""

import signal
from collections.abc import Iterator
from contextlib import AbstractContextManager
from itertools import count
from pathlib import Path
from uuid import uuid4

import pytest

from ops.versions import Waiting, waiting
from projections.queries import Views
from projections.settings import Settings
from schemas.codec import decode_reply
from schemas.commands import AcquireLicense, Command, CompleteDownload, SetPlan
from schemas.replies import Reply
from schemas.topics import partition_of
from tests.support import next_release
from tests.support.load import Load, Stores
from tests.support.processes import HANDLER, HandlerProcess, eventually, handler
from tests.support.space import PARTITIONS, Space

#: One account on each partition.
ACCOUNTS = [
    next(a for a in map("member-{}".format, count()) if partition_of(a, PARTITIONS) == partition)
    for partition in range(PARTITIONS)
]
WAITS = "partition waits for a newer release"
NEWER, VIEW = 0, "licenses"  # the partition that gets an event of the next release, and the view


@pytest.fixture(scope="module")
def following(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of the next release."""
    return next_release.environment(next_release.make(tmp_path_factory.mktemp("next")))


@pytest.fixture
def views(space: Space) -> Iterator[Views]:
    views = Views(Settings(redis=space.servers.address.redis, namespace=space.name))
    yield views
    views.close()


def handles(space: Space, name: str, release: dict[str, str] | None = None) -> AbstractContextManager[HandlerProcess]:
    return handler(space, name, ["-P", "-c", HANDLER], release)


def projects(space: Space, name: str, release: dict[str, str] | None = None) -> AbstractContextManager[HandlerProcess]:
    return handler(space, name, ["-P", "-m", "projections", "worker", VIEW], release)


def plans(plan: str, *accounts: str) -> list[Command]:
    return [SetPlan(str(uuid4()), account, None, plan) for account in accounts]


def acquire(account: str) -> Command:
    return AcquireLicense(str(uuid4()), account, None, "tv", "heat-1995", "high")


def seen(views: Views, stores: Stores, space: Space, *partitions: int) -> bool:
    positions = views.positions(VIEW)
    return all(positions.get(p, 0) == stores.end(space.topics.events, p) > 0 for p in partitions)


def versions(stores: Stores, space: Space, partition: int) -> list[str]:
    """The schemas of the events on a partition; those that only the next release has are called by their header."""
    return [
        f"{headers['type'].decode()}.v{headers['schema_version'].decode()}"
        for headers in (dict(message.headers()) for message in stores.messages(space.topics.events, partition))
    ]


def held(views: Views) -> list[str]:
    document = views.document(VIEW, ACCOUNTS[NEWER], 0)
    return [one["title_id"] for one in document["licenses"]] if document else []


def test_an_old_worker_waits_for_what_a_new_handler_wrote_and_a_new_worker_goes_on(
    space: Space, stores: Stores, views: Views, following: dict[str, str], tmp_path: Path
) -> None:
    load, others = Load(space), [p for p in range(PARTITIONS) if p != NEWER]
    with handles(space, "new-handler", following), projects(space, "old-worker") as old:
        load.send(*plans("basic", *ACCOUNTS), acquire(ACCOUNTS[NEWER]), *plans("premium", ACCOUNTS[NEWER]))
        eventually(lambda: old.said(WAITS), what="the old worker says that it waits")
        load.send(*plans("standard", *ACCOUNTS), *plans("premium", *ACCOUNTS))
        eventually(stores.followed_up, what="the handler does it all")
        eventually(lambda: seen(views, stores, space, *others), what="the other partitions go on")
        assert versions(stores, space, NEWER)[:3] == ["PlanChosen.v1", next_release.NEWEST, "PlanChanged.v1"]
        assert views.positions(VIEW)[NEWER] == 1
        assert waiting(tmp_path, views) == [Waiting(VIEW, NEWER, next_release.NEWEST)]
        assert old.said(next_release.NEWEST)
        assert old.alive()
        with projects(space, "new-worker", following) as new:
            eventually(lambda: new.said('"working"'), what="the new worker joins")
            old.send(signal.SIGTERM)
            assert old.wait() == 0
            eventually(lambda: seen(views, stores, space, *range(PARTITIONS)), what="the new worker goes on")
    assert waiting(tmp_path, views) == []
    assert held(views) == ["heat-1995"]
    assert not any(stores.end(space.topics.dead_letters, p) for p in range(PARTITIONS))


def test_a_new_worker_reads_what_an_old_handler_writes_and_old_senders_send(
    space: Space, stores: Stores, views: Views, following: dict[str, str]
) -> None:
    load = Load(space)
    with handles(space, "old-handler"), projects(space, "new-worker", following) as new:
        load.send(*plans("basic", *ACCOUNTS), acquire(ACCOUNTS[NEWER]))
        eventually(stores.followed_up, what="the handler does it all")
        eventually(lambda: seen(views, stores, space, *range(PARTITIONS)), what="the worker sees it all")
        assert versions(stores, space, NEWER) == ["PlanChosen.v1", "LicenseAcquired.v2"]
        assert not new.said(WAITS)
    assert held(views) == ["heat-1995"]


def test_an_old_handler_leaves_the_accounts_of_a_new_one_alone_until_a_new_one_is_back(
    space: Space, stores: Stores, following: dict[str, str]
) -> None:
    load = Load(space)
    with handles(space, "new-handler", following) as new:
        load.send(*plans("basic", *ACCOUNTS), acquire(ACCOUNTS[NEWER]))
        eventually(stores.followed_up, what="the new handler does it all")
        new.send(signal.SIGTERM)
        assert new.wait() == 0
    complete = CompleteDownload(str(uuid4()), ACCOUNTS[NEWER], None, "tv", "heat-1995")
    with handles(space, "old-handler") as old:
        load.send(complete, *plans("premium", *ACCOUNTS))
        eventually(lambda: old.said("shard_needs_newer_release"), what="the old handler says that it waits")
        assert old.said(f"account {ACCOUNTS[NEWER]}: {next_release.NEWEST}")
        others = [p for p in range(PARTITIONS) if p != NEWER]
        eventually(lambda: all(len(replies(stores, space, p)) == 2 for p in others), what="the other partitions go on")
        assert len(replies(stores, space, NEWER)) == 2
        assert old.alive()
        old.send(signal.SIGTERM)
        assert old.wait() == 0
    with handles(space, "new-handler-again", following):
        eventually(stores.followed_up, what="a new handler goes on")
    assert [reply.outcome for reply in replies(stores, space, NEWER)] == ["accepted"] * 4
    assert versions(stores, space, NEWER)[2:] == ["DownloadCompleted.v1", "PlanChanged.v1"]
    assert not any(stores.end(space.topics.dead_letters, p) for p in range(PARTITIONS))


def replies(stores: Stores, space: Space, partition: int) -> list[Reply]:
    return [decode_reply(value) for value in stores.values(space.topics.replies, partition) if value]
