"""The fold: what an account remembers, what it forgets, and that nobody's state is changed behind their back."""

import msgspec
import pytest

from commands.account import (
    FORGET_AFTER,
    FORGET_EVERY,
    REMEMBERED,
    YEAR,
    Account,
    apply,
    business_time,
    evolve,
    fold,
    initial,
)
from schemas.events import Envelope
from tests.support.account_spec import at, given
from tests.support.examples import (
    ACCOUNT,
    EVENT_EXAMPLES,
    T0,
    acquired,
    command_id,
    completed,
    day,
    deactivated,
    envelope,
    plan_changed,
    plan_set,
    played,
    released,
    renewed,
)

STORY = (
    envelope(plan_set(), 1),
    envelope(acquired(), 2),
    envelope(completed(), 3, at=day(1)),
    envelope(played(until=day(3)), 4, at=day(1)),
    envelope(renewed(until=day(32)), 5, at=day(2)),
    envelope(acquired("tv", "heat-1995"), 6, at=day(2)),
    envelope(released("tv", "heat-1995"), 7, at=day(3)),
    envelope(acquired("tv", "heat-1995"), 8, at=day(3)),
    envelope(deactivated("tv"), 9, at=day(4)),
    envelope(plan_changed("basic", "standard"), 10, at=day(5)),
)


@pytest.mark.parametrize("length", range(len(STORY)))
def test_evolve_leaves_the_state_that_it_starts_from(length: int) -> None:
    before = fold(initial(), STORY[:length])
    picture = msgspec.json.encode(before)
    after = evolve(before, STORY[length])
    assert msgspec.json.encode(before) == picture
    assert after != before
    assert after.version == length + 1


def test_a_fold_is_evolve_again_and_again() -> None:
    state = initial()
    for one in STORY:
        state = evolve(state, one)
    assert fold(initial(), STORY) == state


def test_a_copy_shares_nothing_that_changes() -> None:
    original = fold(initial(), STORY[:7])
    picture = msgspec.json.encode(original)
    copy = original.copy()
    for one in STORY[7:]:
        apply(copy, one)
    assert msgspec.json.encode(original) == picture


def test_every_kind_of_event_is_folded() -> None:
    assert {one.type for one in STORY} == {one.type for one in EVENT_EXAMPLES}


def test_version_and_time_are_those_of_the_last_event() -> None:
    state = fold(initial(), STORY)
    assert (state.version, state.at) == (10, day(5))


@pytest.mark.parametrize(("timestamp", "expected"), [(T0 - 1, T0), (T0, T0), (T0 + 1, T0 + 1)])
def test_business_time_never_goes_back(timestamp: int, expected: int) -> None:
    assert business_time(Account(version=1, at=T0), timestamp) == expected


#: So many events that the next, or one of these, is one at which an account forgets.
UNTIL_IT_FORGETS = [plan_set(f"plan-{number}") for number in range(FORGET_EVERY - 3)]


def test_an_ended_license_is_remembered_until_no_policy_could_renew_it() -> None:
    story = given(acquired(title="old", until=day(10)), acquired("pc", "gone", until=day(9)), *UNTIL_IT_FORGETS)
    kept = story.and_given(at(day(10) + FORGET_AFTER - 1, acquired(title="new", until=day(200))))
    assert kept.state.license("tablet", "old") is not None
    gone = story.and_given(at(day(10) + FORGET_AFTER, acquired(title="new", until=day(200))))
    assert gone.state.license("tablet", "old") is None
    assert gone.state.license("tablet", "new") is not None
    assert list(gone.state.devices) == ["tablet"]


def test_acquisitions_are_remembered_for_a_year() -> None:
    story = given(acquired(title="once"), acquired(title="rare"), at(day(1), acquired("tv", "rare")))
    assert story.state.acquired == {"once": (day(0),), "rare": (day(0), day(1))}
    almost = story.and_given(at(day(0) + YEAR - 1, acquired("pc", "rare")))
    assert almost.state.acquired["rare"] == (day(0), day(1), day(0) + YEAR - 1)
    rolled = story.and_given(at(day(0) + YEAR, acquired("pc", "rare")))
    assert rolled.state.acquired["rare"] == (day(1), day(0) + YEAR)
    later = rolled.and_given(*UNTIL_IT_FORGETS)
    assert later.state.acquired == {"rare": (day(1), day(0) + YEAR)}


def by_command(number: int, version: int) -> Envelope:
    return Envelope(command_id(-version), ACCOUNT, version, T0, command_id(number), None, plan_set(f"p{version}"))


def test_a_command_is_remembered_with_its_first_and_last_version() -> None:
    state = fold(initial(), [by_command(1, 1), by_command(2, 2), by_command(2, 3), by_command(2, 4)])
    assert state.answered == {command_id(1): (1, 1), command_id(2): (2, 4)}


def test_the_oldest_command_is_forgotten_when_there_are_too_many() -> None:
    full = fold(initial(), [by_command(n, n) for n in range(1, REMEMBERED + 1)])
    assert len(full.answered) == REMEMBERED
    assert command_id(1) in full.answered
    after = evolve(full, by_command(REMEMBERED + 1, REMEMBERED + 1))
    assert len(after.answered) == REMEMBERED
    assert command_id(1) not in after.answered
    assert command_id(2) in after.answered


def test_a_command_of_more_events_than_are_remembered_counts_once() -> None:
    many = [by_command(7, n) for n in range(2, REMEMBERED + 50)]
    state = fold(initial(), [by_command(1, 1), *many])
    assert state.answered == {command_id(1): (1, 1), command_id(7): (2, REMEMBERED + 49)}


def test_a_state_survives_its_snapshot_in_the_order_of_its_memory() -> None:
    state = fold(initial(), STORY)
    restored = msgspec.json.decode(msgspec.json.encode(state), type=Account)
    assert restored == state
    assert list(restored.answered) == list(state.answered)
