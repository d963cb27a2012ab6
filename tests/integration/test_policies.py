"""Policies on real servers: a stricter one takes effect under load, at its time and without a restart."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from uuid import uuid4

import pytest
from confluent_kafka import Producer

from commands.account import DAY, business_time, fold, initial
from commands.batch import Decided, read_body
from commands.policies import COMMANDS_AHEAD, LEAD
from commands.policy_file import DEFAULT
from ops import kafka
from schemas.codec import decode_reply, encode_command
from schemas.commands import AcquireLicense, Command, RenewLicense, SetPlan
from schemas.topics import partition_of
from tests.support.load import Load, Stores
from tests.support.processes import eventually, handler
from tests.support.space import PARTITIONS, Space

TITLE = "the-matrix-1999"


def now() -> int:
    return time.time_ns() // 1_000_000


def write(path: Path, version: str, effective_from: int, *changes: tuple[str, str]) -> Path:
    """The shipped policy with another version and time, and these changes of its text."""
    text = DEFAULT.read_text("utf-8")
    moment = datetime.fromtimestamp(effective_from / 1000, UTC).isoformat()
    for old, new in (('"2026-11"', f'"{version}"'), ("2026-11-01T00:00:00Z", moment), *changes):
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path.write_text(text, "utf-8")
    return path


def licensing(space: Space, *arguments: str) -> tuple[int, str]:
    """Run the command line in a space: its exit code, and all that it says."""
    command = [sys.executable, "-m", "ops.cli", *arguments]
    done = subprocess.run(command, env=space.environment(), capture_output=True, text=True, check=False, timeout=120)
    return done.returncode, done.stdout + done.stderr


def publish_soon(
    space: Space, path: Path, version: str, *changes: Callable[[int], tuple[str, str]], ahead: int = 5_000
) -> int:
    """Publish a policy for about the soonest time that may be, which is returned; on a slow machine it is later."""
    effective = now() + LEAD + ahead
    policy = write(path, version, effective, *(change(effective) for change in changes))
    code, said = licensing(space, "policy", "publish", str(policy))
    if code != 0 and "is the soonest" in said and ahead < 60_000:
        return publish_soon(space, path, version, *changes, ahead=2 * ahead)
    assert code == 0, said
    return effective


def put_by_hand(space: Space, key: str, value: bytes | None) -> None:
    producer = Producer({"bootstrap.servers": space.settings.kafka})
    producer.produce(space.topics.policies, value, key, 0)
    assert producer.flush(30) == 0


def entries(stores: Stores, space: Space) -> list[Decided]:
    """What was decided, from the journal."""
    rows = [row for story in stores.stories() for row in story.rows]
    return [one for row in rows for one in read_body(row.body)[1]]


@contextmanager
def steady(load: Load, commands: Iterator[Command]) -> Iterator[list[Command]]:
    """Send commands one after another for the length of the block: those that the broker has."""
    stop, sent = Event(), list[Command]()

    def run() -> None:
        for command in commands:
            if stop.wait(0.01):
                return
            load.send(command)
            sent.append(command)

    thread = Thread(target=run)
    thread.start()
    try:
        yield sent
    finally:
        stop.set()
        thread.join()


def members() -> Iterator[Command]:
    """Members on the plan `basic`, each of whom takes a second device."""
    number = 0
    while True:
        account = f"member-{number}"
        number += 1
        yield SetPlan(str(uuid4()), account, None, "basic")
        yield AcquireLicense(str(uuid4()), account, None, f"{account}.a", TITLE)
        yield AcquireLicense(str(uuid4()), account, None, f"{account}.b", TITLE)


@pytest.fixture
def stores(space: Space) -> Iterator[Stores]:
    stores = Stores(space)
    yield stores
    stores.close()


def test_a_stricter_policy_takes_effect_under_load(space: Space, stores: Stores, tmp_path: Path) -> None:
    generous = write(tmp_path / "a.yaml", "generous", now() - DAY, ("basic: {devices: 1}", "basic: {devices: 2}"))
    code, said = licensing(space, "policy", "publish", str(generous))
    assert (code, "Published version generous" in said) == (0, True), said
    load = Load(space)
    with handler(space) as running, steady(load, members()) as sent:
        eventually(lambda: stores.end(space.topics.replies, 0) > 0, what="commands are answered")
        put_by_hand(space, "oops", b"plans: [")
        eventually(lambda: running.said("policy_refused"), what="the handler says that it met a bad document")
        effective = publish_soon(space, tmp_path / "b.yaml", "strict")
        eventually(lambda: running.said('"version": "strict"'), what="the handler has read it")
        eventually(lambda: now() > effective, 180, what="its time has come")
        before = len(sent)
        eventually(lambda: len(sent) > before + 50, what="commands are sent after that")
        assert running.alive()
    with handler(space, "finish"):
        eventually(stores.followed_up, what="all is decided")
    assert not running.said("Traceback")
    decided = entries(stores, space)
    assert {one.entry.policy_version for one in decided} == {"generous", "strict"}
    told = {reply.command_id: reply for story in stores.stories() for reply in map(decode_reply, story.replies)}
    seconds: set[tuple[str, str]] = set()
    for one in decided:
        version = "generous" if one.entry.timestamp < effective else "strict"
        assert one.entry.policy_version == version
        assert {envelope.event.policy_version for envelope in one.envelopes} <= {version}
        if isinstance(one.command, AcquireLicense) and one.command.device_id.endswith(".b"):
            reply = told[one.command.command_id]
            assert (reply.outcome, reply.reason) == (one.entry.outcome, one.entry.rejection)
            seconds.add((version, reply.reason or reply.outcome))
    assert seconds == {("generous", "accepted"), ("strict", "device_limit")}
    assert status_says(space, "oops")


def status_says(space: Space, text: str) -> bool:
    return text in licensing(space, "status")[1]


def test_the_moment_is_exact_and_a_withdrawal_ends_what_was_granted(
    space: Space, stores: Stores, tmp_path: Path
) -> None:
    """The commands carry their times, around the moment, and lie on the topic before it comes."""
    effective = publish_soon(
        space,
        tmp_path / "a.yaml",
        "withdrawing",
        lambda at: ("titles:\n", f"titles:\n  {TITLE}: {{withdrawn_from: {iso(at + 2000)}}}\n"),
    )
    load = Load(space)
    with handler(space):
        for command in (SetPlan(str(uuid4()), "ann", None, "basic"), acquire("ann", "tablet")):
            load.send(command)
        eventually(lambda: now() > effective - COMMANDS_AHEAD + 4000, 180, what="brokers let these times in")
        for at in (effective - 1, effective, effective + 1999, effective + 2000):
            send_at(load, RenewLicense(str(uuid4()), "ann", None, "tablet", TITLE), at)
        send_at(load, acquire("ann", "phone", "alien-1979"), effective + 2001)
        eventually(stores.followed_up, what="all is decided, some before its time by this clock")
    told = [(e.entry.policy_version, e.entry.rejection or e.entry.outcome) for e in entries(stores, space)]
    assert told == [
        ("2026-11", "accepted"),
        ("2026-11", "accepted"),
        ("2026-11", "accepted"),
        ("withdrawing", "accepted"),
        ("withdrawing", "accepted"),
        ("withdrawing", "title_withdrawn"),
        ("withdrawing", "accepted"),  # the withdrawn title holds no place any more
    ]
    history = [envelope for one in entries(stores, space) for envelope in one.envelopes]
    state = fold(initial(), history)
    assert business_time(state, 0) == effective + 2001
    held = state.license("tablet", TITLE)
    assert held is not None
    assert held.expires_at == effective + 2000


def test_a_handler_without_the_topic_of_policies_ends_and_says_what_to_do(space: Space) -> None:
    kafka.delete(space.settings.kafka, [space.topics.policies])
    with handler(space, "no-policies") as process:
        assert process.wait() == 1
        assert process.said(f"there is no topic {space.topics.policies}; create the topics and tables with")


def iso(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat()


def acquire(account: str, device: str, title: str = TITLE) -> Command:
    return AcquireLicense(str(uuid4()), account, None, device, title)


def send_at(load: Load, command: Command, at: int) -> None:
    home = partition_of(command.account_id, PARTITIONS)
    load.send_raw(encode_command(command), command.account_id.encode(), home, timestamp=at)
