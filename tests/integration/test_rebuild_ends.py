"""How rebuilds end on real servers: flipped back, dropped, not certified, overtaken, cut at a time."""

import json
from collections.abc import Collection, Iterator
from typing import Any

import pytest
import redis
from typer.testing import CliRunner

from ops.cli import app
from ops.rebuild.run import Rebuild
from ops.rebuild.unfinished import unfinished
from ops.settings import Settings
from projections.changes import Changes
from projections.redis_model.generations import Flipped, Generation, Generations
from projections.views import VIEWS
from schemas.events import Envelope
from tests.support.load import Load, Stores, some_commands
from tests.support.processes import eventually, handler
from tests.support.rebuilds import SOURCES, Rebuilds, rebuilds_in, space_of_rebuilds, told
from tests.support.space import Servers, Space, new_space


@pytest.fixture(scope="module")
def space(servers: Servers) -> Space:
    return space_of_rebuilds(servers)


@pytest.fixture
def rebuilds(space: Space, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rebuilds]:
    with rebuilds_in(space, monkeypatch) as found:
        yield found


def test_back_to_the_generation_before(rebuilds: Rebuilds) -> None:
    assert rebuilds.run("--rollback").exit_code == 1
    first, second = rebuilds.json()[-1], rebuilds.json()[-1]
    assert (first["was"], second["was"], second["against"]) == (None, "1.1", "live")
    assert rebuilds.states() == {"1.1": "previous", "1.2": "live"}
    (back,) = rebuilds.json("--rollback")
    assert (back["generation"], back["was"], back["behind"]) == ("1.1", "1.2", 0)
    assert rebuilds.states() == {"1.1": "live", "1.2": "previous"}
    assert "`licensing check --view title_downloads` does that" in rebuilds.run("--rollback").stderr
    checked = CliRunner().invoke(app, ["check", "--view", rebuilds.view])
    assert (checked.exit_code, rebuilds.generations.live()) == (0, "1.2"), checked.output
    rebuilds.json("--rollback")
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


def test_redis_is_waited_for_when_old_ones_are_dropped(rebuilds: Rebuilds, monkeypatch: pytest.MonkeyPatch) -> None:
    """Readers have the new generation by then: what was done is not told as a failure."""
    every, away = Generations.all, [redis.ConnectionError("Connection closed by server.")]

    def away_once(self: Generations) -> list[Generation]:
        if away:
            raise away.pop()
        return every(self)

    monkeypatch.setattr(Generations, "all", away_once)
    result = rebuilds.run()
    assert (result.exit_code, result.stderr.count("Redis is back.")) == (0, 1), result.output
    assert rebuilds.states() == {"1.1": "live"}


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
    assert [one.state for one in unfinished(Settings.read())] == ["not certified"]
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


def test_a_flip_asks_for_all_that_readers_have_seen(rebuilds: Rebuilds, monkeypatch: pytest.MonkeyPatch) -> None:
    rebuilds.json()
    flip, asked = Generations.flip, list[list[int]]()

    def behind_once(
        self: Generations, expected: str | None, to: str, now: int, as_far: Collection[int], *more: Any
    ) -> Flipped:
        asked.append(sorted(as_far))
        return "behind" if len(asked) == 1 else flip(self, expected, to, now, as_far, *more)

    monkeypatch.setattr(Generations, "flip", behind_once)
    assert rebuilds.json()[-1]["end"] == "live"
    assert asked == [[0, 1, 2, 3], [0, 1, 2, 3]]
    assert rebuilds.generations.live() == "1.2"


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


def test_a_view_whose_code_changed_is_rebuilt_beside_the_old_one(
    rebuilds: Rebuilds, monkeypatch: pytest.MonkeyPatch
) -> None:
    rebuilds.json()
    old = rebuilds.documents("1.1")
    view, project = VIEWS[rebuilds.view], VIEWS[rebuilds.view].project

    def twice(envelope: Envelope) -> Changes:
        return tuple(
            (op, key, name, int(value) * 2 if op == "add" else value) for op, key, name, value in project(envelope)
        )

    with monkeypatch.context() as patch:
        patch.setattr(view, "project", twice)
        patch.setattr(view, "VERSION", "2")
        plan, result = rebuilds.json()
        assert (plan["live"], result["generation"], result["against"]) == ("1.1", "2.2", "store")
        assert rebuilds.documents("2.2") == rebuilds.expected() != old
        assert {name: (one.version, one.state) for name, one in rebuilds.all().items()} == {
            "1.1": ("1", "previous"),
            "2.2": ("2", "live"),
        }
        assert rebuilds.documents("1.1") == old
        (back,) = rebuilds.json("--rollback")
        assert (back["generation"], back["version"], back["behind"]) == ("1.1", "1", 0)
    assert rebuilds.states() == {"1.1": "live", "2.2": "previous"}


def test_a_generation_that_redis_lost_is_not_certified(rebuilds: Rebuilds, monkeypatch: pytest.MonkeyPatch) -> None:
    certify = Rebuild._certify

    def lost(self: Rebuild, name: str) -> Any:
        rebuilds.start_over()
        return certify(self, name)

    monkeypatch.setattr(Rebuild, "_certify", lost)
    result = rebuilds.run()
    assert (result.exit_code, "Redis lost generation 1.1" in result.stderr) == (1, True)
    assert rebuilds.generations.live() is None


@pytest.mark.parametrize("source", ["journal", "events"])
def test_a_redis_that_was_started_again_between_two_calls_is_noticed(
    rebuilds: Rebuilds, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client just connects again, and what Redis may have lost would not be read again."""
    runs = ["before", "after", "after", "after"]
    monkeypatch.setattr(Generations, "server", lambda self: runs.pop(0))
    result = rebuilds.run("--from", source)
    assert (result.exit_code, runs) == (0, [])
    assert "Redis was started again meanwhile. What is there is gone on from." in result.stderr
    assert rebuilds.documents("1.1") == rebuilds.expected()


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
