"""As of every version and time of a history: the fold of its prefix, whatever snapshots are kept."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from commands.account import fold, initial
from commands.accounts import BrokenHistory
from commands.memory import MemoryEventStore, MemorySnapshots
from commands.ports import EventRow
from ops.as_of import Past, state_as_of
from ops.times import instant, last_of
from schemas.codec import encode_event
from schemas.events import Envelope
from tests.support.examples import ACCOUNT, EVENT_EXAMPLES
from tests.unit.test_batch_properties import ACCOUNTS, histories, messages, often, run


def stored(history: list[Envelope]) -> MemoryEventStore:
    events = MemoryEventStore()
    events.write([EventRow(one, encode_event(one), 0, 0, 0) for one in history])
    return events


@often
@given(st.builds(messages, st.integers(0, 10**9), st.integers(0, 400)), st.randoms(use_true_random=False))
def test_as_of_every_version_is_the_fold_of_the_prefix(stream: list, rng: random.Random) -> None:  # type: ignore[type-arg]
    decided, _ = run(stream)
    for account, history in histories(decided).items():
        events, snapshots = stored(history), MemorySnapshots()
        kept = sorted(rng.sample(range(1, len(history) + 1), min(len(history), rng.randint(0, 3))))
        for version in kept:
            snapshots.save(account, fold(initial(), history[:version]))
        for version in range(len(history) + 1):
            base = max((one for one in kept if one <= version), default=0)
            found = state_as_of(account, events, snapshots, version=version)
            assert found == Past(fold(initial(), history[:version]), base, version - base)
        for at in {one.at + more for one in history for more in (-1, 0, 1)}:
            expected = fold(initial(), [one for one in history if one.at <= at])
            assert state_as_of(account, events, snapshots, at=at).state == expected
        assert state_as_of(account, events, snapshots).state == fold(initial(), history)


def test_these_histories_are_longer_than_what_is_forgotten_at() -> None:
    decided, _ = run(messages(3, 400))
    assert min(len(histories(decided)[account]) for account in ACCOUNTS) > 50


def test_a_history_with_a_hole_is_not_folded() -> None:
    events = stored([EVENT_EXAMPLES[0], replace(EVENT_EXAMPLES[1], version=3)])
    with pytest.raises(BrokenHistory, match=f"account {ACCOUNT}: version 2 is missing"):
        state_as_of(ACCOUNT, events, MemorySnapshots())


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-05-01T20:15:00Z", 1_777_666_500_999),
        ("2026-05-01 20:15:00Z", 1_777_666_500_999),
        ("2026-05-01T20:15:00.000Z", 1_777_666_500_000),
        ("2026-05-01T22:15:00.250+02:00", 1_777_666_500_250),
        ("1777666500123", 1_777_666_500_123),
    ],
)
def test_a_time_without_a_fraction_is_its_whole_second(text: str, at: int) -> None:
    assert last_of(text) == at


@pytest.mark.parametrize(
    ("text", "why"),
    [("yesterday", "not a time such as"), ("2026-05-01T20:15:00", "write 2026-05-01T20:15:00Z for UTC")],
)
def test_what_is_no_time_is_said(text: str, why: str) -> None:
    for read in (instant, last_of):
        with pytest.raises(ValueError, match=why):
            read(text)


def test_what_no_calendar_has_is_no_time() -> None:
    assert last_of("253402300799999") == 253_402_300_799_999
    with pytest.raises(ValueError, match="after the year 9999"):
        last_of("253402300800000")
