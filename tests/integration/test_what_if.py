"""Past and potential states of real stores: as of a version, with refusals, decided again; by one who can only read."""

import asyncio
import json
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.json import encode
from typer.testing import CliRunner

from commands.account import fold, initial
from commands.policy_file import DEFAULT
from commands.ports import EventRow, StoreUnavailable
from ops.cli import app
from ops.kafka.changes import delete_before
from projections.event_store import EventStore, NotPrepared
from projections.settings import Settings as ViewSettings
from schemas.codec import decode_event, decode_reply
from tests.support.guarded import SUPERUSER, grant, guarded_cassandra, role
from tests.support.load import Load, Stores, some_commands
from tests.support.processes import eventually, handler
from tests.support.space import Servers, Space, new_space

ACCOUNT = "account-7"


@pytest.fixture(scope="module")
def space(servers: Servers) -> Iterator[Space]:
    """A space whose handler has decided three thousand commands, 300 of an account, and has gone.

    On a Cassandra in which whoever says nothing else, all commands under test too, is a role that can only read.
    """
    with guarded_cassandra(servers.home) as address, pytest.MonkeyPatch.context() as patch:
        become(patch, SUPERUSER)
        space = new_space(replace(servers, address=replace(servers.address, cassandra=address)))
        session = space.session()
        grant(session, "writer", ["SELECT", "MODIFY"], space.name)
        grant(session, "reader", ["SELECT"], space.name)
        session.cluster.shutdown()
        become(patch, role("reader"))
        stores, load, commands = Stores(space), Load(space), list(some_commands(3000, accounts=10))
        with handler(space, environment=role("writer")):
            for start in range(0, 3000, 300):  # a snapshot is of the end of a batch
                load.send(*commands[start : start + 300])
                eventually(stores.followed_up, what="all commands are followed up")
        stores.close()
        yield space


def become(patch: pytest.MonkeyPatch, who: dict[str, str]) -> None:
    for name, value in who.items():
        patch.setenv(name, value)


@pytest.fixture
def stores(space: Space) -> Iterator[Stores]:
    stores = Stores(space)
    yield stores
    stores.close()


def lines(cli: CliRunner, *arguments: str) -> list[dict[str, Any]]:
    result = cli.invoke(app, [*arguments, "--json"])
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_as_of_every_version_from_the_snapshots_that_there_are(cli: CliRunner, stores: Stores) -> None:
    history = [decode_event(row.payload) for row in stores.stored()[ACCOUNT]]
    bases = set()
    for version in (*range(1, len(history), 40), *range(98, 103), len(history)):
        (found,) = lines(cli, "state", ACCOUNT, "--at-version", str(version))
        assert found["state"] == json.loads(encode(fold(initial(), history[:version])))
        bases.add(found["snapshot"])
    assert len(bases) > 2  # none, and at least two of them
    at = history[60].at
    (found,) = lines(cli, "state", ACCOUNT, "--as-of", str(at))
    assert found["state"]["version"] == max(one.version for one in history if one.at <= at)


def test_a_timeline_has_all_that_was_answered(cli: CliRunner, space: Space, stores: Stores) -> None:
    found = lines(cli, "timeline", ACCOUNT)
    replies = [decode_reply(value or b"") for n in range(4) for value in stores.values(space.topics.replies, n)]
    refused = [one for one in replies if (one.account_id, one.outcome) == (ACCOUNT, "rejected")]
    assert refused
    assert [(row["command"]["command_id"], row["reason"]) for row in found if "outcome" in row] == [
        (one.command_id, one.reason) for one in refused
    ]
    events = [row["event_id"] for row in found if "outcome" not in row]
    assert events == [decode_event(row.payload).event_id for row in stores.stored()[ACCOUNT]]


def test_what_if_is_the_same_under_the_same_policies(cli: CliRunner, tmp_path: Path) -> None:
    (totals,) = lines(cli, "what-if", "--all")
    assert totals["commands"] == 3000
    assert totals["before"] == totals["after"]
    strict = tmp_path / "strict.yaml"
    strict.write_text(DEFAULT.read_text("utf-8").replace("device_downloads: 100", "device_downloads: 2"), "utf-8")
    for scope in (["--all"], ["--sample", "3"], [ACCOUNT]):
        *_, totals = found = lines(cli, "what-if", *scope, "--policy", str(strict))
        assert any(one["kind"] == "document" for one in found)
        assert totals["accounts"] == {"--all": 10, "--sample": 3}.get(scope[0], 1)
    (first, *_) = lines(cli, "what-if", ACCOUNT, "--drop", "2")
    assert (first["kind"], first["version"]) == ("account", 1)


def test_whoever_runs_these_can_only_read(stores: Stores, cli: CliRunner) -> None:
    store, (row, *_) = stores.event_store(), stores.stored()[ACCOUNT]
    envelope = decode_event(row.payload)
    with pytest.raises(StoreUnavailable, match="no MODIFY permission"):
        store.write([EventRow(envelope, row.payload, row.shard, 0, envelope.at)]).result()
    assert "no CREATE permission" in refused(cli, "init")


@pytest.mark.parametrize("who", [{"LICENSING_CASSANDRA_PASSWORD": "wr0ng-one"}, {"LICENSING_CASSANDRA_USER": "nobody"}])
def test_a_wrong_password_is_said_once(
    cli: CliRunner, space: Space, monkeypatch: pytest.MonkeyPatch, who: dict[str, str]
) -> None:
    become(monkeypatch, who)
    user, password = (os.environ[f"LICENSING_CASSANDRA_{name}"] for name in ("USER", "PASSWORD"))
    sentence = f"refuses the user {user}; set LICENSING_CASSANDRA_USER and LICENSING_CASSANDRA_PASSWORD"
    said = refused(cli, "state", ACCOUNT)
    assert sentence in said
    assert password not in said
    with handler(space, f"wrong-{user}") as process:
        assert process.wait() == 1
        assert process.said(sentence)
        assert not process.said(password)
    settings = ViewSettings(cassandra=space.servers.address.cassandra, keyspace=space.name)
    with pytest.raises(NotPrepared, match=sentence):
        asyncio.run(EventStore(settings).read(ACCOUNT, 1, 2))


def test_a_worker_reads_what_it_misses_under_its_role(space: Space) -> None:
    store = EventStore(ViewSettings(cassandra=space.servers.address.cassandra, keyspace=space.name))
    assert [one.version for one in asyncio.run(store.read(ACCOUNT, 1, 2))] == [1, 2]
    store.close()


def refused(cli: CliRunner, *arguments: str) -> str:
    result = cli.invoke(app, arguments)
    assert result.exit_code == 1
    return result.stderr


@pytest.mark.parametrize(
    ("view", "key"),
    [("device_downloads", f"{ACCOUNT}/{ACCOUNT}.1"), ("licenses", ACCOUNT), ("title_downloads", "title-7")],
)
def test_causes_are_where_they_are_said_to_be(
    cli: CliRunner, space: Space, stores: Stores, view: str, key: str
) -> None:
    found = lines(cli, "explain", view, key)
    topic = {n: stores.values(space.topics.events, n) for n in range(4)}
    assert found
    for cause in found:
        there = decode_event(topic[cause["partition"]][cause["offset"]] or b"")
        assert (there.event_id, there.version) == (cause["event_id"], cause["version"])
        assert cause["topic"] == space.topics.events
    if view == "title_downloads":
        every = [decode_event(value or b"") for values in topic.values() for value in values]
        about = [one for one in every if getattr(one.event, "title_id", None) == key]
        (document,) = lines(cli, "view", view, key, "--as-of", str(max(one.at for one in about)))
        assert document["acquired"] == sum(one.type == "LicenseAcquired" for one in about)


def test_causes_far_from_each_other_are_found_by_their_times(cli: CliRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    field = lines(cli, "explain", "licenses", ACCOUNT)[0]["changes"][0]["what"]
    near = lines(cli, "explain", "licenses", ACCOUNT, field)
    monkeypatch.setattr("ops.kafka.reading._NEAR", 0)
    assert lines(cli, "explain", "licenses", ACCOUNT, field) == near
    assert all(cause["offset"] is not None for cause in near)


def test_a_timeline_is_followed(cli: CliRunner, space: Space, stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    known, looks = len(stores.stored()[ACCOUNT]), list[bool]()

    def until_it_has_come(seconds: float) -> None:
        looks.append(stores.followed_up())
        if looks[-2:] == [True, True]:  # it has looked once more since then
            raise KeyboardInterrupt
        time.sleep(seconds)

    with handler(space, "second", environment=role("writer")):
        Load(space).send(*list(some_commands(3200, accounts=10))[3000:])
        monkeypatch.setattr("ops.journal.time", SimpleNamespace(sleep=until_it_has_come))
        result = cli.invoke(app, ["timeline", ACCOUNT, "--events", "--follow", "--json"])
    assert result.exit_code == 130
    versions = [json.loads(line)["version"] for line in result.stdout.splitlines()]
    assert versions == list(range(1, len(stores.stored()[ACCOUNT]) + 1))
    assert len(versions) > known


def test_a_topic_that_has_lost_its_beginning(cli: CliRunner, space: Space, stores: Stores) -> None:
    """The last one here: what it deletes is gone."""
    shared, own = ("title_downloads", "title-7"), ("licenses", ACCOUNT)
    then = str(int(time.time() * 1000))
    documents = [lines(cli, "view", *one, "--as-of", then) for one in (shared, own)]
    whole, of_account = lines(cli, "explain", *shared), lines(cli, "explain", *own)
    front = {n: stores.end(space.topics.events, n) // 2 for n in range(4)}
    delete_before(space.settings.kafka, space.topics.events, front)
    found = lines(cli, "explain", *shared)
    assert {one["event_id"] for one in found} == {one["event_id"] for one in whole}
    assert [one["at"] for one in found] == sorted(one["at"] for one in found)
    assert {(one["partition"], one["offset"]) for one in found} == {(None, None)}
    assert "has lost its beginning" in cli.invoke(app, ["explain", *shared]).stderr
    assert [lines(cli, "view", *one, "--as-of", then) for one in (shared, own)] == documents
    found = lines(cli, "explain", *own)
    kept = [one["offset"] if one["offset"] >= front[one["partition"]] else None for one in of_account]
    assert [one["offset"] for one in found] == kept
    assert None in kept
    assert kept[-1] is not None
