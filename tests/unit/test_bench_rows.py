"""What the rows work with: what is measured is real, and what is counted is counted right."""

from itertools import islice

import pytest

from commands.account import fold, initial
from commands.policy_file import load_policy
from ops.bench.filling import Partitions, command_records, event_records, history, load, of_others
from ops.bench.watch import Sample, cpu_each, rate, reached
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


def test_progress_between_two_samples_is_taken_as_even() -> None:
    assert reached(TRACE, 50) == Sample(50, 11.0, 2.0)
    assert reached(TRACE, 200).cpu == pytest.approx(4.0)
    assert reached(TRACE, 300) == TRACE[-1]


def test_cost_is_cpu_time_by_piece_and_a_rate_counts_from_the_first_that_was_seen() -> None:
    assert cpu_each(TRACE, 100, 300) == pytest.approx(1.5 / 200 * 1e6)
    assert rate(TRACE) == pytest.approx(200 / 2.0)
