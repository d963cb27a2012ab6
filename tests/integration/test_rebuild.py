"""Rebuilds on real servers: from each source, stopped and gone on with, one at a time, and under traffic."""

import os
import signal
from collections.abc import Callable, Iterator
from threading import Thread
from typing import Any

import pytest
import redis

from ops.rebuild.batch import Batch
from ops.rebuild.fill import Filler
from ops.rebuild.owner import Owner, ask_the_owner
from ops.rebuild.stop import Stop
from ops.rebuild.unfinished import unfinished
from ops.settings import Settings
from projections.views import VIEWS
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
    stored, ends = sum(len(events) for _, events in rebuilds.events()), rebuilds.ends()
    assert result["events"] >= stored > 1000
    assert plan["events"] == sum(ends.values()) > stored
    assert rebuilds.documents("1.1") == rebuilds.expected()
    assert rebuilds.states() == {"1.1": "live"}
    assert rebuilds.generations.positions("1.1") == ends


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
    (left,) = unfinished(Settings.read())
    assert (left.view, left.generation, left.state) == (rebuilds.view, "1.1", "stopped")
    assert "`licensing rebuild title_downloads` goes on" in left.to_do
    assert rebuilds.run("--list").exit_code == 0
    assert rebuilds.run("--cancel").exit_code == 0
    assert rebuilds.keys("1.1") == []
    assert list(unfinished(Settings.read())) == []
    assert rebuilds.run("--cancel").exit_code == 1
    assert rebuilds.json()[1]["generation"] == "1.2"


@pytest.mark.parametrize("wish", ["pause", "cancel"])
def test_another_terminal_asks_for_a_stop(rebuilds: Rebuilds, wish: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ops.rebuild.owner._LOOK", 0.05)
    settings, heard = Settings.read(), list[bool]()
    other = Thread(target=lambda: heard.append(ask_the_owner(settings, rebuilds.view, wish)))

    def slowly() -> None:
        (here,) = unfinished(settings)
        assert (here.generation, here.state) == ("1.1", "at work")
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
