"""What the rows work with: what is measured is real, and what is counted is counted right."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import pytest

from commands.account import fold, initial
from commands.policy_file import load_policy
from ops.bench.filling import Partitions, Timed, command_records, event_records, history, load, of_others
from ops.bench.ground import Ground, Size
from ops.bench.rows import growth
from ops.bench.watch import POSSIBLE, Sample, cpu_seconds, rate, resident
from ops.stack import StackAddress
from schemas.codec import decode_command, decode_event
from schemas.events import Envelope
from schemas.topics import partition_of

TRACE = [Sample(0, 10.0, 1.0), Sample(100, 12.0, 3.0), Sample(100, 13.0, 3.5), Sample(300, 14.0, 4.5)]


def test_the_events_are_what_the_commands_lead_to_and_fold_without_a_gap() -> None:
    commands = load(3_000, 50)
    events = list(history(commands, load_policy()))
    assert 2_000 < len(events) < 3_600
    by_account: dict[str, list[Envelope]] = {}
    for event in events:
        by_account.setdefault(event.account_id, []).append(event)
    for own in by_account.values():
        assert [event.version for event in own] == list(range(1, len(own) + 1))
        assert fold(initial(), own).version == len(own)
    assert len({event.event_id for event in events}) == len(events)


def test_the_same_arguments_give_the_same_work_and_other_accounts_the_same_work_once_more() -> None:
    commands = load(500, 20)
    assert commands == load(500, 20)
    policy = load_policy()
    again = list(history(of_others(commands, "x"), policy))
    assert [event.account_id.removeprefix("x") for event in again] == [e.account_id for e in history(commands, policy)]


def test_records_are_on_the_partition_and_in_the_form_of_the_real_topics() -> None:
    commands = load(300, 20)
    for record, (at, command) in zip(command_records(commands, 4), commands, strict=True):
        assert record.partition == partition_of(command.account_id, 4)
        assert (record.at, record.key) == (at, command.account_id.encode())
        assert decode_command(record.value) == command
    events = list(islice(history(commands, load_policy()), 100))
    for record, event in zip(event_records(events, 4), events, strict=True):
        assert decode_event(record.value) == event
        assert dict(record.headers)["type"] == event.type.encode()
    assert Partitions(64)["ann"] == partition_of("ann", 64)


def test_a_rate_counts_from_the_first_that_was_seen() -> None:
    assert rate(TRACE) == pytest.approx(200 / 2.0)


@pytest.mark.skipif(not POSSIBLE, reason="the system has no /proc")
def test_growth_compares_every_system_with_the_small_one(monkeypatch: pytest.MonkeyPatch) -> None:
    class Fake:
        def __init__(self, partitions: int, views: int) -> None:
            self.factor, self.taken = (partitions // 4) * views, 0

        def take(self, commands: Sequence[Timed]) -> None:
            self.taken += len(commands)

        def cost(self, commands: Sequence[Timed]) -> tuple[float, float]:
            """Dearer with each partition, view and command behind it, and dearer for an event than for a command."""
            dear = float(self.factor * self.taken)
            return dear, 3 * dear

    @contextmanager
    def fake(ground: Ground, partitions: int = 4, views: int = 1) -> Iterator[Fake]:
        yield Fake(partitions, views)

    monkeypatch.setattr(growth, "system", fake)
    lines = growth.measure(Ground(StackAddress("", "", ""), Path(), 2, Size(share=0.01)))
    assert [(line.what, line.pairs) for line in lines] == [
        ("a command, 1,000 before it", ((1000.0, 100.0),) * 2),
        ("an event, 1,000 commands before it", ((3000.0, 300.0),) * 2),
        ("a command, 64 partitions", ((1600.0, 100.0),) * 2),
        ("an event, 64 partitions", ((4800.0, 300.0),) * 2),
        ("an event, each of 1 views", ((300.0, 300.0),) * 2),
    ]
    assert {line.limit for line in lines} == {1.1}


@pytest.mark.skipif(not POSSIBLE, reason="the system has no /proc")
def test_a_process_has_cpu_time_and_memory() -> None:
    assert cpu_seconds(os.getpid()) > 0
    assert resident(os.getpid()) > 1 << 20
