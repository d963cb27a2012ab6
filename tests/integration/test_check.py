"""`licensing check` and `licensing repair` on real servers: under traffic, and after all kinds of damage."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import redis
from cassandra.cluster import Session
from msgspec.structs import replace
from typer.testing import CliRunner

from commands.cassandra.event_store import CassandraEventStore
from commands.cassandra.scan import CassandraEventScan
from ops import history, kafka
from ops.cli import app
from ops.settings import Settings
from ops.truth import repair
from projections.redis_model.keys import Keys, live_key
from projections.views import VIEWS
from schemas.codec import encode_event
from schemas.topics import partition_of
from tests.support.load import Load, Stores, some_commands
from tests.support.processes import eventually, handler
from tests.support.space import PARTITIONS, Servers, Space, new_space

MOST, ROUNDS = 50_000, 6  # commands, and checks while they are handled


@pytest.fixture(scope="module")
def space(servers: Servers) -> Iterator[Space]:
    """A space whose handler and workers run."""
    space = new_space(servers)
    with ExitStack() as running:
        running.enter_context(handler(space))
        for view in VIEWS:
            running.enter_context(handler(space, view, ["-m", "projections", "worker", view]))
        with redis.Redis.from_url(servers.address.redis) as client:
            eventually(lambda: all(client.get(live_key(space.name, view)) for view in VIEWS), what="all workers work")
        yield space


@pytest.fixture
def client(space: Space) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(space.servers.address.redis, decode_responses=True) as client:
        yield client


def checked(cli: CliRunner, *arguments: str, found: bool = False) -> list[dict[str, Any]]:
    result = cli.invoke(app, ["check", *arguments, "--json"])
    assert result.exit_code == (1 if found else 0), result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def arrived(space: Space, client: redis.Redis) -> bool:
    stores = Stores(space)
    try:
        ends = [stores.end(space.topics.events, n) for n in range(PARTITIONS)]
        reached = [
            [int(client.get(Keys(space.name, view, "1").position(n)) or 0) for n in range(PARTITIONS)] for view in VIEWS
        ]
        return stores.followed_up() and reached == [ends] * len(VIEWS)
    finally:
        stores.close()


def test_traffic_is_no_finding(space: Space, cli: CliRunner, client: redis.Redis) -> None:
    load, enough, sent = Load(space), threading.Event(), 0

    def send() -> None:
        nonlocal sent
        commands = some_commands(MOST, accounts=200)
        while not enough.is_set() and (some := list(islice(commands, 100))):
            load.send(*some)
            sent += len(some)

    sending = threading.Thread(target=send)
    sending.start()
    coming = 0
    try:
        for _ in range(ROUNDS):
            (totals,) = checked(cli)
            coming += sum(totals["totals"]["coming"].values())
            assert totals["totals"]["notes"] == []
    finally:
        enough.set()
        sending.join()
    assert coming > 0  # else nothing went on meanwhile
    eventually(lambda: arrived(space, client), 120, what="all is projected")
    (totals,) = checked(cli)
    assert totals["totals"]["coming"] == {}
    ends = kafka.ends(space.settings.kafka, space.topics.events)  # a take-over publishes some events again
    assert sum(ends.values()) == totals["totals"]["messages"] >= totals["totals"]["events"] > sent / 2
    assert totals["totals"]["views"] == list(VIEWS)


def test_without_fix_nothing_is_written(
    space: Space, cli: CliRunner, client: redis.Redis, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked = Counter[str]()
    execute = Session.execute_async

    def noted(self: Any, query: Any, *arguments: Any, **more: Any) -> Any:
        text = getattr(getattr(query, "prepared_statement", query), "query_string", query)
        asked[str(text).split(maxsplit=1)[0]] += 1
        return execute(self, query, *arguments, **more)

    monkeypatch.setattr(Session, "execute_async", noted)
    keys = Keys(space.name, "licenses", "1")
    name = min(str(key) for key in client.scan_iter(f"{keys.prefix}{{*}}:doc:*", 1000))
    kept = client.dump(name)
    client.hset(name, "strange", "1")
    damaged = client.hgetall(name)
    file = tmp_path / "licensing.prom"
    for _ in range(2):
        *_, totals = checked(cli, "--textfile", str(file), found=True)
        assert totals["totals"]["findings"]["view"] == 1
    assert client.hgetall(name) == damaged
    assert 'licensing_drift{kind="view",view="licenses"} 1.0' in file.read_text("utf-8").splitlines()
    assert asked.keys() <= {"USE", "SELECT"}
    assert kept is not None
    with redis.Redis.from_url(space.servers.address.redis) as raw:
        raw.hdel(name, "strange")
    checked(cli, "--sample", "50", "--textfile", str(file))
    assert 'licensing_drift{kind="view",view="licenses"} 0.0' in file.read_text("utf-8").splitlines()


def test_a_sample_reads_the_partitions_of_its_accounts(space: Space, cli: CliRunner) -> None:
    name = min(history.some_accounts(Settings.read(), 1, seed=7))
    (totals,) = checked(cli, "--sample", "1", "--seed", "7")
    ends = kafka.ends(space.settings.kafka, space.topics.events)
    assert totals["totals"]["messages"] == ends[partition_of(name, PARTITIONS)] < sum(ends.values())


def damage_the_views(space: Space, client: redis.Redis) -> None:
    for view in VIEWS:
        keys = Keys(space.name, view, "1")
        documents = sorted(str(key) for key in client.scan_iter(f"{keys.prefix}{{*}}:doc:*", 1000))
        client.delete(documents[0])
        client.hset(documents[20], "completed", "-7")
        client.copy(documents[30], f"{documents[30]}-copy")
        versions = sorted(str(key) for key in client.scan_iter(f"{keys.prefix}{{*}}:versions", 1000))
        client.hincrby(versions[-1], min(client.hkeys(versions[-1])), 5)
        client.set(documents[-1], "no hash")
        client.hset(keys.document("p3" if VIEWS[view].TAG == "partition" else "stranger", "x"), "y", "1")
        if view != "licenses":
            holds = sorted(str(key) for key in client.scan_iter(f"{keys.prefix}{{*}}:holds:*", 1000))
            client.zadd(holds[0], {"nothing": 7})


def test_what_is_damaged_is_mended_and_then_true(space: Space, cli: CliRunner, client: redis.Redis) -> None:
    damage_the_views(space, client)
    stored_but_not_published(space)
    found = checked(cli, found=True)
    kinds = Counter((one["found"], one["view"]) for one in found if "found" in one)
    assert kinds["topic", None] == 3
    assert all(kinds["view", view] >= 5 for view in VIEWS)
    fixed = checked(cli, "--fix", found=True)
    assert all(one["why_not"] is None for one in fixed if "done" in one)
    assert any(one.get("done") == "published again" for one in fixed)
    eventually(lambda: arrived(space, client), 60, what="what was published again is projected")
    checked(cli)


def stored_but_not_published(space: Space) -> None:
    """An account's first three events once more as those of another, in rows that are followed up."""
    session = space.session()
    try:
        scan = CassandraEventScan(session)
        rows, name = scan.of("account-7")[:3], f"account-{uuid4()}"
        copies = [replace(row.envelope, account_id=name) for row in rows]
        CassandraEventStore(session).write(
            [replace(row, envelope=one, payload=encode_event(one)) for row, one in zip(rows, copies, strict=True)]
        ).result(30)
    finally:
        session.cluster.shutdown()


@pytest.mark.parametrize("view", VIEWS)
def test_a_repair_makes_an_accounts_documents_anew_while_the_worker_goes_on(
    space: Space, cli: CliRunner, client: redis.Redis, view: str
) -> None:
    keys, load, account = Keys(space.name, view, "1"), Load(space), "account-7"
    documents = sorted(
        str(key)
        for key in client.scan_iter(f"{keys.prefix}{{*}}:doc:*", 1000)
        if VIEWS[view].TAG == "partition" or f"{{{account}}}" in str(key)
    )
    for number, name in enumerate(documents):
        client.hset(name, "completed", str(-number))
    sending = threading.Thread(
        target=load.send, args=list(some_commands(2000, accounts=20, seed=len(view))), daemon=True
    )
    sending.start()
    result = cli.invoke(app, ["repair", view, "--account", account, "--json"])
    assert result.exit_code == 0, result.output
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert lines
    assert {one["repaired"] for one in lines} == {account}
    sending.join()
    eventually(lambda: arrived(space, client), 120, what="all is projected")
    if VIEWS[view].TAG == "account":
        checked(cli, "--view", view)
    else:
        tags = {one["tag"] for one in checked(cli, "--view", view, found=True) if "found" in one}
        assert len(tags) == PARTITIONS - 1
        checked(cli, "--view", view, "--fix", found=True)
        checked(cli, "--view", view)
    again = cli.invoke(app, ["repair", view, "--account", account])
    assert again.exit_code == 0
    assert "nothing is different" in again.stdout


def test_what_is_too_large_for_one_step_is_refused(cli: CliRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repair, "MOST", 10)
    result = cli.invoke(app, ["repair", "title_downloads", "--account", "account-7"])
    assert (result.exit_code, result.stdout) == (1, "")
    assert "licensing rebuild title_downloads" in result.stderr


def test_misuse_and_what_is_not_there(cli: CliRunner, space: Space, client: redis.Redis) -> None:
    assert cli.invoke(app, ["check", "--seed", "3"]).exit_code == 2
    assert cli.invoke(app, ["check", "--sample", "0"]).exit_code == 2
    assert cli.invoke(app, ["check", "--view", "nothing"]).exit_code == 2
    assert cli.invoke(app, ["repair", "licenses"]).exit_code == 2
    nobody = cli.invoke(app, ["repair", "title_downloads", "--account", "nobody"])
    assert (nobody.exit_code, nobody.stderr) == (1, "The account nobody has no events, so it is in no partition.\n")
    keys = Keys(space.name, "licenses", "1")
    client.set(keys.version, "0")
    try:
        result = cli.invoke(app, ["repair", "licenses", "--account", "account-7"])
        assert (result.exit_code, "licensing rebuild licenses" in result.stderr) == (1, True)
        *_, totals = checked(cli, "--view", "licenses")
        assert "Version 0 of the view fills" in totals["totals"]["notes"][0]
    finally:
        client.set(keys.version, "1")


def test_headers_and_times_on_the_topic_are_compared(space: Space, cli: CliRunner, client: redis.Redis) -> None:
    """A copy of the newest event on the topic that says another type and another time, as a tool might send it.

    The last test here: a topic cannot be changed, so it stays a finding.
    """
    session = space.session()
    try:
        row = CassandraEventScan(session).of("account-7")[-1]
    finally:
        session.cluster.shutdown()
    producer = kafka.producer(space.settings.kafka)
    producer.produce(
        space.topics.events,
        row.payload,
        b"account-7",
        row.shard,
        timestamp=row.envelope.at + 1,
        headers=[("type", b"X")],
    )
    assert producer.flush(30) == 0
    eventually(lambda: arrived(space, client), what="the workers have dropped the copy")
    found = [one for one in checked(cli, "--fix", found=True) if "found" in one]
    version = row.envelope.version
    assert [(one["account_id"], one["is"]) for one in found] == [
        ("account-7", f"version {version}, headers type=X"),
        ("account-7", f"version {version}, timestamp {row.envelope.at + 1}"),
    ]
    headers, at = (one["should_be"] for one in found)
    assert (headers.partition(",")[0], at) == (f"headers type={row.envelope.type}", f"timestamp {row.envelope.at}")
