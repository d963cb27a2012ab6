"""Rebuilds on real servers: from each source, stopped and gone on with, flipped back, not certified, cut at a time."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from threading import Thread
from typing import Any

import pytest
import redis
from typer.testing import CliRunner

from ops.cli import app
from ops.rebuild.batch import Batch
from ops.rebuild.fill import Filler
from ops.rebuild.owner import Owner, ask_the_owner
from ops.rebuild.run import Rebuild
from ops.rebuild.stop import Stop
from ops.settings import Settings
from projections.views import VIEWS
from tests.support.load import Load, Stores, some_commands
from tests.support.processes import eventually, handler
from tests.support.rebuilds import Rebuilds, told
from tests.support.space import Servers, Space, new_space

SOURCES = ["topic", "journal", "events"]


@pytest.fixture(scope="module")
def space(servers: Servers) -> Space:
    """A space whose handler has decided two thousand commands, and has gone."""
    space = new_space(servers)
    stores, load = Stores(space), Load(space)
    with handler(space):
        commands = list(some_commands(2000, accounts=60))
        for start in range(0, 2000, 50):  # rows of the journal, some of each shard
            load.send(*commands[start : start + 50])
            eventually(stores.followed_up, what="all commands are followed up")
    stores.close()
    return space


@pytest.fixture
def rebuilds(space: Space, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rebuilds]:
    told(space, monkeypatch)
    for module in ("topic", "journal", "events"):
        monkeypatch.setattr(f"ops.rebuild.{module}.EVENTS", 50)
    monkeypatch.setattr("ops.rebuild.topic.AT_ONCE", 50)
    monkeypatch.setattr("ops.rebuild.journal._BATCHES", 1)
    found = Rebuilds(space)
    found.start_over()
    yield found
    found.generations.close()


def at_batch(number: int, what: Callable[[], None], patch: pytest.MonkeyPatch) -> None:
    """Do something when the batch of that number is taken."""
    take, count = Filler._take, 0

    async def taken(self: Filler, batch: Batch) -> None:
        nonlocal count
        count += 1
        if count == number:
            what()
        await take(self, batch)

    patch.setattr(Filler, "_take", taken)


def crash() -> None:
    raise OSError(5, "the process dies here")


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("view", list(VIEWS))
def test_a_rebuild_is_the_fold_and_goes_live(rebuilds: Rebuilds, view: str, source: str) -> None:
    rebuilds = Rebuilds(rebuilds.space, view)
    rebuilds.start_over()
    plan, result = rebuilds.json("--from", source)
    assert (plan["kind"], plan["source"], plan["topic_whole"], plan["live"]) == ("plan", source, True, None)
    assert (result["end"], result["certified"], result["against"]) == ("live", True, "store")
    assert result["events"] >= plan["events"] > 1000
    assert rebuilds.documents("1.1") == rebuilds.expected()
    assert rebuilds.states() == {"1.1": "live"}
    assert rebuilds.generations.positions("1.1") == {
        shard: sum(len(events) for home, events in rebuilds.events() if home == shard) for shard in range(4)
    }


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("batch", [1, 7, 15])
def test_one_that_dies_goes_on_and_counts_nothing_twice(
    rebuilds: Rebuilds, source: str, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        at_batch(batch, crash, patch)
        assert rebuilds.run("--from", source).exit_code == 1
    assert rebuilds.states() == {"1.1": "filling"}
    assert rebuilds.generations.live() is None
    refused = rebuilds.run("--from", "events" if source == "topic" else "topic")
    assert refused.exit_code == 1
    assert "unfinished: it is filled from" in refused.stderr
    plan, result = rebuilds.json()
    assert (plan["resumes"], plan["generation"], result["end"]) == (True, "1.1", "live")
    assert rebuilds.documents("1.1") == rebuilds.expected()


def test_ctrl_c_pauses_and_cancel_throws_away(rebuilds: Rebuilds, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        at_batch(5, interrupt, patch)
        paused = rebuilds.run()
    assert paused.exit_code == 130
    assert "Paused: `licensing rebuild title_downloads` goes on from here" in paused.stderr
    assert rebuilds.all()["1.1"].events > 0
    assert rebuilds.run("--list").exit_code == 0
    assert rebuilds.run("--cancel").exit_code == 0
    assert rebuilds.keys("1.1") == []
    assert rebuilds.run("--cancel").exit_code == 1
    assert rebuilds.json()[1]["generation"] == "1.2"


@pytest.mark.parametrize("wish", ["pause", "cancel"])
def test_another_terminal_asks_for_a_stop(rebuilds: Rebuilds, wish: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ops.rebuild.owner._LOOK", 0.05)
    settings, heard = Settings.read(), list[bool]()
    other = Thread(target=lambda: heard.append(ask_the_owner(settings, rebuilds.view, wish)))

    def slowly() -> None:
        other.start()
        take = Filler._take

        async def taken(self: Filler, batch: Batch) -> None:
            eventually(lambda: bool(heard) or asked(), what="it is asked")
            await take(self, batch)

        monkeypatch.setattr(Filler, "_take", taken)

    def asked() -> bool:
        with redis.Redis.from_url(rebuilds.redis_url, decode_responses=True) as client:
            return bool(client.hget(f"{rebuilds.space.name}:{rebuilds.view}:rebuild", "asked") == wish)

    with monkeypatch.context() as patch:
        at_batch(3, slowly, patch)
        result = rebuilds.run()
    other.join()
    assert (result.exit_code, heard) == (130, [True])
    assert ("Paused" if wish == "pause" else "Cancelled") in result.stderr
    assert rebuilds.run("--pause").exit_code == 1  # nobody is there any more


def test_one_at_a_time(rebuilds: Rebuilds, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ops.rebuild.owner.TTL_MS", 500)
    with Owner(Settings.read(), rebuilds.view, Stop()):
        result = rebuilds.run()
    assert result.exit_code == 1
    assert "is rebuilding title_downloads: pause it" in result.stderr
    assert rebuilds.states() == {}


def test_back_to_the_generation_before(rebuilds: Rebuilds) -> None:
    assert rebuilds.run("--rollback").exit_code == 1
    first, second = rebuilds.json()[-1], rebuilds.json()[-1]
    assert (first["was"], second["was"], second["against"]) == (None, "1.1", "live")
    assert rebuilds.states() == {"1.1": "previous", "1.2": "live"}
    (back,) = rebuilds.json("--rollback")
    assert (back["generation"], back["was"], back["behind"]) == ("1.1", "1.2", 0)
    assert rebuilds.states() == {"1.1": "live", "1.2": "previous"}
    assert rebuilds.run("--drop", "1.1").exit_code == 1
    assert rebuilds.run("--drop", "1.2").exit_code == 0
    assert rebuilds.states() == {"1.1": "live"}
    assert rebuilds.run("--rollback").exit_code == 1


def test_what_was_flipped_away_long_ago_is_dropped(rebuilds: Rebuilds, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        rebuilds.json()
    assert rebuilds.states() == {"1.1": "retired", "1.2": "previous", "1.3": "live"}
    monkeypatch.setenv("LICENSING_RETIRED_DAYS", "0")
    assert rebuilds.json()[-1]["dropped"] == ["1.1", "1.2"]
    assert rebuilds.states() == {"1.3": "previous", "1.4": "live"}
    monkeypatch.setenv("LICENSING_RETIRED_DAYS", "a week")
    assert "LICENSING_RETIRED_DAYS is a number of days" in rebuilds.run().stderr


@pytest.mark.parametrize("live", [True, False])
def test_what_is_not_certified_does_not_go_live(
    rebuilds: Rebuilds, live: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if live:
        rebuilds.json()
    certify = Rebuild._certify

    def corrupted(self: Rebuild, name: str) -> Any:
        key = next(key for key in rebuilds.keys(name) if ":doc:" in key)
        with redis.Redis.from_url(rebuilds.redis_url) as client:
            client.hincrby(key, "acquired", 1)
        return certify(self, name)

    with monkeypatch.context() as patch:
        patch.setattr(Rebuild, "_certify", corrupted)
        result = rebuilds.run("--json")
    assert result.exit_code == 1
    end = json.loads(result.stdout.splitlines()[-1])
    assert (end["end"], end["certified"], end["differ"], len(end["differing"])) == ("refused", False, 1, 1)
    assert rebuilds.generations.live() == ("1.1" if live else None)
    assert rebuilds.states()[end["generation"]] == "filling"
    assert rebuilds.run("--cancel").exit_code == 0


def test_a_flip_elsewhere_wins(rebuilds: Rebuilds, monkeypatch: pytest.MonkeyPatch) -> None:
    rebuilds.json()
    certify = Rebuild._certify

    def flipped(self: Rebuild, name: str) -> Any:
        found = certify(self, name)
        with redis.Redis.from_url(rebuilds.redis_url) as client:
            client.set(f"{rebuilds.space.name}:{rebuilds.view}:live", "other")
        return found

    monkeypatch.setattr(Rebuild, "_certify", flipped)
    assert rebuilds.run().exit_code == 1
    assert rebuilds.generations.live() == "other"


@pytest.mark.parametrize("source", SOURCES)
def test_a_generation_of_the_past_is_the_fold_cut_there(rebuilds: Rebuilds, source: str) -> None:
    times = sorted(one.at for _, events in rebuilds.events() for one in events)
    at = times[len(times) // 3]
    plan, result = rebuilds.json("--from", source, "--until", str(at), "--into", "then")
    assert (plan["until"], result["end"], result["generation"], result["certified"]) == (at, "filled", "then", True)
    assert rebuilds.documents("then") == rebuilds.expected(at) != rebuilds.expected()
    assert rebuilds.states() == {"then": "side"}
    assert rebuilds.generations.live() is None
    key = next(iter(rebuilds.expected(at)))[1]
    found = CliRunner().invoke(app, ["view", rebuilds.view, key, "--generation", "then", "--json"])
    assert json.loads(found.stdout)["title_id"] == key
    assert "There is a generation then" in rebuilds.run("--until", str(at), "--into", "then").stderr


def test_a_dry_run_writes_nothing(rebuilds: Rebuilds) -> None:
    (plan,) = rebuilds.json("--dry-run")
    assert plan["events_per_second"] > 0
    assert rebuilds.states() == {}
    assert rebuilds.run("--dry-run", "--list").exit_code == 2
    assert rebuilds.run("--from", "memory").exit_code == 2
    assert rebuilds.run("--into", "then").exit_code == 2


def test_what_the_topic_has_lost_comes_from_elsewhere(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    space = new_space(servers)
    told(space, monkeypatch)
    stores, load, rebuilds = Stores(space), Load(space), Rebuilds(space)
    with handler(space):
        load.send(*some_commands(600, accounts=20))
        eventually(stores.followed_up, what="all commands are followed up")
    stores.close()
    truncate(space, 2)
    refused = rebuilds.run("--from", "topic")
    assert (refused.exit_code, "has lost its first events (partition 2 begins at" in refused.stderr) == (1, True)
    plan, result = rebuilds.json()
    assert (plan["source"], plan["topic_whole"], result["end"]) == ("journal", False, "live")
    assert rebuilds.documents("1.1") == rebuilds.expected()
    session = space.session()
    session.execute("DELETE FROM journal WHERE shard = 1 AND bucket = 0 AND position = 0")
    session.cluster.shutdown()
    refused = rebuilds.run("--from", "journal")
    assert (refused.exit_code, "the journal has lost its first rows (shard 1" in refused.stderr) == (1, True)
    plan, result = rebuilds.json()
    assert (plan["source"], result["end"]) == ("events", "live")
    assert rebuilds.documents("1.2") == rebuilds.expected()


def truncate(space: Space, partition: int) -> None:
    """Delete half of the events of a partition from the topic."""
    from confluent_kafka import TopicPartition
    from confluent_kafka.admin import AdminClient

    from ops import kafka

    topic = space.topics.events
    end = kafka.ends(space.settings.kafka, topic)[partition]
    admin = AdminClient({"bootstrap.servers": space.settings.kafka})
    for future in admin.delete_records([TopicPartition(topic, partition, end // 2)]).values():
        future.result()


def test_events_that_come_meanwhile_are_in_it(rebuilds: Rebuilds, monkeypatch: pytest.MonkeyPatch) -> None:
    """From each source: what is decided after the end of the topic was noted comes from the topic."""
    space = new_space(rebuilds.space.servers)
    told(space, monkeypatch)
    stores, load = Stores(space), Load(space)
    with handler(space):
        load.send(*some_commands(300, accounts=20))
        eventually(stores.followed_up, what="all commands are followed up")
        for number, source in enumerate(SOURCES, 1):
            later = list(some_commands(300 + 200 * number, accounts=20))[100 + 200 * number :]

            def more(later: Any = later) -> None:
                load.send(*later)
                eventually(stores.followed_up, what="the later commands are followed up")

            with monkeypatch.context() as patch:
                at_batch(2, more, patch)
                found = Rebuilds(space)
                assert found.json("--from", source)[-1]["end"] == "live"
            assert found.documents(f"1.{number}") == found.expected()
    stores.close()
