"""Dead letters on real servers: listed, replayed after a fix, and dropped."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from confluent_kafka import Producer
from typer.testing import CliRunner

from ops.cli import app
from ops.dead_letters import reading
from ops.settings import Settings
from projections.dead_letters import headers_of
from schemas.codec import DecodeError, decode_event, encode_command
from schemas.commands import SetPlan
from schemas.topics import partition_of
from tests.support import next_release
from tests.support.load import Load, Stores
from tests.support.processes import HANDLER, eventually, handler
from tests.support.space import PARTITIONS, Space

ACCOUNTS = [f"member-{number}" for number in range(6)]
T2026 = 1_770_000_000_000
JUNK = b"\x1b[31m not a command"


@pytest.fixture
def stores(space: Space) -> Iterator[Stores]:
    stores = Stores(space)
    yield stores
    stores.close()


def lines(cli: CliRunner, *arguments: str, code: int = 0) -> list[dict[str, Any]]:
    result = cli.invoke(app, ["dead-letters", *arguments, "--json"])
    assert result.exit_code == code, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def settings(space: Space) -> Settings:
    return Settings.read(space.environment())


def set_plan(account: str) -> SetPlan:
    return SetPlan(str(uuid4()), account, None, "basic")


def ends(stores: Stores, topic: str) -> int:
    return sum(stores.end(topic, partition) for partition in range(PARTITIONS))


def test_commands_of_a_newer_schema_are_decided_once_the_release_that_has_it_is_there(
    space: Space, stores: Stores, cli: CliRunner, tmp_path: Path
) -> None:
    load, following = Load(space), next_release.environment(next_release.make(tmp_path))
    for account in ACCOUNTS:
        value, home = next_release.newer_command(set_plan(account)), partition_of(account, PARTITIONS)
        load.send_raw(value, account.encode(), home, [("trace", account.encode())], T2026)
    load.send_raw(JUNK, b"member-0", 0)
    with handler(space) as old:
        eventually(stores.followed_up, what="this release handles what it can")
        old.send(signal.SIGTERM)
        assert old.wait() == 0
    assert not stores.stored()
    found = lines(cli, "list", "--exception", "UnknownSchema")
    assert sorted(one["topic"] for one in found) == [space.topics.commands] * len(ACCOUNTS)
    sent = ends(stores, space.topics.commands)
    assert {one["what"] for one in lines(cli, "replay", "--all", "--yes")} == {"left out"}
    assert ends(stores, space.topics.commands) == sent

    def newer(*arguments: str) -> list[str]:
        command = [sys.executable, "-P", "-m", "ops.cli", "dead-letters", *arguments, "--json"]
        done = subprocess.run(command, env=os.environ | following, capture_output=True, text=True, check=True)
        return sorted(json.loads(line)["what"] for line in done.stdout.splitlines())

    every = ["left out", *["would be sent"] * len(ACCOUNTS)]
    assert newer("replay", "--all") == every
    assert ends(stores, space.topics.commands) == sent
    assert newer("replay", "--all", "--yes") == ["left out", *["sent"] * len(ACCOUNTS)]
    assert reading.waiting(settings(space)) == 1
    assert newer("replay", "--all", "--yes") == ["left out"] * (len(ACCOUNTS) + 1)
    with handler(space, "next", ["-P", "-c", HANDLER], following):
        eventually(stores.followed_up, what="the next release decides them")
    assert stores.stored().keys() == set(ACCOUNTS)
    for account, (row,) in stores.stored().items():
        envelope = decode_event(row.payload)
        assert (envelope.type, envelope.at) == ("PlanChosen", T2026)
        *_, message = stores.messages(space.topics.commands, partition_of(account, PARTITIONS))
        assert [name for name, _ in message.headers()] == ["trace", "__dlq.replay.of"]
    assert ends(stores, space.topics.dead_letters) == len(ACCOUNTS) + 1


def test_what_fails_again_says_so_and_what_is_no_command_is_refused(
    space: Space, stores: Stores, cli: CliRunner
) -> None:
    load, home = Load(space), partition_of("member-1", PARTITIONS)
    elsewhere = (home + 1) % PARTITIONS
    load.send_raw(JUNK, b"member-1", home, [("trace", b"\xff"), ("__dlq.errors.topic", b"forged")])
    load.send_raw(encode_command(set_plan("member-1")), b"member-1", elsewhere)
    with handler(space):
        eventually(stores.followed_up, what="both are dead letters")
        (shown,) = lines(cli, "show", f"{home}:0")
        assert (shown["topic"], shown["now"]) == (space.topics.commands, "unreadable")
        assert (shown["value_hex"], shown["headers"]) == (JUNK.hex(), [["trace", "\\xff"]])
        both = f"{home}:0", f"{elsewhere}:0"
        assert [one["what"] for one in lines(cli, "replay", *both, "--yes")] == ["sent", "sent"]
        (shown,) = lines(cli, "show", f"{home}:0")
        assert shown["replayed_at"]
        assert shown["to_do"].startswith("It was sent again at")
        eventually(stores.followed_up, what="both are handled again")
        assert stores.stored().keys() == {"member-1"}  # it was on the wrong partition, and was sent to its own
        (again,) = [one for one in lines(cli, "list") if one["replay_of"]]
        assert (again["id"], again["replay_of"], again["replayed_at"]) == (f"{home}:1", f"{home}:0", None)
        assert [one["what"] for one in lines(cli, "replay", *both, "--yes")] == ["left out", "left out"]
        (sent,) = lines(cli, "replay", both[1], "--again", "--yes")
        assert sent["what"] == "sent"
        eventually(stores.followed_up, what="the copy is handled")
    assert [len(rows) for rows in stores.stored().values()] == [1]
    # A worker's, and what somebody else put there.
    record = SimpleNamespace(topic=space.topics.events, partition=0, offset=7, headers=[])
    producer = Producer({"bootstrap.servers": space.settings.kafka})
    headers: Any
    for headers in (headers_of(record, DecodeError("no event")), []):
        producer.produce(space.topics.dead_letters, JUNK, b"member-1", elsewhere, headers=headers)
    assert producer.flush(30) == 0
    before = ends(stores, space.topics.commands)
    for offset in (1, 2):
        (refused,) = lines(cli, "replay", f"{elsewhere}:{offset}", "--yes", code=1)
        assert refused["what"] == "refused"
    assert "licensing check" in lines(cli, "show", f"{elsewhere}:1")[0]["to_do"]
    assert ends(stores, space.topics.commands) == before


def test_purged_from_the_front(space: Space, stores: Stores, cli: CliRunner) -> None:
    load = Load(space)
    for number in range(6):
        load.send_raw(JUNK, b"member-1", number % 2, timestamp=T2026 + number * 1000)
    with handler(space):
        eventually(stores.followed_up, what="all are dead letters")
    assert [one["what"] for one in lines(cli, "replay", "0:0", "1:2", "--yes")] == ["sent", "sent"]
    asked = lines(cli, "purge", "0:1")
    assert asked == [{"offsets": {"0": [0, 2]}, "replayed": 1, "readable": 0, "others": 1, "purged": False}]
    assert len(lines(cli, "list")) == 6
    lines(cli, "purge", "0:1", "--yes")
    assert sorted(one["id"] for one in lines(cli, "list")) == ["0:2", "1:0", "1:1", "1:2"]
    assert reading.waiting(settings(space)) == 3
    (dropped,) = lines(cli, "purge", "--before", str(T2026 + 3000), "--yes")
    assert dropped["offsets"] == {"1": [0, 1]}
    for place in ("0:1", "2:0"):
        assert "no dead letter" in cli.invoke(app, ["dead-letters", "purge", place, "--yes"]).stderr
        assert cli.invoke(app, ["dead-letters", "show", place]).exit_code == 1
    lines(cli, "purge", "--all", "--yes")
    assert lines(cli, "list") == []
    assert lines(cli, "replay", "--all", "--yes") == []
    assert cli.invoke(app, ["dead-letters", "list"]).output == "There are no dead letters.\n"
